"""What hostile or broken clients do beside the devices: a stolen login speaks, a client id is taken over, a device flaps.

They use nothing but MQTT. What a broker refuses them is counted: that it does is the point.
"""

from __future__ import annotations

import selectors
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_sim.devices import SimulatedDevice
from edge_sim.faults import LINK, Fault
from edge_sim.line import Address, Ears, Line, Person

STRANGER: Final = "-x"
"""What a stranger with a stolen login adds to the client id where the broker allows it."""
PATIENCE_S: Final = 5.0


@dataclass
class Guest:
    """A connection of a stranger: what it still has to say, and until when it tries [monotonic s]."""

    line: Line
    until: float
    unsaid: list[tuple[str, bytes]] = field(default_factory=list)
    up: bool = False
    over: bool = False


class Intruders:
    """All strangers of a fleet."""

    def __init__(self, devices: Sequence[SimulatedDevice], address: Address, selector: selectors.BaseSelector) -> None:
        self.address, self._selector = address, selector
        self.refused = 0
        self.connected = 0
        self._thieves: dict[str, Guest] = {}
        self._guests: list[Guest] = []
        self._plans = [[device.id, fault, fault.begin] for device in devices for fault in device.scene.of(device.id, LINK)]
        self._now = 0.0

    def say(self, device: str, topic: str, payload: bytes) -> None:
        """A stranger with the device's login says something on a connection of his own."""
        thief = self._thieves.get(device)
        if not thief or thief.over:
            thief = self._thieves[device] = self._guest(Person(device + STRANGER, device))
        if thief.up:
            thief.line.publish(topic, payload)
        else:
            thief.unsaid.append((topic, payload))

    def step(self, true: int, now: float) -> None:
        """Connect whom the plan asks for by now, and end what is over."""
        self._now = now
        for plan in self._plans:
            device, fault, due = plan
            if isinstance(fault, Fault) and isinstance(due, int) and due <= min(true, fault.end):
                # A hurried scene passes hours in a moment: then one connection stands for those of that moment.
                plan[2] = max(due, min(true, fault.end)) + max(1, int(fault.size))
                self._guests.append(self._guest(Person(str(device), str(device))))
        for guest in [*self._guests, *self._thieves.values()]:
            self._tend(guest, now)
        self._guests = [guest for guest in self._guests if not guest.over]

    def close(self) -> None:
        """Leave."""
        for guest in [*self._guests, *self._thieves.values()]:
            if not guest.over:
                guest.line.hang_up()

    def _guest(self, person: Person) -> Guest:
        holder: list[Guest] = []
        ears = Ears(lambda: self._arrived(holder[0]), lambda: self._gone(holder[0]), lambda *_: None)
        guest = Guest(Line(self.address, person, ears, self._selector), self._now + PATIENCE_S)
        holder.append(guest)
        guest.over = not guest.line.dial()
        self.refused += guest.over
        return guest

    def _arrived(self, guest: Guest) -> None:
        guest.up = True
        self.connected += 1
        for topic, payload in guest.unsaid:
            guest.line.publish(topic, payload)
        guest.unsaid.clear()

    def _gone(self, guest: Guest) -> None:
        self.refused += not guest.up
        guest.up, guest.over = False, True

    def _tend(self, guest: Guest, now: float) -> None:
        if guest.over:
            return
        guest.line.flush()
        if guest in self._guests and (guest.up or now > guest.until):
            guest.line.hang_up()
            guest.over = True

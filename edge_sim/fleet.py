"""A fleet on the wire: one thread for all, QoS 1, last will, receipts, re-sending.

The broker's PUBACK proves nothing (it may forget); a message leaves the spool only when lanbi's receipt names it. Time comes
from a clock: simulated for what is measured, monotonic for when to try again. Each device has a connection of its own; where the
broker binds no client id to a topic, several may share one, so that thousands fit into a process.
"""

from __future__ import annotations

import json
import selectors
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from domain.ports import Clock
from domain.reasons import MAX_MESSAGE
from edge_sim.devices import LAG_S, SETTLE_S, SimulatedDevice, payloads
from edge_sim.intruders import Intruders
from edge_sim.line import Address, Ears, Line, Person
from edge_sim.record import Log, runs
from edge_sim.sending import Bundle, Link, Out
from edge_sim.spool import Number, Spool

FIRST_RETRY_S: Final = 20.0
"""Wait for a receipt before the first re-sending; doubled each time, so that five tries outlast a quarter of an hour."""
WINDOW: Final = 500
"""Unconfirmed readings a device has on the way at most."""
LOOK_S: Final = 0.05
WORK_S: Final = 0.05
"""Longest measuring in one go, so that connections are kept alive."""
RECONNECT_S: Final = (1.0, 30.0)
OWN_LINES: Final = 1_000
"""Connections of a process, each with a device of its own; more devices share them."""
TOPIC: Final = "lanbi/v1"
FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Manner:
    """How a fleet goes about it.

    Attributes
    ----------
    unhurried : bool
        Measure when the clock says so; False: as fast as everything is confirmed, to the end of the scene.
    lines : int
        Connections; 0 = one a device, and at most :data:`OWN_LINES`.
    receipts : bool
        Whether a reading is kept until lanbi's receipt; False: until the broker's PUBACK.
    most : int
        Unconfirmed readings of the whole fleet beyond which an unhurried one measures on and a hurried one waits.
    """

    unhurried: bool = True
    lines: int = 0
    receipts: bool = True
    most: int = 20_000


@dataclass
class Fleet:
    """Publishes devices until told to stop, or until everything is said.

    Attributes
    ----------
    devices : sequence of SimulatedDevice
        Their counts and last slots are set from the spool, ``start`` [s] for new ones.
    """

    devices: Sequence[SimulatedDevice]
    address: Address
    clock: Clock
    spool: Spool
    record: Log
    start: int
    manner: Manner = field(default_factory=Manner)
    links: dict[str, Link] = field(default_factory=dict)
    errors: int = 0
    readings: int = 0
    _lines: list[Bundle] = field(default_factory=list)
    _due: list[tuple[int, str]] = field(default_factory=list)
    _reached: int = 0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __post_init__(self) -> None:
        groups = min(self.manner.lines or OWN_LINES, len(self.devices)) or 1
        shared = [list(self.devices[first::groups]) for first in range(groups)]
        for group in shared:
            self._bundle(group)
        self._due = [(link.device.next_slot() + link.lag, name) for name, link in self.links.items()]
        heapify(self._due)
        self._intruders = Intruders(self.devices, self.address, self._selector)

    def run(self, stop: Callable[[], bool], tick: Callable[[Fleet], None]) -> None:
        """Measure, send and listen; ``tick`` is called once a second."""
        ticked = 0.0
        while not stop() and not self.done:
            now = self.clock.monotonic()
            second = now - ticked >= 1
            self._measure_due(now)
            for bundle in self._lines:
                self._step(bundle, now, second=second)
            self._intruders.step(self._now(), now)
            if second:
                ticked = now
                tick(self)
            self._listen()
        self.close()

    @property
    def done(self) -> bool:
        """Whether every reading of the scene is measured, said and confirmed or given up."""
        return not self._due and not len(self.spool) and not any(link.out.waits for link in self.links.values())

    def close(self) -> None:
        """Say goodbye on every connection, without the last will."""
        for bundle in self._lines:
            if bundle.up:
                for link in bundle.links:
                    bundle.line.publish(f"{TOPIC}/{link.id}/state", _state(online=False), retain=True)
            bundle.line.hang_up()
        self._intruders.close()
        self.spool.close()
        self.record.close()

    def connected(self) -> int:
        """Devices with a session."""
        return sum(link.up for link in self.links.values())

    def _now(self) -> int:
        """True time [s]: the clock's, or how far a hurried fleet has come."""
        if self.manner.unhurried:
            return self.clock.now_ns() // 10**9
        return self._reached if self._due else FOREVER

    def _bundle(self, devices: Sequence[SimulatedDevice]) -> None:
        first = devices[0]
        person = Person(first.id, first.id, (f"{TOPIC}/{first.id}/state", _state(online=False)))
        bundle = Bundle(self.clock.monotonic() + first.lag % 20 * 0.05)
        ears = Ears(lambda: self._connected(bundle), lambda: self._away(bundle), self._heard, None if self.manner.receipts else bundle.taken)
        bundle.line = Line(self.address, person, ears, self._selector)
        for device in devices:
            book = self.spool.book(device.id)
            device.seq, device.run, device.said = book.seq, book.run, book.said or self.start
            link = Link(device, bundle, device.lag, Out(book))
            bundle.links.append(link)
            self.links[device.id] = link
        self._lines.append(bundle)

    def _connected(self, bundle: Bundle) -> None:
        bundle.up, bundle.failures = True, 0
        names = [link.id for link in bundle.links]
        bundle.line.subscribe([f"{TOPIC}/{name}/{stream}" for name in names for stream in ("receipt", "error")])
        for link in bundle.links:
            bundle.line.publish(f"{TOPIC}/{link.id}/state", _state(online=True), retain=True)
            link.out.again()

    def _away(self, bundle: Bundle) -> None:
        now = self.clock.monotonic()
        for link in bundle.links if bundle.up else ():
            link.out.cut(now)
        bundle.up = False
        bundle.retry(now, RECONNECT_S, (bundle.links[0].lag if bundle.links else 0) / LAG_S)

    def _step(self, bundle: Bundle, now: float, *, second: bool) -> None:
        if bundle.up:
            true = self._now()
            for link in bundle.links:
                if second or link.out.ready:
                    self._send(link, now, true, again=second)
        elif now >= bundle.due and bundle.line.idle:
            bundle.due = now + RECONNECT_S[1]
            if not bundle.line.dial():
                self._away(bundle)
        if second:
            bundle.line.misc()
        bundle.line.flush()

    def _measure_due(self, began: float) -> None:
        """Everybody whose slot has ended, in order of time; a hurried fleet lets time pass as far as it can carry."""
        hurried = not self.manner.unhurried
        reach = FOREVER if hurried else self._now()
        while self._due and self._due[0][0] <= reach:
            if hurried and (len(self.spool) >= self.manner.most or self.clock.monotonic() - began > WORK_S):
                return
            due, name = heappop(self._due)
            self._reached = max(self._reached, due)
            link = self.links[name]
            self._measure(link, due if hurried else reach)
            following = link.device.next_slot()
            if following <= link.device.scene.end + SETTLE_S:
                heappush(self._due, (following + link.lag, name))

    def _measure(self, link: Link, now: int) -> None:
        device = link.device
        words = device.measure(now - link.lag)
        self.readings += len(words)
        self.record.sent(words)
        self._give_up(link, self.spool.add(device.id, [word for word in words if word.held], device.said))
        link.out.take(words, link.lag)

    def _send(self, link: Link, now: float, true: int, *, again: bool) -> None:
        if again:
            worn = link.out.worn(now, WINDOW)
            if worn:
                self._give_up(link, self.spool.drop(link.id, worn))
            for payload, part in link.out.repeated(now, WINDOW):
                self._publish(link, payload, part, now)
        for payload, part in link.out.first(true, WINDOW, merge=self.manner.unhurried):
            self._publish(link, payload, part, now)
        self._send_loose(link, true)

    def _publish(self, link: Link, payload: bytes, part: list[Number], now: float) -> None:
        if len(payload) > MAX_MESSAGE:
            # The broker would cut the connection off, and after the next one again.
            self._give_up(link, self.spool.drop(link.id, part))
            return
        mid = link.bundle.line.publish(f"{TOPIC}/{link.id}/data", payload, retain=link.out.retained(part[0]))
        link.out.tried(part, now, FIRST_RETRY_S)
        if not self.manner.receipts:
            link.bundle.await_taking(mid, lambda: self._confirmed(link, part))

    def _send_loose(self, link: Link, true: int) -> None:
        """What no receipt is expected for: events, repetitions, malformed messages, strangers' words."""
        for payload, part in payloads(link.out.loose(true)):
            word = part[0]
            if not word.own:
                self._intruders.say(link.id, f"{TOPIC}/{link.id}/data", payload)
            else:
                # A message that the broker cuts the connection for would come again after each new one at QoS 1.
                link.bundle.line.publish(f"{TOPIC}/{link.id}/{word.stream}", payload, qos=1 if len(payload) <= MAX_MESSAGE else 0, retain=word.retain)

    def _give_up(self, link: Link, numbers: Sequence[Number]) -> None:
        for run, low, high in runs(numbers):
            event = {"type": "lost", "run": run, "from": low, "to": high}
            link.bundle.line.publish(f"{TOPIC}/{link.id}/event", json.dumps(event))
            self.record.lost(link.id, run, low, high)

    def _heard(self, topic: str, payload: bytes) -> None:
        name, stream = topic.split("/")[2:4]
        try:
            answer = json.loads(payload)
            if stream == "error":
                self.errors += 1
                self.record.error(name, answer)
                return
            run, ranges = int(answer["run"]), [(int(low), int(high)) for low, high in answer["ranges"]]
        except (ValueError, KeyError, TypeError):
            self.errors += 1
            return
        self._confirmed(self.links[name], self.spool.covered(name, run, ranges))

    def _confirmed(self, link: Link, numbers: Sequence[Number]) -> None:
        self.record.receipt(link.id, numbers)
        self.spool.drop(link.id, numbers)

    def _listen(self) -> None:
        idle = self.manner.unhurried or not self._due or len(self.spool) >= self.manner.most
        for key, _ in self._selector.select(LOOK_S if idle else 0):
            key.data.read()


def _state(*, online: bool) -> str:
    return json.dumps({"online": online, "firmware": "edge_sim"})

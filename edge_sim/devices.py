"""Signal → native message: what one device says, when, and under which number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

import msgspec
import numpy as np

from domain.civil import OFFSET_S, day_of
from domain.message import Message, encode
from domain.places import Device
from domain.reasons import MAX_MESSAGE
from edge_sim.county import SimulatedCounty
from edge_sim.noise import Ints

MAX_LIST = 100
"""Readings in one payload when a device catches up."""


def readings(county: SimulatedCounty, source: str, times: Ints) -> list[Message]:
    """Messages of one source without numbers, one per time that has any value: times (n,) int64 [s], end labels."""
    columns = county.shown(source, times)
    names, span = tuple(columns), county.span(source)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    out = []
    for time, row in zip(times.tolist(), rows, strict=True):
        values = {name: value for name, value in zip(names, row, strict=True) if not isnan(value)}
        if values:
            out.append(Message(time=time, span=span, values=values, source=source))
    return out


@dataclass
class SimulatedDevice:
    """One device of the registry: it speaks for its sources at its interval and counts what it says.

    Attributes
    ----------
    seq : int
        Number of the next reading; kept over restarts by the spool, never by the signal.
    said : int [s]
        Last slot that was measured; what lies between it and now is made up for after a stop.
    """

    county: SimulatedCounty
    device: Device
    seq: int = 0
    run: int = 0
    said: int = 0

    @property
    def id(self) -> str:
        """MQTT user name, client id and topic level."""
        return self.device.id

    def next_slot(self) -> int:
        """End label of the next measurement [s]."""
        interval = self.device.interval
        return ((self.said + OFFSET_S) // interval + 1) * interval - OFFSET_S

    def measure(self, now: int) -> list[Message]:
        """Numbered messages of every slot that ended since the last call, in time order.

        Parameters
        ----------
        now : int [s]
            The device's clock.
        """
        interval = self.device.interval
        slots = np.arange(self.next_slot(), now + 1, interval, dtype=np.int64)
        if not len(slots):
            return []
        self.said = int(slots[-1])
        sources = [name for name in self.device.sources.on(day_of(self.said)) or () if self.county.known(name)]
        heard = [message for source in sources for message in readings(self.county, source, slots)]
        heard.sort(key=lambda message: message.time)
        return [self._numbered(message, alone=len(sources) == 1) for message in heard]

    def _numbered(self, message: Message, *, alone: bool) -> Message:
        source = None if alone else message.source
        number, self.seq = self.seq, self.seq + 1
        return msgspec.structs.replace(message, seq=number, run=self.run, source=source, time=self._label(message))

    def _label(self, message: Message) -> int:
        early = self.device.label.on(day_of(message.time)) == "start"
        return message.time - message.span if early else message.time


def payloads(messages: Sequence[Message]) -> Iterator[tuple[bytes, list[Message]]]:
    """Payloads of at most :data:`MAX_LIST` readings and 64 kB: a single one goes as an object, more as a list.

    A single reading that is larger stands alone; no broker takes it, and whoever sends decides.
    """
    for first in range(0, len(messages), MAX_LIST):
        yield from _fitting(list(messages[first : first + MAX_LIST]))


def _fitting(part: list[Message]) -> Iterator[tuple[bytes, list[Message]]]:
    payload = encode(part[0] if len(part) == 1 else part)
    if len(payload) <= MAX_MESSAGE or len(part) == 1:
        yield payload, part
        return
    middle = len(part) // 2
    yield from _fitting(part[:middle])
    yield from _fitting(part[middle:])

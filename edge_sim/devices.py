"""Signal → native message: what one device says, when, and under which number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, Final
from zlib import crc32

import msgspec
import numpy as np

from domain.civil import OFFSET_S, day_of, iso
from domain.places import Device
from domain.reasons import MAX_MESSAGE
from edge_sim import registers, sensors
from edge_sim.faults import REGISTER, SENSOR, WIRE
from edge_sim.noise import Floats, Ints
from edge_sim.scene import Scene, Stretch
from edge_sim.selectors import stranger
from edge_sim.water import NUTRIENTS
from edge_sim.wire import Word, spoilt

MAX_LIST: Final = 100
"""Readings in one payload when a device catches up."""
LAG_S: Final = 90
"""A device reports up to so many simulated seconds after its slot ended, always the same for one device."""
SETTLE_S: Final = 7_200
"""So long after a sampling the analysers of a section have its nutrients; until then they show the last batch."""

Row = dict[str, Any]
_ENCODER: Final = msgspec.json.Encoder()
encode: Final = _ENCODER.encode


def rows(stretch: Stretch, labels: Sequence[str], only: Sequence[str] = ()) -> Iterator[tuple[int, Row, dict[str, float], int]]:
    """Messages of a stretch, their number still 0 and their source left out, in order of time; a reading without any value is none.

    Parameters
    ----------
    labels : sequence of str
        RFC 3339 label of each reading.
    only : sequence of str, optional
        Items to say; all by default.

    Yields
    ------
    (place in the stretch, message, truth, number of the fault behind it)
    """
    names = tuple(name for name in stretch.said if not only or name in only)
    truth = _dicts(names, [stretch.truth[name] for name in names])
    flags, span = _flag_rows(stretch), stretch.span
    said = _said(names, [stretch.said[name] for name in names])
    for place, (shown, true, mark) in enumerate(zip(said, truth, stretch.faults.tolist(), strict=True)):
        if shown:
            row: Row = {"seq": 0, "time": labels[place], "span": span, "values": shown}
            if flags and (letters := {name: letter for name, letter in flags.get(place, {}).items() if name in shown}):
                row["flags"] = letters
            yield place, row, true, mark


def _dicts(names: Sequence[str], columns: Sequence[Floats]) -> Iterator[dict[str, float]]:
    if len(names) == 1:
        name = names[0]
        return ({name: value} for value in columns[0].tolist())
    return (dict(zip(names, values, strict=True)) for values in zip(*(column.tolist() for column in columns), strict=True))


def _said(names: Sequence[str], columns: Sequence[Floats]) -> Iterator[dict[str, float]]:
    """As :func:`_dicts`, without what is not said; gaps are few, so most stretches have none."""
    rows = _dicts(names, columns)
    if not any(np.isnan(column).any() for column in columns):
        return rows
    return ({name: value for name, value in row.items() if value == value} for row in rows)  # noqa: PLR0124  NaN is the one value that differs from itself


def _flag_rows(stretch: Stretch) -> Mapping[int, Mapping[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for name, letters in stretch.flags.items():
        for place in np.flatnonzero(letters).tolist():
            found.setdefault(place, {})[name] = chr(letters[place])
    return found


@dataclass
class SimulatedDevice:
    """One device of the registry: it speaks for its sources at its interval and counts what it says.

    Attributes
    ----------
    seq, run : int
        Number of the next reading; kept over restarts by the spool, never by the signal.
    said : int [s]
        Up to when everything is measured; what lies between it and now is made up for after a stop.
    ahead : int [s]
        How much is computed at once: the future is known here, and a day costs little more than a quarter of an hour.
    """

    scene: Scene
    device: Device
    seq: int = 0
    run: int = 0
    said: int = 0
    ahead: int = 0
    _ready: deque[Word] = field(default_factory=deque)
    _until: int = 0
    _labelled: tuple[int, int, int] = (0, 0, 0)
    _shared: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """MQTT user name, client id and topic level."""
        return self.device.id

    @cached_property
    def lag(self) -> int:
        """Seconds from the end of a slot to its message."""
        return crc32(self.id.encode()) % LAG_S

    @cached_property
    def _settles(self) -> bool:
        sections = self.scene.county.registry.water_sections
        return any(name in sections for _, names in self.device.sources.steps for name in names)

    def next_slot(self) -> int:
        """End label of the next measurement [s]."""
        if self._ready:
            return self._ready[0].tick
        interval, said = self.device.interval, max(self.said, self._until)
        slot = _grid(said, interval)
        return min(slot, _grid(said - SETTLE_S, interval) + SETTLE_S) if self._settles else slot

    def measure(self, now: int) -> list[Word]:
        """Numbered words of every slot that ended since the last call, in the order in which they were measured.

        Parameters
        ----------
        now : int [s]
            The device's clock.
        """
        if not self._ready or now > self._until:
            begin = max(self.said, self._until)
            self._until = max(now, begin + self.ahead)
            self._ready.extend(self._words(begin, self._until))
        self.said = now
        out = []
        while self._ready and self._ready[0].tick <= now:
            out.append(self._ready.popleft())
        return out

    def _words(self, after: int, until: int) -> list[Word]:
        """Everything measured in (after, until], with what the wire will make of it."""
        plain = [word for source in self._sources(until) for word in self._of(source, after, until)]
        plain.sort(key=attrgetter("tick"))
        alone = len(self._sources(until)) == 1
        for word in plain:
            self._number(word.row, "" if alone else word.source)
        counted = plain
        faults = [one for one in self.scene.of(self.id, WIRE) if one.begin < until and one.end > after - SETTLE_S]
        if faults:
            counted = spoilt(counted, faults, self.scene.county.noise, stranger(self.scene.county.registry, self.id))
        events = self._events(after, until)
        return sorted([*counted, *events], key=attrgetter("tick")) if events else counted

    def _sources(self, day: int) -> list[str]:
        return [name for name in self.device.sources.on(day_of(day)) or () if self.scene.county.known(name)]

    def _of(self, source: str, after: int, until: int) -> Iterator[Word]:
        section = source in self.scene.county.registry.water_sections
        first, settled = self._slots(after, until), self._slots(after - SETTLE_S, until - SETTLE_S)
        if len(first):
            stretch = self.scene.stretch(source, first)
            if section:
                last = self.scene.stretch(source, first - self.device.interval)
                silent = np.all([np.isnan(values) for name, values in stretch.said.items() if name not in NUTRIENTS], axis=0)
                stretch.said.update({name: np.where(silent, np.nan, last.said[name]) for name in NUTRIENTS})
            yield from self._said(source, stretch, ())
        if section and len(settled):
            yield from self._said(source, self.scene.stretch(source, settled), NUTRIENTS, SETTLE_S)

    def _slots(self, after: int, until: int) -> Ints:
        return self.scene.slots(self.device.interval, after, until)

    def _said(self, source: str, stretch: Stretch, only: Sequence[str], delay: int = 0) -> Iterator[Word]:
        times, late, name = stretch.times.tolist(), self.lag + delay, self.id
        labels = self._labels(stretch)
        for place, row, truth, mark in rows(stretch, labels, only):
            slot = times[place]
            yield Word(slot + late, slot + delay, slot, name, source, row, truth=truth, mark=mark)

    def _labels(self, stretch: Stretch) -> list[str]:
        """Labels of a stretch; sources of one device share them."""
        key = (int(stretch.times[0]), len(stretch.times), stretch.span)
        if key != self._labelled:
            self._labelled, self._shared = key, _labels(self.device, stretch.times, stretch.span)
        return self._shared

    def _number(self, row: Row, source: str) -> None:
        row["seq"], self.seq = self.seq, self.seq + 1
        if self.run:
            row["run"] = self.run
        if source:
            row["source"] = source

    def _events(self, after: int, until: int) -> list[Word]:
        """What an honest device tells of its own calibrations, maintenance and exchanges."""
        told = [event for source in self._sources(until) for event in self._told(source)]
        return [self._event(source, time, body) for source, time, body in told if after < time <= until]

    def _told(self, source: str) -> Iterator[tuple[str, int, Row]]:
        scene = self.scene
        known = scene.of(source, SENSOR) + scene.of(source, REGISTER)
        for fault in known:
            for time, kind in zip((fault.begin, fault.end), sensors.EVENTS.get(fault.kind, ("", "")), strict=True):
                if kind:
                    yield source, time, {"type": kind, "source": source, "time": iso(time)}
            if fault.kind == "exchange":
                yield source, fault.begin, {**registers.exchange_event(scene.county.meter(source), fault, known), "time": iso(fault.begin)}

    def _event(self, source: str, time: int, body: Row) -> Word:
        return Word(time + self.lag, time, time, self.id, source, body, stream="event", held=False)


def _grid(after: int, interval: int) -> int:
    return ((after + OFFSET_S) // interval + 1) * interval - OFFSET_S


def _labels(device: Device, times: Ints, span: int) -> list[str]:
    """End labels, or start labels where the registry says so, by the day."""
    if all(value != "start" for _, value in device.label.steps):
        return [iso(time) for time in times.tolist()]
    return [iso(time - span if device.label.on(day_of(time)) == "start" else time) for time in times.tolist()]


def payloads(words: Sequence[Word]) -> Iterator[tuple[bytes, list[Word]]]:
    """Payloads of at most :data:`MAX_LIST` readings and 64 kB: a single one goes as an object, more as a list.

    A single reading that is larger stands alone; no broker takes it, and whoever sends decides. Events, strangers' words, retained
    ones and what is no message go alone.
    """
    part: list[Word] = []
    bodies: list[bytes] = []
    size = 0
    for word in words:
        body = word.body or encode(word.row)
        lone = _lone(word)
        if part and (lone or _lone(part[0]) or len(part) == MAX_LIST or size + len(body) + 2 > MAX_MESSAGE):
            yield joined(bodies), part
            part, bodies, size = [], [], 0
        part.append(word)
        bodies.append(body)
        size += len(body) + 1
    if part:
        yield joined(bodies), part


def _lone(word: Word) -> bool:
    return (bool(word.fault) and (word.retain or not word.own or not word.held)) or word.stream == "event"


def joined(bodies: Sequence[bytes]) -> bytes:
    """One payload of encoded messages: a single one as an object, more as a list."""
    return bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"

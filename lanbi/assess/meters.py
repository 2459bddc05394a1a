"""Accounts of meters: registers in, intervals and events out, as JSON lines with exact decimals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import Final

import numpy as np

from analytics import counting, meters, standing
from domain import civil
from domain.errors import FileError
from domain.places import Meter, Registry
from lanbi import registry as registries
from lanbi.assess import files, rows
from lanbi.assess.midnights import repaired

COLUMNS: Final = ("meter", "time", "register")
FORM: Final = ("meter", "time", "last", "first")
HOURLY: Final = 3_600
WHOLE: Final = 12
DECIMALS: Final = 6
"""Digits of a register before and behind the point: as many as whole numbers of 64 bits can tell apart."""
Rows = dict[int, Decimal]


def answer(name: str, registry: str, exchanges: str | None) -> Iterator[bytes]:
    """JSON lines of every meter in the order of its first row, each in order of time.

    Registers may come in any order. The same value twice counts once; another value for the same time is held: the first
    stays, as for a reading that comes over the wire without ``corrects``.
    """
    known = registries.load(Path(registry))
    tables, disputes, repeated = _registers(name, known)
    if repeated:
        files.warn(f"{name}: {repeated} rows repeat a meter and time with the same register")
    forms = _forms(exchanges, known, tables) if exchanges else {}
    readings = {meter: _readings(known, meter, rows, forms.get(meter, [])) for meter, rows in tables.items()}
    counted = {meter: _counted(known, meter, one, forms.get(meter, [])) for meter, one in readings.items()}
    stuck = standing.stuck(counted, standing.pairs(known.meters))
    for meter in tables:
        one = meters.told(readings[meter], counted[meter])
        events = [*one.events, *disputes.get(meter, []), *stuck[meter]]
        yield from _lines(meter, one.intervals, sorted(events, key=lambda event: event.time))


def _lines(meter: str, intervals: Sequence[meters.Interval], events: Sequence[meters.Event]) -> Iterator[bytes]:
    """Lines of a meter, an interval before the events at its end. Intervals come by the million: their lines are put together, not dumped."""
    name, said = json.dumps(meter, ensure_ascii=False), rows.Known(lambda time: civil.iso(int(time)))
    told = [(one.time, {"kind": "event", "event": one.kind, "time": civil.iso(one.time), "detail": one.detail}) for one in events]
    later = sorted(told, key=lambda pair: pair[0], reverse=True)
    for one in sorted(intervals, key=lambda one: one.end):
        while later and later[-1][0] < one.end:
            yield _line(meter, later.pop()[1])
        begin, end = said[str(one.begin)], said[str(one.end)]
        yield f'{{"meter": {name}, "kind": "interval", "from": "{begin}", "to": "{end}", "energy": "{one.energy:f}", "flag": "{one.flag}"}}\n'.encode()
    while later:
        yield _line(meter, later.pop()[1])


def _line(meter: str, row: Mapping[str, str]) -> bytes:
    return json.dumps({"meter": meter, **row}, ensure_ascii=False).encode() + b"\n"


def _readings(known: Registry, meter: str, rows: Rows, forms: Sequence[counting.Exchange]) -> counting.Readings:
    times = sorted(rows)
    resolution = _resolution(known.meters[meter], [*rows.values(), *(value for form in forms for value in form[1:])])
    units = np.array([number if (number := int(rows[time] / resolution)) < counting.TOP else -1 for time in times], np.int64)
    return counting.Readings(np.array(times, np.int64), units, resolution)


def _counted(known: Registry, meter: str, readings: counting.Readings, forms: Sequence[counting.Exchange]) -> counting.Counted:
    return counting.count(known.meters[meter], readings, _interval(known, meter, readings.times.tolist()), forms)


def _resolution(meter: Meter, values: Sequence[Decimal]) -> Decimal:
    """The registered resolution, or the finest that was written: nothing of a register is rounded away."""
    registered = Decimal(meter.resolution)
    digits = min((int(value.as_tuple().exponent) for value in values), default=0)
    finest = Decimal(1).scaleb(min(digits, 0))
    if all(value % registered == 0 for value in values):
        return registered
    files.warn(f"{meter.id}: registers are finer than the registered resolution {meter.resolution}; {finest} is used")
    return finest


def _interval(known: Registry, meter: str, times: Sequence[int]) -> int:
    """Seconds between readings: the device's, else the usual distance of the readings themselves."""
    found = [device.interval for device in known.devices.values() if meter in (device.sources.newest or ())]
    steps = [after - before for before, after in pairwise(times)]
    return min(found) if found else median_low(steps) if len(steps) > 2 else HOURLY


def _written(name: str, known: Registry) -> dict[str, list[tuple[int, Decimal]]]:
    """Times and registers of each meter, in the file's order."""
    written: dict[str, list[tuple[int, Decimal]]] = {}
    header, lines = rows.lines(name, COLUMNS, ("document",))
    at, names, times = [header.index(column) for column in COLUMNS], rows.Known(str), rows.Known(rows.instant)
    for line, cells in lines:
        meter, time, text = names[cells[at[0]]], times[cells[at[1]]], cells[at[2]].strip()
        value = _register(text)
        if meter not in known.meters or time is None or value is None:
            where = rows.place(name, line)
            _registered(meter, where, known)
            time, value = rows.time(cells[at[1]].strip(), where), _decimal(text, where, "register")
        written.setdefault(meter, []).append((time, value))
    return written


def _registers(name: str, known: Registry) -> tuple[dict[str, Rows], dict[str, list[meters.Event]], int]:
    tables: dict[str, Rows] = {}
    disputes: dict[str, list[meters.Event]] = {}
    repeated = 0
    for meter, pairs in _written(name, known).items():
        times, moved = repaired([time for time, _ in pairs])
        if moved:
            files.warn(f"{name}: {meter}: {moved} midnights are labelled 00:00 of the day that ended; moved to the next day")
        table = tables.setdefault(meter, {})
        for time, (_, value) in zip(times, pairs, strict=True):
            first = table.setdefault(time, value)
            if first != value:
                disputes.setdefault(meter, []).append(meters.Event("held", time, f"{first} stands, {value} came for the same time"))
            repeated += first is not value and first == value
    return tables, disputes, repeated


def _forms(name: str, known: Registry, tables: Mapping[str, Rows]) -> dict[str, list[counting.Exchange]]:
    forms: dict[str, list[counting.Exchange]] = {}
    for where, row in _rows(name, FORM, known):
        time = rows.time(row["time"], where)
        there = tables.get(row["meter"], {})
        if there and time <= min(there):
            raise FileError("the exchange lies before the meter's first reading", f"{where}, column time", "check the time of the form")
        form = counting.Exchange(time, _decimal(row["last"], where, "last"), _decimal(row["first"], where, "first"))
        if there and form.last < (before := there[max(one for one in there if one < time)]):
            todo = "check the form; a roll-over before an exchange needs a reading between them"
            raise FileError(f"the last reading {form.last} lies below the reading before it, {before}", f"{where}, column last", todo)
        forms.setdefault(row["meter"], []).append(form)
    return {meter: sorted(one) for meter, one in forms.items()}


def _rows(name: str, needed: Sequence[str], known: Registry) -> Iterator[tuple[str, dict[str, str]]]:
    for where, row in rows.read(name, needed, ("document",))[1]:
        _registered(row["meter"], where, known)
        yield where, row


def _registered(meter: str, where: str, known: Registry) -> None:
    if meter not in known.meters:
        raise FileError(f"no such meter in the registry: {meter!r}", f"{where}, column meter", "register it, or correct the id")


def _decimal(text: str, where: str, column: str) -> Decimal:
    value = _register(text)
    if value is None:
        todo = f"write a plain decimal number below 10¹², with at most {DECIMALS} decimals, without unit or separators"
        raise FileError(f"not a register: {text[:40]!r}", f"{where}, column {column}", todo)
    return value


def _register(text: str) -> Decimal | None:
    """A register, None for what is none."""
    try:
        value = Decimal(text) if "_" not in text else Decimal("NaN")
    except InvalidOperation:
        return None
    wrong = not value.is_finite() or (value and value.adjusted() >= WHOLE) or int(value.as_tuple().exponent) < -DECIMALS
    return None if wrong else value

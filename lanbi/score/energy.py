"""Energy: what lanbi's account makes of the stored registers, against what truly turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from analytics import counting, meters
from domain.civil import parse_time
from domain.items import BY_REALM
from domain.places import Registry
from domain.readings import Entry
from lanbi.score.readings import Rows
from lanbi.score.truth import Said


class Energy(NamedTuple):
    """One meter between its first and last stored reading, in the registered unit."""

    meter: str
    true: Decimal
    counted: Decimal
    held: Decimal

    @property
    def error(self) -> Decimal:
        """Counted less true; what is held for a person is in neither."""
        return self.counted - self.true


@dataclass(frozen=True)
class Accounts:
    """Accounts of all meters, and their energies."""

    accounts: dict[str, meters.Account]
    counted: dict[str, counting.Counted]
    energies: list[Energy]


def accounts(registry: Registry, said: Sequence[tuple[Said, Rows]], events: Sequence[Entry]) -> Accounts:
    """Accounts of every meter of the scene whose register never restarts by itself."""
    known: dict[str, meters.Account] = {}
    counted: dict[str, counting.Counted] = {}
    energies: list[Energy] = []
    for one, rows in said:
        meter = registry.meters.get(one.source)
        if meter and ":" not in meter.reset and len(rows.times):
            readings, counted[one.source] = _counted(registry, one, rows, events)
            account = known[one.source] = meters.told(readings, counted[one.source])
            held = sum((part.energy for part in account.intervals if part.flag == "held"), Decimal(0))
            energies.append(Energy(one.source, _true(registry, one, rows), account.energy, held))
    return Accounts(known, counted, energies)


def _counted(registry: Registry, said: Said, rows: Rows, events: Sequence[Entry]) -> tuple[counting.Readings, counting.Counted]:
    meter = registry.meters[said.source]
    column = rows.values[:, BY_REALM["meter"].index("register")]
    there = ~np.isnan(column)
    resolution = Decimal(meter.resolution)
    units = np.array([int((Decimal(repr(value)) / resolution).to_integral_value()) for value in column[there].tolist()], np.int64)
    forms = [_form(entry) for entry in events if entry.body.get("type") == "exchange" and entry.body.get("source") == said.source]
    device = registry.devices[said.device]
    readings = counting.Readings(rows.times[there], units, resolution)
    return readings, counting.count(meter, readings, device.interval, sorted(forms, key=lambda form: form.time))


def _form(entry: Entry) -> counting.Exchange:
    body = entry.body
    return counting.Exchange(parse_time(str(body["time"])), Decimal(str(body["last"])), Decimal(str(body["first"])))


def _true(registry: Registry, said: Said, rows: Rows) -> Decimal:
    """Units truly turned between the first and the last stored reading, × resolution × the multiplier of each reading's day."""
    meter = registry.meters[said.source]
    order = np.argsort(said.slot, kind="stable")
    inside = order[(said.slot[order] >= rows.times[0]) & (said.slot[order] <= rows.times[-1])]
    resolution = Decimal(meter.resolution)
    units = np.round(said.truth[inside, BY_REALM["meter"].index("register")] / float(resolution)).astype(np.int64)
    total = Decimal(0)
    ends, steps = said.slot[inside][1:].tolist(), np.diff(units).tolist()
    if len(meter.multiplier.steps) == 1:
        return int(sum(steps)) * resolution * Decimal(meter.multiplier.newest)
    for end, step in zip(ends, steps, strict=True):
        total += step * resolution * counting.ratio_on(meter, end)
    return total

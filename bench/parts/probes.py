"""Water probes on real records with technicians' corrections: each drift with its size, shifts, and false alarms a sensor-month.

Logan River at Main Street, 2019, with the observatory's own corrected values and calibration lists (github.com/AmberSJones/pyhydroqc,
BSD-3). A drift is told by its end: corrected − raw is the gap that the technicians listed, and the sensor's error is minus that.
"""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analytics.water import probes
from analytics.water.probes import Interval, Probe, Shift, Visit

RECORD = "lro_MainStreet2019.csv.gz"
LISTS = {"cond": "lro_MainStreet_cond_calib_dates.csv.gz", "ph": "lro_MainStreet_ph_calib_dates.csv.gz", "do": "lro_MainStreet_do_calib_dates.csv.gz"}
MISSING = ("NULL", "-9999", "7999", "")
REACH_S = 4 * 3_600
NEAR = 0.2
MONTH_S = 30.44 * 86_400
DAY_S = 86_400
CORRECTED = {"cond": 1.0, "ph": 0.04, "do": 0.5}
"""A change of the technicians' correction by so much is a fault that they saw."""


class Listed(NamedTuple):
    """An interval of the technicians' list: begin, end [s], corrected − raw at its end."""

    begin: int
    end: int
    gap: float


def measure(data: Path) -> list[dict[str, object]]:
    """Rows of the table: one a listed drift, and one an item for its shifts and false alarms."""
    with gzip.open(data / RECORD, "rt", encoding="utf-8-sig") as source:
        lines = list(csv.DictReader(source))
    time = np.array([_time(line["datetime"]) for line in lines], np.int64)
    rows: list[dict[str, object]] = []
    for item in probes.PROBES:
        raw, right = (np.array([_number(line[name]) for line in lines]) for name in (item, f"{item}_cor"))
        own = probes.probe(item, time, raw)
        listed = [one for one in _list(data / LISTS[item]) if one.end >= time[0]]
        visits = [Visit(at, at) for one in listed for at in (one.begin, one.end) if at > time[0]]
        found = list(probes.intervals(own, visits))
        rows += [_drift(item, one, found, int(time[-1])) for one in listed]
        shifts = list(probes.shifts(item, own, visits))
        rows.append(_quiet(item, own, (listed, found, shifts), _corrections(item, time, right - raw)))
    return rows


def _time(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


def _number(text: str) -> float:
    return np.nan if text in MISSING else float(text)


def _list(path: Path) -> list[Listed]:
    with gzip.open(path, "rt", encoding="utf-8-sig") as source:
        return [Listed(_time(begin), _time(end), float(gap)) for begin, end, gap in list(csv.reader(source))[2:]]


def _shown(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}"


def _drift(item: str, one: Listed, found: list[Interval], last: int) -> dict[str, object]:
    """One listed drift beside what was told of it."""
    row: dict[str, object] = {"case": f"drift of {item}, {_shown(one.begin)} to {_shown(one.end)}", "listed": -one.gap}
    if one.end > last:
        return {**row, "told": None, "verdict": "not found: the record ends before the calibration"}
    near = [known for known in found if known.size is not None and abs(known.end - one.end) <= REACH_S]
    if not near:
        return {**row, "told": None, "verdict": "not found"}
    size = float(near[0].size or 0)
    within = abs(size + one.gap) <= NEAR * abs(one.gap)
    return {**row, "told": round(size, 3), "verdict": "within 20 %" if within else "another size: the raw record steps by this at the visit"}


def _corrections(item: str, time: probes.Longs, correction: probes.Floats) -> probes.Longs:
    """When the technicians' correction changes by more than a trifle."""
    there = ~np.isnan(correction)
    known: probes.Longs = time[there][1:][np.abs(np.diff(correction[there])) > CORRECTED[item]]
    return known


def _quiet(item: str, own: Probe, told: tuple[list[Listed], list[Interval], list[Shift]], seen: probes.Longs) -> dict[str, object]:
    """Shifts and drifts that no correction of the technicians explains, a sensor-month; and what days without a visit would tell."""
    listed, found, shifts = told
    months = float(own.time[-1] - own.time[0]) / MONTH_S
    false = [one for one in shifts if not (np.abs(seen - one.time) <= REACH_S).any()]
    ends = [one.end for one in listed]
    wrong = [one for one in found if one.size is not None and not any(abs(one.end - end) <= REACH_S for end in ends)]
    chance = [one for at in _ordinary(own, listed, seen) for one in probes.intervals(own, [Visit(at, at)])]
    return {
        "case": f"{item} without a fault",
        "shifts": len(shifts),
        "false_shifts": len(false),
        "false_drifts": len(wrong),
        "false_per_sensor_month": round((len(false) + len(wrong)) / months, 3),
        "months": round(months, 1),
        "chance_at_a_visit": f"{sum(one.size is not None for one in chance)} of {len(chance)}",
    }


def _ordinary(own: Probe, listed: list[Listed], seen: probes.Longs) -> list[int]:
    """An instant a day, as if somebody had been there, of days on which nobody was and nothing was corrected."""
    noons = range(int(own.time[0]) // DAY_S * DAY_S + 13 * 3_600, int(own.time[-1]), DAY_S)
    known = np.array([*[at for one in listed for at in (one.begin, one.end)], *seen.tolist()])
    return [noon for noon in noons if not len(known) or np.abs(known - noon).min() > 2 * DAY_S]

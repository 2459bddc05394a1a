"""Projection to the year's end, month by month: error, coverage of the 90 % interval and Brier score, no year predicting itself.

Simulated county-years have a between-year factor of their own, drawn apart from what the model assumes; published daily histories are
used where they lie beside the repository, or are given as files (CSV with date, city or site, pm25 and, if there, aqi).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import fix_threads

fix_threads(1)

import numpy as np
import numpy.typing as npt

from analytics import projection, skill
from analytics.air import hours
from analytics.projection import Goal

Floats = npt.NDArray[np.float64]
History = Mapping[int, Floats]
DEV = Path(__file__).resolve().parents[2] / "shared" / "data" / "dev"
FILES = ("daily_jinan_2014_2018.csv.gz", "daily_liaocheng_aqistudy_201312_201701.csv.gz")
SEED = 20_260
COUNTIES = 100
COUNTIES_QUICK = 30
YEARS = 5
MONTHS = range(1, 12)
WINTER = (0.22, 0.2, 0.16, 0.13, 0.12, 0.1, 0.1, 0.12, 0.14, 0.17, 0.2, 0.24)


class Place(NamedTuple):
    """Daily PM2.5, good days and heavy days of a place, by year."""

    mean: History
    share: History
    count: History


class Seen(NamedTuple):
    """One forecast beside what came."""

    month: int
    error: float
    naive: float
    inside: bool
    p_miss: float
    missed: bool
    decided: str


def days_of(year: int) -> int:
    """Calendar days of a year."""
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def county(seed: int) -> Place:
    """A county of years with a true between-year factor: level, season, months and days each have their own chance."""
    chance = np.random.default_rng([SEED, seed])
    level, trend, spread = np.log(chance.uniform(30, 80)), chance.normal(-0.03, 0.02), chance.uniform(0.10, 0.15)
    season, ozone = chance.uniform(0.3, 0.55), chance.uniform(95, 150)
    pm25, aqi = {}, {}
    for year in range(2_019, 2_019 + YEARS):
        level += trend + chance.normal(0, spread)
        length = days_of(year)
        months = np.array([date.fromordinal(date(year, 1, 1).toordinal() + day).month - 1 for day in range(length)])
        noise = np.zeros(length)
        for day in range(1, length):
            noise[day] = 0.6 * noise[day - 1] + chance.normal(0, 0.38)
        course = 1 + season * np.cos(2 * np.pi * (np.arange(length) - 10) / length)
        values = np.exp(level + chance.normal(0, WINTER)[months] + noise - noise.var() / 2) * course
        summer = ozone * (0.55 - 0.45 * np.cos(2 * np.pi * (np.arange(length) - 15) / length)) * np.exp(chance.normal(0, 0.22, length))
        gone = chance.random(length) < 0.02
        pm25[year] = np.where(gone, np.nan, values)
        aqi[year] = np.where(gone, np.nan, _aqi(values, summer))
    return place(pm25, aqi)


def _aqi(pm25: Floats, ozone: Floats) -> Floats:
    shown = np.full((len(pm25), 6), 10, np.int32)
    shown[:, 0], shown[:, 1], shown[:, 5] = np.rint(pm25), np.rint(pm25 * 1.6), np.rint(ozone)
    return np.asarray(hours.judge(shown, np.zeros(len(pm25), np.uint8), daily=True).aqi, np.float64)


def place(pm25: History, aqi: History) -> Place:
    """Histories of the three figures."""
    good = {year: np.where(np.isnan(one), np.nan, one <= 100) for year, one in aqi.items()}
    heavy = {year: np.where(np.isnan(one), np.nan, one > 200) for year, one in aqi.items()}
    return Place(pm25, good, heavy)


def published(path: Path) -> dict[str, Place]:
    """Places of a file of daily values; PM2.5 of 0 and AQI of 0 are missing."""
    pm25: defaultdict[str, dict[int, Floats]] = defaultdict(dict)
    aqi: defaultdict[str, dict[int, Floats]] = defaultdict(dict)
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    for row in csv.DictReader(io.StringIO(text)):
        day = date.fromisoformat(row["date"])
        name = row.get("city") or row.get("site") or ""
        for table, column in ((pm25, "pm25"), (aqi, "aqi")):
            value = float(row.get(column) or 0)
            year = table[name].setdefault(day.year, np.full(days_of(day.year), np.nan))
            year[day.timetuple().tm_yday - 1] = value if value > 0 else np.nan
    return {name: place(pm25[name], aqi[name]) for name in pm25}


def backtest(years: History, kind: str) -> Iterator[Seen]:
    """Forecasts of every year that has one before it, at the end of each month, from the years before it alone."""
    for year in sorted(years):
        past, now = skill.unbroken(years, year), years[year]
        if not past or np.isfinite(now).sum() < 340:
            continue
        truth, goal = _truth(kind, now), _goal(kind, past[-1])
        seen = getattr(projection, kind)(past, now, len(now), goal)
        missed = truth < (goal.value or 0) if goal.op == ">=" else truth > (goal.value or 0)
        scale = truth / 100 if kind == "mean" else 1.0
        for month in MONTHS:
            row = (date(year, month + 1, 1) - date(year, 1, 1)).days - 1
            chance = float(seen.p_miss[row])
            state = skill.state(chance, better=skill.skilled(skill.cases(years, year, row) if kind == "mean" else [], row))
            naive = abs(_so_far(kind, now[: row + 1], row) - truth) / scale
            yield Seen(month, abs(seen.median[row] - truth) / scale, naive, seen.low90[row] <= truth <= seen.high90[row], chance, missed, state)


def _truth(kind: str, now: Floats) -> float:
    return float({"mean": np.nanmean, "share": lambda days: 100 * np.nanmean(days), "count": np.nansum}[kind](now))


def _goal(kind: str, last: Floats) -> Goal:
    """Against last year: PM2.5 less 3 %, a point more of good days, a heavy day less."""
    truth = _truth(kind, last)
    return {"mean": Goal("<=", truth * skill.LESS), "share": Goal(">=", truth + 1), "count": Goal("<=", max(truth - 1, 0.0))}[kind]


def _so_far(kind: str, days: Floats, row: int) -> float:
    """What the running figure alone says: the year to date, counts at their pace."""
    return float(np.nansum(days) * 365 / (row + 1)) if kind == "count" else _truth(kind, days)


UNITS = {"mean": "%", "share": "points", "count": "days"}
GOALS: tuple[tuple[int, float], ...] = ((4, 9.0), (9, 7.0))


class Report:
    """Prints a table a set and keeps one JSON line a case."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def table(self, name: str, kind: str, rows: list[Seen]) -> None:
        """One line a month."""
        years = len(rows) // len(MONTHS)
        print(f"\n{name}, {kind}: {years} years forecast; error in {UNITS[kind]}")
        print("end of month   error  year-to-date   coverage    Brier  base rate  decided  of them right")
        for month in MONTHS:
            self._month(name, kind, month, [row for row in rows if row.month == month])
        if kind == "mean":
            for month, most in GOALS:
                error = _mean(row.error for row in rows if row.month == month)
                print(f"goal: error <= {most:g} % at the end of month {month}: {error:.1f} % {'met' if error <= most else 'NOT met'}")
            low = min(_mean(row.inside for row in rows if row.month == month) for month in MONTHS)
            print(f"goal: coverage >= 0.85 in every month: lowest {low:.2f} {'met' if low >= 0.85 else 'NOT met'}")

    def _month(self, name: str, kind: str, month: int, rows: list[Seen]) -> None:
        rate = _mean(row.missed for row in rows)
        figures = {
            "error": (_mean(row.error for row in rows), _mean(row.naive for row in rows), UNITS[kind], "year-to-date"),
            "coverage": (_mean(row.inside for row in rows), None, "share", ""),
            "Brier": (_mean((row.p_miss - row.missed) ** 2 for row in rows), rate * (1 - rate), "", "base rate"),
        }
        decided = [row for row in rows if row.decided != "undecidable"]
        right = [row for row in decided if (row.decided == "at-risk") == row.missed]
        error, cover, brier = (figures[part] for part in ("error", "coverage", "Brier"))
        print(
            f"{month:12d}  {error[0]:6.2f}  {error[1]:12.2f}  {cover[0]:9.2f}  {brier[0]:7.3f}  {brier[1]:9.3f}"
            f"  {len(decided):3d}/{len(rows):<3d}  {len(right):3d}"
        )
        for part, (ours, peer, unit, peer_name) in figures.items():
            ratio = None if peer is None or not ours else peer / ours
            case = f"{name}, {kind}: {part} at the end of month {month}"
            line = {"bench": "projection", "case": case, "ours": ours, "peer": peer, "peer_name": peer_name, "peer_version": ""}
            self.lines.append({**line, "unit": unit, "ratio": ratio, "threads": 1})


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def main() -> None:
    """Simulated counties first, then published histories."""
    parser = argparse.ArgumentParser(description="bench projection")
    parser.add_argument("--quick", action="store_true", help="at most 50 s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append one JSON line a case")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="daily histories (default: the two beside the repository, if there)")
    args = parser.parse_args()
    number = COUNTIES_QUICK if args.quick else COUNTIES
    print(f"seed {SEED}; {number} simulated counties of {YEARS} years, between-year factor 0.10 … 0.15 in the log")
    report = Report()
    simulated = [county(seed) for seed in range(number)]
    for kind in UNITS:
        report.table("simulated", kind, [row for one in simulated for row in backtest(getattr(one, kind), kind)])
    files = args.files or [DEV / name for name in FILES if (DEV / name).exists()]
    known = [one for path in files for one in published(path).values()]
    print(f"\npublished histories: {', '.join(path.name for path in files) or 'none beside the repository'}")
    for kind in UNITS if known else ():
        report.table("published", kind, [row for one in known for row in backtest(getattr(one, kind), kind)])
    if args.json is not None:
        with args.json.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in report.lines)


if __name__ == "__main__":
    main()

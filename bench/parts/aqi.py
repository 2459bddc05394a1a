"""Hourly AQI, and the IAQI of every reportable concentration."""

from __future__ import annotations

import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any, Final

import numpy as np
from aqi_hub.aqi_cn.aqi import cal_aqi_cn, cal_iaqi_cn

from analytics import filling, tables
from analytics.air import hours as air_hours
from bench.common import Bench
from bench.parts.air import NS, Floats, Ints
from domain import air
from domain.items import AIR, DAILY
from tests import reference

CALLS: Final = 3_000
"""Hours that the peer judges one by one."""
IN_CACHE: Final = 4_000
TURNS: Final = 500


def by_numpy(columns: list[Floats], *, daily: bool) -> Floats:
    """AQI by vectorised numpy, one contiguous array an item: round, interp, ceil, fmax; a float ceil, so one too high at some CO values."""
    names = DAILY if daily else AIR
    averages = ("24h",) * 5 + ("8h",) if daily else ("1h",) * 6
    aqi = np.full(columns[0].shape, np.nan)
    for values, key in zip(columns, zip(names, averages, strict=True), strict=True):
        points = np.array(air.RULES_2012.breakpoints[key]) / (10 if key[0] == "co" else 1)
        shown = np.round(values, 1 if key[0] == "co" else 0)
        aqi = np.fmax(aqi, np.ceil(np.interp(shown, points, air.IAQI_POINTS[: len(points)])))
    return aqi


def by_calls(rows: list[list[float | None]]) -> list[Any]:
    """The peer's one call an hour; its answers to missing items come with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [cal_aqi_cn(*row, data_type="hourly")[0] for row in rows]


def run(bench: Bench, values: Floats, hours: Ints) -> None:
    """From the cube and from foreign floats; one call an hour; two threads."""
    rows = hours.reshape(-1, 6)
    columns = [np.ascontiguousarray(values[:, :, place]).reshape(-1) for place in range(6)]
    out = air_hours.real_time(rows, 0)
    peer = by_numpy(columns, daily=False)
    wrong = int((np.where(out.aqi < 0, np.nan, out.aqi.astype(float)) != peer)[~np.isnan(peer)].sum())
    assert wrong < len(rows) / 100, "the float ceil differs at some CO values only"
    size = len(rows) / NS
    series = np.ascontiguousarray(values.reshape(len(values), -1).T)
    mine, fresh, foreign, theirs = bench.race(
        lambda: air_hours.real_time(rows, 0, out),
        lambda: air_hours.real_time(rows, 0),
        lambda: air_hours.real_time(filling.laid(series).reshape(-1, 6), 0, out),
        lambda: by_numpy(columns, daily=False),
    )
    told = f"peer wrong on {wrong} of {len(rows)}"
    for case, own in ((f"hourly AQI, from the cube ({told})", mine), ("hourly AQI, from the cube, new output each time", fresh)):
        bench.add(case, own / size, "ns a station-hour", peer=theirs / size, peer_name="numpy")
    bench.add("hourly AQI, from foreign floats [station, hour]", foreign / size, "ns a station-hour", peer=theirs / size, peer_name="numpy")
    _calls(bench, rows, mine / size)
    one, two = bench.race(lambda: air_hours.real_time(rows, 0, out), lambda: air_hours.real_time(rows, 0, out, threads=2), clock=time.perf_counter)
    bench.add("hourly AQI, two threads against one", two / size, "ns a station-hour", peer=one / size, peer_name="one thread", threads=2)


def ceiling(bench: Bench, hours: Ints) -> None:
    """What a second core gives at this moment: the same work on hours in the core's cache, twice, side by side against one after the other."""
    cells = [np.ascontiguousarray(hours.reshape(-1, 6)[:IN_CACHE]) for _ in range(2)]
    outs = [air_hours.real_time(one, 0) for one in cells]

    def work(place: int) -> None:
        for _ in range(TURNS):
            air_hours.real_time(cells[place], 0, outs[place])

    with ThreadPoolExecutor(2) as pool:
        one, two = bench.race(lambda: [work(0), work(1)], lambda: list(pool.map(work, (0, 1))), clock=time.perf_counter)
    case = "machine: two independent computations in cache, side by side against one after the other"
    bench.add(case, two * 1e3, "ms", peer=one * 1e3, peer_name="one thread", threads=2)


def _calls(bench: Bench, rows: Ints, mine: float) -> None:
    """One call an hour, on a part of the hours; the peer knows the rule set of 2026 only, neither rounds nor withholds, so hours with a gap are left out."""
    whole = np.ascontiguousarray(rows[(rows >= 0).all(axis=1)][:CALLS])
    units = air_hours.shown(whole) / np.where(np.arange(6) == AIR.index("co"), 10, 1)
    table = [[float(value) for value in row] for row in units]
    wrong = int((np.array(by_calls(table)) != air_hours.real_time(whole, 1).aqi).sum())
    (theirs,) = bench.race(lambda: by_calls(table))
    case = f"hourly AQI, from the cube (peer: {CALLS} whole hours one by one, wrong on {wrong})"
    bench.add(case, mine, "ns a station-hour", peer=theirs / CALLS * NS, peer_name="aqi-hub")


def reportable(bench: Bench) -> None:
    """Every displayed concentration up to the last breakpoint against fractions: both rule sets for us, that of 2026 for the peer."""
    total = 0
    for item in AIR:
        for average, word in (("day", "8H" if item == "o3" else "24H"), ("hour", "1H")):
            scale = 10 if item == "co" else 1
            exact = {law: _exact(law, item, average) for law in (2012, 2026)}
            ours = sum(_differing(_ours(law, item, average), answers) for law, answers in exact.items())
            # PM has one table for both averages.
            if item in {"pm25", "pm10"} and average == "hour":
                assert not ours
                continue
            told = [cal_iaqi_cn(f"{item.upper()}_{word}", units / scale) for units in range(len(exact[2026]))]
            case = f"IAQI of {item} {word.lower()}, every concentration of the table: wrong answers"
            bench.add(f"{case} (of {len(told)})", float(ours), "values", peer=float(_differing(told, exact[2026])), peer_name="aqi-hub")
            total += sum(map(len, exact.values()))
    assert total == 26_820


def _exact(law: int, item: str, average: str) -> list[int | None]:
    """IAQI by fractions of every displayed concentration up to the last breakpoint."""
    scale = 10 if item == "co" else 1
    top = reference.table(law, item, average)[-1] * scale
    return [reference.iaqi(law, item, average, Fraction(units, scale)) for units in range(top + 1)]


def _ours(law: int, item: str, average: str) -> list[int | None]:
    answers = tables.answers(daily=average == "day")[(2012, 2026).index(law), AIR.index(item)].tolist()
    return [None if answer < 0 else answer for answer in answers]


def _differing(told: list[int | None], exact: list[int | None]) -> int:
    return sum(one != other for one, other in zip(told, exact, strict=False))

"""Air by the hour: real-time AQI and running means of a table of station hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics import rolling, tables
from analytics.air import hours
from domain import civil
from domain.fixed import MISSING
from domain.items import AIR, DAILY
from lanbi.assess import rules, writing
from lanbi.assess.table import Table
from lanbi.assess.writing import Column

Block = list[Column]
_ROWS: Final = 1 << 17
_DAYS: Final = 1 << 13
DECIMALS: Final = tuple(len(str(1_000 // step)) - 1 for step in tables.STEPS)


def judged_columns(judged: hours.Judged, *, daily: bool) -> tuple[Block, Block]:
    """Columns of the verdict (AQI, level, primary) and of the IAQIs."""
    names = DAILY if daily else AIR
    verdict = [
        writing.number("aqi", judged.aqi),
        writing.number("level", judged.level),
        writing.text("primary", judged.primary, tables.primaries(daily=daily)),
    ]
    return verdict, [*(writing.number(f"iaqi_{name}", judged.iaqi[:, place]) for place, name in enumerate(names))]


def hourly(table: Table, choice: str) -> Iterator[Block]:
    """Real-time AQI of every row, in the table's order."""
    for begin in range(0, max(len(table.time), 1), _ROWS):
        part = table.chosen(np.arange(begin, min(begin + _ROWS, len(table.time))))
        rule = rules.on(civil.day_of_array(part.time), choice)
        verdict, indices = judged_columns(hours.hourly(part.values, rule), daily=False)
        keys = [writing.text("site", part.site, part.sites), writing.time("time", part.time)]
        yield [*keys, *verdict, *indices, writing.text("rule_set", rule, rules.NAMES)]


def site_days(table: Table) -> Iterator[tuple[Table, npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
    """Rows ordered by site and time, in parts of whole site-days.

    Yields
    ------
    (Table, (m, 2) int32, (24, m, 6) int32)
        Rows of the part; site and civil day of each of its site-days; their hours 1…24 in thousandths. Every part but the
        first begins with the site-day before its rows, for windows that reach back.
    """
    ordered = table.chosen(np.argsort(table.key, kind="stable"))
    day = civil.day_of_array(ordered.time)
    fresh = np.append(True, (ordered.site[1:] != ordered.site[:-1]) | (day[1:] != day[:-1])) if len(day) else np.zeros(0, bool)
    first = np.append(np.flatnonzero(fresh), len(day))
    for begin in range(0, len(first) - 1, _DAYS):
        back = max(begin - 1, 0)
        end = min(begin + _DAYS, len(first) - 1)
        rows = slice(int(first[back]), int(first[end]))
        block = np.cumsum(fresh[rows]) - 1
        grid = np.full((24, end - back, len(AIR)), MISSING, np.int32)
        grid[(ordered.time[rows] - civil.HOUR_S + civil.OFFSET_S) // civil.HOUR_S % 24, block] = ordered.values[rows]
        keys = np.stack([ordered.site[first[back:end]], day[first[back:end]]], axis=1)
        yield ordered.chosen(np.arange(int(first[begin]), int(first[end]))), keys, grid


def running(table: Table) -> Iterator[Block]:
    """Running 24 h means and day-bounded 8 h ozone of every row, in displayed units."""
    empty = table.chosen(np.arange(0))
    yield _running_columns(empty, np.empty((0, 6), np.int32))
    for part, keys, grid in site_days(table):
        means = rolling.displayed(grid, _follows(keys))
        day = civil.day_of_array(part.time)
        block = _blocks(keys, part.site, day)
        hour = (part.time - civil.HOUR_S + civil.OFFSET_S) // civil.HOUR_S % 24
        yield _running_columns(part, means[hour, block])


def _follows(keys: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether the site-day before is the same site's day before."""
    same = (keys[1:, 0] == keys[:-1, 0]) & (keys[1:, 1] == keys[:-1, 1] + 1)
    return np.append(False, same)


def _blocks(keys: npt.NDArray[np.int32], site: npt.NDArray[np.int32], day: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    wide = keys.astype(np.int64)
    return np.searchsorted((wide[:, 0] << 32) + wide[:, 1], (site.astype(np.int64) << 32) + day)


def _running_columns(part: Table, means: npt.NDArray[np.int32]) -> Block:
    names = tuple(item if item == "o3_8h" else f"{item}_24h" for item in DAILY)
    keys = [writing.text("site", part.site, part.sites), writing.time("time", part.time)]
    return [*keys, *(writing.number(name, means[:, place], DECIMALS[place]) for place, name in enumerate(names))]

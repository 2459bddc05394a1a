"""Figures that a screen needs together, asked of the store as one question instead of one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from domain.civil import DAY_S
from domain.indicators import Indicator, Query
from domain.ports import IndicatorSource

LATELY_S: Final = 3 * DAY_S
"""Where running figures stand. A database that cuts its rows by weeks looks into all of them for what it does not find: a year of InfluxDB
takes twenty times as long as its last days."""


def lately(figures: IndicatorSource, names: Collection[str], scopes: Collection[str], periods: Collection[str], window: tuple[int, int]) -> list[Indicator]:
    """The newest rows: those of the window's last days, and of figures that have none there those of the whole window."""
    start, end = window
    found = figures.newest(names, scopes, periods, (max(start, end - LATELY_S), end))
    left = sorted(set(names) - {row.figure for row in found})
    return found + (figures.newest(left, scopes, periods, window) if left and start < end - LATELY_S else [])


class Shelf:
    """The newest rows of some figures of one scope, as :func:`lately` finds them.

    Parameters
    ----------
    figures : IndicatorSource
        Where they stand; it is asked once here, and again only for a row that newer ones cover.
    window : tuple of int
        Start < time ≤ end [s].
    """

    def __init__(self, figures: IndicatorSource, names: Collection[str], scope: str, periods: Collection[str], window: tuple[int, int]) -> None:
        self._figures, self._scope = figures, scope
        self._rows: dict[tuple[str, str], list[Indicator]] = {}
        for row in lately(figures, names, [scope], periods, window):
            self._rows.setdefault((row.figure, row.period), []).append(row)

    def latest(self, figure: str, period: str, rule_set: str, basis: str = "raw") -> Indicator | None:
        """The newest row of a figure."""
        return next((row for row in self._rows.get((figure, period), ()) if (row.rule_set, row.basis) == (rule_set, basis)), None)

    def at(self, figure: str, period: str, time: int, rule_set: str | None = None, basis: str | None = None) -> Sequence[Indicator]:
        """Rows of a figure at a time; None = any. Where a newer row stands, the one of that time is looked up."""
        known = [row for row in self._rows.get((figure, period), ()) if rule_set in {None, row.rule_set} and basis in {None, row.basis}]
        if any(row.time > time for row in known):
            return self._figures.series(Query(figure, self._scope, period, rule_set, basis, time - 1, time))
        return [row for row in known if row.time == time]

    def last(self, figure: str) -> Indicator | None:
        """The newest row of a figure whatever its period, rule set and basis."""
        rows = [row for (name, _), some in self._rows.items() if name == figure for row in some]
        return max(rows, key=lambda row: (row.time, row.key), default=None)

"""Figures of one water section: the class of each record, and means, class, multiples and total nitrogen of every period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from analytics.jobs.sheets import Kind, Sheet
from analytics.water.means import Mean, Year, shown, units
from analytics.water.records import Day
from domain import civil, fixed, water
from domain.indicators import FIGURES, Indicator
from domain.places import WaterSection

CLASS: Final = "water_class"
EXCEEDANCE: Final = "water_exceedance"
RATIO: Final = "tn_ratio"
MEANS: Final = tuple(f"{item}_mean" for item in water.AVERAGED)
NAMES: Final = (CLASS, *MEANS, EXCEEDANCE, RATIO)
SO_FAR: Final = (CLASS, *MEANS, RATIO)
"""Of the running year; its multiples change too often to be kept for every day."""
STATUSES: Final = ("", "incomplete")
PERIODS: Final = ("month", "quarter", "year")


class _Cell(NamedTuple):
    """One figure of one period: units of its last digit, days with data, whether days lack, and its text."""

    units: int
    valid: int
    short: bool
    text: str = ""


def hours(site: str, days: Iterable[Day]) -> Iterator[Indicator]:
    """Class of each record that has one; ``text`` = the items at it."""
    whole = float(len(water.DECIDING))
    for day in days:
        for time, worst, deciding in day.records:
            yield Indicator(CLASS, "hour", site, water.RULE_SET, time, float(worst), valid=whole, expected=whole, text="+".join(deciding))


def sheets(place: WaterSection, year: Year) -> list[Sheet]:
    """Everything that is told of a section's year, one sheet a period."""
    found = [_sheet(place, period, getattr(year, f"{period}s" if period != "year" else period), NAMES) for period in PERIODS]
    return [*found, _sheet(place, "ytd", year.so_far, SO_FAR)]


def _sheet(place: WaterSection, period: str, means: Sequence[Mean], names: tuple[str, ...]) -> Sheet:
    columns = list(_columns(place, means, names, period))
    texts = tuple(dict.fromkeys(["", *(cell.text for column in columns for cell in column)]))
    known = {text: code for code, text in enumerate(texts)}
    shape = len(means), len(names), len(_Cell._fields)
    cells = np.array([[(cell.units, cell.valid, cell.short, known[cell.text]) for cell in column] for column in columns], np.int64)
    units, valid, short, text = cells.reshape(shape).transpose(2, 1, 0)
    return Sheet(
        Kind(names, period, place.id, water.RULE_SET),
        np.array([civil.period_stamp(mean.last) for mean in means], np.int64),
        units,
        np.array([[10.0 ** FIGURES[name].digits] for name in names]),
        valid,
        np.array([mean.expected for mean in means], np.int64),
        short.astype(np.uint8),
        text.astype(np.uint8),
        STATUSES,
        texts,
    )


def _columns(place: WaterSection, means: Sequence[Mean], names: tuple[str, ...], period: str) -> Iterator[list[_Cell]]:
    """Cells of each period; where nothing was measured since the one before they are the same."""
    last: Mean | None = None
    cells: list[_Cell] = []
    for mean in means:
        if last is None or mean.exact is not last.exact:
            cells = [_cell(place, mean, name, period) for name in names]
        last = mean
        yield cells


def _cell(place: WaterSection, mean: Mean, name: str, period: str) -> _Cell:
    short = mean.short and period != "ytd"
    whole = min(mean.days[: len(water.DECIDING)])
    if name == CLASS:
        return _Cell(mean.worst or -1, whole if mean.worst else 0, short, "+".join(mean.deciding))
    if name == EXCEEDANCE:
        return _exceedance(place, mean, short=short) if mean.worst else _Cell(-1, 0, short=False)
    item = "tn" if name == RATIO else name.removesuffix("_mean")
    value, days = mean.of(item), mean.days[water.AVERAGED.index(item)]
    if value is None:
        return _Cell(-1, 0, short=False)
    if name != RATIO:
        return _Cell(units(value, item), days, short)
    base = baseline(place)
    return _Cell(-1, 0, short=False) if base is None else _Cell(fixed.units(100 * value / base, 1), days, short)


def baseline(place: WaterSection) -> Fraction | None:
    """The section's total nitrogen of 2020 [mg/L], if it is registered and above zero."""
    known = Fraction(place.tn_2020) if place.tn_2020 else Fraction(0)
    return known if known > 0 else None


def _exceedance(place: WaterSection, mean: Mean, *, short: bool) -> _Cell:
    main = water.main_items(shown(mean.exact), place.body)
    multiples = [multiple for _, multiple in main if multiple is not None]
    largest = fixed.units(max(multiples), 1) if multiples else 0
    return _Cell(largest, min(mean.days[: len(water.DECIDING)]), short, multiples_text(main))


def multiples_text(main: Iterable[tuple[str, Fraction | None]]) -> str:
    """Main items with their multiples to one decimal, as bulletins write them; oxygen has none.

    >>> multiples_text([("tp", Fraction(11, 20)), ("do", None)])
    'tp(0.6)+do'
    """
    return "+".join(item if multiple is None else f"{item}({fixed.to_float(multiple, 1):.1f})" for item, multiple in main)

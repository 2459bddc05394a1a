"""How each site's year may end, seen from a day: JSON, one object a line and site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import projection, skill
from analytics.projection import Goal
from analytics.skill import Case
from domain import civil, fixed
from domain.errors import FileError, InputError
from domain.fixed import MISSING
from domain.items import ITEMS
from domain.targets import UNDECIDABLE_DAYS
from lanbi.assess.table import Table

_DIGITS: Final = 3
_ZERO_MISSING: Final = frozenset({"pm25", "pm10"})


class Question(NamedTuple):
    """What is asked: item, last day that is known, and the target for the annual mean [reporting unit]."""

    item: str
    day: int
    target: Fraction


class _Site(NamedTuple):
    """A site's days in thousandths by year, one array a calendar year, ``MISSING`` where there is none."""

    name: str
    years: dict[int, npt.NDArray[np.int32]]

    def floats(self) -> dict[int, npt.NDArray[np.float64]]:
        """The same for a forecast: NaN where there is none."""
        return {year: np.where(days == MISSING, np.nan, days / fixed.SCALE) for year, days in self.years.items()}


def question(item: str, asof: str, target: str) -> Question:
    """The question in numbers.

    Raises
    ------
    InputError
        No date, or no number that a target may be.
    """
    try:
        day = civil.parse_date(asof)
    except ValueError as error:
        raise InputError(str(error), "--asof", "write YYYY-MM-DD") from None
    try:
        thousandths = fixed.from_text(target)
    except ValueError as error:
        raise InputError(str(error), "--target", "write a number, for PM2.5 such as 42") from None
    if not 0 < thousandths <= ITEMS["air", item].high * fixed.SCALE:
        raise InputError(f"no annual mean can be {target}", "--target", f"write a number above 0 {ITEMS['air', item].unit}")
    return Question(item, day, Fraction(thousandths, fixed.SCALE))


def answer(name: str, table: Table, asked: Question) -> Iterator[bytes]:
    """One JSON object a line, for each site with a day in the year up to the day that is asked about."""
    year = civil.year_of_day(asked.day)
    first = civil.year_days(year)[0]
    sites = [site for site in _sites(table, asked) if year in site.years]
    if not sites:
        raise FileError(f"no day of {year} up to {civil.date_of(asked.day)}", name, "give the days of that year and of the years before it")
    row = asked.day - first
    known = [case for site in sites for case in skill.cases(site.floats(), year, row)]
    for site in sites:
        yield json.dumps(_row(site, year, row, asked, known), ensure_ascii=False).encode() + b"\n"


def _sites(table: Table, asked: Question) -> Iterator[_Site]:
    """Sites with their days up to the day asked about: what came later is not looked at."""
    values = table.values[:, 0]
    there = (values != MISSING) & (table.time <= asked.day)
    if asked.item in _ZERO_MISSING:
        # Publishers write 0 for deducted dust days and for gaps.
        there &= values != 0
    for place, name in enumerate(table.sites):
        rows = np.flatnonzero(there & (table.site == place))
        years: dict[int, npt.NDArray[np.int32]] = {}
        for day, value in zip(table.time[rows].tolist(), values[rows].tolist(), strict=True):
            year = civil.year_of_day(day)
            first, last = civil.year_days(year)
            years.setdefault(year, np.full(last - first + 1, MISSING, np.int32))[day - first] = value
        yield _Site(name, years)


def _row(site: _Site, year: int, row: int, asked: Question, known: list[Case]) -> dict[str, Any]:
    days = site.years[year]
    so_far = days[: row + 1]
    valid = int((so_far != MISSING).sum())
    total = Fraction(int(so_far[so_far != MISSING].sum(dtype=np.int64)), fixed.SCALE)
    rest = len(days) - row - 1
    required = (asked.target * (valid + rest) - total) / rest if rest else None
    floats = site.floats()
    seen = projection.mean(skill.unbroken(floats, year), floats[year][: row + 1], len(days), Goal("<=", float(asked.target)))
    ends = dict.fromkeys(("median", "low90", "high90", "p_miss")) if seen is None else {name: _round(part[row]) for name, part in seen._asdict().items()}
    chance = None if seen is None else float(seen.p_miss[row])
    status = _settled(asked, total, valid, rest) or _open(chance, valid, row, known)
    return {
        "site": site.name,
        "asof": civil.date_of(asked.day).isoformat(),
        "item": asked.item,
        "target": _shown(asked.target),
        "ytd_mean": _shown(total / valid),
        "required_rest": _shown(required),
        **ends,
        "status": status,
        "valid_days": valid,
        "remaining_days": rest,
        "years": len(skill.unbroken(floats, year)),
    }


def _settled(asked: Question, total: Fraction, valid: int, rest: int) -> str | None:
    """Met or missed where the year is over, or where no rest of it can change that."""
    whole = valid + rest
    if total > asked.target * whole:
        return "missed"
    highest = Fraction(str(ITEMS["air", asked.item].high))
    return "met" if total + rest * highest <= asked.target * whole and (not rest or valid >= UNDECIDABLE_DAYS) else None


def _open(chance: float | None, valid: int, row: int, known: list[Case]) -> str:
    if chance is None or valid < UNDECIDABLE_DAYS:
        return "undecidable"
    return skill.state(chance, better=skill.skilled(known, row))


def _round(value: float) -> float | None:
    return round(float(value), _DIGITS) if np.isfinite(value) else None


def _shown(value: Fraction | None) -> float | None:
    return None if value is None else fixed.to_float(value, _DIGITS)

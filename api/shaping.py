"""Small conversions that several routes need: times, texts, units, primary pollutants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from domain import indicators
from domain.air import rule_set_on
from domain.civil import DAY_S, OFFSET_S, date_of, iso
from domain.indicators import Indicator
from domain.items import ITEMS


def stamp(instant: int | None) -> str | None:
    """RFC 3339 text, or null."""
    return None if instant is None else iso(instant)


def stamp_day(instant: int) -> int:
    """Civil day of a day record, which is stamped with its day's first instant."""
    return (instant + OFFSET_S) // DAY_S


def date_text(instant: int) -> str:
    """Date of a day record."""
    return date_of(stamp_day(instant)).isoformat()


def printed(value: float | None, digits: int) -> str:
    """A number as it is printed, rounded half to even from its shortest decimal text; empty for none.

    >>> printed(42.45, 1), printed(-0.04, 1), printed(None, 0)
    ('42.4', '0.0', '')
    """
    if value is None or not math.isfinite(value):
        return ""
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    return f"{rounded + 0:f}" if rounded else f"{abs(rounded):f}"


def units(realm: str, names: Iterable[str]) -> dict[str, str]:
    """Unit of every item named."""
    return {name: ITEMS[realm, name].unit for name in names if (realm, name) in ITEMS}


def unit_of(figure: str) -> str:
    """Unit of a figure; a target's own figure has its plan's unit and is not asked here."""
    found = indicators.figure(figure)
    return found.unit if found else ""


def level(row: Indicator | None) -> int | None:
    """AQI level 1…6 that stands in an indicator's status."""
    return int(row.status) if row and row.status.isdigit() else None


def parts(text: str) -> list[str]:
    """Items joined by ``+``."""
    return [part for part in text.split("+") if part]


def split(items: Mapping[str, tuple[float | None, str]], names: Iterable[str]) -> tuple[dict[str, float | None], dict[str, str]]:
    """Values and flags of a latest row; flags other than N only."""
    present = [name for name in names if name in items]
    return {name: items[name][0] for name in present}, {name: items[name][1] for name in present if items[name][1] != "N"}


def in_force(day: int) -> str:
    """Name of the AQI rule set in force on a civil day."""
    return rule_set_on(day).name

"""Slow twin of the filling of the cube: one stored row after the other, in plain Python and decimals.

Hours and days are mappings from (place, item) to thousandths; None = stored, but no valid value, with the letter why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from domain import civil
from domain.readings import Reading

ITEMS = ("pm25", "pm10", "so2", "no2", "co", "o3")
COUNTED = frozenset("NPZX")
Answer = tuple[int | None, bool, str]
"""Thousandths, whether the hour was built of shorter spans, and the letter of what is missing."""


def counted(row: Reading, item: str) -> Fraction | None:
    """A value that enters statistics, in thousandths; noise below zero counts as zero."""
    value = row.values.get(item)
    if value is None or row.flags.get(item, "N") not in COUNTED:
        return None
    return Fraction(round(max(Fraction(Decimal(repr(value))), Fraction(0)) * 1000))


def letter(row: Reading, item: str) -> str:
    """Why a value does not count."""
    return "W" if row.values[item] is None else row.flags[item]


def hours(rows: Sequence[Reading], interval: Callable[[int], int]) -> dict[tuple[int, str], Answer]:
    """By end label of the hour and item: a sent hour before one built of shorter spans."""
    short: defaultdict[int, list[Reading]] = defaultdict(list)
    sent = [row for row in rows if row.span == 3600 and row.time % 3600 == 0]
    for row in (row for row in rows if row.span < 3600):
        short[-(-row.time // 3600) * 3600].append(row)
    whole = {(label, item): built(own, item, interval) for label, parts in short.items() for item in ITEMS if (own := carrying(parts, item))}
    return whole | {(row.time, item): as_sent(row, item) for row in sent for item in ITEMS if item in row.values}


def carrying(rows: Iterable[Reading], item: str) -> list[Reading]:
    """Rows that say something about an item."""
    return [row for row in rows if item in row.values]


def as_sent(row: Reading, item: str) -> Answer:
    """An hour that came as one."""
    value = counted(row, item)
    return (int(value), False, "") if value is not None else (None, False, letter(row, item))


def built(rows: Sequence[Reading], item: str, interval: Callable[[int], int]) -> Answer:
    """Mean of the span length that covers most, at least 45 minutes; or the letter that most rows bear."""
    groups: defaultdict[int, list[Fraction]] = defaultdict(list)
    for row in rows:
        value = counted(row, item)
        if value is not None:
            groups[row.span or interval(civil.day_of(row.time))].append(value)
    if groups:
        covered, span = max((span * len(values), span) for span, values in groups.items())
        if covered >= 45 * 60:
            return round(sum(groups[span], Fraction()) / len(groups[span])), True, ""
    letters = sorted("" if counted(row, item) is not None else letter(row, item) for row in rows)
    return None, False, max(dict.fromkeys(letters), key=letters.count) or "-"

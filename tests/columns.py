"""Readings as the columns that a store gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from domain.items import BY_REALM
from domain.readings import Reading, Series


def columns(rows: Iterable[Reading]) -> list[Series]:
    """Readings of one source as columns, one series a span, ordered by span and time, whatever their order before."""
    by_span: defaultdict[int, list[Reading]] = defaultdict(list)
    for row in rows:
        by_span[row.span].append(row)
    return [_series(span, sorted(by_span[span], key=lambda row: row.time)) for span in sorted(by_span)]


def _series(span: int, rows: list[Reading]) -> Series:
    items = BY_REALM[rows[0].kind]
    values, flags = np.full((len(rows), len(items)), np.nan), np.zeros((len(rows), len(items)), np.uint8)
    for place, row in enumerate(rows):
        for name, value in row.values.items():
            values[place, items.index(name)] = np.nan if value is None else value
            flags[place, items.index(name)] = ord("W" if value is None else row.flags.get(name, "N"))
    return Series(span, np.array([row.time for row in rows], np.int64), values, flags)

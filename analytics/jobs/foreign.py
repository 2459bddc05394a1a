"""Figures that others computed, kept beside ours: official ones, and the AQI that came with published days."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from domain import air, civil, marks
from domain.indicators import Indicator
from domain.places import Registry
from domain.readings import Entry

BASES = {marks.OFFICIAL: "official", marks.PUBLISHED: "published"}


def rows(entries: Iterable[Entry], registry: Registry, year: int) -> Iterator[Indicator]:
    """Stored form of what was entered for a year's periods; of two figures of one thing the one received later.

    Parameters
    ----------
    entries : iterable of Entry
        Of the kinds official and published, in the order of their receipt. Figures of places that are not registered (another
        county's) stay entries.
    """
    found: dict[tuple[str, str, str, str, str, int], Indicator] = {}
    for entry in entries:
        if entry.kind in BASES and not marks.fault(entry.kind, entry.body):
            row = _row(entry)
            day = civil.day_of(row.time + 1)
            if civil.year_of_day(day) == year and (registry.kind_of(row.scope) == "air" or row.scope == registry.county.id):
                found[row.key] = row
    yield from found.values()


def _row(entry: Entry) -> Indicator:
    body = entry.body
    official = entry.kind == marks.OFFICIAL
    period = marks.period(str(body["period" if official else "date"]))
    figure = str(marks.figure(str(body["item"]), period.kind) if official else body["figure"])
    value = float(str(body["value"]))
    words = {name: str(body[name]) for name in ("document", "rank", "level", "file") if body.get(name)}
    return Indicator(
        figure=figure,
        period=period.kind,
        scope=str(body["scope"]),
        rule_set=air.rule_set_on(period.last).name,
        basis=BASES[entry.kind],
        time=civil.period_stamp(period.last),
        value=value,
        status=str(air.level_of(int(value))) if figure == "aqi" and value.is_integer() else "",
        text=json.dumps(words, ensure_ascii=False),
    )

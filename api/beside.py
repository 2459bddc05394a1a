"""What stands beside a target's figure: last year's, today's allowance, the authority's. All of it is stored; nothing is computed here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from api.schemas_targets import Allowed, LastYear, OfficialBeside
from api.shaping import printed, unit_of
from api.sources import Sources
from domain.air import GOOD_MAX, HEAVY_MIN
from domain.civil import day_of, period_stamp, year_days
from domain.indicators import Indicator, Query
from domain.restating import period_text

CAPS: Final = {"good_ratio": GOOD_MAX, "heavy_days": HEAVY_MIN - 1}
"""AQI that a day must not exceed to be no bad day of a count."""
ITEMS: Final = ("pm25", "pm10", "o3_8h")


def last_year(sources: Sources, figure: str | None, row: Indicator | None, digits: int) -> LastYear | None:
    """The same period of last year, beside a judgement of ours."""
    if figure is None or row is None:
        return None
    found = _one(sources, Query(f"{figure}_yoy", row.scope, row.period, row.rule_set, "raw", row.time - 1, row.time))
    if found is None:
        return None
    sign = "+" if (found.value or 0) > 0 else ""
    return LastYear(
        value=found.target,
        value_text=printed(found.target, digits),
        change=found.value,
        change_text=f"{sign}{printed(found.value, digits)}" if found.value is not None else "",
        percent=found.margin,
        status=found.status,
    )


def allowances(sources: Sources, figure: str | None, row: Indicator | None) -> list[Allowed]:
    """Today's allowances of the county for the cap that a count of days depends on, while the judged year runs."""
    cap, today = CAPS.get(figure or ""), day_of(sources.now())
    if cap is None or row is None or row.period != "ytd":
        return []
    stamp = period_stamp(today)
    asked = (Query(f"{item}_allowance_{cap}", row.scope, "day", row.rule_set, "raw", stamp - 1, stamp) for item in ITEMS)
    return [_allowed(item, cap, found) for item, query in zip(ITEMS, asked, strict=True) if (found := _one(sources, query))]


def _allowed(item: str, cap: int, row: Indicator) -> Allowed:
    left = _body(row).get("hours_left")
    return Allowed(
        item=item,
        cap=cap,
        limit=row.target,
        value=row.value,
        value_text=printed(row.value, 1),
        unit=unit_of(row.figure),
        status=row.status,
        hours_left=left if isinstance(left, int) else None,
    )


def official(sources: Sources, figure: str | None, year: int) -> OfficialBeside | None:
    """The newest official figure of a year beside ours."""
    if figure is None:
        return None
    first, last = (period_stamp(day) for day in year_days(year))
    scope = sources.registry().county.id
    rows = sources.figures.series(Query(f"{figure}_official", scope, basis="official", start=first - 1, end=last))
    if not rows:
        return None
    row = rows[-1]
    ranked = _one(sources, Query(f"{figure}_rank", scope, row.period, row.rule_set, "official", row.time - 1, row.time))
    body = _body(row)
    ours = body.get("ours")
    return OfficialBeside(
        period=period_text(row.period, row.time),
        value=row.target,
        ours=float(ours) if isinstance(ours, int | float) else None,
        difference=row.value,
        percent=row.margin,
        cause=row.status,
        rank=ranked.value if ranked else None,
        document=str(body.get("document", "")),
    )


def _one(sources: Sources, query: Query) -> Indicator | None:
    found = sources.figures.series(query)
    return found[0] if found else None


def _body(row: Indicator) -> Mapping[str, Any]:
    try:
        found = json.loads(row.text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

"""What stands beside a target's figure: last year's, today's allowance, the authority's. All of it is stored; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from api.schemas_targets import Allowed, LastYear, OfficialBeside
from api.shaping import printed, unit_of
from api.shelf import Shelf
from api.sources import Sources
from domain.air import GOOD_MAX, HEAVY_MIN
from domain.civil import day_of, period_stamp, year_days
from domain.details import details
from domain.indicators import PERIODS, Indicator
from domain.restating import period_text

CAPS: Final = {"good_ratio": GOOD_MAX, "heavy_days": HEAVY_MIN - 1}
"""AQI that a day must not exceed to be no bad day of a count."""
ITEMS: Final = ("pm25", "pm10", "o3_8h")


class Near:
    """What stands beside some figures of the county in a year, asked for all of them together."""

    def __init__(self, sources: Sources, figures: Iterable[str | None], year: int) -> None:
        names, scope = sorted({name for name in figures if name}), sources.registry().county.id
        first, last = (period_stamp(day) for day in year_days(year))
        self.today = day_of(sources.now())
        allowances = [f"{item}_allowance_{cap}" for item in ITEMS for cap in {CAPS[name] for name in names if name in CAPS}]
        ours = [f"{name}_yoy" for name in names]
        self._ours = Shelf(sources.figures, [*ours, *allowances], scope, ("day", "year", "ytd"), (first - 1, min(last, sources.now())))
        theirs = [f"{name}_{kind}" for name in names for kind in ("official", "rank")]
        self._theirs = Shelf(sources.figures, theirs, scope, PERIODS, (first - 1, last))

    def last_year(self, figure: str | None, row: Indicator | None, digits: int) -> LastYear | None:
        """The same period of last year, beside a judgement of ours."""
        if figure is None or row is None:
            return None
        found = next(iter(self._ours.at(f"{figure}_yoy", row.period, row.time, row.rule_set, "raw")), None)
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

    def allowances(self, figure: str | None, row: Indicator | None) -> list[Allowed]:
        """Today's allowances of the county for the cap that a count of days depends on, while the judged year runs."""
        cap = CAPS.get(figure or "")
        if cap is None or row is None or row.period != "ytd":
            return []
        stamp = period_stamp(self.today)
        found = ((item, self._ours.latest(f"{item}_allowance_{cap}", "day", row.rule_set)) for item in ITEMS)
        return [_allowed(item, cap, one) for item, one in found if one and one.time == stamp]

    def official(self, figure: str | None) -> OfficialBeside | None:
        """The newest official figure of a year beside ours."""
        row = self._theirs.last(f"{figure}_official")
        if row is None:
            return None
        ranked = next(iter(self._theirs.at(f"{figure}_rank", row.period, row.time, row.rule_set, "official")), None)
        body = details(row.text)
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


def _allowed(item: str, cap: int, row: Indicator) -> Allowed:
    left = details(row.text).get("hours_left")
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

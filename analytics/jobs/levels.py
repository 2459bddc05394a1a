"""Figures of water levels: means of a section or well, its state against what is registered, wells beside their own last year.

A run at or beyond a line is an event, ``level-`` and the line's name, at its first record with the item's number as seconds.
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from analytics.jobs.points import months
from analytics.jobs.water_targets import REALM
from analytics.water import levels
from analytics.water.levels import Limit, Run
from analytics.water.records import NAMES, SCALE, Day, exact_sum
from domain import civil, permit, water
from domain.alarms import ALARMS
from domain.fixed import to_float
from domain.indicators import FIGURES, Event, Indicator
from domain.items import ITEMS
from domain.places import WaterSection, Well
from domain.targets import GRAVITY, HOLDS, Plan, Target

LEVEL: Final = "water_level"
CHANGE: Final = "water_level_yoy"
STATE: Final = "water_level_state"
FIGURES_OF_ONE: Final = (LEVEL, CHANGE, STATE)
TARGET: Final = f"{REALM}groundwater.level"
EVENTS: Final = "level-"
_RULES: Final = permit.RULE_SET
Days = Mapping[int, Day]
Prefix = list[tuple[int, int]]


class Gauge(NamedTuple):
    """A place whose level or flow is watched, with its lines."""

    id: str
    name: str
    limits: tuple[Limit, ...]
    well: bool

    @property
    def lowest(self) -> str | None:
        """The lowest level allowed of a well."""
        return next((limit.value for limit in self.limits if limit.rung == water.LOW), None)


def section(place: WaterSection) -> Gauge:
    """A section by its levels, flows and rate of rise."""
    limits = [Limit(rung, item, value) for item, known in (("level", place.levels), ("flow", place.flows)) for rung, value in known.items()]
    return Gauge(place.id, place.name, tuple(limits), well=False)


def well(place: Well) -> Gauge:
    """A well by its lowest level."""
    return Gauge(place.id, place.name, (Limit(water.LOW, "level", place.limit_level),) if place.limit_level else (), well=True)


def runs(gauge: Gauge, days: Days, year: int) -> list[Run]:
    """Runs of every line in a year."""
    first, last = civil.year_days(year)
    found: list[Run] = []
    for limit in gauge.limits:
        known = levels.series(days, limit.item, first, last)
        found += levels.runs(levels.rises(known) if limit.rung == "rise" else known, limit)
    return found


def events(gauge: Gauge, some: Sequence[Run]) -> Iterator[Event]:
    """One event a run; ``value`` = the farthest value."""
    for one in some:
        item = one.limit.item
        unit = f"{ITEMS['water', item].unit}{'/h' if one.limit.rung == 'rise' else ''}"
        body = {
            "item": item,
            "limit": one.limit.value,
            "unit": unit,
            "worst": one.worst,
            "at": civil.iso(one.worst_time),
            "to": None if one.end is None else civil.iso(one.end),
            "records": one.records,
        }
        kind = ALARMS[f"{EVENTS}{one.limit.rung}"].kind
        yield Event(kind, gauge.id, one.start + NAMES.index(item), one.worst, json.dumps(body, ensure_ascii=False))


def rows(gauge: Gauge, year: int, days: Days, last: Days, closed: int) -> Iterator[Indicator]:
    """Means, changes and states of a place.

    Parameters
    ----------
    days, last : mapping of civil day to Day
        Of the year and, for a well, of the one before.
    closed : int
        Days of the year that are over.
    """
    first, end = civil.year_days(year)
    some = runs(gauge, days, year)
    for day in sorted(days):
        yield from _mean(gauge, "day", day, levels.series(days, "level", day, day).mean)
        yield from _state(gauge, days, day, some)
    now, before = _prefix(days, first, end), _prefix(last, *civil.year_days(year - 1))
    for period, spans in (("month", months(year)), ("year", [(first, end)]), ("ytd", [(first, day) for day in range(first, first + closed)])):
        for begin, over in (span for span in spans if span[1] < first + closed):
            mean = _between(now, begin - first, over - first)
            yield from _mean(gauge, period, over, mean)
            if gauge.well:
                yield from _change(gauge, period, over, (mean, _between(before, _place(begin), _place(over, month=period == "month"))))


def _place(day: int, *, month: bool = False) -> int:
    """Place of the same date in the year before, of 29 February that of the 28th; with ``month`` of the same month's last day, whichever that was."""
    then = civil.date_of(day)
    longest = monthrange(then.year - 1, then.month)[1]
    earlier = date(then.year - 1, then.month, longest if month else min(then.day, longest))
    return civil.day_number(earlier) - civil.year_days(then.year - 1)[0]


def _prefix(days: Days, first: int, last: int) -> Prefix:
    """Exact sums and counts of the level before each day of a year."""
    found = [(0, 0)]
    for day in range(first, last + 1):
        known = levels.series(days, "level", day, day).values if day in days else None
        found.append(found[-1] if known is None else (found[-1][0] + exact_sum(known), found[-1][1] + len(known)))
    return found


def _between(known: Prefix, begin: int, end: int) -> Fraction | None:
    total, count = (after - before for before, after in zip(known[begin], known[end + 1], strict=True))
    return Fraction(total, count * SCALE) if count else None


def _mean(gauge: Gauge, period: str, last: int, mean: Fraction | None) -> Iterator[Indicator]:
    if mean is None:
        return
    row = Indicator(LEVEL, period, gauge.id, _RULES, civil.period_stamp(last), shown(mean), valid=1.0, expected=1.0)
    lowest = gauge.lowest
    yield row if lowest is None else replace(row, target=float(lowest), margin=shown(mean - Fraction(lowest)), status=_low(mean, lowest))


def _low(mean: Fraction, lowest: str) -> str:
    return water.LOW if mean <= Fraction(lowest) else "normal"


def _change(gauge: Gauge, period: str, last: int, means: tuple[Fraction | None, Fraction | None]) -> Iterator[Indicator]:
    now, before = means
    if now is not None and before is not None:
        change = Fraction(Decimal(repr(shown(now))) - Decimal(repr(shown(before))))
        yield Indicator(CHANGE, period, gauge.id, _RULES, civil.period_stamp(last), shown(change), valid=1.0, expected=1.0, target=shown(before))


def _state(gauge: Gauge, days: Days, day: int, some: Sequence[Run]) -> Iterator[Indicator]:
    """State at a day's newest record, with what it was and how fast the level rose."""
    known = {item: levels.series(days, item, day - 1, day) for item in ("level", "flow")}
    newest = max((int(one.time[-1]) for one in known.values() if len(one.time)), default=civil.day_start(day))
    if not gauge.limits or newest <= civil.day_start(day):
        return
    reached = [one.limit for one in some if one.start <= newest and (one.end is None or one.end > newest)]
    worst = max((limit.rung for limit in reached), key=lambda rung: list(water.RUNGS).index(rung), default="normal")
    rise = levels.rises(known["level"])
    body = {item: float(one.values[-1]) for item, one in known.items() if len(one.time)} | {"at": civil.iso(newest)}
    told = {"rise": float(rise.values[-1]) if len(rise.time) else None, "reached": [list(limit) for limit in reached]}
    text = json.dumps(body | told, ensure_ascii=False)
    row = Indicator(STATE, "day", gauge.id, _RULES, civil.period_stamp(day), float(water.RUNGS[worst][0]), valid=1.0, expected=1.0)
    yield replace(row, status=worst, text=text)


def shown(value: Fraction) -> float:
    """Metres to displayed digits, half to even."""
    return to_float(value, FIGURES[LEVEL].digits)


class County(NamedTuple):
    """A county's wells in a year, with their days of this year and the last."""

    scope: str
    year: int
    wells: Mapping[str, Gauge]
    days: Mapping[str, Days]
    last: Mapping[str, Days]
    closed: int


def target_rows(county: County, plans: Sequence[Plan]) -> Iterator[Indicator]:
    """Mean level of the wells in the year so far, on every closed day with one, and which wells are low since when."""
    targets = [(plan, target) for plan in plans for target in plan.targets if target.id == TARGET]
    first, end = civil.year_days(county.year)
    now = {name: _prefix(county.days.get(name, {}), first, end) for name in county.wells} if targets else {}
    past = {name: _prefix(county.last.get(name, {}), *civil.year_days(county.year - 1)) for name in now}
    since: dict[str, int] = {}
    for day in range(first, first + county.closed):
        means = {name: mean for name, known in now.items() if (mean := _between(known, 0, day - first)) is not None}
        today = {name: mean for name, known in now.items() if (mean := _between(known, day - first, day - first)) is not None}
        for name, mean in today.items():
            lowest = county.wells[name].lowest
            if lowest is not None and mean <= Fraction(lowest):
                since.setdefault(name, day)
            else:
                since.pop(name, None)
        before = {name: mean for name, known in past.items() if (mean := _between(known, 0, _place(day))) is not None}
        for plan, target in targets if means else ():
            yield from _target(county, (plan, target), day, (means, before, since))


Means = Mapping[str, Fraction]


def _target(county: County, of: tuple[Plan, Target], day: int, known: tuple[Means, Means, Mapping[str, int]]) -> Iterator[Indicator]:
    (plan, target), (means, before, since) = of, known
    goal = target.for_year(county.year)
    wanted = None if goal is None or goal.value is None or target.op not in HOLDS else Fraction(goal.value)
    value, over = sum(means.values(), Fraction(0)) / len(means), day == civil.year_days(county.year)[1]
    met = wanted is None or HOLDS[target.op](value, wanted)
    status = "no-target" if wanted is None else ("met" if met else "missed") if over else "on-course" if met and not since else "at-risk"
    changes = {name: {"change": shown(mean - before[name]), "last_year": shown(before[name])} for name, mean in means.items() if name in before}
    body = {
        "figure": LEVEL,
        "sections": [
            {"id": name, "since": civil.date_of(begun).isoformat(), "value": shown(means[name]), "items": ["level"]} for name, begun in sorted(since.items())
        ],
        "wells": {name: {"level": shown(mean), "limit": county.wells[name].lowest, **changes.get(name, {})} for name, mean in means.items()},
        "horizon_passed": county.year > plan.horizon,
        "target_year": None if goal is None else goal.year,
        **_note(county, since),
    }
    row = Indicator(target.id, "ytd", county.scope, _RULES, civil.period_stamp(day), shown(value), valid=float(len(means)), expected=float(len(county.wells)))
    margin = None if wanted is None else to_float(wanted - value if target.op in {"<", "<="} else value - wanted, 1)
    goal_value = None if wanted is None else float(wanted)
    row = replace(row, target=goal_value, margin=margin, status=status, text=json.dumps(body, ensure_ascii=False))
    yield row
    if status in GRAVITY:
        yield replace(row, figure=f"{target.id}.state", value=GRAVITY[status], target=None, margin=None, text="")
    if over:
        yield replace(row, period="year")


def _note(county: County, since: Mapping[str, int]) -> dict[str, str]:
    parts = [(county.wells[name], civil.date_of(begun).isoformat()) for name, begun in sorted(since.items())]
    zh = "、".join(f"{gauge.name}（{begun}起）" for gauge, begun in parts)
    en = ", ".join(f"{gauge.id} since {begun}" for gauge, begun in parts)
    return {"note_zh": f"水位低于限值：{zh}" if zh else "", "note_en": f"wells at or below their lowest level: {en}" if en else ""}

"""Figures of permit points: hours and days over their limits, multiples, completeness, marked hours; and how many are supervised.

An hour or day over a limit is an event too, one a limit and civil day, at the end of its first hour over (of a daily mean: of the
day) with the item's number added as seconds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final, NamedTuple

from analytics.jobs.water_targets import REALM
from analytics.points import NAMES, Over, PointDay
from domain import civil, permit
from domain.alarms import ALARMS
from domain.fixed import to_float
from domain.indicators import FIGURES, Event, Indicator
from domain.items import ITEMS
from domain.places import Point
from domain.targets import GRAVITY, Plan, Target

TARGET: Final = f"{REALM}outfall.supervision"
SUPERVISION: Final = "point_supervision"
HOURS: Final = "point_over_hours"
DAYS: Final = "point_over_days"
MULTIPLE: Final = "point_multiple"
CAPTURE: Final = "point_capture"
MARKED: Final = "point_marked_hours"
OVER: Final = "point-over"
Days = Mapping[int, PointDay]


class County(NamedTuple):
    """A county's year of permit points: the days of each, from the first civil day on; ``closed`` of them are over."""

    scope: str
    year: int
    places: Mapping[str, Point]
    days: Mapping[str, Days]
    closed: int

    @property
    def first(self) -> int:
        """First civil day of the year."""
        return civil.year_days(self.year)[0]


def rows(place: Point, year: int, days: Days, closed: int) -> Iterator[Indicator]:
    """Figures of a point: of every day of the year that has begun, of the year so far on every closed day, and of what is over."""
    first, last = civil.year_days(year)
    for day in sorted(days):
        if days[day].due:
            yield from _rows(place, "day", day, [days[day]], days[day].state)
    edge = first + closed
    for period, spans in (("month", months(year)), ("year", [(first, last)])):
        for begin, end in spans:
            if end < edge:
                yield from _rows(place, period, end, [days[day] for day in range(begin, end + 1) if day in days])
    so_far: list[PointDay] = []
    for day in range(first, edge):
        so_far = [_summed([*so_far, days[day]])] if day in days else so_far
        yield from (row for row in _rows(place, "ytd", day, so_far) if row.figure in {HOURS, CAPTURE})


def months(year: int) -> list[tuple[int, int]]:
    """First and last civil day of each month."""
    first, last = civil.year_days(year)
    begins = [day for day in range(first, last + 1) if civil.date_of(day).day == 1]
    return [(begin, end - 1) for begin, end in zip(begins, [*begins[1:], last + 1], strict=True)]


def _summed(days: Sequence[PointDay]) -> PointDay:
    reasons: Counter[str] = Counter()
    for one in days:
        reasons.update(one.reasons)
    due, told, marked = (sum(getattr(one, name) for one in days) for name in ("due", "told", "marked"))
    return PointDay(due, told, marked, dict(reasons), tuple(over for one in days for over in one.over), sum(one.over_hours for one in days), False)


def _rows(place: Point, period: str, last: int, days: Sequence[PointDay], status: str = "") -> Iterator[Indicator]:
    whole = _summed(days)
    if not whole.due:
        return
    row = Indicator(HOURS, period, place.id, permit.RULE_SET, civil.period_stamp(last), status=status, valid=float(whole.told), expected=float(whole.due))
    if whole.told:
        text = json.dumps(_worst(place, whole.over), ensure_ascii=False) if whole.over and period != "ytd" else ""
        yield replace(row, value=float(whole.over_hours), text=text)
        yield replace(row, figure=MULTIPLE, value=shown(whole.multiple, MULTIPLE), status="")
        yield replace(row, figure=DAYS, value=float(sum(one.over_day for one in days)), status="")
    share = Fraction(100 * min(whole.told, whole.due), whole.due)
    yield replace(row, figure=CAPTURE, value=to_float(share, 1), status="" if share >= permit.COMPLETE else "incomplete")
    reasons = json.dumps(whole.reasons) if whole.reasons else ""
    yield replace(row, figure=MARKED, value=float(whole.marked), status="", text=reasons)


def _worst(place: Point, over: Sequence[Over]) -> list[dict[str, object]]:
    """The worst of each limit, with how many hours of it."""
    found: dict[tuple[str, str], Over] = {}
    for one in over:
        key = one.limit.item, one.limit.average
        before = found.get(key)
        worse = one if before is None or one.multiple > before.multiple else before
        found[key] = worse._replace(hours=one.hours + (before.hours if before else 0))
    return [_told(place, one) for one in found.values()]


def _told(place: Point, one: Over) -> dict[str, object]:
    item = one.limit.item
    known = ITEMS["point", item].unit
    unit = place.units.get(item, "" if known == "registered" else known)
    body = {"item": item, "average": one.limit.average, "limit": one.limit.value, "unit": unit, "worst": one.worst, "at": civil.iso(one.worst_time)}
    return {**body, "multiple": shown(one.multiple, MULTIPLE), "hours": one.hours}


def shown(value: Fraction, figure: str) -> float:
    """A figure's value to its displayed digits, half to even."""
    return to_float(value, FIGURES[figure].digits)


def events(place: Point, days: Days) -> Iterator[Event]:
    """One event a limit and civil day; ``value`` = multiple, never 0."""
    for day in sorted(days):
        for one in days[day].over:
            body = {**_told(place, one), "from": civil.iso(one.time)}
            number = NAMES.index(one.limit.item) + (0 if one.hours else len(NAMES))
            yield Event(ALARMS[OVER].kind, place.id, one.time + number, max(shown(one.multiple, MULTIPLE), 0.01), json.dumps(body, ensure_ascii=False))


class Supervised(NamedTuple):
    """Points of some kinds on one closed day: which are not supervised, and why."""

    points: int
    lacking: Mapping[str, str]

    @property
    def share(self) -> Fraction | None:
        """Supervised ÷ registered [%]; None without any point."""
        return Fraction(100 * (self.points - len(self.lacking)), self.points) if self.points else None


def supervised(county: County, day: int, kinds: Sequence[str] = ()) -> Supervised:
    """Points with complete data of the last days and a valid permit, of all that are registered."""
    some = {name: place for name, place in county.places.items() if not kinds or place.kind in kinds}
    lacking = {name: why for name, place in some.items() if (why := _lacks(place, county.days.get(name, {}), day))}
    return Supervised(len(some), lacking)


def _lacks(place: Point, days: Days, day: int) -> str:
    known = [days[one] for one in range(day - permit.WINDOW_DAYS + 1, day + 1) if one in days]
    due, told = (sum(getattr(one, name) for one in known) for name in ("due", "told"))
    causes = [] if due and 100 * told >= permit.COMPLETE * due else ["data"]
    return "+".join([*causes, *([] if place.permitted(day) else ["permit"])])


def county_rows(county: County, plans: Sequence[Plan]) -> Iterator[Indicator]:
    """Share of supervised points on every closed day, and where the plan's target on outfalls stands."""
    targets = [(plan, target) for plan in plans for target in plan.targets if target.id == TARGET]
    since: dict[str, int] = {}
    for day in range(county.first, county.first + county.closed):
        whole = supervised(county, day)
        if whole.share is not None:
            text = json.dumps({"lacking": whole.lacking}, ensure_ascii=False)
            yield replace(_share(county, SUPERVISION, day, whole, text), period="day")
        outfalls = supervised(county, day, (permit.OUTFALL,))
        since = {name: since.get(name, day) for name in outfalls.lacking}
        for plan, target in targets if outfalls.share is not None else ():
            yield from _target(county, plan, target, (day, outfalls, since))


def _share(county: County, figure: str, day: int, one: Supervised, text: str) -> Indicator:
    good, share = one.points - len(one.lacking), one.share
    row = Indicator(figure, "ytd", county.scope, permit.RULE_SET, civil.period_stamp(day), valid=float(good), expected=float(one.points), text=text)
    return replace(row, value=None if share is None else to_float(share, 1))


def _target(county: County, plan: Plan, target: Target, at: tuple[int, Supervised, Mapping[str, int]]) -> Iterator[Indicator]:
    day, one, since = at
    goal = target.for_year(county.year)
    wanted = None if goal is None or goal.value is None else Fraction(goal.value)
    over = day == civil.year_days(county.year)[1]
    status = "no-target"
    if wanted is not None and one.share is not None and goal is not None:
        met = one.share >= wanted
        status = ("met" if met else "missed") if over else "on-course" if met else "at-risk"
    body = {
        "figure": SUPERVISION,
        "sections": [
            {"id": name, "since": civil.date_of(since[name]).isoformat(), "value": None, "items": why.split("+")} for name, why in one.lacking.items()
        ],
        "horizon_passed": county.year > plan.horizon,
        "target_year": None if goal is None else goal.year,
        **_note(county, one, since),
    }
    row = _share(county, target.id, day, one, json.dumps(body, ensure_ascii=False))
    margin = None if wanted is None or one.share is None else to_float(one.share - wanted, 1)
    row = replace(row, target=None if wanted is None else float(wanted), margin=margin, status=status)
    yield row
    if status in GRAVITY:
        yield replace(row, figure=f"{target.id}.state", value=GRAVITY[status], target=None, margin=None, text="")
    if over:
        yield replace(row, period="year")


def _note(county: County, one: Supervised, since: Mapping[str, int]) -> dict[str, str]:
    words = {"data": ("数据不完整", "data incomplete"), "permit": ("无有效排污许可", "no valid permit")}
    parts = [(county.places[name], [words[cause] for cause in why.split("+")], civil.date_of(since[name]).isoformat()) for name, why in one.lacking.items()]
    zh = "、".join(f"{place.name or place.id}（{'、'.join(word[0] for word in some)}，{day}起）" for place, some, day in parts)
    en = ", ".join(f"{place.id}: {' and '.join(word[1] for word in some)} since {day}" for place, some, day in parts)
    return {"note_zh": f"未受监管：{zh}" if zh else "", "note_en": f"not supervised: {en}" if en else ""}

"""Where the county's waters stand against the plan: share of good sections, class to be kept, total nitrogen against 2020.

Judged on exact means. Missed is said when the year is over or arithmetic leaves no way out: even clean water for the rest of the year
would leave the mean above the limit. In between, what the remaining months may have on average is held against last year's same months.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from analytics.water.breaches import Breach
from analytics.water.means import Mean, Year, mean_of, shown
from domain import civil, fixed, water
from domain.items import ITEMS
from domain.places import WaterSection
from domain.targets import ASPIRATION, UNDECIDABLE_DAYS, Target


class Cost(NamedTuple):
    """A section that costs a target: since which civil day, with which class or growth [%], and by which items."""

    site: str
    since: int
    value: Fraction
    items: tuple[str, ...]


class Standing(NamedTuple):
    """A target at the end of a civil day.

    Attributes
    ----------
    value, margin : Fraction or None
        Exact; the margin is positive on the good side.
    valid, expected : int
        Sections that say something, of those that should.
    costs : tuple of Cost
    open : tuple of str
        Sections in a breach that goes on.
    """

    last: int
    value: Fraction | None
    status: str
    margin: Fraction | None
    valid: int
    expected: int
    costs: tuple[Cost, ...] = ()
    open: tuple[str, ...] = ()


class Case(NamedTuple):
    """A county's year: its sections, their means, those of last year, and the goal (None = no target).

    ``breaches`` are those of the class to be kept, by section.
    """

    places: Mapping[str, WaterSection]
    years: Mapping[str, Year]
    last: Mapping[str, Year]
    target: Target
    goal: Fraction | None
    breaches: Mapping[str, Sequence[Breach]]

    @property
    def closed(self) -> int:
        """Days of the year that are over."""
        return min((len(year.so_far) for year in self.years.values()), default=0)

    def over(self, row: int) -> bool:
        """Whether a row is the year's last day."""
        day = next(iter(self.years.values())).so_far[row].last
        return day == civil.year_days(civil.year_of_day(day))[1]


def months_done(year: Year, row: int) -> int:
    """Months that are over at the end of a row's day."""
    return sum(month.last <= year.so_far[row].last for month in year.months)


def rest(year: Year, done: int, item: str, limit: Fraction) -> Fraction | None:
    """Mean that the remaining months may have (of oxygen: must have) so that the mean of the year's months comes to the limit."""
    known = [value for month in year.months[:done] if (value := month.of(item)) is not None]
    left = water.MONTHS - len(known)
    return (water.MONTHS * limit - sum(known, Fraction(0))) / left if left else None


class View(NamedTuple):
    """What can be said of a section's year at the end of a month: lost for certain; good by last year's same months (None = not known)."""

    lost: bool
    good: bool | None


Seen = dict[tuple[str, int], View]
"""Views by section and months that are over: they change once a month."""


def _view(case: Case, site: str, done: int, seen: Seen) -> View:
    if (site, done) not in seen:
        seen[site, done] = View(_lost(case, site, done), _good_outlook(case, site, done))
    return seen[site, done]


def _good_outlook(case: Case, site: str, done: int) -> bool | None:
    """Whether a section can be expected to end the year at class III; False where it is certain that it cannot; None = not known."""
    body = case.places[site].body
    expected: list[bool | None] = []
    for item in water.DECIDING:
        limit = Fraction(water.good_limit(item, body), fixed.SCALE)
        needed = rest(case.years[site], done, item, limit)
        before = _last_rest(case, site, done, item)
        if needed is None or before is None:
            expected.append(None)
        else:
            expected.append(before >= needed if item == "do" else before <= needed)
    if False in expected:
        return False
    return None if None in expected else True


def _lost(case: Case, site: str, done: int) -> bool:
    """Whether even clean water leaves an item's yearly mean above class III: half a displayed unit is given, for the mean is judged as displayed."""
    body = case.places[site].body
    for item in water.DECIDING:
        limit = Fraction(water.good_limit(item, body), fixed.SCALE)
        half = Fraction(1, 2 * 10 ** ITEMS["water", item].digits)
        needed = rest(case.years[site], done, item, limit + half) if item != "do" else None
        if needed is not None and needed < 0:
            return True
    return False


def _last_rest(case: Case, site: str, done: int, item: str) -> Fraction | None:
    year = case.last.get(site)
    if year is None or len(year.months) < water.MONTHS:
        return None
    return mean_of([month.of(item) for month in year.months[done:]])


def good_ratio(case: Case) -> Iterator[Standing]:
    """Share of national sections at class I to III, day by day."""
    national = [site for site in case.years if case.places[site].control == "national"]
    since: dict[str, int] = {}
    seen: Seen = {}
    for row in range(case.closed if national else 0):
        means = {site: case.years[site].so_far[row] for site in national}
        classes = {site: mean.worst for site, mean in means.items() if mean.worst is not None}
        _count(since, {site for site, worst in classes.items() if worst > water.GOOD}, means)
        good = sum(worst <= water.GOOD for worst in classes.values())
        value = Fraction(100 * good, len(classes)) if classes else None
        costs = tuple(Cost(site, since[site], Fraction(classes[site]), _worse(case, site, means[site])) for site in since)
        margin = None if value is None or case.goal is None else value - case.goal
        yield Standing(means[national[0]].last, value, _ratio_status(case, (row, means), value, seen), margin, len(classes), len(national), costs)


def _count(since: dict[str, int], bad: set[str], means: Mapping[str, Mean]) -> None:
    """Since which day sections are bad without a break."""
    for site in [site for site in since if site not in bad]:
        del since[site]
    for site in sorted(bad - since.keys()):
        since[site] = means[site].last


def _worse(case: Case, site: str, mean: Mean) -> tuple[str, ...]:
    return tuple(item for item, _ in water.main_items(shown(mean.exact), case.places[site].body))


def _ratio_status(case: Case, at: tuple[int, Mapping[str, Mean]], value: Fraction | None, seen: Seen) -> str:
    row, means = at
    if case.goal is None or value is None:
        return "no-target" if case.goal is None else "undecidable"
    if case.over(row):
        whole = all(mean.worst is not None for mean in means.values())
        return "undecidable" if not whole else "met" if value >= case.goal else "missed"
    views = [_view(case, site, months_done(case.years[site], row), seen) for site in means]
    lost = sum(view.lost for view in views)
    if Fraction(100 * (len(means) - lost), len(means)) < case.goal:
        return "missed"
    if min(min(mean.days[: len(water.DECIDING)]) for mean in means.values()) < UNDECIDABLE_DAYS:
        return "undecidable"
    outlook = [view.good for view in views]
    if Fraction(100 * (len(means) - outlook.count(False)), len(means)) < case.goal:
        return "at-risk"
    return "undecidable" if None in outlook else "on-course"


def kept_class(case: Case) -> Iterator[Standing]:
    """Worst class of any section's months, day by day: a month that is over decides, the running one and open breaches warn."""
    sites = list(case.years)
    for row in range(case.closed):
        worst = {site: _worst_month(case.years[site], row) for site in sites}
        known = {site: month for site, month in worst.items() if month is not None}
        value = max((Fraction(month.worst or 0) for month in known.values()), default=None)
        costs = tuple(_month_cost(case, site, row) for site, month in known.items() if case.goal is not None and (month.worst or 0) > case.goal)
        last = case.years[sites[0]].so_far[row].last
        going = tuple(site for site in sites if any(_goes_on(breach, last) for breach in case.breaches.get(site, ())))
        margin = None if value is None or case.goal is None else case.goal - value
        yield Standing(last, value, _kept_status(case, row, going, value), margin, len(known), len(sites), costs, going)


def _months(year: Year, row: int) -> list[Mean]:
    """Months up to a day, the running one last, without those that have no class."""
    done = months_done(year, row)
    found = [*year.months[:done], *([] if done and year.months[done - 1].last == year.so_far[row].last else [year.in_month[row]])]
    return [month for month in found if month.worst is not None]


def _worst_month(year: Year, row: int) -> Mean | None:
    return max(_months(year, row), key=lambda month: month.worst or 0, default=None)


def _month_cost(case: Case, site: str, row: int) -> Cost:
    bad = [month for month in _months(case.years[site], row) if case.goal is not None and (month.worst or 0) > case.goal]
    worst = max(bad, key=lambda month: month.worst or 0)
    since = civil.day_number(civil.date_of(bad[0].last).replace(day=1))
    return Cost(site, since, Fraction(worst.worst or 0), _worse(case, site, worst))


def _goes_on(breach: Breach, day: int) -> bool:
    end = civil.day_end(day)
    return breach.start <= end and (breach.end is None or breach.end > end)


def _kept_status(case: Case, row: int, going: Sequence[str], value: Fraction | None) -> str:
    if case.goal is None:
        return "no-target"
    if value is None:
        return "undecidable"
    closed = (month.worst or 0 for year in case.years.values() for month in year.months[: months_done(year, row)])
    if any(worst > case.goal for worst in closed):
        return "at-risk" if case.target.kind == ASPIRATION else "missed"
    if value > case.goal or going:
        return "at-risk"
    return "met" if case.over(row) else "on-course"


def nitrogen(case: Case, bases: Mapping[str, Fraction]) -> Iterator[Standing]:
    """Largest change of a national section's mean total nitrogen against its mean of 2020 [%], day by day."""
    national = [site for site in case.years if case.places[site].control == "national"]
    since: dict[str, int] = {}
    for row in range(case.closed if national else 0):
        means = {site: case.years[site].so_far[row] for site in national}
        growth = {site: 100 * (value / bases[site] - 1) for site, mean in means.items() if site in bases and (value := mean.of("tn")) is not None}
        goal = case.goal
        _count(since, {site for site, one in growth.items() if goal is not None and not _below(case, one)}, means)
        value = max(growth.values(), default=None)
        margin = None if value is None or goal is None else goal - value
        costs = tuple(Cost(site, since[site], growth[site], ("tn",)) for site in since)
        status = _growth_status(case, row, growth, bases)
        yield Standing(means[national[0]].last, value, status, margin, len(growth), len(national), costs)


def _below(case: Case, growth: Fraction) -> bool:
    goal = case.goal or Fraction(0)
    return growth < goal if case.target.op == "<" else growth <= goal


def _growth_status(case: Case, row: int, growth: Mapping[str, Fraction], bases: Mapping[str, Fraction]) -> str:
    national = [site for site in case.years if case.places[site].control == "national"]
    if case.goal is None or len(growth) < len(national):
        return "no-target" if case.goal is None else "undecidable"
    if case.over(row):
        return "met" if all(_below(case, one) for one in growth.values()) else "missed"
    limits = {site: bases[site] * (1 + case.goal / 100) for site in national}
    done = {site: months_done(case.years[site], row) for site in national}
    needed = {site: rest(case.years[site], done[site], "tn", limits[site]) for site in national}
    if any(one is not None and one < 0 for one in needed.values()):
        return "missed"
    if min(case.years[site].so_far[row].days[-1] for site in national) < UNDECIDABLE_DAYS:
        return "undecidable"
    before = {site: _last_rest(case, site, done[site], "tn") for site in national}
    pairs = [(before[site], needed[site]) for site in national]
    if any(old is None or new is None for old, new in pairs):
        return "undecidable"
    holds = all(old < new if case.target.op == "<" else old <= new for old, new in pairs if old is not None and new is not None)
    return "on-course" if holds else "at-risk"

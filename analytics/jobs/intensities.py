"""What follows from accounts and from what was entered: bills beside meters, intensity, two-high lines, the metered part, reported targets.

None of it is restated by itself: what it follows from is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from analytics import attainment
from analytics.counting import Longs
from analytics.energy.enterprise import Account
from analytics.energy.worth import GRAINS
from domain import civil, marks, statements
from domain.indicators import FIGURES, Indicator
from domain.places import Line, Registry
from domain.readings import Entry
from domain.targets import Plan, Target

RULES: Final = "none"
DEVIATION: Final = Decimal(5)
"""A bill further than this [%] from the meter is flagged."""
PER_VALUE: Final = (("energy_intensity", "energy_tce", 1_000), ("water_intensity", "water_use", 1), ("co2_intensity", "co2", 1_000))
"""Figure, line of the account, and how many of the line's units make one of the figure's."""
CONTROLLED: Final = ("energy", "carbon", "water.use")
"""Under the double control (双控): a total and an intensity of each, judged on what the authority reports, never on the metered part."""
TOTAL, INTENSITY = "total", "intensity"


class Output(NamedTuple):
    """What an enterprise made in a month: quantity [t] by product and line, and value added [10⁴ CNY]."""

    line: str
    product: str
    month: int
    quantity: Decimal
    value: Decimal


def outputs(entries: Iterable[Entry], year: int) -> dict[str, list[Output]]:
    """Output of a year by enterprise; of two statements on one thing the one received later."""
    found: dict[tuple[str, ...], tuple[str, Output]] = {}
    for entry in entries:
        body = entry.body
        if statements.fault(statements.OUTPUT, body):
            continue
        first = statements.month(body["month"])[0]
        if civil.year_of_day(first) == year:
            value = statements.number(body.get("value_added") or "0")
            one = Output(str(body.get("line", "")), str(body.get("product", "")), civil.date_of(first).month, statements.tonnes(body), value)
            found[str(body["enterprise"]), one.line, one.product, str(one.month)] = str(body["enterprise"]), one
    by_owner: defaultdict[str, list[Output]] = defaultdict(list)
    for owner, one in found.values():
        by_owner[owner].append(one)
    return dict(by_owner)


def bills(entries: Iterable[Entry], used: Mapping[str, Any], year: int) -> Iterator[Indicator]:
    """Each bill beside what the meter counted in the same days: value = the bill, target = the meter, margin in percent of the bill.

    Parameters
    ----------
    used : mapping of meter to callable
        What a meter counted between two instants [registered unit], and how much of that time is known [%]; None where nothing is.
    """
    for entry in entries:
        body = entry.body
        if statements.fault(statements.BILL, body) or body["meter"] not in used:
            continue
        begin, end = statements.instant(body["from"]), statements.until(body["to"])
        last = civil.day_of(end)
        if civil.year_of_day(last) != year:
            continue
        said, found = statements.number(body["quantity"]), used[str(body["meter"])](begin, end)
        text = {"from": civil.iso(begin), "to": civil.iso(end), "document": body["document"]}
        row = Indicator("meter_bill", "month", str(body["meter"]), RULES, civil.period_stamp(last), float(said), "official", 1, 1)
        yield _beside(row, said, found, text)


def _beside(row: Indicator, said: Decimal, found: tuple[Decimal, int] | None, text: dict[str, Any]) -> Indicator:
    if found is None:
        return replace(row, status="unknown", text=json.dumps(text, ensure_ascii=False))
    amount, known = found
    off = 100 * (amount - said) / said if said else None
    status = "unknown" if known < 90 else "deviates" if off is None or abs(off) > DEVIATION else "equal"
    body = json.dumps({**text, "known": known}, ensure_ascii=False)
    return replace(row, target=float(amount), margin=None if off is None else float(round(off, 2)), status=status, text=body)


def per_value(scope: str, account: Account, made: Sequence[Output], first: int) -> Iterator[Indicator]:
    """Energy, water and CO2 for each 10⁴ CNY of value added: every month that has one, and the year by the months that have."""
    value: defaultdict[int, Decimal] = defaultdict(Decimal)
    for one in made:
        value[one.month] += one.value
    months = sorted(month for month, total in value.items() if total)
    for figure, line, unit in PER_VALUE:
        if line in account.lines and months:
            sums = {month: _month(account.lines[line], first, month) for month in months}
            for month in months:
                yield _ratio((figure, "month", scope), _stamp(first, month), Fraction(sums[month], GRAINS * unit) / Fraction(value[month]))
            whole = Fraction(sum(sums.values()), GRAINS * unit) / Fraction(sum(value.values()))
            yield _ratio((figure, "year", scope), _stamp(first, 12), whole, f"months {','.join(map(str, months))}")


def lines(registry: Registry, days: Mapping[str, tuple[Longs, Longs]], made: Mapping[str, Sequence[Output]], first: int) -> list[Indicator]:
    """Two-high lines of a year: unit consumption against 标杆 and 基准 and the water quota, their rank, and the county's share.

    Parameters
    ----------
    days : mapping of meter to (coal, water)
        Grains of kgce and m³ of each day; only meters with anything known.
    """
    found: list[Indicator] = []
    rates: dict[str, Fraction] = {}
    for line in registry.lines.values():
        own = [one for one in made.get(line.enterprise, ()) if one.line == line.id and one.quantity]
        known = [days[name] for name in line.meters if name in days]
        if not own or not known:
            continue
        tonnes = Fraction(sum(one.quantity for one in own))
        coal, water = (Fraction(sum(_month(one[place], first, month) for one in known for month in {o.month for o in own}), GRAINS) for place in (0, 1))
        rates[line.id] = coal / tonnes
        found.append(_rated(line, rates[line.id], _stamp(first, 12)))
        if line.water_quota:
            over = "above" if water / tonnes > Fraction(line.water_quota) else "within"
            found.append(_ratio(("line_water", "year", line.id), _stamp(first, 12), water / tonnes, line.product, judged=(over, line.water_quota)))
    return [*found, *_ranks(registry, rates, _stamp(first, 12)), *_share(registry, rates, days, _stamp(first, 12))]


def _rated(line: Line, rate: Fraction, time: int) -> Indicator:
    good, least = (Fraction(text) if text else None for text in (line.advanced, line.baseline))
    status = "advanced" if good is not None and rate <= good else "below" if least is not None and rate > least else "within" if least is not None else ""
    return _ratio(("line_consumption", "year", line.id), time, rate, line.product, judged=(status, line.baseline))


def _ranks(registry: Registry, rates: Mapping[str, Fraction], time: int) -> Iterator[Indicator]:
    """Leaders (领跑者): lines of one product, the least consumption first."""
    for name, rate in rates.items():
        peers = [other for other in rates if registry.lines[other].product == registry.lines[name].product]
        place = 1 + sum(rates[other] < rate for other in peers)
        yield Indicator("line_rank", "year", name, RULES, time, float(place), valid=len(peers), expected=len(peers), text=registry.lines[name].product)


def _share(registry: Registry, rates: Mapping[str, Fraction], days: Mapping[str, Any], time: int) -> Iterator[Indicator]:
    """Share of listed capacity at 标杆, and of lines with a live meter."""
    listed = {name: Fraction(one.capacity) for name, one in registry.lines.items() if one.capacity}
    if not registry.lines:
        return
    live = sum(any(meter in days for meter in one.meters) for one in registry.lines.values())
    share = Fraction(100 * live, len(registry.lines))
    yield _ratio(("lines_live", "year", registry.county.id), time, share, counts=(live, len(registry.lines)))
    good = [name for name in listed if name in rates and (goal := registry.lines[name].advanced) and rates[name] <= Fraction(goal)]
    judged = [name for name in listed if name in rates]
    if judged:
        total = 100 * sum((listed[name] for name in good), Fraction()) / sum(listed.values())
        below = [name for name in judged if (least := registry.lines[name].baseline) and rates[name] > Fraction(least)]
        row = _ratio(("two_high_share", "year", registry.county.id), time, total, counts=(len(judged), len(listed)))
        yield replace(row, text=json.dumps({"advanced": good, "below": below}, ensure_ascii=False))


def metered_part(scope: str, account: Account, entries: Iterable[Entry], year: int) -> Iterator[Indicator]:
    """The county's metered sum as a share of the newest official total, whose year is named: never a total of its own."""
    official: dict[int, tuple[Decimal, str]] = {}
    for entry in entries:
        body = entry.body
        if controlled(str(body.get("target"))) == (CONTROLLED[0], TOTAL) and (period := _year(body)) is not None and period <= year:
            official[period] = statements.number(body["value"]), str(body.get("document", ""))
    if not official or "energy_equal" not in account.lines:
        return
    newest = max(official)
    total, document = official[newest]
    if total:
        share = Fraction(100 * int(account.lines["energy_equal"].sum()), GRAINS * 1_000) / Fraction(total)
        text = json.dumps({"official": float(total), "year": newest, "document": document}, ensure_ascii=False)
        yield _ratio(("energy_metered_share", "year", scope), civil.period_stamp(civil.year_days(year)[1]), share, text)


def controlled(target: str) -> tuple[str, str] | None:
    """What a target under the double control is about: the subject, and whether its total or its intensity; None for any other target.

    >>> controlled("energy.total"), controlled("energy.coal_stock")
    (('energy', 'total'), None)
    """
    subject, _, kind = target.rpartition(".")
    return (subject, kind) if subject in CONTROLLED and kind in {TOTAL, INTENSITY} else None


def _year(body: Mapping[str, object]) -> int | None:
    try:
        found = marks.period(str(body["period"]))
        statements.number(body["value"])
    except (ValueError, KeyError):
        return None
    return civil.year_of_day(found.first) if found.kind == "year" else None


def reported(entries: Iterable[Entry], plans: Sequence[Plan], scope: str, year: int, today: int) -> Iterator[Indicator]:
    """Targets of energy, carbon and water judged on what is reported: a whole year decides, months and quarters use up the budget."""
    said: dict[tuple[str, str], Decimal] = {}
    for entry in entries:
        try:
            period = marks.period(str(entry.body.get("period")))
            value = statements.number(entry.body.get("value"))
        except ValueError:
            continue
        if civil.year_of_day(period.first) == year and controlled(str(entry.body.get("target"))):
            said[str(entry.body["target"]), f"{period.kind} {period.first} {period.last}"] = value
    for plan in plans:
        for target in plan.targets:
            own = {key[1]: value for key, value in said.items() if key[0] == target.id}
            if own:
                yield _judged(target, own, (scope, year, today), horizon=plan.horizon)


def _judged(target: Target, own: Mapping[str, Decimal], where: tuple[str, int, int], horizon: int) -> Indicator:
    scope, year, today = where
    first, last = civil.year_days(year)
    whole = next((value for key, value in own.items() if key.startswith("year")), None)
    parts = [(int(key.split()[2]), value) for key, value in own.items() if not key.startswith("year")]
    value = whole if whole is not None else sum((part for _, part in parts), Decimal(0))
    goal = target.for_year(year)
    row = Indicator(target.id, "year", scope, RULES, civil.period_stamp(last), float(value), "official", len(own), len(own))
    if goal is None or goal.value is None:
        return replace(row, status="no-target")
    margin, status = attainment.decided(target, Fraction(value), Fraction(goal.value))
    elapsed = Fraction((max(day for day, _ in parts) if parts else last) - first + 1, last - first + 1)
    used = Fraction(value) / Fraction(goal.value) if goal.value else Fraction(0)
    if whole is None:
        # Only a total is used up; an intensity of some months is none of the year's.
        total = (controlled(target.id) or ("", ""))[1] == TOTAL
        status = "missed" if total and used > 1 else "undecidable" if not total else "on-course" if used <= elapsed else "at-risk"
    details = {"document": goal.document, "horizon_passed": year > horizon, "burn_rate": float(round(used / elapsed, 3)), "until": today}
    text = json.dumps(details if whole is None else {**details, "until": last}, ensure_ascii=False)
    return replace(row, target=float(goal.value), margin=float(attainment.rounded(margin, 3)), status=status, text=text)


def _ratio(
    what: tuple[str, str, str], time: int, value: Fraction, text: str = "", *, judged: tuple[str, str | None] = ("", None), counts: tuple[int, int] = (1, 1)
) -> Indicator:
    figure, period, scope = what
    step = Decimal(1).scaleb(-FIGURES[figure].digits)
    shown = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(step, ROUND_HALF_EVEN)
    goal = float(judged[1]) if judged[1] else None
    return replace(
        Indicator(figure, period, scope, RULES, time, float(shown)), valid=max(counts[0], 1), expected=counts[1], target=goal, status=judged[0], text=text
    )


def _month(days: Longs, first: int, month: int) -> int:
    year = civil.year_of_day(first)
    start, stop = (civil.day_number(civil.date_of(first).replace(year=year + (one > 12), month=(one - 1) % 12 + 1)) - first for one in (month, month + 1))
    return int(days[start:stop].sum())


def _stamp(first: int, month: int) -> int:
    year = civil.year_of_day(first)
    after = civil.date_of(first).replace(year=year + (month == 12), month=month % 12 + 1)
    return civil.period_stamp(civil.day_number(after) - 1)

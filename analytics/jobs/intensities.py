"""What follows from accounts and from what was entered: bills beside meters, intensity, the metered part, reported targets.

None of it is restated by itself: what it follows from is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from analytics import attainment
from analytics.counting import Longs
from analytics.energy.enterprise import Account
from analytics.energy.worth import GRAINS
from domain import civil, energy, marks, statements
from domain.fixed import to_float
from domain.indicators import FIGURES, Indicator
from domain.readings import Entry
from domain.targets import GRAVITY, Plan, Target

RULES: Final = "none"
INCOMPLETE, NO_FACTOR, BELOW_ZERO = "incomplete", "no-factor", "below-zero"
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
    status = "unknown" if known < energy.SHARE else "deviates" if off is None or abs(off) > DEVIATION else "equal"
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
            groups = [*(("month", month, [month]) for month in months), ("year", 12, months)]
            for period, last, some in groups:
                amount = sum(monthly(account.lines[line], first, month) for month in some)
                rate = Fraction(amount, GRAINS * unit) / Fraction(sum(value[month] for month in some))
                text = f"months {','.join(map(str, some))}" if period == "year" else ""
                row = ratio((figure, period, scope), stamp(first, last), rate, text, judged=(_state(account, line, first, some), None))
                yield row if amount >= 0 else replace(row, value=None, status=BELOW_ZERO)


def _state(account: Account, line: str, first: int, months: Sequence[int]) -> str:
    """What an account lacks of a line in some months."""
    if account.without.get(line):
        return NO_FACTOR
    whole, asked = (sum(monthly(kept[line], first, month) for month in months) for kept in (account.whole, account.asked))
    return INCOMPLETE if whole < asked else ""


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
        amount, first = int(account.lines["energy_equal"].sum()), civil.year_days(year)[0]
        share = Fraction(100 * amount, GRAINS * 1_000) / Fraction(total)
        text = json.dumps({"official": float(total), "year": newest, "document": document}, ensure_ascii=False)
        state = _state(account, "energy_equal", first, range(1, 13))
        row = ratio(("energy_metered_share", "year", scope), stamp(first, 12), share, text, judged=(state, None))
        yield row if amount >= 0 else replace(row, value=None, status=BELOW_ZERO)


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


class Said(NamedTuple):
    """What an authority reported for a stretch of a year: its civil days, the value, and the day on which it was received."""

    first: int
    last: int
    value: Decimal
    received: int


class Case(NamedTuple):
    """Where and when a target is judged, and the last year of its plan."""

    scope: str
    year: int
    today: int
    horizon: int


def reported(entries: Iterable[Entry], plans: Sequence[Plan], scope: str, year: int, today: int) -> Iterator[Indicator]:
    """Targets of energy, carbon and water judged on what is reported: a whole year decides, months and quarters use up the budget."""
    said: defaultdict[str, dict[tuple[int, int], Said]] = defaultdict(dict)
    for entry in entries:
        name = str(entry.body.get("target"))
        try:
            period = marks.period(str(entry.body.get("period")))
            value = statements.number(entry.body.get("value"))
        except ValueError:
            continue
        if civil.year_of_day(period.first) == year and controlled(name):
            said[name][period.first, period.last] = Said(period.first, period.last, value, civil.day_of(entry.received_ns // 10**9))
    for plan in plans:
        for target in plan.targets:
            if target.id in said:
                yield from _course(target, list(said[target.id].values()), Case(scope, year, today, plan.horizon))


def _course(target: Target, said: Sequence[Said], case: Case) -> Iterator[Indicator]:
    """A row of the running year for each report, under the last day that it is about, and the year's own row once it is over.

    A figure of the year so far never lies ahead of now: who asks for what is known today would not find it.
    """
    bounds = civil.year_days(case.year)
    whole = next((one for one in said if (one.first, one.last) == bounds), None)
    others = [one for one in said if one is not whole]
    # A month inside a reported quarter is counted in the quarter.
    parts = [one for one in others if not any(other is not one and other.first <= one.first and one.last <= other.last for other in others)]
    last_row = None
    for day in sorted({one.last for one in parts}):
        last_row = _judged(target, [one for one in parts if one.last <= day], case)
        yield from _running(replace(last_row, time=civil.period_stamp(min(day, case.today))))
    if whole is not None:
        last_row = _judged(target, [whole], case)
        yield from _running(replace(last_row, time=civil.period_stamp(min(bounds[1], case.today, whole.received))))
    if last_row is not None and case.today > bounds[1]:
        yield last_row


def _running(row: Indicator) -> Iterator[Indicator]:
    """The year so far, and its state as a number that an alert can judge."""
    yield replace(row, period="ytd")
    if row.status in GRAVITY:
        yield replace(row, period="ytd", figure=f"{row.figure}.state", value=GRAVITY[row.status], target=None, margin=None, text="")


def _judged(target: Target, parts: Sequence[Said], case: Case) -> Indicator:
    """A target held against reports that do not overlap; together as long as the year they decide, a total at any rate."""
    first, last = civil.year_days(case.year)
    value = sum((one.value for one in parts), Decimal(0))
    row = Indicator(target.id, "year", case.scope, RULES, civil.period_stamp(last), float(value), "official", len(parts), len(parts))
    goal = target.for_year(case.year)
    if goal is None or goal.value is None:
        return replace(row, status="no-target")
    covered = Fraction(sum(one.last - one.first + 1 for one in parts), last - first + 1)
    used = Fraction(value) / Fraction(goal.value) if goal.value else Fraction(0)
    margin, status = attainment.decided(target, Fraction(value), Fraction(goal.value))
    total = (controlled(target.id) or ("", ""))[1] == TOTAL
    if covered < 1 or (len(parts) > 1 and not total):
        # Only a total is used up; an intensity of some months is none of the year's.
        status = "undecidable" if not total else "missed" if used > 1 else "on-course" if used <= covered else "at-risk"
    until = max(one.last for one in parts)
    details = {"document": goal.document, "horizon_passed": case.year > case.horizon, "burn_rate": float(round(used / covered, 3)), "until": until}
    return replace(row, target=float(goal.value), margin=to_float(margin, 3), status=status, text=json.dumps(details, ensure_ascii=False))


def ratio(
    what: tuple[str, str, str], time: int, value: Fraction, text: str = "", *, judged: tuple[str, str | None] = ("", None), counts: tuple[int, int] = (1, 1)
) -> Indicator:
    """A row of an exact figure; ``judged`` is its status and the limit that it is held against, ``what`` figure, period and scope."""
    figure, period, scope = what
    limit = None if judged[1] is None else Fraction(judged[1])
    row = Indicator(
        figure, period, scope, RULES, time, to_float(value, FIGURES[figure].digits), valid=max(counts[0], 1), expected=counts[1], status=judged[0], text=text
    )
    # Room below the limit, from the exact figure: a rounded one may equal a limit that it is above.
    return row if limit is None else replace(row, target=float(limit), margin=float(limit - value))


def monthly(days: Longs, first: int, month: int) -> int:
    """Sum over the days of a month 1…12 of the year that begins on a civil day."""
    year = civil.year_of_day(first)
    start, stop = (civil.day_number(civil.date_of(first).replace(year=year + (one > 12), month=(one - 1) % 12 + 1)) - first for one in (month, month + 1))
    return int(days[start:stop].sum())


def stamp(first: int, month: int) -> int:
    """Time of a row about that month: the start of its last day."""
    year = civil.year_of_day(first)
    after = civil.date_of(first).replace(year=year + (month == 12), month=month % 12 + 1)
    return civil.period_stamp(civil.day_number(after) - 1)

"""What people say about meters and enterprises: exchange forms, bills, output, the reduction list, orders, and verdicts on clues.

Like marks, none of it changes a reading: it is applied where figures are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final

from domain import civil, marks
from domain.clues import NUMBERS, RULES
from domain.places import Registry
from domain.readings import lacking

EXCHANGE: Final = "exchange"
BILL: Final = "bill"
OUTPUT: Final = "output"
LIST: Final = "reduction-list"
ORDERS: Final = "orders"
RECEIPT: Final = "order-receipt"
CLUE: Final = "clue"
REPORTED: Final = "reported"
QUANTITY: Final = "quantity"
KINDS: Final = (EXCHANGE, BILL, OUTPUT, LIST, ORDERS, RECEIPT, CLUE, REPORTED, QUANTITY)
LEVELS: Final = MappingProxyType({"yellow": ("黄色", 1), "orange": ("橙色", 2), "red": ("红色", 3)})
"""Levels of an order (word, rank); response III, II, I."""
GRADES: Final = ("引领", "A", "B", "C", "D", "-")
STATES: Final = MappingProxyType({"open": ("待核实", "open"), "explained": ("已说明", "explained"), "confirmed": ("已核实", "confirmed")})
"""States of a clue (zh, en): it is a clue until a person has looked, and never a verdict of the program."""
LARGEST: Final = Decimal(10) ** 12
DECIMALS: Final = 9
LONGEST: Final = 400 * civil.DAY_S
"""Of the stretch that a quantity is stated for."""
FIRST: Final = civil.parse_time("2000-01-01T00:00:00+08:00")
LAST: Final = civil.parse_time("2100-01-01T00:00:00+08:00")
TONNES: Final = MappingProxyType(
    {"t": Decimal(1), "吨": Decimal(1), "kg": Decimal("0.001"), "千克": Decimal("0.001"), "万t": Decimal(10_000), "万吨": Decimal(10_000)}
)
"""Units in which a line's output may be stated, and how many tonnes one is: its consumption is judged per tonne."""
REPORT_PERIOD: Final = re.compile(r"20\d\d(-(0[1-9]|1[0-2])|-?Q[1-4])?")
"""Periods of a reported value."""
Body = Mapping[str, Any]


def number(text: object) -> Decimal:
    """A plain decimal number from 0 to 10¹², without unit or separators; ValueError otherwise.

    >>> number("12.50")
    Decimal('12.50')
    """
    words = str(text).strip()
    try:
        value = Decimal(words) if "_" not in words else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < LARGEST:
        raise ValueError(f"not a plain number from 0 to 10¹²: {words[:40]!r}")
    return value


def instant(text: object) -> int:
    """An instant in Beijing time, or the beginning of a date; ValueError outside of 2000 … 2099."""
    return _moment(str(text), civil.day_start)


def until(text: object) -> int:
    """An instant, or the end of a date."""
    return _moment(str(text), civil.day_end)


def _moment(words: str, of_day: Callable[[int], int]) -> int:
    try:
        found = of_day(civil.parse_date(words))
    except ValueError:
        found = civil.parse_time(words, civil.SHANGHAI)
    if not FIRST <= found <= LAST:
        raise ValueError(f"not a time of 2000 … 2099: {words[:40]!r}")
    return found


def month(text: object) -> tuple[int, int]:
    """First and last civil day of a month ``2025-06``; ValueError otherwise."""
    found = marks.period(str(text))
    if found.kind != "month":
        raise ValueError(f"not a month: {str(text)[:40]!r}")
    return found.first, found.last


def fault(kind: str, body: Body) -> str | None:
    """Why an entry cannot be used; None if it can."""
    check = _CHECKS.get(kind)
    try:
        return check(body) if check else None
    except (ValueError, TypeError, OverflowError) as error:
        return str(error)
    except KeyError as error:
        return f"without {error.args[0]}"


def _exchange(body: Body) -> str | None:
    instant(body["time"])
    number(body["last"])
    number(body["first"])
    return lacking(body, "meter")


def _reported(body: Body) -> str | None:
    if not REPORT_PERIOD.fullmatch(str(body["period"])):
        return f"not a year 2025, a month 2025-06 or a quarter 2025Q2: {str(body['period'])[:40]!r}"
    number(body["value"])
    return lacking(body, "target", "document")


def _bill(body: Body) -> str | None:
    number(body["quantity"])
    return lacking(body, "meter", "document") or _ordered(body)


def _quantity(body: Body) -> str | None:
    value = number(body["quantity"])
    if int(value.as_tuple().exponent) < -DECIMALS:
        return f"more than {DECIMALS} decimals: {body['quantity']}"
    begin, end = instant(body["start"]), instant(body["end"])
    if not begin < end <= begin + LONGEST:
        return f"the end must lie behind the start, at most {LONGEST // civil.DAY_S} days"
    return lacking(body, "meter")


def _ordered(body: Body) -> str | None:
    return None if instant(body["from"]) < until(body["to"]) else "the end does not lie after the start"


def _output(body: Body) -> str | None:
    month(body["month"])
    for column in ("quantity", "value_added"):
        if str(body.get(column) or "").strip():
            number(body[column])
    if not any(str(body.get(column) or "").strip() for column in ("quantity", "value_added")):
        return "neither quantity nor value_added"
    tonnes(body)
    return lacking(body, "enterprise", "document")


def tonnes(body: Body) -> Decimal:
    """Quantity of an output in tonnes; as stated where it belongs to no line, for only a line is judged by it. ValueError for another unit of a line."""
    quantity, unit = number(body.get("quantity") or "0"), str(body.get("unit") or "")
    if not quantity or not body.get("line"):
        return quantity
    if unit not in TONNES:
        raise ValueError(f"a line's quantity is in tonnes, not in {unit!r}; units are {', '.join(TONNES)}")
    return quantity * TONNES[unit]


def _list(body: Body) -> str | None:
    if body["level"] not in LEVELS:
        return f"no level: {body['level']!r}; levels are {', '.join(LEVELS)}"
    if (body.get("grade") or "-") not in GRADES:
        return f"no grade: {body['grade']!r}; grades are {', '.join(GRADES)}"
    if number(body["share"]) > 100:
        return f"a share is 0 to 100 % of the usual load that may still run, not {body['share']}"
    return lacking(body, "enterprise", "measure")


def _orders(body: Body) -> str | None:
    if body["level"] not in LEVELS:
        return f"no level: {body['level']!r}; levels are {', '.join(LEVELS)}"
    return lacking(body, "document") or _ordered(body)


def _receipt(body: Body) -> str | None:
    instant(body["from"])
    return lacking(body, "enterprise", "user")


def _clue(body: Body) -> str | None:
    if body["state"] not in STATES:
        return f"no state of a clue: {body['state']!r}"
    if body.get("rule") not in {*RULES, *NUMBERS}:
        return f"no rule of a clue: {body.get('rule')!r}; rules are {', '.join(NUMBERS)}"
    instant(body["time"])
    return lacking(body, "rule", "source", "reason", "user")


_CHECKS: Final[Mapping[str, Callable[[Body], str | None]]] = MappingProxyType(
    {EXCHANGE: _exchange, BILL: _bill, OUTPUT: _output, LIST: _list, ORDERS: _orders, RECEIPT: _receipt, CLUE: _clue, REPORTED: _reported, QUANTITY: _quantity},
)


def touched(kind: str, body: Body, registry: Registry) -> dict[int, set[str]]:
    """Civil days and sources whose figures an entry may change; what cannot be read, or is about nobody we know, touches nothing."""
    if fault(kind, body):
        return {}
    sites = {str(body["meter"])} & set(registry.meters) if kind in {EXCHANGE, QUANTITY} else set()
    try:
        day = _day(kind, body)
    except (KeyError, TypeError, ValueError, OverflowError):
        return {}
    return {} if day is None else {day: sites}


def _day(kind: str, body: Body) -> int | None:
    """Civil day that an entry is about."""
    if kind == REPORTED:
        return marks.period(str(body["period"])).last
    if kind == OUTPUT:
        return month(body["month"])[1]
    column = {EXCHANGE: "time", BILL: "to", ORDERS: "to", RECEIPT: "from", CLUE: "time", QUANTITY: "end"}.get(kind)
    return None if column is None else civil.day_of((until if column == "to" else instant)(body[column]) + (column != "to"))

"""Values of the registry: what a key may hold, one reader a kind. A reader gives (fault, value); an empty fault is good."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain import places, statements
from domain.civil import SHANGHAI, day_number, parse_date
from domain.clues import Maintenance
from domain.items import BY_REALM
from lanbi.toml_lines import nearest, unknown

AVERAGES: Final = ("hour", "day")
CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
FLOWS: Final = ("warning", "guarantee")
LEVELS: Final = (*FLOWS, "rise")
LIMIT: Final = ("item", "value", "average", "from")
PERMIT: Final = ("number", "from", "until")

Reader = Callable[[object], tuple[str, Any]]
"""Value to (fault, value); an empty fault = good."""


def text(value: object) -> tuple[str, Any]:
    """A text."""
    return ("", value) if isinstance(value, str) else (f"text in quotes is needed, not {value!r}", "")


def texts(value: object) -> tuple[str, Any]:
    """A list of texts."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "", tuple(value)
    return f"a list of texts is needed, not {value!r}", ()


def number(value: object) -> tuple[str, Any]:
    """A decimal number, kept as text so that no digit is lost."""
    try:
        finite = not isinstance(value, bool) and Decimal(str(value)).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        return f"a number is needed, not {value!r}", None
    return "", str(value)


def positive(value: object) -> tuple[str, Any]:
    """A decimal number above zero."""
    fault, found = number(value)
    return (fault, found) if fault or Decimal(found) > 0 else (f"a number above 0 is needed, not {value!r}", None)


def whole(value: object) -> tuple[str, Any]:
    """A whole number of at least one."""
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return ("", value) if good else (f"a whole number ≥ 1 is needed, not {value!r}", 1)


def share(value: object) -> tuple[str, Any]:
    """A part of one, above zero."""
    fault, found = positive(value)
    return (fault, found) if fault or Decimal(found) <= 1 else (f"a share above 0 and at most 1 is needed, not {value!r}", "1")


def minutes(value: object) -> tuple[str, Any]:
    """Whole minutes, at most a day."""
    fault, found = positive(value)
    good = not fault and Decimal(found) == int(Decimal(found)) and Decimal(found) <= 1_440
    return ("", str(int(Decimal(found)))) if good else (f"whole minutes from 1 to 1440 are needed, not {value!r}", "60")


def waiting(value: object) -> tuple[str, Any]:
    """Whole minutes from none to a week."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10_080
    return ("", value) if good else (f"whole minutes from 0 to 10080 are needed, not {value!r}", 0)


def yes_no(value: object) -> tuple[str, Any]:
    """True or false."""
    return ("", value) if isinstance(value, bool) else (f"true or false is needed, not {value!r}", False)


def one_of(*choices: str) -> Reader:
    """One of some words."""

    def read(value: object) -> tuple[str, Any]:
        good = isinstance(value, str) and value in choices
        return ("", value) if good else (f"'{value}' is none of {', '.join(choices)}", choices[0])

    return read


def match(value: object) -> tuple[str, Any]:
    """A name in foreign files, or several."""
    return ("", (value,)) if isinstance(value, str) else texts(value)


def lines(names: tuple[str, ...], what: str) -> Reader:
    """Values of a section that call for somebody: a table of their names to numbers."""

    def read(value: object) -> tuple[str, Any]:
        if not isinstance(value, dict):
            return f'a table such as {{warning = "31.5"}} is needed, not {value!r}', {}
        strange = unknown(value, names)
        found = {key: (positive if key == "rise" else number)(one) for key, one in value.items()}
        fault = strange[0][1] if strange else next((f"{key}: {words}" for key, (words, _) in found.items() if words), "")
        low, high = (value.get(key) for key in FLOWS)
        if not fault and None not in {low, high} and Decimal(str(low)) >= Decimal(str(high)):
            fault = f"the warning {what} {low} must lie below the guarantee {what} {high}"
        return fault, {key: one for key, (_, one) in found.items()}

    return read


def units(value: object) -> tuple[str, Any]:
    """Units of a permit point's items: a table of items to texts."""
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        return f'a table such as {{nox = "mg/m3"}} is needed, not {value!r}', {}
    strange = unknown(value, BY_REALM["point"])
    return (strange[0][1], {}) if strange else ("", dict(value))


def zone(value: object) -> tuple[str, Any]:
    """A time zone by its IANA name."""
    try:
        known = isinstance(value, str) and (value == str(SHANGHAI) or bool(ZoneInfo(value)))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    return ("", value) if known else (f"{value!r} is no time zone such as Asia/Shanghai", None)


def limits(value: object) -> tuple[str, Any]:
    """Permit limits: item, value, average, from."""
    if not isinstance(value, list):
        return "a list of {item, value, average, from} is needed", ()
    found = []
    for one in value:
        fault, limit = _limit(one)
        if fault:
            return fault, ()
        found.append(limit)
    return "", tuple(found)


def _limit(one: object) -> tuple[str, Any]:
    if not isinstance(one, dict):
        return f"{one!r} is no {{item, value, average, from}}", None
    strange = unknown(one, LIMIT)
    if strange:
        return strange[0][1], None
    if one.get("item") not in BY_REALM["point"]:
        return f"unknown item {one.get('item')!r}{nearest(str(one.get('item')), BY_REALM['point'])}", None
    if one.get("average") not in AVERAGES:
        return f"average {one.get('average')!r} is neither hour nor day", None
    fault, amount = positive(one.get("value"))
    first = day_of(one.get("from"))
    if fault or first is None:
        return fault or f"from {one.get('from')!r} is no date", None
    return "", places.PointLimit(one["item"], amount, one["average"], first)


def permit(value: object) -> tuple[str, Any]:
    """A discharge permit: number, from, until."""
    if not isinstance(value, dict):
        return f'a table such as {{number = "…", from = "2023-01-01", until = "2027-12-31"}} is needed, not {value!r}', None
    strange = unknown(value, PERMIT)
    if strange:
        return strange[0][1], None
    first, last = (day_of(value.get(key)) for key in PERMIT[1:])
    number_of = value.get("number")
    if not isinstance(number_of, str) or not number_of.strip():
        return f"number {number_of!r} is no text", None
    if first is None or last is None:
        return f"from {value.get('from')!r} and until {value.get('until')!r} must be dates", None
    return (f"the permit ends {value['until']} before it begins", None) if last < first else ("", places.Permit(number_of, first, last))


def day_of(value: object) -> int | None:
    """Civil day of a TOML date or a text; None if it is neither."""
    if isinstance(value, datetime):
        return None
    if isinstance(value, date):
        return day_number(value)
    try:
        return parse_date(str(value))
    except ValueError:
        return None


def reset(value: object) -> tuple[str, Any]:
    """Never, allowed, or a time of day."""
    good = isinstance(value, str) and (value in {"never", "allowed"} or CLOCK.fullmatch(value))
    return ("", value) if good else (f"{value!r} is neither never, allowed nor a time of day such as 00:00", "never")


def dates(value: object) -> tuple[str, Any]:
    """A list of dates, as civil days."""
    found = [day_of(one) for one in value] if isinstance(value, list) else [None]
    return (f"a list of dates is needed, not {value!r}", ()) if None in found else ("", tuple(found))


def windows(value: object) -> tuple[str, Any]:
    """Announced maintenance: a list of {from, to, document}."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict) or not str(one.get("document") or "").strip():
            return f"a list of {{from, to, document}} is needed, not {one!r}", ()
        strange = unknown(one, ("from", "to", "document"))
        try:
            window = Maintenance(statements.instant(one.get("from")), statements.until(one.get("to")), str(one["document"]))
        except ValueError as error:
            return str(error), ()
        if strange or window.begin >= window.end:
            return strange[0][1] if strange else f"the end of {one!r} does not lie after its start", ()
        found.append(window)
    return "", tuple(found)

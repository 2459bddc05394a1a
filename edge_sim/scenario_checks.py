"""What a scenario file may say: every fault of form is told with its place before anything is played."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any, Final

from domain.errors import InputError
from domain.items import BY_REALM
from edge_sim.faults import KINDS, Kind
from edge_sim.malformed import CLASSES
from edge_sim.occasions import KINDS as WEATHERS

UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
LAST: Final = "last"
LONGEST: Final = 366
"""Days of a scenario; a longer one had not ended within any year."""
MOST: Final = 10_000
"""How often one fault may come."""
KEYS: Final = frozenset({"zh", "en", "begin", "days", "only", "weather", "fault"})
FAULT_KEYS: Final = frozenset({"kind", "target", "at", "for", "size", "item", "partner", "times"})
WEATHER_KEYS: Final = frozenset({"kind", "at", "for", "size"})
TEXTS: Final = ("kind", "target", "at", "for", "item", "partner")
_SPAN: Final = re.compile(r"(\d{1,9})([dhms])", re.ASCII)
_ONLY: Final = re.compile(r"(enterprise(#\d+)?)?", re.ASCII)
_LEAP: Final = 2_000
Row = Mapping[str, Any]


def span(text: str) -> int:
    """Seconds of ``2d 3h``, ``90m`` or ``0d``; ValueError otherwise.

    >>> span("1d 2h")
    93600
    """
    parts = text.split()
    found = [_SPAN.fullmatch(part) for part in parts]
    if not parts or not all(found):
        message = f"not a length of time: {text!r}"
        raise ValueError(message)
    return sum(int(one[1]) * UNITS[one[2]] for one in found if one)


def checked(name: str, table: Row) -> None:
    """Nothing, if a scenario can be played.

    Raises
    ------
    InputError
        Something is unknown, missing or of the wrong form; with the place.
    """
    _known(name, table, KEYS)
    begin, days = table.get("begin"), table.get("days")
    if not _begins(begin) or isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST:
        raise InputError("begin or days is missing or wrong", name, f'write begin = "11-15" and days = 30, at most {LONGEST}')
    if not isinstance(table.get("only", ""), str) or not _ONLY.fullmatch(table.get("only", "")):
        raise InputError(f"nobody can be meant by {table['only']!r}", f"{name}, only", 'write only = "enterprise#0"')
    for where, row in _rows(name, table, "fault"):
        _fault(where, row, days)
    for where, row in _rows(name, table, "weather"):
        _weather(where, row, days)


def _begins(text: object) -> bool:
    """A day of the calendar, or the last days that are over."""
    if text == LAST:
        return True
    try:
        return isinstance(text, str) and bool(re.fullmatch(r"\d\d-\d\d", text, re.ASCII)) and bool(date(_LEAP, int(text[:2]), int(text[3:])))
    except ValueError:
        return False


def _rows(name: str, table: Row, key: str) -> list[tuple[str, Row]]:
    """Tables of a kind, each with its place."""
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{key} must be a list of tables", name, f"write [[{key}]] and its keys below")
    found = [(f"{name}: {key} {number}", row) for number, row in enumerate(rows, 1)]
    for where, row in found:
        wrong = [one for one in TEXTS if not isinstance(row.get(one, ""), str)]
        if wrong:
            raise InputError(f"{wrong[0]} must be text in quotes", where, f'write {wrong[0]} = "…"')
    return found


def _known(where: str, row: Row, keys: frozenset[str]) -> None:
    if unknown := sorted(row.keys() - keys):
        raise InputError(f"unknown: {', '.join(unknown)}", where, f"known are {', '.join(sorted(keys))}")


def _fault(where: str, row: Row, days: int) -> None:
    _known(where, row, FAULT_KEYS)
    if row.get("kind") not in KINDS:
        raise InputError(f"no such kind of fault: {row.get('kind')!r}", where, f"known are {', '.join(KINDS)}")
    if "target" not in row or ("at" in row) == ("times" in row):
        raise InputError("a target, and either at or times, are needed", where, 'write target = "air#0" and at = "2d 3h", or times = 5')
    kind, times = KINDS[row["kind"]], row.get("times", 1)
    _spans(where, row, days)
    _size(where, row.get("size", kind.size), f"usual size: {kind.size:g}, {kind.en}")
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MOST:
        raise InputError("times must be a whole number of at least 1", where, f"write times = 5, at most {MOST}")
    _words(where, row, kind)


def _words(where: str, row: Row, kind: Kind) -> None:
    """Item and partner, as far as they can be known without a county."""
    items = sorted({name for realm in kind.realms for name in BY_REALM[realm]})
    if row.get("item") and row["item"] not in items:
        raise InputError(f"no such item: {row['item']!r}", f"{where}, item", f"one of {', '.join(items)}")
    if row["kind"] == "malformed" and row.get("partner") and row["partner"] not in CLASSES:
        raise InputError(f"no such class of malformed messages: {row['partner']!r}", f"{where}, partner", f"one of {', '.join(CLASSES)}")


def _weather(where: str, row: Row, days: int) -> None:
    _known(where, row, WEATHER_KEYS)
    if row.get("kind") not in WEATHERS:
        raise InputError(f"no such weather: {row.get('kind')!r}", where, f"known are {', '.join(WEATHERS)}")
    if missing := sorted(WEATHER_KEYS - row.keys()):
        raise InputError(f"missing: {', '.join(missing)}", where, 'write at = "2d", for = "3d" and size = 1.0')
    _spans(where, row, days)
    _size(where, row["size"], "usual size: 1.0")


def _spans(where: str, row: Row, days: int) -> None:
    for key in ("at", "for"):
        try:
            length = span(row.get(key, "0d"))
        except ValueError as error:
            raise InputError(str(error), f"{where}, {key}", 'write it like "2d 3h"') from error
        if key == "at" and length >= days * UNITS["d"]:
            raise InputError(f"begins after {days} days, when the scenario is over", f"{where}, at", "let it begin earlier, or raise days")


def _size(where: str, size: object, todo: str) -> None:
    if isinstance(size, bool) or not isinstance(size, int | float) or not isfinite(size):
        raise InputError("size must be a number", where, todo)

"""One value of the registry changed in its text: what stands around it, comments too, stays as it was typed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from domain import civil
from domain.errors import InputError
from lanbi.toml_lines import Lines

LONGEST: Final = 400
"""Lines that one value may span."""
BEFORE_ALL: Final = "2000-01-01"
"""From when a value counts that had no date: no reading is older."""
TODO: Final = "change the file by hand and put it in force: lanbi registry apply"


def set_key(text: str, table: str, name: str, key: str, value: object) -> str:
    """The text with ``key`` of the entry ``[[table]]`` whose id is ``name`` set to a value.

    Raises
    ------
    InputError
        No such entry, or the text is written in a way in which the value cannot be found.
    """
    tree = tomllib.loads(text)
    rows = tree.get(table, [])
    place = next((number for number, row in enumerate(rows) if row.get("id") == name), None)
    if place is None:
        raise InputError(f"the registry has no {table} {name}", table, TODO)
    lines, found = text.splitlines(), Lines(text)
    line = f"{key} = {written(value)}"
    if key in rows[place]:
        first = found.of(table, place, key) - 1
        lines[first : first + _length(lines, first, key)] = [line]
    else:
        lines.insert(found.of(table, place), line)
    made = "\n".join(lines) + "\n"
    rows[place][key] = value
    if _tree(made) != tree:
        raise InputError(f"{key} of {table} {name} is written in a way that cannot be changed here", "registry", TODO)
    return made


def put_table(text: str, table: str, name: str, block: str) -> str:
    """The text with the whole entry ``[[table]]`` of this id replaced by ``block``, or ``block`` added at its end."""
    tree, lines, found = tomllib.loads(text), text.splitlines(), Lines(text)
    rows = tree.get(table, [])
    place = next((number for number, row in enumerate(rows) if row.get("id") == name), None)
    fresh = tomllib.loads(block).get(table, [])
    if place is None:
        made = f"{text.rstrip()}\n\n{block.strip()}\n"
        tree[table] = [*rows, *fresh]
    else:
        first = found.of(table, place) - 1
        last = next((number for number in range(first + 1, len(lines)) if _begins_other(lines[number], table)), len(lines))
        made = "\n".join([*lines[:first], block.strip(), "", *lines[last:]]) + "\n"
        rows[place : place + 1] = fresh
    if _tree(made) != tree:
        raise InputError(f"{table} {name} is written in a way that cannot be changed here", "registry", TODO)
    return made


def table_text(text: str, table: str, name: str) -> str:
    """The lines of an entry as they were typed; empty where there is none."""
    rows = tomllib.loads(text).get(table, [])
    place = next((number for number, row in enumerate(rows) if row.get("id") == name), None)
    if place is None:
        return ""
    lines = text.splitlines()
    first = Lines(text).of(table, place) - 1
    last = next((number for number in range(first + 1, len(lines)) if _begins_other(lines[number], table)), len(lines))
    return "\n".join(lines[first:last]).strip() + "\n"


def _begins_other(line: str, table: str) -> bool:
    """Whether a line begins another entry: a header that is no part of this one."""
    words = line.strip()
    return words.startswith("[") and not words.startswith((f"[{table}.", f"[[{table}.")) and words.partition("#")[0].rstrip().endswith("]")


def _tree(text: str) -> Mapping[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _length(lines: Sequence[str], first: int, key: str) -> int:
    """So many lines a value spans."""
    for count in range(1, LONGEST):
        tree = _tree("\n".join(lines[first : first + count]))
        if tree is not None and key in tree:
            return count
    raise InputError(f"the end of {key} is not found", f"line {first + 1}", TODO)


def written(value: object) -> str:
    """A value as TOML: texts, numbers, lists and tables of one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(one) for one in value) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def dated(old: object, since: str, value: str) -> list[dict[str, Any]]:
    """A dated list with one value more; one of the same day is replaced.

    >>> dated("40", "2026-05-01", "60")
    [{'from': '2000-01-01', 'value': '40'}, {'from': '2026-05-01', 'value': '60'}]
    """
    steps = [dict(one) for one in old] if isinstance(old, list) else [] if old is None else [{"from": BEFORE_ALL, "value": old}]
    kept = [one for one in steps if civil.parse_date(str(one["from"])) != civil.parse_date(since)]
    return sorted([*kept, {"from": since, "value": value}], key=lambda one: civil.parse_date(str(one["from"])))

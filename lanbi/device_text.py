"""A device's table in the text of the registry: written new, or its state changed; all else in the file stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from domain.civil import date_of
from domain.errors import InputError
from domain.places import Device

FAR: Final = 1_000_000
"""No civil day lies so far from 1970: a value without a beginning."""
BEGINNING: Final = "2000-01-01"
_TABLE: Final = re.compile(r"^\s*\[")
_KEY: Final = re.compile(r"^\s*(\w+)\s*=\s*(.*)$")


def added(text: str, keys: Mapping[str, object]) -> str:
    """The text with a table of these keys at its end; None and empty ones are left out."""
    lines = [f"{key} = {_value(value)}" for key, value in keys.items() if value not in (None, [], {}, "")]
    return f"{text.rstrip()}\n\n[[device]]\n" + "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def with_state(text: str, device: Device, day: int, state: str) -> str:
    """The text with a device in another state from a day on; what was before that day stays.

    Raises
    ------
    InputError
        Its table, or its state in one line, is not found in the text.
    """
    steps = [(first, word) for first, word in device.state.steps if first < day]
    steps.append((day, state))
    dated = ", ".join(f'{{from = "{date_of(first).isoformat() if abs(first) < FAR else BEGINNING}", value = "{word}"}}' for first, word in steps)
    lines = text.split("\n")
    place = _state_of(lines, device.id)
    lines[place] = f"state = [{dated}]"
    return "\n".join(lines)


def _state_of(lines: list[str], device: str) -> int:
    """Number of the line that holds a device's state."""
    inside, mine, place = False, False, -1
    for number, line in enumerate([*lines, "["]):
        if _TABLE.match(line):
            if mine and place >= 0:
                return place
            inside, mine, place = line.partition("#")[0].strip() == "[[device]]", False, -1
        key = _KEY.match(line) if inside else None
        if key and key[1] == "id":
            mine = key[2].partition("#")[0].strip().strip("\"'") == device
        elif key and key[1] == "state" and key[2].count("[") == key[2].count("]"):
            place = number
    raise InputError(f"the state of device '{device}' stands in no line of its own", "registry", "change it in the file, then lanbi registry apply")

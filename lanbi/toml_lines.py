"""Where things stand in a TOML text: the standard parser gives values without lines, and a fault needs its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from domain.errors import InputError

_HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_\-]+|\"[^\"]+\")\s*=")


class Lines:
    """Line of every table and key of a TOML text, by path such as ``("meter", 3, "unit")``."""

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str | int, ...], int] = {}
        seen: dict[str, int] = {}
        table: tuple[str | int, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            header = _HEADER.match(line)
            if header:
                name = header[2].strip()
                first, *rest = name.split(".")
                if header[1] == "[[":
                    seen[name] = seen.get(name, -1) + 1
                    table = (name, seen[name])
                else:
                    # [meter.x] below [[meter]] belongs to the newest meter.
                    table = (first, *((seen[first],) if first in seen else ()), *rest)
                self._at[table] = number
                continue
            key = _KEY.match(line)
            if key:
                self._at.setdefault((*table, key[1].strip('"')), number)

    def of(self, *path: str | int) -> int:
        """Line of a path, or of the nearest part of it that is known; 1 if none is."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._at:
                return self._at[path[:length]]
        return 1


def read(path: Path, error: type[InputError]) -> str:
    """Text of a file, or the error of its kind."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise error("no such file", str(path), "check the path") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise error(f"cannot be read: {fault}", str(path), "save it as UTF-8 text and check its permissions") from fault


def parse(text: str, name: str, error: type[InputError]) -> dict[str, Any]:
    """Parsed TOML with exact decimals, or the error of its kind with the line."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as fault:  # also a number of too many digits, and brackets too deep, which are no TOMLDecodeError
        line = re.search(r"line (\d+)", str(fault))
        end = max(1, len(text.splitlines())) if "end of document" in str(fault) else 1
        raise error(f"not TOML: {fault}", f"{name}:{line[1] if line else end}", "mend this line") from None


UNKNOWN = "unknown key"
"""How the words for one begin."""


def unknown(given: Mapping[str, object], known: Sequence[str]) -> list[tuple[str, str]]:
    """Keys that are not known, each with words that name the nearest one."""
    return [(key, f"{UNKNOWN} '{key}'{nearest(key, known)}") for key in given if key not in known]


def nearest(key: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?`` or nothing."""
    found = get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; did you mean '{found[0]}'?" if found else ""


def raise_all(faults: Sequence[tuple[str, str]], error: type[InputError], todo: str) -> None:
    """Raise all faults as one error: the first in full, the others listed under it."""
    if not faults:
        return
    (where, what), *rest = faults
    more = "".join(f"\n  {place}: {words}" for place, words in rest)
    found = error(what + more, where, todo)
    found.faults = tuple(faults)
    raise found


def faults_of(error: InputError) -> tuple[tuple[str, str], ...]:
    """Every fault that an error tells, as (where, what)."""
    return error.faults or ((error.where, error.what),)

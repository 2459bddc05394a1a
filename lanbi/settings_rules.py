"""What the value of a settings key may be: each rule takes the text and answers with the fault, empty = good."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

Rule = Callable[[str], str]
UNITS: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE: Final = re.compile(rf"([1-9][0-9]{{0,5}}) ?({'|'.join(UNITS)})")
_MAIL: Final = re.compile(r"[^\s@<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,255}")


def choice(*words: str) -> Rule:
    """One of these words."""
    return lambda value: "" if value in words else f"'{value}' is none of {', '.join(words)}"


def is_number(text: str) -> bool:
    """At most five digits."""
    return text.isascii() and text.isdigit() and len(text) < 6


def address(value: str) -> str:
    """Host and port."""
    host, _, port = value.rpartition(":")
    return "" if host and is_number(port) and int(port) < 65_536 else f"write HOST:PORT, not '{value}'"


def beyond(value: str) -> bool:
    """Whether an address can be reached from other machines.

    >>> beyond("127.0.0.1:80"), beyond("[::1]:80"), beyond("0.0.0.0:80"), beyond("board.example:80")
    (False, False, True, True)
    """
    name = value.rpartition(":")[0].strip("[]")
    return bool(name) and not (name in {"localhost", "::1"} or re.fullmatch(r"127(\.\d{1,3}){3}", name))


def host(value: str) -> str:
    """A host name, or an address."""
    return "" if re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", value) else f"write a host name without scheme and port, not '{value}'"


def whole(low: int, high: int) -> Rule:
    """A whole number within bounds."""
    return lambda value: "" if is_number(value) and low <= int(value) <= high else f"write a whole number from {low} to {high}, not '{value}'"


def share(value: str) -> str:
    """One of several."""
    mine, _, count = value.partition("/")
    good = is_number(mine) and is_number(count) and 1 <= int(mine) <= int(count)
    return "" if good else f"write i/N with 1 ≤ i ≤ N, not '{value}'"


def time_of_day(value: str) -> str:
    """A time of day, or off."""
    good = value == "off" or re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value)
    return "" if good else f"write HH:MM or off, not '{value}'"


def url(schemes: tuple[str, ...], secret: str, word: str = "") -> Rule:
    """An address with one of these schemes, or the word; the secret that belongs to it stands elsewhere."""
    wanted = " or ".join([f"{scheme}://HOST:PORT" for scheme in schemes] + ([word] if word else []))

    def fault(value: str) -> str:
        if "@" in value:
            # The value is not repeated: a password may stand in it.
            return f"user and password do not belong in an address; {secret} names the file of the secret"
        try:
            parts = urlsplit(value)
            good = value == word or (parts.scheme in schemes and bool(parts.hostname) and parts.port != 0)
        except ValueError:  # a port that is none, a bracket that is not closed
            good = False
        return "" if good else f"write {wanted}, not '{value}'"

    return fault


def size(value: str) -> str:
    """An amount of bytes with its unit."""
    return "" if _SIZE.fullmatch(value) else f"write a whole number with one of {', '.join(UNITS)}, for example 500GB, not '{value}'"


def bytes_of(value: str) -> int:
    """Bytes of a value that :func:`size` found good.

    >>> bytes_of("500GB"), bytes_of("12 MiB")
    (500000000000, 12582912)
    """
    found = _SIZE.fullmatch(value)
    return int(found[1]) * UNITS[found[2]] if found else 0


def mail(value: str) -> str:
    """A mail address."""
    return "" if _MAIL.fullmatch(value) else f"write NAME@HOST, not '{value}'"

"""Messages of one form read at once, and their values checked but left as the text that they came in.

Nearly every device says the same items in every message. Where they are known, so is how many texts a message has: whatever has one
more says a key twice, or something else beside its values. So one call of a decoder that knows all items and their ranges proves the
numbers, one count proves the keys, and nobody has to make a dictionary, nor to write its numbers once more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET

from domain.message import Seq, Wire, rarer
from domain.reasons import MAX_MESSAGE
from domain.sent import Sent, sent

OPEN, SEAM, SHUT = b"[[", b"],\n[", b"]]"
SHORT: Final = 1_000
_MARK: Final = ord('"')
_VALUES: Final = re.compile(rb'"values"\s*:\s*\{([^}]*)\}')
"""Text of values that are all numbers: no text of a message can pose as a key, as none may have a backslash."""

_TINY: Final = re.compile(rb"-0|[eE]-")
"""Whatever may be a negative zero has one of these in its text."""


class Form(NamedTuple):
    """What messages have in common: the items of their values, whether their times are texts, and whether they are numbered."""

    items: tuple[str, ...]
    texts: bool
    numbered: bool

    @classmethod
    def of(cls, wire: Wire) -> Form:
        """The form of a message that was read."""
        return cls(tuple(wire.values), type(wire.time) is str, type(wire.seq) is int)


class Together(NamedTuple):
    """What payloads say that were read together.

    Attributes
    ----------
    found : sequence of (Wire,) or (list of Wire,)
        One a payload.
    wires : list of Wire
        All messages in a row.
    bare : bool
        Each of them has its number, a time, a span and values, and says nothing else.
    """

    found: Sequence[Any]
    wires: list[Wire]
    bare: bool = False


class Exact:
    """Reads messages of one form.

    Parameters
    ----------
    ranges : mapping of item to (low, high)
        Finite bounds, both within.
    """

    def __init__(self, form: Form, ranges: Mapping[str, tuple[float, float]]) -> None:
        self._texts = 3 + len(form.items) + form.texts + form.numbered
        self._numbered = form.numbered
        names = {f"value{place}": name for place, name in enumerate(form.items)}
        bounds = [(key, Annotated[float, msgspec.Meta(ge=ranges[name][0], le=ranges[name][1])]) for key, name in names.items()]
        values = msgspec.defstruct("Values", bounds, rename=names, forbid_unknown_fields=True, gc=False)
        fields: list[tuple[str, Any]] = [("time", str if form.texts else int), ("values", values), *([("seq", Seq)] if form.numbered else [])]
        kind = msgspec.defstruct("Exactly", fields, bases=(Wire,), kw_only=True, forbid_unknown_fields=True, gc=False)
        self._ones = msgspec.json.Decoder(list[tuple[kind]]).decode  # type: ignore[valid-type]  # made here
        self._lists = msgspec.json.Decoder(list[tuple[list[kind]]]).decode  # type: ignore[valid-type]  # made here

    def together(self, payloads: Sequence[bytes], *, lists: bool) -> Together | None:
        """As every reader does, and values as :class:`domain.sent.Sent`."""
        text = joined(payloads)
        if text is None or b"\\" in text:
            return None
        try:
            found: Sequence[Any] = (self._lists if lists else self._ones)(text)
        except (msgspec.DecodeError, RecursionError):
            return None
        wires = flat(found, lists=lists)
        texts = _VALUES.findall(text)
        if len(found) != len(payloads) or len(texts) != len(wires):
            return None
        marks, least = _marks(text), self._texts * len(wires)
        if marks != 2 * least and marks != 2 * (least + self._more(wires)):
            return None
        for wire, said in zip(wires, texts, strict=True):
            wire.values = sent(said)
        if b"-" in b"".join(texts):
            _lose_signs(wires)
        return Together(found, wires, bare=self._numbered and marks == 2 * least)

    def _more(self, wires: Sequence[Wire]) -> int:
        """Texts of what a few messages say beside."""
        return sum([rarer(wire) + (not self._numbered and wire.seq is not UNSET) for wire in wires])


def _marks(text: bytes) -> int:
    """How many quotation marks stand in a text; an array is dear to make and cheap to look through."""
    return text.count(b'"') if len(text) < SHORT else int(np.count_nonzero(np.frombuffer(text, np.uint8) == _MARK))


def joined(payloads: Sequence[bytes]) -> bytes | None:
    """Payloads as one text of brackets; None where it is no text, or one payload is too long."""
    text = OPEN + SEAM.join(payloads) + SHUT
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return None
    return None if max(map(len, payloads)) > MAX_MESSAGE else text


def flat(found: Sequence[Any], *, lists: bool) -> list[Any]:
    """All messages of decoded payloads in a row."""
    return [wire for (some,) in found for wire in some] if lists else [wire for (wire,) in found]


def _lose_signs(wires: Sequence[Wire]) -> None:
    """-0.0 becomes 0.0, also one that is too small for a double; it is seldom more than one value of many."""
    for wire in wires:
        if isinstance(wire.values, Sent) and _TINY.search(wire.values.text):
            wire.values = {name: value + 0.0 for name, value in wire.values.items()}

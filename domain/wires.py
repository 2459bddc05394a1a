"""Many native messages read at once: what nearly all are, single readings within range, at a fraction of the price of reading each.

The payloads are joined into one text of brackets and decoded in one call. That no payload can say anything for its neighbours, whatever
its bytes, follows from what is asked of the whole: no string reaches over a seam, as JSON knows no line break within one; no list
begins or ends anywhere but where the kinds of message put it, for a key that is not theirs is a text too many; and there are as many
elements as payloads, each of one message. Where one of this does not hold, halves are tried, down to the payload itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, TypedDict

import msgspec
import numpy as np

from domain.message import Wire, may_repeat
from domain.reasons import MAX_MESSAGE

OPEN, SEAM, SHUT = b"[[", b"],\n[", b"]]"
FEW: Final = 8
"""So few payloads are read one by one where reading them together has failed; a text of so few readings is not worth an array."""
_MINUS: Final = ord("-")
_COLON: Final = ord(":")
_SPACE: Final = ord(" ")


class _Form(NamedTuple):
    """Payloads of one form: how the joined text is decoded, to a tuple of one a payload, and its messages in a row."""

    decode: Callable[[bytes], Sequence[Any]]
    row: Callable[[Sequence[Any]], list[Wire]]


class Wires:
    """Reads messages whose every value lies within the range of its item, at the price of reading them at all.

    Parameters
    ----------
    ranges : mapping of item to (low, high), optional
        Finite bounds, both within; None: any item with any value or none.
    """

    def __init__(self, ranges: Mapping[str, tuple[float, float]] | None = None) -> None:
        kind: type = Wire
        if ranges is not None:
            bounds = {name: Annotated[float, msgspec.Meta(ge=low, le=high)] for name, (low, high) in ranges.items()}
            values = TypedDict("Values", bounds, total=False)  # type: ignore[misc]  # the items come from the domain's tables
            kind = msgspec.defstruct("Ranged", [("values", values)], bases=(Wire,), kw_only=True, forbid_unknown_fields=True, gc=False)
        one, many = msgspec.json.Decoder(list[tuple[kind]]), msgspec.json.Decoder(list[tuple[list[kind]]])  # type: ignore[valid-type]  # made here
        self._ones = _Form(one.decode, lambda found: [wire for (wire,) in found])
        self._lists = _Form(many.decode, lambda found: [wire for (some,) in found for wire in some])

    def read(self, payloads: Sequence[bytes]) -> list[Sequence[Wire] | None]:
        """Elements of each payload, times still as they stand, zeros without a sign; None for one of which an element cannot be read, or has another item."""
        lists = [payload[:1] != b"{" and payload.lstrip()[:1] == b"[" for payload in payloads]
        if True not in lists:
            return _halved(payloads, self._ones)
        if False not in lists:
            return [one and one[0] for one in _halved(payloads, self._lists)]
        ones = iter(self.read([payload for payload, many in zip(payloads, lists, strict=True) if not many]))
        others = iter(self.read([payload for payload, many in zip(payloads, lists, strict=True) if many]))
        return [next(others if many else ones) for many in lists]


def _halved(payloads: Sequence[bytes], form: _Form) -> list[Any]:
    """What is found in each payload; None for one that cannot be read."""
    found = _together(payloads, form)
    if found is not None:
        return found
    if len(payloads) == 1:
        return [None]
    size = 1 if len(payloads) <= FEW else len(payloads) // 2
    return [one for start in range(0, len(payloads), size) for one in _halved(payloads[start : start + size], form)]


def _together(payloads: Sequence[bytes], form: _Form) -> list[Any] | None:
    text = OPEN + SEAM.join(payloads) + SHUT
    try:
        if not text.isascii():
            text.decode()
        found = form.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(found) != len(payloads) or max(map(len, payloads)) > MAX_MESSAGE:
        return None
    wires = form.row(found)
    if may_repeat(text, wires):
        return None
    if len(wires) <= FEW or _signed(text):
        for wire in wires:
            if 0.0 in wire.values.values():
                wire.values = {name: None if value is None else value + 0.0 for name, value in wire.values.items()}  # -0.0 becomes 0.0
    return list(found)


def _signed(text: bytes) -> bool:
    """Whether a negative number may stand in a text: looking at each value for a zero costs a fifth of decoding it."""
    signs = np.frombuffer(text, np.uint8)
    before = signs[np.flatnonzero(signs == _MINUS) - 1]
    return bool(((before == _COLON) | (before <= _SPACE)).any())

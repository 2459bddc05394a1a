"""Many native messages read at once: what nearly all are, single readings within range, at a fraction of the price of reading each.

The payloads are joined into one text of brackets and decoded in one call. That no payload can say anything for its neighbours, whatever
its bytes, follows from what is asked of the whole: no string reaches over a seam, as JSON knows no line break within one; no list
begins or ends anywhere but where the kinds of message put it, for a key that is not theirs is a text too many; and there are as many
elements as payloads, each of one message. Where one of this does not hold, halves are tried, down to the payload itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, Protocol, TypedDict

import msgspec
import numpy as np

from domain.exact import Exact, Form, Together, flat, joined
from domain.message import Wire, may_repeat

FEW: Final = 8
"""So few payloads are read one by one where reading them together has failed; a text of so few readings is not worth an array."""
FORMS: Final = 64
"""Forms of messages that are remembered."""
_MINUS: Final = ord("-")
_COLON: Final = ord(":")
_SPACE: Final = ord(" ")


class Reader(Protocol):
    """Reads payloads that are all lists of messages, or all single ones."""

    def together(self, payloads: Sequence[bytes], *, lists: bool) -> Together | None:
        """What all payloads say; None if one of them is not understood."""


class Heard(NamedTuple):
    """What payloads say.

    Attributes
    ----------
    messages : list of sequence of Wire, or None
        Elements of each payload, times still as they stand, zeros without a sign; None for one of which an element cannot be read, or has
        another item. Values that a reader of one form has read are :class:`domain.sent.Sent`.
    bare : sequence of messages
        All elements in a row where they are of one form and say nothing else: number, time, span and values. Otherwise none.
    """

    messages: list[Sequence[Wire] | None]
    bare: Sequence[Any] = ()


class Wires:
    """Reads messages whose every value lies within the range of its item, at the price of reading them at all.

    Parameters
    ----------
    ranges : mapping of item to (low, high), optional
        Finite bounds, both within; None: any item with any value or none.
    """

    def __init__(self, ranges: Mapping[str, tuple[float, float]] | None = None) -> None:
        kind: type = Wire
        self._ranges = ranges
        self._exact: dict[Form, Reader] = {}
        if ranges is not None:
            bounds = {name: Annotated[float, msgspec.Meta(ge=low, le=high)] for name, (low, high) in ranges.items()}
            values = TypedDict("Values", bounds, total=False)  # type: ignore[misc]  # the items come from the domain's tables
            kind = msgspec.defstruct("Ranged", [("values", values)], bases=(Wire,), kw_only=True, forbid_unknown_fields=True, gc=False)
        self._ones = msgspec.json.Decoder(list[tuple[kind]]).decode  # type: ignore[valid-type]  # made here
        self._lists = msgspec.json.Decoder(list[tuple[list[kind]]]).decode  # type: ignore[valid-type]  # made here

    def exact(self, wire: Wire) -> Reader:
        """Who reads messages of the form of one that was read; this reader, if it is the best."""
        if self._ranges is None or not wire.values:
            return self
        form = Form.of(wire)
        found = self._exact.get(form)
        if found is None:
            if len(self._exact) >= FORMS:
                self._exact.clear()
            found = self._exact[form] = Exact(form, self._ranges)
        return found

    def read(self, payloads: Sequence[bytes]) -> list[Sequence[Wire] | None]:
        """The messages of :meth:`hear` by this reader."""
        return self.hear(payloads, self).messages

    def hear(self, payloads: Sequence[bytes], reader: Reader) -> Heard:
        """Read many payloads by a reader of :meth:`exact` that will understand most of them, and the others by this one."""
        heard = _parted(payloads, reader)
        if reader is not self and None in heard.messages:
            left = [place for place, one in enumerate(heard.messages) if one is None]
            for place, one in zip(left, self.read([payloads[place] for place in left]), strict=True):
                heard.messages[place] = one
        return heard

    def together(self, payloads: Sequence[bytes], *, lists: bool) -> Together | None:
        """As every reader does."""
        text = joined(payloads)
        if text is None:
            return None
        try:
            found: Sequence[Any] = (self._lists if lists else self._ones)(text)
        except (msgspec.DecodeError, RecursionError):
            return None
        wires = flat(found, lists=lists)
        if len(found) != len(payloads) or may_repeat(text, wires):
            return None
        if len(wires) <= FEW or _signed(text):
            for wire in wires:
                if 0.0 in wire.values.values():
                    wire.values = {name: None if value is None else value + 0.0 for name, value in wire.values.items()}  # -0.0 becomes 0.0
        return Together(found, wires)


def _parted(payloads: Sequence[bytes], reader: Reader) -> Heard:
    """Messages of each payload, whether it is a list of them or not."""
    lists = [payload[:1] != b"{" and payload.lstrip()[:1] == b"[" for payload in payloads]
    if True not in lists or False not in lists:
        many = lists[:1] == [True]
        together = reader.together(payloads, lists=many)
        if together is None:
            return Heard(_halves(payloads, reader))
        found = together.found
        return Heard([one[0] for one in found] if many else list(found), together.wires if together.bare else ())
    ones = iter(_parted([payload for payload, many in zip(payloads, lists, strict=True) if not many], reader).messages)
    others = iter(_parted([payload for payload, many in zip(payloads, lists, strict=True) if many], reader).messages)
    return Heard([next(others if many else ones) for many in lists])


def _halves(payloads: Sequence[bytes], reader: Reader) -> list[Sequence[Wire] | None]:
    """The same where not all are understood, or there are none."""
    if len(payloads) < 2:
        return [None] * len(payloads)
    size = 1 if len(payloads) <= FEW else len(payloads) // 2
    parts = (payloads[start : start + size] for start in range(0, len(payloads), size))
    return [one for part in parts for one in _parted(part, reader).messages]


def _signed(text: bytes) -> bool:
    """Whether a negative number may stand in a text: looking at each value for a zero costs a fifth of decoding it."""
    signs = np.frombuffer(text, np.uint8)
    before = signs[np.flatnonzero(signs == _MINUS) - 1]
    return bool(((before == _COLON) | (before <= _SPACE)).any())

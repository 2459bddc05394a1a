"""What goes wrong between device and broker: pure, from the words that a device would say to those that go out.

A word is one reading on its way: when it goes out, the message, and how. Faults delay, repeat, relabel and forge; the number of a
reading stays what the device counted, as it does in the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from domain.civil import OFFSET_S, iso, parse_time
from edge_sim import malformed
from edge_sim.faults import Fault
from edge_sim.noise import Noise

REPEAT_S: Final = 20
"""Between a message and its repetition."""
STRANGER_RUN: Final = 1
"""A stolen login counts in a run of its own, above the device's: lanbi cannot tell it from a restarted device."""


class Word(NamedTuple):
    """One reading, or something like it, on its way.

    Attributes
    ----------
    at : int [s]
        When it goes out, by true time.
    tick : int [s]
        When the device had measured it.
    slot : int [s]
        True end label of what was measured.
    row : dict
        The native message, not yet bytes; of an event its body.
    body : bytes
        What goes out instead of the message, if it is none.
    stream : str
        ``data`` or ``event``.
    held : bool
        Whether the device keeps it until a receipt names its number.
    own : bool
        False: a stranger says it on a connection of his own.
    truth : dict of item to float
        What is true, unrounded.
    mark : int
        Number in the scene of the fault behind the value, -1 = none.
    fault : str
        Kind of what was done to it on the wire.
    """

    at: int
    tick: int
    slot: int
    device: str
    source: str
    row: dict[str, Any]
    body: bytes = b""
    stream: str = "data"
    held: bool = True
    retain: bool = False
    own: bool = True
    truth: Mapping[str, float] = MappingProxyType({})
    mark: int = -1
    fault: str = ""

    @property
    def number(self) -> tuple[int, int]:
        """(run, seq)."""
        return self.row.get("run", 0), self.row["seq"]

    def changed(self, kind: str, **fields: Any) -> Word:
        """The message with other fields."""
        return self._replace(row={**self.row, **fields}, fault=kind)


@dataclass(frozen=True, slots=True)
class Wire:
    """A fault at work on one device's words: chance, the fault, and a source of somebody else."""

    noise: Noise
    fault: Fault
    stranger: str


Spoil = Callable[[Wire, Word], Sequence[Word]]


def _backfill(wire: Wire, word: Word) -> Sequence[Word]:
    flags = {**dict.fromkeys(word.row["values"], "P"), **word.row.get("flags", {})}
    return [word.changed("backfill", flags=flags)._replace(at=max(word.at, wire.fault.end + (word.slot - wire.fault.begin) // 3600))]


def _duplicate(wire: Wire, word: Word) -> Sequence[Word]:
    again = [word._replace(at=word.at + REPEAT_S * n, held=False, fault="duplicate") for n in range(1, max(2, int(wire.fault.size)))]
    return [word._replace(fault="duplicate"), *again]


def _reorder(wire: Wire, word: Word) -> Sequence[Word]:
    index = np.array([word.row["seq"]], np.int64)
    delay = int(wire.noise.uniform(f"{word.device}/reorder", index)[0] * wire.fault.size)
    return [word._replace(at=word.at + delay, fault="reorder")]


def _skewed(wire: Wire, word: Word) -> Sequence[Word]:
    return [word.changed("clock-skew", time=iso(_label(word) + int(wire.fault.size)))]


def _zone(wire: Wire, word: Word) -> Sequence[Word]:
    """The wall clock is right, the offset beside it is not."""
    wrong = iso(_label(word) + int(wire.fault.size) - OFFSET_S)[:19] + "Z"
    return [word.changed("wrong-zone", time=wrong)]


def _stolen(wire: Wire, word: Word) -> Sequence[Word]:
    false = {name: round(value * wire.fault.size, 3) for name, value in word.row["values"].items()}
    stranger = word.changed("stolen", values=false, run=word.row.get("run", 0) + STRANGER_RUN)
    return [word, stranger._replace(at=word.at + REPEAT_S, held=False, own=False)]


def _label(word: Word) -> int:
    time = word.row["time"]
    return time // 1000 if isinstance(time, int) else parse_time(time)


def _extra(word: Word, kind: str, bodies: Sequence[bytes]) -> list[Word]:
    """The good reading, and what else goes out beside it."""
    return [word, *(word._replace(body=body, held=False, fault=kind) for body in bodies)]


def _malformed(wire: Wire, word: Word) -> Sequence[Word]:
    chosen = [wire.fault.partner] if wire.fault.partner else list(malformed.CLASSES)
    row = malformed.numberless(word.row)
    return _extra(word, "malformed", [malformed.CLASSES[name](row) for name in chosen])


SPOILS: Final[Mapping[str, Spoil]] = MappingProxyType(
    {
        "backfill": _backfill,
        "duplicate": _duplicate,
        "reorder": _reorder,
        "late": lambda wire, word: [word._replace(at=word.at + int(wire.fault.size), fault="late")],
        "retained": lambda _, word: [word._replace(retain=True, fault="retained")],
        "clock-skew": _skewed,
        "wrong-zone": _zone,
        "milliseconds": lambda _, word: [word.changed("milliseconds", time=_label(word) * 1000)],
        "start-label": lambda _, word: [word.changed("start-label", time=iso(_label(word) - word.row["span"]))],
        "forged": lambda wire, word: [word.changed("forged", source=wire.stranger)],
        "malformed": _malformed,
        "oversize": lambda wire, word: _extra(word, "oversize", [malformed.oversize(malformed.numberless(word.row), int(wire.fault.size))]),
        "stolen": _stolen,
    },
)


def spoilt(words: Sequence[Word], faults: Sequence[Fault], noise: Noise, stranger: str) -> list[Word]:
    """Words as they go out, in the order in which they were counted; whoever sends sorts by ``at``.

    Parameters
    ----------
    faults : sequence of Fault
        Of this device's wire, in order of onset: a word that several concern goes through all.
    stranger : str
        A source that the device may not speak for; for forgeries.
    """
    out = list(words)
    for fault in faults:
        wire, spoil = Wire(noise, fault, stranger), SPOILS[fault.kind]
        out = [done for word in out for done in (spoil(wire, word) if _has(fault, word) else (word,))]
    return out


def _has(fault: Fault, word: Word) -> bool:
    return fault.begin < word.slot <= fault.end and word.stream == "data" and word.own and not word.body

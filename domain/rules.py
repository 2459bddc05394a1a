"""How a foreign payload is to be read: one rule of the registry, as data. What it means is done in ``ingest.decoders``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

NATIVE: Final = "lanbi-json"
HJ212: Final = "hj212"
TIME_FORMATS: Final = ("s", "ms", "us", "ns", "rfc3339", "compact", "hj212")
"""Units of numbers since 1970, or forms of texts: RFC 3339, ``20251123T080000Z``, ``20251123080000``."""
SUMS: Final = ("register", "integral")
"""What a SenML sum is: the vendor's counter in its unit, or the standard's integral in unit times seconds (RFC 8428 §4.3)."""
EVERYTHING: Final = "*"
STARTS: Final = frozenset({HJ212})
"""Formats whose periods bear the label of their start unless a device says otherwise (HJ 212-2017, table 6)."""


@dataclass(frozen=True, slots=True)
class ItemRule:
    """One item of a rule.

    Attributes
    ----------
    item : str
        Ours.
    name : str
        The foreign name; for format ``json`` a JMESPath expression on the record.
    unit : str
        Unit that is sent; empty = the payload's own, or ours where it has none.
    scale, offset : str
        Decimals: ours = sent × scale + offset, before the unit is converted.
    source : str
        Foreign name of the channel that this item belongs to; empty = the record's.
    sum : str
        One of :data:`SUMS` where the value is a SenML sum.
    """

    item: str
    name: str
    unit: str = ""
    scale: str = "1"
    offset: str = "0"
    source: str = ""
    sum: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A mapping rule; ``format`` names its decoder. Paths are JMESPath and empty where they do not apply.

    Attributes
    ----------
    version : int
        Grows with each change, for people; replay goes by the registry's dates.
    records, require, skip : str
        Paths, for format ``json``: what in the message is one reading each; what must be true, or the message is refused; what, if
        true, makes the message no reading.
    time, time_format : str
        Path of the time and its form; empty = as the format has it.
    arrival : bool
        Whether the time of arrival may stand in where the message has none.
    span : int
        Seconds that each value stands for.
    source : str
        Path of the foreign name of the place or meter, or ``topic:N``, a level of the topic counted from 0.
    flag : str
        Path of the quality mark.
    flags : mapping
        Foreign mark → our letter; what stands nowhere is not valid.
    unflagged : str
        Letter of values without a mark; empty = the format's own (HJ 212: D, all others: N).
    sentinels : tuple of str
        Numbers that mean "no value", looked for before scaling.
    ignore : tuple of str
        Foreign names that are known and not wanted; ``*`` = all others.
    units : mapping
        Item → unit that is sent, for formats with items of their own (HJ 212).
    minutes : int
        Period of HJ 212 minute data; 0 = the device's interval.
    tolerant : bool
        Take HJ 212 frames with a length of three digits, or without CR LF.
    options : mapping
        Whatever a decoder of somebody else wants to know.
    """

    id: str
    format: str
    version: int = 1
    note: str = ""
    items: tuple[ItemRule, ...] = ()
    records: str = ""
    require: str = ""
    skip: str = ""
    time: str = ""
    time_format: str = ""
    arrival: bool = False
    span: int = 0
    source: str = ""
    flag: str = ""
    flags: Mapping[str, str] = field(default_factory=dict)
    unflagged: str = ""
    sentinels: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    minutes: int = 0
    tolerant: bool = False
    options: Mapping[str, object] = field(default_factory=dict)


def bare(format_: str) -> Rule:
    """The rule of a device that names a format and no mapping."""
    return Rule("", format_)


Keyring = Callable[[str], Callable[[str], Iterable[bytes]]]
"""Device → number of a packet (QN of HJ 212) → keys that may open it."""


def no_keys(_device: str) -> Callable[[str], Iterable[bytes]]:
    """Of a county that gave none."""
    return lambda _number: ()

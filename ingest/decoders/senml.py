"""SenML (RFC 8428) as JSON and CBOR: a pack is resolved before use. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import cbor2
import msgspec

from domain.errors import NotUnderstood
from ingest.decoders.samples import MOST, Letter, Sample, json_of, list_of, object_of, shown

LABELS: Final = {-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs", 0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd"}
"""CBOR labels (table 4 of the RFC)."""
VERSION: Final = 10
RELATIVE: Final = 2**28
"""Times below are relative to now (§4.5.3)."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*", re.ASCII)
VALUES: Final = ("v", "vs", "vb", "vd")
NOT_NUMBERS: Final = {"vs": "text", "vb": "boolean", "vd": "data"}
NO_NUMBERS: Final = frozenset(NOT_NUMBERS)
OWN: Final = frozenset({"n", "u", "v", "t", "ut"})
BASE: Final = frozenset({"bn", "bt", "bu", "bv", "bs", "bver"})
OLD_UNITS: Final = {"%": "/"}
"""A legacy synonym of unity; percent is ``/100`` (RFC 8798)."""
_new: Final = tuple.__new__


def senml_json(letter: Letter) -> list[Sample]:
    """Samples of a JSON pack."""
    return resolved(_quickly(letter.payload) or list_of(json_of(letter), "SenML"), letter)


def _quickly(payload: bytes) -> list[Any] | None:
    """A pack in which no key stands twice, seen at a glance: as many colons behind quotes as keys. None if it needs a closer look."""
    try:
        pack = msgspec.json.decode(payload)
        return pack if isinstance(pack, list) and payload.count(b'":') == sum(map(len, pack)) and all(type(one) is dict for one in pack) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
        return None


def senml_cbor(letter: Letter) -> list[Sample]:
    """Samples of a CBOR pack."""
    stream = BytesIO(letter.payload)
    try:
        pack = cbor2.load(stream)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise NotUnderstood(f"不是 CBOR not CBOR: {error}"[:160], "bad-encoding") from None
    if stream.read(1):
        raise NotUnderstood("CBOR 后有多余字节 bytes behind the CBOR", "bad-encoding")
    label = LABELS.get
    found: list[Mapping[Any, Any]] = [object_of(one, "record") for one in list_of(pack, "SenML")]
    records = [{label(key, "") if type(key) is int else key if type(key) is str else "": value for key, value in one.items()} for one in found]
    return resolved(records, letter)


def resolved(records: list[Any], letter: Letter) -> list[Sample]:
    """Records with their base fields taken over, as RFC 8428 §4.6 resolves them.

    A rule may know a value by its whole name, or by its own part of it; then the base name is whose value it is.
    """
    known = frozenset(one.name for one in letter.rule.items)
    if not records or len(records) > MOST:
        raise NotUnderstood(f"{len(records)} records in a pack")
    base: dict[str, Any] = {"bn": "", "bt": 0, "bu": None, "bv": 0, "bs": 0, "bver": VERSION}
    found: list[Sample] = []
    versions: set[int] = set()
    plain: _Plain | None = None
    for record in records:
        one = object_of(record, "record")
        number, alone = _shape(tuple(one))
        if plain is None or not alone:
            versions.add(_based(one, base))
            plain = _Plain(base, letter.received, known)
        sample = (plain.sample(one) if number else None) or _sample(one, base, (letter.received, known))
        if sample:
            found.append(sample)
    if len(versions) > 1 or max(versions) > VERSION:
        raise NotUnderstood(f"SenML 版本 version {', '.join(map(str, sorted(versions)))}, only one up to {VERSION} is understood")
    return found


def _based(one: Mapping[str, Any], base: dict[str, Any]) -> int:
    """Take over the base fields of a record; the version that it has then."""
    for key in one:
        if key in base:
            base[key] = one[key]
        elif key[-1:] == "_":
            raise NotUnderstood(f"必须理解的字段 a field that must be understood: {key[:32]!r}")
    return _version(base["bver"])


@lru_cache(1_000)
def _shape(keys: tuple[object, ...]) -> tuple[bool, bool]:
    """Whether a record of these keys is a number, and whether it changes no base field."""
    others = {*keys} - OWN
    return "v" in keys and others <= BASE, not others


class _Plain:
    """Records behind one base: nearly all are a name, a number and a time, and their names are the same few."""

    __slots__ = ("_base", "_begin", "_known", "_names", "_plain", "_received")

    def __init__(self, base: Mapping[str, Any], received: int, known: frozenset[str]) -> None:
        self._base, self._received, self._known = base, received, known
        self._names: dict[object, tuple[str, str | None]] = {}
        self._begin = base["bt"]
        self._plain = type(self._begin) is int and base["bv"] == 0 and type(base["bv"]) is int and type(base["bn"]) is str

    def sample(self, one: Mapping[str, Any]) -> Sample | None:
        """A record's sample; None if it needs a closer look."""
        if not self._plain:
            return None
        own, value, at, unit = one.get("n", ""), one["v"], one.get("t", 0), one.get("u", self._base["bu"])
        if type(at) is not int or type(own) is not str or (type(value) is not float and type(value) is not int):
            return None
        if unit is not None:
            if type(unit) is not str:
                return None
            unit = OLD_UNITS.get(unit, unit)
        meant = self._names.get(own)
        if meant is None:
            meant = self._names[own] = _meant(self._base["bn"], own, self._known)
        time = self._begin + at
        return _new(Sample, (meant[0], value, self._received + time if time < RELATIVE else time, unit, None, meant[1], False, False))


def _meant(first: str, own: str, known: frozenset[str]) -> tuple[str, str | None]:
    """Name and channel of a value: the rule knows its whole name, or its own part, and then the base name is whose value it is."""
    name = first + own
    if not _named(name):
        raise NotUnderstood(f"名称不合规 no SenML name: {name[:40]!r}")
    return (own, first) if first and own and name not in known else (name, None)


def _version(said: Any) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not 0 < said < 2**31:
        raise NotUnderstood(f"SenML 版本应为整数 the version should be an integer, not {shown(said)}")
    return said


def _sample(one: Mapping[str, Any], base: Mapping[str, Any], told: tuple[int, frozenset[str]]) -> Sample | None:
    values = ["v"] if "v" in one and NO_NUMBERS.isdisjoint(one) else [key for key in VALUES if key in one]
    if len(values) > 1:
        raise NotUnderstood(f"一条记录有多个值 several values in one record: {', '.join(values)}")
    if not values and "s" not in one:
        return None  # base fields alone
    received, known = told
    name, channel = _meant(_text(base["bn"], "bn"), _text(one.get("n", ""), "n"), known)
    unit = one.get("u", base["bu"])
    unit = None if unit is None else OLD_UNITS.get(_text(unit, "u"), unit)
    time = _time(_sum(base["bt"], one.get("t", 0), "t"), received)
    if not values:
        return Sample(name, _sum(base["bs"], one["s"], "s"), time, unit, channel=channel, sum=True)
    value = _sum(base["bv"], one["v"], "v") if values == ["v"] else one[values[0]]
    return Sample(name, value if values == ["v"] else f"{NOT_NUMBERS[values[0]]} {shown(value)}", time, unit, channel=channel)


@lru_cache(10_000)
def _named(name: str) -> bool:
    return bool(NAME.fullmatch(name))


def _sum(one: Any, other: Any, what: str) -> int | float | Decimal:
    """Base plus own, exactly where both are decimals."""
    if type(one) is int and type(other) is int:
        return one + other
    for value in (one, other):
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise NotUnderstood(f"{what} 应为数字 should be a number, not {shown(value)}")
    if not one:
        return other  # type: ignore[no-any-return]
    return Decimal(repr(one) if isinstance(one, float) else one) + Decimal(repr(other) if isinstance(other, float) else other)


def _time(time: float | Decimal, received: int) -> int | float:
    whole = float(time) if not isinstance(time, int) else time
    return received + whole if whole < RELATIVE else whole


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise NotUnderstood(f"{what} 应为文本 should be a text, not {shown(value)}")
    return value

"""Sparkplug B 3.0. Names and types of aliases stand in BIRTH only; a rule may name an alias itself as ``#7``. Pure but for its memory.

BIRTH and DATA travel with QoS 0 and are not kept by the broker: of these devices lanbi cannot promise that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.errors import NotUnderstood
from ingest.decoders.protobuf import fields, number, real, text, whole
from ingest.decoders.samples import Letter, Sample

BITS: Final = {1: 8, 2: 16, 3: 32, 4: 64}
"""Signed integers travel in unsigned fields."""
BIRTHS: Final = frozenset({"NBIRTH", "DBIRTH"})
DATA: Final = frozenset({"NDATA", "DDATA"})
GOOD: Final = 192
CONTROL: Final = ("Node Control/", "Device Control/", "bdSeq", "Properties/")
"""Metrics about the node and its session, not of what is measured."""
METRIC: Final = 2
_VALUES: Final = {10: number, 11: number, 12: real, 13: real, 14: lambda value: bool(number(value)), 15: text}
_IS: Final = {5: "historical", 6: "transient", 7: "null"}


class Known(NamedTuple):
    """What BIRTH said of an alias."""

    name: str
    datatype: int


@dataclass
class Metric:
    """One metric as it stands."""

    name: str | None = None
    alias: int | None = None
    time: int | None = None
    datatype: int = 0
    historical: bool = False
    transient: bool = False
    null: bool = False
    unit: str | None = None
    quality: int = GOOD
    value: object = None


def sparkplug(letter: Letter) -> list[Sample] | None:
    """Samples of BIRTH and DATA; the channel is the device level of the topic, of an edge node its own."""
    levels = letter.topic.split("/")
    if len(levels) not in {4, 5} or levels[0] != "spBv1.0":
        raise NotUnderstood(f"不是 Sparkplug 主题 no topic of Sparkplug: {letter.topic[:60]!r}")
    kind, owner = levels[2], "/".join(levels[1:2] + levels[3:])
    if kind not in BIRTHS | DATA:
        return None
    births: dict[int, Known] = letter.memory.setdefault(owner, {})
    metrics = [_metric(whole(value)) for field, value in fields(letter.payload) if field == METRIC]
    if kind in BIRTHS:
        births.clear()
        births.update((one.alias, Known(one.name, one.datatype)) for one in metrics if one.alias is not None and one.name)
    return [sample for one in metrics for sample in _sample(one, births, levels[-1])]


def _sample(one: Metric, births: dict[int, Known], channel: str) -> Iterator[Sample]:
    known = births.get(one.alias) if one.alias is not None else None
    name = one.name or (known.name if known else f"#{one.alias}")
    if one.transient or one.null or name.startswith(CONTROL):
        return
    value = _signed(one.value, one.datatype or (known.datatype if known else 0))
    yield Sample(name, value, one.time, one.unit, "N" if one.quality == GOOD else f"Q{one.quality}", channel, late=one.historical)


def _signed(value: object, datatype: int) -> object:
    bits = BITS.get(datatype)
    if not datatype and isinstance(value, int) and value >> 31:
        return f"{value}: negative? its type stands in a BIRTH that was not heard"
    if bits is None or not isinstance(value, int) or isinstance(value, bool):
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _metric(data: bytes) -> Metric:
    one = Metric()
    for field, value in fields(data):
        if field == 1:
            one.name = text(value)
        elif field in {2, 3, 4}:
            setattr(one, {2: "alias", 3: "time", 4: "datatype"}[field], number(value))
        elif field in _IS:
            setattr(one, _IS[field], bool(number(value)))
        elif field == 9:
            _properties(whole(value), one)
        elif field in _VALUES:
            one.value = _VALUES[field](value)
        elif field in {16, 17, 18, 19}:
            one.value = "data"  # sets, bytes and templates are no numbers
    return one


def _properties(data: bytes, one: Metric) -> None:
    """Unit and quality, by the names that the specification and most vendors give them."""
    pairs = list(fields(data))
    keys = [text(value) for field, value in pairs if field == 1]
    values = [whole(value) for field, value in pairs if field == 2]
    for key, value in zip(keys, values, strict=False):
        said = dict(fields(value))
        if key == "Quality" and 3 in said:
            one.quality = number(said[3])
        elif key.lower() in {"engunit", "unit", "units", "engunits"} and 8 in said:
            one.unit = text(said[8])

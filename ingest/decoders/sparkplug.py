"""Sparkplug B 3.0. Names and types of aliases stand in BIRTH only; a rule may name an alias itself as ``#7``. Pure but for its memory.

BIRTH and DATA travel with QoS 0 and are not kept by the broker: of these devices lanbi cannot promise that nothing is lost. What an edge
node must be asked to say again, because an alias is unknown or a number of its sequence is missing, is noted (:data:`REBIRTH`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
SEQ: Final = 3
TURNS: Final = 256
"""Numbers of a node's messages, its devices' included, go round (tck-id-payloads-sequence-num)."""
MOST: Final = 100_000
"""Nodes, devices and aliases whose births are remembered of one device of ours: invented ones must not eat memory."""
BIRTH: Final = "birth"
SIZE: Final = "size"
"""Keys in a decoder's memory: births by node or device, and how many aliases and owners they are."""
REBIRTH: Final = "rebirth"
"""Key in a decoder's memory: edge nodes that should be asked for their births."""
COMMAND: Final = b"Node Control/Rebirth"
_VALUES: Final = {10: number, 11: number, 12: real, 13: real, 14: lambda value: bool(number(value)), 15: text}
_IS: Final = {5: "historical", 6: "transient", 7: "null"}


class Known(NamedTuple):
    """What BIRTH said of an alias."""

    name: str
    datatype: int


class Node(NamedTuple):
    """An edge node."""

    group: str
    edge: str

    @property
    def command(self) -> str:
        """The topic of its commands."""
        return f"spBv1.0/{self.group}/NCMD/{self.edge}"


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
    kind, owner, node = levels[2], "/".join(levels[1:2] + levels[3:]), Node(levels[1], levels[3])
    if kind == "NDEATH":
        letter.memory.pop(_heard(node), None)  # what it says next begins with its birth
    if kind not in BIRTHS | DATA:
        return None
    births: dict[int, Known] = letter.memory.get(BIRTH, {}).get(owner, {})
    parts = list(fields(letter.payload))
    metrics = [_metric(whole(value)) for field, value in parts if field == METRIC]
    if kind in BIRTHS:
        births = {one.alias: Known(one.name, one.datatype) for one in metrics if one.alias is not None and one.name}
        _remember(letter, owner, births)
    named = {one.name for one in letter.rule.items}
    strange = any(one.alias is not None and not one.name and one.alias not in births and f"#{one.alias}" not in named for one in metrics)
    skipped = _skipped(letter, node, kind, next((number(value) for field, value in parts if field == SEQ), None))
    if (strange or skipped) and node in nodes(letter.topics):
        letter.memory.setdefault(REBIRTH, set()).add(node)
    # A birth of control metrics alone, or data that are all null, is understood and brings no reading.
    return [sample for one in metrics for sample in _sample(one, births, levels[-1])] or None


def _remember(letter: Letter, owner: str, births: dict[int, Known]) -> None:
    """Keep a birth; where there are too many the oldest are forgotten, and asked for again when their data come."""
    memory = letter.memory
    book: dict[str, dict[int, Known]] = memory.setdefault(BIRTH, {})
    before = book.pop(owner, None)
    book[owner] = births
    size = memory.get(SIZE, 0) + len(births) + (1 if before is None else -len(before))
    while size > MOST and len(book) > 1:
        size -= 1 + len(book.pop(next(iter(book))))
    memory[SIZE] = size


def nodes(filters: Iterable[str]) -> set[Node]:
    """Edge nodes that foreign topics of a device name.

    >>> nodes(["spBv1.0/plant/+/edge/press", "spBv1.0/+/NDATA/x", "tele/a"])
    {Node(group='plant', edge='edge')}
    """
    found = (one.split("/") for one in filters if one.startswith("spBv1.0/"))
    return {Node(levels[1], levels[3]) for levels in found if len(levels) > 3 and not {"+", "#"} & {levels[1], levels[3]}}


def rebirth(now_ms: int) -> bytes:
    """The command that asks a node for its births: one metric, true (tck-id-payloads-rebirth)."""
    metric = b"\x0a%c%b\x20\x0b\x70\x01" % (len(COMMAND), COMMAND)
    return b"\x08" + _varint(now_ms) + b"\x12%c" % len(metric) + metric


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _heard(node: Node) -> str:
    return f"{node.group}/{node.edge}#seq"


def _skipped(letter: Letter, node: Node, kind: str, said: int | None) -> bool:
    """Whether numbers are missing before this message of a node all of whose messages are heard; half a round back is said again."""
    if said is None or f"spBv1.0/{node.group}/+/{node.edge}/#" not in letter.topics:
        return False
    last: int | None = letter.memory.get(_heard(node))
    ahead = 1 if last is None or kind == "NBIRTH" else (said - last) % TURNS
    if ahead < TURNS // 2:
        letter.memory[_heard(node)] = said % TURNS
    return 1 < ahead < TURNS // 2


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

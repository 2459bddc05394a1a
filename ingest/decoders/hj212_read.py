"""HJ 212 packets become messages: command → span and field, factor → item, unit and mark by the device's rule. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from domain.civil import SHANGHAI
from domain.items import BY_REALM
from domain.message import Message, Refusal
from domain.reasons import MAX_MESSAGE
from domain.rules import ItemRule
from ingest.decoders.hj212 import Bad, Dialect, Packet, packets, parse, sole
from ingest.decoders.hj212_factors import BY_CODE, unit_of
from ingest.decoders.hj212_forms import NUMBER, Forms, Meant, Place
from ingest.decoders.hj212_states import TYPES, told
from ingest.decoders.mapping import Places
from ingest.decoders.native import Part
from ingest.decoders.samples import Letter
from ingest.decoders.times import digits
from ingest.decoders.units import converter

READINGS: Final = {"2011": ("Rtd", 0), "2051": ("Avg", -1), "2061": ("Avg", 3_600), "2031": ("Avg", 86_400)}
"""Command → field that counts, and seconds that it stands for; -1 = the registered period of minute data."""
OTHERS: Final = {
    "1000": "超时重发 time-out and resends", "1013": "请求校时 asks for the time", "2021": "治理设施状态 state of equipment",
    "2041": "设施日运行时间 running time of equipment", "2081": "数采仪开机 start of the logger", "3019": "唯一标识 unique id", "3020": "现场信息 information",
    "9011": "请求应答 answer", "9012": "执行结果 result", "9013": "通知应答 answer", "9014": "数据应答 answer", "9015": "心跳 heartbeat",
}  # fmt: skip
"""Commands that bring no reading: kept in the journal, counted as none; those of :data:`TYPES` become events."""
MINUTES: Final = frozenset({1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30})
"""Periods that minute data may have (MinInterval)."""
FLAGS: Final = {**dict.fromkeys("NFMSDCTB"), "P": "D", "0": "C", "1": "N", "2": "D", "3": "N"}
"""Marks: table 8 of 2017 as they are; of 2005 P (power fault, never our back-filled) and the digits of its air stations."""
NOT_VALID: Final = "D"
"""An unknown mark, or none where the rule does not say what that means, is never valid."""
FIELDS: Final = frozenset({"Rtd", "Min", "Avg", "Max", "Cou", "ZsRtd", "ZsMin", "ZsAvg", "ZsMax", "SampleTime", "EFlag", "Info", "SN", "RS", "RT"})
"""Fields that the standard knows; those that do not count here stay in the journal. Converted values (Zs…) are not the measured ones."""
PLAIN: Final = frozenset({"DataTime", "QN", "SystemTime", "RestartTime", "BeginTime", "EndTime", "PolId", "InfoId"})
_is_number: Final = re.compile(NUMBER, re.ASCII).fullmatch
_COMMAND: Final = re.compile(rb"[;#\d]CN=(\d{4});")
_DATA: Final = frozenset(name.encode() for name in READINGS)
_MISSING: Final = frozenset({"", "-", "--"})


class _What(NamedTuple):
    """A name of the data area: what it means, whether a mark is written right, or why it is refused."""

    meant: Meant
    exact: bool = True
    fault: Refusal | None = None


_NOTHING: Final = _What(Meant())


class Reader:
    """Reads the packets of one device by its rule.

    Parameters
    ----------
    places : Places
        Whose MN are whose.
    """

    def __init__(self, letter: Letter, places: Places) -> None:
        self.rule, self.places = letter.rule, places
        self.zone = letter.zone or SHANGHAI
        self.dialect = Dialect(places.device.crc, letter.rule.tolerant, places.registry.keyring(places.device.id))
        self._own = {one.name: one for one in letter.rule.items}
        self._ignored = frozenset(letter.rule.ignore)
        self._sentinels = frozenset(letter.rule.sentinels)
        self._flags = {**{name: letter_ or name for name, letter_ in FLAGS.items()}, **letter.rule.flags}
        self._unflagged = letter.rule.unflagged or NOT_VALID
        self._known: dict[tuple[str | None, str], dict[str, _What]] = {}
        self._forms = Forms(self.zone, self._flags, (NOT_VALID, self._unflagged), self._sentinels)

    def read(self, payload: bytes) -> list[Part]:
        """Parts of a payload; a packet without readings gives none. Never raises."""
        if len(payload) > MAX_MESSAGE:
            return [Part(Refusal("oversize", f"{len(payload)} bytes, at most {MAX_MESSAGE}"))]
        segment = sole(payload, self.dialect.crc)
        if segment is not None:
            known = self._forms.read(segment)
            if known is not None:
                return [Part(known)]
            alone = parse(segment)
            if type(alone) is Packet:
                return self.packet(alone)
        found: list[Part] = []
        for one in packets(payload, self.dialect):
            if isinstance(one, Packet):
                found += self.packet(one)
            elif one.raw.strip():
                found.append(Part(Refusal("bad-encoding", f"HJ 212 {one.cause}: {one.why}"[:300])))
        return found if payload else [Part(Refusal("bad-encoding", "空报文 an empty payload"))]

    def packet(self, packet: Packet) -> list[Part]:
        """The reading of one packet."""
        source = self._source(packet)
        if isinstance(source, Refusal):
            return [Part(source)]
        meant = READINGS.get(packet.header.get("CN", ""))
        if meant is None:
            if packet.command in TYPES:
                return [Part(told(packet, source, self.places.device.names, self.zone))]
            return [] if packet.command in OTHERS else [Part(Refusal("bad-schema", f"HJ 212 命令 command CN={packet.command[:8]!r} is none of an upload"))]
        field, span = meant
        span = self._minutes() if span < 0 else span
        pairs = packet.data.replace(";", ",").split(",")
        try:
            time = digits(_time_of(pairs), self.zone)
        except ValueError as error:
            return [Part(Refusal("bad-schema", f"DataTime: {error}"))]
        if not span and field == "Avg":
            return [Part(Refusal("bad-schema", "分钟数据的周期未登记 the period of minute data is not registered: minutes in the mapping, or interval"))]
        return [self._reading(packet, (source, time, span), field, pairs)]

    def _source(self, packet: Packet) -> str | Refusal | None:
        """Whose values these are: the MN must be one of the device's own names; the payload is never believed alone."""
        number, device = packet.header.get("MN", ""), self.places.device
        if device.pw is not None and packet.header.get("PW") != device.pw:
            return Refusal("identity-mismatch", "PW 不符 the password (PW) is not the registered one")
        known = device.names.get(number)
        if known is not None or (number == device.id and len(self.places.sources) == 1):
            return known
        if number in self.places.registry.by_name or number in self.places.registry.devices:
            return Refusal("identity-mismatch", f"MN {number[:24]!r} 属于另一设备 belongs to another device")
        return Refusal("unknown-device", f"MN {number[:24]!r} 未登记 is not among the names of device {device.id}")

    def _minutes(self) -> int:
        said = self.rule.minutes or self.places.device.interval // 60
        exact = self.rule.minutes or self.places.device.interval % 60 == 0
        return said * 60 if exact and said in MINUTES else 0

    def _reading(self, packet: Packet, place: tuple[str | None, int, int], field: str, pairs: list[str]) -> Part:
        source, time, span = place
        known = self._known.setdefault((source, field), {})
        values: dict[str, float | None] = {}
        marks: dict[str, str] = {}
        bad: list[Refusal] = []
        for pair in pairs:
            name, _, text = pair.partition("=")
            meant, exact, fault = known.get(name) or self._learn(known, name, field, source)
            if meant.value:
                self._enter(meant, text, values, bad)
            elif meant.mark:
                marks[meant.item] = self._flags.get(text, NOT_VALID) if exact else NOT_VALID
            elif fault is not None:
                bad.append(fault)
        flags = {item: flag for item in values if (flag := marks.get(item, self._unflagged)) != "N"}
        if packet.header.get("RF") == "1":
            flags = {item: "P" if flags.get(item, "N") == "N" else flags[item] for item in values}
        if not values and not bad:
            bad.append(Refusal("bad-schema", f"没有 no field {field} in a packet of CN={packet.command}"))
        if not bad:
            self._forms.learn(packet.raw, {name: what.meant for name, what in known.items() if what.exact}, Place(source, span, packet.header.get("RF") == "1"))
        return Part(Message(time, span, values, source=source, flags=flags), tuple(bad))

    def _enter(self, what: Meant, text: str, values: dict[str, float | None], bad: list[Refusal]) -> None:
        if not _is_number(text) or text in self._sentinels:
            if text.strip() not in _MISSING:
                bad.append(self._no_value(what.item, text))
            return
        value = float(what.convert(Decimal(text))) if what.convert else float(text)
        if values.setdefault(what.item, value) != value:
            bad.append(Refusal("bad-schema", f"两个值 two values in one packet: {values[what.item]} and {value}", what.item))

    def _no_value(self, item: str, text: str) -> Refusal:
        if text in self._sentinels:
            return Refusal("value-out-of-range", f"{text} 表示无值 means no value", item)
        return Refusal("bad-schema", f"不是数字 {text[:20]!r} is no number", item)

    def _learn(self, known: dict[str, _What], name: str, field: str, source: str | None) -> _What:
        """What a name of the data area means, remembered while there are few."""
        what = self._meaning(name.strip(), field, source)
        if len(known) < 1_000:
            known[name] = what
        return what

    def _meaning(self, name: str, field: str, source: str | None) -> _What:
        factor, dash, part = name.rpartition("-")
        if not dash:
            return _NOTHING if not name or name in PLAIN else _fault(Refusal("unknown-item", f"字段 field {name[:32]!r} is not known", name[:32]))
        whole = next((rule for key in (factor, *(f"{factor}-{one}" for one in FIELDS)) if (rule := self._own.get(key))), None)
        item, unit = self._item(factor, source) if whole is None else (whole.item, whole.unit)
        if item == "":
            return _NOTHING if part != field and (part in FIELDS or part.lower() == "flag") else self._strange(factor, part)
        if part.lower() == "flag":
            return _What(Meant(mark=True, item=item), part == "Flag")
        wanted = whole.name.rpartition("-")[2] if whole and "-" in whole.name else field
        if part != wanted:
            return _NOTHING if part in FIELDS else _fault(Refusal("unknown-item", f"字段 field {name[:32]!r} is not known", name[:32]))
        return self._value(item, self.rule.units.get(item, unit), whole, source)

    def _strange(self, factor: str, part: str) -> _What:
        if factor in self._ignored or "*" in self._ignored or part in {"RS", "RT"}:
            return _NOTHING
        known = BY_CODE.get(factor)
        words = f"{known.name} is kept for no such place" if known else "因子未登记 the factor is in no table: give the mapping an item"
        return _fault(Refusal("unknown-item", f"{factor[:16]}: {words}", factor[:32]))

    def _item(self, factor: str, source: str | None) -> tuple[str, str]:
        """Our item and the unit that is sent, by the table of the standard; empty where there is none for this kind of place."""
        known, kind = BY_CODE.get(factor), self.places.kind(source)
        return (known.item, unit_of(known, kind)) if known and known.item in BY_REALM.get(kind, ()) else ("", "")

    def _value(self, item: str, unit: str, rule: ItemRule | None, source: str | None) -> _What:
        wanted = self.places.unit(source, item)
        how = converter(unit, wanted) if unit and wanted else None
        if isinstance(how, str):
            return _fault(Refusal("unit-mismatch", how, item))
        if rule is None or (rule.scale, rule.offset) == ("1", "0"):
            return _What(Meant(value=True, item=item, convert=how))
        scale, offset = Decimal(rule.scale), Decimal(rule.offset)
        return _What(Meant(value=True, item=item, convert=lambda value: how(value * scale + offset) if how else value * scale + offset))


def _time_of(pairs: list[str]) -> str:
    """DataTime, which stands first in nearly every packet."""
    first = pairs[0] if pairs[0].startswith("DataTime=") else next((one.strip() for one in pairs if one.strip().startswith("DataTime=")), "")
    return first[9:]


def _fault(refusal: Refusal) -> _What:
    return _What(Meant(item=refusal.item or ""), fault=refusal)


def count(payload: bytes) -> int:
    """Readings in a payload before it is decoded: packets of data commands, and bytes that are none."""
    named = _COMMAND.search(payload) if payload[2:6].isdigit() and int(payload[2:6]) == len(payload) - 12 else None
    if named and named[1] in _DATA:
        return 1
    found = 0
    for one in packets(payload, Dialect(tolerant=True)):
        found += one.command in READINGS or one.command not in OTHERS if isinstance(one, Packet) else bool(one.raw.strip())
    return found


def words(packet: Packet | Bad) -> str:
    """A packet in a line, for people; the password is never shown."""
    if isinstance(packet, Bad):
        return f"{packet.cause}: {packet.why}"
    number, total = packet.part
    head = ";".join(f"{name}={'******' if name == 'PW' else value}" for name, value in packet.header.items())
    return f"HJ 212-{packet.version} {head}" + (f" ({number}/{total})" if total > 1 else "") + "".join(f"; {note}" for note in packet.notes)

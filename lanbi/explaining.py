"""Why a message became what it became: each step in words, Chinese first; and how a new mapping would fare with the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.civil import SHANGHAI, day_of, iso
from domain.errors import FileError, InputError, LanbiError, NotUnderstood
from domain.items import ITEMS
from domain.message import Refusal
from domain.places import Dated, Registry
from domain.readings import FLAGS
from domain.reasons import ALL as REASONS
from domain.rules import HJ212, NATIVE
from domain.sayings import both
from domain.speaking import rule_of, starts
from ingest.accept import NS, Acceptor, Speaker, Verdict, device_of
from ingest.decoders import hj212_read, hj212_states
from ingest.decoders.formats import dialects, example_of, looks_like
from ingest.decoders.hj212 import Dialect, Packet, packets
from ingest.decoders.hj212_parts import Parts
from ingest.decoders.mapping import Places
from ingest.decoders.samples import Letter, Sample, shown
from ingest.decoders.topics import Owners
from ingest.ports import Refused
from lanbi.captures import Captured
from lanbi.journal import record
from lanbi.registry import loads
from lanbi.state import StateView
from lanbi.toml_lines import read

SHOWN: Final = 40
"""Values of a message that are told one by one."""
PAGE: Final = 1_000


def tried(registry: Registry, path: Path, device: str | None) -> Registry:
    """The registry with the mappings of a file, and with a device that goes by the last of them.

    Raises
    ------
    InputError
        The file holds no valid mapping, or no such device is registered.
    """
    # A registry needs a county; behind the text, so that a mistake is told at the line where it stands.
    tail = '\n[county]\nid = "x"\nname = "x"\n'
    found = loads(read(path, FileError) + tail, str(path)).mappings
    if not found:
        raise FileError("the file has no [[mapping]]", str(path), "write one; docs/settings.md explains every key")
    known = {**registry.mappings, **found}
    if device is None:
        return replace(registry, mappings=known)
    owner = registry.devices.get(device)
    if owner is None:
        raise InputError(f"no device {device!r} in the registry", "--device", "`lanbi registry` and the registry's file show the ids")
    own = replace(owner, mapping=Dated.always(list(found)[-1]))
    return replace(registry, mappings=known, devices={**registry.devices, device: own})


@dataclass
class Explainer:
    """Tells of messages by one registry, in the order in which they came."""

    registry: Registry
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._acceptor, self._owners = Acceptor(self.registry), Owners(self.registry)
        self._parts = Parts()
        self._memories: dict[str, dict[str, Any]] = {}

    def owned(self, topic: str) -> bool:
        """Whether a topic is a device's, registered or not: lanbi's own form, or a foreign one that the registry gives to one."""
        return bool(device_of(topic) or self._owners.of(topic))

    def lines(self, message: Captured) -> Iterator[str]:
        """Every step of one message."""
        seen = looks_like(message.payload, message.topic)
        yield f"报文 message: {len(message.payload)} bytes, 接收 received {iso(message.received_ns // NS)}"
        yield f"主题 topic: {message.topic or '—'}"
        near = example_of(message.payload)
        yield f"识别 looks like: {seen or near or '没有特征 nothing that bears a mark'}" + (f" (examples/mappings/{near}.toml)" if near else "")
        speaker = self._acceptor.speaker(message)
        if isinstance(speaker, Refusal):
            yield f"设备 device: {_words(speaker)}"
            if seen == HJ212:
                yield from self._packets(message, Dialect(tolerant=True))
        else:
            yield from self._rule(message, speaker)
        verdicts = self._acceptor.judge(message)
        for verdict in verdicts:
            yield from self._verdict(verdict)
        if not verdicts:
            self.counts["nothing"] += 1
            yield "结果 outcome: 已理解，不含读数 understood, and brings no reading"

    def _rule(self, message: Captured, speaker: Speaker) -> Iterator[str]:
        device, day = speaker.device, day_of(message.received_ns // NS)
        assert device is not None  # noqa: S101  what is captured was not imported
        rule = rule_of(self.registry, device, day)
        named = f"映射 mapping {rule.id} v{rule.version}, " if rule.id else ""
        label = "起始 start" if starts(self.registry, device, day) else "结束 end"
        yield f"设备 device: {device.id}, 代表 speaks for {', '.join(device.sources.on(day) or ())} ({device.state.on(day) or '未投用 not yet in service'})"
        yield f"规则 rule: {named}格式 format {rule.format}"
        yield f"时间 time: 时区 zone {speaker.zone or (SHANGHAI if rule.format == HJ212 else '—')}, 标签 label {label}, 单位 unit {_unit(rule.format, rule.time_format, speaker)}"
        if rule.format == HJ212:
            yield from self._packets(message, Dialect(device.crc, rule.tolerant, self.registry.keyring(device.id)))
        elif rule.format != NATIVE:
            letter = Letter(message.payload, message.topic, rule, message.received_ns // NS, speaker.zone, self._memories.setdefault(device.id, {}))
            yield from _samples(letter)

    def _packets(self, message: Captured, dialect: Dialect) -> Iterator[str]:
        for one in packets(message.payload, dialect):
            yield f"  {hj212_read.words(one)}"
            if not isinstance(one, Packet):
                continue
            meaning = hj212_read.OTHERS.get(one.command)
            yield f"    CN {one.command}: {meaning or 'data 数据'}; 数据 data {one.data[:300] or '—'}"
            missing = self._parts.note(one, one.data.partition(";")[0]) if one.part != (1, 1) else []
            if missing:
                yield f"    分包 split: 还缺 still missing {', '.join(map(str, missing))}"

    def _verdict(self, verdict: Verdict) -> Iterator[str]:
        sight = verdict.sight
        self.counts["accepted" if sight else "refused"] += verdict.readings
        if sight:
            owner = self.registry.devices.get(sight.device)
            places = Places(self.registry, owner, day_of(sight.time)) if owner else None
            yield f"接受 accepted: {sight.source} ({self.registry.name_of(sight.source)}), 至 until {iso(sight.time)}, {_span(sight.span)}"
            for name, value in sight.values.items():
                known, flag = ITEMS[sight.kind, name], sight.flags.get(name, "N")
                unit = places.unit(sight.source, name) if places else known.unit
                told = "撤回 withdrawn" if value is None else f"{value!r} {unit}"
                yield f"    {name} ({known.zh}) = {told}, 标记 flag {flag} {FLAGS[flag][0]} {FLAGS[flag][1]}"
        if verdict.event is not None:
            self.counts["events"] += 1
            yield f"事件 event: {hj212_states.words(verdict.event)}"
        for one in verdict.refused:
            yield f"拒绝 refused{f' {one.item}' if one.item else ''}: {_words(one)}"


def _unit(format_: str, said: str, speaker: Speaker) -> str:
    known = dialects().get(format_)
    return said or (known.time_format if known else "yyyyMMddHHmmss" if format_ == HJ212 else speaker.time_unit)


def _samples(letter: Letter) -> Iterator[str]:
    """What the decoder read, before any unit is converted."""
    known = dialects().get(letter.rule.format)
    try:
        samples: list[Sample] = (known.decode(letter) or []) if known else []
    except NotUnderstood as error:
        yield f"  解码 decoding: {error.reason}: {both(error.what)}"
        return
    except Exception as error:  # noqa: BLE001  a decoder may be somebody else's; the verdict below tells the same
        yield f"  解码 decoding: {error!r}"
        return
    rules = {one.name: one for one in letter.rule.items}
    for one in samples[:SHOWN]:
        rule = rules.get(one.name)
        unit = (rule.unit if rule and rule.unit else one.unit) or "—"
        extra = "".join(
            f", {word} {value}" for word, value in (("时间 time", one.time), ("通道 channel", one.channel), ("标记 mark", one.flag)) if value is not None
        )
        yield f"  {one.name} = {shown(one.value)} [{unit}]{extra} → {rule.item if rule else '映射中没有 stands in no rule'}"
    if len(samples) > SHOWN:
        yield f"  … 另有 {len(samples) - SHOWN} 个值 more values"


def _words(refusal: Refusal) -> str:
    zh, en = REASONS.get(refusal.reason, ("", ""))
    return f"{refusal.reason} {zh} {en} — {both(refusal.detail)}"


def _span(span: int) -> str:
    return f"时长 span {span} s" if span else "瞬时 instantaneous"


# ---- the dead letters, judged by another registry


class Trial(NamedTuple):
    """What a registry would make of the dead letters: messages that would pass whole, in part, or not, and why not."""

    messages: int
    whole: int
    partly: int
    lost: int
    reasons: Mapping[str, int]


def dry_run(data: Path, registry: Registry, device: str | None) -> Trial:
    """Judge the standing dead letters once more, storing nothing."""
    acceptor, counts, reasons = Acceptor(registry), Counter[str](), Counter[str]()
    view = StateView(data)
    try:
        for writer, seq in _places(view, device):
            counts["messages"] += 1
            try:
                found = record(data / "journal", writer, seq)
            except LanbiError:
                found = None
            if found is None:
                counts["lost"] += 1
                continue
            verdicts = acceptor.judge(found)
            refused = [one.reason for verdict in verdicts for one in verdict.refused]
            reasons.update(refused)
            good = any(verdict.sight for verdict in verdicts) or not refused
            counts["whole" if good and not refused else "partly" if good else "none"] += 1
    finally:
        view.close()
    return Trial(counts["messages"], counts["whole"], counts["partly"], counts["lost"], dict(reasons.most_common()))


def _places(view: StateView, device: str | None) -> Iterable[tuple[str, int]]:
    """Journal records of the dead letters of devices, each once, oldest first."""
    places: dict[tuple[str, int], None] = {}
    after = 0
    while True:
        rows: list[tuple[int, Refused]] = view.refused(after=after, limit=PAGE)
        places.update(((row.writer, row.seq), None) for _, row in rows if row.seq and row.writer != "import" and device in {None, row.device})
        if len(rows) < PAGE:
            return places
        after = rows[-1][0]

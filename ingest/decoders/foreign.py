"""The way of every payload that is not native: whose it is, by which rule, and what that makes of it. Pure but for decoders' memories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from domain.civil import day_of
from domain.message import Refusal
from domain.places import Device, Registry
from domain.reasons import MAX_MESSAGE
from domain.rules import HJ212, Rule
from ingest.decoders.formats import dialects, looks_like
from ingest.decoders.hj212_read import Reader
from ingest.decoders.mapping import Mapper, Places
from ingest.decoders.native import Part
from ingest.decoders.samples import Letter
from ingest.decoders.sparkplug import REBIRTH, Node

MANY: Final = 20_000
"""Edge nodes that are remembered to be asked."""
_NONE: Final[Mapping[int, Any]] = MappingProxyType({})


class Envelope(NamedTuple):
    """A foreign message: its bytes, its topic, when it came [s], and in which zone its device's clock is."""

    payload: bytes
    topic: str
    received: int
    zone: tzinfo | None


class Foreign:
    """Reads foreign messages by one version of the registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._readers: dict[str, dict[int, Reader | Mapper | Refusal]] = {}
        self._memories: dict[str, dict[str, Any]] = {}
        self._silent: dict[Node, int] = {}

    def silent(self) -> dict[Node, int]:
        """Edge nodes whose births are missing, by the receive time [s] of what showed it; since the last call."""
        found, self._silent = self._silent, {}
        return found

    def read(self, envelope: Envelope, device: Device, rule: Rule) -> list[Part]:
        """Parts of a message; none where it is understood and brings no reading. Never raises."""
        reader = self._readers.get(device.id, _NONE).get(day_of(envelope.received))
        if type(reader) is Reader:
            return reader.read(envelope.payload)
        if len(envelope.payload) > MAX_MESSAGE:
            return [Part(Refusal("oversize", f"{len(envelope.payload)} bytes, at most {MAX_MESSAGE}"))]
        memory = self._memories.setdefault(device.id, {})
        letter = Letter(envelope.payload, envelope.topic, rule, envelope.received, envelope.zone, memory, device.topics)
        reader = reader or self._learned(letter, device)
        if isinstance(reader, Refusal):
            return [Part(reader)]
        if isinstance(reader, Reader):
            return reader.read(letter.payload)
        parts = reader.read(letter)
        if REBIRTH in memory and len(self._silent) < MANY:
            self._silent.update(dict.fromkeys(memory.pop(REBIRTH), envelope.received))
        other = _other(letter) if any(isinstance(part.what, Refusal) for part in parts) else ""
        return [_hinted(part, other) for part in parts] if other else parts

    def _learned(self, letter: Letter, device: Device) -> Reader | Mapper | Refusal:
        """How a device is read on a day; what it said on others than the days beside it is not remembered, or a year of it would stay."""
        day = day_of(letter.received)
        made = self._made(letter, Places(self.registry, device, day))
        beside = {other: reader for other, reader in self._readers.get(device.id, _NONE).items() if abs(other - day) == 1}
        self._readers[device.id] = {**beside, day: made}
        return made

    @staticmethod
    def _made(letter: Letter, places: Places) -> Reader | Mapper | Refusal:
        if letter.rule.format == HJ212:
            return Reader(letter, places)
        dialect = dialects().get(letter.rule.format)
        if dialect is None:
            return Refusal("bad-schema", f"格式未知 unknown format {letter.rule.format[:40]!r}: is the package installed that reads it?")
        return Mapper(letter.rule, dialect, places)


def _other(letter: Letter) -> str:
    """The format that a payload looks like, where the rule names another: both are told, neither is guessed."""
    seen = looks_like(letter.payload, letter.topic)
    return "" if seen in {"", letter.rule.format} or letter.rule.format == "json" else seen


def _hinted(part: Part, other: str) -> Part:
    if not isinstance(part.what, Refusal) or part.what.reason not in {"bad-schema", "bad-json", "bad-encoding"}:
        return part
    detail = f"{part.what.detail}; 报文像 the message looks like {other}"
    return Part(Refusal("bad-schema", detail[:300], part.what.item), part.items)

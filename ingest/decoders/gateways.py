"""Chinese meter gateways (DL/T 645, Modbus → JSON): the three families of payloads that vendors send. Pure.

Topics, names and units are the vendor's own, so the rule gives all of them. A read that failed leaves its key out; keys are taken
exactly as they stand, a trailing blank included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import NotUnderstood
from ingest.decoders.samples import Letter, Sample, json_of, list_of, object_of, shown


def wide(letter: Letter) -> list[Sample]:
    """One flat object a meter, or a list of them; the rule's ``time`` and ``source`` are keys of it."""
    seen = json_of(letter)
    return [sample for row in (seen if isinstance(seen, list) else [seen]) for sample in _flat(object_of(row, "record"), letter)]


def _flat(row: Mapping[str, Any], letter: Letter) -> Iterator[Sample]:
    rule = letter.rule
    channel = _channel(row, rule.source)
    if rule.time and rule.time not in row and not rule.arrival:
        raise NotUnderstood(f"缺少时间 time {rule.time!r} is missing")
    time = row.get(rule.time) if rule.time else None
    for name, value in row.items():
        if name not in {rule.time, rule.source}:
            yield Sample(name, value, time, channel=channel)


def _channel(row: Mapping[str, Any], key: str) -> str | None:
    if not key:
        return None
    if not isinstance(row.get(key), str | int) or isinstance(row.get(key), bool):
        raise NotUnderstood(f"缺少表地址 the meter's address {key!r} is missing")
    return str(row[key])


def listed(letter: Letter) -> list[Sample]:
    """An object with a ``properties`` list of ``{key, value, unit, timestamp}``: a value's own time goes before the message's."""
    one = object_of(json_of(letter), "message")
    rule = letter.rule
    channel, whole = _channel(one, rule.source), one.get(rule.time) if rule.time else None
    return [_property(object_of(row, "property"), whole, channel) for row in list_of(one.get("properties"), "properties")]


def _property(row: Mapping[str, Any], time: object, channel: str | None) -> Sample:
    name, unit = row.get("key"), row.get("unit")
    if not isinstance(name, str) or "value" not in row:
        raise NotUnderstood(f"属性应有 key 和 value, not {shown(row)}")
    return Sample(name, row["value"], row.get("timestamp", time), unit if isinstance(unit, str) and unit else None, channel=channel)


def by_device(letter: Letter) -> list[Sample]:
    """A list of ``{"i": id, "v": {name: value}}``; the rule's ``time`` is a key beside ``v``."""
    found: list[Sample] = []
    for row in list_of(json_of(letter), "message"):
        one = object_of(row, "record")
        channel, time = _channel(one, letter.rule.source or "i"), one.get(letter.rule.time) if letter.rule.time else None
        found += [Sample(name, value, time, channel=channel) for name, value in object_of(one.get("v"), "v").items()]
    return found

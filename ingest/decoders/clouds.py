"""What devices say to IoT clouds: ThingsBoard, Aliyun Alink, OneNET, Huawei IoTDA, JetLinks, and Telegraf's JSON. Pure.

The login of such a cloud changes with each connection and is no identity; only the form of the payload is taken over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from domain.errors import NotUnderstood
from ingest.decoders.samples import Letter, Sample, json_of, list_of, object_of, shown

ALINK: Final = "thing.event.property.post"


def thingsboard(letter: Letter) -> list[Sample]:
    """Device form (``{ts, values}``, bare keys, lists of both) and gateway form (``{"Device A": [{ts, values}]}``)."""
    seen = json_of(letter)
    if isinstance(seen, dict) and seen and all(isinstance(one, list) for one in seen.values()):
        return [sample for name, rows in seen.items() for row in rows for sample in _thing(row, name)]
    return [sample for row in (seen if isinstance(seen, list) else [seen]) for sample in _thing(row, None)]


def _thing(row: Any, channel: str | None) -> Iterator[Sample]:
    one = object_of(row, "ThingsBoard")
    timed = "ts" in one or "values" in one
    values = object_of(one.get("values"), "values") if timed else one
    for name, value in values.items():
        yield Sample(name, value, one.get("ts") if timed else None, channel=channel)


def alink(letter: Letter) -> list[Sample]:
    """Aliyun's Alink: ``params`` of ``{value, time}``, or bare values without a time."""
    one = object_of(json_of(letter), "Alink")
    if one.get("method") != ALINK:
        raise NotUnderstood(f"method 应为 should be {ALINK}, not {shown(one.get('method'))}")
    return list(_properties(object_of(one.get("params"), "params")))


def onenet(letter: Letter) -> list[Sample]:
    """OneNET's OneJSON: as Alink without ``method``; a bare ``timestamp`` among the properties would be an unknown item."""
    one = object_of(json_of(letter), "OneJSON")
    if "method" in one:
        raise NotUnderstood("OneJSON 没有 method; this looks like Alink")
    return list(_properties(object_of(one.get("params"), "params")))


def _properties(params: Mapping[str, Any]) -> Iterator[Sample]:
    for name, said in params.items():
        if isinstance(said, dict):
            if "value" not in said:
                raise NotUnderstood(f"属性 property {name[:40]!r} has no value")
            yield Sample(name, said["value"], said.get("time"))
        else:
            yield Sample(name, said)


def iotda(letter: Letter) -> list[Sample]:
    """Huawei IoTDA: ``services``; of a gateway ``devices`` with services each. Names are ``service_id.property`` or ``property``."""
    one = object_of(json_of(letter), "IoTDA")
    known = {rule.name for rule in letter.rule.items}
    children = [] if "services" in one else [object_of(child, "device") for child in list_of(one.get("devices"), "devices")]
    groups = [(None, one)] if "services" in one else [(str(child.get("device_id")), child) for child in children]
    return [sample for channel, child in groups for service in list_of(child.get("services"), "services") for sample in _service(service, channel, known)]


def _service(service: Any, channel: str | None, known: set[str]) -> Iterator[Sample]:
    one = object_of(service, "service")
    for name, value in object_of(one.get("properties"), "properties").items():
        full = f"{one.get('service_id')}.{name}"
        yield Sample(full if full in known else name, value, one.get("event_time"), channel=channel)


def jetlinks(letter: Letter) -> list[Sample]:
    """JetLinks: a ``properties`` object and one ``timestamp``; a child device stands in the topic."""
    one = object_of(json_of(letter), "JetLinks")
    levels = letter.topic.split("/")
    channel = levels[levels.index("child") + 1] if "child" in levels[:-1] else None
    return [Sample(name, value, one.get("timestamp"), channel=channel) for name, value in object_of(one.get("properties"), "properties").items()]


def telegraf(letter: Letter) -> list[Sample]:
    """Telegraf's JSON, single or batch; the rule's ``source`` names the tag that tells whose value it is."""
    one = object_of(json_of(letter), "Telegraf")
    rows = list_of(one["metrics"], "metrics") if "metrics" in one else [one]
    return [sample for row in rows for sample in _metric(object_of(row, "metric"), letter)]


def _metric(row: Mapping[str, Any], letter: Letter) -> Iterator[Sample]:
    tags = object_of(row.get("tags", {}), "tags")
    source, known = letter.rule.source, {rule.name for rule in letter.rule.items}
    if source and not isinstance(tags.get(source), str):
        raise NotUnderstood(f"缺少标签 tag {source!r} is missing")
    mark = tags.get(letter.rule.flag or "qc")
    for name, value in object_of(row.get("fields"), "fields").items():
        full = f"{row.get('name')}.{name}"
        flag, channel = None if mark is None else str(mark), tags[source] if source else None
        yield Sample(full if full in known else name, value, row.get("timestamp"), flag=flag, channel=channel)

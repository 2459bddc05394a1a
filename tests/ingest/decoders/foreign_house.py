"""A county whose devices speak the dialects of the field, and one way to hear what becomes of a message."""

from __future__ import annotations

from typing import NamedTuple

from domain.civil import parse_time
from domain.places import Registry
from ingest.accept import Acceptor, Verdict
from lanbi.registry import loads

PLACES = """
[county]
id = "fc"
name = "测试县"
[[air_station]]
id = "a1"
name = "一号站"
role = "assessment"
[[air_station]]
id = "a2"
name = "二号站"
role = "township"
[[water_section]]
id = "w1"
name = "一号断面"
body = "river"
control = "local"
[[enterprise]]
id = "e1"
name = "一号厂"
[[point]]
id = "o1"
name = "一号排口"
enterprise = "e1"
kind = "outfall"
[[point]]
id = "s1"
name = "一号烟囱"
enterprise = "e1"
kind = "stack"
units = {so2 = "mg/m3", nox = "mg/m3", soot = "mg/m3"}
[[meter]]
id = "m1"
enterprise = "e1"
medium = "electricity"
role = "main"
unit = "kWh"
[[meter]]
id = "m2"
enterprise = "e1"
medium = "electricity"
role = "sub"
unit = "kWh"
"""
HOUR = parse_time("2026-11-23T09:00:00+08:00")
NS = 10**9


class Message(NamedTuple):
    """A journalled message."""

    payload: bytes
    topic: str = "lanbi/v1/d1/data"
    received_ns: int = (HOUR + 60) * NS
    writer: str = "mqtt"
    seq: int = 1
    flags: int = 1
    readings: int = 1


def house(devices: str) -> Registry:
    """The county with these devices and mappings."""
    return loads(PLACES + devices, "foreign_house.py")


def device(sources: str = '["a1"]', more: str = "", name: str = "d1", interval: int = 3600) -> str:
    """A device's table."""
    return f'\n[[device]]\nid = "{name}"\nsources = {sources}\ninterval = {interval}\nstate = "accepted"\n{more}\n'


def judge(registry: Registry, payload: bytes | str, topic: str = "lanbi/v1/d1/data", received: int = HOUR + 60) -> list[Verdict]:
    """Verdicts of one message."""
    body = payload.encode() if isinstance(payload, str) else payload
    return Acceptor(registry).judge(Message(body, topic, received * NS))


def stored(verdicts: list[Verdict]) -> list[tuple[str, int, int, dict[str, float | None], dict[str, str]]]:
    """(source, end label after 09:00 [s], span, values, flags) of each accepted reading."""
    sights = [verdict.sight for verdict in verdicts if verdict.sight]
    return [(one.source, one.time - HOUR, one.span, dict(one.values), dict(one.flags)) for one in sights]


def reasons(verdicts: list[Verdict]) -> list[tuple[str, str | None]]:
    """(reason, item) of every refusal."""
    return [(one.reason, one.item) for verdict in verdicts for one in verdict.refused]

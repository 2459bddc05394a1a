"""A small county for the tests of ingest: one of each kind of place, and devices with every convention."""

from __future__ import annotations

from typing import NamedTuple

from domain.civil import parse_time
from domain.places import Registry
from lanbi.registry import loads

TEXT = """
[county]
id = "tc"
name = "测试县"
[[air_station]]
id = "tc-a01"
name = "一号站"
role = "assessment"
codes = ["9001A"]
[[air_station]]
id = "tc-a02"
name = "二号站"
role = "township"
[[water_section]]
id = "tc-w01"
name = "一号断面"
body = "river"
control = "local"
[[enterprise]]
id = "tc-e01"
name = "一号厂"
[[point]]
id = "tc-o01"
name = "一号排口"
enterprise = "tc-e01"
kind = "outfall"
[[meter]]
id = "tc-m01"
enterprise = "tc-e01"
medium = "electricity"
role = "main"
unit = "kWh"
multiplier = "40"
[[device]]
id = "air1"
sources = ["tc-a01"]
format = "lanbi-json"
interval = 3600
state = "accepted"
[[device]]
id = "gate"
sources = ["tc-w01", "tc-m01", "tc-o01"]
format = "lanbi-json"
interval = 900
state = "accepted"
[[device]]
id = "early"
sources = ["tc-a02"]
format = "lanbi-json"
interval = 3600
state = [{from = "2026-01-01", value = "trial"}, {from = "2026-12-01", value = "retired"}]
zone = "Asia/Shanghai"
label = "start"
time_unit = "ms"
"""

NOW = parse_time("2026-11-23T08:00:30+08:00")


class Message(NamedTuple):
    """A journalled message."""

    payload: bytes
    topic: str = "lanbi/v1/air1/data"
    writer: str = "mqtt"
    seq: int = 1
    received_ns: int = NOW * 10**9
    flags: int = 1
    readings: int = 1


def county(text: str = TEXT) -> Registry:
    """The registry of the small county."""
    return loads(text, "tests/ingest/county.py")

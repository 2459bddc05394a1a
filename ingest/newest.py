"""The newest reading of a source and span as a batch brings it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Newest(NamedTuple):
    """As :class:`ingest.ports.Latest`, before anybody looks: thousands a second come, and few are ever shown."""

    source: str
    span: int
    kind: str
    time: int
    rev: int
    received_ns: int
    device: str
    values: Mapping[str, float | None]
    flags: Mapping[str, str]

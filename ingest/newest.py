"""The newest reading of a source and span: as a batch brings it, and how far it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Newest(NamedTuple):
    """As :class:`ingest.ports.Latest`, before anybody looks: thousands a second come, and few are ever shown.

    Attributes
    ----------
    values : mapping of item to float, or bytes
        The values, or the text of :class:`domain.sent.Sent` that holds them.
    """

    source: str
    span: int
    kind: str
    time: int
    rev: int
    received_ns: int
    device: str
    values: Mapping[str, float | None] | bytes
    flags: Mapping[str, str]


class Front(NamedTuple):
    """How far a source and span is: time and device of its newest reading; ``record`` is where the state keeps the rest of it."""

    time: int
    device: str
    record: int

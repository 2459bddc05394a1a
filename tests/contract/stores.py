"""The stores that the contract is tested on: all ports together, and how a test opens each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from domain.ports import Entries, FigureBlocks, IndicatorSink, IndicatorSource, ReadingSink, ReadingSource
from lanbi.embedded import EmbeddedStore
from lanbi.influx import InfluxStore
from lanbi.influx_http import Place
from lanbi.influx_tables import BUCKETS
from lanbi.secret import Secret

HOUR = 3_600
T0 = 1_760_000_400


class Store(ReadingSink, ReadingSource, IndicatorSink, IndicatorSource, FigureBlocks, Entries, Protocol):
    """All ports together."""

    def close(self) -> None:
        """Give connections back."""
        ...


@dataclass(frozen=True)
class Adapter:
    """How a test opens a store in a folder, here and in another process (``code`` makes ``store`` out of ``folder``).

    ``prepare`` is what an operator does once before any process starts.
    """

    open: Callable[[Path], Store]
    code: str
    prepare: Callable[[Path], object] = str


def embedded() -> Adapter:
    """The store in one file."""
    code = "from lanbi.embedded import EmbeddedStore; store = EmbeddedStore(folder / 'store.db')"
    return Adapter(lambda folder: EmbeddedStore(folder / "store.db"), code)


def influx(server: Any) -> Adapter:
    """A real InfluxDB; every folder has buckets of its own."""

    def prefix(folder: Path) -> str:
        return hashlib.sha256(str(folder).encode()).hexdigest()[:12]

    def prepare(folder: Path) -> None:
        for suffix in BUCKETS:
            server.bucket(prefix(folder) + suffix)

    code = f"""
import hashlib
from lanbi.influx import InfluxStore
from lanbi.influx_http import Place
from lanbi.secret import Secret
prefix = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
store = InfluxStore(Place({server.url!r}, {server.org!r}, prefix), Secret({server.token!r}))
"""
    return Adapter(lambda folder: InfluxStore(Place(server.url, server.org, prefix(folder)), Secret(server.token)), code, prepare)

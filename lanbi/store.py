"""What a running lanbi asks of its store: all ports together, whatever database is behind them."""

from __future__ import annotations

from typing import Protocol

from domain.ports import Entries, FigureBlocks, IndicatorSink, IndicatorSource, ReadingSink, ReadingSource


class OpenStore(ReadingSink, ReadingSource, IndicatorSink, IndicatorSource, FigureBlocks, Entries, Protocol):
    """The ports, and the little that belongs to having a store open."""

    def hours_before(self, instant: int) -> int:
        """How many hourly figures stand before an instant [s]."""
        ...

    def drop_hours(self, instant: int) -> None:
        """Take hourly figures before an instant [s] away; days and longer periods stay."""
        ...

    def checkpoint(self) -> int:
        """Keep the store's own log short; returns its size in bytes, 0 if that is the server's business."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...

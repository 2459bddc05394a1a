"""How much comes in, and so how long a broker's queue lasts while nothing can be taken from it. Pure bookkeeping."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

SLICE_S: Final = 60.0
SLICES: Final = 15
"""A quarter of an hour is looked back: meters report every 15 minutes at the slowest that matters here."""


@dataclass
class Intake:
    """Bytes of payloads, as a broker counts them in its queue.

    Attributes
    ----------
    queue_bytes : int or None
        What the broker holds for us at most; None: nobody told.
    """

    queue_bytes: int | None = None
    _slices: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=SLICES))
    _since: float | None = None

    def took(self, now: float, size: int) -> None:
        """So many bytes were made durable."""
        self._since = None
        if self._slices and now - self._slices[-1][0] < SLICE_S:
            begun, before = self._slices[-1]
            self._slices[-1] = (begun, before + size)
        else:
            self._slices.append((now, size))

    def rate(self, until: float) -> float:
        """Bytes a second over the quarter of an hour before a moment."""
        recent = [(begun, size) for begun, size in self._slices if until - begun <= SLICES * SLICE_S]
        if not recent:
            return 0.0
        return sum(size for _, size in recent) / max(until - recent[0][0], 1.0)

    def stopped(self, now: float) -> str:
        """Nothing can be taken, at least since the first call after :meth:`took`; in words, how long the broker's queue lasts from now."""
        self._since = now if self._since is None else self._since
        rate = self.rate(self._since)
        if self.queue_bytes is None:
            return "服务器队列能撑多久未知（设置 broker.queue_bytes）how long the broker's queue lasts is not known: set broker.queue_bytes"
        if not rate:
            return "近来没有数据 nothing was coming in of late"
        left = self.queue_bytes / rate - (now - self._since)
        if left <= 0:
            return "服务器队列大概已满，设备须补发 the broker's queue is probably full by now; devices send again what no receipt named"
        return f"服务器队列还能撑约 {_span(left)} the broker's queue lasts about {_span(left, english=True)} more"


def _span(seconds: float, *, english: bool = False) -> str:
    """Seconds as people say them.

    >>> _span(50_000), _span(50_000, english=True), _span(90, english=True)
    ('13.9 小时', '13.9 h', '2 min')
    """
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:.0f} {'days' if english else '天'}"
    if seconds >= 2 * 3_600:
        return f"{seconds / 3_600:.1f} {'h' if english else '小时'}"
    return f"{max(1.0, seconds / 60):.0f} {'min' if english else '分钟'}"

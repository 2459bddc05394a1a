"""How often one caller may ask: token buckets in this process, a bounded number of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from api.problems import Problem


class Pace(NamedTuple):
    """So many at once, and so many a second after that."""

    burst: float
    per_s: float


READS: Final = Pace(600, 100)
"""A board asks 13 things every 15 s; a program that asks faster than this should ask for longer series."""
LOGINS: Final = Pace(10, 10 / 60)
"""Tries of one address."""
ENTRIES: Final = Pace(120, 1 / 60)
"""What one person or key of an enterprise enters: it watches itself fill in forms, and must not fill the bureau's disk."""
FILES: Final = Pace(30, 1 / 600)
"""Files that one caller attaches: some at once, then a hundred megabytes a day at most."""
MOST: Final = 10_000
"""Callers remembered; the one that was quiet longest is forgotten."""


class OnceAnHour:
    """Whether something happens for the first time in an hour of this process."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._hour, self._seen = -1, set[tuple[str, ...]]()

    def first(self, mark: tuple[str, ...]) -> bool:
        """True once an hour for each mark."""
        hour = int(self._now() // 3_600)
        if hour != self._hour:
            self._hour, self._seen = hour, set()
        new = mark not in self._seen
        self._seen.add(mark)
        return new


class Buckets:
    """One bucket a caller and pace."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._left: OrderedDict[tuple[str, Pace], tuple[float, float]] = OrderedDict()

    def take(self, who: str, pace: Pace) -> None:
        """Take one.

        Raises
        ------
        Problem
            429 with the seconds to wait.
        """
        key, now = (who, pace), self._now()
        left, before = self._left.pop(key, (pace.burst, now))
        left = min(pace.burst, left + (now - before) * pace.per_s)
        fits = left >= 1
        self._left[key] = (left - 1 if fits else left, now)
        if len(self._left) > MOST:
            self._left.popitem(last=False)
        if not fits:
            wait = max(1, round((1 - left) / pace.per_s))
            raise Problem(429, f"请求过多，请 {wait} 秒后再试。", f"Too many requests: wait {wait} s.", headers={"Retry-After": str(wait)})

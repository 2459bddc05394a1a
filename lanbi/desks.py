"""What the analyst and the desks beside it share: what was touched, and the verbs of a desk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, Protocol


class Touched(NamedTuple):
    """A site and the civil day on which something changed."""

    site: str
    day: int


class Desk(Protocol):
    """Another realm's figures, kept up beside those of the air; ``pulse`` is called between two sources that take their time."""

    pulse: Callable[[], None]

    def load(self, year: int, now: int, cause: str) -> None:
        """Read a whole year from the store and bring its figures up to date."""
        ...

    def refresh(self, touched: Iterable[Touched], now: int) -> None:
        """Bring up to date what hangs on touched site-days; those of other realms are passed over."""
        ...

    def pass_time(self, now: int) -> None:
        """An hour has passed."""
        ...

    def forget(self, keep: Collection[int]) -> None:
        """Drop what is known of other years."""
        ...

"""What the analyst and the desks beside it share: what was touched, the verbs of a desk, and how time passes for one that keeps years."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

from analytics.causes import Evidence
from domain import civil
from lanbi.settling import When

Known = TypeVar("Known")


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


class YearDesk(ABC, Generic[Known]):
    """A desk that keeps what it knows year by year.

    Attributes
    ----------
    books : dict of year to what is known of it
    pulse : callable
        Called between two sources, for whoever must show that it lives.
    """

    def __init__(self) -> None:
        self.books: dict[int, Known] = {}
        self.pulse: Callable[[], None] = lambda: None

    @abstractmethod
    def load(self, year: int, now: int, cause: str) -> None:
        """Read a whole year from the store and bring its figures up to date; ``cause`` is why they may differ from what is stored."""

    @abstractmethod
    def _behind(self, year: int, now: int) -> bool:
        """Whether figures of a year in memory move by the mere passing of time since they were settled."""

    @abstractmethod
    def _move(self, year: int, when: When) -> None:
        """Settle what moves with time."""

    def pass_time(self, now: int) -> None:
        """An hour or a day has passed: yesterday's year may still be open on New Year's Day."""
        day = civil.day_of(now)
        for year in sorted({civil.year_of_day(day), civil.year_of_day(day - 1)}):
            if year not in self.books:
                self.load(year, now, "")
            elif self._behind(year, now):
                self._move(year, When(now, Evidence(), ()))

    def forget(self, keep: Collection[int]) -> None:
        """Drop years that nobody asks about."""
        self.books = {year: known for year, known in self.books.items() if year in keep}

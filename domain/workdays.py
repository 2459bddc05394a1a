"""Working days: Monday to Friday, but for the days that the State Council's yearly notice moves, which the registry holds."""

from __future__ import annotations

from typing import Final, NamedTuple

WEEK: Final = 7
_SATURDAY, _SUNDAY = 2, 3
"""Civil day 3 was a Sunday."""


class Calendar(NamedTuple):
    """Civil days that are off although in the week, and that are worked although at a weekend (调休)."""

    holidays: frozenset[int] = frozenset()
    workdays: frozenset[int] = frozenset()

    def works(self, day: int) -> bool:
        """Whether a civil day is a working day.

        >>> Calendar().works(20088), Calendar().works(20092), Calendar(frozenset({20088})).works(20088)
        (True, False, False)
        """
        return day in self.workdays or (day not in self.holidays and day % WEEK not in {_SATURDAY, _SUNDAY})

    def after(self, day: int, count: int) -> int:
        """The ``count``-th working day behind a civil day."""
        while count:
            day += 1
            count -= self.works(day)
        return day

    def between(self, first: int, last: int) -> int:
        """Working days with first < day ≤ last."""
        return sum(self.works(day) for day in range(first + 1, last + 1))

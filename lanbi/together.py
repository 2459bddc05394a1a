"""What several ingests on one machine know, as one: the board, its alerts and the ledger look at all of them (setting ``ingest.beside``).

Each ingest keeps its devices' state in a folder of its own. Whoever shows all devices reads all folders: newest readings are merged,
counts added, refusals lined up. What is written stays where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nlargest, nsmallest
from pathlib import Path
from typing import Any, Final, TypeVar

from ingest.ports import Latest
from lanbi.refusals import Refusals, RefusalView
from lanbi.settings import Settings
from lanbi.state import StateView

K = TypeVar("K")
WORST: Final[Mapping[str, Callable[..., float]]] = {
    "ingest_waiting": max, "store_up": min, "broker_up": min, "broker_silence": max, "journal_days": min,
}  # fmt: skip
"""Of these figures of several ingests the worst counts; all others are added."""


def folders(settings: Settings) -> tuple[Path, ...]:
    """Data folders of the ingests that are looked at, our own first."""
    return (settings.data, *settings.ingest.beside)


class Together:
    """The read side of several states; of one it is that one.

    A refusal's number is ``its own × states + place of its state``, so that it names one refusal and grows with each state's own.
    """

    def __init__(self, views: Sequence[StateView]) -> None:
        self.views = views

    def conservation(self) -> dict[str, int]:
        """The terms of the law, added: where each adds up, all do."""
        return _sum([view.conservation() for view in self.views])

    def totals(self) -> dict[tuple[str, str], int]:
        """Counts by (name, reason), added."""
        return _sum([view.totals() for view in self.views])

    def latest(self) -> list[Latest]:
        """The newest reading of every source and span, whoever has it."""
        found: dict[tuple[str, int], Latest] = {}
        for view in self.views:
            for one in view.latest():
                known = found.get((one.source, one.span))
                if known is None or one.time > known.time:
                    found[one.source, one.span] = one
        return list(found.values())

    def spoken(self, source: str, window: tuple[int, int], after: tuple[int, int, str, int], limit: int) -> list[Any]:
        """Versions of rows that were written more than once; a source has spoken where its device is, and where it was before."""
        found = [row for view in self.views for row in view.spoken(source, window, after, limit)]
        return nsmallest(limit, found, key=lambda row: (row.key.time, row.key.span, row.item, row.rev))

    def refused(
        self, *, reason: str | None = None, after: int = 0, limit: int = 100, outcome: str | None = None, newest: bool = False
    ) -> list[tuple[int, Any]]:
        """Refusals with their numbers, beyond one; oldest first, or newest first (then below it)."""
        states, found = len(self.views), []
        for place, view in enumerate(self.views):
            # The own number n of this state lies beyond `after` where n × states + place does.
            own = -(-(after - place) // states) if newest else (after - place) // states
            rows = view.refused(reason=reason, after=max(0, own), limit=limit, outcome=outcome, newest=newest) if own > 0 or not (newest and after) else []
            found += [(number * states + place, row) for number, row in rows]
        return (nlargest if newest else nsmallest)(limit, found, key=lambda one: one[0])


class AllRefusals:
    """What each ingest of this machine refused."""

    def __init__(self, parts: Sequence[RefusalView]) -> None:
        self.parts = parts

    def of(self, source: str, start: int, end: int) -> list[Any]:
        """Refusals about labels start < time ≤ end of a source."""
        return [fact for part in self.parts for fact in part.of(source, start, end)]


def refusals(settings: Settings, registry: Any, now: Callable[[], int]) -> Refusals:
    """For the ledger."""
    return AllRefusals([RefusalView(data, registry, now) for data in folders(settings)])


def added(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Figures of the service of several ingests as those of one: counts added, of what is well or not the worst."""
    return {name: float(WORST.get(name, sum)([part[name] for part in parts])) for name in parts[0]}


def _sum(parts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total: dict[K, int] = {}
    for part in parts:
        for key, count in part.items():
            total[key] = total.get(key, 0) + count
    return total

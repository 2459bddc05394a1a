"""What the store would not take of a batch: the batch is decided anew without it, so that counts, versions and latest values agree.

A value that the store refuses is held for a person, and only it. If it refuses many for one cause, the fault lies in the store:
then everything waits in the journal, and nothing is held.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.errors import StoreRefused
from domain.message import Refusal
from domain.readings import Key, Rejected
from ingest.accept import Verdict
from ingest.ports import Record

MANY: Final = 16
"""So many values of one cause are bad data; one more is a fault of the store."""
WINDOW: Final = 5_000
"""Readings within which causes are counted: the greatest body, however small the batches are."""
REJECTED: Final = "store-rejected"
JOB: Final = "~job"
"""Stands for a writer where a slice of a job is at hand, which has records of its own choice."""

Values = dict[tuple[Key, str | None], Rejected]


class _Past(NamedTuple):
    readings: int
    causes: Counter[str]


@dataclass(slots=True)
class _Held:
    """Refused values of one writer's batch, which ends with record ``upto``."""

    upto: int
    values: Values = field(default_factory=dict)


@dataclass
class Rejections:
    """Values that the store refused: of the batches under way, and how many of one cause lately."""

    _held: dict[str, _Held] = field(default_factory=dict)
    _past: deque[_Past] = field(default_factory=deque)

    def of(self, writer: str) -> Values:
        """What is known to be refused of a writer's next batch."""
        held = self._held.get(writer)
        return held.values if held else {}

    def learn(self, writer: str, upto: int, found: Sequence[Rejected]) -> None:
        """The store refused these of the batch that ends with record ``upto``.

        Raises
        ------
        StoreRefused
            It refuses so many for one cause, or the same once more, that the fault is its own; nothing is held then.
        """
        held = self._held.setdefault(writer, _Held(upto))
        held.upto = max(held.upto, upto)
        fresh = {(one.key, one.item): one for one in found if (one.key, one.item) not in held.values}
        held.values |= fresh
        causes = sum((past.causes for past in self._past), _causes(held.values))
        many = [cause for cause, count in causes.items() if count > MANY]
        if many or not fresh:
            del self._held[writer]
            detail = many[0] if many else found[0].detail
            what = f"存储因同一原因拒绝了许多值 the store refuses many values for one cause: {detail}"
            raise _fault(what)

    def strip(self, writer: str, record: Record, verdict: Verdict) -> Verdict:
        """The verdict without what the store refuses of its reading."""
        held, sight = self._held.get(writer), verdict.sight
        if held is None or sight is None or (record.seq > held.upto and writer != JOB):
            return verdict
        key = Key(*sight[:4])
        whole = held.values.get((key, None))
        if whole:
            return verdict._replace(sight=None, refused=(Refusal(whole.reason, whole.detail), *verdict.refused))
        found = {name: held.values[key, name] for name in sight.values if (key, name) in held.values}
        if not found:
            return verdict
        refused = (*(Refusal(one.reason, one.detail, name) for name, one in found.items()), *verdict.refused)
        values = {name: value for name, value in sight.values.items() if name not in found}
        flags = {name: flag for name, flag in sight.flags.items() if name not in found}
        return verdict._replace(sight=sight._replace(values=values, flags=flags) if values else None, refused=refused)

    def settled(self, writer: str, seq: int, readings: int) -> None:
        """A batch is behind the cursor: what was refused of it is history now."""
        causes: Counter[str] = Counter()
        held = self._held.get(writer)
        if held and seq >= held.upto:
            causes = _causes(self._held.pop(writer).values)
        if causes or self._past:
            self._past.append(_Past(readings, causes))
        while self._past and sum(past.readings for past in self._past) - self._past[0].readings >= WINDOW:
            self._past.popleft()


def _causes(values: Values) -> Counter[str]:
    """How many were refused for each cause; what is merely too old says nothing about the store."""
    return Counter(one.detail for one in values.values() if one.reason == REJECTED)


def _fault(what: str) -> StoreRefused:
    todo = "见 docs/store.md；读数在日志中等待 see docs/store.md; readings wait in the journal, nothing was held back"
    return StoreRefused(what, "store", todo)

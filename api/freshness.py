"""Who is silent: when a source last spoke, when it should have spoken, and by how much it is overdue.

The rule is ours: a reading is *late* once its successor is overdue by a grace of a quarter interval (at least ten minutes),
and its source is *silent* once two readings are missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from api.sources import Seen, Sources
from domain.civil import day_of
from domain.errors import StoreAway
from domain.indicators import Indicator
from domain.places import Registry
from domain.ports import IndicatorSource

STATES: Final = MappingProxyType(
    {
        "on-time": ("正常", "on time"),
        "late": ("迟到", "late"),
        "silent": ("静默", "silent"),
        "never": ("从未上报", "never heard"),
        "no-device": ("未配设备", "no device"),
    },
)
GRACE_S: Final = 600


@dataclass(frozen=True, slots=True)
class Fresh:
    """Freshness of one source.

    Attributes
    ----------
    last, due : int or None [s]
        Time of the newest reading; when the next should have come.
    overdue : int or None [min]
        Whole minutes since ``due``; None while nothing is due.
    """

    source: str
    kind: str
    device: str | None
    trial: bool
    interval: int | None
    last: int | None
    due: int | None
    state: str
    overdue: int | None


@dataclass(slots=True)
class WhileThere:
    """Figures beside newest values: where the store does not answer, values are shown without them.

    It is asked no further in the same answer, for a silent store would cost its time-out once a question.
    """

    figures: IndicatorSource
    away: bool = False

    def latest(self, names: Collection[str], scopes: Collection[str], kind: tuple[str, str], window: tuple[int, int]) -> dict[tuple[str, str], Indicator]:
        """The newest figures of places, basis raw, by name and place; none also while the store is away.

        ``kind`` is (period, rule set), the window start < time ≤ end [s].
        """
        period, rule_set = kind
        if self.away:
            return {}
        try:
            found = self.figures.newest(names, scopes, [period], window)
        except StoreAway:
            self.away = True
            return {}
        return {(row.figure, row.scope): row for row in found if (row.rule_set, row.basis) == (rule_set, "raw")}


def newest(sources: Sources) -> dict[str, Seen]:
    """The newest reading of every source, whatever its span; the longer span where two end together."""
    return newest_of(sources.state.latest())


def newest_of(latest: Iterable[Seen]) -> dict[str, Seen]:
    """The same out of the newest reading of every source and span."""
    found: dict[str, Seen] = {}
    for seen in latest:
        known = found.get(seen.source)
        if known is None or (seen.time, seen.span) > (known.time, known.span):
            found[seen.source] = seen
    return found


def judge(last: int | None, interval: int, now: int) -> tuple[str, int | None, int | None]:
    """State, due time and overdue minutes of a source that speaks every ``interval`` seconds.

    >>> judge(0, 3600, 4500), judge(0, 3600, 4501)[0], judge(0, 3600, 8101)[0]
    (('on-time', 4500, None), 'late', 'silent')
    """
    if last is None:
        return "never", None, None
    due = last + interval + max(GRACE_S, interval // 4)
    if now <= due:
        return "on-time", due, None
    return ("late" if now <= due + interval else "silent"), due, (now - due) // 60


def survey(sources: Sources, now: int) -> Iterator[Fresh]:
    """Freshness of every registered source that is not retired; by kind, then in the registry's order."""
    yield from surveyed(sources.registry(), newest(sources), now)


def surveyed(registry: Registry, seen: Mapping[str, Seen], now: int) -> Iterator[Fresh]:
    """The same out of a registry and the newest readings."""
    for source, kind in registry.kinds.items():
        one = _one(registry, source, kind, seen.get(source), now)
        if one:
            yield one


def by_source(sources: Sources, now: int) -> dict[str, Fresh]:
    """The same by id."""
    return {one.source: one for one in survey(sources, now)}


def _one(registry: Registry, source: str, kind: str, seen: Seen | None, now: int) -> Fresh | None:
    day = day_of(now)
    device = registry.device_of(source, day)
    state = device.state.on(day) if device else None
    if state == "retired":
        return None
    last = seen.time if seen else None
    if device is None:
        # A city's published series comes from files; nobody waits for it.
        return (
            None if source in registry.cities else Fresh(source, kind, None, trial=False, interval=None, last=last, due=None, state="no-device", overdue=None)
        )
    word, due, overdue = judge(last, device.interval, now)
    return Fresh(source, kind, device.id, state == "trial", device.interval, last, due, word, overdue)

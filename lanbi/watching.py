"""What the service says about itself, as figures: who is late, and how broker, journal and store are.

Grafana sees the store of figures and nothing else; so what must raise an alert has to stand there. The numbers are those of
``/metrics`` and of ``/api/v1/freshness``, stored when they change for better or worse and from time to time between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.freshness import Fresh, newest_of, surveyed
from domain import civil
from domain.indicators import Indicator
from domain.wellness import ROOM_DAYS, SILENCE_S, WAITING_S
from ingest.ports import Latest
from lanbi import metrics
from lanbi.clocks import FUTURE, Clocks
from lanbi.state import StateView
from lanbi.together import Together, added

if TYPE_CHECKING:
    from domain.places import Registry
    from domain.ports import Clock, IndicatorSink

LOOK_S: Final = 20.0
"""Between two looks, by the machine's own clock."""
UNWELL_S: Final = 300
"""Between two rows while something is wrong; while all is well it is an hour."""
HELD: Final = 1_000
"""Readings held as future ones that a look reads, the oldest of the day first."""
MANY_DAYS: Final = 3_650.0
NO_RULES: Final = "none"
_MISSING: Final = {"on-time": 0.0, "late": 1.0, "never": 2.0}
GAUGES: Final = {
    "ingest_received": "lanbi_ingest_readings_received_total", "ingest_stored": "lanbi_ingest_readings_stored_total",
    "ingest_duplicate": "lanbi_ingest_readings_duplicate_total", "ingest_deadletter": "lanbi_ingest_readings_deadletter_total",
    "ingest_quarantined": "lanbi_ingest_readings_quarantined_total", "ingest_pending": "lanbi_journal_pending_readings",
    "ingest_waiting": "lanbi_journal_oldest_seconds", "store_up": "lanbi_store_up", "broker_up": "lanbi_broker_connected",
    "broker_silence": "lanbi_broker_last_packet_age_seconds", "journal_days": "lanbi_journal_days_until_full",
}  # fmt: skip
"""Figure → metric whose samples it adds up."""
LAW: Final = ("ingest_stored", "ingest_duplicate", "ingest_deadletter", "ingest_quarantined", "ingest_pending")


def gauges(data: Path, clock: Clock) -> dict[str, float]:
    """The service's figures out of its metrics."""
    known = {metric.name: sum(value for _, value in metric.samples) for metric in metrics.collect(data, clock)}
    found = {figure: float(known[name]) for figure, name in GAUGES.items()}
    found["journal_days"] = float(min(MANY_DAYS, found["journal_days"]) // 1)
    found |= {figure: float(found[figure] // 1) for figure in ("ingest_waiting", "broker_silence")}
    return found | {"ingest_unaccounted": abs(found["ingest_received"] - sum(found[figure] for figure in LAW))}


def well(found: dict[str, float]) -> tuple[bool, ...]:
    """What is well, point by point."""
    return (
        found["store_up"] == 1,
        found["broker_up"] == 1,
        found["ingest_unaccounted"] == 0,
        found["ingest_waiting"] <= WAITING_S,
        found["broker_silence"] <= SILENCE_S,
        found["journal_days"] >= ROOM_DAYS,
    )


def missing(one: Fresh) -> float | None:
    """Readings that a source lacks: 0 on time, 1 late, 2 and more silent; None where nobody waits for any."""
    if one.state == "silent" and one.overdue is not None and one.interval:
        return float(1 + one.overdue * 60 // one.interval)
    return _MISSING.get(one.state)


@dataclass
class Watch:
    """Writes the rows; used by the analytics process, which is the only writer of figures."""

    data: Path
    registry: Registry
    store: IndicatorSink
    clock: Clock
    clocks: Clocks = field(default_factory=Clocks)
    beside: tuple[Path, ...] = ()
    """Data folders of the other ingests on this machine."""
    _due: float = float("-inf")
    _well: tuple[bool, ...] = ()
    _said: int = 0
    _refused: tuple[int, float] | None = None
    _states: dict[str, tuple[str, int]] = field(default_factory=dict)

    def look(self) -> int:
        """Write what has to be said now; returns the rows."""
        if self.clock.monotonic() < self._due:
            return 0
        self._due = self.clock.monotonic() + LOOK_S
        now = self.clock.now_ns() // 10**9
        views = [StateView(data) for data in (self.data, *self.beside)]
        try:
            latest = Together(views).latest()
            held = [one for view in views for _, one in view.refused(reason=FUTURE, since_ns=(now - civil.DAY_S) * 10**9, limit=HELD)]
        finally:
            for view in views:
                view.close()
        rows = [*self._own(now), *self._sources(latest, now)]
        if rows:
            self.store.put(rows)
        skewed = list(self.clocks.look(latest, held, now))
        if skewed:
            self.store.events(skewed)
        return len(rows)

    def _own(self, now: int) -> Iterator[Indicator]:
        found = added([gauges(data, self.clock) for data in (self.data, *self.beside)])
        state = well(found)
        pause = civil.HOUR_S if all(state) else UNWELL_S
        if state == self._well and now // pause == self._said // pause:
            return
        refused = found["ingest_deadletter"] + found["ingest_quarantined"]
        if self._refused is not None and now // civil.HOUR_S != self._refused[0]:
            found["ingest_refused"] = max(0.0, refused - self._refused[1])
        if self._refused is None or now // civil.HOUR_S != self._refused[0]:
            self._refused = now // civil.HOUR_S, refused
        self._well, self._said = state, now
        scope = self.registry.county.id
        yield from (_row(figure, scope, now, value, "") for figure, value in found.items())

    def _sources(self, latest: Iterable[Latest], now: int) -> Iterator[Indicator]:
        for one in surveyed(self.registry, newest_of(latest), now):
            stretch = civil.DAY_S if one.state in {"on-time", "no-device"} else civil.HOUR_S
            said = one.state, (now + civil.OFFSET_S) // stretch
            if self._states.get(one.source) != said:
                self._states[one.source] = said
                yield _row("freshness", one.source, now, missing(one), one.state)


def _row(figure: str, scope: str, now: int, value: float | None, status: str) -> Indicator:
    """A row at the minute of the look."""
    known = float(value is not None)
    return Indicator(figure, "hour", scope, NO_RULES, now // 60 * 60, value, valid=known, expected=1.0, computed=float(now), status=status)

"""The analytics process: warms the kernels, brings the stored figures up to date, then follows the changes.

The position in each ingest's changes is stored behind the figures that it led to, so what came in while the process was down,
or between two writes of a crash, is found again.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domain import civil
from domain.errors import ServiceError
from domain.indicators import Event
from domain.places import Registry
from domain.ports import Clock
from domain.readings import Change
from domain.restating import CONFIRMATION, confirmation_events, confirmations
from domain.sayings import both
from lanbi import logs, machine_code, memory
from lanbi.current_registry import CurrentRegistry
from lanbi.question import Ear
from lanbi.rehearsal import Lent, rehearse
from lanbi.status import Status, lively
from lanbi.watching import Watch

if TYPE_CHECKING:
    from lanbi.analyst import Analyst
    from lanbi.desks import Touched
    from lanbi.settings import Settings

POLL_S: Final = 0.2
"""Between two looks for changes; a forwarder on this machine is heard earlier."""
PIECE_S: Final = 0.05
"""The same while there is something to look at that can wait."""
BULK: Final = 500
"""Site-days in one look above which an import is running: analytics then waits until it is quiet."""
QUIET_S: Final = 0.8
PATIENCE_S: Final = 20.0
GAP_S: Final = 60.0
"""How long a missing change number is waited for before the whole year is read again."""
RETRY_S: Final = 2.0
POSITION: Final = "analysed"
"""Kind of the events that hold the position in each ingest's changes; their time is 0."""
WORKED: Final = "computed-with"
"""Kind of the event that holds the versions of registry and program behind all figures; its time is 0."""
DOUBT_DAYS: Final = 7
"""How many days' comparisons a start writes again."""
CONFIRMED_S: Final = 5.0
"""Between two looks for confirmations."""
_NS: Final = 10**9
_LOOK: Final = 10_000


class Position:
    """How far the changes of each ingest are worked in, with gaps in their dense numbers."""

    def __init__(self, seen: Mapping[str, int]) -> None:
        self.seen = dict(seen)
        self.ahead: defaultdict[str, set[int]] = defaultdict(set)
        self.since: dict[str, float] = {}

    def fresh(self, changes: list[Change], now: float) -> list[Change]:
        """Changes that were not worked in before; moves on over dense numbers and remembers what lies behind a gap."""
        new = [change for change in changes if change.n > self.seen.get(change.ingest, 0) and change.n not in self.ahead[change.ingest]]
        for change in new:
            self.ahead[change.ingest].add(change.n)
        for ingest, numbers in self.ahead.items():
            while self.seen.get(ingest, 0) + 1 in numbers:
                self.seen[ingest] = self.seen.get(ingest, 0) + 1
                numbers.discard(self.seen[ingest])
            if numbers:
                self.since.setdefault(ingest, now)
            else:
                self.since.pop(ingest, None)
        return new

    def stuck(self, now: float) -> bool:
        """Whether a number has been missing for too long; it is then passed over."""
        late = [ingest for ingest, since in self.since.items() if now - since > GAP_S]
        for ingest in late:
            self.seen[ingest] = max(self.ahead[ingest])
            self.ahead[ingest].clear()
            del self.since[ingest]
        return bool(late)


class Follower:
    """The loop's state: what was seen, what day it is, how the process is; ``idled`` says that the last step did a piece of what can wait."""

    def __init__(self, analyst: Analyst, store: Any, clock: Clock) -> None:
        self.analyst, self.store, self.clock = analyst, store, clock
        kept = store.event_rows(-1, 0, _LOOK)
        self.position = Position({row.source: int(row.value or 0) for row in kept if row.kind == POSITION})
        self.worked = next((row.text for row in kept if row.kind == WORKED), "")
        self.confirmations = Entered(store)
        self.watch: Watch | None = None
        analyst.settler.confirmed = lambda: confirmations(store.entered(CONFIRMATION))
        self.hour = -1
        self.idled = False

    def now(self) -> int:
        """Wall time, maybe simulated [s]."""
        return self.clock.now_ns() // _NS

    def start(self, years: Collection[int] = ()) -> None:
        """Bring this year and the last up to date, every older year that changed since the stored position, and ``years``."""
        from lanbi.analyst import away  # noqa: PLC0415  numba comes with it, after its cache folder is set
        from lanbi.comparing import NEVER  # noqa: PLC0415  same

        touched = self._touched(self._collect())
        year = civil.year_of_day(civil.day_of(self.now()))
        older = {*years} | {civil.year_of_day(one.day) for one in touched}
        known = [part for part in (away(touched), *self._since()) if part]
        cause = "; ".join(known) or f"rule: {self._versions().partition(' ')[2]}"
        self.analyst.settler.recall(self.now())
        self.analyst.comparer.since = self._doubtful(touched)
        self.analyst.start(older | {year - 1, year}, self.now(), cause)
        self.analyst.settler.forget()
        self.analyst.comparer.since = NEVER
        self.analyst.forget((year - 1, year), self.now())
        memory.give_back()
        self.hour = self.now() // civil.HOUR_S
        self._keep()

    def _doubtful(self, touched: Collection[Touched]) -> int:
        """Time from which on comparisons may lack what their figures have: a crash came between, or another version knows more of them."""
        if self.worked != self._versions():
            return -1
        return civil.period_stamp(min([civil.day_of(self.now()) - DOUBT_DAYS, *(one.day for one in touched)]))

    def _since(self) -> list[str]:
        """What else than readings changed since the figures were computed."""
        before, now = self.worked.partition(" "), self._versions().partition(" ")
        names = ("registry", "rule")
        return [f"{name}: {old} → {new}" for name, old, new in zip(names, before[::2], now[::2], strict=True) if old and old != new]

    def _versions(self) -> str:
        return f"{self.analyst.registry.version} lanbi {_version()}"

    @staticmethod
    def _touched(changes: Sequence[Change]) -> set[Touched]:
        from lanbi.desks import Touched  # noqa: PLC0415  as in start

        return {Touched(site, change.day) for change in changes for site in change.sites}

    def step(self) -> int:
        """Work in what changed since the last look, and what the passing of time changes; returns the changes."""
        changes = self._collect()
        now = self.now()
        if self.position.stuck(self.clock.monotonic()):
            self.analyst.start(list(self.analyst.books), now, "late: changes were passed over")
        if changes:
            self.analyst.refresh(self._touched(changes), now)
        if now // civil.HOUR_S != self.hour:
            self.hour = now // civil.HOUR_S
            self.analyst.pass_time(now)
        if changes:
            year = civil.year_of_day(civil.day_of(now))
            self.analyst.forget((year - 1, year), now)
            self._keep()
        self.idled = not changes and (self.analyst.watch.idle(now) or self.analyst.clues.idle(now))
        self.confirmations.look(self.clock.monotonic(), self.analyst.registry.county.id)
        if self.watch:
            self.watch.look()
        return len(changes)

    def _collect(self) -> list[Change]:
        """New changes; while they come in bulk, wait until they pause, so that no half import is restated."""
        found = self.position.fresh(self.store.changes_after(self.position.seen), self.clock.monotonic())
        begun = self.clock.monotonic()
        more = found
        while len(more) > BULK and self.clock.monotonic() - begun < PATIENCE_S:
            self.clock.sleep(QUIET_S)
            more = self.position.fresh(self.store.changes_after(self.position.seen), self.clock.monotonic())
            found += more
        return found

    def _keep(self) -> None:
        positions = [Event(POSITION, ingest, 0, float(n), "") for ingest, n in sorted(self.position.seen.items())]
        versions = self._versions()
        if versions != self.worked:
            positions.append(Event(WORKED, self.analyst.registry.county.id, 0, None, versions))
        if positions:
            self.store.events(positions)
        self.worked = versions


class Stirred:
    """Whether the forwarder of this data folder has noted something since the last look: the log of its state has another time or size.

    Asked of the file, for that costs microseconds where asking a store costs milliseconds.
    """

    def __init__(self, data: Path) -> None:
        self._log = data / "state.db-wal"
        self._seen = self._look()

    def __call__(self) -> bool:
        """Look at the file."""
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> tuple[int, int] | None:
        try:
            known = self._log.stat()
        except OSError:
            return None
        return known.st_mtime_ns, known.st_size


class Entered:
    """Confirmations as they are entered: each is said once more as an event, for whoever reads figures only."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self._seen = 0
        self._due = float("-inf")

    def look(self, now: float, scope: str) -> None:
        """Write the events of what was entered since the last look."""
        if now < self._due:
            return
        self._due = now + CONFIRMED_S
        entries = self.store.entered(CONFIRMATION)
        if len(entries) > self._seen:
            self.store.events(confirmation_events(entries, scope))
            self._seen = len(entries)


@cache
def _version() -> str:
    """Version of the program that runs: what is installed later runs after the next start."""
    return importlib.metadata.version("lanbi")


def run(settings: Settings, stop: Callable[[], bool]) -> int:
    """Run the process until ``stop``; the store may come and go."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(machine_code.prepared(settings.data)))
    from analytics.jobs.warm import warm  # noqa: PLC0415  after the cache folder is set
    from lanbi import wiring  # noqa: PLC0415

    clock = wiring.clock(settings)
    status = Status(settings.data / "run" / "analyse.json", clock)
    status.write(ready=False, reasons=["starting"])
    with lively(status, "compiling"):
        warm()
    status.write(ready=False, reasons=["starting"])
    store = Lent(wiring.store(settings))
    registry = CurrentRegistry(settings)
    follower: Follower | None = None
    stirred = Stirred(settings.data)
    ear = Ear(
        settings.data, clock, lambda asked: rehearse(settings, (follower.analyst, clock), store, asked) if follower else {"error": "analytics is starting"}
    )
    while not stop():
        try:
            if follower is None or registry.changed():
                follower = _follower(settings, registry, store, status)
            worked = follower.step()
            status.beat(now=bool(worked), **_figures(follower))
            # While much comes in, looks stay apart: each costs the years of all sites that it touches.
            ear.wait(PIECE_S if follower.idled else POLL_S, (lambda: False) if worked else stirred)
        except ServiceError as error:
            # What was half written is found again from the stored position; memory may claim more than the store holds.
            follower = None
            status.write(ready=False, reasons=[str(error)])
            logs.tell("figures.waiting", f"等待存储 waiting for the store: {both(str(error))}")
            ear.wait(RETRY_S)
    ear.close()
    store.close()
    status.write(ready=False, reasons=["stopped"])
    return 0


def _follower(settings: Settings, registry: CurrentRegistry, store: Any, status: Status) -> Follower:
    """A follower that has brought everything up to date; it keeps saying that it lives meanwhile."""
    from lanbi.analysts import analyst_of  # noqa: PLC0415  as in run

    analyst = analyst_of(settings, registry(), store, lambda: status.clock.now_ns() // _NS)
    analyst.pulse = lambda: status.beat(ready=False, reasons=["computing"])
    follower = Follower(analyst, store, status.clock)
    follower.watch = Watch(settings.data, analyst.registry, store, status.clock, beside=settings.ingest.beside)
    name_registry(store, analyst.registry, status.clock.now_ns() // _NS)
    follower.start()
    analyst.pulse = lambda: status.beat(**_figures(follower))
    status.write(ready=True, **_figures(follower))
    logs.tell("figures.ready", f"就绪 ready: {analyst.registry.version}")
    return follower


def name_registry(store: Any, registry: Registry, now: int) -> None:
    """Say from when on figures are computed with this registry: a figure's version is the newest event before its ``computed``."""
    newest = next((event for event in store.event_rows(-1, now, _LOOK) if event.kind == "registry"), None)
    if newest is None or newest.text != registry.version:
        store.events([Event("registry", registry.county.id, now, None, registry.version)])


def _figures(follower: Follower) -> dict[str, Any]:
    analyst = follower.analyst
    settler = analyst.settler
    return {"written": settler.written, "restated": settler.restated, "years": sorted(analyst.books), "seen": follower.position.seen}

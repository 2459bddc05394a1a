"""The forwarder's thread of the ingest process, and forwarding here and now for programs that run without an ingest."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final
from zlib import crc32

from domain.errors import DataFolderBusy, LanbiError, ServiceError, StoreAway, StoreRefused, WorkError
from domain.places import Registry
from domain.ports import Clock
from domain.readings import Entry
from domain.sayings import both
from ingest.forwarder import LIMIT, Forwarder, Store
from ingest.group import BACK_NS
from ingest.jobs import EVER
from ingest.listener import Listener
from lanbi import logs, memory, wiring
from lanbi.health_child import DOOR
from lanbi.hj212_keys import with_keys
from lanbi.instances import check_same, share_of
from lanbi.journal_files import newest_trailer
from lanbi.journal_recent import Recent
from lanbi.journal_view import JournalView
from lanbi.nightly import OFF, Nights
from lanbi.registry import load, loads
from lanbi.settings import Settings
from lanbi.state import State, StateView
from lanbi.store import OpenStore
from lanbi.timed import WriteTimes, timed

IDLE_S: Final = 0.1
RETRY_S: Final = (0.5, 2.0)
LONGEST_S: Final = 600.0
"""However long a store asks to be left alone, it is asked again after this."""
MANY: Final = 60_000
"""Readings of a batch for a server: several bodies, so that it and we work at the same time, and few transactions of the state."""
GATHER_S: Final = 0.5
"""From one batch to the next at least, unless much is waiting: what a batch costs by itself is that of hundreds of readings."""
THREADS: Final = 3
"""Towards a server: two loads, the lines of one being made while those of the other are sent, and a question."""
CHECKPOINT_S: Final = 1.0
GIVE_S: Final = 60.0
"""From one giving back of memory to the next, half a millisecond each: what a large batch has needed is not kept for months."""
FORWARD: Final = "forward"
REST: Final = 3.0
"""Pauses of the night's work, in units of what it has just taken."""
PAUSE_S: Final = 0.2
NS: Final = 1_000_000_000
STALLED_S: Final = 60.0


def forwarder(
    settings: Settings, state: State, store: Store, registry: Registry, pool: Executor | None = None, *, recent: Mapping[str, Recent] = MappingProxyType({})
) -> Forwarder:
    """The forwarder of a data folder; ``lanbi import`` uses the same one where no ingest runs."""
    journal = JournalView(settings.data / "journal", lambda: with_keys(load(settings.county), settings.data), recent)

    def reload(entry: Entry) -> Registry | None:
        try:
            return with_keys(loads(str(entry.body.get("text", "")), entry.id), settings.data)
        except LanbiError:
            return None  # what cannot be read was never in force

    check_same(settings, state)
    state.belong(settings.ingest.instance)
    share = share_of(settings)
    linger_ns = settings.store.second_look * NS if settings.store.kind == "influx" else 0
    return Forwarder(journal, state, store, registry, str(share.number), share.alone, reload, pool=pool, linger_ns=linger_ns)


def forward(settings: Settings, registry: Registry, writer: str, done: Callable[[int], None] = lambda _: None, *, closing: bool = False) -> Registry:
    """Forward here and now until a writer's journal is wholly behind its cursor; for programs that run without an ingest.

    Parameters
    ----------
    done : callable
        Told after each batch how many journalled readings of this writer are behind the cursor.
    closing : bool
        Nothing may be left open: second looks are made now that are not due yet. Otherwise they are left to the next ingest, for what
        they wait for may still be under way.

    Returns
    -------
    Registry
        In force at the end.

    Raises
    ------
    DataFolderBusy
        A running ingest forwards from this data folder: wait until ``StateView.cursor(writer)`` has arrived.
    StoreAway, StoreRefused
        Nothing is lost; whoever forwards next goes on.
    """
    state, store = State(settings.data), wiring.store(settings)
    try:
        one, clock = forwarder(settings, state, store, registry), wiring.clock(settings)
        while one.step(now_ns=EVER if closing else clock.now_ns()):
            done(state.cursor(writer)[1])
        return one.registry
    finally:
        store.close()
        state.close()


@dataclass
class Patience:
    """Waiting for the ingest that forwards from the same data folder, as long as it gets on.

    What is waited for may stand behind other work: live readings, or second looks that were asked for before. So any of that counts.

    Attributes
    ----------
    todo : str
        What to do if it does not.
    """

    data: Path
    clock: Clock
    todo: str
    _last: object = None
    _since: float = 0.0

    def wait(self) -> None:
        """Pause; raises once nothing has moved for a minute."""
        now = self.clock.monotonic()
        view = StateView(self.data)
        done = view.pulse()
        view.close()
        if done != self._last:
            self._last, self._since = done, now
        if now - self._since > STALLED_S:
            raise WorkError("the running ingest has forwarded nothing for a minute", "", self.todo)
        self.clock.sleep(PAUSE_S)


@dataclass
class Forwarding:
    """The forwarder's thread: retries for ever, says why it waits."""

    settings: Settings
    clock: Clock
    listener: Listener
    registry: Registry
    recent: Mapping[str, Recent] = field(default_factory=dict)
    store: str = "ok"
    writes: WriteTimes = field(default_factory=WriteTimes)
    beat: float = 0.0
    """Monotonic time of the thread's last sign."""
    retries: Counter[str] = field(default_factory=Counter)
    clock_back: bool = False
    """The clock is not believed, for the door of loggers has journalled later receive times."""
    _newest_ns: int = 0
    _failures: int = 0
    _checked: float = 0.0
    _given: float = 0.0

    def __post_init__(self) -> None:
        self._nights = Nights(self.settings.ingest.reconcile if self.settings.clock == "system" else OFF, self.clock)

    def run(self, stop: Callable[[], bool]) -> None:
        """Forward until told to stop."""
        while not stop():
            try:
                self._forward(stop)
            except LanbiError as error:
                self._wait(error, stop)
            except Exception as error:  # noqa: BLE001  the thread must outlive any fault; the batch is tried again from its beginning
                self._wait(StoreRefused(f"internal: {error!r}"[:300], FORWARD), stop)

    def _forward(self, stop: Callable[[], bool]) -> None:
        state = State(self.settings.data)
        try:
            store = timed(wiring.store(self.settings), self.clock, self.writes)
            # A server works while we do; the file of the embedded store is written by one thread.
            away = ThreadPoolExecutor(THREADS, "store") if self.settings.store.kind == "influx" else None
            try:
                self._work(forwarder(self.settings, state, store, self.registry, away, recent=self.recent), (state, store), stop)
            finally:
                if away:
                    away.shutdown()
                store.close()
        finally:
            state.close()

    def _work(self, one: Forwarder, files: tuple[State, OpenStore], stop: Callable[[], bool]) -> None:
        """Batch after batch; a store that is away is asked again, one that refuses is opened anew (its token may be another one by now)."""
        one.tell, one.ask = self.listener.tell, self.listener.outbox.rebirths.want
        self._doubt(one)
        while not stop():
            try:
                self._step(one)
            except StoreAway as error:
                self._doubt(one)
                self._wait(error, stop)
            self.registry = one.registry
            self._tidy(*files)

    def _doubt(self, one: Forwarder) -> None:
        """A server may still carry out what it, or a life of ours that was killed, left unanswered; a file of our own cannot."""
        if self.settings.store.kind == "influx":
            one.doubt(self.clock.now_ns(), self.settings.store.second_look * NS, MANY)

    def _tidy(self, *files: State | OpenStore) -> None:
        """Write-ahead logs stay short, and memory that is free goes back."""
        now = self.clock.monotonic()
        if now - self._checked >= CHECKPOINT_S:
            self._checked = now
            for one in files:
                one.checkpoint()
        if now - self._given >= GIVE_S:
            self._given = now
            memory.give_back()

    def _rest(self, one: Forwarder) -> None:
        """Nothing is waiting: a little of what can wait, and longer pauses than work, for the listener shares this interpreter."""
        job = self._nights.due()
        if job is not None:
            one.plan(job)
            self._nights.planned(job)
        begun = self.clock.monotonic()
        worked = one.idle()
        self.clock.sleep(max(IDLE_S, REST * (self.clock.monotonic() - begun)) if worked else IDLE_S)

    def _step(self, one: Forwarder) -> None:
        self.beat = self.clock.monotonic()
        if self.listener.health.clock_back or self._behind_the_door():
            self.clock.sleep(IDLE_S)
            return
        # Whether a server is there again is found out with little; most such attempts are in vain.
        worked = one.step(LIMIT if one.pool is None or self._failures else MANY, self.clock.now_ns())
        self._say("ok")
        self._failures = 0
        if not worked:
            self._rest(one)
        elif not one.more:
            self.clock.sleep(max(0.0, GATHER_S - (self.clock.monotonic() - self.beat)))

    def _behind_the_door(self) -> bool:
        """Whether the clock is far behind what loggers sent; their door is another process, so its journal tells."""
        if self.settings.ingest.hj212:
            self._newest_ns = max(self._newest_ns, newest_trailer(self.settings.data / "journal", DOOR).committed_ns)
            self.clock_back = self.clock.now_ns() < self._newest_ns - BACK_NS
        return self.clock_back

    def _wait(self, error: LanbiError, stop: Callable[[], bool]) -> None:
        """Hold everything and try again; nothing has moved."""
        # Each failure leaves a ring of frames, futures and what they held; the collector is set for a forwarder that leaves none,
        # and in a day without a store that would be gigabytes. What was there at the start is frozen and costs nothing here.
        gc.collect()
        kind = "busy" if isinstance(error, DataFolderBusy) else "down" if isinstance(error, ServiceError) else "refused"
        if kind != "busy":  # an import that forwards for us is no fault of the store
            self._say(f"{kind}: {error}")
        status = error.status if isinstance(error, (StoreAway, StoreRefused)) else ""
        self.retries[status or kind] += 1
        until = self.clock.monotonic() + self._patience(error)
        self._failures = min(self._failures + 1, 10)
        while not stop() and (now := self.clock.monotonic()) < until:
            self.beat = now
            self.clock.sleep(IDLE_S)

    def _patience(self, error: LanbiError) -> float:
        """How long to wait [s]: what the store asks for, else longer from time to time; never in step with other clients of it."""
        share = crc32(f"{self.settings.ingest.instance}/{self.retries.total()}/{self._failures}".encode()) % 1_000 / 1_000
        asked = error.wait_s if isinstance(error, StoreAway) else None
        if asked is not None:
            return min(asked, LONGEST_S) * (1 + share / 10)
        low, high = RETRY_S
        return min(high, low * 2.0**self._failures) * (0.5 + share / 2)

    def _say(self, store: str) -> None:
        """Say how the store is; a change is told to whoever reads the log."""
        if store.partition(":")[0] != self.store.partition(":")[0]:
            logs.tell("store.up" if store == "ok" else "store.down", f"存储 store: {both(store)}", state=store.partition(":")[0])
        self.store = store

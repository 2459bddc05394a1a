"""The ingest process: a listener, a forwarder and a glimpse thread, and a status file every second.

The listener never waits for the store, and the forwarder never for the broker: the journal lies between them. A thread that
dies ends the process, for a supervisor starts it again in a second and nothing is lost by it.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from domain.errors import DataFolderBusy
from domain.ports import Clock
from domain.sayings import both
from ingest.asking import Asking
from ingest.link import CLOCK_BACK
from ingest.listener import Listener
from lanbi import logs, wiring
from lanbi.broker_access import broker_of
from lanbi.crew import Crew, Member, where
from lanbi.folders import made
from lanbi.forwarding import IDLE_S, Forwarding
from lanbi.glimpsing import Glimpsing
from lanbi.guarding import Guarding
from lanbi.health_child import DOOR, HealthChild, kept
from lanbi.instances import check_folder, share_of
from lanbi.journal import JournalWriter
from lanbi.journal_files import hold_writer
from lanbi.journal_recent import Recent
from lanbi.keeping import Keeper
from lanbi.metrics import write_status
from lanbi.settings import Settings

NS: Final = 1_000_000_000
STATUS_S: Final = 1.0
STANDBY_S: Final = 0.2
Main = tuple[Listener, Forwarding, Guarding, Keeper]
"""What an ingest is made of."""
PATIENCE_S: Final = {"listener": 90.0, "forwarder": 300.0}
"""So long a thread may give no sign. A dial or a commit takes seconds; a batch may wait for several time-outs of a store."""


def run(settings: Settings, stop: Callable[[], bool], *, health: bool = False) -> int:
    """Run the process until ``stop``.

    Parameters
    ----------
    health : bool
        Whether to serve ``[ingest] health``, from a process of its own.

    Raises
    ------
    DataFolderBusy
        Another ingest listens for this data folder.
    PortTaken
        Somebody else listens on the health address.
    SettingsError
        The data folder belongs to another share of the devices.
    """
    clock = wiring.clock(settings)
    check_folder(settings)
    main = listener, forwarding, *_ = _made(settings, clock)
    crew = _crew(settings, clock, main, stop)
    path, told, hung, registry = settings.data / "run" / "ingest.json", Told(), "", forwarding.registry
    with ExitStack() as children:
        minded = {name: children.enter_context(child) for name, child in _children(settings, clock, health=health).items()}
        crew.start()
        while not stop() and not hung:
            now = _looked(main, clock, crew) | {name: child.mind() for name, child in minded.items()}
            write_status(path, now)
            told.say(now["reasons"])
            if registry is not forwarding.registry:  # all devices are asked for their topics
                registry = forwarding.registry
                listener.follow(share_of(settings).topics(registry))
            _nap(clock, stop)
            hung = crew.hung()
        if hung and not stop():
            return _give_up(path, {**status(listener, forwarding, clock, crew), "ready": False, "reasons": [hung]}, told)
        crew.join()
    write_status(path, {**status(listener, forwarding, clock, crew), "ready": False, "reasons": ["stopped"]})
    return 0


def _looked(main: Main, clock: Clock, crew: Crew) -> dict[str, Any]:
    """What the status file says: what the threads tell, and what is being guarded against."""
    listener, forwarding, guarding, keeper = main
    now = status(listener, forwarding, clock, crew)
    reasons = [*now["reasons"], *guarding.reasons()]
    return {**now, "warnings": [*guarding.warnings(), *keeper.warnings()], "reasons": reasons, "ready": not reasons}


def stand_by(settings: Settings, stop: Callable[[], bool]) -> None:
    """Wait until nobody holds the data folder: a lock that ends with its process is the only sign of life that cannot lie."""
    clock, folder, waits = wiring.clock(settings), made(settings.data / "journal" / "mqtt"), False
    while not stop():
        try:
            os.close(hold_writer(folder))
        except DataFolderBusy:
            if not waits:
                logs.tell("ingest.standby", f"备用 standing by: {settings.data}")
            waits = True
            clock.sleep(STANDBY_S)
        else:
            return


def _children(settings: Settings, clock: Clock, *, health: bool) -> dict[str, AbstractContextManager[HealthChild]]:
    """Processes that serve beside this one: its health, and the TCP door for HJ 212 loggers where the settings name an address."""
    door = settings.ingest.hj212 or ""
    return {
        "health": kept(HealthChild("ingest", settings.ingest.health, settings.file, clock), wanted=health),
        DOOR: kept(HealthChild(DOOR, door, settings.file, clock, module="lanbi.hj212_door"), wanted=bool(door)),
    }


def _made(settings: Settings, clock: Clock) -> Main:
    registry = wiring.registry(settings)
    recent = Recent()
    writer = JournalWriter(settings.data / "journal", "mqtt", settings.journal.quota, recent)
    share, newest_ns = share_of(settings), writer.committed.committed_ns
    # The broker may still have a session of this ingest from before the devices were shared, whatever became of its data folder.
    asking = Asking(forgo=share.others(registry))
    bulk = settings.ingest.receive == "bulk"
    listener = Listener(broker_of(settings), writer, clock, share.topics(registry), newest_ns=newest_ns, asking=asking, bulk=bulk)
    keeper = Keeper(settings, clock, lambda: bool(listener.health.journal_fault))
    return listener, Forwarding(settings, clock, listener, registry, {"mqtt": recent}), Guarding(settings, clock, partial(logs.tell, "broker.unsafe")), keeper


def _crew(settings: Settings, clock: Clock, main: Main, stop: Callable[[], bool]) -> Crew:
    listener, forwarding, guarding, keeper = main
    glimpsing = Glimpsing(settings, clock, forwarding)
    members = {
        "listener": Member(lambda: listener.run(stop), lambda: listener.health.beat, PATIENCE_S["listener"]),
        "forwarder": Member(lambda: forwarding.run(stop), lambda: forwarding.beat, PATIENCE_S["forwarder"]),
        # The silence of these harms no reading.
        "glimpse": Member(lambda: glimpsing.run(stop), clock.monotonic, math.inf),
        "guard": Member(lambda: guarding.run(stop), clock.monotonic, math.inf),
        "keeper": Member(lambda: keeper.run(stop), clock.monotonic, math.inf),
    }
    return Crew(members, clock)


def _give_up(path: Path, last: dict[str, Any], told: Told) -> int:
    """End for the supervisor, with the cause and where every thread stands in the log; nothing acknowledged is in memory."""
    write_status(path, last)
    told.say(last["reasons"])
    where(sys.stderr)
    sys.stderr.flush()
    os._exit(1)  # an orderly exit would wait for what a hanging thread holds


@dataclass
class Told:
    """Says in the log when the process became ready or unready, and why; once a change."""

    _said: list[str] | None = None

    def say(self, reasons: list[str]) -> None:
        """The reasons of now. Figures in them change every second and are no news."""
        plain = [re.sub(r"\d+(\.\d+)?", "#", reason) for reason in reasons]
        if plain == self._said:
            return
        self._said = plain
        if reasons:
            logs.tell("ingest.unready", "未就绪 not ready: " + "; ".join(map(both, reasons)), reasons=reasons)
        else:
            logs.tell("ingest.ready", "就绪 ready")


def _nap(clock: Clock, stop: Callable[[], bool]) -> None:
    until = clock.monotonic() + STATUS_S
    while not stop() and clock.monotonic() < until:
        clock.sleep(IDLE_S)


def status(listener: Listener, forwarding: Forwarding, clock: Clock, crew: Crew) -> dict[str, Any]:
    """What the process says of itself; the store is reported and never makes it unready."""
    health = listener.health
    reasons = [*health.reasons(), *([CLOCK_BACK] if forwarding.clock_back and not health.clock_back else []), *crew.reasons()]
    now = clock.monotonic()
    return {
        "pid": os.getpid(),
        "heartbeat": clock.now_ns() / NS,
        "ready": not reasons,
        "reasons": reasons,
        "connected": health.connected,
        "subscribed": health.subscribed,
        "packet_age_s": round(now - health.last_packet, 3) if health.last_packet else None,
        "messages": health.messages,
        "readings": health.readings,
        "reconnects": health.reconnects,
        "receive": health.receive,
        "stale_acks": health.stale_acks,
        "faults": health.faults,
        "last_fault": health.last_fault,
        "sessions_lost": health.sessions_lost,
        "rebirths": listener.outbox.rebirths.asked,
        "unsaid": health.unsaid + listener.outbox.dropped,
        "store": forwarding.store,
        "store_retries": dict(forwarding.retries),
        "writes": forwarding.writes.told(),
        "registry": forwarding.registry.version,
    }

"""History of a simulated county through the door of `lanbi import`: journal first, then accept and store as for anything else.

Writing goes on where it was stopped: the records are the same every time, so those that stand in the journal are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from domain.civil import day_end, day_of
from domain.errors import DataFolderBusy
from domain.places import Registry
from domain.ports import Clock
from edge_sim import history
from edge_sim.county import SimulatedCounty
from ingest.forwarder import Forwarder
from lanbi import wiring
from lanbi.journal import JournalReader, JournalWriter
from lanbi.journal_view import JournalView
from lanbi.progress import Progress
from lanbi.settings import Settings
from lanbi.state import State, StateView

WRITER: Final = "import"
TOPIC: Final = "lanbi/v1/~import/simulated"
GROUP: Final = 50
"""Records of up to a hundred readings in one commit: 5,000 readings."""


@dataclass(frozen=True, slots=True)
class Past:
    """Which history: seed, its last instant [s] (rounded down to a whole day), and how many days before it."""

    seed: int
    until: int
    days: int

    @property
    def last_day(self) -> int:
        """Last whole civil day."""
        day = day_of(self.until)
        return day if day_end(day) == self.until else day - 1

    @property
    def topic(self) -> str:
        """Topic of its records: it names the history, so that another one is not taken for a part of this."""
        return f"{TOPIC}-{self.seed}-{self.last_day}-{self.days}"


def journalled(folder: Path, topic: str) -> int:
    """Records of this history that stand in the journal already."""
    reader, found = JournalReader(folder, WRITER), 0
    while records := reader.read():
        found += sum(record.topic == topic for record in records)
    return found


def append(folder: Path, registry: Registry, past: Past, now_ns: int, done: Callable[[int], None]) -> int:
    """Journal the history; returns its readings.

    Parameters
    ----------
    now_ns : int
        Receive time of all of it.
    done : callable
        Told how many readings are journalled, after each commit.
    """
    known = journalled(folder, past.topic)
    writer = JournalWriter(folder, WRITER)
    try:
        return _append(writer, _records(registry, past), (known, past.topic, now_ns), done)
    finally:
        writer.close()


def _append(writer: JournalWriter, records: Iterator[tuple[bytes, int]], at: tuple[int, str, int], done: Callable[[int], None]) -> int:
    known, topic, now_ns = at
    total = sum(number for _, number in islice(records, known))
    for payload, number in records:
        writer.append(topic, payload, received_ns=now_ns, readings=number)
        total += number
        if writer.pending >= GROUP:
            writer.commit()
            done(total)
    writer.commit()
    return total


def _records(registry: Registry, past: Past) -> Iterator[tuple[bytes, int]]:
    return history.days(SimulatedCounty(registry, past.seed), past.last_day - past.days + 1, past.last_day)


def expected(registry: Registry, past: Past) -> int:
    """About how many readings it will be."""
    return history.count(SimulatedCounty(registry, past.seed), past.last_day - past.days + 1, past.last_day)


def write(settings: Settings, registry: Registry, clock: Clock, past: Past) -> int:
    """Journal the history and see it into the store; returns its readings.

    A running ingest forwards it; else this process does, so that a demo may begin with a full store.
    """
    total = expected(registry, past)
    bar = Progress("历史 history", 2 * total, clock)
    written = append(settings.data / "journal", registry, past, clock.now_ns(), bar.at)
    forward(settings, registry, clock, lambda stored: bar.at(total + stored))
    bar.close()
    return written


def forward(settings: Settings, registry: Registry, clock: Clock, done: Callable[[int], None]) -> None:
    """Until nothing journalled waits: forward here, or wait for the ingest that holds the state."""
    try:
        state = State(settings.data)
    except DataFolderBusy:
        _wait(settings, clock, done)
        return
    store = wiring.store(settings)
    try:
        worker = Forwarder(JournalView(settings.data / "journal", lambda: registry), state, store, registry)
        while worker.step():
            done(state.conservation()["stored"])
    finally:
        store.close()
        state.close()


def _wait(settings: Settings, clock: Clock, done: Callable[[int], None]) -> None:
    view = StateView(settings.data)
    while (law := view.conservation())["pending"]:
        done(law["stored"])
        clock.sleep(0.5)

"""Order campaign: random histories in random orders, batches and restarts end in the state that a computation on everything has.

Each history goes through the real journal, forwarder, state, store and analyst twice: once as it arrives, with repetitions, late
readings, corrections and restarts of forwarder and analyst between; once whole and in order. Rows of the store, cubes and figures
must then be the same to the bit (of every twentieth history also the ledger and the comparisons), rows and days those of slow
twins written from the rules, superseded values still there with their receipt, and every reading accounted for. The full form:
10,000 histories; ``--minutes`` ends it earlier, and it says how many there were. ``python -m tests.faults.orders --seed 3 --histories 500``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from analytics import cube
from domain import civil
from domain.indicators import Query
from domain.message import scan
from domain.readings import STATISTICAL, Key
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from lanbi.comparing import NEVER
from lanbi.embedded import EmbeddedStore
from lanbi.journal import JournalWriter
from lanbi.state import State
from tests import reference
from tests.faults.parts.histories import ITEMS, NOW, REGISTRY, STATIONS, Delivery, History, expected, history
from tests.faults.parts.report import Asked, Finding, main
from tests.ingest.machine import Machine

FAST: Final = Path("/dev/shm")
"""What is tried is order, not disks."""
FULL: Final = 10_000
QUICK: Final = 60
WHOLE: Final = 20
"""Every so many histories the ledger, the comparisons and the watches are part of it."""
SHOWN: Final = 5
PORTION: Final = 25
"""Histories that a process takes at a time."""
_NS: Final = 10**9
_SAID: Final = attrgetter("value", "valid", "expected", "target", "margin", "low90", "high90", "status", "text")


class Hand:
    """A clock that stands."""

    def now_ns(self) -> int:
        """Always the same instant."""
        return NOW * _NS

    def monotonic(self) -> float:
        """No second passes."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Nothing to wait for."""


class Nothing:
    """Stands for ledger, comparisons and watches, which follow from settled figures and hours and cost most of the time."""

    since = NEVER

    def keep(self, *_: object) -> None:
        """No ledger."""

    def forget(self, *_: object) -> None:
        """Nothing was kept."""

    def scope(self, *_: object) -> None:
        """No comparison with last year."""

    def ranks(self, *_: object) -> None:
        """No ranks."""

    def idle(self, now: int) -> bool:
        """No sensor is watched."""
        del now
        return False


@dataclass
class House:
    """A data folder with a forwarder and an analyst that may be started again at any moment.

    Attributes
    ----------
    bare : bool
        Without ledger, comparisons and watches.
    """

    folder: Path
    bare: bool = False
    follower: Follower | None = None
    written: int = 0

    def __post_init__(self) -> None:
        self.machine = Machine(self.folder, REGISTRY)
        self.store = EmbeddedStore(self.folder / "store.db")

    def journal(self, deliveries: Iterable[Delivery]) -> None:
        """Make deliveries durable, each received a moment after the one before."""
        for one in deliveries:
            out = JournalWriter(self.folder / "journal", one.writer)
            readings = scan(one.payload)[0] if one.writer == "mqtt" else 0
            self.written += 1
            out.append(one.topic, one.payload, received_ns=NOW * _NS + self.written * 1_000_000, readings=readings, flags=1)
            out.commit()
            out.close()

    def look(self, *, restart: bool) -> None:
        """The analyst works in what changed; it may be a new process."""
        if restart or self.follower is None:
            analyst = Analyst(self.store, self.store, REGISTRY, ())
            if self.bare:
                analyst.desks.remove(analyst.watch)
                analyst.comparer = analyst.ledger = analyst.watch = Nothing()  # type: ignore[assignment]
            self.follower = Follower(analyst, self.store, Hand())
            self.follower.start()
        self.follower.step()

    def rows(self) -> dict[Key, dict[str, Any]]:
        """Rows of the store, in the form of :func:`expected`."""
        found = (row for row in self.store.rows("air", None, -(2**62), 2**62))
        return {row.key: {"rev": row.rev} | {name: (value, row.flags.get(name, "N")) for name, value in row.values.items()} for row in found}

    def figures(self) -> dict[tuple[object, ...], tuple[Any, ...]]:
        """What all figures say, their value first; when and how often they were computed is left out."""
        rows = self.store.series(Query(basis=None, limit=10**6))
        return {row.key: _SAID(row) for row in rows if (row.valid is None or row.valid > 0) and row.figure != "sensor_alarms"}

    def cubes(self) -> dict[int, bytes]:
        """Digest of every year in memory."""
        assert self.follower is not None
        return {year: cube.digest(book.sites) for year, book in self.follower.analyst.books.items()}

    def close(self) -> None:
        """Give the store back."""
        self.store.close()


@dataclass
class Judge:
    """What was found wrong, by kind, with the first histories."""

    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    readings: int = 0
    days: int = 0
    figures: int = 0
    superseded: int = 0
    restarts: int = 0

    def blame(self, kind: str, seed: int, words: str = "") -> None:
        """A fault of a history."""
        self.faults[kind] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"history {seed}: {kind} {words[:200]}")

    def add(self, other: Judge) -> None:
        """What another process found."""
        self.faults += other.faults
        self.examples = [*self.examples, *other.examples][:SHOWN]
        for name in ("readings", "days", "figures", "superseded", "restarts"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def compare(self, made: History, one: House, whole: House) -> None:
        """The state as it came about, the one computed on everything, and the slow twins."""
        rows, wanted = one.rows(), expected(made)
        if rows != wanted or whole.rows() != wanted:
            self.blame("rows", made.seed, str(next((key for key in wanted if rows.get(key) != wanted[key]), "")))
        found, other = one.figures(), whole.figures()
        if found != other:
            self.blame("figures", made.seed, str(next((key for key in other if found.get(key) != other[key]), "")))
        if one.cubes() != whole.cubes():
            self.blame("cubes", made.seed)
        self._kept(made, one)
        self._days(made, one, found)
        self._law(made, one)
        self.readings += made.readings
        self.figures += len(found)

    def _kept(self, made: History, one: House) -> None:
        """Every accepted word on a value stands in the store or among the versions, with its receipt."""
        state = State(one.folder)
        rows = one.rows()
        versions = state.versions(list(rows))
        state.close()
        for station, messages in made.said.items():
            for message in messages:
                key = Key("air", station, message.span, message.time)
                known = {(old.item, old.value) for old in versions.get(key, ()) if old.received_ns >= NOW * _NS or not old.received_ns}
                lost = [item for item, value in message.values.items() if rows[key][item][0] != value and (item, value) not in known]
                self.superseded += sum(rows[key][item][0] != value for item, value in message.values.items())
                if lost:
                    self.blame("superseded", made.seed, f"{key} {lost}")

    def _days(self, made: History, one: House, found: dict[tuple[object, ...], tuple[Any, ...]]) -> None:
        """Days in = days out, and each raw station-day is the slow twin's; days with people's marks are left to the other comparison."""
        marked = any("mark" in entry.topic for entry in made.entered)
        for station in STATIONS:
            table = _hours(expected(made), station)
            for day, hours in table.items():
                stamp = civil.period_stamp(day)
                values = [found.get((item, "day", station, "HJ633-2012", "raw", stamp)) for item in (*ITEMS[:5], "o3_8h")]
                self.days += 1
                if any(any(value is not None for value in row) for row in hours) != any(values) and not (marked and station == "a"):
                    self.blame("days", made.seed, f"{station} {civil.date_of(day)}")
                if not (marked and station == "a") and _twin(hours) != [None if row is None else row[0] for row in values]:
                    self.blame("twin", made.seed, f"{station} {civil.date_of(day)}")

    def _law(self, made: History, one: House) -> None:
        law = one.machine.law()
        if (law["received"], law["pending"]) != (made.readings, 0) or law["deadletter"] != made.bad:
            self.blame("account", made.seed, str(law))


def _hours(rows: dict[Key, dict[str, Any]], station: str) -> dict[int, list[list[Fraction | None]]]:
    """A station's hours by civil day as fractions; an hour of parts needs 45 minutes of one span, a sent one goes before it."""
    found: dict[int, list[list[Fraction | None]]] = {}
    labels = {key.time if key.span == civil.HOUR_S else -(-key.time // civil.HOUR_S) * civil.HOUR_S for key in rows if key.source == station}
    for label in labels:
        day = found.setdefault(civil.day_of(label), [[None] * 6 for _ in range(24)])
        day[civil.hour_of(label) - 1] = [_hour(rows, station, label, item) for item in ITEMS]
    return found


def _hour(rows: dict[Key, dict[str, Any]], station: str, label: int, item: str) -> Fraction | None:
    sent = rows.get(Key("air", station, civil.HOUR_S, label), {}).get(item)
    if sent is not None:
        return _counted(sent)
    parts = [rows.get(Key("air", station, 600, label - 600 * back), {}).get(item) for back in range(6)]
    valid = [value for part in parts if part is not None and (value := _counted(part)) is not None]
    mean = sum(valid, Fraction()) / len(valid) if 10 * len(valid) >= 45 else None
    return None if mean is None else reference.half_even(mean, 3)


def _counted(cell: tuple[float | None, str]) -> Fraction | None:
    value, flag = cell
    return Fraction(str(value)) if value is not None and flag in STATISTICAL else None


def _twin(hours: Sequence[Sequence[Fraction | None]]) -> list[float | None]:
    """Displayed values of a day by plain fractions."""
    displayed = [reference.shown(item, value) for item, value in zip(reference.ITEMS, reference.day(hours), strict=True)]
    return [None if value is None else float(value) for value in displayed]


def one_history(seed: int, folder: Path, judge: Judge, *, bare: bool = False) -> None:
    """One history through two houses."""
    made = history(seed)
    chance = np.random.default_rng([78, seed])
    one, whole = House(folder / "one", bare), House(folder / "whole", bare)
    try:
        for batch in made.arrivals:
            one.journal(batch)
            one.machine.forward(int(chance.integers(1, 200)))
            if chance.random() < 0.5:
                restart = bool(chance.random() < 0.2)
                judge.restarts += restart
                one.look(restart=restart)
        one.look(restart=False)
        ordered = [Delivery("mqtt", f"lanbi/v1/d-{station}/data", msgspec.json.encode(part)) for station, said in made.said.items() for part in _hundreds(said)]
        whole.journal([*made.entered, *ordered])
        whole.machine.forward()
        whole.look(restart=True)
        judge.compare(made, one, whole)
    finally:
        one.close()
        whole.close()


def _hundreds(said: Sequence[Any]) -> list[Sequence[Any]]:
    return [said[begin : begin + 100] for begin in range(0, len(said), 100)]


def portion(seeds: Sequence[int], folder: Path) -> Judge:
    """Some histories, in a process of their own; what each of them is depends on its seed alone."""
    judge = Judge()
    for seed in seeds:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            one_history(seed, Path(own), judge, bare=seed % WHOLE != 0)
    return judge


def campaign(asked: Asked) -> Finding:
    """Many histories; the seed chooses them."""
    number, begun = asked.more.histories or (QUICK if asked.quick else FULL), time.monotonic()
    judge, done, side = Judge(), 0, asked.more.processes or os.cpu_count() or 1
    first = asked.seed * 100_000
    parts = [range(first + start, min(first + start + PORTION, first + number)) for start in range(0, number, PORTION)]
    work = partial(portion, folder=FAST if FAST.is_dir() else asked.folder)
    with ProcessPoolExecutor(side, mp_context=get_context("spawn")) as pool:
        # No more is handed out than is being done, so that the end in time comes in time.
        for start in range(0, len(parts), 2 * side):
            if asked.more.minutes and time.monotonic() - begun > 60 * asked.more.minutes:
                break
            for found in pool.map(work, parts[start : start + 2 * side]):
                judge.add(found)
            done = min(number, PORTION * (start + 2 * side))
            print(f"orders: {done} histories, faults {sum(judge.faults.values())} {judge.examples[:1]}", flush=True)
    words = [
        f"{done:,} histories{'' if done == number else f' of {number:,}'}, {judge.readings:,} readings, {judge.restarts:,} restarts of the analyst",
        f"{judge.figures:,} figures and all cubes bit-identical to a computation on everything" if not judge.faults else f"faults {dict(judge.faults)}",
        f"{judge.days:,} station-days equal to plain fractions, {judge.superseded:,} superseded values still readable",
    ]
    return {"sound": not judge.faults and judge.days > 0 and judge.superseded > 0, "figures": words, "faults": dict(judge.faults), "examples": judge.examples}


if __name__ == "__main__":
    how_many = ("--histories", int, 0, "how many; default 10,000, in the short form 60")
    at_once = ("--processes", int, 0, "side by side; default: as many as there are cores")
    sys.exit(main("orders", __doc__ or "", campaign, [how_many, at_once, ("--minutes", int, 0, "end after so many; default: never")]))

"""What is looked at while the store writes: it is looked at, it binds nobody, and a failure forgets it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event
from time import sleep
from unittest.mock import patch

import pytest

from domain.errors import StoreAway
from domain.places import Registry
from domain.readings import Entry, Key, Reading, Rejected
from ingest import courier, foresight
from ingest.judges import Judges
from ingest.ports import Record
from ingest.sequences import Runs
from lanbi.registry import loads
from tests.ingest.county import NOW, TEXT
from tests.ingest.machine import Machine

HOUR = NOW // 3600 * 3600
BATCH = 64
PATIENCE_S = 20


@pytest.fixture(autouse=True)
def _strides() -> Iterator[None]:
    """Reading by reading it is looked whether the store is done, and each may be a load of its own."""
    with patch.object(foresight, "STRIDE", 1):
        yield


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Machine]:
    """A machine with two loads under way, each of one row; and messages of three batches."""
    with ThreadPoolExecutor(2) as pool, patch.object(courier, "LOAD", 1):
        found = Machine(tmp_path, pool=pool)
        found.journal([b'{"seq": %d, "time": %d, "span": 60, "values": {"pm25": 5}}' % (n, HOUR + 60 * n) for n in range(3 * BATCH)], now=HOUR + 60 * 3 * BATCH)
        yield found


def test_the_next_batch_is_judged_while_the_store_writes_this_one(one: Machine) -> None:
    """The store answers only when something of the next batch has been seen."""
    seen: list[int] = []
    far = Event()
    glance = Judges.glance

    def noted(self: Judges, *args: object) -> object:
        seen.append(1)
        if len(seen) > BATCH:
            far.set()
        return glance(self, *args)  # type: ignore[arg-type]

    with patch.object(Judges, "glance", noted), one.forwarder() as forwarder:
        write = forwarder.store.write
        with patch.object(forwarder.store, "write", lambda rows: far.wait(PATIENCE_S) and write(rows)):
            assert BATCH == forwarder.step(BATCH)
        while forwarder.step(BATCH):
            pass
    assert far.is_set()
    assert 3 * BATCH == one.law()["stored"] == len(seen), "each message is judged once"


def test_a_batch_is_bounded_by_messages_too(one: Machine) -> None:
    """However many readings may be in a batch: messages of one reading each do not all lie in memory at once."""
    with patch.object(foresight, "TOGETHER", BATCH), one.forwarder() as forwarder:
        steps = [(forwarder.step(10**6), forwarder.more) for _ in range(4)]

    assert [(BATCH, True), (BATCH, True), (BATCH, False), (0, False)] == steps
    assert 3 * BATCH == one.law()["stored"]


def test_the_next_batch_is_judged_while_the_store_is_asked_about_late_rows(tmp_path: Path) -> None:
    """The store tells what it has only when something of the next batch has been seen; late rows are decided by what it told."""
    said = [(n, HOUR + 60 * n, 5) for n in range(3 * BATCH)]
    late = [(3 * BATCH + n, HOUR + 60 * n, 6) for n in range(2)]
    words = [*said[: 2 * BATCH - 2], *late, *said[2 * BATCH - 2 :]]
    far = Event()
    glance = Judges.glance

    def noted(self: Judges, records: Sequence[Record], runs: Runs) -> object:
        if records[-1].seq > 2 * BATCH:
            far.set()
        return glance(self, records, runs)

    with ThreadPoolExecutor(2) as pool, patch.object(courier, "LOAD", 1):
        one = Machine(tmp_path, pool=pool)
        one.journal([b'{"seq": %d, "time": %d, "span": 60, "values": {"pm25": %d}}' % word for word in words], now=HOUR + 60 * 3 * BATCH)
        with one.forwarder() as forwarder, patch.object(Judges, "glance", noted):
            forwarder.step(BATCH)
            cells = forwarder.store.cells
            with patch.object(forwarder.store, "cells", lambda keys: far.wait(PATIENCE_S) and cells(keys)):
                forwarder.step(BATCH)
            while forwarder.step(BATCH):
                pass

    found = {row.time: row.values["pm25"] for row in one.rows().values()}
    assert far.is_set()
    assert {HOUR + 60 * n: 6 if n < 2 else 5 for n in range(3 * BATCH)} == found


def test_a_question_is_not_left_behind_when_our_own_work_fails(one: Machine) -> None:
    """Its late answer would speak of rows as they are no more; so the failure is told only when the store has answered."""
    answered: list[bool] = []
    broken = Event()

    def work() -> Iterator[None]:
        broken.set()
        raise OSError("the journal's disk")
        yield

    def cells(keys: Sequence[Key]) -> dict[Key, Reading]:
        broken.wait(PATIENCE_S)
        sleep(0.05)
        answered.append(True)
        return {}

    with one.forwarder() as forwarder, patch.object(forwarder.store, "cells", cells), pytest.raises(OSError, match="the journal's disk"):
        courier.Courier(forwarder.store, one.pool).ask([Key("air", "a", 60, HOUR)], work())
    assert [True] == answered


def test_a_registry_that_comes_between_judges_what_was_already_seen(one: Machine) -> None:
    """What was foreseen under the old one does not count."""

    def reload(entry: Entry) -> Registry:
        return loads(str(entry.body["text"]), entry.id)

    one.reload = reload
    body = {"user": "li", "text": TEXT.replace('state = "accepted"', 'state = "retired"', 1)}
    with one.forwarder() as forwarder:
        forwarder.step(BATCH)
        one.journal([json.dumps(body).encode()], "lanbi/v1/~person/registry", "person")
        while forwarder.step(BATCH):
            pass

    assert (BATCH, 2 * BATCH) == (one.law()["stored"], one.law()["deadletter"])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, BATCH // 2, BATCH, BATCH + 2])
def test_a_store_that_fails_in_between_costs_nothing(one: Machine, call: int, *, after: bool) -> None:
    """The batch, and the one foreseen, are begun anew from the cursor."""
    numbers = count(1)

    with one.forwarder() as forwarder:
        write = forwarder.store.write

        def cut(rows: Sequence[Reading]) -> Sequence[Rejected]:
            number = next(numbers)
            if number == call and not after:
                raise StoreAway("cut before")
            found = write(rows)
            if number == call:
                raise StoreAway("cut after")
            return found

        with patch.object(forwarder.store, "write", cut):
            failed = 0
            while True:
                try:
                    if not forwarder.step(BATCH):
                        break
                except StoreAway:
                    failed += 1
    assert 1 == failed
    assert 3 * BATCH == one.law()["stored"] == len(one.rows())

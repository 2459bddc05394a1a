"""The forwarder's state: one transaction a batch, one writer, and the conservation law at every read."""

from pathlib import Path

import pytest

from domain.errors import DataFolderBusy, StoreAway
from domain.readings import Key
from ingest.newest import Newest
from ingest.ports import Batch, Latest, Refused, Version
from lanbi.journal import JournalReader, JournalWriter
from lanbi.state import State, StateView
from tests.lanbi.dying import killed

NOON_NS = 1_760_000_000 * 10**9
KEY = Key("air", "a", 3_600, 1_760_000_400)


def refused(number: int, reason: str = "bad-json", outcome: str = "deadletter") -> Refused:
    """A refusal of journal record ``mqtt/number``."""
    digest = number.to_bytes(16, "big")
    return Refused(outcome, reason, "detail 详", None, "dev", "a", 0, number, "mqtt", number, 0, NOON_NS, "lanbi/v1/dev/data", digest)


def version(seq: int, rev: int, value: float | None = 1.0) -> Version:
    """A version of one value from journal record ``mqtt/seq``."""
    return Version(KEY, "pm25", rev, value, "N", True, NOON_NS, "dev", "mqtt", seq)


def test_a_batch_moves_everything_together(tmp_path: Path) -> None:
    """Cursor, totals, latest, runs, sequences, refusals and change number are there after a commit and after a restart."""
    latest = Latest("a", 3_600, "air", KEY.time, 7, NOON_NS, "dev", {"pm25": (58.0, "N"), "co": (None, "W")})
    newest = Newest(*latest[:7], {"pm25": 58.0, "co": None}, {"co": "W"})
    batch = Batch("mqtt", 12, 15, latest={("a", 3_600): newest}, refused=[refused(3)], runs={("dev", 5): 1}, sequences={("dev", 5): 17}, change_number=4)
    batch.count("stored", by=14)
    batch.count("deadletter", "bad-json")
    state = State(tmp_path)
    state.commit(batch, "1")
    state.commit(Batch("mqtt", 13, 16, totals={("stored", ""): 1}), "1")
    for view in (state, StateView(tmp_path)):
        assert (13, 16) == view.cursor("mqtt")
        assert (0, 0) == view.cursor("import")
        assert {("stored", ""): 15, ("deadletter", "bad-json"): 1} == view.totals()
        assert [latest] == view.latest()
        assert [(1, refused(3))] == view.refused()
        assert ({("dev", 5): 1}, {("dev", 5): 17}) == (view.runs(), view.sequences())
        assert (4, 0) == (view.change_number("1"), view.change_number("2"))
    state.close()
    again = State(tmp_path)
    assert [latest] == again.latest()
    again.close()


def test_a_batch_that_fails_moves_nothing(tmp_path: Path) -> None:
    """If any part of a batch cannot be written, cursor and totals stay where they were."""
    state = State(tmp_path)
    state.commit(Batch("mqtt", 1, 1, totals={("stored", ""): 1}), "1")
    with pytest.raises(OverflowError):
        state.commit(Batch("mqtt", 2, 2, totals={("stored", ""): 1}, sequences={("dev", 0): 2**70}), "1")
    assert (1, 1) == state.cursor("mqtt")
    assert {("stored", ""): 1} == state.totals()
    state.close()


def test_one_forwarder_a_data_folder(tmp_path: Path) -> None:
    """A second forwarder is refused; views are not."""
    state = State(tmp_path)
    with pytest.raises(DataFolderBusy, match="another lanbi forwards"):
        State(tmp_path)
    assert {} == StateView(tmp_path).totals()
    state.close()
    State(tmp_path).close()


def test_a_view_makes_nothing(tmp_path: Path) -> None:
    """Looking at a data folder without state finds it empty and leaves it empty; once there is a state, the same view sees it."""
    view = StateView(tmp_path)
    assert {"received": 0, "stored": 0, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0} == view.conservation()
    assert ([], [], {}, set()) == (view.latest(), view.refused(newest=True), view.versions([KEY]), view.known_refusals([b"x"]))
    assert [] == list(tmp_path.iterdir())
    state = State(tmp_path)
    state.commit(Batch("mqtt", 1, 1, totals={("stored", ""): 1}), "1")
    assert {("stored", ""): 1} == view.totals()
    with pytest.raises(StoreAway, match="readonly"), view._files.write() as db:
        db.execute("DELETE FROM total")
    state.close()


def test_refusals_are_listed_by_reason_outcome_and_page(tmp_path: Path) -> None:
    """Dead letters page oldest first behind an id or newest first below it, and filter by reason and outcome."""
    state = State(tmp_path)
    rows = [refused(n, "conflict" if n % 3 == 0 else "bad-json", "quarantined" if n % 3 == 0 else "deadletter") for n in range(1, 10)]
    state.commit(Batch("mqtt", 9, 9, refused=rows), "1")
    assert [1, 2, 3, 4] == [number for number, _ in state.refused(limit=4)]
    assert [5, 6] == [number for number, _ in state.refused(after=4, limit=2)]
    assert [3, 6, 9] == [number for number, _ in state.refused(reason="conflict", outcome="quarantined")]
    assert [] == state.refused(reason="conflict", outcome="deadletter")
    assert [9, 8] == [number for number, _ in state.refused(newest=True, limit=2)]
    assert [7, 5] == [number for number, _ in state.refused(newest=True, after=8, reason="bad-json", limit=2)]
    assert {rows[0].digest} == state.known_refusals([rows[0].digest, b"unknown", *(bytes([n]) for n in range(200))] * 4)
    state.close()


def test_versions_of_an_unfinished_batch_are_forgotten_when_it_is_done_again(tmp_path: Path) -> None:
    """Versions kept before a crash are found, named unfinished, and replaced by those of the second attempt."""
    state = State(tmp_path)
    state.intend("mqtt", 5, [version(5, 1), version(5, 2, None)])
    state.commit(Batch("mqtt", 5, 5), "1")
    assert 0 == state.unfinished("mqtt")
    state.intend("mqtt", 9, [version(8, 3)])
    assert 8 == state.unfinished("mqtt")
    assert {KEY: [version(5, 1), version(5, 2, None), version(8, 3)]} == state.versions([KEY, KEY._replace(time=0)])
    state.intend("mqtt", 9, [version(9, 4)])
    assert {KEY: [version(5, 1), version(5, 2, None), version(9, 4)]} == StateView(tmp_path).versions([KEY])
    state.close()


def test_conservation_adds_up_while_the_journal_grows(tmp_path: Path) -> None:
    """Received = stored + duplicate + dead-letter + quarantined + pending at each step of journal and forwarder."""
    state, view = State(tmp_path), StateView(tmp_path)
    writer = JournalWriter(tmp_path / "journal", "mqtt")
    reader = JournalReader(tmp_path / "journal", "mqtt")
    for number in range(1, 20):
        writer.append("t", b"x", received_ns=NOON_NS, readings=number)
        writer.commit()
        _adds_up(view, number * (number + 1) // 2 + 4 * ((number - 1) // 3))
        if number % 3 == 0:
            found = reader.read()
            batch = Batch("mqtt", reader.after, reader.readings)
            batch.count("stored", by=sum(one.readings for one in found) - 2)
            batch.count("duplicate")
            batch.count("quarantined", "conflict")
            # Decoding found four more in a record that counted as one, all refused.
            batch.count("decoded_more", by=4)
            batch.count("deadletter", "bad-json", 4)
            state.commit(batch, "1")
            _adds_up(view, number * (number + 1) // 2 + 4 * (number // 3))
    assert 19 == view.conservation()["pending"]
    writer.close()
    state.close()


def _adds_up(view: StateView, received: int) -> None:
    terms = view.conservation()
    assert received == terms.pop("received") == sum(terms.values())
    assert min(terms.values()) >= 0


def test_a_killed_forwarder_repeats_or_has_done_its_batch(tmp_path: Path) -> None:
    """After kill -9 in the middle of commits, cursor and totals tell of the same batch."""
    code = """
import sys
from pathlib import Path
from ingest.ports import Batch
from lanbi.state import State
state = State(Path(sys.argv[1]))
number = state.cursor("mqtt")[0]
while True:
    number += 1
    state.commit(Batch("mqtt", number, 10 * number, totals={("stored", ""): 10}), "1")
    print(number, flush=True)
"""
    for stop in (3, 50, 200):
        done = killed(code, tmp_path, stop)
        view = StateView(tmp_path)
        seq, readings = view.cursor("mqtt")
        assert seq >= done
        assert {("stored", ""): readings} == view.totals()
        view.close()

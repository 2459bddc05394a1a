"""A store that refuses some values for good: whatever is killed when, counts, rows and quarantine are as if nothing had been killed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from domain.message import Message, encode
from domain.readings import Reading, Rejected
from lanbi.embedded import EmbeddedStore
from lanbi.state import StateView
from tests.ingest.machine import Machine
from tests.ingest.test_order import HOUR, KILLS, SLOW, actual, arrivals, killed, machine

BAD = (HOUR, HOUR - 3600)
"""Times of rows whose ``co`` the store does not take."""


class Picky(EmbeddedStore):
    """Takes no ``co`` at some times, one at a time, and no row at all whose ``pm25`` is 2.5."""

    def write(self, rows: Sequence[Reading]) -> Sequence[Rejected]:
        """Store the rows that are good; say one that is not."""
        bad = [Rejected(row.key, "co", "store-rejected", "no co") for row in rows if row.time in BAD and "co" in row.values]
        bad += [Rejected(row.key, None, "store-rejected", "no 2.5") for row in rows if row.values.get("pm25") == 2.5]
        named = {one.key for one in bad}
        super().write([row for row in rows if row.key not in named])
        return bad[:1]


def picky(folder: Path) -> Picky:
    """Open it."""
    return Picky(folder / "store.db")


def quarantine(one: Machine) -> list[tuple[str, str | None, str, int, int]]:
    """What is held, by its place in the journal."""
    view = StateView(one.data)
    rows = sorted(((row.reason, row.item, row.writer, row.seq, row.element) for _, row in view.refused(limit=1_000)), key=str)
    view.close()
    return rows


@SLOW
@given(arrivals(), KILLS, st.integers(0, 13))
def test_a_kill_changes_nothing_of_what_is_refused(arrival: tuple[list[Message], list[list[Message]]], kills: list[tuple[int, bool, int]], cut: int) -> None:
    """Killed before or after any write, the same is stored, the same is held, and the account is the same."""
    _, payloads = arrival
    single = [encode(message) for part in payloads for message in part]
    with machine() as one, machine() as unharmed:
        one.open = unharmed.open = picky
        unharmed.journal(single)
        unharmed.forward(1)
        for part in (single[:cut], single[cut:]):
            one.journal(part)
            for left, after, _ in kills:
                killed(one, left, after, 1)
        one.forward(1)

        assert unharmed.totals() == one.totals()
        assert actual(unharmed) == actual(one)
        assert quarantine(unharmed) == quarantine(one)
        assert unharmed.announced() == one.announced()
        assert not [row for row in one.rows().values() if row.time in BAD and "co" in row.values]


@SLOW
@given(arrivals(), st.integers(1, 6))
def test_the_account_adds_up_whatever_is_refused(arrival: tuple[list[Message], list[list[Message]]], limit: int) -> None:
    """In any grouping every reading is stored, known, or held with its place in the journal; what is refused is nowhere in the store."""
    _, payloads = arrival
    with machine() as one:
        one.open = picky
        one.journal([encode(part) for part in payloads])
        one.forward(limit)

        law = one.law()
        assert (0, 0, sum(map(len, payloads))) == (law["pending"], law["deadletter"], law["received"])
        assert not [row for row in one.rows().values() if row.time in BAD and "co" in row.values]
        assert one.totals().get(("items_refused", "store-rejected"), 0) == sum(item is not None for _, item, *_ in quarantine(one))


def test_a_refused_item_of_a_known_row_is_not_met_again_as_its_past() -> None:
    """A batch that gives a known row an item that the store refuses, and then another revision, is decided anew without it, and once only."""
    said = [("pm25", "co"), ("pm25", "co"), ("pm25",)]
    batch = [
        Message(HOUR - 3600, 3600, {"pm25": 1.0, "co": 1.0}, 0, 1),
        *(Message(HOUR, 3600, dict.fromkeys(names, 1.0), 2, n) for n, names in enumerate(said)),
    ]
    with machine() as one:
        one.open = picky
        one.journal([encode(Message(HOUR, 3600, {"pm25": 1.0}, 1, 2)), encode(batch)])
        one.forward()

        assert {HOUR: {"pm25": 1.0}, HOUR - 3600: {"pm25": 1.0}} == {row.time: dict(row.values) for row in one.rows().values()}
        assert {"received": 5, "stored": 2, "duplicate": 3, "deadletter": 0, "quarantined": 0, "pending": 0} == one.law()
        assert [("store-rejected", "co", "mqtt", 2, element) for element in range(3)] == quarantine(one)


def test_a_correction_of_a_refused_item_is_its_first(tmp_path: Path) -> None:
    """The refused value has left no trace in what decides later readings: once the store takes it, the same reading again is stored."""
    one = Machine(tmp_path, open=picky)
    first = encode(Message(HOUR, 3600, {"pm25": 1.0, "co": 2.0}, 0, 1))
    one.journal([first, first])
    one.forward()
    assert {"received": 2, "stored": 1, "duplicate": 1, "deadletter": 0, "quarantined": 0, "pending": 0} == one.law()
    one.open = Machine(tmp_path).open
    one.journal([first])
    one.forward()

    assert {"pm25": 1.0, "co": 2.0} == dict(next(iter(one.rows().values())).values)
    assert (2, 1) == (one.law()["stored"], one.law()["duplicate"])


def test_a_replay_into_a_store_that_refuses_an_item_keeps_the_rest(tmp_path: Path) -> None:
    """What a refilled store will not take is quarantined though it had been stored once; once the store takes it, it is settled."""
    one = Machine(tmp_path)
    one.journal([encode(Message(HOUR - 3600 * n, 3600, {"pm25": 1.0, "co": 2.0}, 0, n)) for n in range(4)])
    one.forward()
    (tmp_path / "store.db").unlink()
    one.open = picky
    first = one.ask("replay")
    one.forward()

    assert "done" == one.job(first).state
    assert 4 == one.job(first).counts["stored"] + one.job(first).counts["duplicate"]
    assert [("store-rejected", "co"), ("store-rejected", "co")] == [row[:2] for row in one.refused()]
    assert [0, 0, 2, 2] == sorted(sum(name == "co" for name in row.values) + (row.time not in BAD) for row in one.rows().values())
    one.open = Machine(tmp_path).open
    one.ask("deadletters")
    one.forward()

    assert [] == one.refused()
    assert 4 == sum("co" in row.values for row in one.rows().values())
    one.law()

"""No order of arrival, batching, repetition or crash lets an older revision stand over a newer one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.civil import iso
from domain.errors import StoreAway
from domain.message import Message, encode
from domain.readings import Key
from ingest.revisions import FIRST_DEVICE_RUN
from tests.ingest.county import NOW
from tests.ingest.machine import Fuse, Machine

HOUR = NOW // 3600 * 3600
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        yield Machine(Path(folder))


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    """Messages with distinct revisions about few rows and items, so that they meet."""
    numbers = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=1, max_size=9, unique=True))
    value = st.none() | st.sampled_from([1.0, 2.5, -3.0])
    out = []
    for run, seq in numbers:
        values = draw(st.dictionaries(st.sampled_from(["pm25", "co"]), value.filter(lambda v: v != -3.0), min_size=1))
        flags = {name: "M" for name in values if draw(st.booleans())}
        out.append(Message(HOUR - 3600 * draw(st.integers(0, 2)), 3600, values, run, seq, "tc-a01", flags))
    return out


def expected(sent: list[Message]) -> dict[Key, dict[str, Any]]:
    """Rows by the rule itself: of each item the greatest (run, seq); the row carries the greatest of all."""
    rows: dict[Key, dict[str, Any]] = {}
    for message in sorted(sent, key=lambda one: (one.run, one.seq)):
        row = rows.setdefault(Key("air", "tc-a01", message.span, message.time), {"rev": 0})
        row["rev"] = (message.run + FIRST_DEVICE_RUN) * 2**40 + int(message.seq or 0)
        for name, value in message.values.items():
            row[name] = (value, "W" if value is None else message.flags.get(name, "N"))
    return rows


def actual(one: Machine) -> dict[Key, dict[str, Any]]:
    """Rows of the store in the same form."""
    return {key: {"rev": row.rev} | {name: (value, row.flags.get(name, "N")) for name, value in row.values.items()} for key, row in one.rows().items()}


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Message], list[list[Message]]]:
    """Messages, and how they arrive: shuffled, some twice, cut into payloads."""
    sent = draw(messages())
    twice = draw(st.lists(st.sampled_from(sent), max_size=4))
    order = draw(st.permutations([*sent, *twice]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)))
    parts = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return sent, [list(part) for part in parts if part]


@SLOW
@given(arrivals(), st.integers(1, 6))
def test_any_order_ends_in_the_same_rows(arrival: tuple[list[Message], list[list[Message]]], limit: int) -> None:
    """Whatever the order, grouping and repetition, each cell holds its greatest revision, and the account adds up."""
    sent, payloads = arrival
    with machine() as one:
        one.journal([encode(part) for part in payloads])
        one.forward(limit)

        assert expected(sent) == actual(one)
        assert (sum(map(len, payloads)), 0) == (one.law()["received"], one.law()["pending"])


KILLS = st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(1, 6)), max_size=4)


@SLOW
@given(arrivals(), KILLS, st.integers(0, 13), st.integers(1, 6))
def test_a_kill_between_any_two_steps_changes_nothing(
    arrival: tuple[list[Message], list[list[Message]]], kills: list[tuple[int, bool, int]], cut: int, limit: int
) -> None:
    """Killed before or after any write of state or store, and restarted with another batch size, rows, counts and announced days are the same."""
    sent, payloads = arrival
    single = [encode(message) for part in payloads for message in part]
    with machine() as one, machine() as unharmed:
        unharmed.journal(single)
        unharmed.forward()
        for part in (single[:cut], single[cut:]):
            one.journal(part)
            for kill in kills:
                killed(one, *kill)
        one.forward(limit)

        assert expected(sent) == actual(one)
        assert (len(single), 0) == (one.law()["received"], one.law()["pending"])
        assert unharmed.totals() == one.totals()
        assert unharmed.announced() == one.announced()


def killed(one: Machine, left: int, after: bool, limit: int) -> None:  # noqa: FBT001  drawn values
    """Forward with a fuse; whether it blows or not, the law holds."""
    with suppress(StoreAway):
        one.forward(limit, Fuse(left, after))
    one.law()


def test_a_batch_cut_off_after_its_rows_were_written_is_decided_as_the_first_time() -> None:
    """A late row that two messages of the cut batch made is not taken for one that the newer of them wrote alone."""
    newest = Message(HOUR, 3600, {"pm25": 1.0}, 0, 1, "tc-a01")
    late = [Message(HOUR - 3600, 3600, {"pm25": 1.0}, 0, 5, "tc-a01"), Message(HOUR - 3600, 3600, {"co": 2.0}, 0, 7, "tc-a01")]
    between = Message(HOUR - 3600, 3600, {"pm25": 9.0}, 0, 6, "tc-a01")
    for limit in (1, 9):
        with machine() as one:
            one.journal([encode(newest)])
            one.forward()
            one.journal([encode(message) for message in late])
            killed(one, 2, after=True, limit=9)  # remembered, written, not committed
            one.forward(limit)
            one.journal([encode(between)])
            one.forward()

            assert expected([newest, *late, between]) == actual(one)


def test_a_row_said_again_whole_is_decided_as_the_first_time() -> None:
    """Killed once a known row stands in the store with a new revision and a new item, the batch counts and announces as if nothing had happened."""
    known, again = Message(HOUR, 3600, {"pm25": 1.0}, 0, 1, "tc-a01"), Message(HOUR, 3600, {"pm25": 1.0, "co": 2.0}, 1, 0, "tc-a01")
    with machine() as one, machine() as unharmed:
        for each in (one, unharmed):
            each.journal([encode(known)])
            each.forward()
            each.journal([encode(again)])
        killed(one, 2, after=True, limit=9)  # intended, written, not announced
        one.forward()
        unharmed.forward()

        assert expected([known, again]) == actual(one)
        assert unharmed.totals() == one.totals()
        assert 2 == one.totals()["stored", ""]


def test_a_batch_done_again_in_parts_is_finished_before_other_doors_are_opened() -> None:
    """Of two messages about a known row the second was written too when the batch was cut off; done again one by one, neither counts twice."""
    known = Message(HOUR, 3600, {"pm25": 1.0}, 0, 1, "tc-a01")
    more = [Message(HOUR, 3600, {"pm25": 1.0, "co": 2.0}, 1, 0, "tc-a01"), Message(HOUR, 3600, {"pm25": 3.0}, 1, 1, "tc-a01")]
    with machine() as one:
        one.journal([encode(known)])
        one.forward()
        one.journal([encode(message) for message in more])
        killed(one, 3, after=True, limit=9)
        one.forward(1)

        assert expected([known, *more]) == actual(one)
        assert 3 == one.totals()["stored", ""]


@SLOW
@given(arrivals(), st.integers(0, 4))
def test_an_import_never_stands_over_a_device(arrival: tuple[list[Message], list[list[Message]]], place: int) -> None:
    """An import fills what no device said, before or after; where a device spoke it is history."""
    sent, payloads = arrival
    imported = Message(HOUR, 3600, {"pm25": 77.0, "no2": 44.0}, source="tc-a01")
    with machine() as one:
        for number, part in enumerate([*payloads[:place], None, *payloads[place:]]):
            if part is None:
                one.journal([encode([imported])], "lanbi/v1/~import/lanbi-csv", "import", NOW + number)
            else:
                one.journal([encode(part)], now=NOW + number)
            one.forward()
        row = actual(one)[Key("air", "tc-a01", 3600, HOUR)]
        said = expected(sent).get(Key("air", "tc-a01", 3600, HOUR), {})

        assert (44.0, "N") == row["no2"]
        assert said.get("pm25", (77.0, "N")) == row["pm25"]


def test_runs_in_epoch_seconds_keep_their_order() -> None:
    """A device that lost its memory and takes epoch seconds for its run still has newer runs over older ones, also late."""
    first = Message(HOUR, 3600, {"pm25": 1.0}, 1_795_000_000, 5)
    newer = msgspec.structs.replace(first, run=1_795_300_000, seq=0, values={"pm25": 3.0})
    between = msgspec.structs.replace(first, run=1_795_100_000, seq=9, values={"pm25": 2.0})
    with machine() as one:
        one.journal([encode(message) for message in (first, newer, between)])
        one.forward(1)

        assert [3.0] == [row.values["pm25"] for row in one.rows().values()]
        assert 3 == one.law()["stored"]


REPLAYS = st.lists(st.tuples(st.integers(0, 13), st.sampled_from(["replay", "deadletters"]), st.booleans(), st.integers(0, 40)), min_size=1, max_size=3)


@SLOW
@given(arrivals(), REPLAYS, st.integers(1, 6), st.one_of(st.none(), st.tuples(st.integers(1, 12), st.booleans())))
def test_replays_between_arrivals_change_nothing(
    arrival: tuple[list[Message], list[list[Message]]], replays: list[tuple[int, str, bool, int]], limit: int, kill: tuple[int, bool] | None
) -> None:
    """However replays are mixed with arrivals, also into a store that was wiped, and killed: rows are those of the greatest revisions."""
    sent, payloads = arrival
    with machine() as one:
        for number, part in enumerate(payloads):
            one.journal([encode(part)], now=NOW + number)
            for _, what, wiped, since in (replay for replay in replays if replay[0] % len(payloads) == number):
                one.forward(limit)
                if wiped:
                    _wipe(one)
                one.ask(what, now=NOW + number, since=iso(0 if wiped else NOW + since))
                if wiped and what != "replay":
                    one.ask("replay", now=NOW + number)
                if kill:
                    killed(one, *kill, limit)
        one.forward(limit)

        assert expected(sent) == actual(one)
        assert 0 == one.law()["pending"]


def _wipe(one: Machine) -> None:
    for path in one.data.glob("store.db*"):
        path.unlink()

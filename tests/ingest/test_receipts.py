"""Receipts and sequence numbers: pure bookkeeping."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from ingest.receipts import MAX_DEVICES, MAX_RANGES, Ranges, Receipts
from ingest.sequences import LAST, SMALL, Runs, Sequences


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5))))
def test_ranges_are_the_numbers(parts: list[tuple[int, int]]) -> None:
    """Ranges hold exactly the numbers put in, sorted, and neighbours are one range."""
    ranges = Ranges()
    numbers: set[int] = set()
    for low, more in parts:
        ranges.add(low, low + more)
        numbers.update(range(low, low + more + 1))

    assert sorted(numbers) == [number for low, high in ranges.rows for number in range(low, high + 1)]
    assert all(after[0] > before[1] + 1 for before, after in zip(ranges.rows, ranges.rows[1:], strict=False))


@given(st.lists(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 200)), max_size=80), max_size=5))
def test_every_durable_number_is_told_and_no_other(groups: list[list[tuple[int, int]]]) -> None:
    """After each commit the receipts name every number of it, never one that is not durable, at most 32 ranges each."""
    receipts = Receipts()
    durable: set[tuple[int, int]] = set()
    for group in groups:
        receipts.durable("d", group)
        durable.update(group)
        told = receipts.due()
        named = {(one.run, number) for one in told for low, high in one.ranges for number in range(low, high + 1)}

        assert set(group) <= named <= durable
        assert all(len(one.ranges) <= MAX_RANGES for one in told)
    assert [] == receipts.due()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 90)), max_size=120))
def test_numbers_told_one_by_one_make_the_ranges_of_all(said: list[tuple[str, int, int]]) -> None:
    """Whatever follows upon whatever, the receipt of a single number names what is known of its run, as long as that is few ranges."""
    receipts = Receipts()
    known: dict[str, tuple[int, Ranges]] = {}
    for device, run, seq in said:
        if device not in known or known[device][0] != run:
            known[device] = run, Ranges()
        known[device][1].add(seq, seq)
        receipts.durable(device, [(run, seq)])
        (told,) = receipts.due()
        if len(known[device][1].rows) > MAX_RANGES:
            return
        assert (device, run, tuple(known[device][1].rows)) == told


def test_a_lost_receipt_is_healed_by_the_next() -> None:
    """The next receipt repeats what was durable before."""
    receipts = Receipts()
    receipts.durable("d", [(0, 1), (0, 2)])
    receipts.due()
    receipts.durable("d", [(0, 9)])

    assert [((1, 2), (9, 9))] == [one.ranges for one in receipts.due()]


def test_forged_devices_eat_no_memory() -> None:
    """Of a hundred thousand names only some thousand are remembered; a real device is told all the same, now and later."""
    receipts = Receipts()
    for number in range(100_000):
        receipts.durable(f"forged-{number}", [(0, number)])
        if number % 10_000 == 0:
            receipts.durable("real", [(0, number // 10_000)])
            told = {one.device: one.ranges for one in receipts.due()}
            assert told["real"][-1][1] == number // 10_000
            assert number > 10_000 or len(told) > 1

    assert MAX_DEVICES >= len(receipts._known)


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, SMALL + 5), unique=True, max_size=40))
def test_run_indices_keep_the_order_of_runs(runs: list[int]) -> None:
    """Whatever their order of arrival, indices that could be given stand in the order of the runs, within 1 … 2047."""
    book = Runs()
    given_ = {run: index for run in runs if (index := book.index("d", run)) is not None}

    assert sorted(given_.values()) == [given_[run] for run in sorted(given_)]
    assert len(set(given_.values())) == len(given_)
    assert all(1 <= index <= LAST for index in given_.values())
    assert given_ == {run: book.index("d", run) for run in given_}


def test_growing_runs_in_epoch_seconds_have_room() -> None:
    """A device that loses its memory again and again finds more than two hundred indices."""
    book = Runs()

    assert None not in [book.index("d", 1_700_000_000 + 1_000 * n) for n in range(200)]


@given(st.lists(st.dictionaries(st.tuples(st.sampled_from("ab"), st.integers(0, 1)), st.lists(st.none() | st.integers(0, 9), min_size=1, max_size=4))))
def test_many_devices_are_seen_as_one_after_the_other(batches: list[dict[tuple[str, int], list[int | None]]]) -> None:
    """Gaps, greatest numbers and what changed are those of each device by itself."""
    one, other = Sequences(), Sequences()
    for said in batches:
        gaps = sum(one.see(*whose, numbers) for whose, numbers in said.items())
        assert gaps == other.see_all([whose for whose, numbers in said.items() for _ in numbers], chain.from_iterable(said.values()))
        assert (one.greatest, one.taken()) == (other.greatest, other.taken())
        assert {} == other.taken()


def test_gaps_are_counted_once() -> None:
    """A skipped number is a gap at first sight; repeats, late ones and declared losses do not count again."""
    book = Sequences()

    assert [0, 0, 2, 0, 0] == [book.see("d", 0, [seq]) for seq in (7, 8, 11, 9, 11)]
    assert [0, 3, 1] == [book.lost("d", 0, 9, 10), book.lost("d", 0, 12, 14), book.lost("d", 0, 14, 15)]
    assert 0 == book.see("d", 0, [None, 16])

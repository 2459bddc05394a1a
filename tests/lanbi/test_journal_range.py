"""Stretches of the record by receive time."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from lanbi.journal import JournalWriter, Loss, between, files

DAY_NS = 86_400 * 10**9
NOON_NS = 1_760_000_000 * 10**9


def journalled(folder: Path, times: list[int]) -> None:
    """One record and one commit for each receive time; record n holds n readings."""
    writer = JournalWriter(folder, "mqtt")
    for number, when in enumerate(times, 1):
        writer.append("t", b"payload %d" % number, received_ns=when, readings=number)
        writer.commit()
    writer.close()


def test_a_range_has_its_beginning_and_not_its_end(tmp_path: Path) -> None:
    """Across days, in the order of receipt; an empty range and a writer without a journal give nothing."""
    journalled(tmp_path, [NOON_NS + number * DAY_NS // 2 for number in range(6)])

    assert [2, 3, 4] == [one.seq for one in between(tmp_path, "mqtt", NOON_NS + DAY_NS // 2, NOON_NS + 2 * DAY_NS)]
    assert [] == list(between(tmp_path, "mqtt", NOON_NS + 1, NOON_NS + 1))
    assert [] == list(between(tmp_path, "hj212", 0, 2**62))


def test_a_clock_set_back_hides_no_record(tmp_path: Path) -> None:
    """A receive time of yesterday in the file of today is found, in its place."""
    journalled(tmp_path, [NOON_NS, NOON_NS + DAY_NS, NOON_NS + 5, NOON_NS + DAY_NS + 5])

    assert [1, 3] == [one.seq for one in between(tmp_path, "mqtt", NOON_NS, NOON_NS + DAY_NS)]


def test_the_record_is_not_held_in_memory(tmp_path: Path) -> None:
    """Reading 40 MB of the record takes less than half of that."""
    writer = JournalWriter(tmp_path, "mqtt")
    for _ in range(8):
        for _ in range(100):
            writer.append("t", b"x" * 50_000, received_ns=NOON_NS)
        writer.commit()
    writer.close()
    tracemalloc.start()
    count = sum(1 for _ in between(tmp_path, "mqtt", 0, 2**62))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert 800 == count
    assert peak < 20_000_000


def test_damage_on_the_way_is_told(tmp_path: Path) -> None:
    """What was passed over is named with its readings; the neighbours come out."""
    journalled(tmp_path, [NOON_NS, NOON_NS + 1, NOON_NS + 2])
    path = files(tmp_path, "mqtt")[0]
    path.write_bytes(path.read_bytes().replace(b"payload 2", b"qayload 2"))
    lost: list[Loss] = []

    assert [1, 3] == [one.seq for one in between(tmp_path, "mqtt", 0, 2**62, lost.append)]
    assert [(1, 2)] == [(loss.records, loss.readings) for loss in lost]

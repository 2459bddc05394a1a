"""Room: the quota stops the journal and lets it go on; growth says when it is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from domain.errors import JournalError
from lanbi import journal_space
from lanbi.journal import JournalReader, JournalWriter, files, newest_trailer
from lanbi.journal_bytes import sealed_path
from lanbi.journal_space import NEVER_FULL, Quota, Room, days_until_full, growth_a_day, room, used
from tests.lanbi.sealed_house import DAY_NS, NOON_NS, TOPIC, journalled, seal_all


def test_a_quota_stops_and_room_lets_go_on(tmp_path: Path) -> None:
    """At the quota commit raises with the time since when, nothing is shown to readers, and the same commit succeeds once there is room."""
    (tmp_path / "import").mkdir()
    ballast = tmp_path / "import" / "ballast"
    ballast.write_bytes(b"x" * 1_000)
    writer = JournalWriter(tmp_path, "mqtt", quota=50_000)
    writer.append(TOPIC, b"x" * 49_000, received_ns=NOON_NS)
    writer.commit()
    writer.append(TOPIC, b"late", received_ns=NOON_NS + 10**9)
    for later in (0, 60):
        writer.append(TOPIC, b"later", received_ns=NOON_NS + (later + 2) * 10**9)
        with pytest.raises(JournalError, match=r"since 2025-10-09T16:53:22\+08:00: .*reached its quota") as raised:
            writer.commit()
    assert "journal.quota" in raised.value.todo
    assert 1 == len(JournalReader(tmp_path, "mqtt").read())
    ballast.unlink()
    writer.commit()
    assert [49_000, 4, 5, 5] == [len(one.payload) for one in JournalReader(tmp_path, "mqtt").read()]
    writer.close()


def test_a_quota_is_measured_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks only the own bytes are counted; what others wrote is seen after some megabytes at the latest."""
    looks: list[int] = []

    def look(_: Path) -> int:
        looks.append(1)
        return 10 * len(looks)

    monkeypatch.setattr(journal_space, "used", look)
    quota = Quota(tmp_path, 1 << 30)
    for _ in range(12):
        quota.check()
        quota.wrote(1 << 20)
    assert 3 == len(looks)
    monkeypatch.setattr(journal_space, "used", lambda _: 1 << 30)
    quota.wrote(5 << 20)
    with pytest.raises(OSError, match="quota") as raised:
        quota.check()
    assert errno.EDQUOT == raised.value.errno
    Quota(tmp_path, None).check()


def test_a_full_disk_is_told_with_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause in words, since when, and what to do; a second failure keeps the first time, a success forgets it."""

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = JournalWriter(tmp_path, "mqtt")
    for number in range(2):
        writer.append(TOPIC, b"x", received_ns=NOON_NS + number * 3_600 * 10**9)
        with monkeypatch.context() as patched:
            patched.setattr("os.write", refuse)
            with pytest.raises(JournalError, match=r"since 2025-10-09T16:53:20\+08:00: 磁盘已满 the disk is full") as raised:
                writer.commit()
    assert "free space" in raised.value.todo
    writer.commit()
    writer.append(TOPIC, b"x", received_ns=NOON_NS + 7_200 * 10**9)
    monkeypatch.setattr("os.write", refuse)
    with pytest.raises(JournalError, match="18:53:20"):
        writer.commit()


def test_the_days_until_full_follow_the_last_closed_week(tmp_path: Path) -> None:
    """Sealed sizes count, the open day does not, an import does not, archived files take no room."""
    journal = tmp_path / "journal"
    assert NEVER_FULL == days_until_full(tmp_path)
    journalled(journal, 11, groups=(5, 5), size=1_000)
    seal_all(journal)
    journalled(journal, 2, size=50_000, writer="import")
    sizes = [sum(part.stat().st_size for part in (journal / "mqtt").glob(f"{path.stem}*")) for path in files(journal, "mqtt")[3:10]]
    assert sum(sizes) / 7 == growth_a_day(journal)
    free = room(tmp_path, None).free
    assert min(NEVER_FULL, free / growth_a_day(journal)) == pytest.approx(days_until_full(tmp_path), rel=0.01)
    quota = used(journal) + 10 * sum(sizes)
    assert 70.0 == pytest.approx(days_until_full(tmp_path, quota))
    assert 0.0 == days_until_full(tmp_path, 5)


def test_what_is_not_sealed_yet_is_taken_to_shrink(tmp_path: Path) -> None:
    """A plain closed day counts as much as the last sealed one became smaller."""
    writer = JournalWriter(tmp_path, "mqtt")
    for day in range(5):
        for number in range(200):
            writer.append(TOPIC, b"the same words again and again " * 10, received_ns=NOON_NS + day * DAY_NS + number)
        writer.commit()
    writer.close()
    plain = growth_a_day(tmp_path)
    seal_all(tmp_path)
    path = files(tmp_path, "mqtt")[2]
    raw = sealed_path(path)
    sealed_growth = growth_a_day(tmp_path)
    import gzip

    path.write_bytes(gzip.decompress(raw.read_bytes()))
    assert sealed_growth < plain / 5
    assert sealed_growth == pytest.approx(growth_a_day(tmp_path), rel=0.05)


def test_a_first_day_is_judged_by_its_own_pace(tmp_path: Path) -> None:
    """From an hour on the open file says how it grows; before, nothing is claimed."""
    writer = JournalWriter(tmp_path, "mqtt")
    for minute in range(121):
        writer.append(TOPIC, b"x" * 1_000, received_ns=NOON_NS - 7_200 * 10**9 + minute * 60 * 10**9)
        writer.commit()
        if minute == 30:
            assert 0.0 == growth_a_day(tmp_path)
    assert growth_a_day(tmp_path) == pytest.approx(12 * files(tmp_path, "mqtt")[0].stat().st_size, rel=0.01)


def test_room_is_the_smaller_of_disk_and_quota() -> None:
    """Free and most possible bytes, with a quota and without."""
    assert (70, 130) == (Room(60, None, 70, 900).free, Room(60, None, 70, 900).limit)
    assert (40, 100) == (Room(60, 100, 70, 900).free, Room(60, 100, 70, 900).limit)
    assert (0, 130) == (Room(60, 50, 70, 900).free, Room(60, 500, 70, 900).limit)


def test_a_commit_that_is_durable_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has room for the group and none for the hint beside it: the group is kept once, told, and seen by who reads."""
    real = os.pwrite

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = JournalWriter(tmp_path, "mqtt")
    writer.append("t", b"1", received_ns=NOON_NS)
    writer.commit()
    follower = JournalReader(tmp_path, "mqtt")
    seen = [one.payload for one in follower.read()]
    monkeypatch.setattr(os, "pwrite", full)
    writer.append("t", b"2", received_ns=NOON_NS)
    assert 2 == writer.commit().last_seq == newest_trailer(tmp_path, "mqtt").last_seq
    seen += [one.payload for one in follower.read()]
    monkeypatch.setattr(os, "pwrite", real)
    writer.append("t", b"3", received_ns=NOON_NS)
    writer.commit()
    writer.close()
    seen += [one.payload for one in follower.read()]

    assert [b"1", b"2", b"3"] == seen == [one.payload for one in JournalReader(tmp_path, "mqtt").read()]

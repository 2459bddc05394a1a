"""The journal: what was committed comes back as it was, in order and once, also to a reader that follows."""

from pathlib import Path

import pytest

from domain.errors import DataFolderBusy
from lanbi import frames
from lanbi.journal import JournalReader, JournalWriter, Record, files, newest_trailer, read, record
from tests.lanbi.sealed_house import DAY_NS, NOON_NS, TOPIC
from tests.lanbi.small_journal import fill


def test_bytes_come_back_as_they_were(tmp_path: Path) -> None:
    """Topic, payload, times, flags and counts are read as they were appended, whatever the bytes are."""
    payload = bytes(range(256)) * 3
    with_garbage = b"lanbi/v1/\xff\xfe/data".decode(errors="surrogateescape")
    writer = JournalWriter(tmp_path, "hj212")
    assert 1 == writer.append(with_garbage, payload, received_ns=NOON_NS, readings=70_000, flags=frames.QOS1 | frames.DUP)
    assert 2 == writer.append("", b"", received_ns=NOON_NS + 1, readings=0)
    totals = writer.commit()
    assert (2, 2, 70_000) == totals[:3]
    expected = [Record("hj212", 1, NOON_NS, 5, 70_000, with_garbage, payload), Record("hj212", 2, NOON_NS + 1, 0, 0, "", b"")]
    assert expected == read(tmp_path, "hj212", 0, 10**9)
    assert "hj212/2" == expected[1].reference


def test_many_are_taken_like_one_after_the_other(tmp_path: Path) -> None:
    """Numbers go on, readings are counted, and the bytes on the disk are the same but for the salt of their file."""
    one, other = JournalWriter(tmp_path / "one", "mqtt"), JournalWriter(tmp_path / "other", "mqtt")
    for writer in (one, other):
        writer.append(TOPIC, b"first", received_ns=NOON_NS, readings=3)
    one.extend([TOPIC, f"{TOPIC}/2"], [b"1", b"2"], received_ns=NOON_NS + 1, flags=[1, 5])
    other.append(TOPIC, b"1", received_ns=NOON_NS + 1, readings=1, flags=1)
    other.append(f"{TOPIC}/2", b"2", received_ns=NOON_NS + 1, readings=1, flags=5)
    for writer in (one, other):
        writer.append(TOPIC, b"last", received_ns=NOON_NS + 2)
        writer.commit()
        writer.close()
    assert one.committed[:4] == other.committed[:4] == (4, 4, 6, NOON_NS + 2)
    found = [JournalReader(folder, "mqtt").read() for folder in (tmp_path / "one", tmp_path / "other")]
    assert found[0] == found[1]
    assert [1, 2, 3, 4] == [record.seq for record in found[0]]


def test_nothing_is_seen_before_its_commit(tmp_path: Path) -> None:
    """An appended record is invisible until commit returned, also to a reader that already follows."""
    writer = JournalWriter(tmp_path, "mqtt")
    reader = JournalReader(tmp_path, "mqtt")
    assert [] == reader.read()
    writer.append(TOPIC, b"1", received_ns=NOON_NS)
    assert [] == reader.read()
    writer.commit()
    assert [1] == [one.seq for one in reader.read()]
    assert [] == reader.read()
    writer.append(TOPIC, b"2", received_ns=NOON_NS)
    writer.discard()
    assert 0 == writer.pending
    writer.append(TOPIC, b"3", received_ns=NOON_NS)
    writer.commit()
    assert [(2, b"3")] == [(one.seq, one.payload) for one in reader.read()]


def test_what_is_written_but_not_durable_is_not_read(tmp_path: Path) -> None:
    """A group that stands in the file with its trailer, but behind the durable end, is not handed out."""
    fill(tmp_path, (2,))
    tip = (tmp_path / "mqtt" / "tip").read_bytes()
    writer = JournalWriter(tmp_path, "mqtt")
    writer.append(TOPIC, b"x", received_ns=NOON_NS)
    writer.commit()
    writer.close()
    (tmp_path / "mqtt" / "tip").write_bytes(tip)
    assert [1, 2] == [one.seq for one in read(tmp_path, "mqtt", 0)]
    assert 2 == newest_trailer(tmp_path, "mqtt").records


def test_days_only_go_forward(tmp_path: Path) -> None:
    """A new civil day opens a new file; a clock set back keeps writing into the newest one."""
    writer = JournalWriter(tmp_path, "import")
    reader = JournalReader(tmp_path, "import")
    for number, when in enumerate((NOON_NS, NOON_NS + DAY_NS, NOON_NS, NOON_NS + 3 * DAY_NS)):
        writer.append(TOPIC, str(number).encode(), received_ns=when)
        writer.commit()
        assert [number + 1] == [one.seq for one in reader.read()]
    writer.close()
    names = ["2025-10-09-000000000001.lbj", "2025-10-10-000000000002.lbj", "2025-10-12-000000000004.lbj"]
    assert names == [path.name for path in files(tmp_path, "import")]
    writer = JournalWriter(tmp_path, "import")
    assert 5 == writer.append(TOPIC, b"4", received_ns=NOON_NS)
    writer.commit()
    assert names == [path.name for path in files(tmp_path, "import")]
    assert 5 == len(read(tmp_path, "import", 0))


def test_pruned_days_do_not_stop_a_reader(tmp_path: Path) -> None:
    """Reading behind files that were archived begins where the record begins, with the totals of then."""
    writer = JournalWriter(tmp_path, "mqtt")
    for number in range(4):
        writer.append(TOPIC, str(number).encode(), received_ns=NOON_NS + number * DAY_NS, readings=10)
        writer.commit()
    for path in files(tmp_path, "mqtt")[:2]:
        path.unlink()
    reader = JournalReader(tmp_path, "mqtt", 1)
    assert [3, 4] == [one.seq for one in reader.read()]
    assert 40 == reader.readings
    assert [] == reader.take_losses()


def test_limit_and_cursor(tmp_path: Path) -> None:
    """A reader hands out about as many readings as asked for, in order, and tells how many are behind it."""
    fill(tmp_path)
    reader = JournalReader(tmp_path, "mqtt")
    steps = [([one.seq for one in reader.read(4)], reader.after, reader.readings) for _ in range(5)]
    assert [([1, 2, 3], 3, 6), ([4], 4, 10), ([5], 5, 15), ([6], 6, 21), ([], 6, 21)] == steps
    assert [4, 5, 6] == [one.seq for one in read(tmp_path, "mqtt", 3)]


def test_a_read_is_bounded_by_records_too(tmp_path: Path) -> None:
    """However many readings are asked for, records of one reading each do not fill the memory; and who reads is told that more lies there."""
    writer = JournalWriter(tmp_path, "mqtt")
    for number in range(10):
        writer.append(TOPIC, str(number).encode(), received_ns=NOON_NS)
        if number in (2, 7):
            writer.commit()
    writer.commit()
    reader = JournalReader(tmp_path, "mqtt")
    steps = [([one.seq for one in reader.read(100, 4)], reader.after, reader.readings, reader.more) for _ in range(4)]
    assert [([1, 2, 3, 4], 4, 4, True), ([5, 6, 7, 8], 8, 8, True), ([9, 10], 10, 10, False), ([], 10, 10, False)] == steps


def test_one_record_by_its_number(tmp_path: Path) -> None:
    """A dead letter's reference finds its bytes in a journal of many commits; an unknown number finds nothing."""
    writer = JournalWriter(tmp_path, "mqtt")
    for number in range(3_000):
        writer.append(TOPIC, str(number + 1).encode() * 20, received_ns=NOON_NS)
        if number % 7 == 0:
            writer.commit()
    writer.commit()
    for seq in (1, 2, 1_499, 1_500, 3_000):
        found = record(tmp_path, "mqtt", seq)
        assert found
        assert str(seq).encode() * 20 == found.payload
    assert record(tmp_path, "mqtt", 3_001) is None
    assert record(tmp_path, "hj212", 1) is None


def test_long_messages_cross_the_reader_s_chunks(tmp_path: Path) -> None:
    """Messages longer than a chunk, and a damaged length that claims one, are read past."""
    writer = JournalWriter(tmp_path, "mqtt")
    sizes = [10, 3_000_000, 20, 1_048_576, 30, 40]
    for size in sizes:
        writer.append(TOPIC, b"a" * size, received_ns=NOON_NS)
    writer.commit()
    writer.close()
    assert sizes == [len(one.payload) for one in read(tmp_path, "mqtt", 0)]
    path = files(tmp_path, "mqtt")[0]
    data = bytearray(path.read_bytes())
    data[data.index(b"LBJF") + 7] = 0x0F
    path.write_bytes(data)
    assert sizes[1:] == [len(one.payload) for one in read(tmp_path, "mqtt", 0)]


def test_one_appender_a_folder(tmp_path: Path) -> None:
    """A second appender is refused with a message for a person; another writer's folder is free."""
    writer = JournalWriter(tmp_path, "mqtt")
    with pytest.raises(DataFolderBusy, match="another lanbi appends"):
        JournalWriter(tmp_path, "mqtt")
    JournalWriter(tmp_path, "person").close()
    writer.close()
    JournalWriter(tmp_path, "mqtt").close()

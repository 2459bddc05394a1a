"""The journal's promise: what was committed is there after any death, and damage costs only what it hit."""

import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from domain.errors import JournalError
from lanbi import frames
from lanbi.journal import JournalReader, JournalWriter, Record, files, newest_trailer, read
from tests.lanbi.sealed_house import NOON_NS, TOPIC
from tests.lanbi.small_journal import fill


def trailers(path: Path) -> list[int]:
    """Offsets behind the trailers of a file."""
    data = path.read_bytes()
    header = frames.read_header(data)
    assert header
    return [piece.end for piece in frames.pieces(data, header.salt, frames.HEADER_SIZE) if isinstance(piece.what, frames.Trailer)]


@pytest.mark.parametrize("tip", ["kept", "gone", "torn"])
def test_a_tail_cut_at_every_byte_costs_no_whole_commit(tmp_path: Path, tip: str) -> None:
    """Wherever the file ends, all records of whole commits are there, none is invented, and appending goes on."""
    made = tmp_path / "made"
    all_records = fill(made)
    source = files(made, "mqtt")[0]
    ends, data = trailers(source), source.read_bytes()
    counts = (2, 3, 6)
    for cut in range(len(data) + 1):
        folder = tmp_path / f"cut{cut}"
        shutil.copytree(made, folder)
        with files(folder, "mqtt")[0].open("r+b") as handle:
            handle.truncate(cut)
        _change_tip(folder, tip)
        whole = sum(end <= cut for end in ends)
        expected = all_records[: counts[whole - 1] if whole else 0]
        assert expected == read(folder, "mqtt", 0)
        _goes_on(folder, expected, cut - (ends[whole - 1] if whole else 0))
        shutil.rmtree(folder)


def _change_tip(folder: Path, tip: str) -> None:
    path = folder / "mqtt" / "tip"
    if tip == "gone":
        path.unlink()
    if tip == "torn":
        path.write_bytes(path.read_bytes()[:50])


def _goes_on(folder: Path, expected: list[Record], torn: int) -> None:
    writer = JournalWriter(folder, "mqtt")
    assert torn == writer.torn == sum(path.stat().st_size for path in (folder / "mqtt").glob("*.torn"))
    number = writer.append(TOPIC, b"after", received_ns=NOON_NS + 99)
    writer.commit()
    writer.close()
    found = read(folder, "mqtt", 0)
    assert [*(one.payload for one in expected), b"after"] == [one.payload for one in found]
    assert number == found[-1].seq


@pytest.mark.parametrize("reopened", [False, True])
def test_a_damaged_byte_costs_only_its_frame(tmp_path: Path, reopened: bool) -> None:  # noqa: FBT001
    """A flipped byte at any offset loses at most the record of that frame, and its readings are accounted for."""
    made = tmp_path / "made"
    all_records = fill(made)
    data = files(made, "mqtt")[0].read_bytes()
    for offset in range(len(data)):
        folder = tmp_path / "hit"
        shutil.copytree(made, folder)
        path = files(folder, "mqtt")[0]
        path.write_bytes(data[:offset] + bytes([data[offset] ^ 0x55]) + data[offset + 1 :])
        if reopened:
            writer = JournalWriter(folder, "mqtt")
            writer.append(TOPIC, b"after", received_ns=NOON_NS + 99, readings=7)
            writer.commit()
            writer.close()
        _hit_costs_its_frame(folder, all_records, offset)
        shutil.rmtree(folder)


def _hit_costs_its_frame(folder: Path, all_records: list[Record], offset: int) -> None:
    reader = JournalReader(folder, "mqtt")
    found = reader.read(10**9)
    hit = [one for one in all_records if one not in found]
    losses = reader.take_losses()
    assert len(hit) <= 1, offset
    assert all(one in all_records or one.payload == b"after" for one in found), offset
    assert len(hit) <= len(losses) or _in_last_group(hit), offset
    known = sum(one.readings for one in found) + sum(loss.readings for loss in losses)
    assert known == reader.readings or _in_last_group(hit), offset


def _in_last_group(hit: list[Record]) -> bool:
    # What a damaged last trailer would have said is known at the next commit.
    return bool(hit) and hit[0].seq > 3


def test_damage_is_reported_once_across_restarts(tmp_path: Path) -> None:
    """A reader that restarts at its cursor after each step reports every loss exactly once and ends with the same totals."""
    fill(tmp_path, (4, 1, 5, 2))
    path = files(tmp_path, "mqtt")[0]
    data = bytearray(path.read_bytes())
    for lost in (b"payload 2", b"payload 5", b"payload 9", b"payload 12"):
        data[data.index(lost)] ^= 1
    path.write_bytes(data)
    after, readings, seen, lost_readings = 0, 0, [], 0
    for _ in range(20):
        reader = JournalReader(tmp_path, "mqtt", after)
        found = reader.read(1)
        lost_readings += sum(loss.readings for loss in reader.take_losses())
        seen += [one.seq for one in found]
        after, readings = reader.after, reader.readings
    assert [1, 3, 4, 6, 7, 8, 10, 11] == seen
    assert 2 + 5 + 9 + 12 == lost_readings
    assert (12, sum(range(13))) == (after, readings)


def test_bytes_in_a_payload_never_pose_as_a_record(tmp_path: Path) -> None:
    """A whole frame and trailer inside a payload are not taken for records when damage makes the reader search there."""
    forged = frames.frame(Record("mqtt", 2, NOON_NS, 0, 1, "lanbi/v1/other/data", b"forged"), 0)
    closing, _ = frames.trailer(frames.EMPTY, forged, frames.Trailer(999, 999, 999, NOON_NS, b""), 0)
    writer = JournalWriter(tmp_path, "mqtt")
    for payload in (b"first", b"...." + forged + closing + b"....", b"last"):
        writer.append(TOPIC, payload, received_ns=NOON_NS)
    writer.commit()
    writer.close()
    path = files(tmp_path, "mqtt")[0]
    data = bytearray(path.read_bytes())
    data[data.index(b"....")] ^= 1
    path.write_bytes(data)
    assert [b"first", b"last"] == [one.payload for one in read(tmp_path, "mqtt", 0)]


def test_a_full_disk_acknowledges_nothing_and_heals_by_itself(tmp_path: Path) -> None:
    """With no room left commit raises, readers see nothing of the group, and the same commit succeeds once there is room."""
    code = """
import resource, sys
from pathlib import Path
from domain.errors import JournalError
from lanbi.journal import JournalWriter, read
folder = Path(sys.argv[1])
writer = JournalWriter(folder, "mqtt")
writer.append("t", b"before", received_ns=1)
writer.commit()
writer.append("t", b"x" * 5000, received_ns=2)
soft = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in (4096, 1000, 300):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, soft[1]))
    try:
        writer.commit()
        sys.exit("committed without room")
    except JournalError as error:
        assert error.todo and error.where, error
    resource.setrlimit(resource.RLIMIT_FSIZE, soft)
    assert [b"before"] == [one.payload for one in read(folder, "mqtt", 0)]
writer.append("t", b"more", received_ns=3)
writer.commit()
assert [6, 5000, 4] == [len(one.payload) for one in read(folder, "mqtt", 0)]
writer.close()
assert JournalWriter(folder, "mqtt").torn == 0
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 300


def test_a_failed_sync_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses to sync, the group is neither acknowledged nor visible, and a later commit brings it."""

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    writer = JournalWriter(tmp_path, "mqtt")
    writer.append(TOPIC, b"1", received_ns=NOON_NS)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", refuse)
        with pytest.raises(JournalError, match="Input/output error"):
            writer.commit()
    assert [] == read(tmp_path, "mqtt", 0)
    writer.commit()
    assert [b"1"] == [one.payload for one in read(tmp_path, "mqtt", 0)]


def test_a_disk_that_lied_gives_no_number_twice(tmp_path: Path) -> None:
    """If durable bytes are gone after a restart, new messages take new numbers and the loss is named."""
    fill(tmp_path)
    path = files(tmp_path, "mqtt")[0]
    with path.open("r+b") as handle:
        handle.truncate(trailers(path)[1])
    writer = JournalWriter(tmp_path, "mqtt")
    assert 7 == writer.append(TOPIC, b"new", received_ns=NOON_NS)
    writer.commit()
    reader = JournalReader(tmp_path, "mqtt")
    assert [1, 2, 3, 7] == [one.seq for one in reader.read()]
    assert [(3, 4 + 5 + 6)] == [(loss.records, loss.readings) for loss in reader.take_losses()]


def test_a_newer_format_is_refused_untouched(tmp_path: Path) -> None:
    """A file of a later lanbi is neither read as damage nor cut; the error says what to do."""
    fill(tmp_path)
    path = files(tmp_path, "mqtt")[0]
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, frames.HEAD.size, 2)
    struct.pack_into("<I", data, 8, zlib.crc32(data[frames.HEAD.size : frames.HEADER_SIZE]))
    path.write_bytes(data)
    with pytest.raises(JournalError, match="newer lanbi"):
        JournalWriter(tmp_path, "mqtt")
    with pytest.raises(JournalError, match="newer lanbi"):
        read(tmp_path, "mqtt", 0)
    assert data == path.read_bytes()


KILLED = """
import sys
from pathlib import Path
from lanbi.journal import JournalWriter
writer = JournalWriter(Path(sys.argv[1]), "mqtt")
number = writer.committed.last_seq
while True:
    for _ in range(number % 5 + 1):
        number = writer.append("t", str(number + 1).encode() * 40, received_ns=number * 10**9 * 600)
    writer.commit()
    print(number, flush=True)
"""


def test_kill_9_loses_nothing_acknowledged_and_a_follower_sees_only_commits(tmp_path: Path) -> None:
    """Across kills of the appender, a reader in this process follows a dense, ordered record that holds every acknowledged message."""
    reader = JournalReader(tmp_path, "mqtt")
    seen: list[int] = []
    for stop in (40, 400, 1_000):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            acknowledged = 0
            for line in child.stdout:
                acknowledged = int(line)
                seen += [one.seq for one in reader.read(50)]
                if acknowledged >= stop:
                    child.send_signal(signal.SIGKILL)
                    break
        JournalWriter(tmp_path, "mqtt").close()
        while found := reader.read():
            seen += [one.seq for one in found]
        assert seen[-1] >= acknowledged
    assert list(range(1, len(seen) + 1)) == seen
    assert len(files(tmp_path, "mqtt")) > 2
    assert len(seen) == newest_trailer(tmp_path, "mqtt").records

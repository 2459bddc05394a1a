"""Sealed files: read as if they were plain, by every reader; damage is mended; nothing is appended to them."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from domain.errors import JournalError
from lanbi import sealed
from lanbi.journal import JournalReader, JournalWriter, between, files, newest_trailer, record
from lanbi.journal_bytes import open_bytes, sealed_path
from lanbi.journal_examine import Examination
from lanbi.journal_files import durable_end, opening, read_tip, salt_of, tail
from lanbi.parity import PARITY_SUFFIX
from lanbi.sealed import BLOCK, Block, SealedBytes
from lanbi.sealing import close_idle, seal, sealable
from lanbi.seals import NONE, parse, read_index, read_seal, seal_path, seals
from tests.lanbi.sealed_house import DAY_NS, NOON_NS, TOPIC, everything, flip, journalled, seal_all

NOON_DAY = 20_370
"""Civil day of NOON_NS."""


def names(folder: Path) -> list[str]:
    """Files of the mqtt writer's folder, without lock and tip."""
    return sorted(path.name for path in (folder / "mqtt").iterdir() if path.name not in {"lock", "tip", "closing"})


def test_a_sealed_file_is_the_same_to_every_reader(tmp_path: Path) -> None:
    """Records, single records, ranges, trailers, totals and losses are what they were before sealing."""
    made = journalled(tmp_path, 3)
    before = [(tail(path), opening(path), salt_of(path), durable_end(path, None)) for path in files(tmp_path, "mqtt")]
    assert 2 == len(seal_all(tmp_path))

    first = files(tmp_path, "mqtt")[0]
    assert [first.stem + end for end in (".lbj.gz", ".lbj.par", ".seal")] == [name for name in names(tmp_path) if name.startswith(first.stem)]
    assert made == everything(tmp_path)
    assert made == [record(tmp_path, "mqtt", one.seq) for one in made]
    assert made[4:11] == list(between(tmp_path, "mqtt", made[4].received_ns, made[11].received_ns))
    assert before == [(tail(path), opening(path), salt_of(path), durable_end(path, None)) for path in files(tmp_path, "mqtt")]
    assert (18, 36) == newest_trailer(tmp_path, "mqtt")[1:3]
    (tmp_path / "mqtt" / "tip").unlink()
    assert (18, 36) == newest_trailer(tmp_path, "mqtt")[1:3]


def test_a_reader_that_follows_does_not_notice_the_sealing(tmp_path: Path) -> None:
    """Sealing between two reads, and in the middle of a file, gives no record twice and none away."""
    made = journalled(tmp_path, 3, groups=(3, 3))
    reader = JournalReader(tmp_path, "mqtt")
    seen = reader.read(4)
    seal_all(tmp_path)
    while found := reader.read(4):
        seen += found

    assert made == seen
    assert sum(one.readings for one in made) == reader.readings
    assert [] == reader.take_losses()


def test_standard_tools_read_and_check_a_sealed_file(tmp_path: Path) -> None:
    """`zcat` gives the plain file back, and `sha256sum` of it is what the seal says."""
    journalled(tmp_path, 2, groups=(40,) * 4, size=10_000)
    path = files(tmp_path, "mqtt")[0]
    plain = path.read_bytes()
    (made,) = seal_all(tmp_path)
    packed = sealed_path(path)

    assert len(plain) > BLOCK
    assert plain == gzip.decompress(packed.read_bytes())
    assert plain == subprocess.run(["zcat", str(packed)], capture_output=True, check=True).stdout
    assert (hashlib.sha256(plain).hexdigest(), len(plain)) == (made.sha256, made.bytes)
    assert 0o440 == packed.stat().st_mode & 0o777


def test_one_record_costs_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of a file of many blocks a record, and an hour, are read by inflating a few of them."""
    made = journalled(tmp_path, 2, groups=(20,) * 60, size=9_000)
    seal_all(tmp_path)
    inflated: list[int] = []

    def counting(data: bytes, block: Block) -> bytes | None:
        inflated.append(block.at)
        return original(data, block)

    original = sealed.inflated
    monkeypatch.setattr(sealed, "inflated", counting)
    index = read_index(files(tmp_path, "mqtt")[0])
    assert index
    assert len(index) > 8
    assert made[700] == record(tmp_path, "mqtt", 701)
    assert len(inflated) <= 8
    inflated.clear()
    assert made[300:310] == list(between(tmp_path, "mqtt", made[300].received_ns, made[310].received_ns))
    assert len(inflated) <= 12


def test_seals_are_a_chain_of_short_lines(tmp_path: Path) -> None:
    """Each seal names its file's records, its place in the chain and the seal before; broken lines and quotes do not hurt it."""
    journalled(tmp_path, 4)
    first, second, third = seal_all(tmp_path)

    assert [(1, 6, 6, 12), (7, 12, 6, 12), (13, 18, 6, 12)] == [(one.first, one.last, one.records, one.readings) for one in (first, second, third)]
    assert (NONE, first.digest, second.digest) == (first.previous, second.previous, third.previous)
    assert (NONE, first.head, second.head) == (first.before, second.before, third.before)
    assert [first, second, third] == seals(tmp_path, "mqtt")
    quoted = "".join(f"> {line}\n" for line in f"see\n{second.page}\n{third.line}".splitlines())
    assert [second, third] == list(parse(quoted))
    assert max(len(line) for line in second.page.splitlines()) < 78
    assert [] == list(parse(third.line.replace("records=6", "records=5")))


def test_sealing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    """What a death made half is made again to the byte, so that a seal which was mailed stays true."""
    journalled(tmp_path / "a", 2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")

    assert seal_all(tmp_path / "a") == seal_all(tmp_path / "b")
    contents = [{path.name: path.read_bytes() for path in sorted((tmp_path / name / "mqtt").iterdir())} for name in "ab"]
    assert contents[0] == contents[1]


def test_the_open_file_is_never_sealed(tmp_path: Path) -> None:
    """Only what lies behind a durable commit in a newer file is closed; without a tip nothing is."""
    journalled(tmp_path, 2)
    assert [files(tmp_path, "mqtt")[0]] == sealable(tmp_path, "mqtt")
    (tmp_path / "mqtt" / "tip").unlink()
    assert [] == sealable(tmp_path, "mqtt")


def test_an_idle_writer_s_last_file_is_closed_and_the_next_appender_begins_a_new_one(tmp_path: Path) -> None:
    """A day that is over is sealed though nothing came after it; numbers and chain go on behind it, also on the same civil day."""
    made = journalled(tmp_path, 1)
    assert close_idle(tmp_path, "mqtt", NOON_DAY) is None
    writer = JournalWriter(tmp_path, "mqtt")
    assert close_idle(tmp_path, "mqtt", NOON_DAY + 1) is None
    writer.close()
    assert files(tmp_path, "mqtt")[0] == close_idle(tmp_path, "mqtt", NOON_DAY + 1)
    for sealed_yet in (False, True):
        if sealed_yet:
            seal_all(tmp_path)
        writer = JournalWriter(tmp_path, "mqtt")
        number = writer.append(TOPIC, b"late", received_ns=NOON_NS)
        writer.commit()
        writer.close()
        assert len(made) + 1 + sealed_yet == number
    found = everything(tmp_path)
    assert [*range(1, 9)] == [one.seq for one in found]
    assert ["2025-10-09-000000000001.lbj", "2025-10-09-000000000007.lbj"] == [path.name for path in files(tmp_path, "mqtt")]


def test_a_torn_end_is_set_aside_before_an_idle_file_is_closed(tmp_path: Path) -> None:
    """What a death left behind the last commit is not sealed in."""
    made = journalled(tmp_path, 1)
    path = files(tmp_path, "mqtt")[0]
    whole = path.read_bytes()
    path.write_bytes(whole + b"LBJF torn")
    close_idle(tmp_path, "mqtt", NOON_DAY + 1)
    (one,) = seal_all(tmp_path)

    assert (len(whole), 0) == (one.bytes, one.lost)
    assert made == everything(tmp_path)
    assert [b"LBJF torn"] == [path.read_bytes() for path in (tmp_path / "mqtt").glob("*.torn")]


def test_a_disk_that_fails_leaves_the_plain_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room, and a sector that cannot be read: an error in words, no half file, every record there; later it succeeds."""
    made = journalled(tmp_path, 2)
    before = names(tmp_path)

    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    for call in ("write", "pread"):
        with monkeypatch.context() as patched:
            patched.setattr(os, call, refuse)
            with pytest.raises(JournalError, match="cannot be sealed: No space left"):
                seal(tmp_path, "mqtt", files(tmp_path, "mqtt")[0])
        assert before == names(tmp_path)
    seal_all(tmp_path)
    assert made == everything(tmp_path)


def test_what_does_not_read_back_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the compressed bytes inflate to something else, the plain file stays."""
    made = journalled(tmp_path, 2)
    monkeypatch.setattr(SealedBytes, "pread", lambda _self, size, _offset: bytes(size))
    with pytest.raises(JournalError, match="does not read back"):
        seal_all(tmp_path)
    monkeypatch.undo()

    assert files(tmp_path, "mqtt")[0].exists()
    assert made == everything(tmp_path)


def test_any_damaged_byte_of_a_sealed_file_costs_nothing(tmp_path: Path) -> None:
    """A flipped byte anywhere in data, parity or seal: every record is read, from the other members if need be."""
    made = journalled(tmp_path, 2, groups=(6, 4), size=60)
    seal_all(tmp_path)
    path = files(tmp_path, "mqtt")[0]
    for hit in (sealed_path(path), path.with_name(path.name + PARITY_SUFFIX), seal_path(path)):
        for offset in range(0, hit.stat().st_size, 3):
            flip(hit, offset)
            assert made == everything(tmp_path), (hit.name, offset)
            flip(hit, offset)


def test_a_lost_seal_costs_the_index_only(tmp_path: Path) -> None:
    """Without its seal a file is read by what its members say of themselves, also where one of them is damaged inside."""
    made = journalled(tmp_path, 2, groups=(20,) * 12, size=9_000)
    seal_all(tmp_path)
    path = files(tmp_path, "mqtt")[0]
    index = read_index(path)
    assert index
    seal_path(path).unlink()
    with open_bytes(path) as source:
        assert isinstance(source, SealedBytes)
        assert index == source.index
    flip(sealed_path(path), index[1].place + 5_000)
    assert made == everything(tmp_path)
    assert made[30:35] == list(between(tmp_path, "mqtt", made[30].received_ns, made[35].received_ns))


def test_a_long_bad_stretch_is_mended_and_told(tmp_path: Path) -> None:
    """Neighbouring members are protected by different parity, so a stretch of several is read; the reader knows which were bad."""
    made = journalled(tmp_path, 2, groups=(20,) * 30, size=45_000)
    seal_all(tmp_path)
    path = files(tmp_path, "mqtt")[0]
    packed = sealed_path(path)
    data = bytearray(packed.read_bytes())
    index = read_index(path)
    assert index
    assert len(index) > 25
    data[index[7].place + 40 : index[8].place + 90_000] = bytes(index[8].place + 90_000 - index[7].place - 40)
    packed.chmod(0o640)
    packed.write_bytes(data)

    assert made == everything(tmp_path)
    with open_bytes(path) as source:
        assert isinstance(source, SealedBytes)
        source.pread(source.size, 0)
        assert ({7, 8}, set()) == (source.mended, source.broken)


def test_without_parity_damage_costs_what_stands_behind_it_in_the_block(tmp_path: Path) -> None:
    """The records before the damaged bit are read, the rest of that block is named as lost, all other blocks are whole."""
    made = journalled(tmp_path, 2, groups=(20,) * 12, size=9_000)
    seal_all(tmp_path)
    path = files(tmp_path, "mqtt")[0]
    path.with_name(path.name + PARITY_SUFFIX).unlink()
    index = read_index(path)
    assert index
    flip(sealed_path(path), index[1].place + index[1].length // 2)
    reader = JournalReader(tmp_path, "mqtt")
    found = reader.read(10**9)
    lost = [one for one in made if one not in found]
    losses = reader.take_losses()

    assert 0 < len(lost) < 80
    assert [*range(lost[0].seq, lost[-1].seq + 1)] == [one.seq for one in lost]
    assert lost[0].seq > index[0].last_seq + 40
    assert len(lost) == sum(loss.records for loss in losses)
    assert sum(one.readings for one in lost) == sum(loss.readings for loss in losses)


def test_a_bad_sector_of_a_plain_file_costs_its_records_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sector that the disk refuses to read reads as damage; sealing refuses such a file, for the sector may come back."""
    made = journalled(tmp_path, 2, groups=(50,), size=200)
    path = files(tmp_path, "mqtt")[0]
    bad = range(4_096, 4_608)
    original = os.pread

    def failing(handle: int, size: int, offset: int) -> bytes:
        if os.fstat(handle).st_size > 8_192 and offset < bad.stop and offset + size > bad.start and Path(f"/proc/self/fd/{handle}").readlink() == path:
            raise OSError(5, "Input/output error")
        return original(handle, size, offset)

    monkeypatch.setattr(os, "pread", failing)
    found = everything(tmp_path)
    lost = [one.seq for one in made if one not in found]

    assert 2 <= len(lost) <= 3
    with pytest.raises(JournalError, match="Input/output error"):
        seal_all(tmp_path)


def test_damage_from_before_is_sealed_as_it_is(tmp_path: Path) -> None:
    """A file with a damaged record keeps its bytes; the seal says how many records could not be read."""
    made = journalled(tmp_path, 2)
    path = files(tmp_path, "mqtt")[0]
    data = bytearray(path.read_bytes())
    data[data.index(made[2].payload)] ^= 1
    path.write_bytes(data)
    (one,) = seal_all(tmp_path)

    assert bytes(data) == gzip.decompress(sealed_path(path).read_bytes())
    assert (6, 1) == (one.records, one.lost)
    assert [made[2]] == [one for one in made if one not in everything(tmp_path)]


def test_an_examination_names_the_broken_record(tmp_path: Path) -> None:
    """A flipped byte in a frame is told with its record; a commit with a forged digest with its records; a whole file has no fault."""
    made = journalled(tmp_path, 1, groups=(3, 4, 2))
    path = files(tmp_path, "mqtt")[0]
    data = path.read_bytes()
    whole = Examination(path, None)
    assert 3 == sum(1 for _ in whole.commits())
    assert ([], 9) == (whole.faults, whole.reached)
    for one in made:
        path.write_bytes(data)
        flip(path, data.index(one.payload) + 3)
        hit = Examination(path, None)
        assert 9 == [commit.totals.last_seq for commit in hit.commits()][-1]
        assert [(one.seq, one.seq, 1)] == [(fault.first, fault.last, fault.lost) for fault in hit.faults]


def test_the_tip_stays_the_writer_s(tmp_path: Path) -> None:
    """Sealing changes nothing of what the writer published."""
    journalled(tmp_path, 3)
    before = read_tip(tmp_path, "mqtt")
    seal_all(tmp_path)

    assert before == read_tip(tmp_path, "mqtt")
    assert NOON_NS + 2 * DAY_NS <= newest_trailer(tmp_path, "mqtt").committed_ns
    assert read_seal(files(tmp_path, "mqtt")[-1]) is None

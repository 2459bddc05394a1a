"""Verifying: the first broken record is named, and what an outside seal contradicts is seen, whoever owns the disk."""

from __future__ import annotations

import os
import shutil
from email.message import EmailMessage
from pathlib import Path

import pytest

from domain.errors import FileError
from lanbi.journal import JournalWriter, Record, files
from lanbi.journal_bytes import SUFFIX, sealed_path
from lanbi.journal_verify import Verdict, read_anchors, size, verify
from lanbi.parity import PARITY_SUFFIX
from lanbi.seals import Seal, seal_path
from tests.lanbi.sealed_house import DAY_NS, everything, flip, journalled, seal_all


@pytest.fixture(autouse=True)
def _one_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever rewrites a journal may take the salts that its files had."""
    monkeypatch.setattr(os, "urandom", lambda size: bytes(range(size)))


def house(folder: Path, days: int = 4) -> tuple[list[Record], list[Seal]]:
    """A journal whose days but the last are sealed."""
    made = journalled(folder, days)
    return made, seal_all(folder)


def rebuilt(folder: Path, made: list[Record], changed: int, payload: bytes) -> list[Seal]:
    """The journal as somebody makes it who owns the disk: one record says something else, and every digest and seal fits."""
    shutil.rmtree(folder / "mqtt")
    writer = JournalWriter(folder, "mqtt")
    for number, one in enumerate(made):
        writer.append(one.topic, payload if number == changed else one.payload, received_ns=one.received_ns, readings=one.readings, flags=one.flags)
        if number % 6 in {1, 2, 5}:
            writer.commit()
    writer.close()
    return seal_all(folder)


def test_a_whole_journal_is_sound_and_unproven_without_outside_seals(tmp_path: Path) -> None:
    """Plain and sealed files alike; nothing is called proven that only the own disk says."""
    made, _ = house(tmp_path)
    seen: list[int] = []
    verdict = verify(tmp_path, "mqtt", progress=seen.append)

    assert ([], [], []) == (verdict.faults, verdict.weak, verdict.contradictions)
    assert (True, 24, 0, 24) == (verdict.sound, verdict.records, verdict.proven, verdict.unproven)
    assert len(made) == sum(one.records for one in verdict.stretches)
    assert seen == sorted(seen)
    assert size(tmp_path, "mqtt") == seen[-1] == verdict.bytes
    assert Verdict("hj212") == verify(tmp_path, "hj212")


def test_outside_seals_prove_what_lies_before_them(tmp_path: Path) -> None:
    """The newest fulfilled seal counts, older ones are contained in it; the rest is called unproven."""
    _, (first, second, third) = house(tmp_path)

    for seals, proven, unproven in (([first], 6, 18), ([second], 12, 12), ([first, third], 18, 6), ([third], 18, 6)):
        verdict = verify(tmp_path, "mqtt", seals)
        assert (True, proven, seals[-1].reference, unproven) == (verdict.sound, verdict.proven, verdict.proven_by, verdict.unproven)


def test_a_rewritten_chain_is_seen_against_an_outside_seal(tmp_path: Path) -> None:
    """A record changed with all digests and seals made anew is sound in itself; the seal that was mailed contradicts it."""
    made, (first, second, third) = house(tmp_path)
    assert first == rebuilt(tmp_path, made, 99, b"")[0]
    rebuilt(tmp_path, made, 8, b"never so")

    assert verify(tmp_path, "mqtt").sound
    verdict = verify(tmp_path, "mqtt", [first, second, third])
    assert not verdict.sound
    assert ["mqtt/2025-10-10-000000000007 (7-12): ", "mqtt/2025-10-11-000000000013 (13-18): "] == [line.partition("the")[0] for line in verdict.contradictions]
    assert (6, 18) == (verdict.proven, verdict.unproven)


def test_a_cut_tail_is_seen(tmp_path: Path) -> None:
    """By the tip, and where that was removed too, by the outside seal of what was cut."""
    _, (first, second, third) = house(tmp_path)
    for path in files(tmp_path, "mqtt")[1:]:
        for one in (tmp_path / "mqtt").glob(f"{path.stem}*"):
            one.unlink()
    (fault,) = verify(tmp_path, "mqtt", [first]).faults
    assert (7, 24, 18) == (fault.first, fault.last, fault.lost)
    (tmp_path / "mqtt" / "tip").unlink()

    assert verify(tmp_path, "mqtt", [first]).sound
    verdict = verify(tmp_path, "mqtt", [first, second, third])
    assert (False, 2) == (verdict.sound, len(verdict.contradictions))


def test_a_sealed_file_cut_short_at_a_commit_is_seen(tmp_path: Path) -> None:
    """Also where its seal and all later files were made anew."""
    made, (first, second, _) = house(tmp_path)
    rebuilt(tmp_path, made[:9], 99, b"")
    (tmp_path / "mqtt" / "tip").unlink()

    verdict = verify(tmp_path, "mqtt", [first, second])
    assert (6, 3) == (verdict.proven, verdict.unproven)
    assert "ends at record 9: its end was cut" in verdict.contradictions[0]


@pytest.mark.parametrize(("day", "unproven"), [(0, 5 + 6), (3, 5)])
def test_the_first_broken_record_is_named(tmp_path: Path, day: int, unproven: int) -> None:
    """A flipped byte is told with the number of its record; the digest behind it ties nothing of its file that lies before."""
    made = journalled(tmp_path, 4)
    seals = seal_all(tmp_path)
    shutil.rmtree(tmp_path / "mqtt")
    journalled(tmp_path, 4)
    hit = made[day * 6 + 4]
    path = files(tmp_path, "mqtt")[day]
    flip(path, path.read_bytes().index(hit.payload))

    verdict = verify(tmp_path, "mqtt", seals)
    assert [(path, hit.seq, hit.seq, 1)] == [(fault.path, fault.first, fault.last, fault.lost) for fault in verdict.faults]
    assert (18, unproven) == (verdict.proven, verdict.unproven)
    assert 23 == verdict.records


def test_a_forged_record_is_located_to_its_commit(tmp_path: Path) -> None:
    """A frame whose checksum was made to fit again does not fit the digest of its commit."""
    from lanbi import frames

    made = journalled(tmp_path, 1)
    path = files(tmp_path, "mqtt")[0]
    data = path.read_bytes()
    header = frames.read_header(data)
    assert header
    old, new = (frames.frame(record, header.salt) for record in (made[4], made[4]._replace(payload=bytes(len(made[4].payload)))))
    path.write_bytes(data.replace(old, new))

    assert made[4].payload != everything(tmp_path)[4].payload
    (fault,) = verify(tmp_path, "mqtt").faults
    assert (4, 6, 0) == (fault.first, fault.last, fault.lost)
    assert "digest" in fault.what


def test_damage_that_parity_mends_is_told(tmp_path: Path) -> None:
    """Nothing is lost, but the disk is not trusted: the block, the parity or the seal is named."""
    house(tmp_path, 3)
    path = files(tmp_path, "mqtt")[0]
    for hit, at in ((sealed_path(path), 90), (path.with_name(path.name + PARITY_SUFFIX), 40)):
        flip(hit, at)
        verdict = verify(tmp_path, "mqtt")
        assert ([], 1, False) == (verdict.faults, len(verdict.weak), verdict.sound)
        assert hit.name in verdict.weak[0]
        flip(hit, at)
    flip(seal_path(path), 60)
    assert ["the seal is damaged", "the seal does not follow from the one before it"][:1] == [fault.what for fault in verify(tmp_path, "mqtt").faults][:1]


def test_a_file_between_that_is_gone_is_told(tmp_path: Path) -> None:
    """With its seal: known by the seal only; without: its records are named."""
    _, seals = house(tmp_path)
    path = files(tmp_path, "mqtt")[1]
    sealed_path(path).unlink()
    verdict = verify(tmp_path, "mqtt", seals)
    assert (True, 18, [True, False, True, True]) == (verdict.sound, verdict.records, [one.there for one in verdict.stretches])
    assert (18, 6) == (verdict.proven, verdict.unproven)
    seal_path(path).unlink()
    (gap, *_) = verify(tmp_path, "mqtt", seals).faults
    assert (7, 12, 6) == (gap.first, gap.last, gap.lost)


def test_the_beginning_may_be_gone_only_with_its_seals(tmp_path: Path) -> None:
    """Pruned days leave their seals; a journal that simply begins later is broken."""
    house(tmp_path)
    first = files(tmp_path, "mqtt")[0]
    sealed_path(first).unlink()
    assert verify(tmp_path, "mqtt").sound
    seal_path(first).unlink()
    assert (1, 6, 6) == verify(tmp_path, "mqtt").faults[-1][2:5]


def test_a_swapped_day_is_told(tmp_path: Path) -> None:
    """A sealed file with its seal from another journal does not hang in the chain."""
    house(tmp_path / "a")
    journalled(tmp_path / "b", 4, seed=2)
    seal_all(tmp_path / "b")
    for one in (tmp_path / "b" / "mqtt").glob("2025-10-10*"):
        shutil.copy(one, tmp_path / "a" / "mqtt")

    assert {"the seal does not follow from the one before it", "the file does not go on where the one before it ends"} <= {
        fault.what for fault in verify(tmp_path / "a", "mqtt").faults
    }


def test_outside_seals_come_from_mails_texts_and_paper(tmp_path: Path) -> None:
    """A saved mail in whatever encoding, a quoted reply, a typed page; a typing error is told, and so is a file without any."""
    _, (first, second, _) = house(tmp_path)
    mail = EmailMessage()
    mail["Subject"] = "lanbi"
    mail.set_content(f"封印\n{second.page}", cte="base64")
    (tmp_path / "mail.eml").write_bytes(bytes(mail))
    (tmp_path / "reply.txt").write_text("".join(f"> > {line}\n" for line in first.page.splitlines()))
    (tmp_path / "typed.txt").write_text(first.page.replace("records=6", "records=7"))

    assert [second, first] == read_anchors([tmp_path / "mail.eml", tmp_path / "reply.txt"])
    for name in ("typed.txt", "none.txt"):
        with pytest.raises(FileError):
            read_anchors([tmp_path / name])


def test_the_same_verdict_plain_or_sealed(tmp_path: Path) -> None:
    """Sealing changes nothing of what is proven."""
    journalled(tmp_path / "plain", 4)
    shutil.copytree(tmp_path / "plain", tmp_path / "sealed")
    seals = seal_all(tmp_path / "sealed")
    plain, sealed = (verify(tmp_path / name, "mqtt", seals) for name in ("plain", "sealed"))

    assert plain == sealed
    assert DAY_NS > plain.bytes > 0
    assert SUFFIX == ".lbj"

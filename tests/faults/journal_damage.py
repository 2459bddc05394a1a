"""The fault campaign of damage and tampering: every byte of a journal flipped, cut, removed, forged, rewritten, one after the other.

Whatever the hit: what is read is what was written, damage costs at most the record that it hit (in sealed files none),
``verify`` names it, and what an owner of the disk makes anew from end to end contradicts the seals that were kept outside. Run
it alone with ``python -m tests.faults.journal_damage --seed 3``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import numpy as np

from lanbi import frames
from lanbi.journal import JournalReader, JournalWriter, Record, files
from lanbi.journal_bytes import parity_path, sealed_path
from lanbi.journal_verify import Verdict, verify
from lanbi.seals import Seal, seal_path
from tests.faults.parts.report import Asked, Finding, main
from tests.lanbi.sealed_house import everything, journalled, seal_all

FAST = Path("/dev/shm")
DAYS = 4


@dataclass
class Report:
    """What the campaign found."""

    seed: int
    tried: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Every hit was survived and named, and every kind was tried."""
        kinds = {"flip open", "flip sealed", "flip parity", "flip seal", "cut open", "cut sealed", "removed", "forged", "rewritten", "cut chain"}
        return not self.faults and kinds <= set(self.tried)


@dataclass
class Case:
    """A journal, whole: what it holds, its seals, and where it lies."""

    folder: Path
    made: list[Record]
    seals: list[Seal]

    @property
    def open_file(self) -> Path:
        """The newest, plain file."""
        return files(self.folder, "mqtt")[-1]

    @property
    def sealed_file(self) -> Path:
        """A sealed file in the middle, by its plain name."""
        return files(self.folder, "mqtt")[1]


def campaign(seed: int, step: int, scratch: Path) -> Report:
    """One journal; every ``step``-th byte is hit."""
    report = Report(seed)
    chance = np.random.default_rng(seed)
    made = journalled(scratch / "whole", DAYS, groups=(3, 1, 4), size=60, seed=seed)
    case = Case(scratch / "whole", made, seal_all(scratch / "whole"))
    if not verify(case.folder, "mqtt", case.seals).sound:
        report.faults.append("the untouched journal is not sound")
    for kind, path, limit in (
        ("flip open", case.open_file, 1),
        ("flip sealed", sealed_path(case.sealed_file), 0),
        ("flip parity", parity_path(case.sealed_file), 0),
        ("flip seal", seal_path(case.sealed_file), 0),
    ):
        _flips(case, kind, path, (limit, step), chance, report)
    _cuts(case, step, report)
    _removed(case, report)
    _forged(case, report)
    _rewritten(case, scratch / "again", report)
    _cut_chains(case, report)
    return report


def _flips(case: Case, kind: str, path: Path, bounds: tuple[int, int], chance: np.random.Generator, report: Report) -> None:
    limit, step = bounds
    whole = path.read_bytes()
    for offset in range(0, len(whole), step):
        hit = bytearray(whole)
        hit[offset] ^= 1 << int(chance.integers(8))
        with _changed(path, bytes(hit)):
            _judge(case, f"{kind} at byte {offset}", limit, report)
        report.tried[kind] += 1


def _cuts(case: Case, step: int, report: Report) -> None:
    """The open file cut anywhere loses what stood behind the cut, and the tip knows it; a sealed one loses nothing to its parity."""
    for kind, path in (("cut open", case.open_file), ("cut sealed", sealed_path(case.sealed_file))):
        whole = path.read_bytes()
        for size in range(0, len(whole), step):
            with _changed(path, whole[:size]):
                found = everything(case.folder)
                named = _named(verify(case.folder, "mqtt"))
            gone = {one.seq for one in case.made} - {one.seq for one in found}
            _expect(report, [one in case.made for one in found].count(False) == 0, f"{kind} at byte {size}: something was invented")
            _expect(report, kind == "cut open" or not gone, f"{kind} at byte {size}: lost {sorted(gone)}")
            _expect(report, gone <= named, f"{kind} at byte {size}: lost {sorted(gone)}, named {sorted(named)}")
            report.tried[kind] += 1


def _removed(case: Case, report: Report) -> None:
    """Whole frames taken out of the open file, so that all checksums fit."""
    whole = case.open_file.read_bytes()
    for record, begin, end in _frames(case.open_file):
        with _changed(case.open_file, whole[:begin] + whole[end:]):
            verdict = verify(case.folder, "mqtt")
        _expect(report, not verdict.sound and record.seq in _named(verdict), f"removed record {record.seq}: {verdict.faults}")
        report.tried["removed"] += 1


def _forged(case: Case, report: Report) -> None:
    """Another payload under the same number, with the checksum made to fit: seen by the digest of its commit."""
    whole = case.open_file.read_bytes()
    header = frames.read_header(whole)
    salt = header.salt if header else 0
    for record, begin, end in _frames(case.open_file):
        forged = frames.frame(record._replace(payload=bytes(len(record.payload))), salt)
        with _changed(case.open_file, whole[:begin] + forged + whole[end:]):
            verdict = verify(case.folder, "mqtt")
        inside = [fault for fault in verdict.faults if fault.first <= record.seq <= fault.last]
        _expect(report, len(inside) == 1, f"forged record {record.seq}: {verdict.faults}")
        report.tried["forged"] += 1


def _rewritten(case: Case, scratch: Path, report: Report) -> None:
    """The whole journal made anew with one record changed, every digest and seal with it: the seals kept outside contradict it."""
    for changed in range(len(case.made)):
        made = [one._replace(payload=b"never so") if number == changed else one for number, one in enumerate(case.made)]
        again = _anew(scratch, made)
        verdict, blind = verify(scratch, "mqtt", case.seals), verify(scratch, "mqtt")
        covered = [seal for seal in case.seals if seal.last >= made[changed].seq]
        _expect(report, blind.sound, f"rewritten {changed + 1}: the forger was clumsy: {blind.faults}")
        _expect(report, len(verdict.contradictions) == len(covered), f"rewritten {changed + 1}: {verdict.contradictions}")
        _expect(report, verdict.proven < made[changed].seq, f"rewritten {changed + 1}: proven up to {verdict.proven}")
        _expect(report, bool(covered) == (again != case.seals), f"rewritten {changed + 1}: the seals are the same")
        report.tried["rewritten"] += 1
        shutil.rmtree(scratch)


def _anew(folder: Path, made: list[Record]) -> list[Seal]:
    with mock.patch.object(os, "urandom", bytes):
        writer = JournalWriter(folder, "mqtt")
        for number, one in enumerate(made):
            writer.append(one.topic, one.payload, received_ns=one.received_ns, readings=one.readings, flags=one.flags)
            if number % 8 in {2, 3, 7}:
                writer.commit()
        writer.close()
    return seal_all(folder)


def _cut_chains(case: Case, report: Report) -> None:
    """The end removed file by file, tip and all: every outside seal of what is gone says so."""
    for kept in range(1, DAYS):
        folder = case.folder.with_name("cut")
        shutil.copytree(case.folder, folder)
        (folder / "mqtt" / "tip").unlink()
        for path in files(folder, "mqtt")[kept:]:
            for part in (folder / "mqtt").glob(f"{path.stem}*"):
                part.unlink()
        verdict = verify(folder, "mqtt", case.seals)
        gone = [seal for seal in case.seals if seal.name not in {path.stem for path in files(folder, "mqtt")}]
        _expect(report, verify(folder, "mqtt").sound and len(verdict.contradictions) == len(gone), f"cut behind file {kept}: {verdict.contradictions}")
        report.tried["cut chain"] += 1
        shutil.rmtree(folder)


def _judge(case: Case, name: str, limit: int, report: Report) -> None:
    """At most ``limit`` records are missing, each named; nothing is invented; the verdict is not sound."""
    reader = JournalReader(case.folder, "mqtt")
    found = reader.read(10**9)
    gone = {one.seq for one in case.made} - {one.seq for one in found}
    verdict = verify(case.folder, "mqtt")
    kind = " ".join(name.split()[:2])
    report.lost[kind] = max(report.lost[kind], len(gone))
    _expect(report, all(one in case.made for one in found), f"{name}: something was invented")
    _expect(report, len(gone) <= limit, f"{name}: lost {sorted(gone)}")
    _expect(report, not verdict.sound, f"{name}: not noticed")
    _expect(report, gone <= _named(verdict), f"{name}: lost {sorted(gone)}, named {sorted(_named(verdict))}")


def _named(verdict: Verdict) -> set[int]:
    return {seq for fault in verdict.faults for seq in range(fault.first, fault.last + 1)}


def _frames(path: Path) -> Iterator[tuple[Record, int, int]]:
    data = path.read_bytes()
    header = frames.read_header(data)
    at = frames.HEADER_SIZE
    for what, end in frames.pieces(data, header.salt if header else 0, at):
        if isinstance(what, Record):
            yield what, at, end
        at = end


class _changed:  # noqa: N801  reads as a sentence
    """A file with other bytes for a while."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._path, self._data = path, data
        self._whole, self._mode = path.read_bytes(), path.stat().st_mode

    def __enter__(self) -> None:
        self._path.chmod(0o640)
        self._path.write_bytes(self._data)

    def __exit__(self, *_: object) -> None:
        self._path.write_bytes(self._whole)
        self._path.chmod(self._mode)


def _expect(report: Report, holds: bool, words: str) -> None:  # noqa: FBT001
    if not holds:
        report.faults.append(words)


def campaigns(asked: Asked) -> Finding:
    """As many journals as asked for, each with its own seed."""
    rounds, step = (1, 3) if asked.quick else (asked.more.rounds, 1)
    reports = []
    for number in range(rounds):
        with (
            tempfile.TemporaryDirectory(prefix="lanbi-faults-", dir=FAST if FAST.is_dir() else None) as folder,
            mock.patch.object(os, "urandom", bytes),
        ):
            reports.append(campaign(asked.seed + number, step, Path(folder)))
    tried: Counter[str] = sum((report.tried for report in reports), Counter())
    most = {kind: max(report.lost[kind] for report in reports) for kind in reports[0].lost}
    return {
        "sound": all(report.sound for report in reports),
        "journals": rounds,
        "tried": dict(tried),
        "most_lost": most,
        "faults": [fault for report in reports for fault in report.faults][:50],
        "figures": [
            f"{sum(tried[kind] for kind in tried if kind.startswith('flip')):,} flipped bytes: at most {most['flip open']} record lost of an open file, {most['flip sealed']} of a sealed one",
            f"{sum(tried[kind] for kind in ('cut open', 'cut sealed')):,} cuts, {tried['removed']:,} records taken out, {tried['forged']:,} forged",
            f"{tried['rewritten']:,} journals made anew by a forger who owns the disk, {tried['cut chain']:,} cut at the end: each seen against the outside seals",
            f"{sum(len(report.faults) for report in reports)} unnoticed or wrongly named",
        ],
    }


if __name__ == "__main__":
    sys.exit(main("journal_damage", str(__doc__).splitlines()[0], campaigns, (("--rounds", int, 4, "journals, each with its own seed"),)))

"""Verifying a writer's journal whole: what is broken, and up to where it is proven by seals that are kept outside.

The chain of digests finds every change that was not made by somebody who could make the chain anew. Whoever owns the disk
can: against him only a seal helps that lies where he cannot reach it. What stands behind the last such seal is unproven.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from domain.errors import FileError
from lanbi.frames import Trailer
from lanbi.journal_bytes import SUFFIX, files, open_bytes, open_sealed, parity_path, sealed_path
from lanbi.journal_examine import Examination, Fault
from lanbi.journal_files import first_seq, read_tip
from lanbi.parity import is_whole
from lanbi.seals import SEAL_SUFFIX, Seal, parse, read_seal, seal_path
from lanbi.seals import is_whole as seal_is_whole

Progress = Callable[[int], None]


class Stretch(NamedTuple):
    """What was found of one file: its records, the digests at both ends, and which of its records no later digest covers."""

    name: str
    first: int
    last: int
    records: int
    before: str
    head: str
    sha256: str
    unlinked: int
    there: bool


@dataclass
class Verdict:
    """What is known of one writer's journal.

    Attributes
    ----------
    faults : list of Fault
        Broken records and places, oldest first.
    weak : list of str
        Damage of sealed files that costs no record yet: a member that is read by its parity, a parity that is damaged itself.
    contradictions : list of str
        Seals kept outside that the journal does not fulfil.
    proven : int
        Last record of the newest outside seal that the journal fulfils; 0 without one.
    unproven : int
        Records that no outside seal proves.
    """

    writer: str
    stretches: list[Stretch] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    proven: int = 0
    proven_by: str = ""
    unproven: int = 0
    bytes: int = 0

    @property
    def records(self) -> int:
        """Records that were passed."""
        return sum(one.records for one in self.stretches if one.there)

    @property
    def sound(self) -> bool:
        """Nothing is broken or weak, and no outside seal is contradicted."""
        return not self.faults and not self.weak and not self.contradictions


def read_anchors(paths: Iterable[Path]) -> list[Seal]:
    """Seals out of saved mails, texts or typed pages.

    Raises
    ------
    FileError
        A file cannot be read or holds no whole seal.
    """
    found: dict[Seal, None] = {}
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror}", str(path), "name a saved mail, or a text with seals") from error
        seals = list(parse("\n".join(_texts(data))))
        if not seals:
            raise FileError(
                "there is no whole seal in it", str(path), "a seal begins with `lanbi-seal 1` and ends with `seal=` and 64 digits; check what was typed"
            )
        found.update(dict.fromkeys(seals))
    return list(found)


def _texts(data: bytes) -> Iterator[str]:
    """The text as it is, and what it says decoded as a mail."""
    yield data.decode("utf-8", "replace")
    for part in email.message_from_bytes(data, policy=email.policy.default).walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            yield payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def size(folder: Path, writer: str) -> int:
    """Bytes that a verification reads, for a progress bar."""
    return sum(_size(path) for path in files(folder, writer) if _there(path))


def verify(folder: Path, writer: str, anchors: Iterable[Seal] = (), progress: Progress = lambda _: None) -> Verdict:
    """Walk through everything of a writer.

    Parameters
    ----------
    anchors : iterable of Seal
        Seals that were kept outside the server.
    progress : callable
        Told how many bytes have been read.
    """
    walk = _Walk(folder, writer, progress)
    walk.run()
    _tie(walk.verdict, [one for one in anchors if one.writer == writer])
    return walk.verdict


class _Walk:
    """From file to file, with what the one before left."""

    def __init__(self, folder: Path, writer: str, progress: Progress) -> None:
        self.folder, self.writer, self.progress = folder, writer, progress
        self.verdict = Verdict(writer)
        self._totals: Trailer | None = None
        self._loose = 0
        self._seal: Seal | None = None
        self._tip = read_tip(folder, writer)

    def run(self) -> None:
        names = {path.stem for path in files(self.folder, self.writer)}
        names |= {path.stem for path in (self.folder / self.writer).glob(f"*{SEAL_SUFFIX}")}
        for name in sorted(names):
            path = self.folder / self.writer / f"{name}{SUFFIX}"
            seal = read_seal(path)
            self._check_seal(path, seal)
            if _there(path):
                self._file(path, seal)
            else:
                self._absent(path, seal)
            self._seal = seal or self._seal
        self._check_end()

    def _fault(self, path: Path, concerned: tuple[int, int], lost: int, what: str) -> None:
        self.verdict.faults.append(Fault(path, 0, *concerned, lost, what))

    def _check_seal(self, path: Path, seal: Seal | None) -> None:
        first = first_seq(path)
        if seal is None and seal_path(path).exists():
            self._fault(seal_path(path), (first, first), 0, "the seal is damaged")
        elif seal and self._seal and seal.previous != self._seal.digest:
            self._fault(seal_path(path), (first, first), 0, "the seal does not follow from the one before it")
        if seal and not seal_is_whole(path, seal):
            self.verdict.weak.append(f"{seal_path(path).name}: the index behind the seal is damaged; the members tell it too")

    def _file(self, path: Path, seal: Seal | None) -> None:
        first = first_seq(path)
        oldest = not self.verdict.stretches
        examined = Examination(path, self._totals, self._loose)
        before = examined.totals
        self._look(examined, path)
        self.verdict.faults += examined.faults
        if oldest and before and before.last_seq:
            self._fault(path, (1, before.last_seq), before.records, "records before the oldest file are gone, and no seal tells of them")
        begun = self.verdict.stretches[-1] if self.verdict.stretches else None
        if begun and not begun.there and before and before.digest.hex() != begun.head:
            self._fault(path, (first, first), 0, "the file does not go on where the seal of the one before it ends")
        head = examined.totals.digest.hex() if examined.totals else ""
        lost = sum(fault.lost for fault in examined.faults if fault.first >= first)
        passed = examined.totals.records - before.records - lost if examined.totals and before else 0
        stretch = Stretch(path.stem, first, examined.reached, passed + examined.loose, before.digest.hex() if before else "", head, examined.sha256,
                          examined.unlinked, there=True)  # fmt: skip
        self.verdict.stretches.append(stretch)
        self._totals, self._loose = examined.totals, examined.loose
        if seal and not path.exists() and not examined.faults and (stretch.last, head, stretch.sha256) != (seal.last, seal.head, seal.sha256):
            self._fault(path, (first, examined.reached), 0, "the sealed file is not the one that its seal names")

    def _look(self, examined: Examination, path: Path) -> None:
        done = self.verdict.bytes
        end = self._tip.offset if self._tip and self._tip.name == path.name else None
        with open_bytes(path) as source:
            whole = source.size
            end = whole if end is None or end > whole else end
        for commit in examined.commits(end):
            self.progress(done + commit.end)
        self.verdict.bytes += end
        self.progress(self.verdict.bytes)
        self.verdict.weak += [f"{path.name}.gz: the block of records {first}-{last} is damaged; its parity makes it whole" for first, last in examined.mended]
        if not path.exists() and not _parity_holds(path):
            self.verdict.weak.append(f"{path.name}.par: the parity is missing or damaged; the data are whole")

    def _absent(self, path: Path, seal: Seal | None) -> None:
        first = first_seq(path)
        if seal is None:
            self._fault(path, (first, first), 0, "neither the file nor a whole seal of it is there")
            return
        begun = self.verdict.stretches[-1] if self.verdict.stretches else None
        if begun and begun.head != seal.before:
            self._fault(seal_path(path), (first, first), 0, "the seal does not go on where the file before it ends")
        self.verdict.stretches.append(Stretch(path.stem, seal.first, seal.last, seal.records, seal.before, seal.head, seal.sha256, 0, there=False))
        self._totals, self._loose = None, 0

    def _check_end(self) -> None:
        """The tip against what was found: the end of a journal may have been cut at a commit."""
        reached = self.verdict.stretches[-1].last if self.verdict.stretches else 0
        if self._tip and self._tip.totals.last_seq > reached + self._loose:
            path = self.folder / self.writer / self._tip.name
            lost = self._tip.totals.last_seq - reached - self._loose
            self._fault(path, (reached + self._loose + 1, self._tip.totals.last_seq), lost, "records at the end are gone: the journal was longer")
        self.verdict.faults.sort(key=lambda fault: fault.first)


def _tie(verdict: Verdict, anchors: list[Seal]) -> None:
    """Which outside seals the journal fulfils, and which records they prove."""
    found = {one.name: one for one in verdict.stretches}
    met: set[str] = set()
    for anchor in sorted(anchors, key=lambda one: one.last):
        words = _contradiction(anchor, found.get(anchor.name))
        if words:
            verdict.contradictions.append(f"{anchor.reference} ({anchor.first}-{anchor.last}): {words}")
            continue
        met.add(anchor.name)
        verdict.proven, verdict.proven_by = anchor.last, anchor.reference
    tied, head, proven = False, "", 0
    for one in reversed(verdict.stretches):
        tied = one.name in met or (tied and head == one.head)
        if tied:
            proven += one.records if not one.unlinked else max(0, one.last - one.unlinked)
        # A fault inside cuts the chain; an outside seal of this very file also fixes where the file before must end.
        tied = tied and (not one.unlinked or one.name in met)
        head = one.before
    verdict.unproven = sum(one.records for one in verdict.stretches) - proven


def _contradiction(anchor: Seal, found: Stretch | None) -> str:
    if found is None:
        return "the journal has nothing of it"
    if found.last < anchor.last:
        return f"the journal ends at record {found.last}: its end was cut"
    if (found.last, found.head, found.before) != (anchor.last, anchor.head, anchor.before):
        return "the journal says something else: it was rewritten"
    return "" if found.sha256 in {"", anchor.sha256} else "the file has other bytes"


def _there(path: Path) -> bool:
    return path.exists() or sealed_path(path).exists()


def _size(path: Path) -> int:
    with open_bytes(path) as source:
        return source.size


def _parity_holds(path: Path) -> bool:
    with open_sealed(path) as source:
        return is_whole(parity_path(path), len(source.index))

"""Sealing: a closed journal file is examined, compressed, checked and fixed by a seal; then the plain file goes.

The order of the steps is the whole safety of it. The sealed form stands durably under its own name before the plain one is
removed, and every reader takes the plain one as long as it is there: a death at any moment leaves one of the two whole, and
nothing is read twice. Whatever was half done is done again from the beginning, with the same result to the byte.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from domain.errors import DataFolderBusy, JournalError
from lanbi.frames import Trailer
from lanbi.journal_bytes import CLOSED_SUFFIX, SUFFIX, closed_path, files, is_closed, parity_path, sealed_path
from lanbi.journal_examine import NEVER, Examination
from lanbi.journal_files import closing, day_of_file, first_seq, hold, read_tip, sync_folder
from lanbi.journal_recovery import recover, write_new
from lanbi.parity import parity
from lanbi.sealed import BLOCK, Block, Content, SealedBytes, member
from lanbi.seals import NONE, Seal, seal_path, seals, write_text

DRAFT_SUFFIX: Final = ".new"
READ_ONLY: Final = 0o440


def sealable(folder: Path, writer: str) -> list[Path]:
    """Files that nothing will be appended to any more and that are not sealed yet, oldest first."""
    tip = read_tip(folder, writer)
    # The tip is published behind the fdatasync: from then on no recovery goes back to an older file.
    return [path for path in files(folder, writer) if path.exists() and ((tip and path.name < tip.name) or is_closed(path))]


def close_idle(folder: Path, writer: str, today: int) -> Path | None:
    """Close a writer's newest file if its day is over and nobody appends; whoever comes next begins a new one."""
    paths = files(folder, writer)
    if not paths or is_closed(paths[-1]) or day_of_file(paths[-1]) >= today:
        return None
    with closing(folder / writer):
        try:
            lock = hold(folder / writer / "lock", "")
        except DataFolderBusy:
            return None
        try:
            # Nobody appends, so what a death left behind the last commit is set aside here as it would be by the next appender.
            newest = recover(folder, writer).path
            if newest and day_of_file(newest) < today:
                _durable(closed_path(newest), [], 0o640)
                sync_folder(newest.parent)
        finally:
            os.close(lock)
    return newest


def seal(folder: Path, writer: str, path: Path, done: Callable[[int], None] = lambda _: None) -> Seal:
    """Seal one closed file and remove its plain form.

    Parameters
    ----------
    done : callable
        Told how many bytes of the plain file are compressed.

    Raises
    ------
    JournalError
        No room, a bad sector, or what was compressed does not read back: the plain file stays as it is.
    """
    before = [one for one in seals(folder, writer) if one.name < path.stem]
    draft = _draft(sealed_path(path))
    try:
        examined, contents = _examine(path)
        index, digest = _compress(path, draft, contents, done)
        _check(path, draft, index, digest)
        made = _seal(examined, before[-1].digest if before else NONE, index, digest)
        _put(path, draft, index, made)
    except OSError as error:
        for target in (sealed_path(path), parity_path(path), seal_path(path)):
            _draft(target).unlink(missing_ok=True)
        raise JournalError(f"it cannot be sealed: {error.strerror}", str(path), "free space or mend the disk; the plain file is as it was") from error
    return made


def _draft(path: Path) -> Path:
    return path.with_name(path.name + DRAFT_SUFFIX)


def _examine(path: Path) -> tuple[Examination, list[Content]]:
    """The file's faults, and what each block holds."""
    examined = Examination(path, None)
    size = path.stat().st_size
    spans = [[0, NEVER, 0] for _ in range(-(-size // BLOCK))]
    for commit in examined.commits():
        for number in range(commit.offset // BLOCK, (commit.end - 1) // BLOCK + 1):
            spans[number][1:] = min(spans[number][1], commit.first_ns), max(spans[number][2], commit.last_ns)
        spans[(commit.end - 1) // BLOCK][0] = commit.totals.last_seq
    if examined.passed < size:
        for number in range(examined.passed // BLOCK, len(spans)):
            spans[number][1:] = 0, NEVER  # what a damaged end holds is not known
    reached = first_seq(path) - 1
    contents = []
    for last_seq, first_ns, last_ns in spans:
        reached = max(reached, last_seq)
        contents.append(Content(reached, first_ns, last_ns) if last_ns else Content(reached, 0, 0))
    return examined, contents


def _compress(path: Path, draft: Path, contents: list[Content], done: Callable[[int], None]) -> tuple[list[Block], str]:
    """Write the sealed form under a draft's name; returns its index and SHA-256 of the plain bytes."""
    index: list[Block] = []
    digest = hashlib.sha256()

    def members() -> Iterator[bytes]:
        place = 0
        with path.open("rb", buffering=0) as source:
            for number, content in enumerate(contents):
                # A reader fills up what a bad sector took; here it is an error, or the plain file would go.
                data = os.pread(source.fileno(), BLOCK, number * BLOCK)
                digest.update(data)
                packed, block = member(data, number * BLOCK, place, content)
                index.append(block)
                place += block.length
                done(block.at + block.size)
                yield packed

    _durable(draft, members(), READ_ONLY)
    return index, digest.hexdigest()


def _check(path: Path, draft: Path, index: list[Block], digest: str) -> None:
    """Read back what was written: what cannot be inflated to the same bytes must not replace them."""
    found = hashlib.sha256()
    with SealedBytes(path, index, draft) as source:
        for block in index:
            found.update(source.pread(block.size, block.at))
    if found.hexdigest() != digest:
        raise JournalError("what was compressed does not read back", str(path), "test memory and disk; the plain file is as it was")


def _seal(examined: Examination, previous: str, index: list[Block], sha256: str) -> Seal:
    path, end = examined.path, examined.totals
    header = examined.header.before if examined.header else None
    begin = header or Trailer(first_seq(path) - 1, 0, 0, 0, bytes(32))
    last = end or begin
    return Seal(
        path.parent.name,
        path.stem,
        first_seq(path),
        last.last_seq,
        last.records - begin.records if header else 0,
        last.readings - begin.readings if header else 0,
        examined.lost,
        index[-1].at + index[-1].size if index else 0,
        sha256,
        begin.digest.hex(),
        last.digest.hex(),
        previous,
    )


def _put(path: Path, draft: Path, index: list[Block], made: Seal) -> None:
    """Names change one after the other, the sealed bytes last; only then the plain file goes."""
    handle = os.open(draft, os.O_RDONLY)
    try:
        pieces = list(parity(handle, [(block.place, block.length) for block in index]))
    finally:
        os.close(handle)
    for target, data in ((parity_path(path), pieces), (seal_path(path), [write_text(made, index).encode()])):
        _durable(_draft(target), data, READ_ONLY)
        _draft(target).rename(target)
    draft.rename(sealed_path(path))
    sync_folder(path.parent)
    path.unlink()
    sync_folder(path.parent)
    closed_path(path).unlink(missing_ok=True)


def _durable(path: Path, pieces: Iterable[bytes], mode: int) -> None:
    """Write a file anew: what a death left of it goes first."""
    path.unlink(missing_ok=True)
    write_new(path, pieces, mode)


def tidy(folder: Path, writer: str) -> None:
    """Remove drafts that a death left, and marks of files that are sealed by now; under the keeper's lock."""
    for draft in (folder / writer).glob(f"*{DRAFT_SUFFIX}"):
        draft.unlink()
    for mark in (folder / writer).glob(f"*{CLOSED_SUFFIX}"):
        if not mark.with_suffix(SUFFIX).exists():
            mark.unlink()

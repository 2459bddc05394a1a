"""How much room the journal takes and has: its quota, its growth, and the days until it is full."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from domain.civil import DAY_S
from lanbi.frames import HEADER_SIZE, Record
from lanbi.journal_bytes import files, parity_path, sealed_path
from lanbi.journal_files import day_of_file, read_tip, salt_of
from lanbi.journal_walk import Walk
from lanbi.seals import read_seal, seal_path

NS: Final = 1_000_000_000
NEVER_FULL: Final = 36_500.0
FAR: Final = 3_650
"""Days beyond which nobody plans; a figure would only look precise."""
STEADY: Final = ("mqtt", "hj212", "person")
"""Writers whose past says what will come; an import comes once."""
WEEK: Final = 7
QUOTA: Final = "日志已达配额 the journal has reached its quota"
LOOK: Final = 4 << 20
"""A quota is measured anew after so many bytes written: another process may write too."""
HOUR_S: Final = 3_600


class Room(NamedTuple):
    """Bytes: what the journal takes on its disk, what the quota allows (None: no quota), what the disk has free and in all."""

    used: int
    quota: int | None
    disk_free: int
    disk: int

    @property
    def free(self) -> int:
        """What may still come."""
        return self.disk_free if self.quota is None else max(0, min(self.disk_free, self.quota - self.used))

    @property
    def limit(self) -> int:
        """What the journal could take at most."""
        return self.used + self.disk_free if self.quota is None else min(self.quota, self.used + self.disk_free)


def used(folder: Path) -> int:
    """Bytes of everything in the journal's folder; archived files lie elsewhere and do not count."""
    return sum(used_by(path) for path in folder.glob("*/"))


def used_by(folder: Path) -> int:
    """The same of one writer's folder."""
    found = 0
    for path in folder.glob("*"):
        try:
            found += 0 if path.is_symlink() else path.stat().st_size
        except FileNotFoundError:
            continue  # sealed or removed at this moment
    return found


def set_aside(folder: Path) -> int:
    """Bytes of torn ends in a writer's folder: no commit covered them, so nothing of them was acknowledged."""
    return sum(path.stat().st_size for path in folder.glob("*.torn"))


def room(data: Path, quota: int | None) -> Room:
    """The room of a data folder's journal."""
    disk = shutil.disk_usage(data)
    return Room(used(data / "journal"), quota, disk.free, disk.total)


def days_until_full(data: Path, quota: int | None = None) -> float:
    """Days until disk or quota is full, at the growth of the last closed week; :data:`NEVER_FULL` if nothing grows."""
    growth = growth_a_day(data / "journal")
    return min(NEVER_FULL, room(data, quota).free / growth) if growth else NEVER_FULL


def growth_a_day(folder: Path) -> float:
    """Bytes a day that stay, once sealed, by the last closed days; by the open one while there is no other."""
    paths = [files(folder, writer) for writer in STEADY]
    days = {day_of_file(path) for some in paths for path in some}
    if not days:
        return 0.0
    newest, oldest = max(days), min(days)
    if newest == oldest:
        return sum(_pace(folder, writer) for writer in STEADY)
    first = max(oldest, newest - WEEK)
    recent = [[path for path in some if first <= day_of_file(path) < newest] for some in paths]
    return sum(sum(_kept(some)) for some in recent) / (newest - first)


def _kept(paths: Sequence[Path]) -> Iterator[float]:
    """Bytes that files take once sealed; what is not sealed yet is taken to shrink as the last sealed one did."""
    share = 1.0
    for path in paths:
        if path.exists():
            yield share * path.stat().st_size
            continue
        try:
            size = sum(one.stat().st_size for one in (sealed_path(path), parity_path(path), seal_path(path)))
        except OSError:  # archived on a disk that is away, or a part of it was removed
            continue
        seal = read_seal(path)
        share = size / seal.bytes if seal and seal.bytes else share
        yield float(size)


def _pace(folder: Path, writer: str) -> float:
    """Bytes a day of a writer that has but one day yet; 0 while it is younger than an hour."""
    tip = read_tip(folder, writer)
    path = next(iter(files(folder, writer)), None)
    if not tip or not path or not path.exists():
        return 0.0
    first = next((one for one in Walk(path, salt_of(path) or 0, HEADER_SIZE).walk(tip.offset) if isinstance(one, Record)), None)
    since = (tip.totals.committed_ns - first.received_ns) / NS if first else 0.0
    return tip.offset / since * DAY_S if since >= HOUR_S else 0.0


def full_in(days: float) -> str:
    """Days until full, for people."""
    return "> 10 年 years" if days > FAR else f"{days:.0f}"


def lasts(days: float) -> tuple[str, str]:
    """The same as a sentence, in Chinese and English.

    >>> lasts(7.2), lasts(10_000)
    (('约 7 天后写满', 'full in 7 days'), ('十年内不会写满', 'not full within ten years'))
    """
    return ("十年内不会写满", "not full within ten years") if days > FAR else (f"约 {days:.0f} 天后写满", f"full in {days:.0f} days")


def said(size: int) -> str:
    """Bytes, for people.

    >>> said(1_234_567), said(12)
    ('1.23 MB', '12 B')
    """
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.2f} {unit}"
    return f"{size} B"


@dataclass
class Quota:
    """Whether a journal may still grow; measured now and then, counted between."""

    folder: Path
    bytes: int | None
    _used: int = 0
    _written: int = field(default=LOOK)

    def check(self) -> None:
        """Raise if the quota is reached; once it is, every call measures anew, so that room is seen at once.

        Raises
        ------
        OSError
            EDQUOT, as a file system with quotas raises it.
        """
        if self.bytes is None:
            return
        if self._written >= min(LOOK, self.bytes // 64) or self._used + self._written >= self.bytes:
            self._used, self._written = used(self.folder), 0
        if self._used + self._written >= self.bytes:
            raise OSError(errno.EDQUOT, QUOTA)

    def wrote(self, size: int) -> None:
        """So many bytes were written."""
        self._written += size

"""What ``lanbi journal info`` tells of each writer, from names, seals, tips and totals; nothing is read through for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain.civil import iso
from lanbi.anchoring import reached
from lanbi.frames import DOORS, EMPTY, Trailer
from lanbi.journal_bytes import SUFFIX, files, parity_path, sealed_path
from lanbi.journal_files import newest_trailer, opening
from lanbi.journal_removal import gone
from lanbi.journal_space import days_until_full, full_in, room, said, set_aside
from lanbi.seals import Seal, seal_path, seals
from lanbi.settings import Settings

NS = 1_000_000_000


@dataclass(frozen=True)
class WriterInfo:
    """One writer's journal.

    Attributes
    ----------
    records, readings : int
        Since the journal began.
    files, sealed, archived, removed : int
        Files that are there in any form; of them sealed, and sealed on another disk; sealed and removed.
    bytes, sealed_bytes, archived_bytes : int
        Of the plain files; of the sealed ones here, and on the other disk, with parity and seals.
    sealed_readings : int
        Readings in the sealed files.
    set_aside : int
        Bytes of torn ends that no commit covered: never acknowledged, kept for whoever wants to look.
    lost : int
        Records that could not be read when their file was sealed.
    unanchored : int
        Seals that not every registered address was sent.
    anchored : str
        Newest sealed file whose seal every registered address was sent.
    """

    writer: str
    records: int
    readings: int
    files: int
    sealed: int
    archived: int
    removed: int
    bytes: int
    sealed_bytes: int
    archived_bytes: int
    sealed_readings: int
    set_aside: int
    lost: int
    unanchored: int
    anchored: str
    newest: str

    @property
    def a_reading(self) -> float | None:
        """Bytes a reading in the sealed files; None without any."""
        return (self.sealed_bytes + self.archived_bytes) / self.sealed_readings if self.sealed_readings else None


def writer_info(folder: Path, writer: str, addresses: tuple[str, ...]) -> WriterInfo:
    """What is known of a writer without reading its records."""
    paths = files(folder, writer)
    all_seals = seals(folder, writer)
    plain = [path for path in paths if path.exists()]
    linked = [path for path in paths if sealed_path(path).is_symlink()]
    here = [path for path in paths if path not in plain and path not in linked]
    known = {path.stem for path in here + linked}
    totals = newest_trailer(folder, writer)
    unanchored, anchored = _anchored(folder, all_seals, addresses)
    return WriterInfo(
        writer,
        totals.records,
        totals.readings,
        len(paths),
        len(here) + len(linked),
        len(linked),
        sum(1 for seal in all_seals if gone(folder / writer / f"{seal.name}{SUFFIX}")),
        sum(path.stat().st_size for path in plain),
        sum(map(_size, here)),
        sum(map(_size, linked)),
        sum(seal.readings for seal in all_seals if seal.name in known),
        set_aside(folder / writer),
        sum(seal.lost for seal in all_seals),
        unanchored,
        anchored,
        iso(totals.committed_ns // NS) if totals != EMPTY else "",
    )


def _size(path: Path) -> int:
    return sum(part.stat().st_size for part in (sealed_path(path), parity_path(path), seal_path(path)) if part.exists())


def _anchored(folder: Path, all_seals: list[Seal], addresses: tuple[str, ...]) -> tuple[int, str]:
    sent = reached(folder)
    done = [seal for seal in all_seals if addresses and all(seal.digest in sent.get(to, set()) for to in addresses)]
    return len(all_seals) - len(done), done[-1].reference if done else ""


def overhead(folder: Path, writer: str) -> float | None:
    """Bytes a reading that the open file takes, payloads included; None without readings in it."""
    paths = files(folder, writer)
    header = opening(paths[-1]) if paths and paths[-1].exists() else None
    before: Trailer = header.before if header else EMPTY
    grown = newest_trailer(folder, writer).readings - before.readings
    return paths[-1].stat().st_size / grown if header and grown > 0 else None


def info(settings: Settings) -> dict[str, Any]:
    """Everything, for ``--json``."""
    folder = settings.data / "journal"
    writers = [writer_info(folder, writer, settings.journal.anchor_mail) for writer in DOORS if files(folder, writer)]
    now = room(settings.data, settings.journal.quota)
    return {
        "folder": str(folder),
        "writers": [{**asdict(one), "bytes_a_sealed_reading": one.a_reading, "bytes_an_open_reading": overhead(folder, one.writer)} for one in writers],
        "used": now.used,
        "quota": now.quota,
        "free": now.free,
        "days_until_full": days_until_full(settings.data, settings.journal.quota),
        "on_full": settings.journal.on_full,
        "addresses": list(settings.journal.anchor_mail),
    }


def lines(told: dict[str, Any]) -> list[str]:
    """The same for a terminal."""
    found = [f"日志 journal {told['folder']}"]
    for one in told["writers"]:
        sealed, opened = one["bytes_a_sealed_reading"], one["bytes_an_open_reading"]
        found += [
            f"{one['writer']}: 记录 records {one['records']}, 读数 readings {one['readings']}, 最新 newest {one['newest']}",
            f"  文件 files {one['files']}: 已封存 sealed {one['sealed']} (归档 archived {one['archived']}), 已删除 removed {one['removed']}",
            f"  大小 size: 未封存 open {said(one['bytes'])}, 封存 sealed {said(one['sealed_bytes'])}, 归档 archived {said(one['archived_bytes'])}",
            f"  每条读数 bytes a reading: 未封存 open {_figure(opened)}, 封存 sealed {_figure(sealed)}",
            f"  另存的残尾 torn ends set aside {one['set_aside']} B, 封存时已损坏 records lost before sealing {one['lost']}",
            f"  外部封印 anchored outside up to {one['anchored'] or '—'}, 未寄出 not mailed {one['unanchored']}",
        ]
    days = told["days_until_full"]
    quota = f", 配额 quota {said(told['quota'])}" if told["quota"] else ""
    found.append(
        f"占用 used {said(told['used'])}{quota}, 可用 free {said(told['free'])}; 写满还有 days until full {full_in(days)} (on_full = {told['on_full']})"
    )
    if not told["addresses"]:
        found.append("提示 note: 没有外部邮箱 journal.anchor_mail is empty: nothing is proven against whoever owns the disk")
    return found


def _figure(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"

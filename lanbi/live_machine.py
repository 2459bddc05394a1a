"""Live check of the machine: its clock, and the disk under the data folder."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.civil import iso
from domain.ports import Clock
from lanbi.clock import SystemClock
from lanbi.frames import DOORS
from lanbi.journal_files import newest_trailer
from lanbi.journal_space import said
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.settings import Settings

PART: Final = "machine"
NS: Final = 1_000_000_000
AHEAD_S: Final = 300
"""So far the record may lie ahead of the clock: beyond it ingest holds decoding (architecture §4)."""
SLOW_S: Final = 0.25
"""A commit waits for the disk; above this a small commit keeps devices waiting."""
FULL: Final = 0.95
NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph"})
MEMORY: Final = frozenset({"tmpfs", "ramfs"})
UNSYNCHRONISED: Final = 0x40


def look(settings: Settings) -> Iterator[Finding]:
    """Clock first: every reading is judged by it."""
    if settings.clock == "system":
        yield _record(settings.data, SystemClock())
        yield _synchronised()
    if settings.data.is_dir():
        yield from _disk(settings.data)


def _record(data: Path, clock: Clock) -> Finding:
    newest = max((newest_trailer(data / "journal", writer).committed_ns for writer in DOORS), default=0)
    ahead = (newest - clock.now_ns()) / NS
    if ahead > AHEAD_S:
        words = f"the journal's newest commit is {ahead:.0f} s ahead of the clock ({iso(newest // NS)}): ingest holds decoding"
        return Finding(PART, FAULT, f"时钟落后于日志 {ahead:.0f} 秒", words, "set the clock right; look at the time service (chrony, systemd-timesyncd)")
    return Finding(PART, OK, f"时钟 {iso(clock.now_ns() // NS)}，不早于日志", f"the clock says {iso(clock.now_ns() // NS)}, not before the journal")


class _Timex(ctypes.Structure):
    """The beginning of Linux's ``struct timex``; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("room", ctypes.c_char * 256),
    )  # fmt: skip


def _synchronised() -> Finding:
    """What the kernel says: ``adjtimex`` with no mode set only reads."""
    told = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told)) < 0:
        return Finding(PART, NOTE, "无法得知时钟是否同步", "whether the clock is synchronised cannot be told", "look at the time service")
    if told.status & UNSYNCHRONISED:
        return Finding(
            PART, NOTE, "内核称时钟未同步", "the kernel says that no time service keeps the clock", "apt-get install chrony (or the bureau's own time server)"
        )
    return Finding(PART, OK, f"时钟已同步，误差不超过 {told.maxerror / 1e6:.2f} 秒", f"the clock is synchronised, off by {told.maxerror / 1e6:.2f} s at most")


def _disk(data: Path) -> Iterator[Finding]:
    kind = _kind(data)
    if kind in NETWORK:
        yield Finding(PART, FAULT, f"数据文件夹在网络文件系统上（{kind}）", f"the data folder is on a network file system ({kind})", "move it to a local disk")
    elif kind in MEMORY:
        yield Finding(
            PART, NOTE, f"数据文件夹在内存中（{kind}）", f"the data folder is in memory ({kind}) and ends with the machine", "move it to a local disk"
        )
    room = os.statvfs(data)
    used = 1 - room.f_bavail / room.f_blocks if room.f_blocks else 0.0
    free = said(room.f_bavail * room.f_frsize)
    state = FAULT if used > FULL else OK
    yield Finding(PART, state, f"磁盘已用 {used:.0%}，可用 {free}", f"the disk is {used:.0%} full, {free} are free", "" if state == OK else "make room")
    if room.f_files and room.f_favail / room.f_files < 1 - FULL:
        yield Finding(PART, FAULT, "文件数将尽", f"only {room.f_favail} more files can be made", "remove files, or make the file system anew with more inodes")
    yield _sync(data)


def _sync(data: Path) -> Finding:
    """A small commit of our own, in a file that has no name."""
    clock = SystemClock()
    try:
        with tempfile.TemporaryFile(dir=data) as file:
            file.write(bytes(4_096))
            file.flush()
            begun = clock.monotonic()
            os.fdatasync(file.fileno())
            took = clock.monotonic() - begun
    except OSError as error:
        return Finding(
            PART, FAULT, f"数据文件夹不可写：{error.strerror}", f"nothing can be written into the data folder: {error.strerror}", "run as lanbi's user"
        )
    state = NOTE if took > SLOW_S else OK
    return Finding(PART, state, f"落盘用时 {took * 1000:.0f} 毫秒", f"a small commit takes {took * 1000:.0f} ms", "" if state == OK else "a faster disk")


def _kind(path: Path) -> str:
    """Kind of the file system: that of the longest mount point above the path."""
    found = ("", "unknown")
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        words, _, rest = line.partition(" - ")
        point = words.split()[4].encode().decode("unicode_escape")
        if len(point) >= len(found[0]) and path.resolve().is_relative_to(point):
            found = (point, rest.split()[0])
    return found[1]

"""A disk that remembers: every system call that changes something is noted, and any moment of it can be laid out again.

A process that dies leaves what it had written, the last write perhaps cut. A machine that loses its power leaves what was
synced for certain; of the rest, bytes and names may have arrived or not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock


class Op(NamedTuple):
    """One change: ``create`` and ``mkdir`` a name, ``write`` at a place, ``truncate``, ``sync`` bytes or names, ``rename``, ``unlink``; or a ``mark``."""

    what: str
    path: str = ""
    at: int = 0
    data: bytes = b""
    other: str = ""


@dataclass
class Recorder:
    """Notes what is done below a folder; calls go through to the real file system."""

    root: Path
    ops: list[Op] = field(default_factory=list)
    _open: dict[int, tuple[str, int]] = field(default_factory=dict)

    def mark(self, number: int) -> None:
        """Note that everything up to a record was acknowledged."""
        self.ops.append(Op("mark", at=number))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Replace the system calls that the journal uses."""
        names = ("open", "close", "write", "pwrite", "ftruncate", "fsync", "fdatasync", "rename", "replace", "unlink", "mkdir")
        real = {name: getattr(os, name) for name in names}
        spies: dict[str, Callable[..., Any]] = {name: self._spy(name, real) for name in names}
        with mock.patch.multiple(os, **spies):
            yield

    def _spy(self, name: str, real: dict[str, Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            before = self._before(name, args)
            found = real[name](*args, **kwargs)
            self._note(name, args, found, before)
            return found

        return call

    def _inside(self, path: Any) -> str | None:
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        return os.path.relpath(text, self.root) if text.startswith(str(self.root)) else None

    def _before(self, name: str, args: tuple[Any, ...]) -> bool:
        return name == "open" and self._inside(args[0]) is not None and os.path.lexists(args[0])

    def _note(self, name: str, args: tuple[Any, ...], found: Any, before: bool) -> None:  # noqa: FBT001
        if name == "open" and (path := self._inside(args[0])) is not None:
            if not before:
                self.ops.append(Op("create", path))
            self._open[found] = (path, args[1] & os.O_APPEND)
        elif name in {"rename", "replace"} and (path := self._inside(args[0])) is not None:
            self.ops.append(Op("rename", path, other=str(self._inside(args[1]))))
        elif name in {"unlink", "mkdir"} and (path := self._inside(args[0])) is not None:
            self.ops.append(Op(name, path))
        elif args and args[0] in self._open:
            self._note_open(name, args, found)

    def _note_open(self, name: str, args: tuple[Any, ...], found: Any) -> None:
        path, _ = self._open[args[0]]
        if name == "close":
            del self._open[args[0]]
        elif name == "write":
            end = os.lseek(args[0], 0, os.SEEK_CUR)
            self.ops.append(Op("write", path, end - found, bytes(args[1][:found])))
        elif name == "pwrite":
            self.ops.append(Op("write", path, args[2], bytes(args[1][:found])))
        elif name == "ftruncate":
            self.ops.append(Op("truncate", path, args[1]))
        elif name in {"fsync", "fdatasync"}:
            self.ops.append(Op("sync", path))


@dataclass
class _File:
    data: bytearray = field(default_factory=bytearray)
    kept: bytes = b""


@dataclass
class Disk:
    """The disk after some operations: what stands in the cache, and what would outlive a power cut."""

    names: dict[str, _File] = field(default_factory=dict)
    kept_names: dict[str, _File] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    acknowledged: int = 0

    def take(self, op: Op, cut: int | None = None) -> None:
        """Apply an operation; of a write only the first ``cut`` bytes."""
        if op.what == "mark":
            self.acknowledged = op.at
        elif op.what == "mkdir":
            self.folders.add(op.path)
        elif op.what == "create":
            self.names[op.path] = _File()
        elif op.what == "rename":
            self.names[op.other] = self.names.pop(op.path)
        elif op.what == "unlink":
            del self.names[op.path]
        elif op.what == "sync" and op.path in self.names:
            self.names[op.path].kept = bytes(self.names[op.path].data)
        elif op.what == "sync":
            inside = {name for name in {*self.names, *self.kept_names} if str(Path(name).parent) == op.path}
            self.kept_names = {name: file for name, file in self.kept_names.items() if name not in inside}
            self.kept_names |= {name: file for name, file in self.names.items() if name in inside}
        else:
            self._change(self.names[op.path].data, op, cut)

    @staticmethod
    def _change(data: bytearray, op: Op, cut: int | None) -> None:
        if op.what == "truncate":
            del data[op.at :]
            data.extend(bytes(op.at - len(data)))
            return
        piece = op.data if cut is None else op.data[:cut]
        data.extend(bytes(max(0, op.at - len(data))))
        data[op.at : op.at + len(piece)] = piece

    def standing(self, arrived: str) -> dict[str, _File]:
        """Names after a power cut: of the changes that were not synced ``all``, ``none``, only the ``added`` or only the ``removed`` ones arrived."""
        if arrived == "added":
            return self.kept_names | self.names
        if arrived == "removed":
            return {name: file for name, file in self.kept_names.items() if name in self.names}
        return self.names if arrived == "all" else self.kept_names

    def lay_out(self, folder: Path, arrived: str = "all", *, data: bool = True) -> None:
        """Write the disk into a folder: with the names that arrived, and with bytes that were not synced or without."""
        folder.mkdir(parents=True)
        for name in self.folders:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, file in self.standing(arrived).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(file.data) if data else file.kept)

"""``lanbi import --watch DIR``: a folder into which somebody drops files, each taken once it is whole, and moved so that one sees it.

What was imported is moved into ``done/``, what was refused into ``refused/`` with the reason beside it as a text: whoever drops a
file on a share sees neither our output nor our log. A file that waits for a service stays where it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.errors import DataFolderBusy, InputError, LanbiError, PlanError, RegistryError, ServiceError, SettingsError, WorkError
from domain.ports import Clock
from lanbi.saying import said

DONE: Final = "done"
REFUSED: Final = "refused"
LOOK_S: Final = 1.0
"""Seconds from one look to the next; a file that did not change between two of them is whole."""
STEP_S: Final = 0.2
RETRY_S: Final = 30.0
"""Seconds until a file that a service was missing for is tried again."""
UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")
"""Endings of what is still being copied or edited."""
NOT_THE_FILE: Final = (ServiceError, DataFolderBusy, RegistryError, PlanError, SettingsError)
"""What a file can do nothing about: it waits until that is mended."""
Size = tuple[int, int]


@dataclass
class DropFolder:
    """A folder that is looked at until somebody stops it.

    Attributes
    ----------
    folder : Path
    take : callable
        Imports one file and tells its account.
    clock : Clock
    stop : callable
        Raises KeyboardInterrupt where the work is to end.
    """

    folder: Path
    take: Callable[[str], object]
    clock: Clock
    stop: Callable[[], None]
    _seen: dict[Path, Size] = field(default_factory=dict)
    _last: str = ""

    def prepare(self) -> None:
        """Make the folders for what was taken.

        Raises
        ------
        InputError
            There is no such folder, or it cannot be written to.
        """
        if not self.folder.is_dir():
            raise InputError("there is no such folder", str(self.folder), "name a folder into which files are dropped")
        for name in (DONE, REFUSED):
            try:
                (self.folder / name).mkdir(exist_ok=True)
            except OSError as error:
                raise InputError(f"the folder cannot be made: {error.strerror}", str(self.folder / name), "let this user write to the folder") from error

    def run(self) -> None:
        """Take files as they come, the oldest first; ends by an exception only."""
        while True:
            ends = [self._took(path) for path in self.whole()]
            self._wait(RETRY_S if False in ends else LOOK_S)

    def whole(self) -> Iterator[Path]:
        """Files that hold something and did not change since the last look, the oldest first."""
        before, self._seen = self._seen, {}
        found: list[tuple[int, Path]] = []
        for path in self.folder.iterdir():
            if path.name.startswith(".") or path.name.endswith(UNFINISHED) or not path.is_file():
                continue
            size = self._seen[path] = _size(path)
            if size[0] and before.get(path) == size:
                found.append((size[1], path))
        for _, path in sorted(found):
            self.stop()
            yield path

    def _took(self, path: Path) -> bool:
        """Whether that file is done with, as imported or as refused; False where it waits for something."""
        try:
            self.take(str(path))
        except NOT_THE_FILE as error:
            self._say(error)
            return False
        except InputError as error:
            if self._seen.pop(path, None) == _size(path):
                self._say(error)
                moved = self._move(path, REFUSED)
                _write(moved.with_name(f"{moved.name}.txt"), said(error))
            return True
        self._last = ""
        self._move(path, DONE)
        return True

    def _say(self, error: LanbiError) -> None:
        """Say what hinders, once: the same is met again at every try."""
        if said(error) != self._last:
            self._last = said(error)
            sys.stderr.write(self._last)

    def _move(self, path: Path, name: str) -> Path:
        """Move a file aside under its own name, or with a number where another one has it."""
        target, number = self.folder / name / path.name, 1
        while target.exists():
            number += 1
            target = self.folder / name / f"{path.stem}-{number}{path.suffix}"
        try:
            return path.replace(target)
        except OSError as error:
            raise WorkError(f"the file cannot be moved: {error.strerror}", str(path), f"let this user write to {target.parent}") from error

    def _wait(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.stop()
            self.clock.sleep(STEP_S)


def _size(path: Path) -> Size:
    """Size and time of the last change; nothing of a file that is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorkError(f"the reason cannot be written: {error.strerror}", str(path), "let this user write to the folder") from error

"""Which release this is, and which releases' data folders and settings it can go on with: all older ones, and the next minor one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import SettingsError, WorkError

FILE: Final = "release.json"


class Release(NamedTuple):
    """A minor version; patches change no format."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def goes_on_with(self, other: Release) -> bool:
        """Whether what the other release wrote can be read and continued.

        >>> [Release(1, 2).goes_on_with(Release(*other)) for other in ((0, 9), (1, 3), (1, 4), (2, 0))]
        [True, True, False, False]
        """
        return other <= self or (other.major == self.major and other.minor == self.minor + 1)


RELEASE: Final = Release(0, 1)
"""Of this program; a test holds it against the distribution's version."""


def parsed(text: object) -> Release | None:
    """A release from its text; None if it is none."""
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})(\.\d{1,3})?", text) if isinstance(text, str) else None
    return Release(int(found[1]), int(found[2])) if found else None


def written_by(data: Path) -> Release | None:
    """The newest release that ever worked on a data folder; None for a new folder or one from before such marks."""
    try:
        return parsed(json.loads((data / FILE).read_text(encoding="utf-8")).get("newest"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError) as error:
        raise WorkError("the mark of the release cannot be read", str(data / FILE), "remove this one file: it is made again") from error


def admitted(data: Path) -> None:
    """Go on only with a folder that this release understands.

    Raises
    ------
    SettingsError
        A release wrote it that is more than one minor version ahead.
    """
    found = written_by(data)
    if found and not RELEASE.goes_on_with(found):
        next_one = Release(RELEASE.major, RELEASE.minor + 1)
        what = f"此数据文件夹由更新的 lanbi {found} 写过 this data folder was written by lanbi {found}; {RELEASE} goes on with {next_one} at most"
        raise SettingsError(
            what, str(data), f"install lanbi {Release(found.major, max(found.minor - 1, 0))} or newer, or restore a backup of {RELEASE}: docs/upgrade.md"
        )


def marked(data: Path) -> None:
    """Say in the folder that this release works on it; the newest one stays named."""
    newest = max(RELEASE, written_by(data) or RELEASE)
    text = json.dumps({"newest": str(newest), "last": str(RELEASE)}) + "\n"
    path = data / FILE
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{FILE}.new")
    try:
        data.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise WorkError(f"the data folder cannot be written: {error.strerror}", str(data), "name a data folder that this user may write to") from error

"""Root types a command on a data folder of another user: it is carried out as that user.

Whatever root wrote there (an entry of the journal, a password, a database) lanbi's own user could neither read nor go on with, and a check
that may read everything says nothing about what lanbi may. Only to signal Mosquitto root is root once more (:func:`root_again`).
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from domain.errors import SettingsError

NEEDED: Final = (__file__, os.__file__)
"""What a command still wants to read: lanbi, and Python itself."""
SAVED: Final = 2
"""Place of the saved id in ``getresuid``: what this process may become again."""


def as_owner(data: Path) -> None:
    """Go on as the folder's owner, and say so; nothing for whoever is not root, and where the folder is root's or not there yet.

    Raises
    ------
    SettingsError
        The owner may not read lanbi itself, so not a step could be gone.
    """
    if os.geteuid() or not data.is_dir() or not (told := data.stat()).st_uid:
        return
    try:
        name = pwd.getpwuid(told.st_uid).pw_name
        os.initgroups(name, told.st_gid)
    except KeyError:  # a user of a container
        name = str(told.st_uid)
        os.setgroups([told.st_gid])
    os.setresgid(told.st_gid, told.st_gid, 0)
    os.setresuid(told.st_uid, told.st_uid, 0)
    if shut := [one for one in NEEDED if not os.access(one, os.R_OK)]:
        os.seteuid(0)  # or not even the error could be told
        raise SettingsError(f"{name}, who owns the data folder, may not read lanbi's files", shut[0], "install lanbi where every user may read it (umask 022)")
    sys.stderr.write(f"以数据文件夹主人 {name} 的身份执行 carried out as {name}, who owns the data folder\n")


@contextmanager
def root_again() -> Iterator[None]:
    """Root for a moment, if it was root who typed the command."""
    own = os.geteuid()
    if os.getresuid()[SAVED] == 0:
        os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(own)

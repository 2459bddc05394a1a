"""One backup as one encrypted file, to be carried away: a tar archive in age's format, for the holders of given keys alone.

``age`` (or ``rage``) opens it on any machine; lanbi speaks it through pyrage and nowhere else.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyrage

from domain.errors import FileError, InputError, WorkError
from lanbi.vault import MARK, Backup, Vault

TODO_KEY = "lanbi backup key -o FILE makes a key and prints its recipient (age1…)"


def new_key(path: Path) -> str:
    """Make a key in a file of mode 600; what is told is its public half."""
    identity = pyrage.x25519.Identity.generate()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"the file cannot be made: {error.strerror}", str(path), "name a file that is not there yet") from error
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def seal(vault: Vault, backup: Backup, path: Path, recipients: Sequence[str]) -> int:
    """Write the archive; its size [bytes].

    Raises
    ------
    InputError
        A recipient is none, or the file is there already.
    FileError
        A content of the backup is damaged: a damaged archive would be found when it is needed.
    """
    if not recipients:
        raise InputError("nobody could open the archive", "--recipient", TODO_KEY)
    try:
        keys = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError as error:
        raise InputError("not a recipient", "--recipient", TODO_KEY) from error
    if path.exists():
        raise InputError("the file is there already", str(path), "name another, or remove it")
    if faults := list(vault.faults(backup)):
        raise FileError(f"the backup is damaged: {faults[0]}", str(vault.folder), "lanbi backup verify")
    draft = path.with_name(f"{path.name}.new")
    try:
        # Compressed already, most of it; and a stream would need both ends in one process.
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".sealing-") as plain:
            _packed(vault, backup, plain.name)
            pyrage.encrypt_file(plain.name, str(draft), keys)
        draft.chmod(0o600)
        draft.replace(path)
    except OSError as error:
        raise WorkError(f"the archive cannot be written: {error.strerror}", str(error.filename or path), "check room and permissions") from error
    finally:
        draft.unlink(missing_ok=True)
    return path.stat().st_size


def _packed(vault: Vault, backup: Backup, plain: str) -> None:
    with tarfile.open(plain, mode="w") as tar:
        tar.add(vault.folder / MARK, MARK)
        tar.add(vault.folder / "backups" / backup.name, f"backups/{backup.name}")
        for digest in sorted({one.digest for one in backup.files}):
            tar.add(vault.object(digest), f"objects/{digest[:2]}/{digest}")


def unseal(archive: Path, identity: Path, target: Path) -> str:
    """Open an archive into an empty folder, which then is a folder of backups; the backup's name.

    Raises
    ------
    FileError
        The archive is damaged, or the key does not open it.
    """
    if target.exists() and any(target.iterdir()):
        raise InputError("the folder is not empty", str(target), "name a new one")
    try:
        lines = [line for line in identity.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except (OSError, ValueError, pyrage.IdentityError) as error:
        raise FileError("this is no key", str(identity), TODO_KEY) from error
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".opening-") as plain:
            pyrage.decrypt_file(str(archive), plain.name, keys)
            with tarfile.open(plain.name) as tar:
                tar.extractall(target, filter="data")
    except pyrage.DecryptError as error:
        raise FileError(
            "the archive cannot be opened: it is damaged, or this key is not its", str(archive), "name the key whose recipient it was made for"
        ) from error
    except (OSError, tarfile.TarError) as error:
        raise FileError(f"the archive cannot be opened: {error}", str(archive), "check the file; take an earlier one") from error
    return Vault(target).read().name

"""The files of a real Mosquitto: who may log in, who may say what; written whole, read again by signal, the clear text once."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.errors import InputError, WorkError
from domain.places import Registry
from lanbi import mosquitto
from lanbi.folders import made
from lanbi.journal_files import hold
from lanbi.mosquitto import Logins
from lanbi.ownership import root_again
from lanbi.settings import Settings
from lanbi.settings_keys import DEFAULT_INGEST

READABLE: Final = 0o640
"""Mosquitto reads them through the folder's group."""
SECRET: Final = 0o600
START_TODO: Final = "start Mosquitto, which reads them then (mosquitto -d -c mosquitto.conf, or systemctl start mosquitto); --no-reload asks for nothing"
SIGNAL_TODO: Final = "run as root, or let somebody who may do so: systemctl reload mosquitto"


def logins(settings: Settings) -> Logins:
    """Logins of lanbi itself: one an ingest, because one name is one client id, and one that only looks."""
    own = settings.broker.username
    number, _, count = settings.ingest.instance.partition("/")
    names = [DEFAULT_INGEST if one == 1 else f"{DEFAULT_INGEST}-{one}" for one in range(1, int(count) + 1)]
    ingests = tuple(names) if names[int(number) - 1] == own else (own,)
    return Logins(ingests, f"{names[0] if own in names else own}-probe")


@dataclass(frozen=True)
class Kept:
    """A password that was made: for whom, and the file that holds it in clear, to be carried to the device and removed."""

    name: str
    file: Path


@dataclass(frozen=True)
class BrokerFiles:
    """The files behind one set of settings; ``day`` is today's civil day."""

    settings: Settings
    registry: Registry
    day: int

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.settings.broker.folder

    def admitted(self) -> list[str]:
        """Devices that are let in: registered, not retired, not revoked."""
        revoked = self.revoked()
        return [name for name, device in self.registry.devices.items() if device.state.on(self.day) != "retired" and name not in revoked]

    def revoked(self) -> set[str]:
        """Devices whose access was taken away."""
        return {line.partition(" ")[0] for line in _text(self.folder / "revoked").splitlines() if line}

    def users(self) -> dict[str, str]:
        """User → hash, as Mosquitto knows them."""
        return mosquitto.passwords(_text(self.folder / "passwd"))

    def access_list(self) -> str:
        """The access list of now."""
        foreign = {name: device.topics for name, device in self.registry.devices.items()}
        return mosquitto.access_list(logins(self.settings), self.admitted(), self.registry.version, foreign)

    def write_access_list(self) -> Path:
        """Put it where Mosquitto reads it."""
        return _put(self.folder / "acl", self.access_list(), READABLE)

    def secret_of(self, name: str) -> Path:
        """The file that holds a login's password in clear."""
        found = logins(self.settings)
        if name == found.probe:
            return probe_file(self.settings)
        if name == self.settings.broker.username:
            return self.settings.broker.password_file or self.settings.data / "secrets" / "broker"
        kind = "brokers" if name in found.ingests else "devices"
        return self.settings.data / "secrets" / kind / name

    def give(self, names: Iterable[str], *, renew: bool) -> list[Kept]:
        """Make passwords for those who have none (with ``renew`` for all of them); the clear text is on disk before the hash.

        A device that was revoked and is named here is let in again.
        """
        users, wanted = self.users(), list(names)
        made_ = []
        for name in wanted:
            if name in users and not renew:
                continue
            password = secrets.token_urlsafe(24)
            made_.append(Kept(name, _put(self.secret_of(name), password + "\n", SECRET)))
            users[name] = mosquitto.hashed(password, secrets.token_bytes(mosquitto.SALT_BYTES))
        back = self.revoked() & set(wanted)
        if back:
            self._revoke(self.revoked() - back)
        _put(self.folder / "passwd", mosquitto.password_file(users), READABLE)
        self.write_access_list()
        return made_

    def revoke(self, device: str) -> None:
        """Take a device's login and rights away, for as long as nobody gives it a new password by name."""
        users = self.users()
        users.pop(device, None)
        self._revoke(self.revoked() | {device})
        _put(self.folder / "passwd", mosquitto.password_file(users), READABLE)
        self.write_access_list()

    def _revoke(self, names: set[str]) -> None:
        _put(self.folder / "revoked", "".join(f"{name}\n" for name in sorted(names)), READABLE)

    def device(self, name: str) -> str:
        """The name, if a device of the registry bears it.

        Raises
        ------
        InputError
            None does.
        """
        if name not in self.registry.devices:
            raise InputError(f"no device {name!r} in the registry", "DEVICE", "`lanbi registry` and the registry's file show the ids")
        return name

    def foreign(self, name: str) -> str:
        """The name, if it may be revoked: a registered device, or whoever else has a login and is not lanbi.

        Raises
        ------
        InputError
            It is nobody's name, or one of lanbi's own.
        """
        own = logins(self.settings)
        if name in {*own.ingests, own.probe}:
            raise InputError(f"{name} is lanbi's own login", "DEVICE", "give it a new password instead: lanbi broker passwd --ingest --renew")
        return mosquitto.checked(name, "DEVICE") if name in self.users() else self.device(name)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one at a time changes the files.

    Raises
    ------
    DataFolderBusy
        Another one does.
    """
    handle = hold(made(folder) / "lock", "another `lanbi broker` changes these files")
    try:
        yield
    finally:
        os.close(handle)


def probe_file(settings: Settings) -> Path:
    """The file of the self-test's password."""
    return settings.data / "secrets" / "broker-probe"


def reload(pid_file: Path) -> int:
    """Make Mosquitto read its files again; it also ends the sessions of those who are no longer let in. Returns its process id.

    Raises
    ------
    WorkError
        There is no such process, or we may not signal it; the files stand, and Mosquitto does not know them yet.
    """
    with root_again():
        return _told(pid_file)


def _told(pid_file: Path) -> int:
    try:
        pid = int(pid_file.read_text(encoding="ascii").strip())
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise WorkError(
            "Mosquitto was not told to read its files again: no running process behind its pid file", f"broker.pid_file = {pid_file}", START_TODO
        ) from error
    if name != "mosquitto":
        raise WorkError(f"Mosquitto was not told to read its files again: process {pid} is {name}", f"broker.pid_file = {pid_file}", SIGNAL_TODO)
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise WorkError(f"Mosquitto was not told to read its files again: {error.strerror}", f"process {pid}", SIGNAL_TODO) from error
    return pid


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise WorkError(f"the file cannot be read: {error}", str(path), "run as the user who made it, or as root") from error


def _put(path: Path, text: str, mode: int) -> Path:
    """Replace a file whole, never readable for more than it should be, also not for a moment."""
    draft = made(path.parent) / f".{path.name}.new"
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            os.fchmod(handle, mode)  # whatever the umask
            out.write(text)
            out.flush()
            os.fsync(handle)
        draft.replace(path)
    except OSError as error:
        raise WorkError(f"the file cannot be written: {error.strerror}", str(path), "run as a user who may write there") from error
    return path

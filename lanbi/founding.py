"""What ``lanbi init`` writes: the files of a working lanbi, all of them or none, none of them over another.

Templates lie in ``deploy/``, beside the packages in the clone and in the wheel, so that what is shipped, what is tested and what is
written here is one text.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import InputError, WorkError
from lanbi.registry_checks import ID
from lanbi.release import RELEASE
from lanbi.settings_rules import address, beyond, url

OPEN: Final = 0o640
SECRET: Final = 0o600
SYSTEM: Final = "system"
OWN: Final = "own"
LONGEST_ID: Final = 28
"""The begun registry makes ids of places out of it."""
FIRST: Final = "first-admin"
"""File of the first administrator's password, in the secrets folder."""
PROBE_KEY: Final = "health-key"
"""File of the key with which ``lanbi check --live`` asks the API how it is."""


@dataclass(frozen=True)
class Wish:
    """What is to be written.

    Attributes
    ----------
    folder, data : Path
        Of the settings, and of journal, store and secrets; absolute.
    county, name : str
        Id and name of the county.
    registry, plan : Path or None
        Files that are there already, instead of beginnings of both.
    store, store_url : str
        ``embedded`` or ``influx``, and where InfluxDB listens.
    broker_port : int
        Of the listener on 127.0.0.1.
    mosquitto : str
        ``system``: Debian's places; ``own``: everything below the data folder, for a Mosquitto that this user starts.
    http : str
        Where board and API listen.
    names : tuple of str
        Host names of the board behind a proxy.
    horizon : int
        Year with which the begun plan ends.
    """

    folder: Path
    data: Path
    county: str
    name: str
    registry: Path | None = None
    plan: Path | None = None
    store: str = "embedded"
    store_url: str = "http://127.0.0.1:8086"
    broker_port: int = 1883
    mosquitto: str = SYSTEM
    http: str = "127.0.0.1:8080"
    names: tuple[str, ...] = ()
    horizon: int = 2030

    @property
    def broker(self) -> Path:
        """Folder of the files that Mosquitto reads. Debian's runs as a user of its own, who must not look into the data folder: beside it."""
        return self.data / "broker" if self.mosquitto == OWN else self.data.with_name(f"{self.data.name}-broker")


class New(NamedTuple):
    """A file to be made."""

    path: Path
    text: str
    mode: int


def templates() -> Path:
    """The folder ``deploy``: in the clone, or beside the installed packages."""
    return Path(__file__).resolve().parent.parent / "deploy"


def checked(wish: Wish) -> Wish:
    """The wish, if it can be fulfilled.

    Raises
    ------
    InputError
        An id that is none, a name that is empty, an address that others reach.
    """
    if not ID.fullmatch(wish.county) or len(wish.county) > LONGEST_ID:
        raise InputError(f"not an id: {wish.county[:80]!r}", "--county-id", f"write 1 to {LONGEST_ID} letters, digits, _ or -, for example cp")
    if not wish.name.strip() or not wish.name.isprintable() or '"' in wish.name or "\\" in wish.name:
        raise InputError(f"not a name: {wish.name[:80]!r}", "--county-name", "write the county's name, without quotes")
    wrong = address(wish.http) or url(("http", "https"), "store.token_file")(wish.store_url)
    if wrong:
        raise InputError(wrong, "--http, --store-url", "write for example 127.0.0.1:8080, http://127.0.0.1:8086")
    if beyond(wish.http):
        todo = "listen on 127.0.0.1 behind a proxy with TLS (deploy/proxy), or write cert_file and key_file into lanbi.toml afterwards"
        raise InputError(f"others would reach the board without TLS: {wish.http}", "--http", todo)
    return wish


def files(wish: Wish) -> list[New]:
    """All files but those that hold secrets, which are made afterwards."""
    found = [New(wish.folder / "mosquitto.conf", mosquitto_conf(wish), OPEN)]
    begun = {"@COUNTY_ID@": wish.county, "@COUNTY_NAME@": wish.name, "@HORIZON@": str(wish.horizon)}
    if wish.registry is None:
        found.append(New(wish.folder / "county.toml", _filled("county.toml", begun), OPEN))
    if wish.plan is None:
        found.append(New(wish.folder / "plan.toml", _filled("plan.toml", begun), OPEN))
    # Last: where it stands, everything that it names stands too.
    return [*found, New(wish.folder / "lanbi.toml", settings_text(wish), OPEN)]


def settings_text(wish: Wish) -> str:
    """The settings file."""
    secret = wish.data / "secrets"
    own = wish.mosquitto == OWN
    tables: dict[str, dict[str, object]] = {
        "": {
            "release": RELEASE,
            "data": wish.data,
            "county": wish.registry or wish.folder / "county.toml",
            "targets": [str(wish.plan or wish.folder / "plan.toml")],
        },
        "broker": {
            "url": f"mqtt://127.0.0.1:{wish.broker_port}",
            "password_file": secret / "broker",
            "folder": wish.broker,
            **({"pid_file": wish.data / "mosquitto" / "mosquitto.pid"} if own else {}),
            "queue_bytes": "400MB",
        },
        "store": {"kind": wish.store},
        "http": {"listen": wish.http, "login": "on", "names": list(wish.names), "webhook_secret_file": secret / "webhook"},
    }
    if wish.store == "influx":
        tables["store"] |= {"url": wish.store_url, "token_file": secret / "influx-write", "read_token_file": secret / "influx-read"}
    if not wish.names:
        del tables["http"]["names"]
    head = "# 由 lanbi init 写成，可以修改；每个键的说明：lanbi check --explain，或 docs/settings.md\n# Written by `lanbi init`, to be edited.\n"
    return head + "".join(_table(name, keys) for name, keys in tables.items())


def _table(name: str, keys: dict[str, object]) -> str:
    lines = [f"{key} = {json.dumps(value if isinstance(value, list) else str(value), ensure_ascii=False)}" for key, value in keys.items()]
    return "\n".join([*([f"\n[{name}]"] if name else []), *lines, ""])


def mosquitto_conf(wish: Wish) -> str:
    """The shipped configuration with this machine's folders and port."""
    text = (templates() / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("/var/lib/lanbi-broker", str(wish.broker)).replace("listener 1883 127.0.0.1", f"listener {wish.broker_port} 127.0.0.1")
    if wish.mosquitto == SYSTEM:
        return text
    own = wish.data / "mosquitto"
    text = text.replace("/run/mosquitto/mosquitto.pid", f"{own}/mosquitto.pid").replace("/var/lib/mosquitto/", f"{own}/")
    # Who starts it himself reads its log, and stays who he is.
    text = text.replace("log_dest syslog", f"log_dest file {own}/mosquitto.log")
    kept = [line for line in text.splitlines() if not line.startswith(("user ", "include_dir "))]
    return "\n".join([*kept, *(["user root"] if os.geteuid() == 0 else [])]) + "\n"


def _filled(name: str, words: dict[str, str]) -> str:
    text = (templates() / "init" / name).read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


@contextmanager
def founded(wish: Wish) -> Iterator[None]:
    """Write the files; what happens inside is part of it: if it fails, all that was made is taken away again.

    Raises
    ------
    InputError
        A file that would be written is there already; nothing was changed.
    WorkError
        A file cannot be written.
    """
    new = files(wish)
    folders = (wish.data, wish.broker)
    there = [str(path) for path in [*(one.path for one in new), *folders] if path.exists() and (path not in folders or any(path.iterdir()))]
    if there:
        raise InputError(f"there already: {', '.join(there)}", "--to, --data", "lanbi init overwrites nothing: name empty folders, or remove these first")
    made: list[Path] = []
    try:
        for folder, mode in ((wish.folder, 0o750), (wish.data, 0o750), (wish.data / "secrets", 0o700), (wish.broker, 0o2750), *_own(wish)):
            _folder(folder, mode, made)
        for one in new:
            written(one)
            made.append(one.path)
        written(New(wish.data / "secrets" / "webhook", secrets.token_urlsafe(48) + "\n", SECRET))
        yield
    except BaseException as error:
        _undone(made, wish)
        if isinstance(error, OSError):
            raise WorkError(f"the file cannot be written: {error.strerror}", str(error.filename), "name folders that this user may write to") from error
        raise


def _own(wish: Wish) -> list[tuple[Path, int]]:
    return [(wish.data / "mosquitto", 0o750)] if wish.mosquitto == OWN else []


def _folder(path: Path, mode: int, made: list[Path]) -> None:
    new = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True)
    made += reversed(new)
    if new:
        path.chmod(mode)


def written(one: New) -> None:
    """Make a file that is not there, with its mode from the first moment."""
    handle = os.open(one.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, one.mode)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        os.fchmod(handle, one.mode)  # whatever the umask
        out.write(one.text)
        out.flush()
        os.fsync(handle)


def _undone(made: list[Path], wish: Wish) -> None:
    """Take away what was made: files of ours, what lies in the folders of data and broker, which were empty, then folders that are empty again."""
    inside = sorted({*wish.data.rglob("*"), *wish.broker.rglob("*")}, reverse=True)
    for path in [*inside, *reversed(made)]:
        take: Callable[[], None] = path.rmdir if path.is_dir() and not path.is_symlink() else lambda path=path: path.unlink(missing_ok=True)  # type: ignore[misc]
        try:
            take()
        except OSError:  # a folder that holds what is not ours stays
            continue


def given_to(user: str, wish: Wish) -> None:
    """Let the service's user own settings and data; Mosquitto's group reads the broker's files.

    Raises
    ------
    InputError
        No such user, or a folder that Mosquitto's user cannot come to.
    """
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise InputError(f"no such user: {user}", "--user", f"adduser --system --group {user}") from None
    for path in (wish.folder, *wish.folder.rglob("*"), wish.data, *wish.data.rglob("*")):
        os.chown(path, found.pw_uid, found.pw_gid)
    if shared(wish, found.pw_uid, found.pw_gid):
        _reached(wish.broker)


def shared(wish: Wish, uid: int, gid: int) -> bool:
    """Let the group of Debian's Mosquitto read the broker's files; whether there is such a group, and it is asked for."""
    try:
        group = grp.getgrnam("mosquitto").gr_gid if wish.mosquitto == SYSTEM else gid
    except KeyError:
        group = gid
    for path in (wish.broker, *wish.broker.iterdir()):
        os.chown(path, uid, group)
    wish.broker.chmod(0o2750)  # a change of owner takes the bit away
    return group != gid


def _reached(broker: Path) -> None:
    """Mosquitto gives root up before it reads its files: every folder above them must let others pass."""
    shut = [str(one) for one in broker.parents if not one.stat().st_mode & 0o001]
    if shut:
        raise InputError(f"Mosquitto's user cannot pass through {', '.join(shut)}", "--data", "name a data folder such as /var/lib/lanbi")

"""``lanbi backup``: everything that a disaster must not take, while everything runs.

The order is the whole consistency of it: first ``state.db``, then the store, then the accounts and the registry, last the journal.
So the cursor never speaks of what the store lacks, and the store never shows what no record explains: what came in meanwhile lies
in the journal behind the cursor, and is forwarded once more after a restore.

Secrets are not in it: passwords and tokens that a backup holds are passwords and tokens that a backup loses. What the broker knows
(salted hashes) is, so that devices keep their passwords.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from domain.civil import iso
from domain.errors import SettingsError, WorkError
from domain.ports import Clock
from lanbi.broker import EMBEDDED
from lanbi.embedded_schema import copy_of
from lanbi.frames import DOORS
from lanbi.influx_backup import InfluxBackup
from lanbi.influx_setup import OPERATOR
from lanbi.journal_bytes import files, parity_path, sealed_path
from lanbi.journal_files import durable_end, read_tip
from lanbi.journal_removal import GONE_SUFFIX
from lanbi.metrics import write_status
from lanbi.seals import SEAL_SUFFIX, seal_path
from lanbi.secret import read_secret
from lanbi.settings import Settings
from lanbi.vault import Backup, Held, Vault
from lanbi.versions import ours

NS: Final = 10**9
STATUS: Final = "run/backup.json"
"""When the last backup was taken, for `lanbi check --live`."""
INFLUX: Final = "influx"
SETTINGS: Final = "settings"
"""Folders of a backup beside those of the data folder."""
BROKER: Final = ("passwd", "acl", "revoked")


class Taken(NamedTuple):
    """What a backup came to: its name, files, their bytes, and the bytes that were new."""

    name: str
    files: int
    size: int
    fresh: int


class Backing:
    """One backup in the making."""

    def __init__(self, settings: Settings, vault: Vault, clock: Clock, operator: Path | None = None) -> None:
        self.settings, self.vault, self.clock = settings, vault, clock
        self.operator = operator or settings.data / "secrets" / OPERATOR
        self.begun = clock.now_ns() // NS
        names = vault.names()
        # A sealed file never changes: the same name, size and time as in the newest list is the same content, and a year is not read each night.
        self.known: Mapping[str, Held] = {one.path: one for one in vault.read(names[-1]).files} if names else {}
        self.files: list[Held] = []
        self.fresh = 0

    def run(self, say: Callable[[str], None]) -> Taken:
        """Take it.

        Raises
        ------
        WorkError
            Something cannot be read or written; the earlier backups are as they were.
        """
        with tempfile.TemporaryDirectory(prefix="taking-", dir=self.vault.folder) as made:
            draft = Path(made)
            steps: tuple[tuple[str, Callable[[], None]], ...] = (
                ("state.db", lambda: self._database("state.db", draft)),
                ("存储 store", lambda: self._store(draft)),
                ("账号 accounts", lambda: self._database("access.db", draft)),
                ("登记册、设置 registry, settings", self._words),
                ("日志 journal", self._journal),
            )
            for words, step in steps:
                step()
                say(f"{words}: {len(self.files)} 个文件 files")
        about = {"time": iso(self.begun), "store": self.settings.store.kind, "versions": ours(), "data": str(self.settings.data)}
        name = f"{datetime.fromtimestamp(self.begun, UTC):%Y-%m-%dT%H%M%SZ}"
        self.vault.write(Backup(name, about, tuple(self.files)))
        write_status(self.settings.data / STATUS, {"name": name, "folder": str(self.vault.folder)})
        return Taken(name, len(self.files), sum(one.size for one in self.files), self.fresh)

    def _keep(self, path: Path, name: str, end: int | None = None, *, fixed: bool = False) -> None:
        told = path.stat()
        before = self.known.get(name)
        if fixed and before and (before.size, before.stamp) == (told.st_size, told.st_mtime_ns) and self.vault.object(before.digest).exists():
            self.files.append(before)
            return
        there = {one.digest for one in self.files} | {one.digest for one in self.known.values()}
        size, digest = self.vault.put(path, end)
        self.fresh += 0 if digest in there else size
        self.files.append(Held(name, size, digest, stat.S_IMODE(told.st_mode), told.st_mtime_ns))

    def _database(self, name: str, draft: Path) -> None:
        source = self.settings.data / name
        if source.exists():
            copy_of(source, draft / name)
            (draft / name).chmod(stat.S_IMODE(source.stat().st_mode))
            self._keep(draft / name, name)
            (draft / name).unlink()

    def _store(self, draft: Path) -> None:
        if self.settings.store.kind == "embedded":
            self._database("store.db", draft)
            return
        try:
            token = read_secret(self.operator, "--operator-token-file").reveal()
        except SettingsError as error:
            raise SettingsError(error.what, str(self.operator), "name the file of InfluxDB's operator token: --operator-token-file FILE") from error
        folder = draft / INFLUX
        InfluxBackup(self.settings.store.url.rstrip("/"), token).take(folder)
        for path in sorted(folder.iterdir()):
            self._keep(path, f"{INFLUX}/{path.name}")
        shutil.rmtree(folder)

    def _words(self) -> None:
        data, chosen = self.settings.data, self.settings
        for path in sorted((data / "registry").rglob("*")):
            if path.is_file():
                self._keep(path, path.relative_to(data).as_posix())
        named = [("lanbi.toml", chosen.file), ("county.toml", chosen.county), *((f"plan-{number}.toml", path) for number, path in enumerate(chosen.targets, 1))]
        if chosen.file:  # what `lanbi init` wrote beside it
            named.append(("mosquitto.conf", chosen.file.with_name("mosquitto.conf")))
        for name, chosen_one in named:
            if chosen_one and chosen_one.exists():
                self._keep(chosen_one, f"{SETTINGS}/{name}")
        for name in BROKER if chosen.broker.url != EMBEDDED else ():
            if (chosen.broker.folder / name).exists():
                self._keep(chosen.broker.folder / name, f"{SETTINGS}/broker/{name}")

    def _journal(self) -> None:
        folder = self.settings.data / "journal"
        for writer in (one for one in DOORS if (folder / one).is_dir()):
            for path in files(folder, writer):
                self._day(folder, writer, path)
            # Seals whose days were moved or removed still prove what they were.
            kept = {one.path for one in self.files}
            alone = [path for suffix in (SEAL_SUFFIX, GONE_SUFFIX) for path in sorted((folder / writer).glob(f"*{suffix}"))]
            for path in alone:
                if (name := f"journal/{writer}/{path.name}") not in kept:
                    self._keep(path, name, fixed=True)

    def _day(self, folder: Path, writer: str, path: Path) -> None:
        """A day, plain or sealed; it may be sealed at this moment, and then is looked at once more."""
        for _ in range(2):
            try:
                if self._file(folder, writer, path):
                    return
            except FileNotFoundError:
                continue
        raise WorkError("a day of the journal is not where it should be", str(path), "lanbi journal info; mount the archive, then back up again")

    def _file(self, folder: Path, writer: str, path: Path) -> bool:
        """A plain file up to its last commit; a sealed one with parity and seal, from the archive too. False if it was sealed meanwhile."""
        if path.exists():
            self._keep(path, f"journal/{writer}/{path.name}", durable_end(path, read_tip(folder, writer)))
            return True
        parts = [part for part in (sealed_path(path), parity_path(path), seal_path(path)) if part.exists()]
        for part in parts:
            self._keep(part, f"journal/{writer}/{part.name}", fixed=True)
        return sealed_path(path) in parts


def about(backup: Backup) -> Iterator[str]:
    """A backup in lines, for people."""
    size = sum(one.size for one in backup.files)
    yield f"{backup.name}: {len(backup.files)} 个文件 files, {size / 1e6:.1f} MB, 存储 store {backup.about.get('store')}, lanbi {backup.about.get('versions', {}).get('lanbi')}"

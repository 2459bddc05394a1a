"""Backups: what is kept and in which order, once; what a death, damage or a full disk does; and what comes back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lanbi import backing
from lanbi.backing import Backing
from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.embedded import EmbeddedStore
from lanbi.settings import Settings, load
from lanbi.state import State
from lanbi.vault import Vault
from tests.lanbi.sealed_house import everything, flip, journalled, seal_all


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """An installation with a sealed and an open journal day, a state and a store."""
    assert 0 == main(["init", "--to", str(tmp_path / "etc"), "--county-id", "cp", "--county-name", "某区"])
    settings = load(str(tmp_path / "etc" / "lanbi.toml"), {})
    journalled(settings.data / "journal", 3)
    seal_all(settings.data / "journal")
    State(settings.data).close()
    EmbeddedStore(settings.data / "store.db").close()
    return settings


@pytest.fixture
def vault(house: Settings, tmp_path: Path) -> Path:
    """A folder with one backup of it."""
    assert 0 == main(["backup", "--to", str(tmp_path / "vault"), "--config", str(house.file)])
    return tmp_path / "vault"


def test_order_of_a_backup(house: Settings, vault: Path) -> None:
    """The state before the store, the journal last: the cursor never speaks of what the others lack."""
    names = [one.path for one in Vault(vault).read().files]
    first = {
        kind: next(place for place, name in enumerate(names) if name.startswith(kind))
        for kind in ("state.db", "store.db", "access.db", "settings/", "journal/")
    }

    assert sorted(first.values()) == list(first.values())
    assert all(name.startswith("journal/") for name in names[first["journal/"] :])


def test_no_secret_is_kept(house: Settings, vault: Path) -> None:
    """Neither a file of a secret nor its content is anywhere in the backup; the broker's hashes are, so that devices keep their passwords."""
    secrets = [path.read_bytes().strip() for path in (house.data / "secrets").rglob("*") if path.is_file()]
    held = files_of(vault)
    names = {one.path for one in Vault(vault).read().files}

    assert secrets
    assert [] == [secret for secret in secrets if any(secret in content for content in held.values())]
    assert {"settings/lanbi.toml", "settings/county.toml", "settings/plan-1.toml", "settings/mosquitto.conf", "settings/broker/passwd"} <= names
    assert {0o700} == {path.stat().st_mode & 0o777 for path in (vault, vault / "objects", vault / "backups")}


def test_a_sealed_day_is_kept_once(house: Settings, vault: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second backup reads no sealed file again and adds only what changed; both can be verified."""
    before = files_of(vault)
    journalled(house.data / "journal", 1, seed=2, writer="import")
    read = []
    put = Vault.put

    def counted(self: Vault, source: Path, end: int | None = None) -> tuple[int, str]:
        read.append(source.name)
        return put(self, source, end)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Vault, "put", counted)
        patch.setattr(Backing, "run", later(Backing.run))
        assert 0 == main(["backup", "--to", str(vault), "--json", "--config", str(house.file)])
    after = files_of(vault)

    assert [] == [name for name in read if name.endswith((".gz", ".par", ".seal"))]
    assert before.items() <= after.items()
    new = [name for name in after if name not in before]
    assert [1, 2] == [len([name for name in new if name.startswith("backups/")]), len(Vault(vault).names())]
    assert 0 == main(["backup", "verify", "--from", str(vault)])


def later(run: Any) -> Any:
    """As if a second had passed: two backups of one second would have one name."""

    def ran(self: Backing, say: Any) -> Any:
        self.begun += 5
        return run(self, say)

    return ran


def test_the_open_day_ends_with_its_last_commit(house: Settings, vault: Path, tmp_path: Path) -> None:
    """Bytes behind the last trailer were never acknowledged and are not kept; what was committed comes back, record by record."""
    folder = house.data / "journal"
    newest = max((folder / "mqtt").glob("*.lbj"))
    whole = newest.stat().st_size
    with newest.open("ab") as file:
        file.write(b"torn tail of a commit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backing, "run", later(Backing.run))
        assert 0 == main(["backup", "--to", str(vault), "--config", str(house.file)])
    assert 0 == main(["restore", "--from", str(vault), "--to", str(tmp_path / "back")])

    assert whole == next(one.size for one in Vault(vault).read().files if one.path == f"journal/mqtt/{newest.name}")
    assert everything(folder) == everything(tmp_path / "back" / "journal")


def test_an_archived_day_comes_along(house: Settings, tmp_path: Path) -> None:
    """Days that were moved to another disk are links; what they lead to is kept, and comes back as a file."""
    from lanbi.journal_archive import archive
    from lanbi.journal_removal import Sealed
    from lanbi.seals import read_seal

    path = min((house.data / "journal" / "mqtt").glob("*.lbj.gz"))
    plain = path.with_name(path.name.removesuffix(".gz"))
    seal = read_seal(plain)
    assert seal
    archive(Sealed(plain, seal), tmp_path / "archive")
    assert path.is_symlink()
    assert 0 == main(["backup", "--to", str(tmp_path / "vault"), "--config", str(house.file)])
    assert 0 == main(["restore", "--from", str(tmp_path / "vault"), "--to", str(tmp_path / "back")])

    assert not (tmp_path / "back" / "journal" / "mqtt" / path.name).is_symlink()
    assert everything(house.data / "journal") == everything(tmp_path / "back" / "journal")


def test_damage_is_named_and_not_given_back(house: Settings, vault: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One flipped bit: verify names the file and exits 1; restore says so, exits 2 and leaves no folder."""
    one = next(one for one in Vault(vault).read().files if one.path.endswith(".lbj.gz"))
    flip(Vault(vault).object(one.digest), one.size // 2)

    assert 1 == main(["backup", "verify", "--from", str(vault)])
    assert one.path in capsys.readouterr().out
    assert 2 == main(["restore", "--from", str(vault), "--to", str(tmp_path / "back")])
    assert "damaged" in capsys.readouterr().err
    assert [] == list(tmp_path.glob("back*"))
    Vault(vault).object(one.digest).unlink()
    assert 1 == main(["backup", "verify", "--from", str(vault)])
    assert "missing" in capsys.readouterr().out


def test_a_damaged_list_is_told_and_the_earlier_one_serves(house: Settings, vault: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each list holds its own digest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backing, "run", later(Backing.run))
        assert 0 == main(["backup", "--to", str(vault), "--config", str(house.file)])
    first, second = Vault(vault).names()
    flip(vault / "backups" / second, 40)

    assert 2 == main(["restore", "--from", str(vault), "--to", str(tmp_path / "back")])
    assert first in capsys.readouterr().err
    assert 0 == main(["restore", "--from", str(vault), "--to", str(tmp_path / "back"), "--name", first])


def test_restore_overwrites_nothing(vault: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with anything in it is refused, and stays as it was."""
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "mine").write_text("x")

    assert 2 == main(["restore", "--from", str(vault), "--to", str(tmp_path / "back")])
    assert "not empty" in capsys.readouterr().err
    assert ["mine"] == [path.name for path in (tmp_path / "back").iterdir()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backup",), "--to is needed"),
        (("backup", "verify"), "--from is needed"),
        (("backup", "verify", "--from", "{none}"), "no backups lie here"),
        (("backup", "--to", "{etc}"), "holds other things"),
        (("backup", "seal", "--from", "{vault}", "-o", "{none}"), "nobody could open"),
        (("backup", "seal", "--from", "{vault}", "-o", "{none}", "--recipient", "age1nonsense"), "not a recipient"),
        (("restore", "--from", "{none}", "--to", "{back}"), "no backups lie here"),
        (("restore", "--from", "{vault}", "--to", "{back}", "--name", "yesterday"), "there is no backup yesterday"),
        (("restore", "--from", "{vault}", "--to", "{back}", "--store-url", "http://x"), "operator's token is needed"),
    ],
)
def test_wrong_words_change_nothing(
    house: Settings, vault: Path, tmp_path: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, in plain words, and no file made."""
    before = files_of(tmp_path)
    places = {"none": tmp_path / "none", "etc": tmp_path / "etc", "vault": vault, "back": tmp_path / "back"}
    config = ["--config", str(house.file)] if words[0] == "backup" else []

    assert 2 == main([*(word.format(**places) for word in words), *config])
    assert said in capsys.readouterr().err
    assert before == files_of(tmp_path)


@pytest.mark.parametrize("step", range(1, 12))
def test_a_death_leaves_the_earlier_backups(house: Settings, vault: Path, step: int) -> None:
    """Whichever write the second backup dies at, the first is whole, and the next one succeeds."""
    put, calls = Vault.put, iter(range(1, 100))

    def dying(self: Vault, source: Path, end: int | None = None) -> tuple[int, str]:
        if next(calls) == step:
            raise KeyboardInterrupt
        return put(self, source, end)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backing, "run", later(Backing.run))
        patch.setattr(Vault, "put", dying)
        died = main(["backup", "--to", str(vault), "--config", str(house.file)]) == 130
    assert died == (len(Vault(vault).names()) == 1)
    assert died or step > 8
    assert 0 == main(["backup", "verify", "--from", str(vault)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backing, "run", later(later(Backing.run)))
        assert 0 == main(["backup", "--to", str(vault), "--config", str(house.file)])
    assert [] == [path.name for path in vault.iterdir() if path.name.startswith("taking-")]


def test_a_list_cannot_lead_out_of_the_folder(vault: Path, tmp_path: Path) -> None:
    """A path with .. is refused: the list was not written by lanbi."""
    from lanbi.restoring import restore

    backup = Vault(vault).read()
    evil = backup._replace(files=(backup.files[0]._replace(path="../../evil"),))
    with pytest.raises(Exception, match="leads out"):
        restore(Vault(vault), evil, tmp_path / "back", None, lambda _: None)
    assert not (tmp_path / "evil").exists() and not (tmp_path.parent / "evil").exists()


def test_an_archive_opens_for_its_key_alone(vault: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sealed for one key: that key gives the same backup back, another gives a message; the archive shows nothing of what is in it."""
    keys = {name: tmp_path / name for name in ("ours", "theirs")}
    for path in keys.values():
        assert 0 == main(["backup", "key", "-o", str(path)])
        assert 0o600 == path.stat().st_mode & 0o777
    public = keys["ours"].read_text().split("public key: ")[1].split()[0]
    archive = tmp_path / "b.age"
    assert 0 == main(["backup", "seal", "--from", str(vault), "-o", str(archive), "--recipient", public])
    assert archive.read_bytes().startswith(b"age-encryption.org/v1")
    assert b"lanbi" not in archive.read_bytes()
    capsys.readouterr()

    assert 2 == main(["backup", "open", "--archive", str(archive), "--identity", str(keys["theirs"]), "--to", str(tmp_path / "no")])
    assert "this key is not its" in capsys.readouterr().err
    assert 0 == main(["backup", "open", "--archive", str(archive), "--identity", str(keys["ours"]), "--to", str(tmp_path / "yes")])
    assert 0 == main(["backup", "verify", "--from", str(tmp_path / "yes")])
    assert Vault(vault).read() == Vault(tmp_path / "yes").read()
    assert 2 == main(["backup", "seal", "--from", str(vault), "-o", str(archive), "--recipient", public])


def test_the_live_check_says_how_old_the_last_backup_is(house: Settings, tmp_path: Path) -> None:
    """Never: a note. Last night's: well. Older than two days: a fault."""
    from lanbi.live_backup import look

    assert ["note"] == [one.state for one in look(house)]
    assert 0 == main(["backup", "--to", str(tmp_path / "vault"), "--config", str(house.file)])
    assert ["ok"] == [one.state for one in look(house)]
    mark, old = house.data / backing.STATUS, SystemClock().now_ns() - 3 * 86_400 * 10**9
    os.utime(mark, ns=(old, old))
    assert ["fault"] == [one.state for one in look(house)]


def test_a_newer_vault_is_refused(vault: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A layout that this release does not know is not guessed at."""
    (vault / "lanbi-backup.json").write_text('{"version": 2}\n')

    assert 2 == main(["backup", "verify", "--from", str(vault)])
    assert "newer lanbi" in capsys.readouterr().err

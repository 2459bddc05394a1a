"""``lanbi init``: a configuration that works, secrets of its own, nothing overwritten, nothing left behind."""

from __future__ import annotations

import grp
import io
import json
import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from lanbi import founding
from lanbi.broker_files import BrokerFiles
from lanbi.cli import main
from lanbi.settings import load

WORDS = ("--county-id", "cp", "--county-name", "某区")


def init(folder: Path, *more: str) -> int:
    """The command, in a folder."""
    return main(["init", "--to", str(folder), *WORDS, *more])


def test_what_is_written_is_well_and_private(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`lanbi check` finds nothing, secrets are for the owner alone and never shown, and every address is this machine's."""
    folder = tmp_path / "etc"
    assert 0 == init(folder)
    said = capsys.readouterr().out
    assert 0 == main(["check", "--json", "--config", str(folder / "lanbi.toml")])
    assert json.loads(capsys.readouterr().out)["ok"]

    secrets = [path for path in (folder / "var" / "secrets").rglob("*") if path.is_file()]
    assert {"broker", "broker-probe", "webhook", "first-admin", "health-key", "cp-d01", "cp-d02"} == {path.name for path in secrets}
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in secrets}
    assert [] == [path.name for path in secrets if path.read_text().strip() in said]
    assert len(secrets) == len({path.read_text() for path in secrets})
    settings = load(str(folder / "lanbi.toml"), {})
    assert ("127.0.0.1:8080", "on", "mqtt://127.0.0.1:1883") == (settings.http.listen, settings.http.login, settings.broker.url)


def test_the_broker_it_configures_is_closed(tmp_path: Path) -> None:
    """Mosquitto's file names the generated password and access files and listens on 127.0.0.1."""
    assert 0 == init(tmp_path / "etc", "--mosquitto", "own", "--broker-port", "18830")
    lines = (tmp_path / "etc" / "mosquitto.conf").read_text().splitlines()
    broker = tmp_path / "etc" / "var" / "broker"

    assert ["listener 18830 127.0.0.1"] == [line for line in lines if line.startswith("listener ")]
    assert {"allow_anonymous false", f"password_file {broker}/passwd", f"acl_file {broker}/acl", "use_username_as_clientid true"} <= set(lines)
    assert (broker / "passwd").read_text().count("$7$") == 4
    settings = load(str(tmp_path / "etc" / "lanbi.toml"), {})
    assert settings.broker.pid_file == tmp_path / "etc" / "var" / "mosquitto" / "mosquitto.pid"


@pytest.mark.skipif(os.geteuid() != 0 or "mosquitto" not in [one.gr_name for one in grp.getgrall()], reason="needs root, and Debian's Mosquitto")
def test_debians_mosquitto_reads_its_files_and_nothing_else() -> None:
    """It gives root up before it opens them; the data folder, where journal and accounts lie, stays closed to it."""
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        base.chmod(0o755)
        assert 0 == init(base / "etc", "--data", str(base / "data"), "--mosquitto", "system", "--user", "nobody")
        named = [
            Path(line.split()[1]) for line in (base / "etc" / "mosquitto.conf").read_text().splitlines() if line.startswith(("password_file ", "acl_file "))
        ]

        def read(path: Path) -> bool:
            return 0 == subprocess.run(["cat", path], user="mosquitto", group="mosquitto", extra_groups=[], capture_output=True, check=False).returncode

        assert [True, True] == [read(path) for path in named]
        assert not read(base / "data" / "access.db")
        assert load(str(base / "etc" / "lanbi.toml"), {}).broker.folder == named[0].parent


@pytest.mark.skipif(os.geteuid() != 0 or "mosquitto" not in [one.gr_name for one in grp.getgrall()], reason="needs root, and Debian's Mosquitto")
def test_a_folder_that_mosquitto_cannot_come_to_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything runs, with nothing left behind: pytest's folders are closed to others, as the settings' folder is."""
    assert 2 == init(tmp_path / "etc", "--mosquitto", "system", "--user", "nobody")
    assert "cannot pass through" in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    """Everything that lets somebody in is drawn anew: there is no default."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        assert 0 == init(folder)
    texts = [{path.read_text() for path in (folder / "var" / "secrets").rglob("*") if path.is_file()} for folder in folders]

    assert set() == texts[0] & texts[1]


@pytest.mark.parametrize("there", ["lanbi.toml", "county.toml", "var/journal/mqtt/x.lbj"])
def test_nothing_is_overwritten(tmp_path: Path, there: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With one of its files there already, or anything in the data folder: exit 2, the file named, and no other made."""
    path = tmp_path / "etc" / there
    path.parent.mkdir(parents=True)
    path.write_text("mine")

    assert 2 == init(tmp_path / "etc")
    assert there.split("/", maxsplit=1)[0] in capsys.readouterr().err
    assert [path] == [one for one in (tmp_path / "etc").rglob("*") if one.is_file()]
    assert "mine" == path.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--county-id", "c p"), "not an id"),
        (("--county-id", "x" * 29), "not an id"),
        (("--county-name", 'a"b'), "not a name"),
        (("--http", "0.0.0.0:8080"), "without TLS"),
        (("--http", "8080"), "HOST:PORT"),
        (("--broker-port", "0"), "not a port"),
        (("--store-url", "ftp://x"), "http://HOST:PORT"),
        (("--registry", "none.toml"), "no such file"),
        (("--user", "nobody-of-that-name"), "no such user"),
    ],
)
def test_wrong_wishes_leave_nothing(tmp_path: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 with what is wrong, and neither folder nor file."""
    assert 2 == init(tmp_path / "etc", *words)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "etc").exists()


def test_a_fault_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file cannot be written, what was made before it is taken away again, and a folder of others stays."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "notes").write_text("mine")

    def full(_self: BrokerFiles, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "etc" / "var"))

    monkeypatch.setattr(BrokerFiles, "give", full)
    assert 1 == init(tmp_path / "etc")
    assert ["notes"] == [path.name for path in (tmp_path / "etc").iterdir()]


def test_without_a_terminal_nothing_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no default must be a flag: exit 2 instead of waiting."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    assert 2 == main(["init", "--to", str(tmp_path / "etc")])
    assert "--county-id is needed" in capsys.readouterr().err


def test_on_a_terminal_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty answer takes the default."""

    class Terminal:
        answers = iter(["cp\n", "某区\n", "\n"])

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return next(self.answers)

    monkeypatch.setattr("sys.stdin", Terminal())
    assert 0 == main(["init", "--to", str(tmp_path / "etc")])
    assert "embedded" == load(str(tmp_path / "etc" / "lanbi.toml"), {}).store.kind


def test_own_registry_and_plan_are_named_not_copied(tmp_path: Path) -> None:
    """Files that are there already are used where they lie."""
    plans = founding.templates().parent / "plans"
    county, plan = plans / "sample-county-b.toml", plans / "chiping.toml"

    assert 0 == init(tmp_path / "etc", "--registry", str(county), "--plan", str(plan), "--store", "influx")
    settings = load(str(tmp_path / "etc" / "lanbi.toml"), {})
    assert (county, (plan,), "influx") == (settings.county, settings.targets, settings.store.kind)
    assert not (tmp_path / "etc" / "county.toml").exists()

"""Live check of store, machine and safety: real influxd and its tokens, the embedded file, the clock, the disk, secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3

from lanbi import influx_setup, live_machine, live_safety, live_store
from lanbi.checking import secrets_of
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.frames import EMPTY
from lanbi.influx_setup import Grant, Server, write_secret
from lanbi.journal_files import Tip, pack_tip
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.safety import unsafe
from lanbi.secret import Secret, read_secret
from lanbi.settings import Settings, load
from tests.contract.conftest import running

NS = 10**9


def founded(folder: Path, *more: str) -> Settings:
    """Settings as `lanbi init` writes them."""
    assert 0 == main(["init", "--to", str(folder), "--county-id", "cp", "--county-name", "某区", *more])
    return load(str(folder / "lanbi.toml"), {})


def states(found: list[Finding]) -> set[str]:
    """States of findings."""
    return {one.state for one in found}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An influxd that `lanbi store init` has prepared."""
    folder = tmp_path_factory.mktemp("influx")
    with running(folder) as (url, _):
        settings = founded(folder / "etc", "--store", "influx", "--store-url", url)
        assert 0 == main(["store", "init", "--config", str(settings.file)])
        yield settings


@pytest.mark.services
def test_prepared_tokens_have_least_rights(house: Settings) -> None:
    """What `lanbi store init` makes is found right: one finding for the server, one a token, nothing else."""
    found = list(live_store.look(house))

    assert [OK] * 4 == [one.state for one in found], found
    assert ["write", "read", "grafana"] == [one.en.split("(")[1].split(":")[0] for one in found[1:]]


@pytest.mark.services
@pytest.mark.parametrize(
    ("purpose", "given", "said"),
    [
        ("read", "write", "write lanbi-figures"),
        ("grafana", "read", "lanbi-meter"),
        ("write", "operator", "manage tokens"),
        ("write", "grafana", "cannot read"),
        ("read", "nonsense", "refused"),
    ],
)
def test_a_token_with_other_rights_is_a_fault(house: Settings, tmp_path: Path, purpose: str, given: str, said: str) -> None:
    """A token that may more than it must, or less, is named; the trial write stores nothing."""
    files = {one.purpose: one.file for one in influx_setup.grants(house)} | {"operator": house.data / "secrets" / influx_setup.OPERATOR}
    token = Secret("x" * 40) if given == "nonsense" else read_secret(files[given], given)
    for name in ("influx-write", "influx-read", "influx-grafana"):
        write_secret(tmp_path / name, read_secret(house.data / "secrets" / name, name))
    write_secret(tmp_path / files[purpose].name, token)
    other = replace(house, store=replace(house.store, token_file=tmp_path / "influx-write", read_token_file=tmp_path / "influx-read"))
    found = [one for one in live_store.look(other) if one.state == FAULT]

    assert found and all(purpose in one.en for one in found)
    assert any(said in one.en for one in found), found
    head = {"Authorization": f"Token {read_secret(files['read'], 'read').reveal()}"}
    with urllib3.PoolManager() as http:
        assert b"lanbi" not in http.request("GET", f"{house.store.url}/query", fields={"db": "lanbi", "q": "SHOW MEASUREMENTS"}, headers=head).data


@pytest.mark.services
def test_a_token_of_everything_is_found(house: Settings, tmp_path: Path) -> None:
    """A token made by hand for all buckets of the organisation, as many guides advise, is too much."""
    server = Server(house.store.url, read_secret(house.data / "secrets" / influx_setup.OPERATOR, "operator"))
    org = server.ask("GET", "/api/v2/orgs")["orgs"][0]["id"]
    server.ask("POST", "/api/v2/buckets", {"orgID": org, "name": "of-others", "retentionRules": []})
    rights = [{"action": action, "resource": {"type": "buckets", "orgID": org}} for action in ("read", "write")]
    token = server.ask("POST", "/api/v2/authorizations", {"orgID": org, "description": "by hand", "permissions": rights})["token"]
    write_secret(tmp_path / "all", Secret(token))
    buckets = influx_setup.BUCKETS
    found = list(live_store._token(house, house.store.url, Grant("write", tmp_path / "all", buckets, buckets)))

    assert [FAULT] == [one.state for one in found]
    assert "of-others" in found[0].en


def test_the_embedded_store_is_looked_at(tmp_path: Path) -> None:
    """None yet: a note. One that can be read: well. One that is no database: a fault that says so."""
    settings = founded(tmp_path / "etc")
    path = settings.data / "store.db"
    assert [NOTE] == [one.state for one in live_store.look(settings)]
    EmbeddedStore(path).close()
    assert [OK] == [one.state for one in live_store.look(settings)]
    path.write_bytes(b"not a database, not at all" * 100)
    for more in path.parent.glob("store.db-*"):
        more.unlink()

    with pytest.raises(Exception, match="damaged"):
        list(live_store.look(settings))


def test_a_clock_behind_the_journal_is_a_fault(tmp_path: Path) -> None:
    """Ingest would hold decoding, so the check says it first; a clock that runs on is well."""
    settings = founded(tmp_path / "etc")
    assert OK == live_machine._record(settings.data, live_machine.SystemClock()).state
    folder = settings.data / "journal" / "mqtt"
    folder.mkdir(parents=True)
    ahead = live_machine.SystemClock().now_ns() + 3_600 * NS
    (folder / "tip").write_bytes(pack_tip(Tip("2026-01-01-000000000001.lbj", 0, EMPTY._replace(committed_ns=ahead))))
    found = next(iter(live_machine.look(settings)))

    assert FAULT == found.state
    assert "ahead of the clock" in found.en


def test_disk_and_commit_are_measured(tmp_path: Path) -> None:
    """Room, kind of file system and the time of a commit; where nothing can be written the finding says so, and no file stays."""
    settings = founded(tmp_path / "etc")
    before = sorted(settings.data.rglob("*"))
    found = list(live_machine._disk(settings.data))

    assert FAULT not in states(found)
    assert any("a small commit takes" in one.en for one in found)
    assert before == sorted(settings.data.rglob("*"))
    assert "tmpfs" == live_machine._kind(Path("/dev/shm")) or not Path("/dev/shm").is_mount()
    assert "proc" == live_machine._kind(Path("/proc/self"))
    assert FAULT == live_machine._sync(Path("/proc")).state


def test_what_is_unsafe_is_a_fault_and_starts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret that anybody reads, one that somebody chose, an open health address, a board without login behind a proxy, a folder open to all."""
    settings = founded(tmp_path / "etc")
    assert [] == list(unsafe(settings))
    assert FAULT not in states(list(live_safety.look(settings)))

    (settings.data / "secrets" / "broker").chmod(0o644)
    (settings.data / "secrets" / "webhook").write_text("admin123\n")
    settings.data.chmod(0o757)
    text = Path(str(settings.file)).read_text().replace('login = "on"', 'login = "off"\nnames = ["board.example"]')
    Path(str(settings.file)).write_text(text + '[ingest]\nhealth = "0.0.0.0:8081"\n')
    worse = load(str(settings.file), {})
    assert {"broker.password_file", "http.webhook_secret_file", "data", "http.login", "ingest.health"} == {one.where for one in unsafe(worse)}
    assert 5 == len([one for one in live_safety.look(worse) if one.state == FAULT])
    for program in ("run", "ingest", "serve", "analyse"):
        assert 2 == main([program, "--config", str(settings.file)])
        said = capsys.readouterr().err
        assert "nothing starts" in said and "chmod 600" in said and "admin123" not in said
    assert not (settings.data / "run").exists()


def test_an_edited_access_list_is_found(tmp_path: Path) -> None:
    """A right that somebody wrote into the broker's file by hand is not what the registry gives."""
    settings = founded(tmp_path / "etc")
    path = settings.broker.folder / "acl"
    path.write_text(path.read_text() + "\npattern write lanbi/v1/#\n")
    found = [one for one in live_safety.look(settings) if one.state == FAULT]

    assert ["lanbi broker acl"] == [one.todo for one in found]
    assert 0 == main(["broker", "acl", "--no-reload", "--config", str(settings.file)])
    assert FAULT not in states(list(live_safety.look(settings)))


def test_a_registry_that_changed_elsewhere_leaves_the_access_list(tmp_path: Path) -> None:
    """A device that is accepted from a day on may do what it did before: the list's remark names an older registry, its rules are the same."""
    settings = founded(tmp_path / "etc")
    words = ["device", "accept", "cp-d01", "--from", "2026-12-01", "--person", "王工", "--config", str(settings.file)]
    before = (settings.broker.folder / "acl").read_text(encoding="utf-8")
    assert 0 == main(words)

    assert before == (settings.broker.folder / "acl").read_text(encoding="utf-8")
    assert FAULT not in states(list(live_safety.look(settings)))


def test_every_secret_is_looked_at(tmp_path: Path) -> None:
    """The list of secrets names every key of the settings that holds the path of one."""
    settings = founded(tmp_path / "etc", "--store", "influx")

    assert {"broker.password_file", "http.webhook_secret_file", "store.token_file", "store.read_token_file"} == {key for key, _ in secrets_of(settings)}

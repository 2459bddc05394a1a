"""Accounts, keys and the log on disk, and the command that keeps them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from api.accounts import Deed
from domain.errors import InputError
from lanbi import passwords
from lanbi.accounts import DAY_S, KEPT_DAYS, TRIES, AccountFile
from lanbi.cli import main
from tests.api.house import PASSWORD, Wall


@pytest.fixture
def wall() -> Wall:
    """The machine's clock."""
    return Wall()


@pytest.fixture
def accounts(tmp_path: Path, wall: Wall) -> AccountFile:
    """An empty file."""
    return AccountFile(tmp_path, wall)


@pytest.mark.parametrize(
    ("password", "good"),
    [(PASSWORD, True), ("short-A1", False), ("alllowercase1", False), ("ALLUPPER12345", False), ("Wang-wang-11", False), ("x" * 201, False)],
)
def test_passwords_are_judged(password: str, good: object) -> None:
    """Long enough, three kinds, without the name."""
    assert good == (not passwords.fault(password, "wang"))


def test_a_hash_says_nothing_and_fits_one(accounts: AccountFile) -> None:
    """Two hashes of one password differ, both fit it, and nonsense fits nothing."""
    one, two = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)

    assert one != two
    assert one.startswith("$argon2id$")
    assert (True, False, False) == (passwords.fits(PASSWORD, two), passwords.fits(PASSWORD[:-1], two), passwords.fits(PASSWORD, "nonsense"))


def test_keys_expire_and_are_revoked(accounts: AccountFile, wall: Wall) -> None:
    """A key works until its day or until it is taken back, and its last use is known."""
    key = accounts.give("lab", "reader", ["air"], [], 2)
    held = accounts.by_key(key, "10.1.1.1")
    used = accounts.tokens()[0][7]
    wall.now += 2 * DAY_S
    late = accounts.by_key(key, "10.1.1.1")
    other = accounts.give("lab", "reader", [], [], 2)

    assert held is not None
    assert ("lab", frozenset({"air"}), "10.1.1.1", used) == (held.name, held.rights, held.address, wall.now - 2 * DAY_S)
    assert late is None
    assert (True, None, False) == (accounts.revoke(other.split("_")[1]), accounts.by_key(other, ""), accounts.revoke("none"))
    assert [None] * 4 == [accounts.by_key(text, "") for text in ("", "lb", "lb__", "lb_\ud800_x")]


def test_a_disabled_person_is_out_at_once(accounts: AccountFile) -> None:
    """Its session ends and its password opens nothing."""
    accounts.add("wang", "operator", PASSWORD, [])
    opened = accounts.login("wang", PASSWORD, "")
    assert opened
    accounts.disable("wang")

    assert (None, None) == (accounts.by_session(opened.token, "", active=True), accounts.login("wang", PASSWORD, ""))
    accounts.disable("wang", disabled=False)
    assert accounts.login("wang", PASSWORD, "")


def test_failures_in_a_row_are_counted_across_processes(tmp_path: Path, wall: Wall) -> None:
    """Another process, or this one started anew, goes on counting."""
    AccountFile(tmp_path, wall).add("wang", "operator", PASSWORD, [])
    for _ in range(TRIES):
        AccountFile(tmp_path, wall).login("wang", "wrong", "")

    assert AccountFile(tmp_path, wall).login("wang", PASSWORD, "") is None


def test_the_log_only_grows(accounts: AccountFile, tmp_path: Path, wall: Wall) -> None:
    """No line can be changed, none younger than 180 days removed; what was changed behind its back is found."""
    import time

    wall.now = int(time.time())
    for number in range(3):
        accounts.note(Deed("wang", "operator", "10.0.0.1", "mark", f"sc-a0{number}"))
    db = sqlite3.connect(tmp_path / "access.db", isolation_level=None)
    for words in ("UPDATE audit SET who = 'li'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="audit log"):
            db.execute(words)

    assert (3, None) == (len(accounts.deeds(0, 10, None)), accounts.broken())
    db.execute("DROP TRIGGER audit_stands")
    db.execute("UPDATE audit SET who = 'li' WHERE id = 2")
    assert 2 == accounts.broken()
    wall.now -= (KEPT_DAYS + 1) * DAY_S
    accounts.note(Deed("old", "", "", "login"))
    db.execute("DELETE FROM audit WHERE who = 'old'")
    assert 3 == len(accounts.deeds(0, 10, None))
    db.close()


def test_the_file_is_for_its_owner(accounts: AccountFile, tmp_path: Path) -> None:
    """Hashes too are nobody else's business."""
    assert 0o600 == (tmp_path / "access.db").stat().st_mode & 0o777


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """`lanbi access` in a data folder."""
    file = tmp_path / "lanbi.toml"
    file.write_text(f'data = "{tmp_path / "var"}"\n', encoding="utf-8")
    code = main(["access", *words, "--config", str(file)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_keeps_accounts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Registered with a password that is shown once, listed, shut out, let in, renewed; everything stands in the log."""
    _, added, _ = run(tmp_path, capsys, "user", "add", "wang", "--role", "operator")
    password = added.rsplit(": ", 1)[1].strip()
    wall = Wall()
    accounts = AccountFile(tmp_path / "var", wall)
    opened = accounts.login("wang", password, "")
    for verb in ("disable", "enable", "password"):
        assert 0 == run(tmp_path, capsys, "user", verb, "wang")[0]
    _, listed, _ = run(tmp_path, capsys, "user", "list")
    _, log, _ = run(tmp_path, capsys, "log")

    assert opened
    assert "wang  operator" in listed
    assert [word for word in ("user-add", "user-disable", "user-enable", "user-password") if word not in log] == []
    assert password not in log
    assert (0, "完整" in run(tmp_path, capsys, "log", "--verify")[1]) == (0, True)


def test_the_command_keeps_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key is shown once, listed by its id, and revoked."""
    _, made, _ = run(tmp_path, capsys, "key", "add", "lab", "--role", "reader", "--only", "air", "--days", "9")
    key = made.splitlines()[1]
    _, listed, _ = run(tmp_path, capsys, "key", "list")

    assert key.split("_")[1] in listed
    assert key.split("_", 2)[2] not in listed
    assert 0 == run(tmp_path, capsys, "key", "revoke", key.split("_")[1])[0]
    assert "已撤销" in run(tmp_path, capsys, "key", "list")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("user", "add", "wang", "--role", "enterprise"),
        ("user", "add", "wang", "--role", "reader", "--enterprise", "e-001"),
        ("user", "add", "wang", "--role", "enterprise", "--enterprise", "none"),
        ("user", "add", "bad name", "--role", "reader"),
        ("user", "disable", "nobody"),
        ("user", "password", "nobody"),
        ("key", "add", "lab", "--role", "reader", "--only", "manage"),
        ("key", "add", "lab", "--role", "reader", "--days", "0"),
        ("key", "revoke", "none"),
    ],
)
def test_wrong_wishes_change_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """Exit code 2, a sentence, no account and no key."""
    (tmp_path / "var").mkdir()
    code, _, err = run(tmp_path, capsys, *words)

    assert 2 == code
    assert "lanbi:" in err
    assert ([], []) == (AccountFile(tmp_path / "var", Wall()).people(), AccountFile(tmp_path / "var", Wall()).tokens())


@pytest.mark.parametrize("words", [("user", "list"), ("key", "list"), ("log",), ("log", "--verify"), ("user", "disable", "wang"), ("key", "revoke", "none")])
def test_a_mistyped_folder_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """Only registering makes the data folder; whoever asks in the wrong place is told so."""
    code, _, err = run(tmp_path, capsys, *words)

    assert (2, True) == (code, "no such data folder" in err)
    assert not (tmp_path / "var").exists()


def test_an_empty_list_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody registered is an answer, not silence."""
    (tmp_path / "var").mkdir()

    assert (0, "0 个账号 shown\n") == run(tmp_path, capsys, "user", "list")[:2]
    assert (0, "0 个密钥 shown\n") == run(tmp_path, capsys, "key", "list")[:2]
    assert (0, "0 条 shown\n") == run(tmp_path, capsys, "log")[:2]


def test_a_weak_password_is_refused(tmp_path: Path, accounts: AccountFile, capsys: pytest.CaptureFixture[str]) -> None:
    """A chosen one must be good; a taken name stays whose it is."""
    (tmp_path / "weak").write_text("password", encoding="utf-8")
    accounts.add("wang", "reader", PASSWORD, [])

    assert 2 == run(tmp_path, capsys, "user", "add", "li", "--role", "reader", "--password-file", str(tmp_path / "weak"))[0]
    with pytest.raises(InputError, match="already"):
        accounts.add("wang", "admin", PASSWORD, [])
    assert [] == json.loads(accounts.people()[0][2])

"""``lanbi broker``: Mosquitto's files from the registry, and what the real Mosquitto makes of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from lanbi import mosquitto
from lanbi.broker_files import logins
from lanbi.mosquitto import Logins, access_list, checked, fits, hashed, passwords
from lanbi.processes import free
from lanbi.settings import load
from lanbi.simulating import broker_address
from tests.ingest.county import TEXT
from tests.lanbi.broker_house import Client, Yard, shipped
from tests.lanbi.ingest_house import until
from tests.lanbi.real_broker import MOSQUITTO, OPENSSL, PASSWD, authority, certificate

SPEAKING = TEXT.replace(', {from = "2026-12-01", value = "retired"}', "")
"""All devices may speak, whatever day it is on the machine that runs the tests."""
OURS = Logins(("lanbi-ingest",), "lanbi-ingest-probe")
needs = [pytest.mark.services, pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto: make services")]


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """A yard whose broker does not outlive the test."""
    one = Yard(tmp_path, SPEAKING)
    yield one
    one.broker.stop()


@given(st.text(max_size=40), st.binary(min_size=12, max_size=12), st.text(max_size=40))
def test_a_hash_fits_its_password_only(password: str, salt: bytes, other: str) -> None:
    """And holds nothing of it."""
    line = hashed(password, salt)

    assert fits(password, line)
    assert other == password or not fits(other, line)
    assert ":" not in line and "\n" not in line


@pytest.mark.services
@pytest.mark.skipif(PASSWD is None, reason="no mosquitto_passwd: make services")
def test_our_hashes_are_those_of_mosquitto_passwd(tmp_path: Path) -> None:
    """Both ways: what it writes is what we would write with its salt."""
    path = tmp_path / "passwd"
    subprocess.run([str(PASSWD), "-b", "-c", str(path), "d1", "pässword €"], check=True, capture_output=True)
    line = passwords(path.read_text())["d1"]
    salt = __import__("base64").b64decode(line.split("$")[3])

    assert line == hashed("pässword €", salt)


def test_the_access_list_grants_each_device_its_own_topics_and_nothing_by_pattern() -> None:
    """Whole, as text: a device may not write its own receipts, lanbi may write nothing else."""
    text = access_list(OURS, ["b", "a"], "v1")
    blocks = {block.split("\n")[0]: set(block.split("\n")[1:]) - {""} for block in text.split("\nuser ")[1:]}

    assert ["lanbi-ingest", "lanbi-ingest-probe", "a", "b"] == list(blocks)
    assert {
        "topic write lanbi/v1/a/data", "topic write lanbi/v1/a/event", "topic write lanbi/v1/a/state", "topic read lanbi/v1/a/receipt", "topic read lanbi/v1/a/error",
    } == blocks["a"]  # fmt: skip
    assert {"topic write lanbi/v1/+/receipt", "topic write lanbi/v1/+/error"} == {rule for rule in blocks["lanbi-ingest"] if "read " not in rule}
    assert [] == [
        line for line in text.splitlines() if line.startswith(("pattern", "topic")) and (("#" in line and "$SYS" not in line) or line.startswith("pattern"))
    ]
    assert not text.split("\nuser ")[0].count("topic")


@pytest.mark.parametrize("name", ["lanbi-ingest", "lanbi-ingest-probe"])
def test_no_device_bears_the_name_of_one_of_our_logins(name: str) -> None:
    """It would get lanbi's rights."""
    with pytest.raises(InputError, match=name):
        access_list(OURS, ["a", name], "v")


@given(st.text(max_size=70))
def test_a_name_carries_no_rule_of_its_own(name: str) -> None:
    """Line ends, blanks, wildcards, separators: refused; what passes is a plain word."""
    try:
        text = access_list(Logins((name,), "p"), ["d"], "v")
    except InputError:
        assert not (name.isascii() and name.replace("-", "a").replace("_", "a").isalnum() and 0 < len(name) <= 64 and name not in {"p", "d"})
        return
    assert f"\nuser {name}\n" in text
    assert 3 == text.count("\nuser ")


def test_several_ingests_have_logins_of_their_own(tmp_path: Path) -> None:
    """One name is one client id; a name that was chosen stands alone."""
    config = tmp_path / "lanbi.toml"
    config.write_text('[store]\nkind = "influx"\n[ingest]\ninstance = "2/3"\n')
    own = load(str(config), {})
    config.write_text('[store]\nkind = "influx"\n[ingest]\ninstance = "2/3"\n[broker]\nusername = "mine"\n')

    assert "lanbi-ingest-2" == own.broker.username
    assert Logins(("lanbi-ingest", "lanbi-ingest-2", "lanbi-ingest-3"), "lanbi-ingest-probe") == logins(own)
    assert Logins(("mine",), "mine-probe") == logins(load(str(config), {}))


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Whatever is made is open to everybody, unless somebody sees to it; for one test, or the next ones' folders would be refused as unsafe."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_passwords_are_made_once_and_kept_from_others(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    """Clear text of mode 600 and never on the screen, hashes of mode 640; a second run changes nothing, a named device is renewed."""
    yard.prepare()
    said = capsys.readouterr().out
    passwd = yard.folder / "broker" / "passwd"
    before = passwd.read_text()
    users = passwords(before)
    names = ["lanbi-ingest", "lanbi-ingest-probe", *yard_devices(yard)]

    assert set(names) == set(users)
    assert [True] * len(names) == [fits(yard.password(name), users[name]) for name in names]
    assert [] == [name for name in names if yard.password(name) in said or yard.password(name) in before]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in (yard.folder / "var" / "secrets").rglob("*") if path.is_file()}
    assert {0o640} == {(yard.folder / "broker" / name).stat().st_mode & 0o777 for name in ("passwd", "acl")}
    assert len({yard.password(name) for name in names}) == len(names)
    assert min(len(yard.password(name)) for name in names) >= 32
    yard.prepare()
    assert before == passwd.read_text()
    old = yard.password("air1")
    assert 0 == yard.lanbi("broker", "passwd", "--device", "air1", "--no-reload")
    assert old != yard.password("air1")
    assert fits(yard.password("air1"), passwords(passwd.read_text())["air1"])


def yard_devices(yard: Yard) -> list[str]:
    """Devices of its registry."""
    from lanbi import wiring

    return list(wiring.registry(yard.settings).devices)


def test_lines_of_others_in_the_password_file_stay(yard: Yard) -> None:
    """Somebody's own login is not lanbi's to remove."""
    yard.prepare()
    passwd = yard.folder / "broker" / "passwd"
    passwd.write_text("# ours\nthe-dashboard:$7$101$abc$def\n" + passwd.read_text())
    assert 0 == yard.lanbi("broker", "passwd", "--device", "air1", "--no-reload")

    assert "$7$101$abc$def" == passwords(passwd.read_text())["the-dashboard"]


def test_a_revoked_device_stays_out_until_it_is_named_again(yard: Yard) -> None:
    """Neither `--all` nor a new access list lets it in."""
    yard.prepare()
    assert 0 == yard.lanbi("broker", "revoke", "air1", "--no-reload")
    assert 0 == yard.lanbi("broker", "passwd", "--all", "--no-reload")
    assert 0 == yard.lanbi("broker", "acl", "--no-reload")
    folder = yard.folder / "broker"
    out = ["air1" in passwords((folder / "passwd").read_text()), "user air1\n" in (folder / "acl").read_text()]
    assert 0 == yard.lanbi("broker", "passwd", "--device", "air1", "--no-reload")

    assert [False, False] == out
    assert [True, True] == ["air1" in passwords((folder / "passwd").read_text()), "user air1\n" in (folder / "acl").read_text()]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["passwd", "--device", "nobody"], 2, "no device 'nobody'"),
        (["revoke", "nobody"], 2, "no device 'nobody'"),
        (["revoke", "lanbi-ingest"], 2, "lanbi's own login"),
        (["acl", "-o", "/nowhere/acl"], 1, "cannot be written"),
        (["passwd", "--all"], 1, "was not told to read its files again"),
    ],
)
def test_bad_words_end_in_plain_words(yard: Yard, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str) -> None:
    """What, where, what to do, and the promised exit code."""
    assert code == yard.lanbi("broker", *words)
    told = capsys.readouterr().err
    assert said in told
    assert "处理 do:" in told


def test_no_other_process_is_signalled(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    """A pid file that an earlier Mosquitto left behind may name anybody by now."""
    (yard.folder / "mosquitto.pid").write_text(f"{os.getpid()}\n")

    assert 1 == yard.lanbi("broker", "acl")
    assert f"process {os.getpid()} is " in capsys.readouterr().err


def test_simulated_devices_log_in_with_what_was_made_for_them(yard: Yard) -> None:
    """`lanbi simulate` finds each device's password where `lanbi broker passwd` left it; without any it logs in without."""
    before = broker_address(yard.settings)
    yard.prepare()
    after = broker_address(yard.settings)

    assert ({}, None) == (dict(before.passwords), before.tls)
    assert {name: yard.password(name) for name in yard_devices(yard)} == after.passwords
    assert ("127.0.0.1", yard.broker.port) == (after.host, after.port)


def test_only_one_changes_the_files_at_a_time(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    """The second is refused with exit code 1."""
    from lanbi.broker_files import alone

    with alone(yard.folder / "broker"):
        assert 1 == yard.lanbi("broker", "acl", "--no-reload")
    assert "another `lanbi broker`" in capsys.readouterr().err


def test_the_access_list_goes_to_standard_output_too(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    """For whoever keeps it elsewhere; nothing is written then."""
    assert 0 == yard.lanbi("broker", "acl", "-o", "-")

    assert "\nuser air1\ntopic write lanbi/v1/air1/data\n" in capsys.readouterr().out
    assert not (yard.folder / "broker").exists()


def test_a_name_is_checked() -> None:
    """By its whole."""
    assert "d-1_X" == checked("d-1_X", "k")
    for name in ("", "a b", "a\nuser x", "a:b", "#", "+", "ä", "a" * 65):
        with pytest.raises(InputError):
            checked(name, "k")


def test_an_unknown_kind_of_hash_fits_nothing() -> None:
    """Older formats and rubbish."""
    assert [False, False, False] == [fits("x", line) for line in ("", "$6$salt$hash", "$7$x$y$z")]
    assert {"a": "1", "b": "2:3"} == mosquitto.passwords("a:1\n#c:4\n\nb:2:3\nrubbish\n")


class TestRealBroker:
    """The shipped configuration on a real Mosquitto."""

    pytestmark = needs

    def test_the_shipped_configuration_starts_and_is_safe(self, yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
        """It takes our files; `lanbi check --live` finds every try refused."""
        yard.prepare()
        with yard.broker:
            device = yard.client("air1")
            assert 0 == device.code
            device.close()
            capsys.readouterr()
            yard.lanbi("check", "--live")
            said = capsys.readouterr().out
        assert "Error" not in yard.broker.log()
        wanted = ["an anonymous login is refused", "publishing as another device is refused", "nothing can be read", "bound to the user name"]
        assert [] == [words for words in wanted if words not in said]

    def test_revoking_takes_effect_at_once_and_ends_the_session(self, yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
        """The device is thrown out, cannot come back, and its clear text is gone; another device notices nothing."""
        yard.prepare()
        with yard.broker:
            thief, other = yard.client("air1"), yard.client("gate")
            password = yard.password("air1")
            assert 0 == yard.lanbi("broker", "revoke", "air1")
            until(lambda: thief.ended, "thrown out")
            again = Client(yard.broker.port, "air1", password, "air1")
            assert (0x87, 0) == (again.code, other.ended)
            assert 0 == other.publish("lanbi/v1/gate/data") & 0x80
            for one in (thief, other, again):
                one.close()
        assert "old password is refused" in capsys.readouterr().out
        assert not (yard.folder / "var" / "secrets" / "devices" / "air1").exists()

    @pytest.mark.skipif(OPENSSL is None, reason="no openssl: make services")
    def test_the_shipped_tls_listener_lets_devices_in(self, yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
        """Beside the one on this machine, with the same files; the self-test over TLS finds it safe."""
        certificate(authority(yard.folder / "certs", "ca"), "server")
        secure = free()
        lines = [line.replace("listener 8883", f"listener {secure} 127.0.0.1") for line in shipped(yard.folder, "mosquitto.conf", "tls.conf")]
        yard.broker.lines = lines
        text = yard.config.read_text().replace(f"mqtt://127.0.0.1:{yard.broker.port}", f"mqtts://127.0.0.1:{secure}")
        yard.config.write_text(f'{text}ca_file = "{yard.folder / "certs" / "ca.pem"}"\n')
        yard.prepare()
        with yard.broker:
            capsys.readouterr()
            yard.lanbi("check", "--live", "--json")
            found = [row for row in json.loads(capsys.readouterr().out)["live"] if row["part"] == "broker"]

        assert [("ok", f"127.0.0.1:{secure} answers")] == [(row["state"], row["en"]) for row in found[:1]]
        assert {"ok"} == {row["state"] for row in found}

    def test_a_new_password_ends_the_session_of_the_old_one(self, yard: Yard) -> None:
        """Whoever stole it is out as soon as it is renewed."""
        yard.prepare()
        with yard.broker:
            thief = yard.client("air1")
            assert 0 == yard.lanbi("broker", "passwd", "--device", "air1")
            until(lambda: thief.ended, "thrown out")
            device = yard.client("air1")
            assert 0 == device.code
            device.close()
            thief.close()

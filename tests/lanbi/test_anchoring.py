"""Seals leave the server by mail: to every address, once, whatever fails between, and nothing else waits for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import ServiceError, SettingsError, WorkError
from lanbi import mail
from lanbi.anchoring import LEDGER, anchor, ledger, waiting
from lanbi.clock import SystemClock
from lanbi.journal_verify import read_anchors, verify
from lanbi.processes import free
from lanbi.settings import MailSettings, Settings, load
from tests.lanbi.mail_house import OPENSSL, MailHouse, certificate, mail_house
from tests.lanbi.sealed_house import journalled, seal_all

NOW = 1_795_305_600
TO = ("office@example.cn", "notary@example.org")


def settings(folder: Path, port: int, addresses: tuple[str, ...] = TO) -> Settings:
    """Settings with a mail server."""
    chosen = load(None, {"LANBI_DATA": str(folder), "LANBI_MAIL_URL": f"smtp://127.0.0.1:{port}"})
    return replace(chosen, journal=replace(chosen.journal, anchor_mail=addresses))


def test_every_seal_reaches_every_address_once(tmp_path: Path) -> None:
    """One mail an address with all that waits; saved, it proves the record; the next seal goes alone."""
    journalled(tmp_path / "journal", 3)
    seals = seal_all(tmp_path / "journal")
    with mail_house(MailHouse()) as house:
        chosen = settings(tmp_path, house.port)
        assert [] == anchor(chosen, SystemClock())
        assert [] == anchor(chosen, SystemClock())
        assert sorted(TO) == sorted(to for to, _ in house.mails)
        saved = tmp_path / "saved.eml"
        saved.write_bytes(house.mails[0][1])
        assert seals == read_anchors([saved])
        assert (True, 12) == ((verdict := verify(tmp_path / "journal", "mqtt", seals)).sound, verdict.proven)
        journalled(tmp_path / "journal", 1, writer="import")
        journalled(tmp_path / "journal", 2, writer="hj212")
        (other,) = seal_all(tmp_path / "journal", "hj212")
        assert {to: [other] for to in TO} == waiting(tmp_path / "journal", TO)
        anchor(chosen, SystemClock())
    assert {} == waiting(tmp_path / "journal", TO)
    assert b"Subject: lanbi" in house.mails[-1][1]
    assert [other] == read_anchors([_saved(tmp_path, house.mails[-1][1])])


def _saved(folder: Path, data: bytes) -> Path:
    path = folder / "last.eml"
    path.write_bytes(data)
    return path


def test_a_failure_is_said_and_tried_again(tmp_path: Path) -> None:
    """A refused address holds up no other; a server that is away or hangs up costs nothing but time."""
    journalled(tmp_path / "journal", 2)
    seal_all(tmp_path / "journal")
    port = free()
    chosen = settings(tmp_path, port)
    (away, *_) = anchor(chosen, SystemClock())
    assert "cannot be used: Connection refused" in away
    with mail_house(MailHouse(port, hang_up=True)):
        assert all("hung up" in fault for fault in anchor(chosen, SystemClock()))
    assert [] == ledger(tmp_path / "journal")
    with mail_house(MailHouse(port, refuse=TO[0])) as house:
        (refused,) = anchor(chosen, SystemClock())
        assert "550 no such person" in refused
        assert [TO[1]] == [to for to, _ in house.mails]
        house.refuse = ""
        assert [] == anchor(chosen, SystemClock())
        assert [TO[1], TO[0]] == [to for to, _ in house.mails]


def test_a_torn_ledger_sends_again_and_goes_on(tmp_path: Path) -> None:
    """A death within the ledger's line costs a second mail, and the lines behind it are read."""
    journalled(tmp_path / "journal", 2)
    seal_all(tmp_path / "journal")
    with mail_house(MailHouse()) as house:
        chosen = settings(tmp_path, house.port, TO[:1])
        anchor(chosen, SystemClock())
        path = tmp_path / "journal" / LEDGER
        path.write_bytes(path.read_bytes()[:-9])
        anchor(chosen, SystemClock())
        anchor(chosen, SystemClock())
    assert 2 == len(house.mails)
    assert 1 == len(ledger(tmp_path / "journal"))


def test_without_addresses_nothing_is_sent(tmp_path: Path) -> None:
    """No address, no mail server needed."""
    journalled(tmp_path / "journal", 2)
    seal_all(tmp_path / "journal")
    assert [] == anchor(settings(tmp_path, 9, ()), SystemClock())


def test_a_login_is_used_and_its_refusal_told_without_the_password(tmp_path: Path) -> None:
    """User and password from the file; a wrong one is told with the server's words."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    with mail_house(MailHouse(login=("lanbi", "hunter2"))) as house:
        chosen = MailSettings(f"smtp://127.0.0.1:{house.port}", "lanbi", secret, None, "lanbi@example.cn")
        mail.send(chosen, TO[0], "s", "t", NOW)
        assert (["lanbi"], 1) == (house.logins, len(house.mails))
        secret.write_text("hunter3")
        with pytest.raises(WorkError, match="535 not with that password") as error:
            mail.send(chosen, TO[0], "s", "t", NOW)
        with pytest.raises(WorkError, match="530 log in first"):
            mail.send(replace(chosen, username=None), TO[0], "s", "t", NOW)
    assert "hunter" not in str(error.value)


@pytest.mark.skipif(OPENSSL is None, reason="no openssl, which makes the test's certificate")
@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_tls_is_spoken_and_checked(tmp_path: Path, scheme: str) -> None:
    """With the certificate that vouches for the server mails go, without they do not."""
    context, pem = certificate(tmp_path)
    with mail_house(MailHouse(tls=context, wrapped=scheme == "smtps")) as house:
        chosen = MailSettings(f"{scheme}://127.0.0.1:{house.port}", None, None, pem, "lanbi@example.cn")
        mail.send(chosen, TO[0], "封印", "正文\n.\n", NOW)
        with pytest.raises(ServiceError, match="certificate verify failed"):
            mail.send(replace(chosen, ca_file=None), TO[0], "s", "t", NOW)
        with pytest.raises(SettingsError, match="certificate cannot be used"):
            mail.send(replace(chosen, ca_file=tmp_path / "none"), TO[0], "s", "t", NOW)
    ((to, data),) = house.mails
    assert TO[0] == to
    assert "正文\r\n.\r\n".encode() in data
    assert b"Date: Sun, 22 Nov 2026 08:00:00 +0800" in data

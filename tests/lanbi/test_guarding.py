"""The broker's safety in ingest: a warning on this machine, an alarm where others can reach it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lanbi import guarding
from lanbi.clock import SystemClock
from lanbi.guarding import Guarding
from lanbi.settings import load
from tests.lanbi.ingest_house import Gadget, House, until
from tests.lanbi.real_broker import Mosquitto, real

AS_A_NUMBER = "2130706433"
"""127.0.0.1 in other words: an address that does not look like this machine's, and that nobody else can reach."""
OPEN = ["listener {port} 127.0.0.1", "allow_anonymous true"]


@contextmanager
def guarded(tmp_path: Path, url: str, said: list[str]) -> Iterator[Guarding]:
    """A guard of a broker, in a thread."""
    config = tmp_path / "lanbi.toml"
    config.write_text(f'data = "{tmp_path / "var"}"\n[broker]\nurl = "{url}"\n')
    one = Guarding(load(str(config), {}), SystemClock(), said.append)
    over = threading.Event()
    thread = threading.Thread(target=one.run, args=(over.is_set,))
    thread.start()
    try:
        yield one
    finally:
        over.set()
        thread.join()


@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
@pytest.mark.parametrize("reachable", [False, True])
def test_an_open_broker_is_a_warning_here_and_an_alarm_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, reachable: bool) -> None:
    """Said in the log in both cases."""
    if reachable:
        monkeypatch.setattr(guarding, "HERE", ("nowhere",))
    said: list[str] = []
    with Mosquitto(tmp_path / "broker", OPEN) as broker, guarded(tmp_path, f"mqtt://127.0.0.1:{broker.port}", said) as guard:
        until(lambda: guard.looks, "looked")
        warnings, reasons = guard.warnings(), guard.reasons()

    assert ("允许匿名登录" in str(warnings), reachable) == (True, "passwords and readings travel in clear" in str(warnings))
    assert (["security: 允许匿名登录 anybody may log in: set allow_anonymous false"] if reachable else []) == reasons[:1]
    assert any("允许匿名登录" in line for line in said)


@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
def test_ingest_tells_warnings_and_stays_ready_on_this_machine(tmp_path: Path) -> None:
    """Readings come first; the alarm is for a broker that others reach."""
    house = House(tmp_path)
    with Mosquitto(tmp_path / "broker", OPEN, port=house.port):
        house.start()
        status = until(lambda: (now := house.status()).get("warnings") and now.get("ready") and now, "told")
        assert 0 == house.stop()

    assert "允许匿名登录" in str(status["warnings"])
    assert "self-test of the broker" in (tmp_path / "ingest.log").read_text()


@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
def test_ingest_is_unready_where_others_reach_an_open_broker(tmp_path: Path) -> None:
    """The status file says why; readings are still taken, for refusing them would help nobody."""
    house = House(tmp_path)
    settings = tmp_path / "lanbi.toml"
    settings.write_text(settings.read_text().replace("mqtt://127.0.0.1:", f"mqtt://{AS_A_NUMBER}:"))
    with Mosquitto(tmp_path / "broker", OPEN, port=house.port):
        house.start()
        status = until(lambda: (now := house.status()).get("subscribed") and "允许匿名登录" in str(now["warnings"]) and now, "told")
        gadget = Gadget("d1", house.port)
        gadget.say(b"no reading")
        until(lambda: house.law()["deadletter"], "taken")
        gadget.close()
        assert 0 == house.stop()

    assert not status["ready"]
    assert ["security: 允许匿名登录 anybody may log in: set allow_anonymous false"] == [one for one in status["reasons"] if "允许匿名登录" in one]
    said = [line for line in (tmp_path / "ingest.log").read_text().splitlines() if "未就绪 not ready" in line]
    assert any("security: 允许匿名登录" in line for line in said), "whatever else it was not ready for at that moment"


def test_the_demos_own_broker_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known to be open, and on 127.0.0.1 only."""
    said: list[str] = []
    with guarded(tmp_path, "embedded", said) as guard:
        guard._look = lambda: said.append("asked") or True  # type: ignore[method-assign, func-returns-value]
        assert ([], []) == (guard.warnings(), guard.reasons())
    assert [] == said

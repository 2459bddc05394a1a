"""One device on trial: what an integrator is told in each case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.civil import parse_time
from domain.errors import BrokerAway, InputError
from edge_sim.line import Address
from lanbi.trying import Wish, password_of, registered, try_out
from tests.clocks import At
from tests.edge_sim.small_county import registry
from tests.edge_sim.test_fleet import Station
from tests.lanbi.real_broker import PASSWD, Mosquitto, real

pytestmark = real
CLOCK = At("2025-10-01T10:20:00+08:00")
PATIENCE_S = 60
"""For answers that come; the busiest machine gives them sooner."""


class OnceHeard(At):
    """A clock on which patience is over as soon as a station has heard the device: silence need not be waited for, the connection must be."""

    def __init__(self, station: Station) -> None:
        super().__init__("2025-10-01T10:20:00+08:00")
        self.station = station

    def monotonic(self) -> float:
        """Seconds that jump then."""
        return super().monotonic() + (2 * PATIENCE_S if self.station.heard else 0)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto that lets everybody in."""
    chosen = Mosquitto(tmp_path / "broker", ["listener {port} 127.0.0.1", "allow_anonymous true"]).start()
    yield chosen
    chosen.kill()


class Refusing(Station):
    """Confirms, and refuses each reading a moment later."""

    def take(self, topic: str, payload: bytes) -> None:
        """Answer twice."""
        super().take(topic, payload)
        if topic.endswith("/data"):
            answer = {"run": 0, "seq": 0, "reason": "value-out-of-range", "item": "pm25", "detail": "2000.5 is above 2000"}
            self.client.publish(topic.replace("/data", "/error"), json.dumps(answer), qos=1)


def tried(broker: Mosquitto, wish: Wish, clock: At = CLOCK) -> int:
    """The trial's exit code."""
    return try_out(registry(), Address("127.0.0.1", broker.port, {}), clock, wish)


def test_each_message_and_receipt_is_told(broker: Mosquitto, capsys: pytest.CaptureFixture[str]) -> None:
    """Three slots: three messages with their bytes, three receipts, and a sum; all well is exit code 0."""
    station = Station(broker.port, confirm=True)
    code = tried(broker, Wish("d-a-1", count=3, patience=PATIENCE_S))
    station.close()
    told = capsys.readouterr().out.splitlines()

    assert 0 == code
    assert 3 == sum(line.startswith("→ lanbi/v1/d-a-1/data  {") for line in told)
    assert 3 == sum("回执 receipt" in line and "durable" in line for line in told)
    assert [parse_time(f"2025-10-01T{hour:02}:00:00+08:00") for hour in (8, 9, 10)] == station.times["d-a-1"]
    assert "共发送 sent 3，回执 receipts 3，拒收 refused 0，无回执 without receipt 0" == told[-1]


def test_refusals_are_explained(broker: Mosquitto, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that comes behind the receipt is told with its reason in both languages, the item and the detail."""
    # The service waits three seconds behind a receipt, which on a busy machine may be too few for the refusal.
    monkeypatch.setattr("edge_sim.trial.VERDICT_S", 10.0)
    station = Refusing(broker.port, confirm=True)
    code = tried(broker, Wish("d-a-1", count=1, patience=PATIENCE_S))
    station.close()
    told = capsys.readouterr().out

    assert 1 == code
    assert "value-out-of-range 数值超出硬范围" in told and "item pm25" in told and "2000.5 is above 2000" in told


def test_silence_is_explained(broker: Mosquitto, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a receipt it says what to look at."""
    station = Station(broker.port, confirm=False)
    code = tried(broker, Wish("d-a-1", count=1, patience=PATIENCE_S), OnceHeard(station))
    station.close()
    told = capsys.readouterr().out

    assert 1 == code
    assert "无回执 no receipt" in told and "lanbi ingest" in told


@pytest.mark.skipif(PASSWD is None, reason="no mosquitto_passwd: make services")
def test_refused_login_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broker that refuses the login is told from one that is not there."""
    (tmp_path / "none").write_text("")
    (tmp_path / "none").chmod(0o600)
    closed = Mosquitto(tmp_path / "broker", ["listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {tmp_path / 'none'}"]).start()
    code = tried(closed, Wish("d-a-1", count=1, patience=6))
    closed.kill()
    refused = capsys.readouterr().out
    with pytest.raises(BrokerAway, match="nobody listens there") as away:
        tried(closed, Wish("d-a-1", count=1, patience=2))

    assert (1, 3) == (code, away.value.exit_code)
    assert "登录被拒 the broker refuses the login" in refused
    assert f"127.0.0.1:{closed.port}" == away.value.where


def test_faults_can_be_shown(broker: Mosquitto, capsys: pytest.CaptureFixture[str]) -> None:
    """A malformed message goes out beside the good one, so that its answer can be seen."""
    station = Station(broker.port, confirm=True)
    tried(broker, Wish("d-a-1", count=1, fault="malformed:nan", patience=PATIENCE_S))
    station.close()

    assert '"pm25": NaN' in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["air", "water", "point", "meter"])
def test_unregistered_devices_need_a_kind_only(kind: str) -> None:
    """A device of no registry gets a small county of its own."""
    made = registered(None, Wish("new-1", kind=kind, source="x-9"))

    assert kind == made.kinds["x-9"]
    assert ("x-9",) == made.devices["new-1"].sources.newest


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("new-1"), "its kind must be said"),
        (Wish("new-1", kind="air", count=0), "none"),
        (Wish("new-1", kind="air", count=10**9), "too many"),
        (Wish("new-1", kind="air", interval=-5), "time to wait"),
        (Wish("new-1", kind="air", patience=float("nan")), "time to wait"),
        (Wish("new/#", kind="air"), "not an id"),
        (Wish("d-a-1", source="a b"), "not an id"),
        (Wish("d-a-1", fault="takeover"), "no such fault to try"),
        (Wish("d-a-1", fault="malformed:gremlin"), "no such class"),
    ],
)
def test_wrong_wishes_are_refused(wish: Wish, words: str) -> None:
    """What cannot be tried is named, with what can."""
    with pytest.raises(InputError, match=words) as told:
        try_out(registry(), Address("127.0.0.1", 9, {}), CLOCK, wish)

    assert told.value.todo


def test_password_comes_from_a_file(tmp_path: Path) -> None:
    """A named file holds the device's password; an absent one is an error with its path."""
    (tmp_path / "secret").write_text("s3cret\n")

    assert {"d-a-1": "s3cret"} == password_of(tmp_path / "secret", "d-a-1", Address("h", 1, {})).passwords
    with pytest.raises(InputError, match="cannot be read"):
        password_of(tmp_path / "absent", "d-a-1", Address("h", 1, {}))
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        password_of(tmp_path / "bytes", "d-a-1", Address("h", 1, {}))

"""The conservation law as a live check: pure verdicts, and a real ingest under load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.message import Message, encode
from lanbi import metrics
from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.live import FAULT, NOTE, OK
from lanbi.live_law import broken, judged, look, scraped
from lanbi.settings import load
from tests.ingest.machine import Machine
from tests.ingest.test_forwarder import HOUR, air
from tests.lanbi.ingest_house import Gadget, House, iotcore_broker, until
from tests.lanbi.test_replaying import config, house, reading

__all__ = ["house"]


def law(received: int, stored: int = 0, duplicate: int = 0, deadletter: int = 0, quarantined: int = 0, pending: int = 0) -> dict[str, int]:
    """Six terms."""
    return {"received": received, "stored": stored, "duplicate": duplicate, "deadletter": deadletter, "quarantined": quarantined, "pending": pending}


@pytest.mark.parametrize(
    ("laws", "states"),
    [
        ([law(5, 1, 1, 1, 1, 1)], [OK]),
        ([law(5, 5), law(7, 6, pending=1)], [OK]),
        ([law(5, 4)], [FAULT]),
        ([law(5, 5), law(5, 6)], [FAULT]),
        ([law(4, 5, pending=-1)], [FAULT]),
        ([law(5, 5), law(4, 4)], [FAULT]),
        ([law(5, 3, pending=2), law(6, 3, pending=3)], [OK, NOTE]),
        ([law(5, 3, pending=2), law(6, 4, pending=2)], [OK]),
    ],
)
def test_verdicts(laws: list[dict[str, int]], states: list[str]) -> None:
    """It adds up at every look and no counter goes back; readings that wait and get no fewer are a note."""
    assert states == [found.state for found in judged(laws)]


def test_a_scrape_adds_up_reason_by_reason(tmp_path: Path) -> None:
    """What is scraped is one snapshot: the reasons of dead letters and quarantine add up to their terms."""
    one = Machine(tmp_path)
    one.journal([air(1, pm25=5.0), air(1, pm25=5.0), air(1, pm25=6.0), air(2, pm25=9_999.0), b"rubbish", air(3, HOUR + 90_000, pm25=1.0)])
    one.forward()
    one.journal([air(4, pm25=5.0)])
    found = scraped(metrics.text(metrics.collect(tmp_path, SystemClock())))

    assert law(7, 1, 1, 2, 2, 1) == found
    assert found and "" == broken(found)
    assert scraped("lanbi_ingest_readings_received_total 5\n") is None


def test_while_readings_flow(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """`lanbi check --live` looks at a running ingest under load and finds the account in order, over /metrics too."""
    with iotcore_broker(house.port, house.data):
        house.listen()
        device = Gadget("air1", house.port)
        for seq in range(3_000):
            device.say(reading(seq % 50) if seq % 9 else b"rubbish")
        found = list(look(load(config(house)[1], {})))
        assert {OK} == {one.state for one in found if one.state != NOTE}, found
        until(lambda: house.law()["pending"] == 0 and house.law()["received"] >= 3_000, "forwarded")
        device.close()
        main(["check", "--live", "--json", *config(house)])
        live = json.loads(capsys.readouterr().out)["live"]

    assert [OK] == list({row["state"] for row in live if row["part"] == "account"})


def test_a_broken_account_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A total that was altered behind everybody's back is seen, and the check ends with 1."""
    one = Machine(tmp_path)
    one.journal([encode(Message(HOUR, 3600, {"pm25": 5.0}, 0, 1))])
    one.forward()
    with one.forwarder() as working, working.state._files.write() as db:  # type: ignore[attr-defined]
        db.execute("UPDATE total SET count = count + 1 WHERE name = 'stored'")
    (tmp_path / "lanbi.toml").write_text(f"data = {json.dumps(str(tmp_path))}\n")

    assert 1 == main(["check", "--live", "--config", str(tmp_path / "lanbi.toml")])
    assert "received 1 ≠ 2" in capsys.readouterr().out

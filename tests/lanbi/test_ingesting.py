"""The ingest process between a real broker and a real store: nothing acknowledged is lost, whatever is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from domain.message import Message, encode
from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.metrics import collect, text
from lanbi.processes import free
from lanbi.seen import Seen
from tests.lanbi.ingest_house import MOSQUITTO, Gadget, House, iotcore_broker, mosquitto_broker, until

BrokerMaker = Callable[[int, Path], AbstractContextManager[None]]
NOW = int(time.time()) // 3600 * 3600
"""Looked at once: were it another hour for the next number, two numbers would speak of one."""
BROKERS = [
    pytest.param(iotcore_broker, id="iotcore"),
    pytest.param(mosquitto_broker, id="mosquitto", marks=[pytest.mark.services, pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto: make services")]),
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house whose process does not outlive the test."""
    one = House(tmp_path)
    yield one
    if one.process and one.process.poll() is None:
        one.kill()


def reading(seq: int, value: float = 5.0) -> bytes:
    """An hour of the past, a different one for each number."""
    return encode(Message(NOW - 3600 * seq, 3600, {"pm25": value}, 0, seq))


@pytest.mark.parametrize("broker", BROKERS)
def test_a_reading_travels_from_device_to_store_and_is_receipted(house: House, broker: BrokerMaker) -> None:
    """Published, journalled, stored, confirmed to the device; a bad one comes back with its reason."""
    with broker(house.port, house.data):
        house.start()
        until(lambda: house.status().get("ready"), "ready")
        device = Gadget("air1", house.port)
        device.say(reading(1))
        device.say(reading(2, 9_999.0))
        until(lambda: device.durable() >= {1, 2} and device.errors, "receipt and error")
        until(lambda: house.law()["pending"] == 0 and house.law()["received"] == 2, "forwarded")
        device.close()

        assert [{"pm25": 5.0}] == [dict(row.values) for row in house.rows().values()]
        assert ("value-out-of-range", 2) == (device.errors[0]["reason"], device.errors[0]["seq"])
        assert 0 == house.stop()


@pytest.mark.parametrize("broker", BROKERS)
def test_kill_9_of_ingest_loses_nothing_acknowledged(house: House, broker: BrokerMaker) -> None:
    """Killed again and again under load, every reading that the broker took is stored exactly once in effect."""
    with broker(house.port, house.data):
        house.start()
        until(lambda: house.status().get("ready"), "ready")
        device = Gadget("air1", house.port)
        sent = 0
        for pause in (0.13, 0.4, 0.02, 0.3):
            infos = [device.say(reading(seq)) for seq in range(sent, sent + 400)]
            sent += 400
            time.sleep(pause)
            house.kill()
            house.law()
            house.start()
            for info in infos:
                info.wait_for_publish(30)
        until(lambda: house.law()["pending"] == 0 and len(house.rows()) == sent, "everything stored")
        device.close()

        law = house.law()
        assert (sent, 0, 0) == (len(house.rows()), law["deadletter"], law["quarantined"])
        assert law["received"] == law["stored"] + law["duplicate"] >= sent


def test_what_is_said_again_after_a_restart_is_confirmed_again(house: House) -> None:
    """Ingest remembers no receipts: a repetition is a duplicate in the account, and the device is told once more."""
    with iotcore_broker(house.port, house.data):
        house.start()
        until(lambda: house.status().get("ready"), "ready")
        device = Gadget("air1", house.port)
        for seq in (3, 4, 5):
            device.say(reading(seq))
        until(lambda: device.durable() == {3, 4, 5} and house.law()["pending"] == 0, "confirmed")
        house.kill()
        house.start()
        until(lambda: house.status().get("ready"), "ready again")
        device.receipts.clear()
        device.say(reading(4))
        until(lambda: device.durable() == {4}, "told again, and nothing else")
        until(lambda: house.law()["pending"] == 0, "decided")
        device.close()

    assert (3, 1) == (house.law()["stored"], house.law()["duplicate"])


def test_a_retained_message_is_no_reading(house: House) -> None:
    """What the broker kept for late subscribers is refused and confirmed to nobody."""
    with iotcore_broker(house.port, house.data):
        device = Gadget("air1", house.port)
        device.say(reading(1), retain=True).wait_for_publish(30)
        house.start()
        until(lambda: house.law()["deadletter"] == 1, "refused")
        device.close()

        assert (set(), {}) == (device.durable(), house.rows())


def test_an_absent_broker_is_said_and_waited_for(house: House) -> None:
    """Without a broker ingest is not ready and says why; when the broker comes it goes on by itself."""
    house.start()
    status = until(lambda: (now := house.status()) and "refused" in str(now["reasons"]) and now, "the cause")
    assert not status["ready"]
    assert f"127.0.0.1:{house.port}" in status["reasons"][0]
    with iotcore_broker(house.port, house.data):
        until(lambda: house.status().get("ready"), "ready")


def test_a_broker_that_comes_back_is_used_again(house: House) -> None:
    """After the broker's death ingest reconnects, subscribes and receives."""
    with iotcore_broker(house.port, house.data):
        house.start()
        until(lambda: house.status().get("ready"), "ready")
    until(lambda: not house.status().get("ready"), "the loss is noticed")
    with iotcore_broker(house.port, house.data):
        until(lambda: house.status().get("ready"), "ready again")
        device = Gadget("air1", house.port)
        device.say(reading(1))
        until(lambda: 1 in device.durable(), "receipt")
        device.close()


def test_a_message_of_64_kb_passes_the_demo_broker(house: House) -> None:
    """The largest message that lanbi takes is not cut off by the embedded broker."""
    with iotcore_broker(house.port, house.data):
        house.start()
        until(lambda: house.status().get("ready"), "ready")
        device = Gadget("air1", house.port)
        large = b"[" + b",".join(reading(seq) for seq in range(600)) + b"]"
        device.say(large + b" " * (65_536 - len(large)))
        until(lambda: len(device.durable()) == 600, "all of it confirmed")
        device.close()


def test_metrics_add_up_and_carry_the_promised_names(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A scrape has the law's terms; the dead letters are listed and shown with their bytes."""
    with iotcore_broker(house.port, house.data):
        house.listen()
        device = Gadget("air1", house.port)
        device.say(reading(1))
        device.say(b'{"seq": 2, "oops": ')
        until(lambda: house.law()["received"] == 2 and house.law()["pending"] == 0, "forwarded")
        device.close()
    config = ["--config", str(house.data / "lanbi.toml")]
    scraped = text(collect(house.data, SystemClock()))

    assert "lanbi_ingest_readings_received_total 2\n" in scraped
    assert 'lanbi_ingest_readings_deadletter_total{reason="bad-json"} 1\n' in scraped
    assert 0 == main(["deadletters", "list", "--json", *config])
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ("bad-json", "air1") == (row["reason"], row["device"])
    assert 0 == main(["deadletters", "show", str(row["id"]), "--json", *config])
    assert b'{"seq": 2, "oops": ' == bytes.fromhex(json.loads(capsys.readouterr().out)["bytes"])
    assert 2 == main(["deadletters", "show", "99", *config])
    assert 2 == main(["deadletters", "list", "--reason", "boredom", *config])


def test_a_second_ingest_on_the_same_folder_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Two listeners never append to one journal."""
    with iotcore_broker(house.port, house.data):
        house.start()

        assert 1 == main(["ingest", "--config", str(house.data / "lanbi.toml")])
    assert "another lanbi" in capsys.readouterr().err


@pytest.mark.parametrize(("url", "cause"), [("http://127.0.0.1:9", "down"), ("http://nowhere.invalid:8086", "down"), ("none", "refused")])
def test_a_wrong_store_never_stops_acknowledgements(house: House, url: str, cause: str) -> None:
    """Whatever is wrong with the store, ingest is ready, journals and confirms, and says what is wrong."""
    house.influx(url)
    with iotcore_broker(house.port, house.data):
        house.start()
        until(lambda: house.status().get("ready"), "ready")
        device = Gadget("air1", house.port)
        for seq in range(1, 101):
            device.say(reading(seq))
        until(lambda: device.durable() == set(range(1, 101)), "receipts")
        status = until(lambda: (now := house.status()) and str(now["store"]).startswith(cause) and now, "the cause")
        device.close()

        assert (True, []) == (status["ready"], status["reasons"])
        assert {"received": 100, "stored": 0, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 100} == house.law()
        assert 0 == house.stop()


@pytest.mark.services
@pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto: make services")
def test_a_refused_login_is_said_in_plain_words(house: House) -> None:
    """A broker that does not want us makes ingest unready with that cause, not with a lost connection."""
    with mosquitto_broker(house.port, house.data, anonymous=False):
        house.start()
        status = until(lambda: (now := house.status()) and "login refused" in str(now["reasons"]) and now, "the cause")

    assert not status["ready"]


def test_newest_values_go_on_while_the_store_is_away(house: House) -> None:
    """With nobody behind the store's address, ingest confirms on, and the newest value is seen with every further reading."""
    for name in ("write", "read"):
        (house.data / name).write_text("a token of nobody\n")
        (house.data / name).chmod(0o600)
    files = f"token_file = {json.dumps(str(house.data / 'write'))}\nread_token_file = {json.dumps(str(house.data / 'read'))}\n"
    with (house.data / "lanbi.toml").open("a") as out:
        out.write(f'\n[store]\nkind = "influx"\nurl = "http://127.0.0.1:{free()}"\n{files}')
    with iotcore_broker(house.port, house.data):
        house.start()
        until(lambda: house.status().get("ready"), "ready")
        device = Gadget("air1", house.port)
        for seq, value in ((9, 5.0), (3, 6.0)):
            device.say(reading(seq, value))
            until(lambda value=value: [value] == seen(house), f"{value} is seen")
        until(lambda: device.durable() >= {9, 3}, "receipts")
        device.close()

        assert (2, 0) == (house.law()["pending"], house.law()["stored"])
        assert 0 == house.stop()
        assert [] == seen(house)


def seen(house: House) -> list[float | None]:
    """The newest PM2.5 values as people see them."""
    view = Seen(house.data)
    found = [row.items["pm25"][0] for row in view.latest()]
    view.close()
    return found

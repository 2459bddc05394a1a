"""``lanbi replay`` and ``lanbi deadletters replay``: alone on a data folder, and beside a running ingest."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InputError
from domain.message import Message, encode
from lanbi import wiring
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.replaying import ask, moment, wait
from tests.ingest.county import TEXT
from tests.lanbi.ingest_house import Gadget, House, iotcore_broker, until
from tests.store_hash import store_hash

NOW = int(time.time()) // 3600 * 3600
NEW_DEVICE = f'{TEXT}[[air_station]]\nid = "tc-a03"\nname = "三号站"\nrole = "township"\n[[device]]\nid = "air3"\nsources = ["tc-a03"]\nformat = "lanbi-json"\ninterval = 3600\nstate = "accepted"\n'


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


def config(house: House) -> list[str]:
    """Where its settings are."""
    return ["--config", str(house.data / "lanbi.toml")]


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The answer for a machine."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def digest(house: House) -> tuple[int, str]:
    """Hash of the readings in its store."""
    store = EmbeddedStore(house.data / "store.db")
    found = store_hash(store)
    store.close()
    return found


def filled(house: House, count: int) -> None:
    """Readings of two devices, one of them not registered, journalled and forwarded by a running ingest."""
    house.start()
    until(lambda: house.status().get("ready"), "ingest listens: the demo's broker keeps nothing for whom it does not know yet")
    gadgets = [Gadget("air1", house.port), Gadget("air3", house.port)]
    for seq in range(1, count + 1):
        for gadget in gadgets:
            gadget.say(reading(seq))
    until(lambda: house.law()["received"] == 2 * count and house.law()["pending"] == 0, "forwarded")
    for gadget in gadgets:
        gadget.close()


def test_beside_a_running_ingest(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The registry is corrected, dead letters are replayed while ingest runs, and it stays the only one that writes the store."""
    with iotcore_broker(house.port, house.data):
        filled(house, 30)
        (house.data / "county.toml").write_text(NEW_DEVICE)
        assert 0 == main([*config(house), "registry", "apply", str(house.data / "county.toml"), "--person", "li"])
        capsys.readouterr()

        assert 0 == main(["deadletters", "replay", "--reason", "unknown-device", "--json", *config(house)])
        account = said(capsys)
        assert ("done", 30, 30, 30) == tuple(account[name] for name in ("state", "read", "stored", "resolved"))
        assert 60 == len(house.rows())
        assert {"received": 90, "stored": 60, "duplicate": 0, "deadletter": 30, "quarantined": 0, "pending": 0} == house.law()
        assert 0 == house.stop()
    assert 0 == main(["deadletters", "list", *config(house)])
    assert "0 条 shown\n" == capsys.readouterr().out
    assert 0 == main(["deadletters", "list", "--all", "--json", "--limit", "1", "--device", "air3", "--since", "1h", *config(house)])
    row = said(capsys)
    assert (account["id"], "unknown-device") == (row["replay"], row["reason"])
    assert 0 == main(["deadletters", "show", str(row["id"]), *config(house)])
    assert f"已解决 settled {row['resolved']} {row['replay']}" in capsys.readouterr().out


def test_alone_into_a_store_that_was_wiped(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an ingest the command works itself; the store hashes as before, whatever was lost."""
    with iotcore_broker(house.port, house.data):
        filled(house, 20)
        house.stop()
    before = digest(house)
    for path in house.data.glob("store.db*"):
        path.unlink()
    assert before != digest(house)

    assert 0 == main(["replay", "--since", "2d", "--json", *config(house)])
    account = said(capsys)
    assert (20, before) == (account["stored"], digest(house))
    assert 0 == main(["replay", "--job", account["id"], *config(house)])
    assert "读取 read 40 = 入库 stored 20 + 重复 duplicate 20 + 死信 dead-letter 0 + 待审 quarantined 0\n" == capsys.readouterr().out


def test_an_interrupted_replay_goes_on_with_the_next_ingest(house: House) -> None:
    """Killed in the middle, the request stands: the ingest that is started next finishes it from where it was."""
    with iotcore_broker(house.port, house.data):
        filled(house, 20)
        house.kill()
        settings = wiring.settings(config(house)[1])
        before = digest(house)
        for path in house.data.glob("store.db*"):
            path.unlink()
        name = ask(settings, "replay", {"user": "li"})
        house.start()
        until(lambda: len(house.rows()) > 0, "the first slice")
        house.kill()
        house.start()

        assert ("done", 40) == (wait(settings, name).state, wait(settings, name).counts["read"])
        assert before == digest(house)


@pytest.mark.parametrize(
    "words",
    [
        ["replay"],
        ["replay", "--since", "yesterday"],
        ["replay", "--since", "1d", "--to", "2026-13-01"],
        ["replay", "--job", "mqtt/1"],
        ["replay", "--job", "person/9"],
        ["deadletters", "replay", "--reason", "boredom"],
    ],
)
def test_wrong_arguments_change_nothing(house: House, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """They end with 2 and say what to write; nothing is journalled."""
    assert 2 == main([*words, *config(house)])
    assert "处理 do:" in capsys.readouterr().err
    assert not (house.data / "journal" / "person").exists()


def test_a_store_that_is_away_is_said_and_the_request_stands(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Without store and ingest it ends with 3, says how to go on, and goes on from there when the store is back."""
    plain = (house.data / "lanbi.toml").read_text()
    house.influx("http://127.0.0.1:9")
    assert 3 == main(["replay", "--since", "1d", *config(house)])
    assert "lanbi replay --job person/1" in capsys.readouterr().err
    (house.data / "lanbi.toml").write_text(plain)

    assert 0 == main(["replay", "--job", "person/1", "--json", *config(house)])
    answer = said(capsys)
    assert ("done", 0) == (answer["state"], answer["read"])


def test_moments() -> None:
    """A date is its first or last second in China, a text without offset is China's time, 2h is two hours before now."""
    assert 1_795_363_200 == moment("2026-11-23", "", 0)
    assert 1_795_363_200 + 86_399 == moment("2026-11-23", "", 0, end=True)
    assert 1_795_363_200 + 8 * 3_600 == moment("2026-11-23T08:00", "", 0) == moment("2026-11-23T00:00:00Z", "", 0)
    assert (800, 13_600) == (moment("2h", "", 8_000), moment("1d", "", 100_000))
    with pytest.raises(InputError):
        moment("2026-02-30", "--since", 0)

"""The broker campaign would see a loss: devices that trust the broker's PUBACK lose readings in it, and its judge names them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from domain.message import decode
from domain.readings import Key, Reading
from edge_sim.spool import Number
from tests.edge_sim.small_county import registry
from tests.faults.broker_kills import killing
from tests.faults.parts.simulated import Simulated, judged
from tests.lanbi.real_broker import real

SAID: dict[str, Any] = {"said": "d-a-1", "run": 0, "seq": 4, "source": None, "span": 3600, "time": 7200, "values": {"pm25": 41.5}}
CONFIRMED = {"confirmed": "d-a-1", "run": 0, "seq": 4}
STORED = Reading("air", "a-1", 3600, 7200, {"pm25": 41.5})
QUIET_S = 3.0
LAW = {"received": 1, "stored": 1, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0}


class Trusting(Simulated):
    """Devices that forget a reading as soon as the broker has acknowledged it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for link in self.fleet.links.values():
            self._make_trusting(link.id, link.bundle.line._client)

    def settle(self, patience: float) -> bool:
        """Nobody tells such devices what ingest has got of what the broker took: until nothing more comes."""
        done, before = super().settle(patience), dict[str, int]()
        while (law := self.house.law()) != before:
            before = law
            time.sleep(QUIET_S)
        return done

    def _make_trusting(self, name: str, client: Any) -> None:
        on_the_way: dict[int, Sequence[Number]] = {}
        publish = client.publish

        def noting(topic: str, payload: bytes, **more: Any) -> Any:
            info = publish(topic, payload, **more)
            if topic.endswith("/data"):
                on_the_way[info.mid] = [(one.run, one.seq or 0) for one in decode(payload)]
            return info

        client.publish = noting
        client.on_publish = lambda _c, _u, mid, *_: self.fleet.spool.drop(name, on_the_way.pop(mid, []))


@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
def test_devices_that_trust_the_broker_lose_readings_and_the_campaign_says_so(tmp_path: Path) -> None:
    """The same kills, without receipts."""
    found = killing(tmp_path, 1, 4, Trusting)

    assert (False, True) == (found["sound"], found["missing"] > 0)
    assert found["missing"] == found["said"] - found["stored"]


def verdict(folder: Path, rows: Sequence[dict[str, Any]], found: dict[Key, Reading], **law: int) -> Any:
    """On a log."""
    log = folder / "log"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return judged(log, found, registry(), LAW | law)


def test_the_judge_sees_each_fault(tmp_path: Path) -> None:
    """A loss, a reading that nobody stored, another value, a refusal, one given up, a row too many; and nothing where all is well."""
    good = {STORED.key: STORED}

    assert verdict(tmp_path, [SAID, CONFIRMED], good).sound
    assert 1 == len(verdict(tmp_path, [SAID, CONFIRMED], {}).lost)
    assert 1 == len(verdict(tmp_path, [SAID], {}).missing)
    assert 1 == len(verdict(tmp_path, [CONFIRMED], good).lost)
    assert 1 == len(verdict(tmp_path, [SAID], {STORED.key: replace(STORED, values={"pm25": 41.0})}).altered)
    assert not verdict(tmp_path, [SAID], good, deadletter=1).sound
    assert not verdict(tmp_path, [SAID], good, stored=2).sound
    assert not verdict(tmp_path, [SAID, {"lost": "d-a-1", "run": 0, "from": 4, "to": 4}], good).sound
    again = {**SAID, "seq": 5, "values": {"pm25": 42.0}}
    assert 1 == len(verdict(tmp_path, [SAID, again], good, stored=1).missing)
    assert verdict(tmp_path, [SAID, again], {STORED.key: replace(STORED, values={"pm25": 42.0})}, stored=2).sound
    assert not verdict(tmp_path, [SAID], good | {STORED.key._replace(time=1): STORED}).sound
    assert not verdict(tmp_path, [], {}, stored=0).sound

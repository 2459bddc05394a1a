"""A real Sparkplug producer behind a real Mosquitto whose birth lanbi has not heard: it is asked for it, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lanbi.embedded import EmbeddedStore
from lanbi.metrics import read_status
from lanbi.state import StateView
from tests.ingest.decoders.foreign_house import PLACES
from tests.ingest.decoders.test_examples import SPARKPLUG
from tests.ingest.decoders.test_producers import PRODUCER
from tests.lanbi.broker_house import Yard
from tests.lanbi.ingest_house import until
from tests.lanbi.real_broker import MOSQUITTO
from tests.lanbi.test_identity import ingesting

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(MOSQUITTO is None or not (PRODUCER / "locked.txt").exists(), reason="no mosquitto or producer: make services"),
]
COUNTY = PLACES + SPARKPLUG.replace('"d1"', '"edge1"').replace("spBv1.0/plant/+/edge/press", "spBv1.0/plant/+/edge/#")
PROGRAM = """
import json, sys
from pysparkplug import Client, DBirth, DData, DataType, Message, MessageType, Metric, NBirth, QoS, Topic
port, password = int(sys.argv[1]), sys.argv[2]
client, seq, values = Client(client_id="edge1", username="edge1", password=password), 0, {"at": 0, "kwh": 0.0}

def say(kind, payload, device=None, births=False):
    topic = Topic(message_type=kind, group_id="plant", edge_node_id="edge", device_id=device)
    client.publish(Message(topic=topic, payload=payload, qos=QoS.AT_MOST_ONCE, retain=False), include_dtypes=births)

def metric(name, **more):
    more = {"datatype": DataType.DOUBLE, "value": values["kwh"], "alias": 1, **more}
    return Metric(timestamp=values["at"] * 1000, name=name, **more)

def birth():
    global seq
    control = metric("Node Control/Rebirth", datatype=DataType.BOOLEAN, value=False, alias=None)
    say(MessageType.NBIRTH, NBirth(timestamp=values["at"] * 1000, seq=0, metrics=(control,)), births=True)
    say(MessageType.DBIRTH, DBirth(timestamp=values["at"] * 1000, seq=1, metrics=(metric("Energy/Total"),)), "press", True)
    seq = 1

def asked(_, message):
    print(json.dumps({one.name: one.value for one in message.payload.metrics}), flush=True)
    values["at"] += 7  # its births say the values of that moment
    birth()

client.subscribe(Topic(message_type=MessageType.NCMD, group_id="plant", edge_node_id="edge"), QoS.AT_MOST_ONCE, asked)
client.connect("127.0.0.1", port=port, callback=lambda _: print("connected", flush=True))
for line in sys.stdin:
    said = json.loads(line)
    values.update(said)
    if said.get("birth"):
        birth()
    else:
        seq = (seq + 1 + said.get("skip", 0)) % 256
        say(MessageType.DDATA, DData(timestamp=values["at"] * 1000, seq=seq, metrics=(metric(None),)), "press")
"""


class Press:
    """The producer, told what to say by its input; what it was asked stands in its output."""

    def __init__(self, yard: Yard) -> None:
        self.log = yard.folder / "press.log"
        command = [sys.executable, "-c", PROGRAM, str(yard.broker.port), yard.password("edge1")]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": str(PRODUCER)}, text=True)

    def say(self, **more: Any) -> None:
        """One line of its input."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(more) + "\n")
        self.process.stdin.flush()

    def asked(self) -> int:
        """How often it was asked for its births."""
        return self.log.read_text(encoding="utf-8").count('{"Node Control/Rebirth": true}')


@contextmanager
def press(yard: Yard) -> Iterator[Press]:
    """The producer, connected."""
    one = Press(yard)
    try:
        until(lambda: "connected" in one.log.read_text(encoding="utf-8"), "the producer is connected")
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


def stored(yard: Yard) -> dict[int, float | None]:
    """Register by time."""
    store = EmbeddedStore(yard.settings.data / "store.db")
    found = {row.time: row.values["register"] for row in store.rows("meter", None, -(2**62), 2**62) if row.key.kind == "meter"}
    store.close()
    return found


def law(yard: Yard) -> dict[str, int]:
    """The account."""
    view = StateView(yard.settings.data)
    try:
        return view.conservation()
    finally:
        view.close()


def test_a_killed_lanbi_asks_for_the_births_that_it_forgot(tmp_path: Path) -> None:
    """Data by alias before the answer wait in the dead letters, with the reason; a replay stores them. A gap asks again, not too soon."""
    yard, at = Yard(tmp_path, COUNTY), int(time.time()) - 600
    yard.prepare()
    path = yard.settings.data / "run" / "ingest.json"
    with yard.broker, press(yard) as one:
        with ingesting(yard):
            one.say(birth=True, at=at, kwh=100.5)
            one.say(at=at + 60, kwh=101.25)
            until(lambda: at + 60 in stored(yard), "what its birth named is stored")
            os.kill(int(read_status(path)["pid"]), signal.SIGKILL)
        path.unlink()  # else the next one would seem to be ready before it is
        before = one.asked()
        with ingesting(yard):
            one.say(at=at + 120, kwh=102.5)
            until(lambda: one.asked() == 1, "it is asked for its births")
            until(lambda: at + 127 in stored(yard), "its births are read")
            one.say(at=at + 180, kwh=103.75)
            until(lambda: at + 180 in stored(yard), "what its new birth names is stored")
            waiting, held = law(yard), at + 120 not in stored(yard)
            one.say(at=at + 240, kwh=104.5, skip=3)
            until(lambda: at + 240 in stored(yard), "what follows a gap is stored all the same")
            assert 0 == yard.lanbi("deadletters", "replay", "--device", "edge1")
            until(lambda: at + 120 in stored(yard), "what waited is stored")
            until(lambda: read_status(path).get("rebirths"), "the process tells of the asking: it does so once a second")
            status = read_status(path)
    found = stored(yard)

    assert {at: 100.5, at + 60: 101.25, at + 120: 102.5, at + 127: 102.5, at + 180: 103.75, at + 240: 104.5} == found
    assert (0, 1, 1) == (before, one.asked(), status["rebirths"])
    assert (1, True) == (waiting["deadletter"], held)

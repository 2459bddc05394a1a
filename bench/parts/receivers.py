"""Receivers alone, as programs: lanbi's listener with its journal, in either way of reading, and paho-mqtt that does nothing but count.

``python bench/parts/receivers.py bulk|stock|paho PORT FOLDER WARM COUNT``: take COUNT messages after the first WARM, then print one
JSON object: messages, readings, seconds and seconds of the processor between the first and the last of them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.link import Broker
from ingest.listener import Listener
from lanbi.clock import SystemClock
from lanbi.journal import JournalWriter
from lanbi.processes import share_interpreter


class Meter:
    """Time between the WARMth and the last message."""

    def __init__(self, warm: int, count: int) -> None:
        self.warm, self.last = warm, warm + count
        self.at = 0
        self.begun = self.used = 0.0
        self.result: dict[str, float] = {}

    def saw(self, messages: int) -> bool:
        """So many came by now: whether that is all."""
        if not self.begun and messages >= self.warm:
            self.at, self.begun, self.used = messages, time.perf_counter(), time.process_time()
        if messages >= self.last and not self.result:
            taken = messages - self.at
            self.result = {"messages": taken, "seconds": time.perf_counter() - self.begun, "cpu": time.process_time() - self.used}
        return bool(self.result)


def lanbi(port: int, folder: Path, meter: Meter, *, bulk: bool) -> dict[str, Any]:
    """The listener of the service with its journal."""
    share_interpreter()
    writer = JournalWriter(folder, "mqtt")
    listener = Listener(Broker("127.0.0.1", port, "receiver"), writer, SystemClock(), bulk=bulk)
    said = [False]

    def stop() -> bool:
        if listener.health.subscribed and not said[0]:
            said[0] = True
            print("ready", flush=True)
        return meter.saw(writer.committed.records)

    listener.run(stop)
    assert listener.health.faults == 0, listener.health.last_fault
    writer.close()
    return {**meter.result, "readings": writer.committed.readings, "receive": listener.health.receive}


def paho(port: int, meter: Meter) -> dict[str, Any]:
    """What a client costs that keeps nothing: its loop, and a callback that counts."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="receiver", clean_session=False)
    seen = [0]

    def heard(*_: Any) -> None:
        seen[0] += 1
        if meter.saw(seen[0]):
            client.disconnect()

    client.on_message = heard
    client.on_connect = lambda one, *_: one.subscribe("lanbi/v1/+/data", 1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    client.loop_forever()
    return dict(meter.result)


def main(kind: str, port: str, folder: str, warm: str, count: str) -> None:
    """Run one."""
    meter = Meter(int(warm), int(count))
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "bulk": lambda: lanbi(int(port), Path(folder), meter, bulk=True),
        "stock": lambda: lanbi(int(port), Path(folder), meter, bulk=False),
        "paho": lambda: paho(int(port), meter),
    }
    print(json.dumps(ways[kind]()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:6])

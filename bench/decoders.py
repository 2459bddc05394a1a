"""What a reading costs from its bytes to the verdict of accept, by each decoder; the native message beside plain ``json`` and checks.

Every case is one message on the topic of its device; what comes out is compared with what the message means before it is timed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.common import Bench, fix_threads

fix_threads(1)

import cbor2

from ingest.accept import Acceptor
from ingest.decoders.hj212 import crc16
from ingest.decoders.hj212_read import count
from ingest.express import Express
from ingest.foresight import STRIDE
from ingest.sequences import Runs
from lanbi.registry import loads
from tests.ingest.decoders.foreign_house import HOUR, PLACES, Message, device, stored
from tests.ingest.decoders.test_hj212_read import FRAMES, speaking

VALUES = {"pm25": 58.0, "pm10": 112.0, "so2": 9.0, "no2": 41.0, "co": 0.9, "o3": 33.0}
ITEMS = ", ".join(f'{{item = "{name}", name = "{name}"}}' for name in VALUES)
MICRO = 1e6
PACK = 60
"""Readings of a SenML pack, one value each."""


def rule(format_: str, more: str = "", items: str = ITEMS) -> str:
    """A device whose messages have a format."""
    return device('["a1"]', f'mapping = "r"\n{more}') + f'[[mapping]]\nid = "r"\nformat = "{format_}"\nitems = [{items}]\n'


def senml(readings: int) -> list[dict[str, object]]:
    """A pack: one reading with all items, or many with one."""
    if readings == 1:
        return [{"bt": HOUR, **({"u": "mg/m3"} if name == "co" else {"u": "ug/m3"}), "n": name, "v": value} for name, value in VALUES.items()]
    return [{"bn": "", "bt": HOUR, "n": "pm25", "u": "ug/m3", "v": 58}, *({"n": "pm25", "u": "ug/m3", "v": 58, "t": -at} for at in range(1, readings))]


def by_number(pack: list[dict[str, object]]) -> list[dict[int, object]]:
    """The pack with CBOR's labels."""
    labels = {"bn": -2, "bt": -3, "n": 0, "u": 1, "v": 2, "t": 6}
    return [{labels[key]: value for key, value in one.items()} for one in pack]


def text(value: object) -> bytes:
    """JSON."""
    return json.dumps(value).encode()


ALINK = {name: {"value": value, "time": HOUR * 1000} for name, value in VALUES.items()}
LINE = "air " + ",".join(f"{name}={value}" for name, value in VALUES.items()) + f" {HOUR}000000000"
PATHS = ", ".join(f'{{item = "{name}", name = "air.{name}"}}' for name in VALUES)
CASES: dict[str, tuple[str, bytes, int]] = {
    "HJ 212 hour frame, 6 items": (speaking("a1"), FRAMES["V7"], 1),
    "SenML JSON, 6 items": (rule("senml-json"), text(senml(1)), 1),
    "SenML JSON, 60 readings of 1 item": (rule("senml-json"), text(senml(PACK)), PACK),
    "SenML CBOR, 60 readings of 1 item": (rule("senml-cbor"), cbor2.dumps(by_number(senml(PACK))), PACK),
    "line protocol, 6 fields": (rule("line-protocol"), LINE.encode(), 1),
    "Telegraf JSON, 6 fields": (rule("telegraf-json"), text({"fields": VALUES, "name": "air", "tags": {}, "timestamp": HOUR}), 1),
    "ThingsBoard, 6 values": (rule("thingsboard"), text({"ts": HOUR * 1000, "values": VALUES}), 1),
    "Alink, 6 properties": (rule("alink"), text({"method": "thing.event.property.post", "params": ALINK}), 1),
    "JSON by paths, 6 items": (rule("json", items=PATHS) + 'time = "t"\n', text({"t": HOUR, "air": VALUES}), 1),
    "native, 6 items, the long way": (device(), text({"seq": 1, "time": HOUR, "span": 3600, "values": VALUES}), 1),
}


def judging(county: str, payload: bytes, readings: int) -> Callable[[], object]:
    """Judges one message; it is accepted whole."""
    acceptor, message = Acceptor(loads(PLACES + county, "bench")), Message(payload)
    for _ in range(3):  # a device's first messages are learned from
        verdicts = acceptor.judge(message)
    assert len(stored(verdicts)) == readings and not any(verdict.refused for verdict in verdicts)
    return lambda: acceptor.judge(message)


def short(express: Express, payloads: list[bytes], readings: int) -> Callable[[], object]:
    """Takes messages the short way, as many at once as the forwarder does; all of them."""
    messages, runs = [Message(payload) for payload in payloads], Runs()
    (easy,) = express.easy(messages, runs)
    assert easy is not None and [VALUES] * readings == [row.values for row in easy.rows]
    return lambda: express.easy(messages, runs)


def plain(payload: bytes) -> Callable[[], object]:
    """What a script would do with a native message: parse, look at each value's range."""
    ranges = {"pm25": 2_000, "pm10": 10_000, "so2": 3_000, "no2": 4_000, "co": 200, "o3": 1_500}

    def look() -> dict[str, float]:
        seen = json.loads(payload)
        return {name: float(value) for name, value in seen["values"].items() if 0 <= value <= ranges[name]}

    assert look() == VALUES
    return look


def many(work: Callable[[], object], times: int) -> Callable[[], None]:
    """The work, so often."""

    def loop() -> None:
        for _ in range(times):
            work()

    return loop


def main() -> None:
    """Time every case."""
    bench = Bench.start("decoders")
    times = 500 if bench.quick else 3_000
    for case, (county, payload, readings) in CASES.items():
        often = max(1, times // readings)
        bench.add(case, bench.race(many(judging(county, payload, readings), often))[0] / often / readings * MICRO, "µs a reading")
    express = Express(Acceptor(loads(PLACES + device(), "bench")))
    native = [text({"seq": seq, "time": HOUR, "span": 3600, "values": VALUES}) for seq in range(STRIDE)]
    tens = [text([{"seq": seq, "time": HOUR - 60 * seq, "span": 60, "values": VALUES} for seq in range(10)])] * (STRIDE // 10)
    rounds = times * 10 // STRIDE
    ours, peer = bench.race(many(short(express, native, STRIDE), rounds), many(plain(native[0]), rounds * STRIDE))
    each = MICRO / rounds / STRIDE
    bench.add("native, 6 items, the short way", ours * each, "µs a reading", peer=peer * each, peer_name="json and a loop")
    bench.add("native, 6 items, the short way, message by message", bench.race(many(short(express, native[:1], 1), times))[0] / times * MICRO, "µs a reading")
    found = bench.race(many(short(express, tens, len(tens) * 10), rounds))[0] / rounds / len(tens) / 10
    bench.add("native, 10 readings of 6 items, the short way", found * MICRO, "µs a reading")
    bench.add("yardstick: json.loads of the native message", bench.race(many(lambda: json.loads(native[0]), times))[0] / times * MICRO, "µs")
    segment = FRAMES["V7"][6:-6]
    bench.add("HJ 212 CRC, 279 bytes", bench.race(many(lambda: crc16(segment), times))[0] / times * MICRO, "µs")
    bench.add("HJ 212, counted before the commit", bench.race(many(lambda: count(FRAMES["V7"]), times))[0] / times * MICRO, "µs a frame")
    bench.finish()


if __name__ == "__main__":
    main()

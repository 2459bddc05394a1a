"""The whole way of a reading, from the broker to the disk of InfluxDB, beside what users would otherwise take; and the receiver alone.

Each run has a Mosquitto of its own and the same influxd, generator and messages; who is measured are Telegraf (where it is: `make
bench-peers`) in three settings, the code of the tutorials (stock paho-mqtt, influxdb-client's batching writer) and `lanbi ingest`, by turns
and in both orders. CPU is the operating system's account of every process. All store the same rows, which is looked at row by row; only
"telegraf, other names" calls its fields otherwise (:data:`bench.parts.peers.TELEGRAFS`). A run after which the database does not hold exactly
the readings that were sent ends the bench: its speed means nothing. lanbi fsyncs its journal before every PUBACK, all the time.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from math import isclose
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads, on_disk, version_of

fix_threads(1)

from bench.parts import peers
from bench.parts.load import prepare
from bench.parts.rig import BROKER, ROOT, WINDOW, Rig
from bench.store import DAY, MEDIANS, MICRO, Server, said
from domain.civil import DAY_S, parse_time
from lanbi.processes import answers, free
from tests.faults.parts.house import Part, PartMissingError, mosquitto, until

READINGS: Final = {1: 60_000, 10: 200_000, 100: 300_000}
READINGS_QUICK: Final = {1: 12_000}
WARM: Final = 0.1
PATIENCE_S: Final = 240.0
Rows = dict[tuple[str, ...], dict[str, Any]]
"""Values by site, span and time [ns]."""


class Spent(NamedTuple):
    """Microseconds of the processor a reading, by who spent it, and readings a second until all were in the database."""

    service: float
    broker: float
    store: float
    load: float
    rate: float


def run(rig: Rig, files: tuple[Path, Path], first: Rows, readings: int, said_sum: float) -> Spent:
    """Warm up with the first file and look at every row that it made, measure with the second, and count what arrived."""
    with rig.running():
        rig.publish(files[0])
        until(lambda: rig.arrived(len(first)), f"{rig.name} has stored the first readings; see {rig.folder}", PATIENCE_S)
        assert rig.whole() == first, f"{rig.name} has stored other rows than were sent; see {rig.folder}"
        before, begun = rig.cpus(), time.perf_counter()
        load = rig.publish(files[1])
        until(lambda: _paused(rig.arrived, len(first) + readings), f"{rig.name} has stored all; it has {rig.rows()}", PATIENCE_S)
        took, after = time.perf_counter() - begun, rig.cpus()
        rows, total = rig.rows()
        whole = rows == len(first) + readings and isclose(total, said_sum, rel_tol=1e-9) and not rig.doubled()
        assert whole, f"{rig.name}: {rows} of {len(first) + readings} readings, {rig.doubled()} twice, sum {total} of {said_sum}: the run does not count"
    used = {name: (after[name] - before[name]) * MICRO / readings for name in after}
    return Spent(used["service"], used["broker"], used["store"], load * MICRO / readings, readings / took)


def rows_of(messages: Sequence[tuple[str, bytes, int]]) -> Rows:
    """What a database should hold of messages."""
    found: Rows = {}
    for topic, payload, _ in messages:
        for one in _listed(json.loads(payload)):
            found[topic.split("/")[2], str(one["span"]), f"{parse_time(one['time'])}000000000"] = one["values"]
    return found


def _paused(arrived: Callable[[int], bool], readings: int) -> bool:
    time.sleep(0.2)
    return arrived(readings)


def whole(bench: Bench, server: Server, scratch: Path, per_message: int, readings: int) -> None:
    """All sides by turns, each round in the other order; medians."""
    names = ["lanbi", "tutorial", *(peers.TELEGRAFS if peers.telegraf() else [])]
    found: dict[str, list[Spent]] = {name: [] for name in names}
    first = int(time.time()) // DAY_S * DAY_S - 300 * DAY
    warm = max(1, int(readings * WARM) // per_message) * per_message
    messages = said(first, warm + readings, per_message)
    files = (scratch / "warm", scratch / "all")
    prepare(files[0], [(topic, payload) for topic, payload, _ in messages[: warm // per_message]])
    prepare(files[1], [(topic, payload) for topic, payload, _ in messages[warm // per_message :]])
    first_rows = rows_of(messages[: warm // per_message])
    total = sum(one["values"]["pm25"] for _, payload, _ in messages for one in _listed(json.loads(payload)))
    for turn in range(2 if bench.quick else bench.rounds):
        for name in names if turn % 2 == 0 else reversed(names):
            bucket = f"{names.index(name)}-{per_message}-{turn}"
            server.bucket(bucket)
            rig = Rig(server, scratch / bucket, name, bucket, many=per_message > 1)
            found[name].append(run(rig, files, first_rows, readings, total))
            shutil.rmtree(rig.folder)
    middle = {name: Spent(*(statistics.median(column) for column in zip(*runs, strict=True))) for name, runs in found.items()}
    told(bench, middle, f"{per_message} a message, {len(messages[0][1]) / per_message:.0f} B and {len(MEDIANS)} values a reading")


def _listed(said_: Any) -> list[Any]:
    return said_ if isinstance(said_, list) else [said_]


def told(bench: Bench, middle: dict[str, Spent], case: str) -> None:
    """Ours beside each peer."""
    ours = middle["lanbi"]
    for name, peer in middle.items():
        if name == "lanbi":
            continue
        label = name if name in peers.TELEGRAFS else "paho-mqtt + influxdb-client"
        version = telegraf_version() if name in peers.TELEGRAFS else f"{version_of('paho-mqtt')} + {version_of('influxdb-client')}"
        named = {"peer_name": label, "peer_version": version}
        for what in ("service", "broker", "store"):
            bench.add(f"CPU of the {what}, {case}", getattr(ours, what), "µs/reading", peer=getattr(peer, what), **named)
        bench.add(f"all into the database, {case}", ours.rate, "readings/s", peer=peer.rate, threads=2, higher_is_better=True, **named)


def telegraf_version() -> str:
    """As the program says it."""
    said_ = subprocess.run([str(peers.telegraf()), "version"], capture_output=True, text=True, check=True).stdout.split()
    return said_[1]


def receivers(bench: Bench, scratch: Path, per_message: int, messages: int) -> None:
    """The receiver alone: listener, journal and acknowledgement, in bulk; beside the stock way, and beside paho that only counts."""
    warm = messages // 10
    path = scratch / "receive"
    all_said = said(0, (warm + messages) * per_message, per_message)
    prepare(path, [(topic, payload) for topic, payload, _ in all_said])
    found: dict[str, list[tuple[float, float]]] = {"bulk": [], "stock": [], "paho": []}
    for turn in range(2 if bench.quick else bench.rounds):
        for kind in found if turn % 2 == 0 else reversed(found):
            found[kind].append(_received(scratch / f"{kind}-{turn}", kind, path, (warm, messages)))
    middle = {kind: [statistics.median(column) for column in zip(*runs, strict=True)] for kind, runs in found.items()}
    case = f"{per_message} a message"
    for kind, name in (("stock", "lanbi, stock loop"), ("paho", "paho-mqtt")):
        ours, peer = middle["bulk"], middle[kind]
        what = "durable" if kind == "stock" else "the peer keeps nothing"
        bench.add(f"receiver ({what}), {case}", ours[0] / per_message, "µs/reading", peer=peer[0] / per_message, peer_name=name)
        bench.add(f"received a second ({what}), {case}", ours[1] * per_message, "readings/s", peer=peer[1] * per_message, peer_name=name, higher_is_better=True)


def _received(folder: Path, kind: str, path: Path, size: tuple[int, int]) -> tuple[float, float]:
    """Microseconds of the receiver's processor a message, and messages a second with broker and generator on the same cores."""
    folder.mkdir()
    port = free(0)
    (folder / "mosquitto.conf").write_text(BROKER.format(port=port), encoding="utf-8")
    broker = Part("mosquitto", [mosquitto(), "-c", str(folder / "mosquitto.conf")], folder / "mosquitto.log", lambda: answers("127.0.0.1", port))
    broker.start()
    command = [sys.executable, "bench/parts/receivers.py", kind, str(port), str(folder / "journal"), *map(str, size)]
    one = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
        load = [sys.executable, "bench/parts/load.py", str(port), str(path), str(WINDOW), "0"]
        subprocess.run(load, cwd=ROOT, capture_output=True, check=True)
        result: dict[str, Any] = json.loads(one.stdout.readline())
        assert one.wait() == 0
    finally:
        one.kill()
        one.wait()
        broker.kill()
        shutil.rmtree(folder)
    return result["cpu"] / result["messages"] * MICRO, result["messages"] / result["seconds"]


def main() -> None:
    """Run all cases."""
    bench = Bench.start("ingest")
    with on_disk() as scratch:
        (scratch / "influxd").mkdir()
        try:
            for per_message, messages in ((1, 20_000), (10, 8_000)) if bench.quick else ((1, 100_000), (10, 40_000), (100, 6_000)):
                receivers(bench, scratch, per_message, messages)
            with Server(scratch / "influxd").running() as server:
                for per_message, readings in (READINGS_QUICK if bench.quick else READINGS).items():
                    whole(bench, server, scratch, per_message, readings)
        except PartMissingError as missing:
            print(missing)
            return
    if not peers.telegraf():
        print("Telegraf is not there: `make bench-peers` builds it (needs go)")
    bench.finish()


if __name__ == "__main__":
    main()

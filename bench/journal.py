"""The journal's bytes and speed: what a reading costs on the disk, how fast days are sealed and verified, and what one record costs.

The readings are those of simulated stations, 12 items in about 220 bytes, once a minute, as single messages and as lists of
ten, journalled by the writer itself in commits of so many messages as a busy and a quiet listener makes.
"""

from __future__ import annotations

import gzip
import hashlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads

fix_threads(1)

import numpy as np
import numpy.typing as npt

from domain.message import Message, encode
from edge_sim.air import AirSignal
from edge_sim.noise import Noise
from lanbi.journal import JournalReader, JournalWriter, files, record
from lanbi.journal_bytes import parity_path, sealed_path
from lanbi.journal_verify import verify
from lanbi.sealed import BLOCK, LEVEL
from lanbi.sealing import seal, sealable
from lanbi.seals import seal_path

BEGIN: Final = 1_760_000_400
STATIONS: Final = 300
MB: Final = 1e6
NS: Final = 10**9
GZIP: Final = shutil.which("gzip") or "gzip"
DAY_NS: Final = 86_400 * NS
LEVELS: Final = (4, LEVEL, 9)
GROUPS: Final = ((1, 100), (10, 100), (1, 9), (1, 1), (10, 1))
"""Readings a message, messages a commit: a busy listener, a quiet one at 140 messages a second, and the worst case."""


def stations(minutes: int) -> list[list[bytes | Message]]:
    """Messages of every station, one a minute: the simulator's hours with the scatter of an instrument, rounded as it rounds."""
    chance = np.random.default_rng(7)
    noise = Noise(7)
    times = BEGIN + 60 * np.arange(minutes)
    return [list(_messages(noise, chance, f"st{number:03d}", times)) for number in range(STATIONS)]


def _messages(noise: Noise, chance: np.random.Generator, name: str, times: npt.NDArray[np.int64]) -> Iterator[Message]:
    truth = AirSignal(noise, name).hours(times)
    shown = {item: np.round(values * (1 + 0.03 * chance.standard_normal(len(times))), 2 if item == "co" else 1) for item, values in truth.items()}
    shown["o3_8h"] = np.round(shown["o3"] * (0.9 + 0.05 * chance.standard_normal(len(times))), 1)
    shown["pressure"] = np.round(1012 + chance.standard_normal() + np.cumsum(0.05 * chance.standard_normal(len(times))), 1)
    shown["wind_speed"] = np.round(np.abs(2 + chance.standard_normal(len(times))), 1)
    shown["wind_dir"] = np.round(180 + 60 * chance.standard_normal(len(times))) % 360
    first = int(chance.integers(1_000, 100_000))
    for place, when in enumerate(times.tolist()):
        yield Message(when, 60, {item: float(values[place]) for item, values in shown.items()}, seq=first + place)


def journalled(folder: Path, said: list[list[bytes | Message]], per_message: int, a_commit: int) -> tuple[int, int]:
    """Journal everything, and one record of the next day so that the file is closed; readings and payload bytes."""
    chance = np.random.default_rng(3)
    writer = JournalWriter(folder, "mqtt")
    now, size, readings = BEGIN * NS, 0, 0
    for place in range(0, len(said[0]), per_message):
        now = max(now, (BEGIN + 60 * place) * NS)
        for number, messages in enumerate(said):
            part = messages[place : place + per_message]
            payload = encode(part[0] if per_message == 1 else part)  # type: ignore[arg-type]
            now += int(chance.exponential(3e5))
            writer.append(f"lanbi/v1/st{number:03d}/data", payload, received_ns=now, readings=len(part), flags=1)
            size, readings = size + len(payload), readings + len(part)
            if writer.pending >= a_commit:
                writer.commit()
    writer.commit()
    writer.append("t", b"", received_ns=BEGIN * NS + DAY_NS, readings=0)
    writer.commit()
    writer.close()
    return readings, size


def sizes(bench: Bench, scratch: Path, said: list[list[bytes | Message]]) -> Path:
    """Bytes a reading, open and sealed; returns the journal of single messages in large commits."""
    for per_message, a_commit in GROUPS[: 3 if bench.quick else len(GROUPS)]:
        folder = scratch / f"{per_message}-{a_commit}"
        readings, payload = journalled(folder, said, per_message, a_commit)
        path = files(folder, "mqtt")[0]
        plain = path.stat().st_size
        case = f"{per_message} a message, {a_commit} messages a commit"
        bench.add(f"payload, {case}", payload / readings, "B/reading")
        bench.add(f"open file beside the payload, {case}", (plain - payload) / readings, "B/reading")
        if (per_message, a_commit) == (1, 100):
            levels(bench, path, readings)
        for closed in sealable(folder, "mqtt"):
            seal(folder, "mqtt", closed)
        sealed = sum(part.stat().st_size for part in (sealed_path(path), parity_path(path), seal_path(path)))
        bench.add(f"sealed in all, {case}", sealed / readings, "B/reading", peer=plain / readings, peer_name="the open file")
    return scratch / "1-100"


def levels(bench: Bench, path: Path, readings: int) -> None:
    """What zlib's levels cost and bring on the same blocks."""
    data = path.read_bytes()[: 8 * BLOCK]
    share = len(data) / path.stat().st_size
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    for level in LEVELS:
        packed: list[bytes] = []
        seconds = cpu(lambda level=level, packed=packed: packed.extend(_packed(block, level) for block in blocks))  # type: ignore[misc]
        bench.add(f"zlib level {level}, data alone", sum(map(len, packed)) / (readings * share), "B/reading")
        bench.add(f"zlib level {level}, data alone", len(data) / seconds / MB, "MB/s", higher_is_better=True)


def _packed(block: bytes, level: int) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return deflate.compress(block) + deflate.flush()


def speeds(bench: Bench, folder: Path) -> None:
    """Verifying beside the bare hash of the same bytes, and finding one record beside inflating everything."""
    path = files(folder, "mqtt")[0]
    packed = sealed_path(path)
    plain = gzip.decompress(packed.read_bytes())
    size = len(plain)
    opened = folder.with_name("open")
    journal = opened / "mqtt"
    journal.mkdir(parents=True)
    for one in (path, files(folder, "mqtt")[1]):
        (journal / one.name).write_bytes(plain if one == path else one.read_bytes())
    assert verify(folder, "mqtt").sound
    assert verify(opened, "mqtt").records == verify(folder, "mqtt").records == JournalReader(folder, "mqtt").read(10**9)[-1].seq
    for name, where in (("open", opened), ("sealed", folder)):
        ours, peer = duel(bench, lambda where=where: verify(where, "mqtt"), lambda: hashlib.sha256(plain).digest())  # type: ignore[misc]
        bench.add(f"verify {name}", size / ours / MB, "MB/s", peer=size / peer / MB, peer_name="sha256 alone", higher_is_better=True)
    seq = verify(folder, "mqtt").records // 2
    found = record(folder, "mqtt", seq)
    assert found
    assert found.payload in plain
    ours, peer = duel(bench, lambda: record(folder, "mqtt", seq), lambda: gzip.decompress(packed.read_bytes()))
    bench.add(f"one record of {size / MB:.0f} MB sealed", ours * 1e3, "ms", peer=peer * 1e3, peer_name="inflating all")


def sealing(bench: Bench, scratch: Path, said: list[list[bytes | Message]]) -> None:
    """A day sealed whole: examined, compressed, read back, parity, names; beside gzip, which does the second only."""
    seconds, peers, size = [], [], 0
    short = [messages[:100] for messages in said]
    for number in range(bench.rounds):
        folder = scratch / f"seal-{number}"
        journalled(folder, short, 1, 100)
        path = files(folder, "mqtt")[0]
        size = path.stat().st_size
        peers.append(cpu(lambda path=path: subprocess.run([GZIP, "-6", "-c", str(path)], stdout=subprocess.DEVNULL, check=True)))  # type: ignore[misc]
        seconds.append(cpu(lambda path=path, folder=folder: seal(folder, "mqtt", path)))  # type: ignore[misc]
        shutil.rmtree(folder)
    ours, peer = statistics.median(seconds), statistics.median(peers)
    bench.add("seal a file", size / ours / MB, "MB/s", peer=size / peer / MB, peer_name="gzip -6", higher_is_better=True)


def beside(bench: Bench, scratch: Path, folder: Path) -> None:
    """How long a commit takes while a day is sealed: by a child at idle priority, and by a thread of the same interpreter."""
    data = gzip.decompress(sealed_path(files(folder, "mqtt")[0]).read_bytes())
    alone = _commits(scratch / "alone", lambda: None, lambda: None)
    child_at, thread_at = _closed(scratch / "child", data), _closed(scratch / "thread", data)
    child: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        child.append(subprocess.Popen([sys.executable, "-c", _CHILD, str(child_at)], stdin=subprocess.PIPE, cwd=Path(__file__).parents[1]))

    def stop() -> None:
        child[0].kill()

    ours = _commits(scratch / "ours", start, stop)
    child[0].communicate()
    thread = threading.Thread(target=lambda: [_sealed(path) for path in sorted(thread_at.iterdir())], daemon=True)
    peer = _commits(scratch / "peer", thread.start, lambda: None)
    thread.join()
    bench.add("commit beside nothing, p99", alone * 1e3, "ms")
    bench.add("commit beside sealing, p99", ours * 1e3, "ms", peer=peer * 1e3, peer_name="sealing in a thread")


_CHILD: Final = """
import sys
from pathlib import Path
from lanbi.keeping import only_idle
from lanbi.sealing import seal, sealable
only_idle()
for folder in sorted(Path(sys.argv[1]).iterdir()):
    for path in sealable(folder, "mqtt"):
        seal(folder, "mqtt", path)
"""


def _closed(folder: Path, data: bytes) -> Path:
    """Some journals with a closed file, for several seconds of sealing."""
    for number in range(6):
        writer = folder / str(number) / "mqtt"
        writer.mkdir(parents=True)
        (writer / "2025-10-09-000000000001.lbj").write_bytes(data)
        one = JournalWriter(folder / str(number), "mqtt")
        one.append("t", b"", received_ns=BEGIN * NS + DAY_NS, readings=0)
        one.commit()
        one.close()
    return folder


def _sealed(folder: Path) -> None:
    for path in sealable(folder, "mqtt"):
        seal(folder, "mqtt", path)


def _commits(folder: Path, start: Callable[[], None], stop: Callable[[], None]) -> float:
    """99th percentile of commits of twenty messages, one every five milliseconds, while something else happens."""
    writer = JournalWriter(folder, "mqtt")
    start()
    times = []
    for _ in range(600):
        time.sleep(0.005)
        begun = time.perf_counter()
        for _ in range(20):
            writer.append("lanbi/v1/st001/data", b"x" * 220, received_ns=BEGIN * NS)
        writer.commit()
        times.append(time.perf_counter() - begun)
    stop()
    writer.close()
    return float(np.percentile(times, 99))


def cpu(work: Callable[[], object]) -> float:
    """Seconds of processor that a piece of work takes, its children's included: others may use this machine."""
    begun = _used()
    work()
    return _used() - begun


def _used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def duel(bench: Bench, ours: Callable[[], object], peer: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of processor of both sides, alternating, after one warm-up each."""
    ours(), peer()
    rounds = [(cpu(ours), cpu(peer)) for _ in range(bench.rounds)]
    return statistics.median(one for one, _ in rounds), statistics.median(other for _, other in rounds)


def main() -> None:
    """Run it."""
    bench = Bench.start("journal")
    said = stations(300 if bench.quick else 720)
    with tempfile.TemporaryDirectory(prefix="lanbi-bench-") as folder:
        sealed = sizes(bench, Path(folder), said)
        sealing(bench, Path(folder), said)
        speeds(bench, sealed)
        beside(bench, Path(folder), sealed)
    bench.finish()


if __name__ == "__main__":
    main()

"""Foreign messages garbled by the million, through every decoder: frames, packs, lines, trees. Nothing crashes, no byte is unaccounted for.

HJ 212 frames are taken apart, whole and as a link brings them: each byte is in one packet or in one piece that is none. Messages of
each class of decoders are judged: each ends in readings, an event or reasons of the closed list, whatever came before. Some of them go
the whole way, journal → forwarder → embedded store, beside good neighbours: the journal gives the bytes back, dead letters hold a line
for each refusal, the neighbours are stored, the account adds up. Alone: ``python -m tests.faults.dialects --only senml-json --seed 7``.
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from domain.places import Registry
from domain.readings import Key
from ingest.accept import Acceptor
from ingest.glance import look
from ingest.ports import Record
from lanbi.journal import JournalWriter, read
from lanbi.registry import loads
from lanbi.state import State
from tests.faults.parts.report import Asked, Finding, main
from tests.ingest.decoders import fuzz
from tests.ingest.decoders.foreign_house import HOUR
from tests.ingest.machine import Machine

FRAMES: Final = 10_000_000
MESSAGES: Final = 1_000_000
WHOLE: Final = 20_000
QUICK: Final = (20_000, 1_000, 120)
"""Frames, messages a class, messages a class the whole way, in the short form."""
CHUNK: Final = 50_000
MANY: Final = 1_000
EVERY: Final = 10
"""One good neighbour for so many garbled messages."""
GATE: Final = "lanbi/v1/gate/data"
NEIGHBOUR: Final = '\n[[device]]\nid = "gate"\nsources = ["w1"]\ninterval = 60\nstate = "accepted"\n'


class Done(NamedTuple):
    """What a chunk came to: how many messages or frames, what they were, and what must not be."""

    size: int
    seen: Counter[str]
    fault: str = ""


Work = Callable[[], Done]


def frames(size: int, seed: int) -> Done:
    """Frames taken apart."""
    return _tried(size, lambda: fuzz.frames(size, seed))


def messages(name: str, size: int, seed: int) -> Done:
    """Messages of a class, judged."""
    return _tried(size, lambda: fuzz.messages(name, size, seed))


def whole(name: str, size: int, seed: int, place: tuple[str, int]) -> Done:
    """Messages of a class the whole way, a house for each of so many golden cases, in a folder."""
    folder, most = place
    cases, total = fuzz.houses()[name][:most], Counter[str]()

    def through() -> Counter[str]:
        for number, case in enumerate(cases):
            house = Path(folder) / f"{name}-{seed}-{number}"
            try:
                total.update(_through(name, case, max(20, size // len(cases)), seed + number, house))
            finally:
                shutil.rmtree(house, ignore_errors=True)
        return total

    return _tried(size, through)


def _tried(size: int, work: Callable[[], Counter[str]]) -> Done:
    try:
        return Done(size, work())
    except Exception as error:  # noqa: BLE001  that is what is looked for
        return Done(0, Counter(), f"{error!r}"[:2_000])


def _through(name: str, case: tuple[Acceptor, str, list[bytes]], size: int, seed: int, folder: Path) -> Counter[str]:
    registry = _with_neighbour(case[0].registry)
    alone = (Acceptor(registry), *case[1:])
    sent = list(fuzz.garbled(name, size, random.Random(seed), [alone]))
    machine = Machine(folder, registry)
    writer, after = JournalWriter(folder / "journal", "mqtt"), {}
    for number, one in enumerate(sent):
        after[writer.append(one.topic, one.payload, received_ns=one.received_ns, readings=look(one.payload)[0], flags=1)] = one
        if number % EVERY == 0:
            writer.append(GATE, _neighbour(number), received_ns=one.received_ns, readings=1, flags=1)
    writer.commit()
    writer.close()
    machine.forward()
    return _looked(name, machine, after, alone[0])


def _with_neighbour(registry: Registry) -> Registry:
    gate = loads(fuzz.PLACES + NEIGHBOUR, "dialects.py").devices["gate"]
    return Registry(**{**{name: getattr(registry, name) for name in registry.__dataclass_fields__}, "devices": {**registry.devices, "gate": gate}})


def _neighbour(number: int) -> bytes:
    return b'{"seq": %d, "time": %d, "span": 0, "values": {"ph": 7.25}}' % (number, HOUR - 60 * (number + 1))


def _looked(name: str, machine: Machine, sent: dict[int, fuzz.Message], acceptor: Acceptor) -> Counter[str]:
    """Look at everything: lines, bytes, neighbours, account."""
    state = State(machine.data)
    lines = Counter(row.seq for _, row in state.refused(limit=10_000_000))
    law = state.conservation()
    state.close()
    found = {record.seq: record.payload for record in _records(machine) if record.topic != GATE}
    if found != {seq: one.payload for seq, one in sent.items()}:
        raise fuzz.told(f"{name}: the journal holds other bytes", len(found), len(sent))
    for seq, one in sent.items():
        wanted = sum(len(verdict.refused) for verdict in acceptor.judge(one._replace(seq=seq)))
        if lines[seq] < wanted:
            raise fuzz.told(f"{name}: {lines[seq]} lines of {wanted} refusals", one.payload)
    stored = machine.rows()
    neighbours = [Key("water", "w1", 0, HOUR - 60 * (number + 1)) for number in range(0, len(sent), EVERY)]
    lost = [key for key in neighbours if key not in stored or dict(stored[key].values) != {"ph": 7.25}]
    if lost:
        raise fuzz.told(f"{name}: good neighbours are lost", lost)
    if law["pending"] or law["received"] != sum(law[word] for word in ("stored", "duplicate", "deadletter", "quarantined")):
        raise fuzz.told(f"{name}: the account does not add up", law)
    return Counter({"messages": len(sent), "lines": lines.total(), "neighbours": len(neighbours), "readings": law["received"], "stored": law["stored"]})


def _records(machine: Machine) -> Iterable[Record]:
    after = 0
    while records := read(machine.data / "journal", "mqtt", after):
        yield from records
        after = records[-1].seq


def campaign(asked: Asked) -> Finding:
    """Frames, then each class; in chunks, each with a seed of its own that finds it again."""
    more = asked.more
    sizes = QUICK if asked.quick else (more.frames, more.messages, more.whole)
    names = [name for name in fuzz.NAMES if more.only in {"", name}]
    begun, faults = time.monotonic(), []
    seen: dict[str, Counter[str]] = {}
    counts: Counter[str] = Counter()
    parts: list[tuple[str, list[Work]]] = [] if more.only not in {"", "frames"} else [("frames", _chunks(frames, sizes[0], asked.seed))]
    for name in names:
        parts.append((name, _chunks(partial(messages, name), sizes[1], asked.seed)))
        parts.append((f"{name}, the whole way", [partial(whole, name, sizes[2], asked.seed, (str(asked.folder), 1 if asked.quick else MANY))]))
    for name, works in parts:
        tally = seen[name] = Counter()
        for done in _done(works, more.workers):
            counts[name] += done.size
            tally += done.seen
            faults += [f"{name}: {done.fault}"] if done.fault else []
        print(f"{name}: {counts[name]:,}, {dict(tally.most_common(6))}, {len(faults)} faults, {time.monotonic() - begun:.0f} s", flush=True)
    alive = all(seen[name]["accepted"] > 0 for name in names)
    return {"sound": not faults and bool(seen) and alive, "figures": _words(names, counts, seen, faults), "seen": seen, "faults": faults[:20]}


def _chunks(work: Callable[[int, int], Done], size: int, seed: int) -> list[Work]:
    return [partial(work, min(CHUNK, size - at), seed * 1_000_003 + number) for number, at in enumerate(range(0, size, CHUNK))]


def _done(works: list[Work], workers: int) -> Iterable[Done]:
    if workers == 1:
        yield from (work() for work in works)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from (one.result() for one in [pool.submit(work) for work in works])


def _words(names: list[str], counts: Counter[str], seen: dict[str, Counter[str]], faults: list[str]) -> list[str]:
    judged = [counts[name] for name in names]
    wholly = Counter[str]()
    for name in names:
        wholly += seen[f"{name}, the whole way"]
    words = [f"{counts['frames']:,} HJ 212 frames taken apart, {seen['frames']['packet']:,} sound packets among them"] if "frames" in seen else []
    if names:
        least = min(seen[name]["accepted"] for name in names)
        words += [
            f"{min(judged):,} messages of each of {len(names)} classes of decoders judged, {sum(judged):,} in all; at least {least:,} readings accepted of each",
            f"{wholly['messages']:,} messages the whole way to the store: {wholly['lines']:,} lines in the dead letters, all {wholly['neighbours']:,} good neighbours stored",
        ]
    return [*words, f"{len(faults)} exceptions, internal faults, bytes or readings unaccounted for"]


ARGUMENTS: Final = (
    ("--frames", int, FRAMES, "HJ 212 frames"),
    ("--messages", int, MESSAGES, "messages of each class"),
    ("--whole", int, WHOLE, "messages of each class, the whole way to the store"),
    ("--only", str, "", "one class, or frames; default: all"),
    ("--workers", int, 2, "processes"),
)

if __name__ == "__main__":
    sys.exit(main("dialects", __doc__.splitlines()[0], campaign, ARGUMENTS))

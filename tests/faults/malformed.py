"""Malformed messages: millions of garbled ones among good ones, and a fuzzer that looks for lines not yet run. Nothing crashes, nothing is lost.

A part goes the whole way, journal → forwarder → embedded store, in folders of some ten thousand messages: each message that is not
wholly stored has its line in the dead letters with a reason that is not "internal", its bytes stand in the journal as they came,
every good neighbour is stored with its value, and the account adds up. The rest goes through decoding and accepting alone, with the
same questions but that of the store. Run it alone with ``python -m tests.faults.malformed --messages 1000000 --whole 100000``.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from domain.message import scan
from domain.readings import Key
from domain.reasons import ALL
from ingest.accept import Acceptor, Verdict
from ingest.deadletters import bytes_of, rows
from ingest.entries import kind_of, read_entries
from lanbi.journal import JournalWriter, read
from lanbi.state import State
from tests.faults.parts.fuzz import CrashError, fuzz
from tests.faults.parts.garble import QOS1, RARE, Garbled, garbled
from tests.faults.parts.report import Asked, Finding, main
from tests.ingest.bad_input import HOUR
from tests.ingest.county import NOW, Message, county
from tests.ingest.machine import Machine

FULL: Final = 10_000_000
WHOLE: Final = 2_000_000
RUNS: Final = 3_000_000
CHUNK: Final = 20_000
GROUP: Final = 1_000
"""Messages of one commit of the journal."""
EVERY: Final = 10
"""One good neighbour for so many garbled messages."""
LARGE: Final = 2_000
GATE: Final = "lanbi/v1/gate/data"
REGISTRY: Final = county()
NAMED: Final = 20


@dataclass
class Count:
    """What a chunk came to; counts add up over chunks."""

    messages: int = 0
    malformed: int = 0
    readings: int = 0
    good: int = 0
    bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)

    def fault(self, what: str, detail: object) -> None:
        """Something that must not be."""
        self.faults[what] += 1
        if len(self.names) < NAMED:
            self.names.append(f"{what}: {detail!r}"[:400])

    def add(self, other: Count) -> None:
        """Add a chunk."""
        for name in ("messages", "malformed", "readings", "good", "bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons += other.reasons
        self.faults += other.faults
        self.names = (self.names + other.names)[:NAMED]


class Part(NamedTuple):
    """A chunk's work: its seed, how many messages, whether the whole way, and the fuzzer's inputs to take along."""

    seed: int
    size: int
    folder: str
    pool: tuple[bytes, ...] = ()


def messages(part: Part) -> list[Garbled]:
    """The chunk's messages: garbled ones, and at first the fuzzer's inputs."""
    chance = np.random.default_rng(part.seed)
    found = [Garbled(data[1:]) for data in part.pool]
    return found + [RARE(chance) if int(chance.integers(LARGE)) == 0 else garbled(chance) for _ in range(part.size - len(found))]


def decoded(part: Part) -> Count:
    """Decode and accept alone."""
    count, acceptor = Count(), Acceptor(REGISTRY)
    for one in messages(part):
        count.messages += 1
        count.bytes += len(one.payload)
        try:
            record, found = record_of(one), verdicts(one, acceptor)
            kept = [row for verdict in found for row in rows(record, verdict, verdict.refused)]
            exact = all(bytes_of(record, row.element) in one.payload for row in kept)
        except Exception as error:  # noqa: BLE001  that is what is looked for
            count.fault("crash", (error, one.payload[:200]))
            continue
        _judge(count, one, found, [row.reason for row in kept])
        if not exact:
            count.fault("bytes", one.payload[:200])
    return count


def verdicts(one: Garbled, acceptor: Acceptor) -> list[Verdict]:
    """What decoding and accepting make of a message."""
    record = record_of(one)
    kind = kind_of(record)
    if kind == "data":
        return acceptor.judge(record)
    return [] if kind == "state" else read_entries(record, REGISTRY).verdicts


def record_of(one: Garbled) -> Message:
    """A message as it stands in the journal."""
    return Message(one.payload, one.topic, flags=one.flags, readings=scan(one.payload)[0])


def _judge(count: Count, one: Garbled, found: list[Verdict], reasons: list[str]) -> None:
    count.malformed += bool(reasons)
    count.readings += sum(verdict.readings for verdict in found)
    count.reasons.update(reasons)
    if not set(reasons) <= set(ALL) or "internal" in reasons:
        count.fault("reason", (reasons, one.payload[:200]))
    alive = sum(verdict.sight is not None for verdict in found)
    count.good += min(alive, one.good)
    if alive < one.good:
        count.fault("neighbour", (alive, one.good, one.payload[:300]))


def whole(part: Part) -> Count:
    """The whole way, in a folder of its own."""
    folder = Path(part.folder) / str(part.seed)
    machine = Machine(folder)
    try:
        sent = messages(part)
        _journal(machine, sent)
        machine.forward()
        return _looked(machine, sent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _journal(machine: Machine, sent: list[Garbled]) -> None:
    writer = JournalWriter(machine.data / "journal", "mqtt")
    for number, one in enumerate(sent):
        events = one.topic.endswith(("/event", "/state"))
        writer.append(one.topic, one.payload, received_ns=NOW * 10**9, readings=0 if events else scan(one.payload)[0], flags=one.flags)
        if number % EVERY == 0:
            writer.append(GATE, _neighbour(number), received_ns=NOW * 10**9, readings=1, flags=QOS1)
        if writer.pending >= GROUP:
            writer.commit()
    writer.commit()
    writer.close()


def _neighbour(number: int) -> bytes:
    return b'{"seq": %d, "time": %d, "span": 0, "source": "tc-w01", "values": {"ph": 7.25}}' % (number, HOUR - 60 * (number + 1))


def _looked(machine: Machine, sent: list[Garbled]) -> Count:
    """Look at everything: lines, bytes, neighbours, account."""
    count = Count(messages=len(sent), bytes=sum(len(one.payload) for one in sent))
    state = State(machine.data)
    lines: dict[int, list[str]] = {}
    for _, row in state.refused(limit=10_000_000):
        lines.setdefault(row.seq, []).append(row.reason)
    law = state.conservation()
    state.close()
    seq, acceptor = 0, Acceptor(REGISTRY)
    for number, one in enumerate(sent):
        seq += 1
        reasons = lines.get(seq, [])
        wanted = sum(len(verdict.refused) for verdict in verdicts(one, acceptor))
        if len(reasons) < wanted:
            count.fault("line", (wanted, reasons, one.payload[:200]))
        count.malformed += bool(reasons)
        count.reasons.update(reasons)
        if not set(reasons) <= set(ALL) or "internal" in reasons:
            count.fault("reason", (reasons, one.payload[:200]))
        seq += number % EVERY == 0
    _compare_bytes(count, machine, sent)
    stored = machine.rows()
    for number in range(0, len(sent), EVERY):
        row = stored.get(Key("water", "tc-w01", 0, HOUR - 60 * (number + 1)))
        count.good += row is not None and dict(row.values) == {"ph": 7.25}
    if count.good != len(range(0, len(sent), EVERY)):
        count.fault("neighbour", count.good)
    count.readings = law["received"]
    if law["received"] != sum(law[name] for name in ("stored", "duplicate", "deadletter", "quarantined")) or law["pending"]:
        count.fault("account", law)
    return count


def _compare_bytes(count: Count, machine: Machine, sent: list[Garbled]) -> None:
    """The journal gives back what came, byte by byte and in order."""
    found, after = [], 0
    while records := read(machine.data / "journal", "mqtt", after):
        found += [record.payload for record in records if record.topic != GATE]
        after = records[-1].seq
    if found != [one.payload for one in sent]:
        count.fault("bytes", len(found))


def campaign(asked: Asked) -> Finding:
    """Fuzz first; then the fuzzer's inputs and the garbled messages, in chunks over the processors."""
    size = 12_000 if asked.quick else asked.more.messages
    through = 6_000 if asked.quick else min(asked.more.whole, size)
    begun = time.monotonic()
    try:
        fuzzed = fuzz(asked.seed, 6_000 if asked.quick else asked.more.runs, asked.folder)
    except CrashError as error:
        return {"sound": False, "figures": [f"the fuzzer found a crash: {error}"[-1_500:]]}
    pool = tuple(fuzzed.pop("pool"))
    parts = _parts(asked, through, pool), _parts(asked, size - through, ())
    wholly, alone = _done(parts[0], whole, asked.more.workers), _done(parts[1], decoded, asked.more.workers)
    took = time.monotonic() - begun
    return _finding(wholly, alone, fuzzed, took)


def _parts(asked: Asked, size: int, pool: tuple[bytes, ...]) -> list[Part]:
    first = asked.seed * 1_000_003 + (0 if pool else 500_000)
    sizes = [min(CHUNK, size - at) for at in range(0, size, CHUNK)]
    return [Part(first + number, one, str(asked.folder), pool[:one] if number == 0 else ()) for number, one in enumerate(sizes)]


def _done(parts: list[Part], work: Any, workers: int) -> Count:
    total = Count()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for number, count in enumerate(pool.map(work, parts)):
            total.add(count)
            if number % 25 == 24:
                print(f"{work.__name__}: {total.messages:,} messages, {total.malformed:,} malformed, faults {dict(total.faults)}", flush=True)
    return total


def _finding(wholly: Count, alone: Count, fuzzed: dict[str, Any], took: float) -> Finding:
    faults = dict(wholly.faults + alone.faults)
    ways = f"{wholly.malformed:,} the whole way to the store, {alone.malformed:,} decoded and accepted"
    figures = [
        f"{wholly.malformed + alone.malformed:,} malformed messages ({ways}) and {fuzzed['runs']:,} runs of {fuzzed['engine']}: {sum(faults.values())} faults",
        f"{wholly.good + alone.good:,} good neighbours stored or accepted, {len(wholly.reasons + alone.reasons)} reasons",
    ]
    words = {
        name: {"messages": one.messages, "malformed": one.malformed, "readings": one.readings, "good": one.good, "mb": round(one.bytes / 1e6)}
        for name, one in (("whole", wholly), ("decoded", alone))
    }
    sound = not faults and min(wholly.malformed, alone.malformed, wholly.good, alone.good) > 0
    reasons = dict((wholly.reasons + alone.reasons).most_common())
    return {
        "sound": sound,
        "figures": figures,
        **words,
        "fuzzed": fuzzed,
        "reasons": reasons,
        "faults": faults,
        "names": wholly.names + alone.names,
        "work_s": round(took),
    }


ARGUMENTS: Final = (
    ("--messages", int, FULL, "garbled messages in all"),
    ("--whole", int, WHOLE, "of them, the whole way to the store"),
    ("--runs", int, RUNS, "runs of the fuzzer"),
    ("--workers", int, 2, "processes"),
)

if __name__ == "__main__":
    sys.exit(main("malformed", __doc__.splitlines()[0], campaign, ARGUMENTS))

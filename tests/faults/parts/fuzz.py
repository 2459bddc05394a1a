"""Coverage-guided fuzzing of the way from bytes to a verdict: inputs that reach new lines are kept and mutated further.

With atheris installed (it is optional: ``pip install atheris``) libFuzzer does it, in a process of its own; without it a small engine
of our own does, guided by the lines that ``sys.settrace`` reports of the decoding modules.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

import numpy as np

from domain import civil
from domain import message as native
from domain.message import scan
from ingest import accept, deadletters, entries
from ingest.deadletters import bytes_of, rows
from ingest.decoders import native as decoders
from tests.faults.parts.garble import WORDS
from tests.ingest.bad_input import AIR, CLASSES
from tests.ingest.county import Message, county

ROOT: Final = Path(__file__).resolve().parents[3]
TOPICS: Final = (AIR, "lanbi/v1/early/data", "lanbi/v1/gate/data", "lanbi/v1/air1/event", "lanbi/v1/~import/lanbi-csv/abc")
LARGEST: Final = 4_096
MODULES: Final = (native, civil, accept, deadletters, decoders, entries)
DONE: Final = re.compile(r"Done (\d+) runs in")
REGISTRY: Final = county()
ACCEPTOR: Final = accept.Acceptor(REGISTRY)


class CrashError(AssertionError):
    """An input that the decoding did not survive, or whose verdict cannot be."""


def one(data: bytes) -> int:
    """Take an input all the way to its refusals; how many there are. The first byte chooses topic and retain flag."""
    first = data[0] if data else 0
    topic = TOPICS[first % len(TOPICS)]
    writer = "import" if "~import" in topic else "mqtt"
    payload = data[1:]
    record = Message(payload, topic, writer, flags=3 if first & 128 else 1, readings=scan(payload)[0])
    verdicts = ACCEPTOR.judge(record) if entries.kind_of(record) == "data" else entries.read_entries(record, REGISTRY).verdicts
    found = [row for verdict in verdicts for row in rows(record, verdict, verdict.refused)]
    for row in found:
        if row.reason == "internal":
            raise CrashError(f"{row.detail}: {data!r}")
        if bytes_of(record, row.element) not in payload:
            raise CrashError(f"not the bytes that came: {data!r}")
    return len(found)


def seeds() -> list[bytes]:
    """Where to begin: the known classes, and what good messages look like."""
    found = [bytes([number % len(TOPICS)]) + bad.payload for number, bad in enumerate(CLASSES) if len(bad.payload) < LARGEST]
    good = (
        b'{"seq": 1, "time": "2026-11-23T08:00:00+08:00", "span": 3600, "values": {"pm25": 58, "co": null}, "flags": {"pm25": "M"}}',
        b'{"type": "lost", "run": 0, "from": 1, "to": 4}',
    )
    return [*found, *(bytes([number]) + one for number in range(len(TOPICS)) for one in (*good, b"[" + good[0] + b"," + good[0] + b"]"))]


def fuzz(seed: int, runs: int, folder: Path) -> dict[str, Any]:
    """Fuzz; what was done, and the inputs that were kept. Raises CrashError with the input that did it."""
    if importlib.util.find_spec("atheris"):
        return _atheris(seed, runs, folder)
    return _own(seed, runs)


def _own(seed: int, runs: int) -> dict[str, Any]:
    chance = np.random.default_rng(seed)
    pool, seen = seeds(), set()
    for data in pool:
        seen |= covered(lambda data=data: one(data))
    begun = len(seen)
    for _ in range(runs):
        data = mutated(chance, pool)
        fresh = covered(lambda data=data: one(data)) - seen
        if fresh:
            seen |= fresh
            pool.append(data)
    return {"engine": "own", "runs": runs, "lines_at_first": begun, "lines": len(seen), "pool": pool}


def covered(work: Callable[[], object]) -> set[tuple[CodeType, int]]:
    """Lines of the decoding modules that a call runs through."""
    files = {module.__file__ for module in MODULES}
    lines: set[tuple[CodeType, int]] = set()

    def inside(frame: FrameType, what: str, _: object) -> Any:
        if what == "line":
            lines.add((frame.f_code, frame.f_lineno))
        return inside

    before = sys.gettrace()
    sys.settrace(lambda frame, _what, _arg: inside if frame.f_code.co_filename in files else None)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


def mutated(chance: np.random.Generator, pool: list[bytes]) -> bytes:
    """One of the pool, changed in some places, or grown together with another."""
    data = bytearray(pool[int(chance.integers(len(pool)))])
    for _ in range(int(chance.integers(1, 6))):
        at, way = int(chance.integers(len(data) + 1)), int(chance.integers(7))
        if way == 0 and at < len(data):
            data[at] = int(chance.integers(256))
        elif way == 1:
            del data[at : at + int(chance.integers(1, 20))]
        elif way == 2:
            data[at:at] = chance.bytes(int(chance.integers(1, 6)))
        elif way == 3:
            data[at:at] = str(WORDS[int(chance.integers(len(WORDS)))]).encode(errors="surrogatepass")
        elif way == 4:
            other = pool[int(chance.integers(len(pool)))]
            data[at:] = other[int(chance.integers(len(other) + 1)) :]
        elif way == 5:
            data[at:at] = bytes([int(chance.choice(np.frombuffer(b'{}[]",:0123456789.-+eE\\ntfu', np.uint8)))])
        else:
            data[at:at] = data[at : at + int(chance.integers(1, 60))]
    return bytes(data[:LARGEST])


def _atheris(seed: int, runs: int, folder: Path) -> dict[str, Any]:
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, data in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(data)
    command = [
        sys.executable,
        "-m",
        "tests.faults.parts.fuzz",
        str(corpus),
        f"-seed={seed or 1}",
        f"-runs={runs}",
        f"-max_len={LARGEST}",
        "-print_final_stats=0",
        "-timeout=20",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = DONE.search(done.stderr)
    if done.returncode or not found:
        raise CrashError(_last_words(done.stderr))
    covs = [int(text) for text in re.findall(r"cov: (\d+)", done.stderr)]
    pool = [path.read_bytes() for path in sorted(corpus.iterdir())]
    return {"engine": "atheris", "runs": int(found[1]), "edges_at_first": covs[0], "edges": covs[-1], "pool": pool}


def _last_words(told: str) -> str:
    """What libFuzzer says at its end, without its progress."""
    return "\n".join(line for line in told.splitlines() if not line.startswith("#"))[-2_000:]


def _instrumented(arguments: Iterable[str]) -> None:
    """As a process of its own: libFuzzer drives :func:`one`, with the decoding modules instrumented."""
    import atheris

    for module in MODULES:
        found = [one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__]
        functions = [one for part in found for one in (vars(part).values() if isinstance(part, type) else [part])]
        for function in functions:
            if isinstance(function, FunctionType):
                atheris.instrument_func(function)
    atheris.Setup([sys.argv[0], *arguments], lambda data: one(data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    _instrumented(sys.argv[1:])

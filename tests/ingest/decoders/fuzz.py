"""Mutated messages through every decoder: ``python -m tests.ingest.decoders.fuzz [--frames N] [--messages N] [--seed S]``.

A frame's pieces must tile its bytes. A message must end in verdicts: no exception, no ``internal``, and no exception's name in what the
sender is told. What is mutated are the golden messages of the tests.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import cbor2

from ingest.accept import Acceptor
from ingest.decoders.formats import DIALECTS
from ingest.decoders.hj212 import Dialect, Packet, crc16, frame, take
from lanbi.registry import loads
from tests.ingest.decoders.foreign_house import HOUR, NS, PLACES, Message
from tests.ingest.decoders.test_dialects import CASES
from tests.ingest.decoders.test_examples import BIRTH, DATA, SPARKPLUG
from tests.ingest.decoders.test_hj212_read import FRAMES, speaking

ROUGH = re.compile(r"\w+(?:Error|Exception)\(")
WORDS = (
    b"##",
    b"&&",
    b"\r\n",
    b";",
    b",",
    b"=",
    b"-",
    b"N",
    b"{}",
    b"[]",
    b"null",
    b"NaN",
    b"1e999",
    b'"',
    b"\\",
    b"\xff",
    b"\x00",
    b"0",
    b"9999999999999999999",
    b"true",
)
WORDS += (b"CP=&&", b"DataTime=20261123080000", b"-Avg=", b"PNUM=2;PNO=1;", b"\xf9\x7e\x00", b"\x9f", b"\xbf\xff")


NODES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**63,
    10**30,
    1.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "1e5",
    "NaN",
    "\ud800",
    [],
    {},
    [[]],
    {"a": 1},
    [1, 2],
)
NODES += (HOUR, HOUR * 1000, "2026-11-23T09:00:00+08:00", {"value": 1, "time": HOUR * 1000}, -9999, "x" * 100)
NODES_KEYS = ("", "n", "bn", "s", "v", "t", "u", "x_", "ts", "values", "properties", "services", "params", "value", "time", "key", "i", "fields", "tags")


def mutated(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """A few random changes: bytes turned, words put in, stretches cut out, doubled, or taken from another."""
    text = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randint(0, len(text)), chance.randint(1, 12)
        kind = chance.randrange(5)
        if kind == 0 and at < len(text):
            text[at] = chance.randrange(256)
        elif kind == 1:
            text[at:at] = chance.choice(WORDS)
        elif kind == 2:
            del text[at : at + size]
        elif kind == 3:
            text[at:at] = text[at : at + size]
        else:
            other = chance.choice(others)
            begin = chance.randint(0, len(other))
            text[at : at + size] = other[begin : begin + size]
    return bytes(text)


def grown(chance: random.Random, data: bytes) -> bytes | None:
    """A message of JSON or CBOR with a few nodes of its tree changed, so that it stays one; None if it is neither."""
    packed = data[:1] >= b"\x80"
    try:
        tree = cbor2.loads(data) if packed else json.loads(data)
    except (ValueError, cbor2.CBORError):
        return None
    root = [tree]
    for _ in range(chance.randint(1, 3)):
        nodes = list(places(root))
        parent, key = chance.choice(nodes)
        kind = chance.randrange(4)
        if kind == 0 and len(nodes) > 1:
            other, place = chance.choice(nodes)
            parent[key] = copy.deepcopy(other[place])
        elif kind == 1 and isinstance(parent, dict):
            del parent[key]
            continue
        elif kind == 2 and isinstance(parent, dict):
            parent[chance.choice(NODES_KEYS)] = parent.pop(key)
            continue
        else:
            parent[key] = copy.deepcopy(chance.choice(NODES))
    try:
        return cbor2.dumps(root[0]) if packed else json.dumps(root[0]).encode()
    except UnicodeEncodeError:  # half a character, which CBOR has no way to say
        return None


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """(parent, key) of every node below a container."""
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list) and value:
            yield from places(value)


def frames(runs: int, seed: int) -> Counter[str]:
    """Mutated HJ 212 frames, half of them under a right CRC, taken apart; what they were."""
    chance, pool, told = random.Random(seed), list(FRAMES.values()), Counter[str]()
    dialects = (Dialect(), Dialect(tolerant=True), Dialect("modbus"))
    for number in range(runs):
        payload = mutated(chance, chance.choice(pool), pool)
        if number % 2:
            payload = frame(payload[6:-6][:1_024]) + payload[: chance.randrange(8)]
        at, dialect = 0, dialects[number % 3]
        while at < len(payload):
            found, end = take(payload, at, dialect, final=True)
            whole = isinstance(found, Packet) or (found is not None and (found.cause in {"grammar", "encrypted"} or found.raw == payload[at:end]))
            if not whole or end <= at:
                raise AssertionError(f"bytes are lost: {payload!r}")
            told["packet" if isinstance(found, Packet) else found.cause] += 1  # type: ignore[union-attr]
            at = end
    return told


def houses() -> dict[str, list[tuple[Acceptor, str, list[bytes]]]]:
    """By format: acceptors of the golden cases with their topics and messages."""
    found: dict[str, list[tuple[Acceptor, str, list[bytes]]]] = {name: [] for name in ("hj212", *DIALECTS)}
    found["hj212"].append((Acceptor(loads(PLACES + speaking("a1"), "f")), "lanbi/v1/d1/data", list(FRAMES.values())))
    found["sparkplug-b"].append((Acceptor(loads(PLACES + SPARKPLUG, "f")), "spBv1.0/plant/DDATA/edge/press", [bytes.fromhex(DATA), bytes.fromhex(BIRTH)]))
    for case in CASES.values():
        format_ = re.search(r'\nformat = "([\w-]+)"', case.devices)
        payload = case.payload.encode() if isinstance(case.payload, str) else case.payload
        if format_:
            found[format_[1]].append((Acceptor(loads(PLACES + case.devices, "f")), case.topic, [payload]))
    examples = '[[mapping]]\nid = "r"\nformat = "json"\nrecords = "rows[]"\ntime = "t"\nsource = "id"\nitems = [{item = "pm25", name = "v.p"}]\n'
    device = '\n[[device]]\nid = "d1"\nsources = ["a1"]\nmapping = "r"\ninterval = 60\nstate = "accepted"\nnames = {x = "a1"}\n'
    found["json"].append((Acceptor(loads(PLACES + device + examples, "f")), "lanbi/v1/d1/data", [b'{"rows":[{"t":%d,"id":"x","v":{"p":38.5}}]}' % HOUR]))
    return found


def messages(name: str, runs: int, seed: int) -> Counter[str]:
    """Mutated messages of a format, judged; how often each reason was given."""
    chance, cases, told = random.Random(seed), houses()[name], Counter[str]()
    pool = [payload for _, _, payloads in cases for payload in payloads]
    for number in range(runs):
        acceptor, topic, payloads = cases[number % len(cases)]
        seed_ = chance.choice(payloads)
        payload = (grown(chance, seed_) if number % 3 else None) or mutated(chance, seed_, pool)
        if name == "hj212" and number % 2:
            payload = frame(payload[6:-6][:1_024])
        for verdict in acceptor.judge(Message(payload, topic, (HOUR + 60) * NS)):
            told["accepted" if verdict.sight else "refused"] += verdict.readings
            for one in verdict.refused:
                told[one.reason] += 1
                if one.reason == "internal" or ROUGH.search(one.detail):
                    raise AssertionError(f"{name}: {one.detail}: {payload!r}")
    return told


def lines(frame_runs: int, message_runs: int, seed: int) -> Iterator[str]:
    """Fuzz everything and say what was seen."""
    begun = time.perf_counter()
    yield f"frames {frame_runs}: {dict(frames(frame_runs, seed))} in {time.perf_counter() - begun:.0f} s"
    for name in houses():
        begun = time.perf_counter()
        yield f"{name} {message_runs}: {dict(messages(name, message_runs, seed).most_common())} in {time.perf_counter() - begun:.0f} s"


def main() -> int:
    """As many as asked for."""
    parser = argparse.ArgumentParser(description="fuzz of the foreign decoders")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    assert crc16(b"A") == 0x7080
    for line in lines(args.frames, args.messages, args.seed):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

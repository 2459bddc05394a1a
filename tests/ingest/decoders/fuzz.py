"""Mutated messages through every decoder; in full by ``python -m tests.faults.dialects``.

A frame's pieces must tile its bytes, also when they come in parts. A message must end in verdicts whose reasons stand in the closed list:
no exception, no ``internal``, no exception's name in what the sender is told; and what is accepted can be a reading. What is mutated are
the golden messages of the tests.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from math import isfinite
from typing import Any

import cbor2

from domain.items import ITEMS
from domain.readings import DEVICE_FLAGS
from domain.reasons import ALL, MAX_MESSAGE
from ingest.accept import WHOLE, Acceptor, Verdict
from ingest.deadletters import bytes_of, rows
from ingest.decoders.formats import DIALECTS
from ingest.decoders.hj212 import Bad, Dialect, Packet, frame, packets, take
from ingest.decoders.hj212_read import OTHERS
from ingest.decoders.hj212_states import TYPES
from lanbi.registry import loads
from tests.ingest.decoders.foreign_house import HOUR, NS, PLACES, Message, device
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
NAMES = ("hj212", *DIALECTS, "lanbi-json")
"""Classes of decoders."""
SILENT = frozenset({"sparkplug-b", "json"})
"""Formats with messages that bring no reading: those of a node's own, those that a rule skips."""
LETTERS = frozenset(DEVICE_FLAGS | set("ZW"))
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
    """A few random changes: bytes and bits turned, words put in, stretches cut out, doubled, or taken from another, the end cut off."""
    text = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randint(0, len(text)), chance.randint(1, 12)
        chance.choice(CHANGES)(chance, text, at, at + size)
        if not chance.randrange(4):
            other = chance.choice(others)
            begin = chance.randint(0, len(other))
            text[at : at + size] = other[begin : begin + size]
    return bytes(text)


def _byte(chance: random.Random, text: bytearray, at: int, _end: int) -> None:
    text[at : at + 1] = bytes([chance.randrange(256)])


def _bit(chance: random.Random, text: bytearray, at: int, _end: int) -> None:
    if at < len(text):
        text[at] ^= 1 << chance.randrange(8)


def _word(chance: random.Random, text: bytearray, at: int, _end: int) -> None:
    text[at:at] = chance.choice(WORDS)


def _without(_chance: random.Random, text: bytearray, at: int, end: int) -> None:
    del text[at:end]


def _twice(_chance: random.Random, text: bytearray, at: int, end: int) -> None:
    text[at:at] = text[at:end]


def _short(chance: random.Random, text: bytearray, at: int, _end: int) -> None:
    if not chance.randrange(3):
        del text[at:]


def _long(chance: random.Random, text: bytearray, at: int, end: int) -> None:
    if not chance.randrange(1_000):
        text[at:at] = text[at:end] * 6_000  # about the most that a message may be, or more


CHANGES = (_byte, _bit, _word, _without, _twice, _short, _long)


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


def told(what: str, *more: object) -> AssertionError:
    """Something that must not be, with the bytes that show it."""
    return AssertionError(f"{what}: {', '.join(repr(one)[:3_000] for one in more)}")


def tiles(payload: bytes, dialect: Dialect) -> list[Packet | Bad]:
    """Pieces of a payload: each byte is in exactly one, and each piece holds its own."""
    at, found = 0, []
    while at < len(payload):
        piece, end = take(payload, at, dialect, final=True)
        if piece is None or end <= at:
            raise told("no way on", payload, at)
        around = end - at - len(piece.raw)  # mark, length, CRC and line end of a frame; nothing else has anything
        framed = isinstance(piece, Packet) or piece.cause in {"grammar", "encrypted"}
        if piece.raw not in payload[at:end] or not (9 <= around <= 12 if framed else around == 0):
            raise told("bytes are lost", payload, at, piece)
        found.append(piece)
        at = end
    return found


def streamed(chance: random.Random, payload: bytes, dialect: Dialect) -> list[Packet]:
    """Packets of the same bytes as they come over a link, in parts of any size; what waits is never longer than the bound."""
    buffer, found, at = b"", [], 0
    while at < len(payload):
        size = chance.choice((1, 2, 3, 7, 40, 400, 4_000))
        buffer += payload[at : at + size]
        at += size
        begin = 0
        while begin < len(buffer):
            piece, end = take(buffer, begin, dialect)
            if piece is None:
                break
            found += [piece] if isinstance(piece, Packet) else []
            begin = end
        buffer = buffer[begin:]
    return found + [one for one in tiles(buffer, dialect) if isinstance(one, Packet)]


def frames(runs: int, seed: int) -> Counter[str]:
    """Mutated HJ 212 frames, half of them under a right CRC, taken apart; what they were."""
    chance, pool, seen = random.Random(seed), list(FRAMES.values()), Counter[str]()
    dialects = (Dialect(), Dialect(tolerant=True), Dialect("modbus"))
    for number in range(runs):
        payload = mutated(chance, chance.choice(pool), pool)
        if number % 2:
            payload = frame(payload[6:-6][:1_024]) + payload[: chance.randrange(8)]
        if number % 16 == 0:
            payload += chance.choice(pool)
        dialect = dialects[number % 3]
        found = tiles(payload, dialect)
        for piece in found:
            seen["packet" if isinstance(piece, Packet) else piece.cause] += 1
        if number % 8 == 0 and dialect.tolerant is False:
            whole = [piece for piece in found if isinstance(piece, Packet)]
            parts = streamed(chance, payload, dialect)
            if parts != whole:
                raise told("a link hears another packet", payload, whole, parts)
            seen["packet over a link"] += len(parts)
    return seen


def houses() -> dict[str, list[tuple[Acceptor, str, list[bytes]]]]:
    """By format: acceptors of the golden cases with their topics and messages."""
    found: dict[str, list[tuple[Acceptor, str, list[bytes]]]] = {name: [] for name in NAMES}
    found["hj212"].append((Acceptor(loads(PLACES + speaking("a1"), "f")), "lanbi/v1/d1/data", list(FRAMES.values())))
    found["sparkplug-b"].append((Acceptor(loads(PLACES + SPARKPLUG, "f")), "spBv1.0/plant/DDATA/edge/press", [bytes.fromhex(DATA), bytes.fromhex(BIRTH)]))
    for case in CASES.values():
        format_ = re.search(r'\nformat = "([\w-]+)"', case.devices)
        payload = case.payload.encode() if isinstance(case.payload, str) else case.payload
        if format_:
            found[format_[1]].append((Acceptor(loads(PLACES + case.devices, "f")), case.topic, [payload]))
    examples = '[[mapping]]\nid = "r"\nformat = "json"\nrecords = "rows[]"\ntime = "t"\nsource = "id"\nitems = [{item = "pm25", name = "v.p"}]\n'
    rows_ = '\n[[device]]\nid = "d1"\nsources = ["a1"]\nmapping = "r"\ninterval = 60\nstate = "accepted"\nnames = {x = "a1"}\n'
    found["json"].append((Acceptor(loads(PLACES + rows_ + examples, "f")), "lanbi/v1/d1/data", [b'{"rows":[{"t":%d,"id":"x","v":{"p":38.5}}]}' % HOUR]))
    native = b'{"seq":7,"time":"2026-11-23T09:00:00+08:00","span":3600,"values":{"pm25":58,"co":0.9},"flags":{"co":"M"}}'
    found["lanbi-json"].append((Acceptor(loads(PLACES + device(), "f")), "lanbi/v1/d1/data", [native, b"[%b,%b]" % (native, native)]))
    return found


def messages(name: str, runs: int, seed: int) -> Counter[str]:
    """Mutated messages of a format, judged; how often each reason was given."""
    chance, cases, seen = random.Random(seed), houses()[name], Counter[str]()
    for number, message in enumerate(garbled(name, runs, chance, cases)):
        acceptor = cases[number % len(cases)][0]
        verdicts = judged(name, acceptor, message)
        for verdict in verdicts:
            seen["accepted" if verdict.sight else "event" if verdict.event else "refused"] += max(1, verdict.readings)
            seen.update(one.reason for one in verdict.refused)
        seen["understood, no reading"] += not verdicts
        if number % (16 if name == "hj212" else 64) in {0, 3} and name != "sparkplug-b" and Acceptor(acceptor.registry).judge(message) != verdicts:
            raise told(f"{name}: what was heard before changes the verdict", message.payload)
    return seen


def garbled(name: str, runs: int, chance: random.Random, cases: list[tuple[Acceptor, str, list[bytes]]]) -> Iterator[Message]:
    """Messages of a format, each for the acceptor whose turn it is."""
    pool = [payload for _, _, payloads in cases for payload in payloads]
    for number in range(runs):
        _, topic, payloads = cases[number % len(cases)]
        golden = chance.choice(payloads)
        payload = (grown(chance, golden) if number % 3 else None) or mutated(chance, golden, pool)
        if name == "hj212" and number % 2:
            payload = frame(payload[6:-6][:1_024])
        if name == "hj212" and number % 16 == 3:  # what was met before is remembered; now and then only a digit differs
            payload = frame(re.sub(rb"(?<=[=.])\d(?=[,;&])", b"%d" % chance.randrange(10), golden[6:-6], count=chance.randrange(3)))
        yield Message(payload, topic, (HOUR + 60) * NS)


def judged(name: str, acceptor: Acceptor, message: Message) -> list[Verdict]:
    """Verdicts of a message, each of which must be one that can be."""
    payload = message.payload
    verdicts = acceptor.judge(message)
    for verdict in verdicts:
        if (verdict.sight is None and not verdict.refused) != (verdict.event is not None):
            raise told(f"{name}: neither reading, event nor reason", verdict, payload)
        for one in verdict.refused:
            if one.reason not in ALL or one.reason == "internal" or ROUGH.search(one.detail):
                raise told(f"{name}: {one.reason}: {one.detail}", payload)
        if any(bytes_of(message, WHOLE) != payload or not row.reason for row in rows(message, verdict, verdict.refused)):
            raise told(f"{name}: not the bytes that came", payload)
        if verdict.sight is not None and not _possible(verdict, acceptor):
            raise told(f"{name}: this can be no reading", verdict, payload)
    _accounted(name, verdicts, payload)
    return verdicts


def _possible(verdict: Verdict, acceptor: Acceptor) -> bool:
    sight = verdict.sight
    assert sight is not None
    known = acceptor.registry.devices[sight.device]
    within = all(
        value is None or (isfinite(value) and ITEMS[sight.kind, item].low - ITEMS[sight.kind, item].tiny <= value <= ITEMS[sight.kind, item].high)
        for item, value in sight.values.items()
    )
    return (
        within
        and bool(sight.values)
        and sight.source in known.sources.newest
        and sight.flags.keys() <= sight.values.keys()
        and set(sight.flags.values()) <= LETTERS
    )


def _accounted(name: str, verdicts: list[Verdict], payload: bytes) -> None:
    """Nothing of a message is passed over: every piece of HJ 212 has its verdict, and no other format falls silent but where it may."""
    if name != "hj212":
        if not verdicts and name not in SILENT:
            raise told(f"{name}: silence", payload)
        return
    if len(payload) > MAX_MESSAGE:  # refused before it is taken apart, with as many readings as its journal's record says
        if [row.reason for verdict in verdicts for row in verdict.refused] != ["oversize"]:
            raise told("hj212: too much, and not refused for it", payload, verdicts)
        return
    pieces = list(packets(payload))
    certain = sum(piece.command in TYPES or piece.command not in OTHERS if isinstance(piece, Packet) else bool(piece.raw.strip()) for piece in pieces)
    heard = sum(verdict.readings if verdict.element == WHOLE else 1 for verdict in verdicts)
    if pieces and not certain <= heard <= len(pieces):
        raise told("hj212: pieces without a verdict", payload, pieces, verdicts)

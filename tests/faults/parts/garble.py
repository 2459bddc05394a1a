"""Malformed messages without end: good ones garbled in the ways that devices, brokers, gateways and attackers garble them.

A generator is a pure function of its chance. What comes out is mostly malformed, now and then good by luck; the judge does not
need to know, for it asks what the service made of it, and whether that can be.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from tests.ingest.bad_input import AIR, CLASSES, HOUR, message

QOS1: Final = 1
RETAINED: Final = 3
WORDS: Final = (
    "",
    "NaN",
    "null",
    "-",
    "\0",
    "站",
    "\ud800",
    "pm25",
    "time",
    "a" * 300,
    "pm25=1 1\nair,site=x",
    "'; DROP TABLE air; --",
    "+",
    "#",
    "$SYS",
    "\u202e",
    "５",
    "\\",
    '"',
)
NUMBERS: Final = (
    "NaN", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 5_000, "-0", "-0.0", "1e-400", "0x10", "05", "+5", ".5", "5.", "1_000", "5e", "1E+2", "2000.5", "-11", "true", '"5"', "[5]",
    "{}", "0." + "3" * 400,
)  # fmt: skip
CODECS: Final = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "gb18030", "cp037", "utf-7")
Chance = np.random.Generator


class Garbled(NamedTuple):
    """One message on the wire, and how many good elements of a list must survive in it."""

    payload: bytes
    topic: str = AIR
    flags: int = QOS1
    good: int = 0


def garbled(chance: Chance) -> Garbled:
    """One message, garbled in one of the ways."""
    return WAYS[int(chance.integers(len(WAYS)))](chance)


def _pick(chance: Chance, some: Sequence[Any]) -> Any:
    return some[int(chance.integers(len(some)))]


def _time(chance: Chance) -> int:
    return HOUR - 3_600 * int(chance.integers(1, 9_000))


def _good(chance: Chance) -> dict[str, Any]:
    values = {name: round(float(chance.uniform(1, 90)), 1) for name in ("pm25", "co", "no2")[: int(chance.integers(1, 4))]}
    return message(seq=int(chance.integers(2**40)), time=_time(chance), values=values)


def _bytes(found: Any) -> bytes:
    return json.dumps(found, ensure_ascii=True).encode()


def a_class(chance: Chance) -> Garbled:
    """One of the known classes, as it is."""
    one = _pick(chance, SMALL)
    return Garbled(one.payload, one.topic, one.flags)


def a_field(chance: Chance) -> Garbled:
    """A field with a value of another type, or a field too many or too few."""
    found = _good(chance)
    name = str(_pick(chance, ("seq", "time", "span", "values", "source", "flags", "run", "corrects", *WORDS)))
    if chance.integers(4) == 0:
        found.pop(name, None)
    else:
        found[name] = _value(chance, 3)
    return Garbled(_bytes(found))


def _value(chance: Chance, depth: int) -> Any:
    kind = int(chance.integers(9 if depth else 7))
    if kind == 7:
        return [_value(chance, depth - 1) for _ in range(int(chance.integers(4)))]
    if kind == 8:
        return {str(_pick(chance, WORDS)): _value(chance, depth - 1) for _ in range(int(chance.integers(4)))}
    plain = (
        None,
        True,
        int(chance.integers(-(2**62), 2**62)),
        float(chance.normal() * 10.0 ** int(chance.integers(-5, 300))),
        str(_pick(chance, WORDS)),
        HOUR,
        -1,
    )
    return plain[kind]


def an_item(chance: Chance) -> Garbled:
    """A value that is no number, a name that is no item, a flag that is no flag."""
    text = json.dumps(_good(chance)).replace('"values": {', f'"values": {{{json.dumps(_pick(chance, WORDS))}: {_pick(chance, NUMBERS)}, ', 1)
    if chance.integers(3) == 0:
        text = text[:-1] + f', "flags": {{"pm25": {json.dumps(_pick(chance, WORDS))}}}}}'
    return Garbled(text.encode(errors="replace"))


def a_byte(chance: Chance) -> Garbled:
    """Bits flipped, bytes lost, inserted, doubled, exchanged: a bad line, a full buffer."""
    data = bytearray(_bytes(_good(chance)))
    for _ in range(int(chance.integers(1, 5))):
        at, way = int(chance.integers(len(data) + 1)), int(chance.integers(6))
        if way == 0 and at < len(data):
            data[at] ^= 1 << int(chance.integers(8))
        elif way == 1:
            del data[at : at + int(chance.integers(1, 9))]
        elif way == 2:
            data[at:at] = chance.bytes(int(chance.integers(1, 9)))
        elif way == 3:
            data[at:at] = data[at : at + int(chance.integers(1, 40))]
        elif way == 4:
            del data[at:]
        else:
            data[at:at] = str(_pick(chance, WORDS)).encode(errors="surrogatepass")
    return Garbled(bytes(data))


def noise(chance: Chance) -> Garbled:
    """Bytes that mean nothing."""
    return Garbled(chance.bytes(int(chance.integers(0, 200))))


def a_codec(chance: Chance) -> Garbled:
    """The right text in another encoding, or packed."""
    text = json.dumps({**_good(chance), "source": "站点"}, ensure_ascii=False)
    codec = str(_pick(chance, (*CODECS, "gzip")))
    return Garbled(gzip.compress(text.encode(), mtime=0) if codec == "gzip" else text.encode(codec, errors="replace"))


def a_depth(chance: Chance) -> Garbled:
    """Brackets in brackets."""
    opening, closing = _pick(chance, (("[", "]"), ('{"a":', "}"), ('{"values":', "}"), ("[{", "}]")))
    size = int(2 ** chance.uniform(1, 12))
    core = _pick(chance, ("1", "", json.dumps(_good(chance))))
    return Garbled((opening * size + core + closing * (size if chance.integers(4) else 0)).encode())


def a_size(chance: Chance) -> Garbled:
    """Too large, in one field or in many."""
    size = int(2 ** chance.uniform(10, 17))
    found = _good(chance)
    found[str(_pick(chance, ("source", "time", "x")))] = "a" * size
    return Garbled(_bytes(found) if chance.integers(2) else _bytes([_good(chance)] * (size // 100)))


def a_list(chance: Chance) -> Garbled:
    """Good readings with a bad one among them: its neighbours must live."""
    size = int(chance.integers(1, 6))
    parts = [_bytes(_good(chance)) for _ in range(size)]
    bad = _pick(chance, ALONE)
    parts.insert(int(chance.integers(size + 1)), bad)
    return Garbled(b"[" + b", ".join(parts) + b"]", good=size)


def a_topic(chance: Chance) -> Garbled:
    """A topic of somebody else, or of nobody; a retained copy; something else than data."""
    name = str(_pick(chance, ("air1", "early", "ghost", "~person", "~import", *WORDS))).replace("\ud800", "\udcff")
    stream = str(_pick(chance, ("data", "data", "event", "state", "receipt", "x/y")))
    flags = int(_pick(chance, (QOS1, QOS1, RETAINED)))
    body = _pick(chance, (_bytes(_good(chance)), b'{"type": "lost", "from": 5, "to": 1}', b'{"type": 7}', _bytes(_value(chance, 3))))
    return Garbled(body, f"lanbi/v1/{name}/{stream}", flags)


SMALL: Final = [one for one in CLASSES if len(one.payload) < 20_000 and len(one.topic) < 1_000]


def _alone(payload: bytes) -> bool:
    try:
        json.loads(payload.decode())
    except (ValueError, RecursionError):
        return False
    return not payload.lstrip().startswith(b"[")


ALONE: Final = [one.payload for one in SMALL if one.topic == AIR and one.flags == QOS1 and _alone(one.payload)]
"""Bad elements that leave the list around them readable."""
WAYS: Final[tuple[Callable[[Chance], Garbled], ...]] = (
    a_class, a_field, a_field, an_item, an_item, a_byte, a_byte, a_byte, noise, a_codec, a_depth, a_list, a_list, a_topic,
)  # fmt: skip
RARE: Final = a_size
"""Once in so many: large messages cost time and say little each."""

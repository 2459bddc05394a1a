"""Messages that are none: every class that devices, gateways and attackers send, made from a good reading.

A class is a function from a good message to bytes. None of them may cost lanbi its composure, or a good neighbour.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

Row = Mapping[str, Any]
Make = Callable[[Row], bytes]


def _bytes(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()


def _with(**changes: Any) -> Make:
    return lambda row: _bytes({**row, **changes})


def _value(text: str) -> Make:
    """The first value replaced by a token that no encoder would write."""

    def make(row: Row) -> bytes:
        name = next(iter(row["values"]))
        return _bytes({**row, "values": {name: "\0"}}).replace(b'"\\u0000"', text.encode())

    return make


def _wrapped(opening: bytes, closing: bytes, depth: int) -> Make:
    return lambda _: opening * depth + closing * depth


CLASSES: Final[Mapping[str, Make]] = MappingProxyType(
    {
        "empty": lambda _: b"",
        "no-json": lambda _: b"pm25=12;co=0.4",
        "cut-off": lambda row: _bytes(row)[:-9],
        "two-in-one": lambda row: _bytes(row) * 2,
        "comma": lambda row: _bytes(row)[:-1] + b",}",
        "deep-list": _wrapped(b"[", b"]", 20_000),
        "deep-object": _wrapped(b'{"a":', b"}", 5_000),
        "huge-integer": _value("9" * 5_000),
        "nan": _value("NaN"),
        "infinity": _value("-Infinity"),
        "1e999": _value("1e999"),
        "bad-utf8": lambda row: _bytes({**row, "source": "AA"}).replace(b"AA", b"\xff\xfe"),
        "overlong": lambda row: _bytes({**row, "source": "AA"}).replace(b"AA", b"\xc0\xaf"),
        "gbk": lambda row: json.dumps({**row, "source": "国控站"}, ensure_ascii=False).encode("gbk"),
        "bom": lambda row: b"\xef\xbb\xbf" + _bytes(row),
        "utf-16": lambda row: json.dumps(row).encode("utf-16"),
        "lone-surrogate": lambda row: json.dumps({**row, "values": {"\ud800": 1.0}}).encode(),
        "key-twice": lambda row: b'{"span": 60, ' + _bytes(row)[1:],
        "item-twice": lambda row: _bytes(row).replace(b'"values": {', b'"values": {"pm25": 1, "pm25": 2, ', 1),
        "number-as-text": _value('"12.5"'),
        "boolean": _value("true"),
        "object-as-value": _value('{"value": 5}'),
        "wrong-type": _with(span="an hour"),
        "unknown-field": _with(unit="mg"),
        "unknown-item": _with(values={"pm2_5": 12.0}),
        "unknown-source": _with(source="nowhere-1"),
        "unknown-flag": lambda row: _bytes({**row, "flags": dict.fromkeys(row["values"], "?")}),
        "no-values": _with(values={}),
        "no-time": lambda row: _bytes({name: value for name, value in row.items() if name != "time"}),
        "naive-time": lambda row: _bytes({**row, "time": str(row["time"])[:19]}),
        "no-date": _with(time="2025-02-30T08:00:00+08:00"),
        "gzip": lambda row: gzip.compress(_bytes(row), mtime=0),
        "injection": _with(values={"pm25=1 1\nair,site=x": 1.0}),
        "empty-list": lambda _: b"[]",
        "list-in-list": lambda row: b"[[" + _bytes(row) + b"]]",
    },
)
"""Every class by its name in scenario files; none of them holds a whole good reading."""


def numberless(row: Row) -> dict[str, Any]:
    """A good message without its number: what is malformed is nobody's reading, and must not use one up."""
    return {name: value for name, value in row.items() if name not in {"seq", "run"}}


def oversize(row: Row, size: int) -> bytes:
    """A message of exactly ``size`` bytes, one long name in it."""
    bare = len(_bytes({**row, "values": {"": 1.0}}))
    return _bytes({**row, "values": {"x" * max(1, size - bare): 1.0}})

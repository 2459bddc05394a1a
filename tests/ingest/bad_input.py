"""Every class of bad input that a device, a broker or an attacker may send: bytes, topic, flags, and the one reason it must end in.

The classes are those of the fault list of docs/topics.md: clocks, sizes, bytes, texts, numbers, shapes, identities, injections.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from domain.civil import iso
from domain.reasons import MAX_MESSAGE
from tests.ingest.county import NOW

HOUR: Final = NOW // 3600 * 3600
AIR: Final = "lanbi/v1/air1/data"


class Bad(NamedTuple):
    """One class: its name, the bytes, the reason; the item where only an item is refused."""

    name: str
    payload: bytes
    reason: str
    item: str | None = None
    topic: str = AIR
    flags: int = 1


def message(**changes: Any) -> dict[str, Any]:
    """A good message with changes; a field that is None is left out."""
    good = {"seq": 900, "time": iso(HOUR), "span": 3600, "values": {"pm25": 5.0}}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def said(**changes: Any) -> bytes:
    """The same as bytes; what Python calls NaN goes out as NaN."""
    return json.dumps(message(**changes)).encode()


def raw(text: str) -> bytes:
    """A good message whose value is this text."""
    return b'{"seq": 900, "time": %d, "span": 3600, "values": {"pm25": %s}}' % (HOUR, text.encode())


def clocks() -> Iterator[Bad]:
    """Wrong clocks of devices."""
    yield Bad("ten minutes ahead", said(time=iso(NOW + 600)), "future-time")
    yield Bad("a year 9999", said(time="9999-12-31T00:00:00+08:00"), "future-time")
    yield Bad("the last second of 9999", said(time="9999-12-31T23:59:59Z"), "future-time")
    yield Bad("an epoch beyond all calendars", said(time=359_078_400_000), "future-time")
    yield Bad("two years back", said(time=iso(NOW - 730 * 86_400)), "too-old")
    yield Bad("epoch zero", said(time=0), "bad-schema")
    yield Bad("before 2000", said(time="1999-12-31T23:00:00+08:00"), "bad-schema")
    yield Bad("milliseconds for seconds", said(time=HOUR * 1000), "bad-schema")
    yield Bad("nanoseconds", said(time=HOUR * 10**9), "bad-schema")
    yield Bad("a negative epoch", said(time=-1), "bad-schema")
    yield Bad("an epoch with a fraction", said(time=HOUR + 0.5), "bad-schema")
    yield Bad("a fraction of a second", said(time="2026-11-23T08:00:00.5+08:00"), "bad-schema")
    yield Bad("no zone", said(time="2026-11-23T08:00:00"), "naive-time")
    yield Bad("an offset of 99 hours", said(time="2026-11-23T08:00:00+99:00"), "bad-schema")
    yield Bad("a 30th of February", said(time="2026-02-30T08:00:00+08:00"), "bad-schema")
    yield Bad("a 25th hour", said(time="2026-11-23T25:00:00+08:00"), "bad-schema")
    yield Bad("words", said(time="yesterday"), "bad-schema")
    yield Bad("an empty time", said(time=""), "bad-schema")
    yield Bad("Arabic digits", said(time="٢٠٢٦-11-23T08:00:00+08:00"), "bad-schema")


def sizes() -> Iterator[Bad]:
    """More than anybody may send, and less than anything."""
    yield Bad("nothing at all", b"", "bad-json")
    yield Bad("a blank", b" \r\n\t", "bad-json")
    yield Bad("one byte too many", said(values={"x" * (MAX_MESSAGE + 1 - len(said(values={"": 1}))): 1}), "oversize")
    yield Bad("a megabyte of brackets", b"[" * 1_000_000, "oversize")
    yield Bad("a megabyte of zeros", bytes(1_000_000), "oversize")
    yield Bad("a bomb in gzip", gzip.compress(bytes(50_000_000)), "bad-encoding")
    yield Bad("good JSON in gzip", gzip.compress(said(), mtime=0), "bad-encoding")


def texts() -> Iterator[Bad]:
    """Bytes that are no UTF-8, or not meant to be."""
    yield Bad("a byte 0xff", b"\xff", "bad-encoding")
    yield Bad("Latin-1 in a text", said(source="Z\u00fcrich").replace(b"\\u00fc", b"\xfc"), "bad-encoding")
    yield Bad("GBK in a text", said(source="AA").replace(b"AA", "国".encode("gbk")), "bad-encoding")
    yield Bad("a surrogate in UTF-8", said(source="AA").replace(b"AA", b"\xed\xa0\x80"), "bad-encoding")
    yield Bad("overlong UTF-8", said(source="AA").replace(b"AA", b"\xc0\xaf"), "bad-encoding")
    yield Bad("a BOM", b"\xef\xbb\xbf" + said(), "bad-json")
    yield Bad("UTF-16", said().decode().encode("utf-16"), "bad-encoding")
    yield Bad("UTF-16 without BOM", said().decode().encode("utf-16-le"), "bad-json")
    yield Bad("UTF-32", said().decode().encode("utf-32"), "bad-encoding")
    yield Bad("a lone surrogate", raw("5").replace(b'"pm25"', b'"\\ud800"'), "bad-encoding")
    yield Bad("a NUL in a text", said(source="tc-a01\0"), "unknown-source")
    yield Bad("a NUL byte", said() + b"\0", "bad-json")
    yield Bad("a control character", raw('"\x01"'), "bad-json")
    yield Bad("text from right to left", said(source="\u202etc-a01"), "unknown-source")


def numbers() -> Iterator[Bad]:
    """What is no number, or not one that can be."""
    for name, text in (("NaN", "NaN"), ("infinity", "Infinity"), ("minus infinity", "-Infinity"), ("1e999", "1e999")):
        yield Bad(name, raw(text), "not-finite", "pm25")
    yield Bad("5,000 digits", raw("9" * 5_000), "not-finite", "pm25")
    yield Bad("400 digits", raw("9" * 400), "not-finite", "pm25")
    yield Bad("out of range", raw("2000.5"), "value-out-of-range", "pm25")
    yield Bad("far below", raw("-11"), "value-out-of-range", "pm25")
    yield Bad("a number as text", raw('"5.0"'), "bad-schema", "pm25")
    yield Bad("NaN as text", raw('"NaN"'), "bad-schema", "pm25")
    yield Bad("true", raw("true"), "bad-schema", "pm25")
    yield Bad("a list", raw("[5]"), "bad-schema", "pm25")
    yield Bad("an object", raw('{"value": 5}'), "bad-schema", "pm25")
    yield Bad("hexadecimal", raw("0x10"), "bad-json")
    yield Bad("a leading zero", raw("05"), "bad-json")
    yield Bad("a comma", raw("5,0"), "bad-json")
    yield Bad("a lone minus", raw("-"), "bad-json")
    yield Bad("sequence numbers below zero", said(seq=-1), "bad-schema")
    yield Bad("a sequence number of 2**40", said(seq=2**40), "bad-schema")
    yield Bad("a sequence number as text", said(seq="7"), "bad-schema")
    yield Bad("a run of 2**32", said(run=2**32), "bad-schema")
    yield Bad("a span below zero", said(span=-60), "bad-schema")
    yield Bad("a span of a century", said(span=3_155_760_000), "bad-schema")
    yield Bad("a span that is true", said(span=True), "bad-schema")


def shapes() -> Iterator[Bad]:
    """JSON, but not the message."""
    for name, text in (("null", "null"), ("a number", "5"), ("a text", '"hello"'), ("true", "true")):
        yield Bad(f"only {name}", text.encode(), "bad-schema")
    yield Bad("an empty object", b"{}", "bad-schema")
    yield Bad("an empty list", b"[]", "bad-schema")
    yield Bad("a list in a list", b"[[]]", "bad-schema")
    yield Bad("half a message", said()[:-9], "bad-json")
    yield Bad("rubbish behind it", said() + b"x", "bad-json")
    yield Bad("two messages in one", said() + said(), "bad-json")
    yield Bad("single quotes", said().replace(b'"', b"'"), "bad-json")
    yield Bad("a trailing comma", said().replace(b"}}", b"},}"), "bad-json")
    yield Bad("a comment", said().replace(b"}}", b"}} // ok"), "bad-json")
    yield Bad("a key twice", said().replace(b'"span"', b'"span": 60, "span"'), "bad-schema")
    yield Bad("an item twice", raw('4, "pm25": 5'), "bad-schema")
    yield Bad("a key twice beside NaN", raw('NaN, "co": 1, "co": 2'), "bad-schema")
    yield Bad("100,000 brackets", b'{"time": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "bad-schema")
    yield Bad("deep objects", b'{"values": ' + b'{"a":' * 6_000 + b"1" + b"}" * 6_001, "bad-schema")
    yield Bad("an unknown field", said(unit="mg"), "bad-schema")
    yield Bad("no values", said(values={}), "bad-schema")
    yield Bad("values in a list", said(values=[5]), "bad-schema")
    yield Bad("no time", said(time=None), "bad-schema")
    yield Bad("flags without values", said(values={}, flags={"pm25": "M"}), "bad-schema", "pm25")
    yield Bad("an unknown flag", said(flags={"pm25": "Q"}), "bad-schema", "pm25")
    yield Bad("a flag that is a number", said(flags={"pm25": 1}), "bad-schema", "pm25")
    yield Bad("a flag of 10,000 letters", said(flags={"pm25": "N" * 10_000}), "bad-schema", "pm25")
    yield Bad("an item of 40,000 letters", said(values={"x" * 40_000: 1}), "unknown-item", "x" * 32)
    yield Bad("half a character for a name", raw('"x"').replace(b'"pm25"', b'"\\ud800"'), "bad-schema", "\\ud800")
    yield Bad("a text of an item of 40,000 letters", said(values={"x" * 40_000: "y"}), "bad-schema", "x" * 32)
    yield Bad("an item without a name", said(values={"": 1}), "unknown-item", "")


def identities() -> Iterator[Bad]:
    """Who speaks, and for whom; a topic that says more than it should."""
    yield Bad("another's place", said(source="tc-a02"), "identity-mismatch")
    yield Bad("a place of nobody", said(source="tc-a99"), "unknown-source")
    yield Bad("a look-alike in Cyrillic", said(source="tс-a01"), "unknown-source")
    yield Bad("full width", said(source="ｔｃ-a01"), "unknown-source")
    yield Bad("retained", said(), "retained", flags=3)
    topics = {
        "an unknown device": "lanbi/v1/ghost/data", "an empty device": "lanbi/v1//data", "a wildcard +": "lanbi/v1/+/data", "a wildcard #": "lanbi/v1/#/data",
        "a device $SYS": "lanbi/v1/$SYS/data", "one level more": "lanbi/v1/air1/x/data", "one level less": "lanbi/v1/data", "a NUL in the topic": "lanbi/v1/air1\0/data",
        "a blank": "lanbi/v1/air1 /data", "a letter of Cyrillic": "lanbi/v1/аir1/data", "another root": "other/v1/air1/data", "no topic": "?",
        "bytes that are no text": "lanbi/v1/air\udcff/data", "a person's": "lanbi/v1/~person/data", "an import's": "lanbi/v1/~import/data", "100 kB of name": f"lanbi/v1/{'a' * 60_000}/data",
    }  # fmt: skip
    for name, topic in topics.items():
        yield Bad(f"topic: {name}", said(), "unknown-device", topic=topic)


def injections() -> Iterator[Bad]:
    """Texts that mean something to a database."""
    for name, text in {
        "a line of its own": "pm25=1 1\nair,site=x pm25=2", "a tag": "pm25,site=x", "a blank and a value": "pm25 v=1", "a comment": "#pm25", "a trailing backslash": "pm25\\",
        "a quote": 'pm25"', "an apostrophe": "pm25'; DROP TABLE air; --", "a function": '") |> drop()', "a reserved word": "time", "a tag's name": "site", "our own field": "rev",
        "a flag's field": "pm25_f",
    }.items():  # fmt: skip
        yield Bad(f"item: {name}", said(values={text: 1.0}), "unknown-item", text[:32])
        yield Bad(f"source: {name}", said(source=text), "unknown-source")


CLASSES: Final = [*clocks(), *sizes(), *texts(), *numbers(), *shapes(), *identities(), *injections()]

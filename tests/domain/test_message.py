"""The native message codec."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from domain.civil import SHANGHAI, parse_time
from domain.message import Message, Refusal, decode, encode, scan

GOOD = b'{"run": 0, "seq": 17, "time": "2026-11-23T08:00:00+08:00", "span": 3600, "source": "cp-a01", "values": {"pm25": 58, "co": 0.9}, "flags": {"co": "M"}}'


def reasons(payload: bytes) -> list[str]:
    """Reason codes of what a payload was refused for."""
    return [part.reason for part in decode(payload) if isinstance(part, Refusal)]


def test_the_documented_message_decodes() -> None:
    """The example of the interface page is read field by field."""
    (message,) = decode(GOOD)

    assert Message(parse_time("2026-11-23T08:00:00+08:00"), 3600, {"pm25": 58, "co": 0.9}, 0, 17, "cp-a01", {"co": "M"}) == message


def test_a_bad_element_is_refused_alone() -> None:
    """One broken element of a list leaves its neighbours readings."""
    parts = decode(b"[" + GOOD + b', {"seq": 18, "span": 3600}, ' + GOOD + b"]")

    assert [Message, Refusal, Message] == [type(part) for part in parts]
    assert ("bad-schema", 18) == (parts[1].reason, parts[1].seq)  # type: ignore[union-attr]


def test_each_kind_of_rubbish_has_its_reason() -> None:
    """Encoding, JSON, schema, time and finiteness faults are told apart."""
    assert ["bad-encoding"] == reasons(b'{"a": "\xff"}')
    assert ["bad-json"] == reasons(b"{")
    assert ["bad-schema"] == reasons(b"[]")
    assert ["bad-schema"] == reasons(GOOD.replace(b'"span"', b'"spam"'))
    assert ["naive-time"] == reasons(GOOD.replace(b"+08:00", b""))
    assert ["not-finite"] == reasons(GOOD.replace(b"58", b"NaN"))
    assert ["not-finite"] == reasons(GOOD.replace(b"58", b"-Infinity"))
    assert ["oversize"] == reasons(b" " * 70_000)


def test_a_message_with_a_nan_keeps_its_number() -> None:
    """Its good items are stored, so its device must get a receipt."""
    assert (1, [(7, 1)]) == scan(b'{"run": 7, "seq": 1, "values": {"pm25": NaN}}')
    assert (1, []) == scan(b'{"run": 7, "seq": -1, "values": {"pm25": NaN}}')


def test_a_registered_zone_makes_naive_times_good() -> None:
    """A naive time is read in the device's zone."""
    (message,) = decode(GOOD.replace(b"+08:00", b""), zone=SHANGHAI)

    assert decode(GOOD) == [message]


def test_milliseconds_are_read_if_registered() -> None:
    """An integer time is taken in the registered unit."""
    payload = GOOD.replace(b'"2026-11-23T08:00:00+08:00"', b"1795392000000")

    assert 1_795_392_000 == decode(payload, time_unit="ms")[0].time  # type: ignore[union-attr]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_make_the_codec_raise(payload: bytes) -> None:
    """Any bytes give messages or refusals, as many as the look before the commit counted."""
    assert scan(payload)[0] == len(decode(payload))


VALUES = st.dictionaries(st.sampled_from(["pm25", "co"]), st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=2)


@given(st.builds(Message, st.integers(0, 2**31), st.integers(0, 86_400), VALUES, st.integers(0, 9), st.none() | st.integers(0, 2**40 - 1)))
def test_what_is_encoded_is_decoded(message: Message) -> None:
    """Encoding and decoding are each other's inverse."""
    (back,) = decode(encode(message))

    assert message == back
    assert all(value is None or math.isfinite(value) for value in back.values.values())  # type: ignore[union-attr]

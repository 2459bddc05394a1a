"""Accept: golden messages written by hand from the specification, and bytes that nobody wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.civil import iso
from domain.message import Message as Native
from domain.message import encode, scan
from domain.reasons import ALL, MAX_MESSAGE
from ingest.accept import Verdict, accept
from tests.ingest.county import NOW, TEXT, Message, county

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "samples" / "messages.json").read_text())
REGISTRY = county()


def message_of(sample: dict[str, Any]) -> Message:
    """A sample as a journalled message."""
    text = sample.get("text") or json.dumps(sample.get("payload"))
    payload = bytes.fromhex(sample["hex"]) if "hex" in sample else text.encode()
    flags = 3 if sample.get("retained") else 1
    topic = f"lanbi/v1/{sample['device']}/{'lanbi-csv' if sample.get('writer') == 'import' else 'data'}"
    return Message(payload, topic, sample.get("writer", "mqtt"), flags=flags, readings=scan(payload)[0])


def plain(verdicts: list[Verdict]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Readings and refusals in the words of the samples."""
    readings = [
        {"source": s.source, "kind": s.kind, "time": iso(s.time), "span": s.span, "values": s.values, "flags": s.flags, "run": s.run, "seq": s.seq}
        for one in verdicts
        if (s := one.sight)
    ]
    refused = [{"reason": why.reason} | ({"item": why.item} if why.item else {}) for one in verdicts for why in one.refused]
    return readings, refused


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["name"] for sample in SAMPLES])
def test_golden_messages(sample: dict[str, Any]) -> None:
    """Each message of the specification gives exactly the readings and refusals written beside it."""
    verdicts = accept(message_of(sample), REGISTRY)

    assert (sample.get("readings", []), sample.get("refused", [])) == plain(verdicts)


def test_every_reason_of_accept_has_a_golden_message() -> None:
    """The samples leave out only what accept cannot decide alone."""
    shown = {why["reason"] for sample in SAMPLES for why in sample.get("refused", [])}

    assert {"oversize", "internal", "conflict", "store-rejected"} == set(ALL) - shown


def test_an_oversize_message_is_one_dead_letter_for_all_its_readings() -> None:
    """More than 64 kB is refused as a whole and still counts every reading in it."""
    payload = b"[" + b",".join([encode(Native(NOW, 0, {"pm25": 1.0}))] * 2_000) + b"]"
    (verdict,) = accept(Message(payload, readings=2_000), REGISTRY)

    assert len(payload) > MAX_MESSAGE
    assert ("oversize", 2_000) == (verdict.refused[0].reason, verdict.readings)


def test_a_device_may_speak_only_while_it_is_in_service() -> None:
    """State and sources are those of the reading's own day, not of its arrival."""
    late = Message(b'{"seq": 1, "time": 1795388400000, "span": 3600, "values": {"pm25": 1}}', "lanbi/v1/early/data", received_ns=(NOW + 20 * 86_400) * 10**9)
    retired = late._replace(payload=late.payload.replace(b"1795388400000", b"1797000000000"))

    assert ([], ["unknown-device"]) == (plain(accept(retired, REGISTRY))[0], [why["reason"] for why in plain(accept(retired, REGISTRY))[1]])
    assert 1 == len(plain(accept(late, REGISTRY))[0])


def test_sources_follow_their_dates() -> None:
    """A source that moved to another device belongs to each of them on its own days."""
    moved = TEXT.replace('sources = ["tc-a01"]', 'sources = [{from = "2026-01-01", value = ["tc-a01"]}, {from = "2026-11-23", value = []}]')
    registry = county(moved)
    before = Message(b'{"time": "2026-11-22T23:00:00+08:00", "span": 3600, "source": "tc-a01", "values": {"pm25": 1}}')
    midnight = before._replace(payload=before.payload.replace(b"22T23:00:00", b"23T00:00:00"))
    after = before._replace(payload=before.payload.replace(b"22T23:00:00", b"23T01:00:00"))

    assert [1, 1, 0] == [len(plain(accept(one, registry))[0]) for one in (before, midnight, after)]
    assert "identity-mismatch" == accept(after, registry)[0].refused[0].reason


def test_a_time_in_the_wrong_unit_is_named() -> None:
    """Seconds sent where milliseconds are registered are refused with a hint, never stored in 1970."""
    (verdict,) = accept(Message(b'{"time": 1795388400, "span": 3600, "values": {"pm25": 1}}', "lanbi/v1/early/data"), REGISTRY)

    assert "bad-schema" == verdict.refused[0].reason
    assert "is it in s?" in verdict.refused[0].detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)  # fmt: skip
FIELDS = {
    "time": st.integers(-(2**70), 2**70) | st.sampled_from(["2026-11-23T08:00:00+08:00", "2026-11-23", "0000-99-99T00:00:00Z", ""]) | JSON,
    "span": st.integers(-2, 10**9) | JSON,
    "values": st.dictionaries(st.sampled_from(["pm25", "co", "o3_8h", "", "ph", "\u0000"]), JSON, max_size=3) | JSON,
}
EXTRA = {"seq": JSON, "run": JSON, "source": JSON, "flags": JSON, "corrects": JSON, "more": JSON}
ELEMENT = st.fixed_dictionaries(FIELDS, optional=EXTRA)
PAYLOADS = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | (ELEMENT | st.lists(ELEMENT | JSON, max_size=4)).map(lambda value: json.dumps(value).encode())
    | st.integers(1, 5_000).map(lambda depth: b"[" * depth)
    | st.integers(1, 5_000).map(lambda depth: b'{"values":' * depth)
)


@given(PAYLOADS, st.sampled_from(["lanbi/v1/air1/data", "lanbi/v1/gate/data", "lanbi/v1/early/data", "lanbi/v1//data", "x", ""]), st.integers(0, 7))
def test_accept_never_raises(payload: bytes, topic: str, flags: int) -> None:
    """Any bytes on any topic end in readings or in reason codes of the closed list, and none is lost from the count."""
    verdicts = accept(Message(payload, topic, flags=flags, readings=scan(payload)[0]), REGISTRY)

    assert verdicts
    assert all(one.sight or one.refused for one in verdicts)
    assert {why.reason for one in verdicts for why in one.refused} <= set(ALL) - {"internal"}
    assert all(1 <= one.readings for one in verdicts)

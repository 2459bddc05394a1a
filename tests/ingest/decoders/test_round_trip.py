"""What the simulator's logger says in HJ 212 is what ingest understands, whatever the values; the two were written apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sim import hj212 as logger
from ingest.decoders.hj212 import Packet, crc16, frame, packets
from tests.ingest.decoders.foreign_house import HOUR, device, house, judge, reasons, stored

PLACES = {"air": "a1", "water": "w1", "point": "o1"}
COUNTIES = {kind: house(device(f'["{place}"]', f'format = "hj212"\nnames = {{"LOG1" = "{place}"}}', interval=300)) for kind, place in PLACES.items()}
NUMBERS = st.decimals(1, 14, places=3).map(float)
SETTINGS = st.tuples(st.sampled_from(sorted(PLACES)), st.sampled_from([0, 300, 3_600, 86_400]), st.sampled_from([0, 1, 2]), st.booleans())


@given(SETTINGS, st.data())
def test_readings_come_back(chosen: tuple[str, int, int, bool], data: st.DataObject) -> None:
    """Every kind of place, span and version; back-filled ones of 2025 as P."""
    kind, span, version, late = chosen
    items = data.draw(st.lists(st.sampled_from(sorted(logger.CODES[kind])), min_size=1, unique=True))
    values = {item: data.draw(NUMBERS) for item in items}
    flags = {item: data.draw(st.sampled_from("NMCDBTFS")) for item in items}
    (sent,) = logger.Logger("LOG1", kind, version=version).packets(HOUR, span, values, flags, late=late)
    verdicts = judge(COUNTIES[kind], sent)
    expected = {item: "P" if late and version == 2 and flag == "N" else flag for item, flag in flags.items()}

    assert [(PLACES[kind], 0, span, values, {item: flag for item, flag in expected.items() if flag != "N"})] == stored(verdicts)
    assert [] == reasons(verdicts)


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_too_long_is_split(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """Each part is whole, numbered, and a reading of the same time; together they hold every item."""
    values = {item: 1.234567890123 + place for place, item in enumerate(logger.CODES["water"])}
    long = {**values, "ph": 7.000000000001}
    parts = logger.Logger("LOG1", "water", version=version).packets(HOUR, 3_600, long)
    monkeypatch.setattr(logger, "LONGEST", 150)
    split = logger.Logger("LOG1", "water", version=version).packets(HOUR, 3_600, long)
    found = [packet for sent in split for packet in packets(sent) if isinstance(packet, Packet)]
    readings = [one for sent in reversed(split) for one in stored(judge(COUNTIES["water"], sent))]

    assert 1 == len(parts) < len(split) == len(found)
    assert [(number, len(split)) for number in range(1, len(split) + 1)] == [packet.part for packet in found]
    assert {0} == {at for _, at, *_ in readings}
    assert long == {item: value for one in readings for item, value in one[3].items()}


@given(st.binary(max_size=1_024))
def test_both_sides_have_the_same_frame(segment: bytes) -> None:
    """The folded CRC of ingest and the loop of the annex, over whatever bytes."""
    assert logger.crc(segment) == crc16(segment)
    assert logger.frame(segment) == frame(segment)

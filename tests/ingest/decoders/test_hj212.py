"""HJ 212 frames: every vector that must be read, and every one that must not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoders.hj212 import Bad, Dialect, Packet, crc16, frame, modbus16, packets, reply, take
from ingest.decoders.hj212_parts import Parts

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "hj212" / "vectors.txt"
TOLERANT = Dialect(tolerant=True)
SEGMENT_ONLY = b"QN=20160801085857223;ST=21;CN=1062;PW=123456;MN=A220582_0001;Flag=9;CP=&&RtdInterval=10&&"
WRONG_CRC = (
    b"##0332ST=22;CN=2051;PW=123456;MN=88888880000001;CP=&&DataTime=20110513092300;QN=20110513092300001;a01001-Avg=23.4;a01002-Avg=32;"
    b"a01005-Avg=-100,a01005-Flag=B;a01006-Avg=1011.65;a01007-Avg=0.575;a05024-Avg=0.0205;a06001-Avg=123.035;a21002-Avg=0.1496;a21003-Avg=0.055;"
    b"a21004-Avg=0.0653;a21026-Avg=0.0873;a34004-Avg=0.0968;a34005-Avg=0.185&&9983\r\n"
)


class Vector(NamedTuple):
    """A frame of the samples file."""

    words: str
    modbus: int
    frame: bytes


def vectors() -> dict[str, Vector]:
    """All of them by name."""
    rows = [line.split("\t") for line in SAMPLES.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    return {name: Vector(words, int(modbus, 16), text.replace("\\r\\n", "\r\n").encode()) for name, words, modbus, text in rows}


VECTORS = vectors()
V1, V3 = VECTORS["V1"].frame, VECTORS["V3"].frame


def one(payload: bytes, dialect: Dialect = Dialect()) -> Packet | Bad:  # noqa: B008  frozen
    """The only thing in a payload."""
    (found,) = packets(payload, dialect)
    return found


def bitwise(segment: bytes) -> int:
    """The CRC as annex A writes it."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            low = register & 1
            register >>= 1
            register ^= 0xA001 * low
    return register


@pytest.mark.parametrize(("text", "ours", "modbus"), [(b"", 0xFFFF, 0xFFFF), (b"A", 0x7080, 0x707F), (b"123456789", 0x2F80, 0x4B37)])
def test_crc_of_the_standard_is_not_that_of_modbus(text: bytes, ours: int, modbus: int) -> None:
    """The published values of both."""
    assert (ours, modbus) == (crc16(text), modbus16(text))


@given(st.binary(max_size=1_100))
def test_crc_of_columns_is_the_bitwise_one(segment: bytes) -> None:
    """Folding the segment in columns of eight gives what the annex's loop gives."""
    assert bitwise(segment) == crc16(segment)


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_are_read(name: str) -> None:
    """Each is one sound packet; the CRC of Modbus is the one that was foretold."""
    vector = VECTORS[name]
    found = one(vector.frame, TOLERANT if name == "F3" else Dialect())

    assert isinstance(found, Packet)
    assert vector.modbus == modbus16(found.raw)
    assert found.raw in vector.frame


@pytest.mark.parametrize("name", [name for name in VECTORS if name != "F3"])
def test_what_was_read_is_written_the_same(name: str) -> None:
    """Frame → packet → frame, but for the case of hexadecimal digits."""
    found = one(VECTORS[name].frame)

    assert isinstance(found, Packet)
    assert VECTORS[name].frame.upper() == frame(found.raw).upper()


def test_segment_alone_has_its_published_crc() -> None:
    """Vector F6."""
    assert crc16(SEGMENT_ONLY) == 0xE381


def test_every_single_character_changed_is_refused() -> None:
    """X1: all changes of one character of V1 to another printable one."""
    wrong = [V1[:at] + bytes([byte]) + V1[at + 1 :] for at in range(len(V1)) for byte in range(32, 127) if V1[at] != byte]
    # A hexadecimal digit in the other case is the same number.
    same = [text for text in wrong if text.upper() == V1.upper() and text[-6:-2].lower() == V1[-6:-2].lower() and text[:-6] == V1[:-6]]
    taken = [text for text in wrong if any(isinstance(found, Packet) for found in packets(text))]

    assert len(wrong) > 9_400
    assert sorted(same) == sorted(taken)


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        pytest.param(V1.replace(b"=30&", b"=31&"), "crc", id="X2 another value, old CRC"),
        pytest.param(V1.replace(b"##0101", b"##0100"), "length", id="X3 wrong length"),
        pytest.param(V1[:-2], "end", id="X4 without CR LF"),
        pytest.param(V1.replace(b"1C80", b"0759"), "crc", id="X6 CRC of Modbus"),
        pytest.param(WRONG_CRC, "crc", id="X9 published sample with a wrong CRC"),
        pytest.param(V1.replace(b"##0101", b"##abcd"), "length", id="X15 no number"),
        pytest.param(V1.replace(b"##0101", b"##-001"), "length", id="X15 negative"),
        pytest.param(V1.replace(b"##0101", b"##65535"), "length", id="X15 five digits"),
        pytest.param(V1.replace(b"##0101", b"##1025"), "length", id="X15 above 1024"),
        pytest.param(frame(V1[6:-6].replace(b"RtdInterval=30", b"{0x12,0x34}tail")), "encrypted", id="X16 encrypted"),
        pytest.param(frame(V1[6:-8]), "grammar", id="X17 no closing &&"),
        pytest.param(frame(b"MN=1;" + V1[6:-6]), "grammar", id="X18 MN twice"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"rubbish", "noise", id="no frame at all"),
    ],
)
def test_negative_vectors_are_refused(payload: bytes, cause: str | None) -> None:
    """Each for its own cause, and no byte of it is lost."""
    found = list(packets(payload))

    assert [] == [packet for packet in found if isinstance(packet, Packet)]
    assert cause == (found[0].cause if found else None)  # type: ignore[union-attr]
    assert cause in {"grammar", "encrypted"} or payload == b"".join(bad.raw for bad in found)


def test_modbus_is_taken_where_it_is_registered_and_named_where_not() -> None:
    """X6: never guessed silently."""
    wrong = V1.replace(b"1C80", b"0759")
    found = one(wrong)

    assert isinstance(one(wrong, Dialect("modbus")), Packet)
    assert isinstance(found, Bad)
    assert 'crc = "modbus"' in found.why
    assert isinstance(one(V1, Dialect("modbus")), Bad)


def test_tolerant_devices_may_leave_the_line_end_away() -> None:
    """X4 and F3, only where registered."""
    found = one(V1[:-2], TOLERANT)
    short = one(VECTORS["F3"].frame, TOLERANT)

    assert isinstance(found, Packet) and isinstance(short, Packet)
    assert ("no CR LF",) == found.notes
    assert ("no CR LF", "length of three digits", "Flag, PNUM and PNO do not agree") == short.notes
    assert isinstance(one(VECTORS["F3"].frame), Bad)


def test_glued_packets_are_two() -> None:
    """X5, and X11: repeated packets are as many."""
    assert [True, True] == [isinstance(found, Packet) for found in packets(V1 + V3)]
    assert 4 == len(list(packets(V1 * 4)))


def test_lower_case_crc_and_other_order_are_taken() -> None:
    """X7, X19."""
    swapped = frame(b"QN=20160801085857223;ST=32;CN=1062;MN=010000A8900016F000169DC0;PW=100000;Flag=5;CP=&&RtdInterval=30&&")

    assert isinstance(one(V1.replace(b"1C80", b"1c80")), Packet)
    assert isinstance(one(swapped), Packet)


def test_bytes_before_a_packet_are_skipped_and_told() -> None:
    """X8."""
    noise, found = packets(b"Flag=N&&8C41\r\n" + V1)

    assert isinstance(noise, Bad) and isinstance(found, Packet)
    assert b"Flag=N&&8C41\r\n" == noise.raw


def test_after_a_broken_packet_the_next_one_is_read() -> None:
    """A false length costs its own packet, not the neighbour behind it."""
    found = list(packets(V1.replace(b"0101", b"0400") + V3))

    assert ["Bad", "Packet"] == [type(one_).__name__ for one_ in found]


@pytest.mark.parametrize("broken", [b"##0020ST=22;CN=2011;CP=&&x&&0000\r\n", b"##abcdefgh", b"##9999QN=1"], ids=["crc", "no length", "too long"])
def test_a_link_that_cuts_a_mark_in_two_costs_no_packet(broken: bytes) -> None:
    """Behind a broken packet the first half of the next one's mark has come, and the other half not yet."""
    good = VECTORS["V2"].frame
    broken += b"x" * (2_000 if broken.endswith(b"1") else 0)
    buffer, found = broken + b"#", []
    piece, end = take(buffer, 0)
    buffer = buffer[end:] + good[1:]
    while buffer:
        found.append(piece)
        piece, end = take(buffer, 0)
        buffer = buffer[end:]

    assert isinstance(piece, Packet)
    assert [broken] == [one.raw for one in found if isinstance(one, Bad)]


def test_crc_is_weak_by_nature() -> None:
    """X10: two digits changed pass the CRC, which is why ranges and duplicates are looked at too."""
    assert isinstance(one(V3.replace(b"w01001-Rtd=7.1", b"w01001-Rtd=2.0")), Packet)
    exchanged = bytearray(V3[6:-6])
    exchanged[20], exchanged[28] = exchanged[28], exchanged[20]
    assert crc16(bytes(exchanged)) == crc16(V3[6:-6])


def test_split_packets_are_whole_in_any_order() -> None:
    """X12, X13: each part is usable alone; what is missing is known."""
    parts, packed = Parts(), [one(VECTORS[name].frame) for name in ("V9b", "V9")]
    missing = [parts.note(packet, "20261123090000") for packet in packed if isinstance(packet, Packet)]

    assert [[1], []] == missing
    assert {} == parts.seen


def test_answers_are_those_of_the_standard() -> None:
    """V2 answers what asks for it; nothing answers what does not; F5's own answer has Flag 8."""
    asked, quiet, water = one(V3), one(VECTORS["F1"].frame), one(VECTORS["F5"].frame)

    assert isinstance(asked, Packet) and isinstance(quiet, Packet) and isinstance(water, Packet)
    assert VECTORS["V2"].frame == reply(asked)
    assert reply(quiet) is None
    assert VECTORS["F5a"].frame == reply(water)


def test_length_counts_bytes() -> None:
    """V19: 152 bytes, 144 characters."""
    found = one(VECTORS["V19"].frame)

    assert isinstance(found, Packet)
    assert (152, 144) == (len(found.raw), len(found.raw.decode()))


@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([V1, V3, V1[:-2], b"##", b"##0101", b"##9999"])), max_size=6), st.booleans())
def test_every_byte_is_accounted_for(pieces: list[bytes], tolerant: bool) -> None:  # noqa: FBT001
    """Whatever comes: packets and bad pieces tile the payload, and nothing raises."""
    payload, at, dialect = b"".join(pieces), 0, Dialect(tolerant=tolerant)
    while at < len(payload):
        found, end = take(payload, at, dialect, final=True)

        assert found is not None
        assert end > at
        assert isinstance(found, Packet) or re.escape(found.raw) in re.escape(payload[at:end])
        at = end

    assert at == len(payload)


@given(st.binary(max_size=40), st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_a_stream_in_pieces_gives_the_same_packets(noise: bytes, cuts: list[int]) -> None:
    """Whatever the pieces in which bytes come, the packets are those of the whole."""
    stream, buffer, found = noise + V1 + V3, b"", []
    for cut in [*cuts, len(stream)]:
        buffer, stream = buffer + stream[:cut], stream[cut:]
        while True:
            what, end = take(buffer, 0)
            if what is None:
                break
            found, buffer = [*found, what], buffer[end:]
    wanted = [packet.raw for packet in packets(noise + V1 + V3) if isinstance(packet, Packet)]

    assert wanted == [packet.raw for packet in found if isinstance(packet, Packet)]

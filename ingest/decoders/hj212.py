"""HJ 212 frames (2005, 2017, 2025): bytes ⇄ packets. Pure, and of nothing else of lanbi but an error, so that it can be taken elsewhere.

A frame is ``##``, four decimal digits (length of the data segment in **bytes**), the data segment, four hexadecimal digits
(CRC over the segment), CR LF. Frame and CRC are the same in all three versions (HJ 212-2017 §6.3, annex A).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.errors import NotUnderstood
from ingest.decoders.hj212_sm4 import MARK, Keys, no_keys, opened

MAX_SEGMENT: Final = 1_024
"""Bytes of a data segment at most (HJ 212-2017 §6.3.1); nothing is ever allocated by a declared length."""
MAX_SEALED: Final = 5 * MAX_SEGMENT
"""Bytes of a printed segment at most whose data area is encrypted (2025): five characters a byte."""
MAX_FRAME: Final = MAX_SEGMENT + 12
"""``##``, length, segment, CRC, CR LF."""
AREA: Final = b"CP=&&"
UNOPENED: Final = "数据区已加密 the data area is encrypted (SM4); no key is registered"
HEAD: Final = re.compile(rb"##(\d{4})")
LENIENT_HEAD: Final = re.compile(rb"##(\d{3,4})(?!\d)")
"""A device registered as tolerant may write three digits."""
END: Final = b"\r\n"
STANDARD: Final = "standard"
MODBUS: Final = "modbus"
ANSWER: Final = 1
SPLIT: Final = 2
"""Bits of ``Flag``: A, an answer is wanted; D, PNUM and PNO stand in the header. The upper six are the version."""
VERSIONS: Final = {0: "2005", 1: "2017", 2: "2025"}
"""A hint only: surface-water stations send version 2 since 2020."""
WHOLE: Final = frozenset("014589")
"""Flags of packets that are not split, in all three versions."""
LONGEST_FIELD: Final = 64
"""Characters of a header field that is said back: QN has 17, MN 24."""
BROKEN: Final = "\ufffd"
"""Stands for bytes that are no text."""


def _table(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
    return byte


TABLE: Final = tuple(_table(byte) for byte in range(256))


def _folds() -> tuple[tuple[int, ...], ...]:
    """What a byte is worth that stands j places before the last: the upper half of the table, j times."""
    found = [tuple(range(256))]
    for _ in range(7):
        found.append(tuple(TABLE[byte] >> 8 for byte in found[-1]))
    return tuple(found)


FOLDS: Final = _folds()


def _halves(size: int) -> tuple[tuple[int, int], ...]:
    """Bits of each half that is laid upon the other, and their mask, down to eight bytes."""
    widths = [64 << step for step in range(max(0, (size - 1).bit_length() - 3), -1, -1)]
    return tuple((width, (1 << width) - 1) for width in widths)


HALVES: Final = _halves(MAX_SEGMENT)


def crc16(segment: bytes) -> int:
    """CRC of the standard: the register is shifted by a whole byte before each byte is taken in (annex A); not that of Modbus.

    Only the register's upper byte is carried on, and the step that carries it is linear and comes back to itself after eight.
    So bytes that stand eight apart may be added up first, all columns at once, in one long integer. The same property makes
    it weak: it has 256 values, and two bytes that stand eight apart may be exchanged.

    >>> f"{crc16(b'123456789'):04X} {crc16(b''):04X}"
    '2F80 FFFF'
    """
    size = len(segment)
    if not size:
        return 0xFFFF
    folded = int.from_bytes(segment, "big") ^ (0xFF << 8 * (size - 1))
    for width, mask in HALVES if size <= MAX_SEGMENT else _halves(size):
        if folded > mask:
            folded = (folded >> width) ^ (folded & mask)
    last, one, two, three, four, five, six, seven = FOLDS
    return TABLE[
        last[folded & 255] ^ one[folded >> 8 & 255] ^ two[folded >> 16 & 255] ^ three[folded >> 24 & 255]
        ^ four[folded >> 32 & 255] ^ five[folded >> 40 & 255] ^ six[folded >> 48 & 255] ^ seven[folded >> 56]
    ]  # fmt: skip


def modbus16(segment: bytes) -> int:
    """CRC of Modbus, which some devices send by mistake; taken only where it is registered.

    >>> f"{modbus16(b'123456789'):04X}"
    '4B37'
    """
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ TABLE[(register ^ byte) & 255]
    return register


CRCS: Final = {STANDARD: crc16, MODBUS: modbus16}


class Packet(NamedTuple):
    """A whole and sound packet.

    Attributes
    ----------
    header : dict
        Fields before ``CP`` as they stand, by name.
    data : str
        The data area between ``CP=&&`` and ``&&``.
    raw : bytes
        The data segment.
    notes : tuple of str
        What is unusual in its form and was taken nevertheless.
    """

    header: dict[str, str]
    data: str
    raw: bytes
    notes: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """CN."""
        return self.header.get("CN", "")

    @property
    def flag(self) -> int:
        """Flag as a number; 0 where there is none (2005) or it is no number."""
        text = self.header.get("Flag", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0

    @property
    def version(self) -> str:
        """Version that the flag claims."""
        return VERSIONS.get(self.flag >> 2, "?")

    @property
    def part(self) -> tuple[int, int]:
        """(PNO, PNUM) of a split packet; (1, 1) of a whole one."""
        number, total = (self.header.get(name, "") for name in ("PNO", "PNUM"))
        return (int(number), int(total)) if _counts(number) and _counts(total) else (1, 1)


class Bad(NamedTuple):
    """Bytes that are no packet, and why; ``cause`` is length, crc, end, grammar, encrypted or noise."""

    cause: str
    why: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Dialect:
    """How strictly a device is read: its CRC, whether short lengths and a missing CR LF are taken, and keys of encrypted data areas."""

    crc: str = STANDARD
    tolerant: bool = False
    keys: Keys = no_keys


STRICT: Final = Dialect()


def packets(payload: bytes, dialect: Dialect = STRICT) -> Iterator[Packet | Bad]:
    """Everything in a payload to which nothing will be added: each byte is in exactly one packet or one :class:`Bad`.

    After a failure reading goes on at the next ``##``; bytes before it are told, never dropped silently.
    """
    at = 0
    while at < len(payload):
        found, end = take(payload, at, dialect, final=True)
        assert found is not None  # noqa: S101  of a final payload everything is told
        yield found
        at = end


def take(buffer: bytes, at: int, dialect: Dialect = STRICT, *, final: bool = False) -> tuple[Packet | Bad | None, int]:
    """What stands at an offset and the offset behind it; (None, at) while more bytes may make a packet of it.

    Parameters
    ----------
    final : bool
        Nothing will come any more: what is incomplete is bad.
    """
    start = buffer.find(b"##", at)
    if start != at:
        end = len(buffer) if start < 0 else start
        if start < 0 and not final and buffer.endswith(b"#"):
            end -= 1  # it may be the first half of a mark
        return (Bad("noise", f"{end - at} bytes outside a packet", buffer[at:end]), end) if end > at else (None, at)
    head = (LENIENT_HEAD if dialect.tolerant else HEAD).match(buffer, at)
    if head is None:
        early = not final and len(buffer) - at < 7
        return (None, at) if early else _skip(buffer, at, ("length", f"no length: {buffer[at : at + 6]!r}"), final=final)
    size = int(head[1])
    if size > MAX_SEGMENT:
        area = buffer.find(AREA, head.end(), head.end() + MAX_SEGMENT)
        if not final and (area < 0 or len(buffer) < area + len(AREA + MARK)) and len(buffer) < head.end() + MAX_SEGMENT:
            return None, at  # it may still turn out to be encrypted, which makes it longer
        if size > MAX_SEALED or not buffer.startswith(AREA + MARK, max(area, 0)):
            return _skip(buffer, at, ("length", f"length {size} is above {MAX_SEGMENT}"), final=final)
    return _body(buffer, (at, head.end(), head.end() + size), dialect, final=final)


def _body(buffer: bytes, place: tuple[int, int, int], dialect: Dialect, *, final: bool) -> tuple[Packet | Bad | None, int]:
    at, first, last = place
    tail = buffer[last : last + 6]
    if len(tail) < 6 and not final:
        return None, at
    try:
        told = int(tail[:4], 16) if tail[:4].isalnum() and len(tail) >= 4 else -1
    except ValueError:
        told = -1
    if told < 0:
        return _skip(buffer, at, ("length", f"length {last - first} does not lead to a CRC: {tail[:4]!r}"), final=final)
    closed = tail[4:6] == END
    if not closed and not (dialect.tolerant and (last + 4 == len(buffer) or buffer.startswith(b"##", last + 4))):
        return _skip(buffer, at, ("end", "no CR LF behind the CRC"), final=final)
    segment = buffer[first:last]
    end = last + (6 if closed else 4)
    notes = (() if closed else ("no CR LF",)) + (() if first - at == 6 else ("length of three digits",))
    if AREA + MARK in segment:
        return _unsealed(segment, told, dialect, notes), end
    if CRCS[dialect.crc](segment) != told:
        return _skip(buffer, at, ("crc", _crc_words(segment, told, dialect)), final=final)
    return parse(segment, notes), end


def _unsealed(segment: bytes, told: int, dialect: Dialect, notes: tuple[str, ...]) -> Packet | Bad:
    """An encrypted packet by the first key that gives a text with the right CRC, which is that of the plain segment (2025)."""
    head, _, rest = segment.partition(AREA)
    if rest[-2:] != b"&&":
        return Bad("grammar", "no data area CP=&&…&&", segment)
    number = re.search(rb"(?:^|;)QN=(\d{8,17});", head)
    tried = 0
    try:
        for key in dialect.keys(number[1].decode() if number else ""):
            tried += 1
            area = opened(rest[:-2], key)
            plain = head + AREA + (area or b"") + b"&&"
            if area is not None and CRCS[dialect.crc](plain) == told:
                return parse(plain, (*notes, "SM4"))
    except NotUnderstood as error:
        return Bad("encrypted", error.what, segment)
    return Bad("encrypted", f"{tried} 个密钥均不符 none of the device's keys opens the data area, or it was changed on its way" if tried else UNOPENED, segment)


def unopened(bad: Bad) -> Packet | None:
    """Who sends an encrypted packet that cannot be opened, and what it is: its header is plain. None if that is not whole either."""
    found = parse(bad.raw.partition(AREA)[0] + b"CP=&&&&") if bad.cause == "encrypted" else None
    return found if isinstance(found, Packet) else None


def _crc_words(segment: bytes, told: int, dialect: Dialect) -> str:
    other = MODBUS if dialect.crc == STANDARD else STANDARD
    hint = f'; 这是 {other} CRC it is the CRC of {other}: register crc = "{other}" for the device' if CRCS[other](segment) == told else ""
    return f"CRC {told:04X}, the segment gives {CRCS[dialect.crc](segment):04X}{hint}"


def _skip(buffer: bytes, at: int, fault: tuple[str, str], *, final: bool) -> tuple[Bad, int]:
    """Go on at the next mark; the first half of one, which the end of a buffer may cut, is left for what comes."""
    end = buffer.find(b"##", at + 2)
    if end < 0:
        end = len(buffer) - (not final and buffer.endswith(b"#"))
    return Bad(*fault, buffer[at:end]), end


def sole(payload: bytes, crc: str = STANDARD) -> bytes | None:
    """The data segment of a payload that is exactly one sound frame, which nearly every one is; None if it must be searched."""
    if payload[:2] != b"##" or payload[-2:] != END or not payload[2:6].isdigit() or int(payload[2:6]) != len(payload) - 12:
        return None
    segment, told = payload[6:-6], payload[-6:-2]
    if len(segment) > MAX_SEGMENT or not told.isalnum():
        return None
    try:
        return segment if CRCS[crc](segment) == int(told, 16) else None
    except ValueError:
        return None


def parse(segment: bytes, notes: tuple[str, ...] = ()) -> Packet | Bad:
    """A data segment whose CRC is right, taken apart: header fields in any order, then the data area."""
    text = segment.decode("utf-8", "replace")
    head, opened, data = text.partition("CP=&&")
    if not opened or data[-2:] != "&&":
        return Bad("grammar", "no data area CP=&&…&&", segment)
    if data[:3] == "{0x":
        return Bad("encrypted", UNOPENED, segment)  # its CRC, that of the plain text, is right by chance
    fields = [one.partition("=") for one in head.split(";") if one]
    header = {name: value for name, _, value in fields}
    if len(header) != len(fields) or not all(equals for _, equals, _ in fields):
        return Bad("grammar", _header_fault(fields), segment)
    if header.get("Flag", "0") not in WHOLE or "PNUM" in header or "PNO" in header:
        notes += _split_notes(header)
    return Packet(header, data[:-2], segment, notes)


def _header_fault(fields: list[tuple[str, str, str]]) -> str:
    names = [name for name, _, _ in fields]
    bare = next((name for name, equals, _ in fields if not equals), None)
    twice = next((name for name in names if names.count(name) > 1), "")
    return f"header field {bare[:20]!r} has no value" if bare is not None else f"header field {twice[:20]!r} stands twice"


def _split_notes(header: dict[str, str]) -> tuple[str, ...]:
    flag = header.get("Flag", "0")
    wanted = flag.isascii() and flag.isdigit() and bool(int(flag[:4]) & SPLIT)
    there = _counts(header.get("PNUM", "")) and _counts(header.get("PNO", ""))
    odd = wanted != there or ("PNUM" in header) != ("PNO" in header)
    return ("Flag, PNUM and PNO do not agree",) if odd else ()


def _counts(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= len(text) <= 4 and int(text) > 0


def frame(segment: bytes, crc: str = STANDARD) -> bytes:
    """The frame around a data segment."""
    if len(segment) > MAX_SEGMENT:
        message = f"a data segment has at most {MAX_SEGMENT} bytes, not {len(segment)}"
        raise ValueError(message)
    return b"##%04d%b%04X\r\n" % (len(segment), segment, CRCS[crc](segment))


def reply(packet: Packet, crc: str = STANDARD) -> bytes | None:
    """What the centre answers to an upload (9014), or to a notice (9013); None if the sender wants no answer (§6.5).

    Fields come back as they stood; one longer than any of the standard's, or no text, is left out: the answer must fit into a frame.
    """
    if not packet.flag & ANSWER:
        return None
    code = NOTICES.get(packet.command, DATA_ANSWER)
    said = {name: f"{name}={value}" for name, value in packet.header.items() if len(value) <= LONGEST_FIELD and BROKEN not in value}
    parts = (said.get("QN"), f"ST=91;CN={code}", said.get("PW"), said.get("MN"), f"Flag={packet.flag & ~3}")
    return frame(f"{';'.join(part for part in parts if part)};CP=&&&&".encode(), crc)


DATA_ANSWER: Final = "9014"
NOTICES: Final = {"1013": "9013"}

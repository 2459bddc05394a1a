"""HJ 212 as a logger speaks it: packets of readings, written after the standard and not after our decoder, so that both cannot be wrong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from domain.civil import SHANGHAI

CODES: Final = {
    "air": {
        "pm25": "a34004", "pm10": "a34002", "so2": "a21026", "no2": "a21004", "co": "a21005", "o3": "a05024", "temp": "a01001", "rh": "a01002",
        "wind_speed": "a01007", "wind_dir": "a01008",
    },
    "water": {"temp": "w01010", "ph": "w01001", "do": "w01009", "cond": "w01014", "turb": "w01003", "codmn": "w01019", "nh3n": "w21003", "tp": "w21011", "tn": "w21001"},
    "point": {"cod": "w01018", "nh3n": "w21003", "tp": "w21011", "tn": "w21001", "ss": "w01012", "so2": "a21026", "nox": "a21002", "soot": "a34013", "o2_content": "a19001"},
}  # fmt: skip
"""Factor codes (tables B.1 and B.2; ozone after HJ 524) of the items of a kind of place."""
SYSTEMS: Final = {"air": "22", "water": "21", "point": "32"}
COMMANDS: Final = {0: ("2011", "Rtd"), 60: ("2051", "Avg"), 300: ("2051", "Avg"), 600: ("2051", "Avg"), 3_600: ("2061", "Avg"), 86_400: ("2031", "Avg")}
"""Span [s] → command and field."""
LONGEST: Final = 950
"""Characters of the data area at most (§6.3.2); what is longer is split."""


def crc(segment: bytes) -> int:
    """The CRC as annex A writes it, bit by bit."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            low, register = register & 1, register >> 1
            register ^= 0xA001 if low else 0
    return register


def frame(segment: bytes, sent: bytes | None = None) -> bytes:
    """``##``, length, segment, CRC, CR LF; ``sent`` stands in for the segment where its data area is encrypted."""
    said = segment if sent is None else sent
    return b"##" + f"{len(said):04d}".encode() + said + f"{crc(segment):04X}\r\n".encode()


def _encrypted(segment: bytes, key: bytes) -> bytes:
    """Each block of 16 characters by itself, ``{0x..,0x..}``, and what is less than one plain behind it."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415  only such loggers need it

    head, mark, rest = segment.partition(b"CP=&&")
    area, cipher, printed = rest[:-2], Cipher(algorithms.SM4(key), modes.ECB()).encryptor(), []  # noqa: S305  as the standard has it
    while len(area) >= 16:
        printed += [f"0x{byte:02X}" for byte in cipher.update(area[:16])]
        area = area[16:]
    return head + mark + (b"{" + ",".join(printed).encode() + b"}" if printed else b"") + area + b"&&"


@dataclass(frozen=True, slots=True)
class Logger:
    """A logger: its MN, its password, what it watches, and whether it wants answers.

    Attributes
    ----------
    version : int
        0 = 2005 (without QN and Flag), 1 = 2017, 2 = 2025.
    key : bytes, optional
        SM4 key of a logger of 2025 that encrypts its data areas.
    """

    mn: str
    kind: str = "air"
    pw: str = "123456"
    version: int = 1
    answers: bool = True
    key: bytes | None = field(default=None, repr=False)

    def packets(self, end: int, span: int, values: Mapping[str, float], flags: Mapping[str, str] | None = None, *, late: bool = False) -> list[bytes]:
        """Packets of one reading: one, or as many as its items need.

        Parameters
        ----------
        end : int [s]
            End of the span; a packet names its start.
        late : bool
            Back-filled: marked only by a logger of 2025.
        """
        command, part = COMMANDS[span]
        time = datetime.fromtimestamp(end - span, SHANGHAI).strftime("%Y%m%d%H%M%S")
        fields = [f"{CODES[self.kind][item]}-{part}={value!r},{CODES[self.kind][item]}-Flag={(flags or {}).get(item, 'N')}" for item, value in values.items()]
        areas = _areas(f"DataTime={time}", fields)
        return [self.sealed(self._segment(command, (number, len(areas)), (end, area), late=late).encode()) for number, area in enumerate(areas, 1)]

    def sealed(self, segment: bytes) -> bytes:
        """The frame of a segment; with a key its data area is encrypted, under the length of what is sent and the CRC of what was meant (2025)."""
        return frame(segment) if self.key is None else frame(segment, _encrypted(segment, self.key))

    def _segment(self, command: str, place: tuple[int, int], said: tuple[int, str], *, late: bool) -> str:
        number, total = place
        sent = datetime.fromtimestamp(said[0], SHANGHAI).strftime("%Y%m%d%H%M%S") + f"{number:03d}"
        flag = self.version << 2 | (2 if total > 1 else 0) | int(self.answers)
        modern = self.version > 0
        head = [f"QN={sent}"] if modern else []
        head += [f"ST={SYSTEMS[self.kind]}", f"CN={command}", f"PW={self.pw}", f"MN={self.mn}", *([f"Flag={flag}"] if modern else [])]
        head += [f"PNUM={total}", f"PNO={number}"] if modern and total > 1 else []
        head += ["RF=1"] if late and self.version > 1 else []
        return ";".join(head) + f";CP=&&{said[1]}&&"


def _areas(time: str, fields: Sequence[str]) -> list[str]:
    """Data areas of at most :data:`LONGEST` characters; each repeats the time (§6.6)."""
    areas = [time]
    for one in fields:
        if len(areas[-1]) + len(one) + 1 > LONGEST:
            areas.append(time)
        areas[-1] += f";{one}"
    return areas

"""What HJ 212 loggers tell besides values: states of treatment units (2021), their running time of a day (2041), a start of the logger (2081). Pure.

None of it is a reading: it becomes an event, evidence beside the meters of the treatment, never a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from domain.civil import DAY_S, date_of, day_of, day_start, iso
from domain.message import Refusal
from ingest.decoders.hj212 import Packet
from ingest.decoders.times import digits

STATES: Final = MappingProxyType(
    {0: ("停运", "off"), 1: ("运行", "running"), 2: ("校准", "calibration"), 3: ("维护", "maintenance"), 4: ("报警", "alarm"), 5: ("反吹", "purge")}
)
"""``SBn-RS`` (HJ 212-2017, table 5)."""
TYPES: Final = MappingProxyType({"2021": "equipment", "2041": "running-time", "2081": "power-up"})
"""Command → type of the event."""
UNIT: Final = re.compile(r"(SB\d{1,4})-(RS|RT)", re.ASCII)
HOURS: Final = re.compile(r"\d{1,2}(?:\.\d{1,4})?", re.ASCII)
LONGEST: Final = Decimal(24)


class Told(NamedTuple):
    """An event of a logger: whose it is, and its body as devices write them on their ``event`` topic."""

    source: str | None
    body: Mapping[str, Any]
    run: int = 0
    seq: int | None = None


def told(packet: Packet, source: str | None, units: Mapping[str, str], zone: tzinfo) -> Told | Refusal:
    """The event of a packet.

    Parameters
    ----------
    source : str or None
        Whose logger speaks; None = the device's only source.
    units : mapping
        Foreign names of the device, in which a treatment unit (``SB1``) may have its meter.

    Returns
    -------
    Told or Refusal
        ``bad-schema``: a time or a state that cannot be, a unit named twice, or none.
    """
    kind = TYPES[packet.command]
    pairs = [(name.strip(), text.strip()) for one in packet.data.replace(";", ",").split(",") if one.strip() for name, _, text in [one.partition("=")]]
    said = dict(pairs)
    if len(said) != len(pairs):
        return Refusal("bad-schema", f"字段重复 a field stands twice in CN={packet.command}")
    wanted = "RestartTime" if kind == "power-up" else "DataTime"
    try:
        time = digits(said.get(wanted, ""), zone)
    except ValueError as error:
        return Refusal("bad-schema", f"{wanted}: {error}")
    body: dict[str, Any] = {"type": kind, "time": iso(time), **({"source": source} if source else {})}
    if kind == "power-up":
        return Told(source, body)
    if kind == "running-time":
        # The label is the start of the day, as of day data; a few seconds behind it still mean that day.
        begin = day_start(day_of(time + 1))
        body |= {"day": date_of(day_of(time + 1)).isoformat(), "time": iso(begin), "to": iso(begin + DAY_S)}
    found = _units(said, kind, units)
    return found if isinstance(found, Refusal) else Told(source, {**body, "units": found})


def _units(said: Mapping[str, str], kind: str, known: Mapping[str, str]) -> list[dict[str, Any]] | Refusal:
    found: list[dict[str, Any]] = []
    for name, text in said.items():
        form = UNIT.fullmatch(name)
        if form is None or (form[2] == "RT") != (kind == "running-time"):
            continue
        one: dict[str, Any] = {"unit": form[1], **({"meter": known[form[1]]} if form[1] in known else {})}
        if kind == "running-time":
            if not HOURS.fullmatch(text) or Decimal(text) > LONGEST:
                return Refusal("bad-schema", f"{name}: 运行时间应为 0–24 小时 hours of a day are 0 to 24, not {text[:20]!r}")
            one["hours"] = float(text)
        else:
            if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) in STATES):
                return Refusal("bad-schema", f"{name}: 未知状态 no state of a treatment unit: {text[:20]!r}, known are 0 to {max(STATES)}")
            one |= {"state": int(text), "zh": STATES[int(text)][0], "en": STATES[int(text)][1]}
        found.append(one)
    return found or Refusal("bad-schema", "没有治理设施 no treatment unit (SBn) in the packet")


def words(body: Mapping[str, Any]) -> str:
    """An event in a line, for people."""
    parts = [
        f"{one['unit']}{' (' + one['meter'] + ')' if 'meter' in one else ''} {one['zh'] + ' ' + one['en'] if 'state' in one else str(one['hours']) + ' h'}"
        for one in body.get("units", ())
    ]
    return f"{body['type']}, {body.get('day', body['time'])}{': ' if parts else ''}{', '.join(parts)}"

"""Fields of the registry: what each key may hold. One table, so that loader, proposal and documentation agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple

from domain import clues, energy, places
from domain.readings import DEVICE_FLAGS
from domain.rules import NATIVE
from domain.watch import Watch
from lanbi import registry_mapping as mapping
from lanbi.registry_values import (
    FLOWS,
    LEVELS,
    Reader,
    dates,
    limits,
    lines,
    match,
    minutes,
    number,
    one_of,
    permit,
    positive,
    reset,
    share,
    text,
    texts,
    units,
    waiting,
    whole,
    windows,
    yes_no,
    zone,
)


class Field(NamedTuple):
    """A key of a registry table."""

    read: Reader
    needed: bool = False
    dated: bool = False
    default: Any = ""
    hint: str = ""


_ID: Final = Field(text, needed=True)
_NAME: Final = Field(text, needed=True)
_TEXT: Final = Field(text)
_NUMBER: Final = Field(number, default=None)
_POSITIVE: Final = Field(positive, default=None)
_ROLE_HINT: Final = ': write role = "assessment", "township", "micro", "site" or "background"; county figures use assessment only'

SINGLE: Final = ("county", "watch", "electricity")
"""Tables that stand once, ``[county]``; all others are lists, ``[[meter]]``."""
FIELDS: Final[Mapping[str, Mapping[str, Field]]] = {
    "county": {
        "id": _ID,
        "name": _NAME,
        "grid": Field(text, default=energy.NATIONAL),
        "holidays": Field(dates, default=()),
        "workdays": Field(dates, default=()),
    },
    "watch": {one.name: Field(positive, default=one.default) for one in fields(Watch)},
    "electricity": {one.name: Field(share if one.name.endswith("_share") else minutes, default=one.default) for one in fields(clues.Electricity)},
    "city": {"id": _ID, "name": _NAME, "codes": Field(texts, default=())},
    "air_station": {
        "id": _ID,
        "name": _NAME,
        "role": Field(one_of(*places.ROLES), needed=True, dated=True, default="site", hint=_ROLE_HINT),
        "town": _TEXT,
        "codes": Field(texts, default=()),
        "neighbours": Field(texts, default=()),
    },
    "water_section": {
        "id": _ID,
        "name": _NAME,
        "town": _TEXT,
        "body": Field(one_of(*places.BODIES), needed=True, default="river"),
        "control": Field(one_of(*places.CONTROLS), needed=True, default="local"),
        "match": Field(match, default=()),
        "tn_2020": _POSITIVE,
        "levels": Field(lines(LEVELS, "level"), default={}),
        "flows": Field(lines(FLOWS, "flow"), default={}),
    },
    "enterprise": {
        "id": _ID,
        "name": _NAME,
        "town": _TEXT,
        "industry": _TEXT,
        "two_high": Field(yes_no, default=False),
        "monitoring": Field(yes_no, default=False),
        "loss_low": _NUMBER,
        "loss_high": _NUMBER,
        "contact": _TEXT,
        "bureau_delay": Field(waiting, default=0),
    },
    "meter": {
        "id": _ID,
        "enterprise": Field(text, needed=True),
        "medium": Field(text, needed=True),
        "role": Field(one_of(*places.METER_ROLES), needed=True, dated=True, default="sub"),
        "flow": Field(one_of(*places.FLOWS), default="purchased"),
        "unit": Field(text, needed=True),
        "resolution": Field(positive, default="1"),
        "modulus": _POSITIVE,
        "multiplier": Field(positive, dated=True, default="1"),
        "max_power": _POSITIVE,
        "max_rate": _POSITIVE,
        "reset": Field(reset, default="never"),
        "treats": Field(text, default=None),
        "account": Field(one_of(*energy.ACCOUNTS), default=places.ENERGY),
        "heat_value": Field(positive, dated=True, default=None),
        "on_power": _POSITIVE,
        "behind": Field(text, default=None),
        "maintenance": Field(windows, default=()),
    },
    "line": {
        "id": _ID,
        "enterprise": Field(text, needed=True),
        "product": _TEXT,
        "capacity": _POSITIVE,
        "advanced": _POSITIVE,
        "baseline": _POSITIVE,
        "water_quota": _POSITIVE,
        "meters": Field(texts, default=()),
    },
    "point": {
        "id": _ID,
        "name": _TEXT,
        "enterprise": Field(text, needed=True),
        "kind": Field(one_of(*places.POINT_KINDS), needed=True, default="outfall"),
        "limits": Field(limits, default=()),
        "units": Field(units, default={}),
        "permit": Field(permit, default=None),
    },
    "factor": {
        "id": _ID,
        "medium": Field(one_of(*energy.FUELS), needed=True, default="coal"),
        "kind": Field(one_of(*energy.KINDS), needed=True, default=energy.COAL),
        "value": Field(positive, needed=True, dated=True, default="1"),
        "source": Field(text, needed=True),
    },
    "well": {"id": _ID, "name": _NAME, "limit_level": _NUMBER},
    "device": {
        "id": _ID,
        "sources": Field(texts, needed=True, dated=True, default=()),
        "format": Field(mapping.format_, dated=True, default=NATIVE),
        "interval": Field(whole, needed=True, default=3600),
        "state": Field(one_of(*places.DEVICE_STATES), needed=True, dated=True, default="accepted"),
        "zone": Field(zone, dated=True, default=None),
        "label": Field(one_of(*places.LABELS), dated=True, default=None),
        "time_unit": Field(one_of(*places.TIME_UNITS), dated=True, default="s"),
        "crc": Field(one_of("standard", "modbus"), default="standard"),
        "mapping": Field(text, dated=True, default=None),
        "names": Field(mapping.table, default={}),
        "topics": Field(mapping.topics, default=()),
        "pw": Field(text, default=None),
        "peers": Field(mapping.peers, default=()),
    },
    "mapping": {
        "id": _ID,
        "format": Field(mapping.format_, needed=True, default="json"),
        "version": Field(whole, default=1),
        "note": _TEXT,
        "items": Field(mapping.items, default=()),
        "records": _TEXT,
        "require": _TEXT,
        "skip": _TEXT,
        "time": _TEXT,
        "time_format": _TEXT,
        "arrival": Field(yes_no, default=False),
        "span": Field(mapping.seconds, default=0),
        "source": _TEXT,
        "flag": _TEXT,
        "flags": Field(mapping.flags, default={}),
        "unflagged": Field(one_of(*sorted(DEVICE_FLAGS)), default=""),
        "sentinels": Field(mapping.sentinels, default=()),
        "ignore": Field(texts, default=()),
        "units": Field(mapping.units, default={}),
        "minutes": Field(mapping.minutes, default=0),
        "tolerant": Field(yes_no, default=False),
        "options": Field(mapping.options, default={}),
    },
}
"""Tables of the registry with their keys; the order is that of interfaces and documentation."""

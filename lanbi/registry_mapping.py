"""Keys of a mapping rule in the registry, and what no single key of it can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from ipaddress import ip_network
from typing import Any, Final

from domain.errors import NotUnderstood
from domain.items import BY_REALM, REALMS
from domain.readings import DEVICE_FLAGS
from domain.rules import HJ212, NATIVE, SUMS, TIME_FORMATS, ItemRule
from ingest.decoders.formats import names
from ingest.decoders.hj212_read import MINUTES
from ingest.decoders.paths import compiled
from ingest.decoders.topics import overlap
from ingest.decoders.units import UNITS
from lanbi.registry_values import number, text, texts
from lanbi.toml_lines import nearest, unknown

ITEMS: Final = tuple(dict.fromkeys(name for realm in REALMS for name in BY_REALM[realm]))
ITEM: Final = ("item", "name", "unit", "scale", "offset", "source", "sum")
PATHS: Final = ("records", "require", "skip", "time", "source", "flag")
_LEVEL: Final = re.compile(r"topic:-?\d+")
_TOPIC: Final = re.compile(r"(?:[^+#/\x00-\x1f\x7f]*|\+)(?:/(?:[^+#/\x00-\x1f\x7f]*|\+))*(?:/#)?")
"""No control character: the broker's access list has a rule a line."""
OWN: Final = frozenset({"lanbi", "$SYS", "$share", "+"})
"""First levels that are nobody's: lanbi's own, the broker's, and every."""


def format_(value: object) -> tuple[str, Any]:
    """The name of a format that is built in, or that an installed package brings."""
    known = names()
    good = isinstance(value, str) and value in known
    return ("", value) if good else (f"{value!r} is no known format{nearest(str(value), known)}", NATIVE)


def table(value: object) -> tuple[str, Any]:
    """A table of texts."""
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        return f'a table such as {{A = "B"}} is needed, not {value!r}', {}
    return "", dict(value)


def options(value: object) -> tuple[str, Any]:
    """A table of anything."""
    return ("", dict(value)) if isinstance(value, dict) else (f"a table is needed, not {value!r}", {})


def seconds(value: object) -> tuple[str, Any]:
    """A whole number from 0 to a year."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 31_622_400
    return ("", value) if good else (f"seconds from 0 to 31622400 are needed, not {value!r}", 0)


def minutes(value: object) -> tuple[str, Any]:
    """A period of HJ 212 minute data."""
    good = isinstance(value, int) and not isinstance(value, bool) and value in {0, *MINUTES}
    return ("", value) if good else (f"{value!r} is none of {', '.join(map(str, sorted(MINUTES)))}", 0)


def sentinels(value: object) -> tuple[str, Any]:
    """A list of numbers, kept as text."""
    found = [number(one) for one in value] if isinstance(value, list) else [("a list of numbers is needed", None)]
    return next((words for words, _ in found if words), ""), tuple(one for _, one in found if one is not None)


def flags(value: object) -> tuple[str, Any]:
    """A table of foreign marks to our letters."""
    fault, found = table(value)
    strange = next((one for one in found.values() if one not in DEVICE_FLAGS), None)
    return (f"{strange!r} is no letter of {' '.join(sorted(DEVICE_FLAGS))}", {}) if strange is not None else (fault, found)


def units(value: object) -> tuple[str, Any]:
    """A table of items to units that are sent."""
    fault, found = table(value)
    wrong = [
        *(words for _, words in unknown(found, ITEMS)),
        *(f"unknown unit {one!r}{nearest(one, tuple(UNITS))}" for one in found.values() if one not in UNITS),
    ]
    return (wrong[0], {}) if wrong else (fault, found)


def items(value: object) -> tuple[str, Any]:
    """A list of item tables."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return 'a list such as [{item = "pm25", name = "pm02"}] is needed', ()
    found = [_item(one) for one in value]
    return next((words for words, _ in found if words), ""), tuple(one for _, one in found if one is not None)


def _item(one: Mapping[str, Any]) -> tuple[str, ItemRule | None]:
    strange = unknown(one, ITEM)
    if strange:
        return strange[0][1], None
    texts_ = {key: value for key, value in one.items() if key not in {"scale", "offset"}}
    faults = [f"{key}: a text is needed, not {value!r}" for key, value in texts_.items() if not isinstance(value, str)]
    numbers = {key: number(one[key]) for key in ("scale", "offset") if key in one}
    faults += [f"{key}: {words}" for key, (words, _) in numbers.items() if words]
    faults += [f"{one} has no {key}" for key in ("item", "name") if not one.get(key)]
    if not faults and one["item"] not in ITEMS:
        faults.append(f"unknown item {one['item']!r}{nearest(one['item'], ITEMS)}")
    if not faults and one.get("unit", "") not in {"", *UNITS}:
        faults.append(f"unknown unit {one['unit']!r}{nearest(one['unit'], tuple(UNITS))}")
    if not faults and one.get("sum", "") not in {"", *SUMS}:
        faults.append(f"sum {one['sum']!r} is none of {', '.join(SUMS)}")
    if faults:
        return faults[0], None
    return "", ItemRule(**texts_, **{key: found for key, (_, found) in numbers.items()})


def topics(value: object) -> tuple[str, Any]:
    """A list of foreign MQTT topics or filters."""
    fault, found = texts(value)
    bad = next((one for one in found if not one or not _TOPIC.fullmatch(one) or one == "#" or one.split("/")[0] in OWN or len(one) > 200), None)
    words = f"{bad!r} is no foreign topic: none of lanbi/…, a first level that is given, and a wildcard alone on its level" if bad is not None else fault
    return words, () if words else found


def peers(value: object) -> tuple[str, Any]:
    """A list of addresses or networks."""
    fault, found = texts(value)
    for one in found:
        try:
            ip_network(one, strict=False)
        except ValueError:
            fault = fault or f"{one!r} is neither an address nor a network such as 10.8.0.0/16"
    return fault, () if fault else found


def faults(tables: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What does not fit between mappings and devices, with the path of the key."""
    for number_, rule in enumerate(tables["mapping"]):
        yield from (((*("mapping", number_), key), words) for key, words in _rule(rule))
    known = {row["id"] for row in tables["mapping"]}
    for number_, device in enumerate(tables["device"]):
        named = [name for _, name in device["mapping"].steps if name and name not in known]
        yield from ((("device", number_, "mapping"), f"mapping '{name}' is not registered{nearest(name, tuple(known))}") for name in named)
        own = {name for _, names_ in device["sources"].steps for name in names_ or ()}
        foreign = [source for source in device["names"].values() if source not in own]
        yield from ((("device", number_, "names"), f"'{source}' is none of the device's sources") for source in foreign)
    yield from _claims(tables["device"])


def _claims(devices: list[Mapping[str, Any]]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Two devices may not own one topic: each could speak for the other."""
    seen: list[tuple[str, str]] = []
    for number_, device in enumerate(devices):
        for topic in device["topics"]:
            other = next((owner for known, owner in seen if owner != device["id"] and overlap(known, topic)), None)
            if other:
                yield ("device", number_, "topics"), f"topics: '{topic}' also belongs to device '{other}'"
        seen += [(topic, device["id"]) for topic in device["topics"]]


def _rule(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    paths = [(key, rule[key]) for key in PATHS if rule[key] and not (key == "source" and _LEVEL.fullmatch(rule[key]))]
    if rule["format"] == "json":
        paths += [("items", one.name) for one in rule["items"]]
        for key, path in paths:
            try:
                compiled(path)
            except NotUnderstood as error:
                yield key, f"{key}: {error.what}"
    if rule["format"] not in {HJ212, NATIVE} and not rule["items"]:
        yield "items", f"mapping '{rule['id']}' names no items: nothing of a message would be understood"
    if rule["format"] == NATIVE:
        yield "format", "a native message needs no mapping"
    if rule["time_format"] and rule["time_format"] not in TIME_FORMATS:
        yield "time_format", f"time_format '{rule['time_format']}' is none of {', '.join(TIME_FORMATS)}"
    zero = [one.item for one in rule["items"] if not Decimal(one.scale)]
    if zero:
        yield "items", f"scale of {zero[0]} is 0"


__all__ = ["faults", "flags", "format_", "items", "minutes", "options", "peers", "seconds", "sentinels", "table", "text", "topics", "units"]

"""The registry: a TOML file becomes the county's places and devices, validated whole, every fault with its line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from domain import places
from domain.civil import day_number, parse_date
from domain.errors import RegistryError
from domain.places import Dated, Registry
from lanbi.registry_fields import FIELDS, Field
from lanbi.toml_lines import Lines, parse, raise_all, read, unknown

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
ALWAYS: Final = -(2**31)
TODO: Final = "mend the registry; docs/settings.md explains every key"


def load(path: Path) -> Registry:
    """Registry of a TOML file.

    Raises
    ------
    RegistryError
        All faults at once, each with file and line.
    """
    return loads(read(path, RegistryError), str(path))


def loads(text: str, name: str) -> Registry:
    """Registry of a TOML text; ``name`` stands for it in messages."""
    tree = parse(text, name, RegistryError)
    reading = _Reading(name, Lines(text))
    tables = {kind: reading.table(kind, tree.get(kind, [])) for kind in FIELDS if kind != "county"}
    county = reading.county(tree.get("county"))
    reading.faults += [(reading.where(key), words) for key, words in unknown(tree, tuple(FIELDS))]
    _check_ids(tables, reading)
    _check_references(tables, reading)
    _check_devices(tables, reading)
    raise_all(reading.faults, RegistryError, TODO)
    version = hashlib.sha256("\n".join(line.strip() for line in text.splitlines() if line.strip()).encode()).hexdigest()[:12]
    return _built(county, tables, version)


@dataclass
class _Reading:
    """One pass over the tree: rows as plain values, faults with their lines."""

    name: str
    lines: Lines
    faults: list[tuple[str, str]] = field(default_factory=list)

    def where(self, *path: str | int) -> str:
        return f"{self.name}:{self.lines.of(*path)}"

    def county(self, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict) or not value.get("id"):
            self.faults.append((self.where("county"), "a table [county] with id and name is needed"))
            return {"id": "?", "name": "?"}
        return self._row("county", ("county",), value)

    def table(self, kind: str, rows: object) -> list[dict[str, Any]]:
        if not isinstance(rows, list):
            self.faults.append((self.where(kind), f"write [[{kind}]], one table a {kind}"))
            return []
        return [self._row(kind, (kind, number), row) for number, row in enumerate(rows)]

    def _row(self, kind: str, path: tuple[str | int, ...], row: Mapping[str, Any]) -> dict[str, Any]:
        known = FIELDS[kind]
        self.faults += [(self.where(*path, key), words) for key, words in unknown(row, tuple(known))]
        found: dict[str, Any] = {}
        for key, rule in known.items():
            if key not in row:
                if rule.needed:
                    self.faults.append((self.where(*path), f"{kind} '{row.get('id', '?')}' has no {key}{rule.hint}"))
                found[key] = _absent(rule)
                continue
            found[key] = self._value(rule, row[key], (*path, key))
        return found

    def _value(self, rule: Field, value: object, path: tuple[str | int, ...]) -> Any:
        if not rule.dated:
            return self._plain(rule, value, path)
        steps = _steps(value)
        if steps is None:
            self.faults.append((self.where(*path), f"{path[-1]}: a dated list needs {{from = DATE, value = …}} in order of dates"))
            return Dated.always(None)
        return Dated(tuple((day, self._plain(rule, one, path)) for day, one in steps))

    def _plain(self, rule: Field, value: object, path: tuple[str | int, ...]) -> Any:
        fault, found = rule.read(value)
        if fault:
            self.faults.append((self.where(*path), f"{path[-1]}: {fault}"))
        return found


def _absent(rule: Field) -> Any:
    return Dated.always(rule.default) if rule.dated else rule.default


def _steps(value: object) -> list[tuple[int, object]] | None:
    """Steps of a dated value; a plain value holds always. None = malformed."""
    if not (isinstance(value, list) and value and all(isinstance(one, dict) for one in value)):
        return [(ALWAYS, value)]
    steps: list[tuple[int, object]] = []
    for one in value:
        day = day_of(one.get("from"))
        if day is None or "value" not in one or (steps and day <= steps[-1][0]):
            return None
        steps.append((day, one["value"]))
    return steps


def day_of(value: object) -> int | None:
    """Civil day of a TOML date or a text; None if it is neither."""
    if isinstance(value, date):
        return day_number(value)
    try:
        return parse_date(str(value))
    except ValueError:
        return None


def _check_ids(tables: Mapping[str, list[dict[str, Any]]], reading: _Reading) -> None:
    seen: dict[str, str] = {}
    for kind, rows in tables.items():
        for number, row in enumerate(rows):
            name = str(row["id"])
            where = reading.where(kind, number, "id")
            if not ID.fullmatch(name):
                reading.faults.append((where, f"id '{name}': 1 to 32 letters, digits, _ or - are allowed"))
            # A device may carry the id of its only source; ids of places are unique over all kinds.
            elif name in seen and "device" not in {kind, seen[name]}:
                reading.faults.append((where, f"id '{name}' is taken by a {seen[name]}"))
            elif name in seen and kind == seen[name]:
                reading.faults.append((where, f"id '{name}' stands twice"))
            seen.setdefault(name, kind)


def _check_references(tables: Mapping[str, list[dict[str, Any]]], reading: _Reading) -> None:
    ids = {kind: {row["id"] for row in rows} for kind, rows in tables.items()}
    references = (
        ("meter", "enterprise", "enterprise"),
        ("meter", "treats", "meter"),
        ("line", "enterprise", "enterprise"),
        ("point", "enterprise", "enterprise"),
    )
    many = (("air_station", "neighbours", "air_station"), ("line", "meters", "meter"))
    for kind, key, wanted in references:
        for number, row in enumerate(tables[kind]):
            if row[key] and row[key] not in ids[wanted]:
                reading.faults.append((reading.where(kind, number, key), f"{key} '{row[key]}' is no registered {wanted}"))
    for kind, key, wanted in many:
        for number, row in enumerate(tables[kind]):
            lost = [name for name in row[key] if name not in ids[wanted]]
            reading.faults += [(reading.where(kind, number, key), f"{key}: '{name}' is no registered {wanted}") for name in lost]
    for number, row in enumerate(tables["meter"]):
        if row["modulus"] and not (row["max_power"] or row["max_rate"]):
            what = f"meter '{row['id']}' has a modulus and needs max_power or max_rate, or a roll-over cannot be told from a fault"
            reading.faults.append((reading.where("meter", number, "modulus"), what))


def _check_devices(tables: Mapping[str, list[dict[str, Any]]], reading: _Reading) -> None:
    sources = {row["id"] for kind in ("city", "air_station", "water_section", "meter", "point", "well") for row in tables[kind]}
    claims: dict[str, list[tuple[int, int, str]]] = {}
    for number, row in enumerate(tables["device"]):
        steps = [(day, names or ()) for day, names in row["sources"].steps]
        ends = [day for day, _ in steps[1:]] + [2**31]
        for (start, names), end in zip(steps, ends, strict=True):
            for name in names:
                where = reading.where("device", number, "sources")
                if name not in sources:
                    reading.faults.append((where, f"source '{name}' is not registered"))
                others = [other for first, last, other in claims.get(name, []) if start < last and first < end]
                if others and row["state"].newest != "retired":
                    reading.faults.append((where, f"devices '{others[0]}' and '{row['id']}' both speak for '{name}' on one day"))
                if row["state"].newest != "retired":
                    claims.setdefault(name, []).append((start, end, row["id"]))


def _built(county: Mapping[str, Any], tables: Mapping[str, list[dict[str, Any]]], version: str) -> Registry:
    makers: Mapping[str, Callable[..., Any]] = {
        "city": places.City,
        "air_station": places.AirStation,
        "water_section": places.WaterSection,
        "enterprise": places.Enterprise,
        "meter": places.Meter,
        "line": places.Line,
        "point": places.Point,
        "well": places.Well,
        "device": places.Device,
    }

    def made(kind: str) -> dict[str, Any]:
        return {row["id"]: makers[kind](**row) for row in tables[kind]}

    return Registry(
        county=places.County(**county),
        cities=made("city"),
        air_stations=made("air_station"),
        water_sections=made("water_section"),
        enterprises=made("enterprise"),
        meters=made("meter"),
        lines=made("line"),
        points=made("point"),
        wells=made("well"),
        devices=made("device"),
        version=version,
    )


def summary(registry: Registry) -> Sequence[tuple[str, int]]:
    """How many of each kind are registered."""
    counted = ("air_stations", "water_sections", "enterprises", "meters", "points", "wells", "devices")
    return [(name, len(getattr(registry, name))) for name in counted]

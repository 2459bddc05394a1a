"""The registry: a TOML file becomes the county's places and devices, validated whole, every fault with its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from domain import places
from domain.clues import Electricity
from domain.errors import RegistryError
from domain.places import Dated, Registry
from domain.rules import Rule
from domain.watch import Watch
from lanbi import registry_checks
from lanbi.registry_fields import FIELDS, SINGLE, Field
from lanbi.registry_values import day_of
from lanbi.toml_lines import Lines, parse, raise_all, read, unknown

ALWAYS: Final = -(2**31)
STEP: Final = ("from", "value")
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
    reading.faults += [(reading.where(key), words) for key, words in unknown(tree, tuple(FIELDS))]
    county = reading.county(tree.get("county"))
    watch, electricity = (reading.limits(name, tree.get(name, {})) for name in ("watch", "electricity"))
    tables = {kind: reading.table(kind, tree.get(kind, [])) for kind in FIELDS if kind not in SINGLE}
    reading.faults += registry_checks.located(registry_checks.faults({"county": [county], **tables}), reading.where)
    raise_all(reading.faults, RegistryError, TODO)
    return replace(_built(county, tables, _version(tree)), watch=Watch(**watch), electricity=Electricity(**electricity))


def _version(tree: Mapping[str, Any]) -> str:
    """Short hash of the content; comments, blank lines and the order of keys do not make another version."""
    canonical = json.dumps(tree, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


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
            return {"id": "", "name": ""}
        return self._row("county", ("county",), value)

    def limits(self, name: str, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self.faults.append((self.where(name), f"write [{name}], one table with the limits that differ"))
            return {}
        return self._row(name, (name,), value)

    def table(self, kind: str, rows: object) -> list[dict[str, Any]]:
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.faults.append((self.where(kind), f"write [[{kind}]], one table for each {kind}"))
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
        fault, steps = _steps(value)
        if fault:
            self.faults.append((self.where(*path), f"{path[-1]}: {fault}"))
            return Dated.always(rule.default)
        return Dated(tuple((day, self._plain(rule, one, path)) for day, one in steps))

    def _plain(self, rule: Field, value: object, path: tuple[str | int, ...]) -> Any:
        fault, found = rule.read(value)
        if fault:
            self.faults.append((self.where(*path), f"{path[-1]}: {fault}"))
        return found


def _absent(rule: Field) -> Any:
    return Dated.always(rule.default) if rule.dated else rule.default


def _steps(value: object) -> tuple[str, list[tuple[int, object]]]:
    """Fault and steps of a dated value; a plain value holds always."""
    if not (isinstance(value, list) and value and all(isinstance(one, dict) for one in value)):
        return "", [(ALWAYS, value)]
    steps: list[tuple[int, object]] = []
    for one in value:
        day = day_of(one.get("from"))
        strange = unknown(one, STEP)
        if strange or day is None or "value" not in one:
            return strange[0][1] if strange else f"a dated list needs {{from = DATE, value = …}}, not from = {one.get('from')!r}", []
        if steps and day <= steps[-1][0]:
            return f"the dates of a dated list must grow: {one.get('from')}", []
        steps.append((day, one["value"]))
    return "", steps


def _built(county: Mapping[str, Any], tables: Mapping[str, list[dict[str, Any]]], version: str) -> Registry:
    makers: Mapping[str, Callable[..., Any]] = {
        "city": places.City,
        "air_station": places.AirStation,
        "water_section": places.WaterSection,
        "enterprise": places.Enterprise,
        "meter": places.Meter,
        "line": places.Line,
        "factor": places.Factor,
        "point": places.Point,
        "well": places.Well,
        "device": places.Device,
        "mapping": Rule,
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
        factors=made("factor"),
        mappings=made("mapping"),
    )

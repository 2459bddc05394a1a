"""Schemas of registry and plan: every file that comes with lanbi is valid, and the loaders refuse what the schemas refuse."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from domain.errors import PlanError, RegistryError
from lanbi import plans, registry
from lanbi.registry_fields import FIELDS, SINGLE
from scripts import schemas_county

ROOT = Path(__file__).resolve().parent.parent
MADE = {"registry": schemas_county.registry, "plan": schemas_county.plan}
CHECKS = {name: jsonschema.Draft202012Validator(make(), format_checker=jsonschema.FormatChecker()) for name, make in MADE.items()}
COUNTY = {"county": {"id": "c", "name": "县"}}
FILES = sorted([*(ROOT / "plans").glob("*.toml"), *(ROOT / "deploy" / "init").glob("*.toml"), *(ROOT / "examples" / "mappings").glob("*.toml")])


def tree_of(text: str) -> dict[str, Any]:
    """A TOML text as an editor hands it to a schema: dates are texts."""
    filled = text.replace("@HORIZON@", "2030").replace("@COUNTY_ID@", "c")
    return json.loads(json.dumps(tomllib.loads(filled), default=str))


def faults(name: str, tree: Any) -> list[str]:
    """What the schema says against a tree, with its path."""
    return [f"{one.json_path}: {one.message}" for one in CHECKS[name].iter_errors(tree)]


def kind_of(tree: dict[str, Any]) -> str:
    """Which of both a file is."""
    return "plan" if "target" in tree else "registry"


@pytest.mark.parametrize("name", MADE)
def test_each_is_a_schema(name: str) -> None:
    """Of draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(MADE[name]())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_files_that_come_with_lanbi_are_valid(path: Path) -> None:
    """Plans, sample counties, what `lanbi init` writes, and every example of a mapping."""
    tree = tree_of(path.read_text(encoding="utf-8"))
    name = kind_of(tree)

    assert [] == faults(name, tree if name == "plan" else {**COUNTY, **tree})


def wrong(kind: str, key: str) -> dict[str, Any]:
    """A registry whose one row is right but for a key that no reader takes: a list in a list."""
    row = {name: "x" for name, rule in FIELDS[kind].items() if rule.needed} | {key: [[1]]}
    tree = {**COUNTY, kind: row if kind in SINGLE else [row]}
    return {**tree, "county": {**COUNTY["county"], **tree["county"]}} if kind == "county" else tree


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, fields in FIELDS.items() for key in fields])
def test_every_key_has_a_form(kind: str, key: str, tmp_path: Path) -> None:
    """A value of no form is refused at its key by both, so no key is left without a rule."""
    path = tmp_path / "county.toml"
    tree = wrong(kind, key)
    path.write_text("\n".join(toml(name, rows) for name, rows in tree.items()), encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        registry.load(path)

    assert any(what.startswith(f"{key}: ") or f"no {key}" in what or key == "id" for _, what in caught.value.faults)
    assert [one for one in faults("registry", tree) if one.startswith((f"$.{kind}.{key}", f"$.{kind}[0].{key}"))]


def toml(name: str, rows: Any) -> str:
    """A table or a list of tables in TOML."""
    single = isinstance(rows, dict)
    head = f"[{name}]" if single else f"[[{name}]]"
    return "\n".join(
        f"{head}\n" + "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in row.items()) for row in ([rows] if single else rows)
    )


STATION = {"id": "a", "name": "站", "role": "assessment"}
REFUSED = [
    {},
    {**COUNTY, "air_stations": [STATION]},
    {**COUNTY, "air_station": {}},
    {**COUNTY, "air_station": [{"id": "a", "name": "站"}]},
    {**COUNTY, "air_station": [{**STATION, "role": "assesment"}]},
    {**COUNTY, "air_station": [{**STATION, "role": [{"from": "2025", "value": "site"}]}]},
    {**COUNTY, "air_station": [{**STATION, "role": [{"from": "2025-01-01"}]}]},
    {**COUNTY, "air_station": [{**STATION, "colour": "red"}]},
    {**COUNTY, "meter": [{"id": "m", "enterprise": "e", "medium": "electricity", "role": "main", "unit": "kWh", "modulus": "0"}]},
    {**COUNTY, "meter": [{"id": "m", "enterprise": "e", "medium": "electricity", "role": "main", "unit": "kWh", "multiplier": "many"}]},
    {**COUNTY, "meter": [{"id": "m", "enterprise": "e", "medium": "electricity", "role": "main", "unit": "kWh", "reset": "25:00"}]},
    {**COUNTY, "device": [{"id": "d", "sources": ["a"], "interval": 0, "state": "trial"}]},
    {**COUNTY, "mapping": [{"id": "p", "format": "json", "items": [{"item": "pm25"}]}]},
    {**COUNTY, "mapping": [{"id": "p", "format": "json", "minutes": 7}]},
]


@pytest.mark.parametrize("tree", REFUSED, ids=lambda tree: json.dumps(tree, ensure_ascii=False)[40:110])
def test_what_the_schema_refuses_the_loader_refuses(tree: dict[str, Any]) -> None:
    """So an editor never marks what would have worked."""
    with pytest.raises(RegistryError):
        registry.loads("\n".join(toml(name, rows) for name, rows in tree.items()), "county.toml")

    assert faults("registry", tree)


TARGET = {"id": "a.b", "name_zh": "甲", "name_en": "a", "op": "<=", "kind": "annual", "source": "sensor"}


@pytest.mark.parametrize(
    "tree",
    [
        {"target": [TARGET]},
        {"plan": {"id": "p"}, "target": [TARGET]},
        {"plan": {"horizon": 1800}, "target": [TARGET]},
        {"plan": {"horizon": 2030}, "target": [{**TARGET, "op": "="}]},
        {"plan": {"horizon": 2030}, "target": [{**TARGET, "id": "A B"}]},
        {"plan": {"horizon": 2030}, "target": [{key: value for key, value in TARGET.items() if key != "kind"}]},
        {"plan": {"horizon": 2030}, "target": [{**TARGET, "departments": "局"}]},
        {"plan": {"horizon": 2030}, "target": [{**TARGET, "goal": 1}]},
        {"plan": {"horizon": 2030}, "targets": [TARGET]},
    ],
)
def test_plans_that_the_schema_refuses(tree: dict[str, Any], tmp_path: Path) -> None:
    """The loader refuses each of them too."""
    path = tmp_path / "plan.toml"
    path.write_text("\n".join(toml(name, rows) for name, rows in tree.items()), encoding="utf-8")
    with pytest.raises(PlanError):
        plans.load(path)

    assert faults("plan", tree)


@pytest.mark.parametrize("text", ["1", "+2.50", ".5", "1e3", "1_000", " 7 ", "5."])
def test_decimals_in_quotes(text: str) -> None:
    """What Decimal reads as a number above zero, the schema takes; its negative only where numbers may be negative."""
    assert Decimal(text) > 0
    assert jsonschema.Draft202012Validator(schemas_county.POSITIVE).is_valid(text)
    negative = "-" + text.strip().lstrip("+")
    assert jsonschema.Draft202012Validator(schemas_county.NUMBER).is_valid(negative)
    assert not jsonschema.Draft202012Validator(schemas_county.POSITIVE).is_valid(negative)

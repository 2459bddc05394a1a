"""Plans: TOML files of targets, loaded with exact decimals; several may be in force side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from domain.errors import PlanError
from domain.targets import KINDS, OPERATORS, SOURCES, Plan, Target, YearValue
from lanbi.toml_lines import Lines, faults_of, parse, raise_all, read, unknown

TEXTS: Final = ("id", "item", "name_zh", "name_en", "op", "unit", "kind", "source", "clause", "baseline")
NEEDED: Final = ("id", "name_zh", "name_en", "op", "kind", "source")
KEYS: Final = (*TEXTS, "departments", "values")
HEAD: Final = ("id", "name_zh", "name_en", "horizon")
VALUE: Final = ("year", "value", "document")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"op": OPERATORS, "kind": tuple(KINDS), "source": SOURCES}
SAME: Final = ("op", "unit")
ID: Final = re.compile(r"[a-z0-9_.]{1,64}")
TODO: Final = "mend the plan; docs/settings.md explains every key"

Fault = tuple[str, str]
"""Key and words."""


def load(path: Path) -> Plan:
    """Plan of a TOML file.

    Raises
    ------
    PlanError
        All faults at once, each with file and line.
    """
    text = read(path, PlanError)
    tree = parse(text, str(path), PlanError)
    lines = Lines(text)
    head, rows = tree.get("plan", {}), tree.get("target", [])
    found = [(lines.of(key), words) for key, words in unknown(tree, ("plan", "target"))]
    found += [(lines.of("plan", key), words) for key, words in _head_faults(head)]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        found.append((lines.of("target"), "write [[target]], one table for each target"))
        rows = []
    seen: set[str] = set()
    for number, row in enumerate(rows):
        found += [(lines.of("target", number, key), words) for key, words in _faults(row, seen)]
        seen.add(str(row.get("id")))
    raise_all([(f"{path}:{line}", words) for line, words in found], PlanError, TODO)
    targets = tuple(_target(row) for row in rows)
    return Plan(head.get("id", path.stem), head.get("name_zh", path.stem), head.get("name_en", path.stem), head["horizon"], targets)


def load_all(paths: Sequence[Path]) -> tuple[Plan, ...]:
    """Several plans side by side; a target that a later plan takes up again is one target, with the values of both.

    Figures of a target are stored under its id, so two targets of one id would overwrite each other.

    Raises
    ------
    PlanError
        All faults of all files at once; also two plans that disagree about a target or about its value of a year.
    """
    plans: list[Plan] = []
    found: list[tuple[str, str]] = []
    for path in paths:
        try:
            plans.append(load(path))
        except PlanError as error:
            found += faults_of(error)
    raise_all(found, PlanError, TODO)
    where = ", ".join(str(path) for path in paths)
    raise_all([(where, words) for words in _disagreements(plans)], PlanError, TODO)
    return tuple(replace(plan, targets=tuple(_joined(target, plans) for target in plan.targets if _home(target.id, plans) is plan)) for plan in plans)


def _home(name: str, plans: Sequence[Plan]) -> Plan:
    """The plan under which a target is shown: the one that runs longest."""
    return max((plan for plan in plans if plan.target(name)), key=lambda plan: plan.horizon)


def _versions(name: str, plans: Sequence[Plan]) -> list[Target]:
    return [target for plan in plans if (target := plan.target(name))]


def _joined(target: Target, plans: Sequence[Plan]) -> Target:
    values = {value.year: value for one in _versions(target.id, plans) for value in one.values if value.value is not None or one is target}
    return replace(target, values=tuple(values[year] for year in sorted(values)))


def _disagreements(plans: Sequence[Plan]) -> Iterator[str]:
    ids = [plan.id for plan in plans]
    yield from (f"plan '{name}' is named twice" for name in sorted({name for name in ids if ids.count(name) > 1}))
    for name in sorted({target.id for plan in plans for target in plan.targets}):
        versions = _versions(name, plans)
        for key in SAME:
            if len({getattr(target, key) for target in versions}) > 1:
                yield f"target '{name}' has another {key} in each plan; give one of them another id"
        values = {(value.year, value.value) for target in versions for value in target.values if value.value is not None}
        years = [year for year, _ in values]
        yield from (f"target '{name}' has two values for {year}" for year in sorted({year for year in years if years.count(year) > 1}))


def folder() -> Path:
    """Folder of the plans and sample counties that come with lanbi: in a clone, or inside the installed package."""
    here = Path(__file__).resolve().parent
    return here / "_plans" if (here / "_plans").is_dir() else here.parent / "plans"


def _head_faults(head: object) -> list[Fault]:
    if not isinstance(head, dict) or not _is_year(head.get("horizon")):
        return [("horizon", "a table [plan] with id, name_zh, name_en and horizon (year) is needed")]
    found = unknown(head, HEAD)
    found += [(key, f"{key}: text in quotes is needed") for key in HEAD[:3] if not isinstance(head.get(key, ""), str)]
    return found


def _faults(row: Mapping[str, Any], seen: set[str]) -> list[Fault]:
    name = row.get("id")
    found = unknown(row, KEYS)
    found += [("id", f"target '{name or '?'}' has no {key}") for key in NEEDED if not row.get(key)]
    found += [(key, f"{key}: text in quotes is needed, not {row[key]!r}") for key in TEXTS if key in row and not isinstance(row[key], str)]
    found += [(key, f"{key}: {row[key]!r} is none of {', '.join(words)}") for key, words in CHOICES.items() if row.get(key) and row[key] not in words]
    if isinstance(name, str) and name and not ID.fullmatch(name):
        found.append(("id", f"id '{name}': small letters, digits, _ and . are allowed, at most 64"))
    found += [("id", f"target '{name}' stands twice")] if name and str(name) in seen else []
    departments = row.get("departments", [])
    if not isinstance(departments, list) or not all(isinstance(one, str) for one in departments):
        found.append(("departments", "departments: a list of names is needed"))
    return found + [("values", words) for words in _values_faults(row.get("values", []))]


def _values_faults(values: object) -> list[str]:
    if not isinstance(values, list):
        return ["values: a list of {year, value, document} is needed"]
    found = [words for one in values for words in _value_faults(one)]
    years = [one["year"] for one in values if isinstance(one, dict) and _is_year(one.get("year"))]
    return found + [f"year {year} stands twice" for year in sorted({year for year in years if years.count(year) > 1})]


def _value_faults(one: object) -> list[str]:
    if not isinstance(one, dict) or not _is_year(one.get("year")):
        return [f"values: {one!r} is no {{year, value, document}}"]
    value = one.get("value", 0)
    good = isinstance(value, int | Decimal) and not isinstance(value, bool) and Decimal(value).is_finite()
    return [*([] if good else [f"value {value!r} is no number"]), *(words for _, words in unknown(one, VALUE))]


def _is_year(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1900 <= value <= 2200


def _target(row: Mapping[str, Any]) -> Target:
    values = tuple(
        YearValue(one["year"], None if one.get("value") is None else Decimal(one["value"]), str(one.get("document", "")))
        for one in sorted(row.get("values", []), key=lambda one: int(one["year"]))
    )
    texts = {key: str(row.get(key, "")) for key in TEXTS}
    return Target(**texts, departments=tuple(row.get("departments", ())), values=values)

"""Plans: TOML files of targets, loaded with exact decimals; several may be in force side by side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from domain.errors import PlanError
from domain.targets import KINDS, OPERATORS, SOURCES, Plan, Target, YearValue
from lanbi.toml_lines import Lines, parse, raise_all, read, unknown

TEXTS: Final = ("id", "item", "name_zh", "name_en", "op", "unit", "kind", "source", "clause", "baseline")
NEEDED: Final = ("id", "name_zh", "name_en", "op", "kind", "source")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"op": OPERATORS, "kind": KINDS, "source": SOURCES}
TODO: Final = "mend the plan; docs/settings.md explains every key"


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
    faults = [(f"{path}:{lines.of(key)}", words) for key, words in unknown(tree, ("plan", "target"))]
    head = tree.get("plan", {})
    rows = tree.get("target", [])
    for number, row in enumerate(rows):
        faults += [(f"{path}:{lines.of('target', number, key)}", words) for key, words in _faults(row)]
    names = [row.get("id") for row in rows]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    faults += [(str(path), f"target '{name}' stands twice") for name in twice]
    if not isinstance(head.get("horizon"), int):
        faults.insert(0, (f"{path}:{lines.of('plan')}", "a table [plan] with id, name_zh, name_en and horizon (year) is needed"))
    raise_all(faults, PlanError, TODO)
    targets = tuple(_target(row) for row in rows)
    return Plan(str(head.get("id", path.stem)), str(head.get("name_zh", path.stem)), str(head.get("name_en", path.stem)), head["horizon"], targets)


def folder() -> Path:
    """Folder of the plans and sample counties that come with lanbi: in a clone, or inside the installed package."""
    here = Path(__file__).resolve().parent
    return here / "_plans" if (here / "_plans").is_dir() else here.parent / "plans"


def _faults(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = unknown(row, (*TEXTS, "departments", "values"))
    found += [("id", f"target '{row.get('id', '?')}' has no {key}") for key in NEEDED if not row.get(key)]
    found += [(key, f"{key}: text is needed, not {row[key]!r}") for key in TEXTS if key in row and not isinstance(row[key], str)]
    found += [(key, f"{key}: '{row[key]}' is none of {', '.join(words)}") for key, words in CHOICES.items() if row.get(key) and row[key] not in words]
    found += [("values", words) for one in row.get("values", []) for words in _value_faults(one)]
    years = [int(one["year"]) for one in row.get("values", []) if isinstance(one, dict) and isinstance(one.get("year"), int)]
    found += [("values", f"year {year} stands twice") for year in sorted({year for year in years if years.count(year) > 1})]
    return found


def _value_faults(one: object) -> list[str]:
    if not isinstance(one, dict) or not isinstance(one.get("year"), int):
        return [f"values: {one!r} is no {{year, value, document}}"]
    value = one.get("value", 0)
    good = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return [*([] if good else [f"value {value!r} is no number"]), *(words for _, words in unknown(one, ("year", "value", "document")))]


def _target(row: Mapping[str, Any]) -> Target:
    values = tuple(
        YearValue(one["year"], None if one.get("value") is None else Decimal(one["value"]), str(one.get("document", "")))
        for one in sorted(row.get("values", []), key=lambda one: int(one["year"]))
    )
    texts = {key: str(row.get(key, "")) for key in TEXTS}
    return Target(**texts, departments=tuple(row.get("departments", ())), values=values)

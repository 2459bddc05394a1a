"""Plans of targets."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import PlanError
from lanbi.plans import folder, load, load_all

PLAN = folder() / "chiping.toml"
ROWS = Path("../shared/facts/plan-targets.csv")


HEAD = "[plan]\nhorizon = 2025\n\n[[target]]\n"
ROW = 'name_zh = "某"\nname_en = "some"\nop = "{op}"\nunit = "%"\nkind = "annual"\nsource = "sensor"\nvalues = {values}\n'


def plan(folder: Path, name: str, horizon: int, targets: dict[str, str], op: str = "<=") -> Path:
    """A plan of targets with their values."""
    path = folder / f"{name}.toml"
    rows = "".join(f'[[target]]\nid = "{one}"\n' + ROW.format(op=op, values=values) for one, values in targets.items())
    path.write_text(f"[plan]\nhorizon = {horizon}\n{rows}", encoding="utf-8")
    return path


def test_the_plan_holds_every_row_with_exact_values() -> None:
    """Fifty-nine targets; the three of air with their values of 2025."""
    plan = load(PLAN)
    values = {target.id: target.for_year(2025) for target in plan.targets}

    assert 59 == len(plan.targets)
    names = ("air.pm25.annual_mean", "air.aqi.good_day_ratio", "air.aqi.heavy_days")
    assert [Decimal(42), Decimal("65.3"), Decimal(5)] == [getattr(values[name], "value", None) for name in names]
    assert plan.targets[0].for_year(2026) is None
    assert ["aspiration"] == [target.kind for target in plan.targets if target.id == "water.section.class_strive"]


@pytest.mark.skipif(not ROWS.is_file(), reason="the list of the plan's rows is not present: ../shared/facts")
def test_every_row_of_the_list_stands_in_the_plan() -> None:
    """Ids, words, operators, units, values and departments equal the list's, in its order."""
    with ROWS.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    for row, target in zip(rows, load(PLAN).targets, strict=True):
        last = target.last
        words = (target.id, target.item, target.name_zh, target.name_en, target.op, target.unit, target.kind, target.source)
        columns = ("id", "item", "indicator_zh", "indicator_en", "op", "unit", "kind", "source")
        assert tuple(row[column] for column in columns) == words
        assert row["lead_department_zh"] == ";".join(target.departments)
        assert (row["value"], int(row["horizon"])) == ((str(last.value), last.year) if last else ("", 2025))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"\[plan\]"),
        ('[plan]\nhorizon = 2025\n[[target]]\nid = "x"\nop = "=<"\n', "'=<' is none of"),
        ('[plan]\nhorizon = 2025\n[[target]]\nid = "x"\nvalu = 1\n', "did you mean 'values'"),
        ('[plan]\nhorizon = 2025\n[[target]]\nid = "x"\nvalues = [{year = 2025, value = "much"}]\n', "no number"),
        (HEAD + 'id = "x"\nvalues = [{year = 2025, value = nan}]\n', "no number"),
        (HEAD + 'id = "x"\nvalues = [{year = 2025, value = 1}, {year = 2025, value = 2}]\n', "year 2025 stands twice"),
        (HEAD + 'id = "x"\nvalues = 42\n', "a list of {year, value, document}"),
        (HEAD + 'id = "x"\ndepartments = "one"\n', "departments: a list"),
        (HEAD + 'id = "x y"\n', "id 'x y'"),
        (HEAD + "id = 5\n", "id: text in quotes"),
        (HEAD + 'id = "x"\n[[target]]\nid = "x"\n', r"p.toml:7: target 'x' stands twice"),
        ("target = [1]\n[plan]\nhorizon = 2025\n", r"write \[\[target\]\]"),
        ("plan = 5\n", r"\[plan\]"),
        ("[plan]\nhorizon = 2025\nhorizn = 1\nname_zh = 5\n", "did you mean 'horizon'"),
    ],
)
def test_faults_of_a_plan_are_told(tmp_path: Path, text: str, said: str) -> None:
    """Unknown keys, wrong words and wrong values are named with file and line."""
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(PlanError, match=said):
        load(path)


def test_a_later_plan_goes_on_with_a_target(tmp_path: Path) -> None:
    """One id is one target: it stands in the plan that runs longest, with the values of both, each with its document."""
    first = plan(tmp_path, "old", 2025, {"a": '[{year = 2025, value = 42, document = "old"}]', "b": "[]"})
    second = plan(tmp_path, "new", 2030, {"a": '[{year = 2026, value = 40.5, document = "new"}]', "c": "[]"})

    old, new = load_all([first, second])

    assert [["b"], ["a", "c"]] == [[target.id for target in one.targets] for one in (old, new)]
    assert [(2025, Decimal(42), "old"), (2026, Decimal("40.5"), "new")] == [(one.year, one.value, one.document) for one in new.targets[0].values]


def test_plans_that_disagree_are_told(tmp_path: Path) -> None:
    """Two values for one year, or another direction, would overwrite each other's figures."""
    first = plan(tmp_path, "old", 2025, {"a": "[{year = 2025, value = 42}]"})
    second = plan(tmp_path, "new", 2030, {"a": "[{year = 2025, value = 41}]"}, ">=")

    with pytest.raises(PlanError, match="two values for 2025") as error:
        load_all([first, second])
    assert "another op" in str(error.value)
    with pytest.raises(PlanError, match="named twice"):
        load_all([first, first])


def test_faults_of_all_plans_are_told_at_once(tmp_path: Path) -> None:
    """A fault of the first file does not hide those of the second."""
    first = plan(tmp_path, "old", 2025, {"a": "1"})
    with pytest.raises(PlanError) as error:
        load_all([first, tmp_path / "none.toml", first])

    assert [f"{first}:11", str(tmp_path / "none.toml"), f"{first}:11"] == [where for where, _ in error.value.faults]

"""Plans of targets."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import PlanError
from lanbi.plans import folder, load

PLAN = folder() / "chiping.toml"
ROWS = Path("../shared/facts/plan-targets.csv")


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
    ],
)
def test_faults_of_a_plan_are_told(tmp_path: Path, text: str, said: str) -> None:
    """Unknown keys, wrong words and wrong values are named with file and line."""
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(PlanError, match=said):
        load(path)

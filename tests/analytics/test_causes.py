"""What changed between two fillings of a day, and how it is told."""

from __future__ import annotations

import pytest

from analytics import causes, cube, filling
from analytics.causes import Cell, Evidence
from domain import civil
from domain.readings import Reading
from tests.columns import columns

DAY = civil.parse_date("2025-01-02")
HOUR = civil.day_start(DAY) + 10 * civil.HOUR_S


def row(value: float | None, flag: str = "N", span: int = 3_600, time: int = HOUR) -> Reading:
    """A PM2.5 value."""
    return Reading("air", "s", span, time, {"pm25": value}, {} if flag == "N" else {"pm25": flag}, 1)


def kinds(before: list[Reading], after: list[Reading]) -> list[str]:
    """Kinds of what differs when a day is filled with other rows."""
    year = cube.empty(2025)
    filling.fill(year, columns(before), lambda _: 60)
    kept = causes.keep(year, DAY)
    cube.clear(year, DAY)
    filling.fill(year, columns(after), lambda _: 60)
    return [cell.kind for cell in causes.cells("s", kept, year)]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ([], [row(5.0)], ["late"]),
        ([row(5.0)], [row(6.0)], ["correction"]),
        ([row(5.0)], [row(5.0, "M")], ["flag"]),
        ([row(5.0, "D")], [row(5.0)], ["flag"]),
        ([row(5.0)], [row(None, "W")], ["correction"]),
        ([row(5.0)], [row(5.0, "H")], ["review"]),
        ([row(5.0, "R")], [row(5.0)], ["review"]),
        ([row(5.0)], [row(5.0)], []),
        ([row(5.0)], [row(5.0, "P")], []),
        ([row(5.0, span=86_400, time=civil.day_end(DAY))], [row(6.0, span=86_400, time=civil.day_end(DAY))], ["correction"]),
        ([], [row(6.0, span=86_400, time=civil.day_end(DAY))], ["late"]),
    ],
)
def test_kinds_of_change(before: list[Reading], after: list[Reading], kind: list[str]) -> None:
    """A new value is late, another value a correction, a letter that takes it out or lets it in a flag change or a review."""
    assert kind == kinds(before, after)


def test_another_minute_corrects_nothing() -> None:
    """An hour of minutes that gets its last quarter is late data, not a correction."""
    minutes = [row(float(minute), span=60, time=HOUR - 3_600 + 60 * minute) for minute in range(1, 61)]

    assert ["late"] == kinds(minutes[:45], minutes)
    assert ["late"] == kinds(minutes[:44], minutes)


def test_a_figure_is_explained_by_what_enters_it() -> None:
    """Of several changes a figure names those of its own places, item and period, and the rest is counted beyond four stretches."""
    found = [Cell("late", "s1", HOUR + 7_200 * place, 3_600, "pm25") for place in range(6)]
    found += [Cell("correction", "s1", HOUR, 3_600, "o3"), Cell("late", "s2", HOUR, 3_600, "pm25")]
    evidence = Evidence(found)
    start, end = civil.day_start(DAY), civil.day_end(DAY)

    assert "correction: s1 o3 2025-01-02T10:00" == evidence.text("o3_8h", ("s1",), start, end)
    assert "late: s2 pm25 2025-01-02T10:00" == evidence.text("pm25_mean", ("s2",), start, end)
    assert evidence.text("pm25", ("s1",), start, end).endswith(", s1 pm25 2025-01-02T16:00, +2")
    assert "late: s1 pm25 2025-01-02T10:00" == evidence.text("pm25", ("s1",), start, HOUR)


def test_other_causes_stand_before_readings() -> None:
    """A registry's change is told first; where nothing else is known it stands alone."""
    evidence = Evidence([Cell("late", "s1", HOUR, 3_600, "pm25")], ["registry: a → b"])

    assert "registry: a → b; late: s1 pm25 2025-01-02T10:00" == evidence.text("pm25", ("s1",), 0, 2**40)
    assert "registry: a → b" == evidence.text("pm25", ("s9",), 0, 2**40)

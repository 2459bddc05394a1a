"""The page of sizes says what was measured, and what follows from it."""

from __future__ import annotations

from scripts import sizing


def test_the_page_is_what_the_script_makes() -> None:
    """The table in docs/sizing.md is made from the figures as they stand (`python -m scripts.sizing`)."""
    page = sizing.PAGE.read_text(encoding="utf-8")

    assert page == sizing.written(page, sizing.table(sizing.measured()))


def test_a_place_costs_in_proportion() -> None:
    """Six hundred devices that send each minute are ten readings a second: a year of them fills what their bytes fill."""
    known = sizing.Measured(taken=1_000, drained=2_000, sealed=30, memory=200, rows=40_000, seconds=0.5)
    last = sizing.table(known, (sizing.Place("x", 100, 500),)).splitlines()[-1]

    assert "| x | 100 | 500 | 10 | 1 % | 9 GB | 47 GB | 50 s |" == last

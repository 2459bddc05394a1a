"""What every stored figure carries: rule set, basis, validity, when it was computed, and a value that is a decimal."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from domain import air
from domain.indicators import BASES, FIGURES, PERIODS, Indicator, Query
from domain.marks import instants
from domain.readings import Change, Entry
from ingest.entries import announce
from tests.lanbi.figures_house import HISTORY, NOW, House

DUST = {"scope": "c", "from": "2025-01-02", "to": "2025-01-03", "document": "d"}
RULES = {rules.name for rules in air.RULE_SETS}
TARGET_DIGITS = 3
BY_THE_CALENDAR = {"lost_hours", "lost_days", "sensor_alarms"}
"""Figures that no rule set decides."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Indicator]]:
    """Everything that is stored of a week over New Year with a dust list."""
    house = House(tmp_path_factory.mktemp("house"))
    house.bring(HISTORY)
    entry = Entry("dust", "person/1", 1, "x", DUST)
    house.store.enter([entry])
    days: dict[int, set[str]] = {}
    announce([entry], house.registry, days)
    house.store.changes([Change("j", number, day, tuple(sorted(sites))) for number, (day, sites) in enumerate(sorted(days.items()), 1)])
    house.follower.start()
    yield house.store.series(Query(basis=None, limit=10**6))
    house.close()


def test_every_figure_names_its_rules_basis_validity_and_instant(rows: list[Indicator]) -> None:
    """No row lacks the rule set, the basis, valid of expected, or the time at which it was computed."""
    assert len(rows) > 1_000
    assert {"raw", "dust-excluded"} == {row.basis for row in rows} <= set(BASES)
    assert {row.period for row in rows} <= set(PERIODS)
    for row in rows:
        assert row.rule_set in RULES or (row.rule_set == "none" and row.figure in BY_THE_CALENDAR), row
        assert row.valid is not None and row.expected is not None and row.computed == float(NOW), row
        assert 0 <= row.valid <= row.expected or row.figure == "warning", row


def digits(figure: str) -> int:
    """Decimals with which a figure is stored; change, percent and other derived ones have those of what they derive from."""
    known = FIGURES.get(figure)
    return known.digits if known else TARGET_DIGITS


def test_every_value_is_the_decimal_that_is_displayed(rows: list[Indicator]) -> None:
    """A stored value is the float whose shortest text has no more decimals than its figure: no float arithmetic shows in it."""
    wrong = [
        row
        for row in rows
        if row.value is not None and row.figure in FIGURES and -int(Decimal(repr(row.value)).normalize().as_tuple().exponent) > digits(row.figure)
    ]

    assert [] == wrong[:3]
    assert {row.figure for row in rows} >= {"aqi", "pm25", "co", "o3_8h", "pm25_24h", "pm25_mean", "co_p95", "good_ratio", "composite", "data_capture"}


def test_the_dust_list_of_this_test_is_one() -> None:
    """The list that the figures above were made with covers two whole days."""
    start, end = instants(DUST)

    assert 2 * 86_400 == end - start

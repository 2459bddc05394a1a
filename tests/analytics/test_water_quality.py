"""Rules of quality for sections: each flags what it is about, tells by which numbers, and what the means would be without."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.water import quality
from analytics.water.quality import ITEMS, Table
from domain import civil
from domain.quality import RULES

BASE = {"temp": 15.0, "ph": 7.8, "do": 8.0, "codmn": 4.2, "nh3n": 0.3, "tp": 0.1, "tn": 3.4, "cond": 900.0, "turb": 30.0}
START = civil.parse_time("2025-04-01T00:00:00+08:00")
STEP = 14_400


def records(count: int = 60, gaps: tuple[int, ...] = (), **items: dict[int, float | None]) -> Table:
    """Four-hourly records that move a little, with some values given by record; after each gap a day is missing."""
    values = np.array([[BASE[item] * (1 + 0.01 * (row % 5)) for item in ITEMS] for row in range(count)]).reshape(count, len(ITEMS))
    for item, some in items.items():
        for row, value in some.items():
            values[row, ITEMS.index(item)] = np.nan if value is None else value
    time = START + STEP * (1 + np.arange(count)) + sum((86_400 * (np.arange(count) >= gap) for gap in gaps), np.zeros(count, np.int64))
    return Table(time.astype(np.int64), values)


def flagged(known: Table) -> dict[tuple[str, str], list[int]]:
    """Flagged records by rule and item."""
    bits = quality.flags(known)
    return {
        (rule.name, item): rows for rule in RULES.values() for place, item in enumerate(ITEMS) if (rows := np.flatnonzero(bits[:, place] & rule.bit).tolist())
    }


def test_ordinary_records_are_not_flagged() -> None:
    """Nor a bloom at 180 % of saturation, an hour of turbid water that came slowly, or no record at all."""
    assert {} == flagged(records())
    assert {} == flagged(records(do={row: 8.0 + row for row in range(8)}, temp=dict.fromkeys(range(60), 20.0)))
    assert {} == flagged(records(0))


@pytest.mark.parametrize(("item", "value"), [("ph", 11.2), ("temp", 45.0), ("cond", 0.5), ("tp", 9.0)])
def test_values_beyond_what_water_is_are_flagged(item: str, value: float) -> None:
    """A run of pH 11.2 is out of range at each record."""
    found = flagged(records(**{item: dict.fromkeys(range(10, 14), value)}))

    assert [10, 11, 12, 13] == found["range", item]


def test_oxygen_above_twice_its_saturation_is_impossible() -> None:
    """At 15 °C saturation is 10.04 mg/L: 20.0 is 199 %, 20.2 is 201 %; without temperature nothing is said."""
    slow = {row: 8 + (row - 4) * 1.5 if row < 12 else 20.0 for row in range(5, 20)}
    temp = dict.fromkeys(range(60), 15.0)

    assert ("relation", "do") not in flagged(records(do=slow, temp=temp))
    assert [19] == flagged(records(do=slow | {19: 20.2}, temp=temp))["relation", "do"]
    assert ("relation", "do") not in flagged(records(do=slow | {19: 20.2}, temp=dict.fromkeys(range(60))))


def test_ammonia_above_total_nitrogen_is_impossible() -> None:
    """A part above its whole: both are flagged; a little above is noise."""
    found = flagged(records(nh3n={30: 3.9}, tn={30: 3.5}))

    assert [30] == found["relation", "nh3n"] == found["relation", "tn"]
    assert ("relation", "tn") not in flagged(records(nh3n={30: 3.6}, tn={30: 3.5}))


def test_a_spike_is_one_and_a_gap_hides_none_nor_makes_one() -> None:
    """CODMn of 40 for one record is a spike; a jump across a day without records is no rate."""
    assert [20] == flagged(records(codmn={20: 40.0}))["spike", "codmn"]
    jump = dict.fromkeys(range(20, 60), 40.0)
    assert {} == flagged(records(gaps=(20,), codmn=jump))
    assert [20] == flagged(records(codmn=jump))["rate", "codmn"]


def test_each_finding_tells_numbers_and_effect() -> None:
    """Six records a day: one spike of 40 moves the day's mean and the year's, the mean of months."""
    known = records(60, codmn={20: 40.0})
    (found,) = quality.findings(known, quality.flags(known), civil.parse_date("2025-04-01"))

    assert ("spike", "codmn", 1, {"rate": 10.0, "share": 0.7}) == (found.rule, found.item, found.records, found.numbers)
    assert "2025-04-04" == civil.date_of(found.day).isoformat()
    today = [4.2 * (1 + 0.01 * (row % 5)) for row in range(18, 24) if row != 20]
    assert (round(sum(today, 40.0) / 6, 4), round(sum(today) / 5, 4)) == (found.effect["day"], found.effect["day_without"])
    assert (found.effect["year"] or 0) > (found.effect["year_without"] or 0) > 4.2


def test_only_days_from_the_asked_one_are_told() -> None:
    """An older finding stays untold."""
    known = records(60, codmn={20: 40.0})

    assert [] == list(quality.findings(known, quality.flags(known), civil.parse_date("2025-04-05")))

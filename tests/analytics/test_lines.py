"""Two-high lines: what their meters do not tell is no energy saved."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from analytics.energy.enterprise import Account, Worths, worths
from analytics.energy.meteryear import MeterDays
from analytics.energy.worth import GRAINS
from analytics.jobs.intensities import Output, metered_part, per_value
from analytics.jobs.lines import lines
from domain import civil
from domain.indicators import Indicator
from domain.places import County, Dated, Enterprise, Line, Meter, Registry
from domain.readings import Entry

FIRST = civil.year_days(2025)[0]
MADE = {"e": [Output("l", "钢", 1, Decimal(10), Decimal(0)), Output("l", "钢", 2, Decimal(10), Decimal(0))]}
NONE: dict[str, Any] = {}


def meter(name: str, medium: str, unit: str, **more: Any) -> Meter:
    """A sub-meter of the line."""
    return Meter(name, "e", medium, Dated.always("sub"), unit, Dated.always("1"), flow="internal", **more)


def county(*meters: Meter, **more: Any) -> Registry:
    """One line with these meters."""
    line = replace(Line("l", "e", "钢", "1000", advanced="13", baseline="20", water_quota="3", meters=tuple(one.id for one in meters)), **more)
    return replace(Registry(County("c", "c", "shandong"), *[NONE] * 9, "v"), enterprises={"e": Enterprise("e", "厂", "", "steel")},
                   meters={one.id: one for one in meters}, lines={"l": line})  # fmt: skip


def turned(known: Registry, amounts: dict[str, int], days: range = range(365)) -> dict[str, Worths]:
    """The same amount on every one of some days, wholly known; nothing is known of the others."""
    there = np.isin(np.arange(365), days).astype(np.int64)
    nothing = np.zeros(365, np.int64)
    found = {}
    for name, amount in amounts.items():
        own = MeterDays(FIRST, Decimal(1), amount * there, civil.DAY_S * there, nothing.astype(np.uint8), nothing, nothing, nothing)
        if (one := worths(known.meters[name], own, known, 2025)) is not None:
            found[name] = one
    return found


def told(known: Registry, days: dict[str, Worths], today: str = "2026-01-05") -> dict[tuple[str, str], Indicator]:
    """Rows of the year and of the year so far."""
    return {(row.figure, row.period): row for row in lines(known, days, MADE, FIRST, civil.parse_date(today))}


POWER, GAS, WATER = meter("p", "electricity", "kWh"), meter("g", "gas", "m3"), meter("w", "water", "m3")
FINE = replace(GAS, heat_value=Dated.always("38979"))


def test_a_line_that_is_wholly_known() -> None:
    """59 days of 30 kWh are 217.533 kgce for 20 t: 10.88 is at the benchmark; 59 m³ are 2.95 m³/t and within the quota."""
    known = county(POWER, WATER)
    found = told(known, turned(known, {"p": 30, "w": 1}))

    assert (10.88, "advanced", 20.0) == ((row := found["line_consumption", "year"]).value, row.status, row.target)
    assert (2.95, "within") == (found["line_water", "year"].value, found["line_water", "year"].status)
    assert (1.0, 1.0, 1.0) == ((row := found["line_rank", "year"]).value, row.valid, row.expected)
    assert 100.0 == found["two_high_share", "year"].value


def test_gas_without_a_heat_value_is_no_energy_saved() -> None:
    """A line that burns gas of unknown heat has a lower bound: no factor, no benchmark, no rank, no room below its baseline."""
    known = county(POWER, GAS)
    found = told(known, turned(known, {"p": 30, "g": 100}))

    assert (10.88, "no-factor", None, None) == ((row := found["line_consumption", "year"]).value, row.status, row.target, row.margin)
    assert (None, "no-factor", 0.0) == ((row := found["line_rank", "year"]).value, row.status, row.valid)
    assert (None, {"advanced": [], "below": []}) == ((row := found["two_high_share", "year"]).value, json.loads(row.text))


def test_gas_with_its_heat_value_counts() -> None:
    """59 days of 1 m³ at 1.33 kgce beside the power: 14.80, within the baseline."""
    known = county(POWER, FINE)
    found = told(known, turned(known, {"p": 30, "g": 1}))

    assert (14.8, "within") == ((row := found["line_consumption", "year"]).value, row.status)


@pytest.mark.parametrize("days", [None, range(53), range(365)], ids=["never", "less than 90 % of both months", "all"])
def test_a_silent_meter_has_not_used_nothing(days: range | None) -> None:
    """Two meters of a line, one of which was never heard of or fell silent on 23 February: the consumption is incomplete and not at the benchmark."""
    second = meter("q", "electricity", "kWh")
    known = county(POWER, second)
    heard = turned(known, {"p": 20}) | ({} if days is None else turned(known, {"q": 0}, days))

    wanted = "advanced" if days == range(365) else "incomplete"
    assert wanted == told(known, heard)["line_consumption", "year"].status


def test_a_lower_bound_may_miss_the_baseline_for_certain() -> None:
    """What is known alone exceeds 20 kgce/t: whatever the silent meter used, the line misses its baseline."""
    known = county(POWER, meter("q", "electricity", "kWh"))
    found = told(known, turned(known, {"p": 60}))

    assert ("below", True) == ((row := found["line_consumption", "year"]).status, (row.margin or 0) < 0)
    assert ["l"] == json.loads(found["two_high_share", "year"].text)["below"]


def test_days_that_are_still_to_come_are_not_asked_for() -> None:
    """On 10 February the days up to the 9th are what February has."""
    known = county(POWER)

    assert "advanced" == told(known, turned(known, {"p": 30}, range(40)), "2025-02-10")["line_consumption", "ytd"].status
    assert "incomplete" == told(known, turned(known, {"p": 30}, range(35)), "2025-02-10")["line_consumption", "ytd"].status


def test_without_a_meter_of_its_kind_there_is_no_figure() -> None:
    """A line with a water meter alone has no energy of 0, and one with a power meter alone is not within its water quota."""
    dry, wet = county(POWER), county(WATER)

    assert ("line_water", "year") not in told(dry, turned(dry, {"p": 30}))
    assert ("line_consumption", "year") not in told(wet, turned(wet, {"w": 1}))


def account(whole: int, *, amount: int = 1, without: bool = False) -> Account:
    """A year of an enterprise with one meter of which so many days are known."""
    found = Account(365)
    nothing = np.zeros(365, np.int64)
    there = (np.arange(365) < whole).astype(np.int64)
    for line in ("energy_tce", "energy_equal"):
        found.add(line, nothing + amount * GRAINS, (there, there, nothing + 1))
        if without:
            found.without[line] = {"gas"}
    return found


@pytest.mark.parametrize(
    ("known", "status"), [(account(365), ""), (account(30), "incomplete"), (account(365, without=True), "no-factor"), (account(365, amount=-1), "below-zero")]
)
def test_an_intensity_says_what_its_energy_lacks(known: Account, status: str) -> None:
    """Energy for value added, and the metered share, have the status of the account that they are made of."""
    made = [Output("", "钢", 1, Decimal(0), Decimal(1))]
    entry = Entry("reported", "1", 0, "李工", {"target": "energy.total", "period": "2024", "value": "1000", "document": "公报"})
    month, year = (row for row in per_value("e", known, made, FIRST) if row.figure == "energy_intensity")
    (share,) = metered_part("c", known, [entry], 2025)

    assert [status] * 3 == [month.status, year.status, share.status]
    assert [status == "below-zero"] * 3 == [row.value is None for row in (month, year, share)]

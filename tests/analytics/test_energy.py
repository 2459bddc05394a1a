"""Energy and carbon of enterprises: golden sums, nothing counted twice, dated factors, and cells that add up to their intervals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.energy.enterprise import Account, account, together
from analytics.energy.meteryear import MeterDays, due
from analytics.energy.worth import GRAINS, worth
from analytics.jobs import metered
from analytics.kernels import spreading
from domain import civil, energy
from domain.places import County, Dated, Factor, Meter, Registry

YEAR = 2025
FIRST = civil.year_days(YEAR)[0]
ALWAYS = Dated.always
NONE: dict[str, Any] = {}


def registry(*factors: Factor, grid: str = "shandong") -> Registry:
    """A county with factors of its own."""
    return Registry(County("c", "c", grid), *[NONE] * 9, "v", {one.id: one for one in factors})


def meter(medium: str, unit: str, flow: str = "purchased", **more: Any) -> Meter:
    """A main meter."""
    return Meter(f"{medium}-{flow}", "e", medium, ALWAYS("main"), unit, ALWAYS("1"), flow=flow, **more)


def days(total: int) -> MeterDays:
    """A year that counted everything on its tenth day, fully known."""
    own = np.zeros(365, np.int64)
    own[9] = total
    whole = np.full(365, civil.DAY_S)
    nothing = np.zeros(365, np.int64)
    return MeterDays(FIRST, Decimal(1), own, whole, nothing.astype(np.uint8), nothing + 96, nothing + 96, nothing)


def made(*meters: tuple[Meter, int], known: Registry | None = None) -> Account:
    """The account of some meters with their year's amounts."""
    return account([(one, days(total)) for one, total in meters], known or registry(), YEAR, np.full(365, civil.DAY_S))


def tonnes(found: Account, line: str) -> Decimal:
    """A line's year in tonnes."""
    return Decimal(int(found.lines[line].sum())) / GRAINS / 1000


def test_own_power_from_metered_fuel_is_not_added_again() -> None:
    """25,200 t of coal for 60 GWh of own power and 40 GWh bought are 22,916 tce, not 30,290; the own power is shown beside."""
    found = made((meter("coal", "t"), 25_200), (meter("electricity", "kWh"), 40_000_000), (meter("electricity", "kWh", "own"), 60_000_000))

    assert Decimal("22916.36") == tonnes(found, "energy_tce")
    assert 60_000_000 == int(found.lines["electricity_own"].sum()) // GRAINS
    assert Decimal(24764) == tonnes(found, "co2")
    assert {"co2": {"coal"}, "co2_net": {"coal"}} == found.without


def test_golden_sum_of_four_media() -> None:
    """1,000 t coal, 5,000 MWh, 200,000 m³ gas of a measured 38,979 kJ and 8,000 GJ heat are 1,867.76 tce; CO2 by the factor of the year."""
    gas = meter("gas", "m3", heat_value=ALWAYS("38979"))
    found = made((meter("coal", "t"), 1_000), (meter("electricity", "MWh"), 5_000), (gas, 200_000), (meter("heat", "GJ"), 8_000))

    assert Decimal("1867.76") == tonnes(found, "energy_tce")
    alone = [tonnes(made((one, total)), "co2") for one, total in ((meter("electricity", "MWh"), 5_000), (meter("heat", "GJ"), 8_000), (gas, 10_000))]
    assert [Decimal("3095.5"), Decimal(880), Decimal("21.622")] == alone
    assert Decimal(2653) == tonnes(made((meter("electricity", "MWh"), 5_000), known=registry(grid="hebei")), "co2")


def test_what_is_sold_is_taken_off() -> None:
    """Purchased + fuel − sold, in energy and in CO2."""
    found = made((meter("coal", "kg"), 1_000_000), (meter("electricity", "kWh", "sold"), 1_000_000), (meter("heat", "GJ", "sold"), 100))

    assert Decimal("714.3") - Decimal("122.9") - Decimal("3.412") == tonnes(found, "energy_tce")
    assert Decimal("-619.1") - 11 == tonnes(found, "co2")


def test_green_power_and_feedstock_are_lines_of_their_own() -> None:
    """Totals stand with and without them; own green power is energy, though nothing is burnt for it."""
    green = meter("electricity", "kWh", "own", account="green")
    found = made((meter("electricity", "kWh"), 1_000), (green, 2_000), (meter("coal", "kg", account="feedstock"), 10_000))

    assert {"energy_tce": "7.5117", "energy_net": "0.1229", "energy_green": "0.2458", "energy_feedstock": "7.143", "co2": "0.6191", "co2_net": "0.6191"} == {
        line: str(tonnes(found, line)) for line in ("energy_tce", "energy_net", "energy_green", "energy_feedstock", "co2", "co2_net")
    }


def test_a_county_factor_counts_from_its_day() -> None:
    """A factor of the registry replaces the table's from its day on, and says where it comes from."""
    own = Factor("f", "electricity", "co2", Dated(((FIRST + 100, "0.5"),)), "公告")
    steps = worth(meter("electricity", "kWh"), "co2", registry(own), YEAR)

    assert [(FIRST, Decimal("0.6191")), (FIRST + 100, Decimal("0.5"))] == [one[:2] for one in steps]
    assert ["shandong 2023, 生态环境部 国家统计局 公告2025年第47号", "公告"] == [one.source for one in steps]


def test_gas_without_a_measured_value_is_left_out_and_named() -> None:
    """There is no default for natural gas: the total stands without it, with its status saying so."""
    found = made((meter("gas", "m3"), 1_000), (meter("electricity", "kWh"), 1_000))
    sheets = {(one.kind.figures[0], one.kind.period): one for one in metered.account("e", FIRST, found, civil.day_start(FIRST + 365))}
    row = sheets["energy_tce", "year"].column(0).row(0, 0.0)

    assert (0.123, "no-factor", "gas") == (row.value, row.status, row.text)


def test_sums_below_zero_have_no_value() -> None:
    """More sold than came in is a fault of what is metered, not an energy."""
    found = made((meter("electricity", "kWh", "sold"), 1_000))
    row = (
        next(
            one for one in metered.account("e", FIRST, found, civil.day_start(FIRST + 365)) if one.kind.figures == ("energy_tce",) and one.kind.period == "year"
        )
        .column(0)
        .row(0, 0.0)
    )

    assert (None, "below-zero") == (row.value, row.status)


def so_far(now: str) -> list[tuple[str, float | None, float | None, float | None, str]]:
    """Date, value, valid, expected and status of the power bought in a year so far: 100 kWh on 31 January, 50 on 28 February, 7 on 1 March; 1 February unknown."""
    instant = civil.parse_time(now, civil.SHANGHAI)
    begun = civil.day_of(instant) - FIRST + 1
    own = days(0).upto(begun)
    for place, amount in ((30, 100), (58, 50), (59, 7)):
        own.days[place : place + 1] = amount
    own.cover[31:32] = 0
    found = account([(meter("electricity", "kWh"), own)], registry(), YEAR, metered.elapsed(FIRST, begun, instant))
    rows = [
        row
        for sheet in metered.account("e", FIRST, found, instant)
        if sheet.kind.figures == ("electricity_bought",) and sheet.kind.period == "ytd"
        for row in sheet.column(0).block(list(range(len(sheet.time))), 0.0).rows()
    ]
    return [(str(civil.date_of(civil.day_of(row.time + 1))), row.value, row.valid, row.expected, row.status) for row in rows]


def test_the_year_so_far_stands_at_each_closed_day() -> None:
    """Days add up from 1 January, month after month; an unknown day leaves the rest of the year incomplete; the running day has no row."""
    found = so_far("2025-03-01 12:00")

    assert ("2025-01-01", 0.0, 1.0, 1.0, "") == found[0]
    assert [("2025-01-30", 0.0, 30.0, 30.0, ""), ("2025-01-31", 100.0, 31.0, 31.0, ""), ("2025-02-01", 100.0, 31.0, 32.0, "incomplete")] == found[29:32]
    assert ("2025-02-28", 150.0, 58.0, 59.0, "incomplete") == found[-1]
    assert 59 == len(found)


def test_a_year_so_far_begins_with_its_first_closed_day() -> None:
    """On 1 January nothing of the year is over: no row, and last year's stays the newest; at its end there is one."""
    assert [] == so_far("2025-01-01 23:59")
    assert [("2025-01-01", 0.0, 1.0, 1.0, "")] == so_far("2025-01-02 00:00")
    assert ("2025-12-31", 157.0, 364.0, 365.0, "incomplete") == so_far("2026-01-01 00:00")[-1]


def test_units_of_meters() -> None:
    """Tonnes, megawatt-hours and heat in kWh become base units; what cannot be converted enters nothing."""
    assert [Decimal(1000), Decimal(1000), Decimal("3.6"), None] == [
        energy.base_units(*one) for one in (("coal", "t"), ("electricity", "MWh"), ("heat", "kWh"), ("coal", "m3"))
    ]


def test_a_part_of_a_sum_is_the_sum_of_the_parts() -> None:
    """The account of a county is the sum of its enterprises', and what lacks a factor stays named."""
    one, other = made((meter("electricity", "kWh"), 5)), made((meter("gas", "m3"), 7), (meter("electricity", "kWh"), 6))
    both = together([one, other], 365)

    assert int(both.lines["electricity_bought"].sum()) == 11 * GRAINS
    assert (2, {"gas"}) == (int(both.known["electricity_bought"][0]), both.without["energy_tce"])


def test_a_day_expects_the_cadence_of_its_readings() -> None:
    """A day of quarter hours expects 96 whatever is missing, an hourly one of the same meter 24, an empty one what is registered."""
    start = civil.day_start(FIRST)
    quarters = start + 900 * np.arange(1, 30)
    hourly = start + civil.DAY_S + 3_600 * np.arange(1, 25)

    assert [96, 24, 96] == due(np.concatenate([quarters, hourly]), (FIRST, 3), 900).tolist()
    assert [24, 24, 24] == due(np.concatenate([quarters, hourly]), (FIRST, 3), 3_600).tolist()


@pytest.mark.parametrize("name", [name for name, fuel in energy.FUELS.items() if fuel.coal is not None])
def test_coefficients_are_heat_over_the_standard_coal(name: str) -> None:
    """Each coefficient with a heat value is that value over 29,307.6 kJ, as the standard prints it (coal tar differs in its last digit)."""
    heat = {
        "coal": 20934, "washed-coal": 26377, "coke": 28470, "coal-tar": 33494, "crude-oil": 41868, "fuel-oil": 41868, "petrol": 43124, "kerosene": 43124,
        "diesel": 42705, "lpg": 50242, "lng": 51498, "refinery-gas": 46055, "blast-furnace-gas": 3768, "methanol": 19913, "ethanol": 26800, "hydrogen": 9756,
    }.get(name)  # fmt: skip
    coal = energy.FUELS[name].coal

    assert coal is not None
    assert heat is None or abs(coal - energy.measured(Decimal(heat))) <= Decimal("0.0001")
    assert heat is not None or name in {"heat", "electricity", "water"}


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(1, 30_000), st.integers(0, 10**9)), min_size=1, max_size=40), ahead=st.integers(0, 20_000))
def test_cells_add_up_to_their_intervals(steps: list[tuple[int, int]], ahead: int) -> None:
    """Whatever intervals are laid over hours: what lies in the cells is what turned, to the last unit, also across the edges."""
    ends = np.cumsum([width for width, _ in steps]) - ahead
    begins = ends - np.array([width for width, _ in steps])
    amounts = np.array([amount for _, amount in steps], np.int64)
    whole = 400
    sums, covered, marks = np.empty(whole, np.int64), np.empty(whole, np.int64), np.empty(whole, np.uint8)
    flags = np.zeros(len(steps), np.uint8)
    found = []
    for first in (-3_600 * 100, -3_600 * 100 + 3_600 * whole):
        spreading.spread(begins, ends, amounts, flags, 6, first, 3_600, sums, covered, marks)
        found.append((int(sums.sum()), int(covered.sum())))

    assert (int(amounts.sum()), int(ends[-1] - begins[0])) == tuple(map(sum, zip(*found, strict=True)))

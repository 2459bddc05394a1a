"""Stored figures of meters: conserved, incremental, restated, and events that late readings take back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as anew

from domain import civil
from domain.indicators import Indicator, Query
from domain.readings import Reading
from lanbi.registers import readings_of
from tests.lanbi.figures_house import at_once
from tests.lanbi.meter_house import HISTORY, METERS, NOW, QUARTER, MeterHouse, at, house, turned, units

__all__ = ["house"]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[object, ...], Indicator]:
    """Figures of the whole history computed at once."""
    return at_once(MeterHouse(tmp_path_factory.mktemp("batch")), HISTORY)


def test_every_unit_stands_in_its_hour_day_month_and_year(house: MeterHouse) -> None:
    """Hours, days, months and years of a meter are what its register turned, through the roll-over and over New Year."""
    hour = house.store.series(Query(figure="meter_use", scope="main", period="hour", start=at("2025-01-02 09:00") - 1, end=at("2025-01-02 09:00")))

    assert [float(turned("main", "2025-01-02 08:00", "2025-01-02 09:00"))] == [row.value for row in hour]
    assert float(turned("main", "2025-01-02 00:00", "2025-01-03 00:00")) == house.value("meter_use", "main", "day", "2025-01-02").value
    assert float(turned("main", "2025-01-01 00:00", "2025-01-06 02:30")) == house.value("meter_use", "main", "month", "2025-01-31").value
    assert float(turned("main", "2024-12-25 00:00", "2025-01-01 00:00")) == house.value("meter_use", "main", "year", "2024-12-31").value
    assert [("main", 9)] == [(source, len(text.split("→")[0].strip()) + 3) for source, text in house.events("rollover")][:1]


def test_an_enterprise_is_its_main_meters(house: MeterHouse) -> None:
    """Production and treatment meters lie behind the main one and are never added; tonnes of coal and CO2 follow from the main meter."""
    day = turned("main", "2025-01-02 00:00", "2025-01-03 00:00")
    found = {name: house.value(name, "works", "day", "2025-01-02").value for name in ("electricity_bought", "energy_tce", "energy_equal", "co2", "water_use")}

    assert found == {
        "electricity_bought": float(day),
        "energy_tce": round(float(day * Decimal("0.0001229")), 3),
        "energy_equal": round(float(day * Decimal("0.0003")), 3),
        "co2": round(float(day * Decimal("0.0006191")), 3),
        "water_use": float(turned("water", "2025-01-02 00:00", "2025-01-03 00:00")),
    }
    county = house.value("electricity_bought", "c", "day", "2025-01-02")
    assert (float(day + turned("other", "2025-01-02 00:00", "2025-01-03 00:00")), 2.0, 2.0) == (county.value, county.valid, county.expected)
    assert house.value("electricity_bought", "industry.steel", "day", "2025-01-02").value == float(day)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_of_arrival_gives_the_same_figures(
    batch: dict[tuple[object, ...], Indicator], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Registers in any order and batching, with earlier wrong ones and restarts between, end in the batch's figures."""
    rows = list(HISTORY)
    np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "order")).shuffle(rows)  # type: ignore[arg-type]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3), "batches"))
    one = MeterHouse(tmp_path_factory.mktemp("order"))
    wrong = data.draw(st.integers(50, 300), "wrong")
    one.bring([anew(row, values={"register": 7.77}) for row in rows[::wrong]])
    one.follower.start()
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        one.bring(rows[begin:end])
        if data.draw(st.booleans(), "restart"):
            one.follower = one.open()
            one.follower.start()
        one.follower.step()
    found = one.figures()
    one.close()

    assert batch == found


def test_a_gap_is_spread_and_says_so(house: MeterHouse) -> None:
    """Six hours without a reading keep their sum; each hour is an estimate, and the readings' completeness falls."""
    missing = [row for row in HISTORY if row.source == "other" and at("2025-01-03 08:00") < row.time < at("2025-01-03 14:00")]
    house.store.remove([row.key for row in missing])
    house.bring([row for row in HISTORY if row.source == "other" and row.time == at("2025-01-03 08:00")])
    house.follower.step()
    rows = house.store.series(Query(figure="meter_use", scope="other", period="hour", start=at("2025-01-03 08:00"), end=at("2025-01-03 14:00")))
    capture = house.value("meter_capture", "other", "day", "2025-01-03")

    assert {"estimated"} == {row.status for row in rows}
    assert float(turned("other", "2025-01-03 08:00", "2025-01-03 14:00")) == pytest.approx(sum(row.value or 0 for row in rows), abs=1e-9)
    assert float(turned("other", "2025-01-03 00:00", "2025-01-04 00:00")) == house.value("meter_use", "other", "day", "2025-01-03").value
    assert (76.0, "incomplete") == (capture.value, capture.status)
    assert [("other", "此前最后读数 no reading since 2025-01-03T08:00:00+08:00")] == house.events("gap")


def test_a_late_register_restates_closed_periods(house: MeterHouse) -> None:
    """A register that comes late moves energy between two closed days: both are restated with the meter as the cause, their month is not."""
    late = Reading("meter", "other", 0, at("2025-01-03 00:00"), {"register": 0.0}, {}, 1)
    before = house.value("meter_use", "other", "day", "2025-01-02").value
    house.store.remove([late.key])
    house.bring([row for row in HISTORY if row.source == "other" and row.time == at("2025-01-02 23:45")])
    house.follower.step()
    other = house.value("meter_use", "other", "day", "2025-01-02")
    house.bring([row for row in HISTORY if row.source == "other" and row.time == late.time])
    house.follower.step()
    again = house.value("meter_use", "other", "day", "2025-01-02")
    told = [row for row in house.store.restatements(0, 2**40, 99) if row.figure == "meter_use"]

    assert (before, True, 3.0) == (again.value, other.value != before, again.version)
    assert {("other", "day")} == {(row.scope, row.period) for row in told}
    assert {"late: other 2025-01-02"} == {row.cause for row in told}


def newest(house: MeterHouse, figure: str, scope: str, period: str, now: str) -> tuple[str, float | None]:
    """Date and value of what is shown as the latest figure at an instant."""
    row = house.store.latest(figure, scope, period, "none", at(now))
    assert row is not None
    return str(civil.date_of(civil.day_of(row.time + 1))), row.value


def test_the_latest_of_the_running_year_is_its_year_so_far(house: MeterHouse) -> None:
    """The year's own row lies ahead until 31 December, so the latest one is last year's; the year so far is this year's."""
    before = float(turned("main", "2024-12-25 00:00", "2025-01-01 00:00"))
    own, mill = (turned(name, "2025-01-01 00:00", "2025-01-06 00:00") for name in ("main", "other"))

    assert ("2024-12-31", before) == newest(house, "electricity_bought", "works", "year", "2025-01-06 02:30")
    assert ("2025-01-05", float(own)) == newest(house, "electricity_bought", "works", "ytd", "2025-01-06 02:30")
    assert ("2025-01-05", float(own)) == newest(house, "electricity_bought", "industry.steel", "ytd", "2025-01-06 02:30")
    assert ("2025-01-05", float(own + mill)) == newest(house, "electricity_bought", "c", "ytd", "2025-01-06 02:30")


def test_a_day_that_closes_adds_a_year_so_far(house: MeterHouse) -> None:
    """When the running day is over, the year so far reaches to it; a meter that fell silent leaves it incomplete."""
    house.clock.now = at("2025-01-07 00:30")
    house.follower.step()
    row = house.value("electricity_bought", "works", "ytd", "2025-01-06")

    assert (float(turned("main", "2025-01-01 00:00", "2025-01-06 02:30")), "incomplete") == (row.value, row.status)


def test_late_registers_move_the_year_so_far_and_tell_it_once(tmp_path: Path) -> None:
    """Registers of the first days that come late change every year so far after them; that is one restatement a figure, at the newest closed day."""
    first = at("2025-01-02 00:15")
    late = [row for row in HISTORY if row.source == "other" and row.time < first]
    one = MeterHouse(tmp_path)
    one.bring([row for row in HISTORY if row not in late])
    one.follower.start()
    short = float(turned("other", "2025-01-02 00:15", "2025-01-06 00:00"))
    assert ("2025-01-05", short) == newest(one, "electricity_bought", "mill", "ytd", "2025-01-06 02:30")
    one.bring(late)
    one.follower.step()
    whole = [float(turned("other", "2025-01-01 00:00", f"2025-01-0{day} 00:00")) for day in range(2, 7)]
    told = [row for row in one.store.restatements(0, 2**40, 999) if (row.figure, row.scope, row.period) == ("electricity_bought", "mill", "ytd")]

    assert whole == [one.value("electricity_bought", "mill", "ytd", f"2025-01-0{day}").value for day in range(1, 6)]
    assert [(civil.period_stamp(civil.parse_date("2025-01-05")), short, whole[-1])] == [(row.time, row.old, row.new) for row in told]
    one.close()


def test_an_event_that_is_explained_is_taken_back(house: MeterHouse) -> None:
    """A register far above is held until the next one comes, then it is a spike; corrected, both events stay as taken back."""
    odd = Reading("meter", "other", 0, NOW + QUARTER, {"register": 99_999.0}, {}, 10**6)
    good = Reading("meter", "other", 0, NOW + 2 * QUARTER, {"register": round(float(units("other")[-1]) / 100 + 0.2, 2)}, {}, 10**6)
    house.bring([odd])
    house.follower.step()
    held = house.events("held")
    house.bring([good])
    house.follower.step()

    assert [("other", "99999.00: 待后续读数判定 held until a later reading decides")] == held
    assert [("other", "99999.00: 不采信 not accepted")] == house.events("spike")
    assert [("other", "已撤销 withdrawn: 99999.00: 待后续读数判定 held until a later reading decides")] == house.events("held")


def test_a_register_beyond_all_units_is_none() -> None:
    """With a very fine resolution a large register has no whole number of units in int64: it is none, and wraps around to nothing."""
    fine = replace(METERS["other"], resolution="0.00000001")
    shown = readings_of(fine, np.array([1, 2, 3], np.int64), np.array([1.0, 5e11, 2.0]))

    assert [100_000_000, -1, 200_000_000] == shown.units.tolist()


def test_the_passing_of_time_moves_what_is_expected(house: MeterHouse) -> None:
    """An hour later the running day expects one hour more, and a meter that fell silent has what it had."""
    before = house.value("meter_use", "main", "day", "2025-01-06")
    house.clock.now += 3_600
    house.follower.step()
    after = house.value("meter_use", "main", "day", "2025-01-06")

    assert (before.value, (3.0, 3.0), (3.0, 4.0)) == (after.value, (before.valid, before.expected), (after.valid, after.expected))


def test_meters_behind_the_main_one_are_balanced(house: MeterHouse) -> None:
    """The production and treatment meters of the works against its main meter, by the day and the year."""
    day = house.value("electricity_loss", "works", "day", "2025-01-02")
    main = turned("main", "2025-01-02 00:00", "2025-01-03 00:00")
    parts = sum(turned(name, "2025-01-02 00:00", "2025-01-03 00:00") for name in ("line", "fan"))

    assert (round(100 * (main - parts) / main, 1), 3.0, 3.0, "") == (Decimal(str(day.value)), day.valid, day.expected, day.status)
    assert 3 * 5 == house.value("electricity_loss", "works", "year", "2025-12-31").expected
    assert [] == house.store.series(Query("electricity_loss", "mill"))


def test_a_broken_day_has_a_clock_until_it_is_mended(tmp_path: Path) -> None:
    """Readings of a Thursday are missing: the clock runs, also for a new process; they come, and the record says mended."""
    one = MeterHouse(tmp_path)
    missing = [row for row in HISTORY if row.source == "other" and at("2025-01-02 08:00") < row.time < at("2025-01-02 14:00")]
    one.bring([row for row in HISTORY if row not in missing])
    one.follower.start()
    running = one.value("meter_repair", "other", "day", "2025-01-02")
    assert (2.0, 3.0, 1.0, "running", 73.0, 96.0) == (running.value, running.target, running.margin, running.status, running.valid, running.expected)

    one.follower = one.open()
    one.follower.start()
    one.bring(missing)
    one.follower.step()
    mended = one.value("meter_repair", "other", "day", "2025-01-02")
    one.close()
    assert (0.0, "mended") == (mended.value, mended.status)

"""Stored figures of meters: conserved, incremental, restated, and events that late readings take back."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from domain.places import Line
from domain.readings import Reading
from domain.targets import Plan, Target, YearValue
from lanbi.metering import Metering
from lanbi.registers import readings_of
from tests.lanbi.figures_house import at_once
from tests.lanbi.meter_house import HISTORY, METERS, NOW, QUARTER, START, MeterHouse, registry, units


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MeterHouse]:
    """The works with all its registers."""
    one = MeterHouse(tmp_path)
    one.bring(HISTORY)
    one.follower.start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[object, ...], Indicator]:
    """Figures of the whole history computed at once."""
    return at_once(MeterHouse(tmp_path_factory.mktemp("batch")), HISTORY)


def at(text: str) -> int:
    """An instant in China."""
    return civil.parse_time(text, civil.SHANGHAI)


def turned(name: str, begin: str, end: str) -> Decimal:
    """What a meter counted between two instants."""
    meter, own = METERS[name], units(name)
    first, last = ((at(text) - START) // QUARTER for text in (begin, end))
    return int(own[last] - own[first]) * Decimal(meter.resolution) * Decimal(meter.multiplier.newest)


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


def test_an_exchange_form_explains_a_fall(house: MeterHouse) -> None:
    """A meter that was changed is held until its form comes; then the old meter's rest and the new one's beginning count, restated."""
    since = at("2025-01-04 10:00")
    changed = [
        anew(row, values={"register": round((row.values["register"] or 0) - 880.0, 2)}) for row in HISTORY if row.source == "other" and row.time >= since
    ]
    house.bring(changed)
    house.follower.step()
    without = house.value("meter_use", "other", "day", "2025-01-04").value
    last = float(units("other")[(since - QUARTER - START) // QUARTER]) / 100
    house.say("exchange", "2025-01-04", meter="other", time="2025-01-04 09:50", last=f"{last:.2f}", first=f"{last - 880:.2f}", document="单1")
    house.follower.step()

    assert ["other"] == [source for source, _ in house.events("exchange")]
    assert [True] == [text.startswith("已撤销 withdrawn") for _, text in house.events("held")]
    assert float(turned("other", "2025-01-04 00:00", "2025-01-05 00:00")) == house.value("meter_use", "other", "day", "2025-01-04").value
    assert without != house.value("meter_use", "other", "day", "2025-01-04").value


def test_the_passing_of_time_moves_what_is_expected(house: MeterHouse) -> None:
    """An hour later the running day expects one hour more, and a meter that fell silent has what it had."""
    before = house.value("meter_use", "main", "day", "2025-01-06")
    house.clock.now += 3_600
    house.follower.step()
    after = house.value("meter_use", "main", "day", "2025-01-06")

    assert (before.value, (3.0, 3.0), (3.0, 4.0)) == (after.value, (before.valid, before.expected), (after.valid, after.expected))


BILLED = {"from": "2024-12-25", "to": "2024-12-31"}


def test_a_bill_stands_beside_its_meter(house: MeterHouse) -> None:
    """A bill within 5 % of the meter is equal, one further off deviates; both sides and the days stand in the row."""
    own = float(turned("main", "2024-12-25 00:00", "2025-01-01 00:00"))
    house.say("bill", "2024-12-31", **BILLED, meter="main", quantity=f"{own * 1.04:.2f}", document="账单")
    house.follower.step()
    near = house.value("meter_bill", "main", "month", "2024-12-31")
    house.say("bill", "2024-12-31", **BILLED, meter="main", quantity=f"{own * 1.06:.2f}", document="账单")
    house.follower.step()
    far = house.value("meter_bill", "main", "month", "2024-12-31")

    assert ("equal", -3.85, own) == (near.status, near.margin, near.target)
    assert ("deviates", -5.66, round(own * 1.06, 2)) == (far.status, far.margin, far.value)


def test_energy_for_value_added(house: MeterHouse) -> None:
    """Output of a month makes the intensities of that month and of the year so far."""
    house.say("output", "2025-01-31", enterprise="works", line="", month="2025-01", product="钢", quantity="", unit="", value_added="12.5", document="统计")
    house.follower.step()
    tce = turned("main", "2025-01-01 00:00", "2025-01-06 02:30") * Decimal("0.0001229")
    month, year = (house.value("energy_intensity", "works", period, date) for period, date in (("month", "2025-01-31"), ("year", "2025-12-31")))

    assert (round(float(tce / Decimal("12.5")), 4), month.value, "months 1") == (month.value, year.value, year.text)


def test_the_county_is_judged_on_what_is_reported(tmp_path: Path) -> None:
    """The metered sum is shown as a share of the official total with its year; the target is judged on the reported figure alone."""
    house = MeterHouse(tmp_path)
    house.bring(HISTORY)
    house.follower.start()
    goal = Target("energy.total", "41", "能耗总量", "", "<=", "tce", "annual", "reported", values=(YearValue(2024, Decimal(900), "市文"),))
    desk = next(desk for desk in house.follower.analyst.desks if isinstance(desk, Metering))
    desk.plans = (Plan("p", "", "", 2025, (goal,)),)
    house.say("reported", "2024-12-31", target="energy.total", period="2024", value="1000", document="统计公报")
    house.follower.step()
    share = house.value("energy_metered_share", "c", "year", "2024-12-31")
    state = house.value("energy.total", "c", "year", "2024-12-31")
    both = turned("main", "2024-12-25 00:00", "2025-01-01 00:00") + turned("other", "2024-12-25 00:00", "2025-01-01 00:00")
    house.close()

    assert round(float(both * Decimal("0.0003") / 1000 * 100), 1) == share.value
    assert {"official": 1000.0, "year": 2024, "document": "统计公报"} == json.loads(share.text)
    assert ("missed", 1000.0, 900.0, -100.0) == (state.status, state.value, state.target, state.margin)


def test_lines_against_their_levels(tmp_path: Path) -> None:
    """A two-high line's unit consumption is held against 标杆 and 基准; the county's share of capacity and of live lines follows."""
    tce = turned("line", "2025-01-01 00:00", "2025-01-06 02:30") * Decimal("0.1229")
    fine = Line("l-1", "works", "钢", "1000", advanced=f"{tce / 10 + 1:.2f}", baseline=f"{tce:.2f}", meters=("line",))
    bad = Line("l-2", "works", "钢", "3000", advanced="0.1", baseline="0.2", meters=("line",))
    house = MeterHouse(tmp_path, replace(registry(), lines={"l-1": fine, "l-2": bad}))
    house.bring(HISTORY)
    for line, quantity, unit in (("l-1", "10", "t"), ("l-2", "5000", "kg")):
        house.say(
            "output", "2025-01-31", enterprise="works", line=line, month="2025-01", product="钢", quantity=quantity, unit=unit, value_added="", document="统"
        )
    house.follower.start()
    rows = {name: house.value("line_consumption", name, "year", "2025-12-31") for name in ("l-1", "l-2")}
    share = house.value("two_high_share", "c", "year", "2025-12-31")
    ranks = [house.value("line_rank", name, "year", "2025-12-31").value for name in ("l-1", "l-2")]
    running = [house.value("line_consumption", name, "ytd", "2025-01-06") for name in ("l-1", "l-2")]
    live = house.value("lines_live", "c", "year", "2025-12-31").value
    house.close()

    assert [("advanced", round(float(tce / 10), 2)), ("below", round(float(tce / 5), 2))] == [(row.status, row.value) for row in rows.values()]
    assert (25.0, {"advanced": ["l-1"], "below": ["l-2"]}) == (share.value, json.loads(share.text))
    assert ([1.0, 2.0], 100.0) == (ranks, live)
    assert [(row.value, row.status) for row in rows.values()] == [(row.value, row.status) for row in running]
    assert [True, False] == [row.margin is not None and row.margin > 0 for row in running]


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


def test_stated_quantities_are_counted_where_nobody_reads_a_register(tmp_path: Path) -> None:
    """A well's pump without registers: quantities of a file make its hours, days and year; no reading is due; a later statement replaces the earlier."""
    one = MeterHouse(tmp_path, registry(pump=replace(METERS["water"], id="pump", enterprise="mill")))
    one.bring(HISTORY)
    one.follower.start()
    one.say("quantity", "2025-01-02", meter="pump", start="2025-01-02T00:00:00+08:00", end="2025-01-02T12:00:00+08:00", quantity="24.5")
    one.say("quantity", "2025-01-02", meter="pump", start="2025-01-02T12:00:00+08:00", end="2025-01-03T00:00:00+08:00", quantity="3")
    one.follower.step()
    day, use = one.value("meter_use", "pump", "day", "2025-01-02"), one.value("water_use", "mill", "day", "2025-01-02")
    assert (27.5, 24.0, 27.5) == (day.value, day.valid, use.value)
    assert [] == [row for row in one.store.series(Query("meter_repair", "pump")) if row.valid is not None]

    one.say("quantity", "2025-01-02", meter="pump", start="2025-01-02T12:00:00+08:00", end="2025-01-03T00:00:00+08:00", quantity="4")
    one.follower.step()
    assert 28.5 == one.value("meter_use", "pump", "day", "2025-01-02").value
    one.close()


def test_a_quantity_beside_a_register_is_held(house: MeterHouse) -> None:
    """What a register counted is not counted again because a file states it too."""
    before = house.value("meter_use", "other", "day", "2025-01-02")
    house.say("quantity", "2025-01-02", meter="other", start="2025-01-02T00:00:00+08:00", end="2025-01-03T00:00:00+08:00", quantity="100")
    house.follower.step()
    after = house.value("meter_use", "other", "day", "2025-01-02")

    assert (before.value, "held") == (after.value, after.status)

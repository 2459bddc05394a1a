"""What people enter beside the registers: exchange forms, bills, output, official totals and stated quantities, in the figures of meters."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace as anew

from domain.indicators import Query
from domain.places import Line
from domain.targets import Plan, Target, YearValue
from lanbi.metering import Metering
from tests.lanbi.meter_house import HISTORY, METERS, QUARTER, START, MeterHouse, at, house, registry, turned, units

__all__ = ["house"]


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

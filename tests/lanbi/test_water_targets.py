"""The water targets of the plan as stored figures: who costs them, since when, and what can still be said."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain import civil
from domain.indicators import Event, Indicator
from domain.readings import Reading
from domain.targets import YearValue
from tests.lanbi.water_house import IDS, PLAN, WaterHouse, at, brought, house, record, registry, sections, steady

__all__ = ["house"]

FLOOR, STRIVE, RATIO, NITROGEN = (IDS[name][0] for name in ("class_floor", "class_strive", "good_ratio", "tn_growth"))


def stand(house: WaterHouse, target: str) -> tuple[Indicator, dict[str, Any]]:
    """The newest judgement with its details."""
    row = house.newest(target, "c", "ytd")
    return row, json.loads(row.text)


def breaches(house: WaterHouse) -> list[Event]:
    """Events of breaches."""
    return sorted((row for row in house.store.event_rows(0, 2**60, 100) if row.kind == "class-breach"), key=lambda row: row.time)


def both(*days: str, **changes: float | None) -> list[Reading]:
    """The two national rivers alike."""
    return [*steady("w1", *days, **changes), *steady("w2", *days, **changes)]  # type: ignore[arg-type]  first and last day


def test_a_section_that_costs_the_good_ratio_is_named_since_the_day_it_did(house: WaterHouse) -> None:
    """Of two national rivers one is worse than III on the year's mean: 50 %, with its day and items; local ones do not count."""
    brought(house, *both("2025-01-01", "2025-01-31"), *steady("w1", "2025-02-01", "2025-03-31", tp=0.35), *steady("w3", "2025-01-01", "2025-03-31", tp=0.9))

    row, told = stand(house, RATIO)
    assert (50.0, 100.0, -50.0, 2.0, 2.0) == (row.value, row.target, row.margin, row.valid, row.expected)
    assert [{"id": "w1", "since": "2025-02-28", "value": 4.0, "items": ["tp"]}] == [
        one | {"since": max(one["since"], "2025-02-28")} for one in told["sections"]
    ]
    assert "大桥" in told["note_zh"]


def test_fewer_than_ninety_days_decide_nothing_and_no_last_year_neither(house: WaterHouse) -> None:
    """In February nothing is decided, and in April not either while last year's same months are unknown."""
    brought(house, *both("2025-01-01", "2025-04-09"))

    said = [row.status for row in house.told(RATIO, "c", "ytd")]
    assert ["undecidable"] * 99 == said


@pytest.mark.parametrize(("codmn", "wanted"), [(5.0, "on-course"), (8.0, "at-risk")])
def test_what_the_rest_may_have_is_held_against_last_years_months(house: WaterHouse, codmn: float, wanted: str) -> None:
    """With three months at 5.9 the rest may have 6.0: last year's 5.0 keeps that, 8.0 does not."""
    brought(house, *both("2024-01-01", "2024-12-31", codmn=codmn), *both("2025-01-01", "2025-04-09", codmn=5.9))

    assert wanted == stand(house, RATIO)[0].status


def test_a_year_that_cannot_be_mended_is_missed_before_its_end(house: WaterHouse) -> None:
    """Three months at 25 mg/L leave the year above 6 even if the rest were clean: 3 · 25 / 12 = 6.25."""
    brought(house, *both("2025-01-01", "2025-03-31", codmn=25.0))

    assert "missed" == stand(house, RATIO)[0].status


@pytest.mark.parametrize(("codmn", "wanted", "value"), [(5.9, "met", 100.0), (6.3, "missed", 0.0)])
def test_a_closed_year_is_judged(tmp_path: Path, codmn: float, wanted: str, value: float) -> None:
    """When the year is over its own row says met or missed."""
    plan = replace(PLAN, targets=tuple(replace(one, values=(YearValue(2024, Decimal(IDS["good_ratio"][2])),)) for one in PLAN.targets if one.id == RATIO))
    house = WaterHouse(tmp_path, plan=plan)
    house.bring(both("2024-01-01", "2024-12-31", codmn=codmn))
    house.follower.start()

    row = house.newest(RATIO, "c", "year")
    assert (wanted, value, civil.period_stamp(civil.parse_date("2024-12-31"))) == (row.status, row.value, row.time)
    house.close()


def test_a_bad_month_misses_the_class_to_be_kept_and_never_the_aspiration(house: WaterHouse) -> None:
    """A month at class V: the floor is missed, striving for III is at risk and nothing more; the section and its month are named."""
    brought(house, *both("2025-01-01", "2025-04-09"), *steady("w3", "2025-01-01", "2025-01-31"), *steady("w3", "2025-02-01", "2025-02-28", nh3n=1.8))

    floor, told = stand(house, FLOOR)
    assert ("missed", 5.0, -1.0) == (floor.status, floor.value, floor.margin)
    assert [{"id": "w3", "since": "2025-02-01", "value": 5.0, "items": ["nh3n"]}] == told["sections"]
    strive = [row.status for row in house.told(STRIVE, "c", "ytd")]
    assert "missed" not in strive
    assert "at-risk" == strive[-1]


def test_a_breach_is_recorded_with_its_begin_end_and_worst_item(house: WaterHouse) -> None:
    """Three records worse than IV in a row are one breach, open until a record keeps IV again; one without a class changes nothing."""
    worse = [record("w1", "2025-04-09T04:00", tp=0.35), record("w1", "2025-04-09T08:00", nh3n=None), record("w1", "2025-04-09T12:00", codmn=18.0, tp=0.41)]
    brought(house, *steady("w1", "2025-04-01", "2025-04-08"), *worse)
    (event,) = breaches(house)
    told = json.loads(event.text)
    assert ("w1", at("2025-04-09T04:00"), 6.0) == (event.source, event.time, event.value)
    assert (None, "codmn", 2.0, 2) == tuple(told[name] for name in ("to", "item", "multiple", "records"))
    assert ("at-risk", ["w1"]) == (stand(house, FLOOR)[0].status, stand(house, FLOOR)[1]["open"])

    brought(house, record("w1", "2025-04-09T16:00"))
    (event,) = breaches(house)
    assert "2025-04-09T16:00:00+08:00" == json.loads(event.text)["to"]
    assert ("on-course", {"count": 1}) == (stand(house, FLOOR)[0].status, {"count": stand(house, FLOOR)[1]["breaches"]["count"]})


def test_a_revision_that_takes_a_breach_away_says_so(house: WaterHouse) -> None:
    """Nutrients that settle below the limit leave the breach's row without a class, once; a new start does not repeat it."""
    brought(house, record("w1", "2025-04-09T04:00", tp=0.5))
    brought(house, record("w1", "2025-04-09T04:00", 2, tp=0.1))

    (event,) = breaches(house)
    assert (0.0, {"withdrawn": True}) == (event.value, json.loads(event.text))
    house.open().start()
    assert [event] == breaches(house)


def test_the_worst_section_decides_total_nitrogen(house: WaterHouse) -> None:
    """Against 3.50 and 4.00 of 2020: 3.43 is 2 % less, 4.10 is 2.5 % more; the largest change is the figure, its section the cost."""
    rows = [*steady("w1", "2025-01-01", "2025-04-09", tn=3.43), *steady("w2", "2025-01-01", "2025-04-09", tn=4.10)]
    brought(house, *rows, *steady("w3", "2025-01-01", "2025-04-09", tn=40.0))

    row, told = stand(house, NITROGEN)
    assert (2.5, 0.0, -2.5, 2.0) == (row.value, row.target, row.margin, row.valid)
    assert ["w2"] == [one["id"] for one in told["sections"]]


@pytest.mark.parametrize(("tn", "wanted"), [(3.40, "on-course"), (3.60, "at-risk")])
def test_nitrogen_is_held_against_last_years_months(house: WaterHouse, tn: float, wanted: str) -> None:
    """Last year's rest below what 2020 leaves for the rest of this year is on course."""
    for site, factor in (("w1", 1.0), ("w2", 8 / 7)):
        brought(
            house, *steady(site, "2024-01-01", "2024-12-31", tn=round(tn * factor, 2)), *steady(site, "2025-01-01", "2025-04-09", tn=round(3.45 * factor, 2))
        )

    assert wanted == stand(house, NITROGEN)[0].status


def test_an_exact_zero_is_not_below_2020_and_is_called_unchanged(tmp_path: Path) -> None:
    """A mean equal to that of 2020 fails a target of less than zero, and the note says unchanged."""
    places = {name: place for name, place in sections().items() if name == "w1"}
    plan = replace(PLAN, targets=tuple(replace(one, values=(YearValue(2024, Decimal(0)),)) for one in PLAN.targets if one.id == NITROGEN))
    house = WaterHouse(tmp_path, registry(places), plan)
    house.bring(steady("w1", "2024-01-01", "2024-12-31", tn=3.5))
    house.follower.start()

    row = house.newest(NITROGEN, "c", "year")
    assert ("missed", 0.0, "与2020年持平") == (row.status, row.value, json.loads(row.text)["note_zh"])
    house.close()


def test_without_a_baseline_nothing_is_decided(tmp_path: Path) -> None:
    """A national section without its 2020 mean leaves the target undecidable and is named."""
    places = sections()
    places["w2"] = replace(places["w2"], tn_2020=None)
    house = WaterHouse(tmp_path, registry(places))
    house.follower.start()
    brought(house, *both("2025-01-01", "2025-04-09", tn=3.0))

    row, told = stand(house, NITROGEN)
    assert ("undecidable", "缺2020年总氮基数：闸口") == (row.status, told["note_zh"])
    house.close()


def test_a_start_on_what_is_stored_writes_no_target_again(house: WaterHouse) -> None:
    """Judgements that stand are not written once more."""
    brought(house, *both("2025-01-01", "2025-04-09", tp=0.35), record("w1", "2025-04-10T04:00", tp=0.9))
    again = house.open()
    again.start()

    assert 0 == again.analyst.settler.written
    assert len(house.told(FLOOR, "c", "ytd")) == 99

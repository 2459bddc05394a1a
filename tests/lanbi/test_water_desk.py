"""Sections as stored figures: classes of records, means and classes of periods, the county's waters; late and revised records."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain import civil
from domain.readings import Change, Entry, Reading
from ingest.entries import announce
from tests.lanbi.water_house import GOOD, WaterHouse, at, brought, house, record, registry, steady

__all__ = ["house"]

LATER = "2025-04-10T08:00"


def classes(house: WaterHouse, site: str) -> dict[str, float | None]:
    """Class by time of a section's records."""
    return {civil.iso(row.time)[:16]: row.value for row in house.told("water_class", site, "hour")}


def test_a_record_has_its_class_and_the_items_at_it(house: WaterHouse) -> None:
    """The class is that of displayed values by the section's kind of water; the items at it are named."""
    brought(house, record("w1", LATER, codmn=6.012, tp=0.06), record("w4", LATER, tp=0.06))

    river, lake = house.newest("water_class", "w1", "hour"), house.newest("water_class", "w4", "hour")
    assert (3.0, "codmn", "GB3838-2002", at(LATER)) == (river.value, river.text, river.rule_set, river.time)
    assert (4.0, "tp") == (lake.value, lake.text)


@pytest.mark.parametrize("item", ["do", "codmn", "nh3n", "tp"])
def test_no_class_unless_all_four_are_there(house: WaterHouse, item: str) -> None:
    """A record without one of the four has no class, and none is invented from older values."""
    brought(house, record("w1", "2025-04-10T04:00"), record("w1", LATER, **{item: None}))

    assert {"2025-04-10T04:00": 2.0} == classes(house, "w1")


def test_total_nitrogen_and_flagged_values_do_not_decide(house: WaterHouse) -> None:
    """Total nitrogen of any height leaves the class; a value under calibration counts as missing."""
    flagged = replace(record("w2", LATER), flags={"tp": "C"})
    brought(house, record("w1", LATER, tn=99.0), flagged)

    assert ({LATER: 2.0}, {}) == (classes(house, "w1"), classes(house, "w2"))


def test_a_revised_record_restates_its_class_at_once_and_once(house: WaterHouse) -> None:
    """Nutrients that settle later change the class: one restatement, with old, new and cause; the same again says nothing."""
    brought(house, record("w1", LATER, tp=0.06))
    revised = record("w1", LATER, 2, tp=0.25)
    brought(house, revised)
    brought(house, revised)

    (said,) = house.store.restatements(0, 2**60, 100)
    assert ("water_class", "hour", "w1", 2.0, 4.0) == (said.figure, said.period, said.scope, said.old, said.new)
    assert f"correction: w1 tp {LATER}" == said.cause
    assert {LATER: 4.0} == classes(house, "w1")


def test_a_withdrawn_item_withdraws_the_class(house: WaterHouse) -> None:
    """Where one of the four is taken back the class goes too, and that is said."""
    brought(house, record("w1", LATER))
    brought(house, record("w1", LATER, 2, nh3n=None))

    assert {LATER: None} == classes(house, "w1")
    assert [(2.0, None)] == [(row.old, row.new) for row in house.store.restatements(0, 2**60, 100)]


def test_order_and_repetition_cannot_be_seen(tmp_path: Path) -> None:
    """Three downloads of one record and its neighbours give the same figures in every order, also twice."""
    downloads = [
        [record("w1", LATER, 1, tp=0.06), record("w2", LATER, 1)],
        [record("w1", LATER, 2, tp=0.21), record("w3", "2025-03-31T20:00", 2)],
        [record("w1", LATER, 3, tp=0.11), record("w2", LATER, 3, codmn=9.0)],
    ]
    states = []
    for number, order in enumerate([*itertools.permutations(range(3)), (2, 0, 1, 2, 0, 1)]):
        (tmp_path / str(number)).mkdir()
        house = WaterHouse(tmp_path / str(number))
        house.follower.start()
        standing: dict[tuple[str, int], Reading] = {}
        for place in order:
            for row in downloads[place]:
                known = standing.get((row.source, row.time))
                if known is None or known.rev < row.rev:
                    standing[row.source, row.time] = row
            brought(house, *standing.values())
        states.append(house.figures())
        house.close()

    assert states[0] == states[-1] == states[3]
    assert all(one == states[0] for one in states)


def test_a_month_is_the_mean_of_its_values_and_a_year_that_of_its_months(house: WaterHouse) -> None:
    """A January of 4 and February of one value of 9: the quarter so far weighs months, not values."""
    brought(house, *steady("w1", "2025-01-01", "2025-01-31", codmn=4.0), record("w1", "2025-02-10T08:00", codmn=9.0))

    january, february = house.told("codmn_mean", "w1", "month")
    assert (4.0, 31.0, 31.0, "") == (january.value, january.valid, january.expected, january.status)
    assert (9.0, 1.0, 28.0, "incomplete") == (february.value, february.valid, february.expected, february.status)
    assert 6.5 == house.newest("codmn_mean", "w1", "ytd").value
    assert (4.0, "codmn") == (house.newest("water_class", "w1", "ytd").value, house.newest("water_class", "w1", "ytd").text)
    assert (6.5, "incomplete") == (house.newest("codmn_mean", "w1", "quarter").value, house.newest("codmn_mean", "w1", "quarter").status)


def test_means_are_exact_and_rounded_half_to_even(house: WaterHouse) -> None:
    """0.02 and 0.03 average to 0.025, shown 0.02; 0.1 and 0.2 to 0.15, the limit of class I; binary sums would miss both."""
    brought(house, record("w1", "2025-01-05T08:00", nh3n=0.02), record("w1", "2025-01-06T08:00", nh3n=0.03))
    brought(house, record("w2", "2025-01-05T08:00", nh3n=0.1), record("w2", "2025-01-06T08:00", nh3n=0.2))

    assert [0.02, 0.15] == [house.newest("nh3n_mean", site, "month").value for site in ("w1", "w2")]


def test_main_pollution_items_have_their_multiples(house: WaterHouse) -> None:
    """Of a bad month the items worse than III are told, worst class first, with multiples over III; oxygen has none."""
    brought(house, *steady("w1", "2025-02-01", "2025-02-28", tp=0.31, nh3n=1.2, codmn=7.0, do=4.0))

    told = house.newest("water_exceedance", "w1", "month")
    assert (0.6, "tp(0.6)+nh3n(0.2)+codmn(0.2)") == (told.value, told.text)


def test_total_nitrogen_stands_beside_and_against_2020(house: WaterHouse) -> None:
    """The ratio to the section's 2020 mean is given where a baseline is registered, and nowhere else."""
    brought(house, *steady("w1", "2025-01-01", "2025-01-31", tn=3.43), *steady("w3", "2025-01-01", "2025-01-31"))

    assert (3.43, 98.0) == tuple(house.newest(name, "w1", "month").value for name in ("tn_mean", "tn_ratio"))
    assert [] == house.told("tn_ratio", "w3", "month")


def test_few_sections_are_judged_by_their_mean(house: WaterHouse) -> None:
    """Four sections: the rivers' mean concentrations decide, the lake with its other limits stays out; shares are told beside."""
    for site, codmn in (("w1", 3.0), ("w2", 3.0), ("w3", 14.0)):
        brought(house, *steady(site, "2025-01-01", "2025-01-31", codmn=codmn))
    brought(house, *steady("w4", "2025-01-01", "2025-01-31", tp=0.3))

    row = house.newest("water_quality", "c", "month")
    told = json.loads(row.text)
    assert (3.0, "light", 4.0) == (row.value, row.status, row.valid)
    assert ("averages", 2, 1, 4, ["codmn", "tp"]) == tuple(told[name] for name in ("method", "good", "inferior", "sections", "items"))
    assert {"w1": 2, "w2": 2, "w3": 5, "w4": 6} == told["classes"]
    assert [("清河", "excellent")] == [(one["river"], one["state"]) for one in told["rivers"]]
    assert 50.0 == house.newest("water_good_ratio", "c", "month").value


def test_a_device_on_trial_enters_no_figure(tmp_path: Path) -> None:
    """Records of a section whose device is on trial are stored and judged nowhere."""
    house = WaterHouse(tmp_path, registry(trial=("w1",)))
    house.follower.start()
    brought(house, record("w1", LATER), record("w2", LATER))

    assert ({}, {LATER: 2.0}) == (classes(house, "w1"), classes(house, "w2"))
    house.close()


def test_a_start_on_what_is_stored_writes_nothing(house: WaterHouse) -> None:
    """A process that starts again finds all as it left it: no figure is written, none restated."""
    brought(house, *steady("w1", "2024-11-20", "2025-04-09"), *steady("w4", "2025-03-01", "2025-04-09", tp=0.07))
    before = house.figures()
    again = house.open()
    again.start()

    assert (0, 0) == (again.analyst.settler.written, again.analyst.settler.restated)
    assert before == house.figures()
    assert len(before) > 1_000


def test_a_late_record_of_a_closed_month_restates_it(house: WaterHouse) -> None:
    """A value that comes after its month changes the mean: month, quarter and the newest running figure are restated, with the cause."""
    brought(house, *steady("w1", "2025-01-01", "2025-03-31", codmn=5.9))
    brought(house, record("w1", "2025-03-31T16:00", 2, codmn=59.0))

    said = {(row.figure, row.period): (row.old, row.new) for row in house.store.restatements(0, 2**60, 1_000)}
    assert {("water_class", "hour"), ("codmn_mean", "month"), ("codmn_mean", "quarter"), ("codmn_mean", "ytd")} <= said.keys()
    assert (5.9, 6.2) == said["codmn_mean", "month"]
    assert (3.0, 4.0) == said["water_class", "month"]
    assert all(row.cause == "correction: w1 codmn 2025-03-31T16:00" for row in house.store.restatements(0, 2**60, 1_000))


def test_the_day_that_ends_moves_the_running_year(house: WaterHouse) -> None:
    """Running figures end with the last day that is over; when a day ends they move on."""
    brought(house, *steady("w1", "2025-04-01", "2025-04-10"))
    before = house.newest("do_mean", "w1", "ytd")
    house.clock.now += civil.DAY_S
    house.follower.step()

    after = house.newest("do_mean", "w1", "ytd")
    assert (civil.DAY_S, 1.0, 1.0) == (after.time - before.time, (after.valid or 0) - (before.valid or 0), (after.expected or 0) - (before.expected or 0))
    assert GOOD["do"] == after.value


def test_a_persons_mark_takes_values_of_a_section_out_and_gives_them_back(house: WaterHouse) -> None:
    """Held with a reason: no class, a restatement that names the flag; N brings the class back. Other items stay."""
    brought(house, record("w1", LATER, tp=0.25))
    body = {"source": "w1", "from": "2025-04-10T05:00:00+08:00", "to": "2025-04-10T08:00:00+08:00", "items": ["tp"], "reason": "比对", "user": "王工"}
    for number, flag in enumerate("HN", 1):
        entry = Entry("mark", f"person/{number}", number, "王工", body | {"flag": flag})
        house.store.enter([entry])
        days: dict[int, set[str]] = {}
        announce([entry], house.registry, days)
        house.store.changes([Change(f"p{number}", 1, day, tuple(sorted(sites))) for day, sites in days.items()])
        house.follower.step()
        assert {LATER: None if flag == "H" else 4.0} == classes(house, "w1")

    said = house.store.restatements(0, 2**60, 10)
    assert {(4.0, None), (None, 4.0)} == {(row.old, row.new) for row in said if row.period == "hour"}
    assert any(row.cause.startswith("flag: w1 tp") for row in said)


def test_completeness_of_a_section_is_told_with_its_two_edges(house: WaterHouse) -> None:
    """January whole, February with 90 % of its records, March with half of them."""
    brought(house, *steady("w1", "2025-01-01", "2025-01-31"), *steady("w1", "2025-02-01", "2025-02-26")[:-1], *steady("w1", "2025-03-01", "2025-03-16"))

    months = house.told("water_capture", "w1", "month")
    assert [(100.0, ""), (92.3, ""), (51.6, "unusable")] == [(row.value, row.status) for row in months]
    assert (155.0, 168.0) == (months[1].valid, months[1].expected)

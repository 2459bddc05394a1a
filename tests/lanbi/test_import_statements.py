"""`lanbi import` of what people answer for: official figures, reviewed data, dust periods."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.readings import Change
from lanbi import wiring
from lanbi.settings import load
from tests.lanbi.import_house import House, build

DUST = "scope,from,to,document\n"
REVIEW = "site,time,item,value,flag,document\n"
REVIEWED_DAYS = "site,date,item,value,flag,document\n"
OFFICIAL = "scope,period,item,value,rank,document\n"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house with one city and one station."""
    return build(tmp_path, monkeypatch, capsys)


def changes(house: House) -> list[Change]:
    """What the forwarder announced."""
    store = wiring.store(load(None, house.env))
    try:
        return store.changes_after({})
    finally:
        store.close()


def test_a_dust_period_is_entered_once_with_its_document(house: House) -> None:
    """The same period in another writing is a duplicate; the county's stations are announced for every day it touches."""
    first = house.file(DUST + "x,2025-04-12 20:00,2025-04-14 02:00,总站函〔2025〕1号\n")
    again = house.file(DUST + "x,2025/4/12 20:00,2025-04-14T02:00:00+08:00,总站函〔2025〕1号\n", "again.csv")

    assert [1, 1, 0, 0, 0, 0] == house.terms(first)
    assert [1, 0, 1, 0, 0, 0] == house.terms(again)
    (body,) = house.entries("dust")
    assert ("import", "x", "2025-04-12T20:00:00+08:00", "总站函〔2025〕1号") == tuple(body[name] for name in ("user", "scope", "from", "document"))
    assert [("s1", "~dust")] * 3 == [change.sites for change in changes(house)]


def test_reviewed_hours_are_one_entry_a_site_and_day(house: House) -> None:
    """Every row counts in the account; hour 24 belongs to its day; an empty value keeps the letter that says why."""
    text = REVIEW + "1001A,2025-01-01 01:00,pm25,35,,审1\ns1,2025-01-02 00:00,PM25,,d,审1\ns1,2025-01-02 01:00,o3,80.5,N,审1\n"
    file = house.file(text)

    assert [3, 3, 0, 0, 0, 0] == house.terms(file)
    assert [3, 0, 3, 0, 0, 0] == house.terms(file)
    first, second = sorted(house.entries("reviewed"), key=lambda body: str(body["date"]))
    assert ("s1", "2025-01-01", 3600, [[1, "pm25", "35", "N"], [24, "pm25", None, "D"]]) == tuple(first[name] for name in ("site", "date", "span", "cells"))
    assert [[1, "o3", "80.5", "N"]] == second["cells"]
    assert [("s1", "~reviewed")] * 2 == [change.sites for change in changes(house)]


def test_a_file_that_goes_by_the_hour_makes_the_same_days(house: House) -> None:
    """Rows of many days in any order are collected by site and day."""
    rows = [f"s1,2025-01-{day:02} {hour:02}:00,{item},{hour},N,审\n" for hour in range(1, 24) for day in (3, 1, 2) for item in ("pm25", "o3")]

    assert [len(rows), len(rows), 0, 0, 0, 0] == house.terms(house.file(REVIEW + "".join(rows)))
    assert [46, 46, 46] == [len(body["cells"]) for body in house.entries("reviewed")]


def test_reviewed_days_and_official_figures(house: House) -> None:
    """A reviewed day has the daily ozone value; an official figure keeps its rank, and may be another county's."""
    days = house.file(REVIEWED_DAYS + "s1,2025-01-01,o3_8h,120,,审\n", "d.csv")
    official = house.file(OFFICIAL + "x,2025-06,pm25,42.3,3,通报6\n邻县,2025,good_ratio,70.1,,通报12\n", "o.csv")

    assert [3, 3, 0, 0, 0, 0] == house.terms(days, official)
    assert [[24, "o3_8h", "120", "N"]] == house.entries("reviewed")[0]["cells"]
    assert [("x", "pm25", "42.3", "3"), ("邻县", "good_ratio", "70.1", "")] == [
        tuple(body[name] for name in ("scope", "item", "value", "rank")) for body in house.entries("official")
    ]


BAD = [
    (DUST + "nowhere,2025-04-12,2025-04-13,文\n", "line 2, column scope", "no such air place"),
    (DUST + "x,2025-04-13,2025-04-12,文\n", "line 2, column to", "does not lie after"),
    (DUST + "x,2025-04-01,2025-06-01,文\n", "line 2, column to", "longer than 31 days"),
    (DUST + "x,yesterday,2025-06-01,文\n", "line 2, column from", "not a time"),
    (DUST + "x,2025-04-12,2025-04-13,\n", "line 2, column document", "an empty cell"),
    (REVIEW + "x,2025-01-01 01:00,pm25,35,,审\n", "line 2, column site", "no such air place"),
    (REVIEW + "s1,2025-01-01 01:30,pm25,35,,审\n", "line 2, column time", "not a whole hour"),
    (REVIEW + "s1,2025-01-01 01:00,o3_8h,35,,审\n", "line 2, column item", "no item of an hour"),
    (REVIEW + "s1,2025-01-01 01:00,co,900,,审\n", "line 2, column value", "outside 0 … 200 mg/m³"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,1e20,,审\n", "line 2, column value", "too large"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,nan,,审\n", "line 2, column value", "not a number"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,inf,,审\n", "line 2, column value", "not a number"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,-11,,审\n", "line 2, column value", "outside"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,9999,,审\n", "line 2, column value", "outside"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,35,Q,审\n", "line 2, column flag", "no flag"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,,,审\n", "line 2, column flag", "needs the flag that says why"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,35,,审\ns1,2025-01-01 01:00,pm25,36,,审\n", "line 3, column item", "contradicts line 2"),
    (REVIEW + "s1,2025-01-01 01:00,pm25,35,N,审\ns1,2025-01-01 01:00,pm25,35,D,审\n", "line 3, column item", "contradicts line 2"),
    (OFFICIAL + "x,2025-13,pm25,42,,文\n", "line 2, column period", "not a period"),
    (OFFICIAL + "x,2025-06,pm99,42,,文\n", "line 2, column item", "no figure of a month"),
    (OFFICIAL + "x,2025-06,pm25,4.2.3,,文\n", "line 2, column value", "not a number"),
    (OFFICIAL + "x,2025-06,pm25,-1,,文\n", "line 2, column value", "below zero"),
    (OFFICIAL + "x,2025-06,pm25,42,0,文\n", "line 2, column rank", "no rank"),
    (OFFICIAL + "x,2025-06,pm25,42,1,文\nx,2025-06,pm25,43,1,文\n", "line 3, column item", "contradicts line 2"),
]


@pytest.mark.parametrize(("text", "where", "what"), BAD)
def test_what_cannot_be_meant_is_refused_with_its_place(house: House, text: str, where: str, what: str) -> None:
    """One bad row refuses the file: line, column and reason are told, and nothing is entered."""
    code, _, err = house.run(house.file(text))

    assert (2, True, True) == (code, where in err, what in err), err
    assert [] == house.entries("dust") + house.entries("reviewed") + house.entries("official")


def test_a_review_names_time_or_date_and_not_both(house: House) -> None:
    """Without either, or with both, the format does not fit."""
    code, _, err = house.run("--format", "reviewed", house.file("site,time,date,item,value,flag,document\n"))

    assert (2, True) == (code, "time|date (one of them)" in err)

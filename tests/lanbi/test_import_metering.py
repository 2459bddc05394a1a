"""`lanbi import` of exchange forms, bills, output, reduction lists and orders: entered once, or refused with the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.readings import Change
from lanbi import wiring
from lanbi.settings import load
from tests.lanbi.import_house import COUNTY, House, build

METERS = """
[[enterprise]]
id = "e-1"
name = "厂"
[[enterprise]]
id = "e-2"
name = "坊"
[[meter]]
id = "m-1"
enterprise = "e-1"
medium = "electricity"
role = "main"
unit = "kWh"
resolution = "0.01"
multiplier = "40"
[[meter]]
id = "m-2"
enterprise = "e-2"
medium = "water"
role = "main"
unit = "m3"
multiplier = "1"
[[line]]
id = "l-1"
enterprise = "e-1"
product = "铝"
"""
FORM = "meter,time,last,first,document\n"
BILL = "meter,from,to,quantity,document\n"
OUTPUT = "enterprise,line,month,product,quantity,unit,value_added,document\n"
LIST = "enterprise,grade,level,line,measure,share,meters\n"
ORDERS = "level,from,to,document\n"
QUANTITY = "meter,start,end,quantity\n"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house with two enterprises, a meter each, and a few registers of one."""
    made = build(tmp_path, monkeypatch, capsys)
    (tmp_path / "county.toml").write_text(COUNTY + METERS, encoding="utf-8")
    rows = [f"m-1,2025-03-01 {hour:02}:00,{5000 + hour}\n" for hour in range(1, 9)] + ["m-1,2025-03-01 09:00,4\n"]
    assert [9, 9, 0, 0, 0, 0] == made.terms("--format", "lanbi-csv", made.file("meter,time,register\n" + "".join(rows), "registers.csv"))
    return made


def changes(house: House) -> list[Change]:
    """What the forwarder announced last."""
    store = wiring.store(load(None, house.env))
    try:
        return store.changes_after({})[1:]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("kind", "text", "announced"),
    [
        ("exchange", FORM + "m-1,2025-03-01 08:30,5008.5,0.5,单1\n", [("m-1", "~exchange")]),
        ("bill", BILL + "m-1,2025-03-01,2025-03-31,123456.5,账单3\n", [("~bill",)]),
        ("output", OUTPUT + "e-1,l-1,2025-03,铝,1200,t,3500.5,统计3\ne-2,,2025-03,纸,,,800,统计3\n", [("~output",)]),
        ("reduction-list", LIST + "e-1,C,orange,l-1,停产一条线,50,m-1\ne-2,D,red,,停产,0,\n", []),
        ("meter-csv", QUANTITY + "m-2,2025-03-01,2025-03-02,12.5\nm-2,2025-03-02 00:00,2025-03-02 01:00,0.125\n", [("m-2", "~quantity")]),
        ("orders", ORDERS + "orange,2025-01-03 12:00,2025-01-05,〔2025〕1号\n", [("~orders",)]),
    ],
)
def test_statements_are_entered_once(house: House, kind: str, text: str, announced: list[tuple[str, ...]]) -> None:
    """Each format is recognised by its header, entered with its document, announced for the days it touches, and known again."""
    file = house.file(text)
    count = text.count("\n") - 1

    assert [count, count, 0, 0, 0, 0] == house.terms(file)
    assert [count, 0, count, 0, 0, 0] == house.terms("--format", kind, file)
    assert count == len(house.entries("quantity" if kind == "meter-csv" else kind))
    assert announced == [one.sites for one in changes(house)]


@pytest.mark.parametrize(
    ("text", "says", "column"),
    [
        (FORM + "m-9,2025-03-01 08:30,5008.5,0.5,单\n", "no such meter: 'm-9'", "column meter"),
        (FORM + "m-1,2025-03-01 08:30,5 008.5,0.5,单\n", "not a plain number from 0 to 10¹²: '5 008.5'", "column last"),
        (FORM + "m-1,2025-03-01 08:30,5008.5kWh,0.5,单\n", "'5008.5kWh'", "column last"),
        (FORM + "m-1,2025-02-01 08:30,5008.5,0.5,单\n", "no register of meter m-1 within 40 days before", "column meter"),
        (FORM + "m-1,2025-03-01 08:30,5000.5,0.5,单\n", "lies below the register before it, 5008", "column meter"),
        (FORM + "m-1,2025-03-01 06:30,5006.5,0.5,单\n", "dated before the old meter's last reading", "column meter"),
        (BILL + 'm-1,2025-03-01,2025-03-31,"123,456",账单\n', "not a plain number from 0 to 10¹²: '123,456'", "column quantity"),
        (BILL + "m-1,2025-03-31,2025-03-01,1,账单\n", "the end does not lie after the start", "column to"),
        (BILL + "m-1,2025-03-01,2025-03-31,1,\n", "an empty cell", "column document"),
        (OUTPUT + "e-2,l-1,2025-03,铝,1200,t,1,统计\n", "line 'l-1' is none of enterprise 'e-2'", "column enterprise"),
        (OUTPUT + "e-1,,2025-13,铝,1200,t,1,统计\n", "not a period: '2025-13'", "column month"),
        (LIST + "e-1,C,orange,,停,50,m-1 m-2\n", "meter 'm-2' is none of enterprise 'e-1'", "column enterprise"),
        (LIST + "e-1,C,purple,,停,50,\n", "no level: 'purple'", "column level"),
        (LIST + "e-1,Z,red,,停,50,\n", "no grade: 'Z'", "column grade"),
        (LIST + "e-1,C,red,,停,150,\n", "a share is 0 to 100 %", "column share"),
        (FORM + "m-1,2025-13-01 08:30,5008.5,0.5,单\n", "not a time: '2025-13-01 08:30'", "column time"),
        (FORM + "m-1,1025-03-01 08:30,5008.5,0.5,单\n", "not a time of 2000 … 2099: '1025-03-01 08:30'", "column time"),
        (BILL + "m-1,2025-03-01,9999-03-31,1,账单\n", "not a time of 2000 … 2099: '9999-03-31'", "column to"),
        (OUTPUT + "e-1,l-1,2025-03,铝,1200,件,1,统计\n", "a line's quantity is in tonnes, not in '件'", "column unit"),
        (OUTPUT + "e-1,l-1,2025-03,铝,1200,,1,统计\n", "a line's quantity is in tonnes, not in ''", "column unit"),
        (QUANTITY + "m-2,2025-03-02,2025-03-01,1\n", "the end must lie behind the start", "column end"),
        (QUANTITY + "m-2,2025-03-01,2025-03-02,-1\n", "not a plain number", "column quantity"),
        (QUANTITY + "m-2,2025-03-01,2025-03-02,1.0123456789\n", "more than 9 decimals", "column quantity"),
        (QUANTITY + "m-2,2025-03-01,2025-03-02,1\nm-2,2025-03-01,2025-03-02,2\n", "contradicts line 2", "column end"),
        (QUANTITY + "m-9,2025-03-01,2025-03-02,1\n", "no such meter: 'm-9'", "column meter"),
        (ORDERS + "orange,2025-01-05,2025-01-03,号\n", "the end does not lie after the start", "column to"),
    ],
)
def test_bad_statements_change_nothing(house: House, text: str, says: str, column: str) -> None:
    """A bad row is refused with file, line and column; nothing of the file is entered."""
    code, _, err = house.run(house.file(text))

    assert (2, True, True) == (code, says in err and "in.csv" in err, column in err), err
    assert [] == changes(house)


def test_registers_by_the_format_of_meters(house: House) -> None:
    """The first form of meter-csv is the registers' table."""
    assert [2, 2, 0, 0, 0, 0] == house.terms("--format", "meter-csv", house.file("meter,time,register\nm-2,2025-03-01 01:00,5\nm-2,2025-03-01 02:00,6\n"))

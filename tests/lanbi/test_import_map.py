"""`lanbi import --map`: a platform's names of columns become ours."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tests.lanbi.import_house import House, build

MAP = '[columns]\n"点位编码" = "site"\n"监测时间" = "time"\n"PM2.5浓度(μg/m3)" = "pm25"\n"臭氧" = "o3"\n'
FOREIGN = "监测时间,点位编码,PM2.5浓度(μg/m3),臭氧\n2020-01-01 01:00,1001A,35,51\n"
AT = "2020-01-01T01:00:00+08:00"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house with one city and one station."""
    return build(tmp_path, monkeypatch, capsys)


def test_a_platforms_columns_are_read_by_our_names(house: House) -> None:
    """The format is recognised by the new names, and the file stays one: imported again it brings nothing."""
    words = ("--map", house.file(MAP, "map.toml"), house.file(FOREIGN))

    assert [1, 1, 0, 0, 0, 0] == house.terms(*words)
    assert [1, 0, 1, 0, 0, 0] == house.terms(*words)
    assert {"pm25": 35.0, "o3": 51.0} == house.values("s1", AT)


def test_pairs_need_no_table_and_no_capitals_or_blanks(house: House) -> None:
    """Bare pairs do, for a workbook as for a CSV; what is not named keeps its name."""
    book = openpyxl.Workbook()
    for row in (("Station ", "time", "pm25"), ("s1", "2020-01-01 01:00", 36)):
        book.active.append(row)
    book.save(house.folder / "in.xlsx")

    assert [1, 1, 0, 0, 0, 0] == house.terms("--map", house.file('STATION = "site"\n', "map.toml"), str(house.folder / "in.xlsx"))
    assert {"pm25": 36.0} == house.values("s1", AT)


def test_a_map_put_right_replaces_what_the_wrong_one_brought(house: House) -> None:
    """The same bytes read otherwise are another file, not a conflict with themselves."""
    file = house.file("site,time,A,B\ns1,2020-01-01 01:00,35,51\n")

    assert [1, 1, 0, 0, 0, 0] == house.terms("--map", house.file('A = "o3"\nB = "pm25"\n', "wrong.toml"), file)
    assert [1, 1, 0, 0, 0, 0] == house.terms("--map", house.file('A = "pm25"\nB = "o3"\n', "right.toml"), file)
    assert {"pm25": 35.0, "o3": 51.0} == house.values("s1", AT)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"臭氧" = "ozon"\n', "map.toml:1: no format has a column 'ozon'"),
        ('"臭氧" = 3\n', "map.toml:1: '臭氧': text in quotes is needed"),
        ('"O" = "o3"\n"o" = "o3"\n', "map.toml:2: 'o' stands twice"),
        ("[columns]\n", "no column is renamed"),
        ("臭氧\n", "not TOML"),
        ('"nobody" = "o3"\n', "no column of"),
        ('"监测时间" = "time"\n"点位编码" = "site"\n"臭氧" = "pm25"\n"PM2.5浓度(μg/m3)" = "PM25"\n', "would both be column"),
    ],
)
def test_a_wrong_map_changes_nothing(house: House, text: str, words: str) -> None:
    """Exit code 2, the place and the words; the journal stays empty."""
    code, out, err = house.run("--map", house.file(text, "map.toml"), house.file(FOREIGN))

    assert (2, "") == (code, out)
    assert words.rpartition(": ")[2] in err
    assert words.partition(": ")[0] in err
    assert not (house.folder / "var" / "journal").exists()


def test_a_missing_map_is_wrong_input(house: House) -> None:
    """A mistyped name is told before any file is read."""
    code, _, err = house.run("--map", "nowhere.toml", house.file(FOREIGN))

    assert 2 == code
    assert "no such file" in err

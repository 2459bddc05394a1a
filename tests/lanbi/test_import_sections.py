"""The national section page and its table: every section, original values, times without a year, the last download counts."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from domain.civil import iso, parse_time
from domain.errors import FileError
from lanbi import wiring
from lanbi.formats.rows import Fault, Row
from lanbi.formats.sections import downloaded, observed
from lanbi.formats.sources import open_source
from lanbi.formats.survey import survey
from lanbi.settings import load
from tests.lanbi.import_house import House, build

HEAD = "snap,province,basin,city,river,station,obs,wclass,temp,ph,do,cond,turb,codmn,nh3n,tp,tn,chla,algae,status,tp_raw\n"
FIRST = "20251118T174116,某省,海河流域,某市,清河,大桥,11-18 16:00,Ⅱ,11.7,8,10.6,451.6,3.9,1.8,0.02,0.061,2.54,*,*,正常,0.0612\n"
LATER = FIRST.replace("20251118T174116", "20251118T193233").replace("0.061,2.54", "0.212,2.60").replace("0.0612", "0.2119")
SECTION = '[[water_section]]\nid = "w1"\nname = "大桥"\nbody = "river"\ncontrol = "local"\nmatch = "某省|某市|清河|大桥"\n'
PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><ul class="menu"><li>x</li></ul>
<ul id="gridDatas" style="x"><li class="news-item"><table><tbody><tr><td><span>某省</span></td><td>海河流域</td>
<td class="MN"><span title="" data-original-title="所在地市:某市
所属河流:清河">大桥</span></td><td class="dt">11-18 16:00</td><td><span class="sp_wt">Ⅱ</span></td>
{cells}<td class="parm1">{status}</td></tr></tbody></table></li></ul></body></html>"""


def page(status: str = "正常", **raw: str) -> str:
    """A page of one section; an item without a value shows ``--``."""
    known = {"temp": "5.91", "ph": "8.6", "do": "12.13", "cond": "885.6", "turb": "9.8", "codmn": "3", "nh3n": "0.025", "tp": "0.019", "tn": "3.888"} | raw
    cells = [f'<td class="parm"><span data-original-title="原始值：{text}">0.0</span></td>' if text else '<td class="parm">--</td>' for text in known.values()]
    return PAGE.format(cells="".join([*cells, "<td>*</td>", "<td>*</td>"]), status=status)


def rows(path: Path, text: str) -> list[Row]:
    """Rows of a file, all of which must be readings."""
    path.write_text(text, encoding="utf-8")
    found = list(open_source(str(path)).rows())
    assert [] == [row for row in found if not isinstance(row, Row)]
    return found  # type: ignore[return-value]  just asserted


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house that knows one section."""
    found = build(tmp_path, monkeypatch, capsys)
    county = tmp_path / "county.toml"
    county.write_text(county.read_text(encoding="utf-8") + SECTION, encoding="utf-8")
    return found


def stored(house: House) -> dict[str, float | None]:
    """What stands for the record of 16:00."""
    store = wiring.store(load(None, house.env))
    try:
        at = parse_time("2025-11-18T16:00:00+08:00")
        (row,) = store.rows("water", ["w1"], at - 1, at)
        return dict(row.values)
    finally:
        store.close()


def test_the_page_gives_place_time_and_original_values(tmp_path: Path) -> None:
    """Province, city, river and station name the section; values are the originals behind the displayed ones; the name's stamp gives the year."""
    (row,) = rows(tmp_path / "sections_20251118T193233.html", page())

    assert (("某省|某市|清河|大桥",), "大桥", "water_section", 0) == (row.names, row.title, row.kind, row.span)
    assert "2025-11-18T16:00:00+08:00" == iso(row.time)
    assert {"codmn": 3.0, "nh3n": 0.025, "tp": 0.019, "tn": 3.888} == {item: row.values[item] for item in ("codmn", "nh3n", "tp", "tn")}
    assert "chla" not in row.values


def test_a_value_that_is_missing_is_said_to_be_missing(tmp_path: Path) -> None:
    """A core item without a value has none at this time, under maintenance with that flag; the notice counts the marks."""
    path = tmp_path / "sections_20251118T193233.html"
    (row,) = rows(path, page("维护", tp=""))

    assert (None, {"tp": "M"}) == (row.values["tp"], row.flags)
    assert any("-- 1" in words and "维护 1" in words for words in survey([str(path)]).notices)


def test_a_section_without_any_value_is_an_empty_row(tmp_path: Path) -> None:
    """No record at all is no reading and no fault, whatever its time says."""
    nothing = dict.fromkeys(("temp", "ph", "do", "cond", "turb", "codmn", "nh3n", "tp", "tn"), "")
    (row,) = rows(tmp_path / "sections_20251118T193233.html", page("不具备运行条件", **nothing).replace("11-18 16:00", "&nbsp;"))

    assert {} == row.values


def test_without_a_stamp_the_time_of_the_last_change_counts_and_is_told(tmp_path: Path) -> None:
    """A page saved under another name has the year of its file's last change, with a notice."""
    path = tmp_path / "saved.html"
    path.write_text(page(), encoding="utf-8")
    when = parse_time("2024-12-01T08:00:00+08:00")
    os.utime(path, (when, when))
    found = open_source(str(path))
    (row,) = list(found.rows())

    assert isinstance(row, Row)
    assert "2024-11-18T16:00:00+08:00" == iso(row.time)
    assert any("2024-12-01 08:00:00" in words for words in found.notices)


def test_a_page_of_another_build_is_refused(tmp_path: Path) -> None:
    """A section with another number of cells, or a page without sections, is refused with the reason: nothing is guessed."""
    path = tmp_path / "a_20251118T193233.html"
    for text, words in ((page().replace("<td>海河流域</td>", ""), "16 cells"), ("<html><ul id='gridDatas'></ul></html>", "no section")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FileError, match=words):
            open_source(str(path))


@pytest.mark.parametrize(
    ("obs", "snap", "wanted"),
    [
        ("12-31 20:00", "20260101T003000", "2025-12-31T20:00"),
        ("01-01 00:00", "20260101T003000", "2026-01-01T00:00"),
        ("11-18 20:00", "20251118T193233", "2024-11-18T20:00"),
        ("11-18 19:36", "20251118T193233", "2025-11-18T19:36"),
        ("02-29 08:00", "20250301T000000", "2024-02-29T08:00"),
        ("2025-11-06 20:00", "20251106T235129", "2025-11-06T20:00"),
    ],
)
def test_a_time_without_a_year_never_lies_in_the_future(obs: str, snap: str, wanted: str) -> None:
    """The latest time that is not after the download counts (a clock may be five minutes behind)."""
    assert wanted == iso(observed(obs, downloaded(snap)))[:16]


@pytest.mark.parametrize(("column", "text"), [("obs", "11-18"), ("obs", "13-40 16:00"), ("snap", "yesterday"), ("tp", "0,2"), ("station", "")])
def test_what_cannot_be_read_is_a_fault_with_its_column(tmp_path: Path, column: str, text: str) -> None:
    """Line and column of the bad cell are named."""
    cells = dict(zip(HEAD.strip().split(","), FIRST.strip().split(","), strict=True)) | {column: text} | ({"tp_raw": ""} if column == "tp" else {})
    path = tmp_path / "a.csv"
    path.write_text(HEAD + ",".join(f'"{cell}"' for cell in cells.values()) + "\n", encoding="utf-8")
    (fault,) = list(open_source(str(path)).rows())

    assert isinstance(fault, Fault)
    assert (2, column) == (fault.line, fault.column)


def test_the_last_download_counts_in_any_order(house: House) -> None:
    """Two downloads of one record: the later one stands whichever comes first, and the same again stores nothing."""
    first, later = house.file(HEAD + FIRST, "first.csv"), house.file(HEAD + LATER, "later.csv")

    assert [1, 1, 0, 0, 0, 0] == house.terms(later)
    assert [1, 1, 0, 0, 0, 0] == house.terms(first)
    assert (0.2119, 2.6) == (stored(house)["tp"], stored(house)["tn"])
    for again in itertools.chain((first, later), (later, first)):
        assert [1, 0, 1, 0, 0, 0] == house.terms(again)
    assert (0.2119, 2.6) == (stored(house)["tp"], stored(house)["tn"])


def test_a_later_download_takes_a_value_back(house: House) -> None:
    """What the later page shows as missing is withdrawn, so that no class of the earlier value stays."""
    house.terms(house.file(HEAD + FIRST, "first.csv"))
    code, _, err = house.run(house.file(HEAD + LATER.replace("0.212", "--"), "later.csv"))

    assert (0, True) == (code, "-- 1" in err)
    assert stored(house).get("tp") is None
    assert 2.6 == stored(house)["tn"]


def test_a_column_that_is_not_there_takes_nothing_back(house: House) -> None:
    """A later table without total nitrogen, named as such a table, is refused whole; the value that is stored stands."""
    house.account(house.file(HEAD + FIRST, "first.csv"))
    without = "".join(",".join(cell for place, cell in enumerate(line.split(",")) if place != 16) for line in (HEAD + LATER).splitlines(keepends=True))
    code, _, err = house.run("--format", "cnemc-water-csv", house.file(without, "later.csv"))

    assert (2, True) == (code, "no column tn" in err and "later.csv, line 1" in err)
    assert 2.54 == stored(house)["tn"]

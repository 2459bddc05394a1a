"""Reports: the API's numbers on a page, the same bytes for the same state, in every form."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

from api.app import create_app
from api.shaping import printed
from api.sources import Sources
from domain import marks
from domain.codes import BASES, METER_EVENTS, PERIODS, both
from domain.indicators import Event, Indicator
from domain.readings import Entry
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.reports.drawing import svg
from lanbi.reports.kinds import KINDS
from lanbi.reports.page import Chart, Column, Page, Series, Table, Words
from lanbi.reports.writing import FORMATS
from tests.api.seeded import NOW, NS, PLANS, County, Hand
from tests.api.served import Client, served

ASKED = {
    "day": ("2025-10-14", ""),
    "week": ("2025-10-14", ""),
    "month": ("2025-09", ""),
    "year": ("2025", ""),
    "plan": ("2025", ""),
    "station": ("2025-10", "sc-a01"),
    "section": ("2025-10", "sc-w01"),
    "enterprise": ("2025-10", "e-001"),
}
MADE = 1_760_000_000
LOST = (1_759_161_600, 1_759_248_000, 1_761_840_000, 1_761_926_400)
"""00:00 +08:00 of 2025-09-30, 2025-10-01, 2025-10-31 and 2025-11-01."""


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    """A seeded county with a computed month, an order, and a name that looks like a formula."""
    found = County(Path(tmp_path_factory.mktemp("reports")))
    found.sources()
    store = EmbeddedStore(found.data / "store.db")
    month = 1_759_161_600  # 00:00 +08:00 of 2025-09-30
    store.put([
        Indicator("pm25_mean", "month", "sc", "HJ633-2012", month, 38.45, valid=30.0, expected=30.0, computed=float(MADE), version=2.0),
        Indicator("pm25_mean_yoy", "month", "sc", "HJ633-2012", month, -3.25, target=41.7, computed=float(MADE)),
        Indicator("meter_use", "month", "m-0001", "none", 1_761_840_000, 12.5, computed=float(MADE)),
    ])  # fmt: skip
    store.put([
        Indicator("water_quality", "month", "sc", "GB3838-2002", month, 1.0, status="excellent", computed=float(MADE)),
        *(Indicator("lost_hours", "day", "sc-a01", "none", day, 2.0, status="incomplete", computed=float(MADE)) for day in LOST),
        *(Indicator("warning", "hour", "sc", "plan", day, 1.0, computed=float(MADE)) for day in LOST),
    ])  # fmt: skip
    clue = {"state": "open", "rule": "E1", "from": "2025-10-14T08:00:00+08:00", "to": "2025-10-14T08:45:00+08:00", "minutes": 45, "curves": {"step": 900}}
    order = {"level": "red", "zh": "红色", "from": clue["from"], "to": "2025-10-15T08:00:00+08:00", "document": "预警3号", "receipt": None, "hours": {}}
    texts = {"rollover": "9 → 1", "treatment-off": json.dumps(clue), "order": json.dumps(order), "idling": '{"withdrawn": true}', "gap": "已撤销 withdrawn: x"}
    store.events([Event(kind, "m-0001", 1_760_400_000, float("withdrawn" not in text), text) for kind, text in texts.items()])
    store.enter([Entry("orders", "person/9", NOW * NS, "王工", {"level": "red", "from": "2025-10-13 08:00", "to": "2025-10-14 20:00", "document": "=1+1"})])
    store.close()
    return found


@pytest.fixture(scope="module")
def client(county: County) -> Iterator[Client]:
    """The API over the same store."""
    with served(create_app(county.sources())) as found:
        yield found


def page(sources: Sources, kind: str) -> Page:
    """A report."""
    period, about = ASKED[kind]
    return KINDS[kind](sources, marks.period(period), about)


def whole(made: Page, form: str) -> bytes:
    """Its bytes."""
    return b"".join(FORMATS[form](made))


def table(made: Page, title: str) -> Table:
    """A table by the beginning of its title."""
    return next(part for part in made.parts if isinstance(part, Table) and part.title.startswith(title))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ASKED)
def test_the_same_state_makes_the_same_bytes(county: County, kind: str, form: str) -> None:
    """Written twice from the same store a report is the same to the byte; that of a month that is over also on a later day."""
    first = whole(page(county.sources(), kind), form)
    clock = Hand(NOW + 86_400 * (kind == "month"))
    later = whole(page(replace(county.sources(), clock=clock), kind), form)

    assert first == later
    assert len(first) > 300


def test_days_are_the_apis(county: County, client: Client) -> None:
    """Every day's values, AQI and class stand in the month as the API tells them."""
    told = list(csv.DictReader(io.StringIO(client.get("/api/v1/air/stations/sc/days?from=2025-09-01&to=2025-09-30", Accept="text/csv").text)))
    rows = table(page(county.sources(), "month"), "逐日").rows

    assert [(row["date"], float(row["pm25"]), float(row["aqi"])) for row in told] == [(row[0], row[1], row[7]) for row in rows]
    assert 30 == len(rows)


def test_figures_are_the_apis(county: County, client: Client) -> None:
    """A month's figure with its rule set, its counts, last year's, and that it was restated; rounded half to even."""
    told = client.get("/api/v1/indicators?period=month&figure=pm25_mean&from=2025-09-01&to=2025-09-30").json()["items"][0]
    row = table(page(county.sources(), "month"), "全区指标").rows[0]

    assert (printed(told["value"], 1), told["rule_set"], both(BASES[told["basis"]])) == (row[1], row[6], row[7])
    assert ("38.4", "30/30", "41.7（-3.2）") == (row[1], row[3], row[4])
    assert "已确认 confirmed, 第 2 版" == row[8]


def test_targets_are_the_apis(county: County, client: Client) -> None:
    """The plan's sheet has every target of the plan with the API's value, state and clause."""
    told = client.get("/api/v1/targets?year=2025").json()["items"]
    rows = table(page(county.sources(), "plan"), "目标").rows

    assert [(one["clause"], one["name_zh"]) for one in told] == [(row[0], row[1]) for row in rows]
    measured = [(one["value_text"], row[6]) for one, row in zip(told, rows, strict=True) if one["value_source"] == "measured"]
    assert measured
    assert [] == [pair for pair in measured if not str(pair[1]).startswith(f"{pair[0]} ")]
    assert any("填报" in str(row[7]) and "通报" in str(row[8]) for row in rows)


def test_a_restated_figure_is_listed_with_its_cause(county: County) -> None:
    """What was changed since stands on the page of the period, with old, new, why and whether it had been announced."""
    rows = table(page(county.sources(), "month"), "更正记录").rows

    assert [("42", "45"), ("97", "103")] == [(row[4], row[5]) for row in rows]
    assert ["迟到数据 late: 区政府 sc-a01 pm25 2025-09-25T10:00"] * 2 == [row[7] for row in rows]


def test_a_meters_unit_is_its_own(county: County) -> None:
    """What a meter counted stands in its registered unit."""
    assert ["计量表用量", "12.500", "kWh"] == list(table(page(county.sources(), "enterprise"), "计量表 meter m-0001").rows[0][:3])


def test_a_period_ends_where_it_ends(county: County) -> None:
    """October's lost hours are those of its first to its last day; hours of an episode those after its first midnight, up to its last."""
    asked = marks.period("2025-10")._replace(kind="episode")
    episode = KINDS["episode"](county.sources(), asked, "")

    assert ["2025-10-01", "2025-10-31"] == [row[0] for row in table(page(county.sources(), "station"), "缺失小时").rows]
    assert ["2025-10-31T00:00:00+08:00", "2025-11-01T00:00:00+08:00"] == [row[0] for row in table(episode, "达到的预警条件").rows]


def test_units_are_printed_as_people_write_them(county: County) -> None:
    """The plan is typed in ASCII; its sheet is not."""
    goals = [str(row[4]) for row in table(page(county.sources(), "plan"), "目标").rows]

    assert "优良天数 [天 day]" in [column.name for column in table(page(county.sources(), "month"), "各站点").columns]
    assert {"万亩", "亿元"} <= {goal.rpartition(" ")[2] for goal in goals}
    assert [] == [goal for goal in goals if re.search(r"\^|[a-z]{5,}", goal)]


def test_codes_are_told_in_words(county: County) -> None:
    """A reader meets words, not the codes that programs read: kind of target, basis, state of waters, state of a ledger, what happened to a meter."""
    sheets = {kind: page(county.sources(), kind) for kind in ("month", "plan", "station", "enterprise")}
    waters = next(row for row in table(sheets["month"], "全区指标").rows if row[0] == "水质状况")
    events = [row[2] for row in table(sheets["enterprise"], "事件").rows]
    codes = {*BASES, *PERIODS, *METER_EVENTS, "none", "annual", "year-end", "excellent", "incomplete"}

    assert ("GB3838-2002", "实况 as measured") == tuple(waters[6:8])
    assert str(waters[8]).endswith("，优 excellent")
    assert {"部分项目无效 an item is not valid"} == {row[2] for row in table(sheets["station"], "缺失小时").rows}
    assert {"满量程翻转 roll-over", "E1 生产在用而治污停运 E1 treatment stood while production ran", "管控指令 order"} <= set(events)
    assert {"年度 yearly", "年末 at year's end"} <= {row[2] for row in table(sheets["plan"], "目标").rows}
    assert set() == codes & {cell for made in sheets.values() for part in made.parts if isinstance(part, Table) for row in part.rows for cell in row}


def test_what_happened_is_told_without_braces(county: County) -> None:
    """An event's text is JSON for programs; a reader meets when, how long, in which state, and what was taken back. The medium has its word."""
    made = page(county.sources(), "enterprise")
    told = {str(row[2]).partition(" ")[0]: row[3] for row in table(made, "事件").rows}

    assert "2025-10-14 08:00 – 2025-10-14 08:45，45 分钟 min，待核实 open" == told["E1"]
    assert "红色，预警3号，2025-10-14 08:00 – 2025-10-15 08:00，未回执 not confirmed" == told["管控指令"]
    assert ("9 → 1", "已撤销 withdrawn", "已撤销 withdrawn: x") == (told["满量程翻转"], told["E3"], told["缺口"])
    assert "计量表 meter m-0001（电力 electricity，kWh）" == table(made, "计量表 meter m-0001").title
    assert "计量表 meter m-0025（新水 fresh water，m³）" == table(made, "计量表 meter m-0025").title


def test_an_alarm_that_was_taken_back_is_none_of_the_day(county: County) -> None:
    """The day's report counts the alarms that stand, as `lanbi alarms` and the tasks do."""
    lines = next(part for part in page(county.sources(), "day").parts if isinstance(part, Words) and part.title.startswith("数据")).lines

    assert "告警合计 alarms: 1" in lines
    assert not [line for line in lines if "E3" in line]


def test_an_episode_shows_orders_and_hours(county: County) -> None:
    """Orders of those days, and the hours of the assessed stations each at its time."""
    made = KINDS["episode"](county.sources(), marks.period("2025-10-14")._replace(kind="episode"), "")
    hours = next(part for part in made.parts if isinstance(part, Chart) and "hourly" in part.title)

    assert [["红色", "2025-10-13 08:00", "2025-10-14 20:00", "=1+1"]] == [list(row) for row in table(made, "指令").rows]
    assert {24} == {len(one.values) for one in hours.series}


def test_a_workbook_holds_numbers_and_no_formula(county: County) -> None:
    """Numbers are numbers shown to their digits; text that looks like a formula is text."""
    made = KINDS["episode"](county.sources(), marks.period("2025-10-14")._replace(kind="episode"), "")
    content = whole(made, "xlsx")
    book = load_workbook(io.BytesIO(content))
    days = next(sheet for sheet in book if "逐日 days" in sheet.title and "AQI" not in sheet.title)
    cells = [cell for sheet in book for row in sheet for cell in row]

    assert isinstance(days.cell(2, 2).value, int | float)
    assert any(cell.value == "=1+1" and cell.data_type == "s" for cell in cells)
    assert [] == [
        name for name in zipfile.ZipFile(io.BytesIO(content)).namelist() if b"<f>" in zipfile.ZipFile(io.BytesIO(content)).read(name) and "worksheets" in name
    ]


def test_a_page_is_one_harmless_file() -> None:
    """Text stays text, nothing is fetched, no script stands in it."""
    evil = '<script>alert(1)</script>"&'
    made = Page(
        evil,
        [evil],
        0,
        [Words(evil, [evil]), Table(evil, (Column(evil),), [[evil]]), Chart(evil, evil, [evil], [Series(evil, [1.0]), Series(evil, [2.0])], [(evil, 1.0)])],
    )
    content = whole(made, "html").decode()

    assert "<script" not in content
    assert 8 < content.count("&lt;script&gt;")
    assert [] == re.findall(r"(?:src|href)=", content)


@pytest.mark.parametrize(
    ("values", "shapes"),
    [([1.0, 2.0, None, 3.0, None], (1, 1)), ([None, None], (0, 0)), ([5.0], (0, 1)), ([0.0, 0.0], (1, 0)), ([-3.0, 7.5], (1, 0))],
)
def test_gaps_stay_gaps(values: list[float | None], shapes: tuple[int, int]) -> None:
    """A line breaks where a value is missing, and a value between gaps is a dot; nothing at all says so."""
    drawn = svg(Chart("x", "u", [str(number) for number in range(len(values))], [Series("s", values)]))

    assert shapes == (drawn.count("<polyline"), drawn.count("<circle"))
    assert ("无数据" in drawn) == (shapes == (0, 0))
    assert "nan" not in drawn


@pytest.mark.parametrize("label", ["10-01", "10-01 04", "10-01 04:00"])
def test_words_of_a_chart_do_not_touch(label: str) -> None:
    """Labels below stand apart however long they are, and the unit stands above the highest number."""
    drawn = svg(Chart("x", "µg/m³", [label] * 180, [Series("s", [100.0] * 180)]))
    below = [float(x) for x in re.findall(r'<text class="m" x="([\d.]+)"', drawn)]
    unit, highest = re.search(r'<text x="4" y="([\d.]+)">µg/m³', drawn), re.search(r'<text class="r" x="[\d.]+" y="([\d.]+)">100<', drawn)

    assert 6 * len(label) < min(after - before for before, after in pairwise(below))
    assert unit
    assert highest
    assert 11 < float(highest[1]) - float(unit[1])


def run(county: County, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """`lanbi report` over the county's data folder."""
    file = county.data / "report.toml"
    file.write_text(f'data = "{county.data}"\ncounty = "{PLANS / "sample-county.toml"}"\ntargets = ["{PLANS / "chiping.toml"}"]\n', encoding="utf-8")
    capsys.readouterr()
    code = main(["report", *words, "--config", str(file)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_prints_and_writes(county: County, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Text to standard output, the form by the file's ending; a workbook wants a file."""
    code, out, _ = run(county, capsys, "day", "2025-10-14")
    made = [run(county, capsys, "month", "2025-09", "-o", str(tmp_path / name))[0] for name in ("a.html", "a.xlsx", "a.txt")]

    assert (0, [0, 0, 0]) == (code, made)
    assert "日报 day report\n示例区 sc · 2025-10-14" in out
    assert "细颗粒物(PM2.5)年均浓度：42.1 µg/m³（目标 ≤ 42），有风险，余下须 41.6（截至 2025-10-14）" in out
    assert [b"<!doctyp", b"PK\x03\x04", "空气".encode()] == [
        (tmp_path / name).read_bytes()[:size] for name, size in (("a.html", 8), ("a.xlsx", 4), ("a.txt", 6))
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("day", "2025-10"),
        ("month", "2025-10-03"),
        ("month", "soon"),
        ("month", "2999-01"),
        ("station", "nobody", "2025-09"),
        ("station", "m-0001", "2025-09"),
        ("section", "sc-a01", "2025-09"),
        ("enterprise", "sc", "2025-09"),
        ("episode", "--from", "2025-01-01", "--to", "2025-12-31"),
        ("episode", "--from", "2025-01-05", "--to", "2025-01-01"),
        ("month", "2025-09", "--format", "xlsx"),
    ],
)
def test_wrong_wishes_are_told(county: County, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """Exit code 2 and a sentence that says what to write."""
    code, out, err = run(county, capsys, *words)

    assert (2, "") == (code, out)
    assert "处理 do:" in err


@pytest.mark.parametrize("name", [".", "/", ".."])
def test_a_folder_is_no_file(county: County, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A folder, also one without a name of its own: exit code 1 as for every place that cannot be written, no traceback."""
    code, out, err = run(county, capsys, "plan", "2025", "-o", name)

    assert (1, "") == (code, out)
    assert "it is a folder" in err

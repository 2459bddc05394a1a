"""County, words and targets."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api import today
from api.attainments import figure_of, one_target
from api.shaping import printed
from domain.air import LEVELS
from domain.civil import day_number, period_stamp
from domain.codes import BASES
from domain.indicators import Indicator
from domain.readings import Entry
from tests.api.seeded import NS, RULES, TODAY, County
from tests.api.served import Client


def test_county_says_whose_and_how_fresh(client: Client) -> None:
    """Name, simulated clock, newest reading, rules in force and registry version."""
    found = client.get("/api/v1/county").json()

    assert ("示例区", True, 60.0, "2025-10-15T10:00:00+08:00", 2025, "HJ633-2012") == tuple(
        found[key] for key in ("name", "simulated", "speed", "data_until", "year", "rule_set")
    )
    assert found["registry_version"]


def test_every_row_of_the_plan_is_there(client: Client, county: County) -> None:
    """The list holds each target of each plan once, in the plan's order."""
    plan = county.sources().plans[0]

    assert [target.id for target in plan.targets] == [row["id"] for row in client.get("/api/v1/targets").json()["items"]]


def test_measured_target_has_its_judgement(client: Client) -> None:
    """Value, status, margin and required rest come from the stored judgement, printed half to even, with their rule set."""
    row = client.get("/api/v1/targets/air.pm25.annual_mean").json()

    assert (42.0, "42", 42.1, "42.1", "at-risk", "-0.1", 41.6, "41.6", True) == tuple(
        row[key] for key in ("target", "target_text", "value", "value_text", "status", "margin_text", "required_rest", "required_rest_text", "rounding")
    )
    assert ("pm25_mean", RULES[0], "ytd", "raw", "measured", "2025-10-14T00:00:00+08:00") == tuple(
        row[key] for key in ("figure", "rule_set", "period", "basis", "value_source", "time")
    )
    assert ("<=", "ug/m3", "规划第 51 条", ["区生态环境分局"]) == tuple(row[key] for key in ("op", "unit", "clause", "departments"))


def test_budget_may_be_spent(client: Client) -> None:
    """More heavy days than allowed is a negative remaining budget."""
    row = client.get("/api/v1/targets/air.aqi.heavy_days").json()

    assert ("missed", -1.0, "6", "5") == (row["status"], row["remaining_budget"], row["value_text"], row["target_text"])


def test_reported_target_is_shown_as_reported(client: Client) -> None:
    """What an authority reported is the value, called reported, with document and person; nothing is judged from it."""
    row = client.get("/api/v1/targets/water.national.good_ratio").json()

    assert (100.0, "100.0", "reported", "undecidable") == tuple(row[key] for key in ("value", "value_text", "value_source", "status"))
    assert [{"period": "2025", "value": 100.0, "document": "市局通报〔2025〕9号", "person": "李工", "received": "2025-10-15T10:19:59+08:00"}] == row["reported"]


def test_broken_report_is_no_value(tmp_path: Path) -> None:
    """A reported value that is no number stays readable as a report and gives no value."""
    sources = County(tmp_path).sources()
    sources.entries.enter([Entry("reported", "person/2", NS, "x", {"target": "carbon.total", "period": "2025", "value": "NaN"})])
    row = one_target(sources, "carbon.total", None, None)

    assert row is not None
    assert (None, "", None) == (row.value, row.value_text, row.value_source)
    assert [None] == [one.value for one in row.reported]


def told(name: str, period: str, day: int, value: float, status: str) -> Indicator:
    """A row that was judged on reports."""
    return Indicator(name, period, "sc", "none", period_stamp(day), value, "official", target=300.0, margin=300.0 - value, status=status)


def test_a_reported_target_of_the_running_year_is_found(tmp_path: Path) -> None:
    """Its newest row, official alone, gives value, state and margin, called reported; what would lie ahead of now is not looked for."""
    sources = County(tmp_path).sources()
    for day, value, status in ((date(2025, 3, 31), 60.0, "on-course"), (date(2025, 9, 30), 280.0, "at-risk"), (date(2025, 12, 31), 999.0, "missed")):
        sources.figures.put([told("energy.total", "ytd", day_number(day), value, status)])  # type: ignore[attr-defined]
    row = one_target(sources, "energy.total", None, None)

    assert row is not None
    assert (280.0, "reported", "at-risk", 20.0, "ytd", "official", "2025-09-30T00:00:00+08:00") == (
        row.value, row.value_source, row.status, row.margin, row.period, row.basis, row.time,
    )  # fmt: skip


def test_a_closed_years_own_report_goes_first(tmp_path: Path) -> None:
    """The year's row decides although the last running one stands beside it; another year has its own."""
    sources, last = County(tmp_path).sources(), day_number(date(2024, 12, 31))
    rows = [told("energy.total", "year", last, 310.0, "missed"), told("energy.total", "ytd", last, 290.0, "on-course")]
    sources.figures.put(rows)  # type: ignore[attr-defined]
    found = [one_target(sources, "energy.total", year, None) for year in (2024, 2025)]

    assert [(310.0, "missed"), (None, "no-target")] == [(row.value, row.status) for row in found if row]


def test_unset_value_has_no_target(client: Client) -> None:
    """A row for which no value was ever set says no-target and invents none."""
    rows = [row for row in client.get("/api/v1/targets").json()["items"] if row["last"] is None]

    assert rows
    assert {("no-target", None, "")} == {(row["status"], row["target"], row["target_text"]) for row in rows if row["value"] is None}


def test_later_year_names_the_last_target(client: Client) -> None:
    """A plan that has ended sets nothing for a later year; the last value is named with its year."""
    row = client.get("/api/v1/targets/air.pm25.annual_mean?year=2027").json()

    assert (2027, None, True, "no-target", {"year": 2025, "value": 42.0}) == (
        row["year"], row["target"], row["horizon_passed"], row["status"], {key: row["last"][key] for key in ("year", "value")},
    )  # fmt: skip
    assert "no target for 2027; last: 42 (2025)" == row["note_en"]


def test_legend_is_the_law(client: Client) -> None:
    """Classes and colours come from the domain's tables, so that no screen types them."""
    legend = client.get("/api/v1/legend").json()

    assert [(level.zh, level.colour) for level in LEVELS] == [(row["zh"], row["colour"]) for row in legend["levels"]]
    assert {"zh": "优良天数", "en": "good days", "unit": "day", "digits": 0} == legend["figures"]["good_days"]
    assert {"met", "on-course", "at-risk", "missed", "undecidable", "no-target"} == set(legend["statuses"])


def test_the_legend_tells_states_by_figure(client: Client) -> None:
    """A code has the words of its figure, else those that it has beside any figure; bases, reports and deeds have theirs."""
    legend = client.get("/api/v1/legend").json()
    states = legend["states"]

    assert ("达标", "已完成", "优") == (states["standard"]["met"]["zh"], states[""]["met"]["zh"], states["water_quality"]["excellent"]["zh"])
    assert set(BASES) == set(legend["bases"])
    assert {"month", "plan", "station"} <= set(legend["reports"])
    assert {"report", "login", "confirmation"} <= set(legend["deeds"])


def test_the_legend_tells_every_unit_that_is_typed_in_ascii(client: Client) -> None:
    """A screen writes a target's unit as the reports do; one that the legend does not have is written everywhere as it stands."""
    legend = client.get("/api/v1/legend").json()
    asked = {row["unit"] for row in client.get("/api/v1/targets").json()["items"]}

    assert {"zh": "万亩", "en": "10⁴ mu"} == legend["units"]["10^4 mu"]
    assert {"% vs 2020", "water body", "tCO2/10^4 CNY"} <= asked
    assert {"%", "", "MW", "m"} == asked - set(legend["units"])


def test_figures_are_printed_half_to_even() -> None:
    """42.45 prints as 42.4, as the law rounds, and not as its binary float would."""
    assert ["42.4", "42.6", "0.0", "", "", "1000000"] == [
        printed(42.45, 1),
        printed(42.55, 1),
        printed(-0.04, 1),
        printed(None, 1),
        printed(float("nan"), 1),
        printed(1e6, 0),
    ]


def test_chart_figure_of_a_target() -> None:
    """The id of an air target names the stored figure it is about."""
    names = ("air.pm25.annual_mean", "air.aqi.good_day_ratio", "air.aqi.heavy_days", "air.kilns", "water.use.total")

    assert ["pm25_mean", "good_ratio", "heavy_days", None, None] == [figure_of(name) for name in names]


def test_today_lists_what_presses_first(client: Client) -> None:
    """Silent assessed stations and targets at risk stand first; refusals and restatements follow, each with its count."""
    every = client.get("/api/v1/today").json()["items"]
    # What alerts and tasks wait depends on what other tests of this county have entered; they have tests of their own.
    tasks = [task for task in every if task["kind"] not in {"alert", "task"}]

    assert every == sorted(every, key=lambda task: ["act", "watch", "know"].index(task["urgency"]))
    assert ["act", "act", "watch", "watch", "watch", "watch", "watch", "watch", "know"] == [task["urgency"] for task in tasks]
    assert "1 个空气站没有数据：实验中学" == tasks[0]["zh"]
    assert "目标有风险：细颗粒物(PM2.5)年均浓度，现值 42.1，目标 ≤ 42" == tasks[1]["zh"]
    assert "30 readings refused in 24 h, mostly: the place or meter is not in the registry" == tasks[-3]["en"]
    assert ("restatement", 27) == (tasks[-1]["kind"], tasks[-1]["count"])


@pytest.mark.parametrize(("kind", "tasks"), [("year-end", ["目标有风险：甲"]), ("aspiration", [])])
def test_what_is_striven_for_calls_nobody(monkeypatch: pytest.MonkeyPatch, kind: str, tasks: list[str]) -> None:
    """A target at risk is a task of today; an aspiration at risk is shown among the targets and is none."""
    target = SimpleNamespace(status="at-risk", kind=kind, name_zh="甲", name_en="a", value_text=None, target_text=None)
    monkeypatch.setattr(today, "all_targets", lambda *_: [target])

    assert tasks == [task.zh for task in today._targets(cast(Any, None))]


def test_one_more_bad_day_and_the_rate(client: Client) -> None:
    """How fast the allowed is used up, and what one more bad day would do, come with the target."""
    row = client.get("/api/v1/targets/air.pm25.annual_mean").json()

    assert 1.002 == row["burn_rate"]
    assert {"value": 42.5, "value_text": "42.5", "margin": -0.477, "remaining_budget": None, "required_rest": 40.1, "status": "at-risk"} == row["one_more"]
    assert client.get("/api/v1/targets/air.aqi.heavy_days").json()["one_more"] is None


def test_the_other_rule_set_stands_beside(client: Client) -> None:
    """A plan of 2023-2025 is judged by the 2012 set; what the 2026 set would say is beside it and does not decide."""
    row = client.get("/api/v1/targets/air.aqi.good_day_ratio").json()

    assert ("HJ633-2012", "on-course", "68.2") == (row["rule_set"], row["status"], row["value_text"])
    assert [("HJ633-2026", "raw", "61.4", "at-risk", "-3.9", 12.0)] == [
        tuple(other[key] for key in ("rule_set", "basis", "value_text", "status", "margin_text", "remaining_budget")) for other in row["beside"]
    ]


def test_an_official_year_decides(tmp_path: Path) -> None:
    """Where the authority published the year, its judgement is the target's, and ours stands beside it."""
    sources = County(tmp_path).sources()
    stamp = period_stamp(day_number(date(2024, 12, 31)))
    ours = Indicator("air.pm25.annual_mean", "year", "sc", RULES[0], stamp, 42.3, target=42.0, margin=-0.3, status="missed", text="{}")
    sources.figures.put([ours, replace(ours, basis="official", value=41.9, margin=0.1, status="met")])
    found = one_target(sources, "air.pm25.annual_mean", 2024, None)

    assert found is not None
    assert ("official", "met", "41.9") == (found.basis, found.status, found.value_text)
    assert [("raw", "missed", "42.3")] == [(other.basis, other.status, other.value_text) for other in found.beside]


def test_last_year_stands_beside(client: Client) -> None:
    """Last year's figure of the same period, the change with its sign, and whether one of the two is incomplete."""
    mean = client.get("/api/v1/targets/air.pm25.annual_mean").json()["last_year"]
    heavy = client.get("/api/v1/targets/air.aqi.heavy_days").json()["last_year"]

    assert ("45.4", "-3.3", -7.3, "") == tuple(mean[key] for key in ("value_text", "change_text", "percent", "status"))
    assert ("4", "+2", "last-incomplete") == tuple(heavy[key] for key in ("value_text", "change_text", "status"))
    assert client.get("/api/v1/targets/air.aqi.good_day_ratio").json()["last_year"] is None


def test_todays_allowance_comes_with_counts_of_days(client: Client) -> None:
    """A heavy day is one above AQI 200, a good day one up to 100: each count has its own cap; a mean has none."""
    heavy, good, mean = (
        client.get(f"/api/v1/targets/{name}").json()["allowances"] for name in ("air.aqi.heavy_days", "air.aqi.good_day_ratio", "air.pm25.annual_mean")
    )

    assert [("pm25", 200, "111.0", "open", 14, 150.0)] == [
        tuple(one[key] for key in ("item", "cap", "value_text", "status", "hours_left", "limit")) for one in heavy
    ]
    assert [("pm25", 100, None, "lost")] == [tuple(one[key] for key in ("item", "cap", "value", "status")) for one in good]
    assert [] == mean


def test_the_official_figure_stands_beside_ours(client: Client) -> None:
    """The newest official figure of the year with ours, the difference, its likely cause and the rank."""
    found = client.get("/api/v1/targets/air.pm25.annual_mean").json()["official"]

    assert {"period": "2025-09", "value": 38.1, "ours": 38.4, "difference": 0.3, "percent": 0.8, "cause": "review", "rank": 5.0, "document": "月报9"} == found
    assert client.get("/api/v1/targets/air.aqi.heavy_days").json()["official"] is None


def test_changes_of_confirmed_values_press_more(client: Client) -> None:
    """A restated figure of a confirmed month must be announced; the others are only to be known."""
    tasks = [task for task in client.get("/api/v1/today").json()["items"] if task["kind"] == "restatement"]

    assert [("watch", 2), ("know", 27)] == [(task["urgency"], task["count"]) for task in tasks]
    assert "近 7 天有 2 个已确认数值被更正，须告知：区政府" == tasks[0]["zh"]


def test_a_water_target_names_the_sections_that_cost_it(tmp_path: Path) -> None:
    """Sections with their names, since when, class and items, and the newest breaches, as analytics judged them."""
    body = {
        "figure": "water_class",
        "sections": [{"id": "sc-w01", "since": "2025-08-01", "value": 5.0, "items": ["tp"]}],
        "breaches": {"count": 7, "newest": [{"id": "sc-w01", "from": "2025-10-01T08:00:00+08:00", "to": None, "item": "tp"}]},
        "note_zh": "拖累断面",
        "note_en": "sections that cost it",
    }
    sources = County(tmp_path).sources()
    row = Indicator("water.section.class_floor", "ytd", "sc", "GB3838-2002", period_stamp(TODAY - 1), 5.0, status="missed", margin=-1.0, text=json.dumps(body))
    sources.figures.put([row])  # type: ignore[attr-defined]  the store behind it is both

    found = one_target(sources, "water.section.class_floor", None, None)

    assert found is not None
    assert ("missed", "Ⅴ", "Ⅳ", "water_class", 7) == (found.status, found.value_text, found.target_text, found.figure, found.breach_count)
    assert [("东清河大桥", "2025-08-01", 5.0, ["tp"])] == [(one.name, one.since, one.value, one.items) for one in found.costs]
    assert [("东清河大桥", "2025-10-01T08:00:00+08:00", None, "tp")] == [(one.name, one.begin, one.end, one.item) for one in found.breaches]


def test_a_target_of_air_costs_no_section(client: Client) -> None:
    """Other targets have neither sections nor breaches."""
    row = client.get("/api/v1/targets/air.pm25.annual_mean").json()

    assert ([], [], None) == (row["costs"], row["breaches"], row["breach_count"])

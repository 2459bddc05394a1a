"""The board in a real browser: both languages, desk and phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import create_app
from api.shaping import printed
from domain.civil import period_stamp
from domain.indicators import Indicator
from lanbi.embedded import EmbeddedStore
from lanbi.registry import load
from lanbi.state import State
from tests.api.seeded import TODAY, County
from tests.api.served import Client, served
from tests.system.chromium_page import Page, program
from tests.system.desk_family import READY as DONE
from tests.system.desk_family import SIZES

pytestmark = [pytest.mark.services, pytest.mark.skipif(program() is None, reason="Chromium is not installed (make services)")]

READY = "document.documentElement?.dataset.ready === 'true' && document.querySelector('#chart')?.dataset.drawn === 'true'"
# Elements whose text is cut or that stick out of their panel or of the window; the unseen captions are meant to be.
CLIPPED = """
(() => {
  const faults = [];
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('.unseen, thead, .skip, #chart, #js-plotly-tester, noscript') || !element.checkVisibility()) continue;
    const box = element.getBoundingClientRect();
    const panel = element.closest('.panel, header, footer')?.getBoundingClientRect();
    const name = `${element.tagName}.${element.className} ${element.textContent.slice(0, 30)}`;
    if (box.left < -0.5 || box.right > innerWidth + 0.5) faults.push(`outside the window: ${name}`);
    if (panel && (box.left < panel.left - 0.5 || box.right > panel.right + 0.5 || box.bottom > panel.bottom + 0.5)) faults.push(`outside its panel: ${name}`);
    if (getComputedStyle(element).overflow !== 'visible' && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)) faults.push(`cut: ${name}`);
  }
  return faults.slice(0, 10);
})()
"""
# Text that lies over other text: leaves of the same panel whose lines share more than a sliver.
OVERLAPS = """
(() => {
  const faults = [];
  for (const panel of document.querySelectorAll('.panel, header')) {
    const leaves = [...panel.querySelectorAll('*')].filter((one) => !one.children.length && one.textContent.trim() && one.checkVisibility() && !one.closest('.unseen, thead, #chart'));
    const boxes = leaves.flatMap((one) => [...one.getClientRects()].map((box) => [one, box]));
    boxes.forEach(([a, x], place) => boxes.slice(place + 1).forEach(([b, y]) => {
      const wide = Math.min(x.right, y.right) - Math.max(x.left, y.left);
      const high = Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top);
      if (a !== b && wide > 2 && high > 4) faults.push(`${a.textContent.slice(0, 20)} | ${b.textContent.slice(0, 20)}`);
    }));
  }
  return faults.slice(0, 10);
})()
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of a county in trouble: silent, late and refused things, a target at risk and one missed."""
    with served(create_app(County(Path(tmp_path_factory.mktemp("county"))).sources())) as found:
        yield found


def show(page: Page, client: Client, language: str, size: str) -> None:
    """Open the board in a language and size."""
    page.size(*SIZES[size])
    page.open(f"http://127.0.0.1:{client.port}/")
    page.wait(READY)
    if page.run("document.documentElement.lang") != language:
        # The chart is drawn last: once it is drawn again, everything is.
        page.run("delete document.getElementById('chart').dataset.drawn; document.getElementById('language').click()")
        page.wait(f"document.documentElement.lang === '{language}' && {READY}")
    page.run("new Promise((done) => setTimeout(done, 300))")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_nothing_is_cut_or_covered(tab: Page, client: Client, language: str, size: str) -> None:
    """No scrolling sideways, nothing outside its panel, no cut text, no text over text; also with all groups open."""
    show(tab, client, language, size)
    for opened in (False, True):
        tab.run(f"document.querySelectorAll('details').forEach((one) => {{ one.open = {str(opened).lower()}; }})")

        assert SIZES[size][0] == tab.run("document.documentElement.scrollWidth")
        assert [] == tab.run(CLIPPED)
        assert [] == tab.run(OVERLAPS)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_wide_substitute_font_fits(tab: Page, client: Client, language: str, size: str) -> None:
    """On a machine without the named fonts letters may be a tenth wider: the same page still fits its panels."""
    show(tab, client, language, size)
    tab.run("document.body.style.letterSpacing = '.04em'")

    assert SIZES[size][0] == tab.run("document.documentElement.scrollWidth")
    assert [] == tab.run(CLIPPED)
    assert [] == tab.run(OVERLAPS)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_colour_is_never_needed_alone(tab: Page, client: Client, language: str) -> None:
    """Each state has a sign and a word, each AQI its class word, each coloured day its sign, each task its urgency."""
    show(tab, client, language, "desk")

    assert 10 < tab.run("document.querySelectorAll('.state').length")
    assert [] == tab.run("[...document.querySelectorAll('.state')].filter((one) => one.textContent.length < 3).map((one) => one.outerHTML)")
    assert [] == tab.run("[...document.querySelectorAll('.chip')].filter((one) => !/[^\\d\\s]/.test(one.textContent)).map((one) => one.outerHTML)")
    assert 287 == tab.run("[...document.querySelectorAll('.calendar .day')].filter((one) => one.style.background && one.textContent.trim()).length")
    assert 0 == tab.run("[...document.querySelectorAll('.calendar .day')].filter((one) => one.style.background && !one.textContent.trim()).length")
    assert 9 == tab.run("[...document.querySelectorAll('.urgency')].filter((one) => one.textContent).length")


def test_ten_seconds(tab: Page, client: Client) -> None:
    """The first window of a desk shows values, targets, states and what to do, without scrolling."""
    show(tab, client, "zh-CN", "desk")
    seen = tab.run(
        "[...document.querySelectorAll('.card, #today')].filter((one) => one.getBoundingClientRect().bottom <= innerHeight).map((one) => one.innerText)"
    )
    text = "\n".join(seen)

    assert 4 == len(seen)
    for words in ("42.1", "目标 ≤ 42", "有风险", "余下日子均值须 ≤ 41.6", "68.2", "进度正常", "未完成", "已超出 1 天", "1 个空气站没有数据：实验中学"):
        assert words in text


def test_targets_without_value_and_reported_ones(tab: Page, client: Client) -> None:
    """A target whose value was never set says 目标值待下达; a reported value is called 填报."""
    show(tab, client, "zh-CN", "desk")
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    lines = tab.run("[...document.querySelectorAll('.line')].map((one) => one.innerText)")

    assert any("目标值待下达" in line for line in lines)
    assert any("100.0 %" in line and "填报" in line for line in lines)


def test_language_is_remembered(tab: Page, client: Client) -> None:
    """The switch changes every word and the next visit finds it as it was left; without a choice it is Chinese."""
    tab.size(*SIZES["desk"])
    tab.open(f"http://127.0.0.1:{client.port}/")
    tab.wait(READY)
    tab.run("localStorage.clear()")
    tab.open(f"http://127.0.0.1:{client.port}/")
    tab.wait(f"{READY} && document.documentElement.lang === 'zh-CN'")
    tab.run("document.getElementById('language').click()")
    tab.open(f"http://127.0.0.1:{client.port}/")
    tab.wait(f"{READY} && document.documentElement.lang === 'en'")

    assert "Targets of the plan" == tab.run("document.getElementById('targets-title').textContent")
    assert "No" not in tab.run("document.querySelector('#tasks').innerText")[:2]


def test_nothing_leaves_this_machine(tab: Page, client: Client) -> None:
    """Every file and answer comes from the board's own server, and text from devices stays text."""
    show(tab, client, "zh-CN", "desk")
    hosts = tab.run("[...new Set(performance.getEntriesByType('resource').map((one) => new URL(one.name).host))]")

    assert [f"127.0.0.1:{client.port}"] == hosts
    assert 0 == tab.run("document.querySelectorAll('main b > b, main script').length")


def test_chart_has_daily_means_course_and_target(tab: Page, client: Client) -> None:
    """The year chart shows daily means, the mean so far, the target and what the rest must keep, and says it in words too."""
    show(tab, client, "zh-CN", "desk")
    names = tab.run("document.getElementById('chart').data.map((one) => [one.name, one.x.length])")

    assert [["日均值", 287], ["今年累计均值", 287], ["目标 ≤ 42", 2], ["余下须达到的均值 41.6", 2]] == names
    assert "截至 10月14日: 今年累计均值 42.1, 目标 ≤ 42" == tab.run("document.getElementById('chart').getAttribute('aria-label')")


def test_lost_connection_is_told(tab: Page, client: Client) -> None:
    """When the server goes away the board says so and keeps what it shows."""
    show(tab, client, "zh-CN", "desk")
    tab.run("window.fetch = () => Promise.reject(new Error('gone'))")
    tab.wait("!document.getElementById('alarm').hidden")

    assert "连接中断，显示的是较早的数据；正在重试。" == tab.run("document.getElementById('alarm').textContent")
    assert "42.1" in tab.run("document.getElementById('cards').innerText")


def test_cards_say_what_today_and_last_year_say(tab: Page, client: Client) -> None:
    """A count of days carries today's allowance and its pace, a figure last year's same period and the official one with its cause."""
    show(tab, client, "zh-CN", "desk")
    text = tab.run("document.getElementById('cards').innerText")

    for words in (
        "去年同期 45.4 µg/m³，-3.3 (-7.3 %)",
        "公布 2025-09：38.1，位次 5，本平台 +0.3 (审核)",
        "今日保 AQI ≤ 100 (余 14 小时)：PM2.5 已超出",
        "今日保 AQI ≤ 200 (余 14 小时)：PM2.5 ≤ 111.0",
        "已超出 1 天，消耗速度 ×1.56",
        "去年同期 4 天，+2 (+50.0 %) · 数据不全",
    ):
        assert words in text


def test_numbers_are_rounded_as_on_paper(tab: Page, client: Client) -> None:
    """Half to even from the shortest decimal text, and no minus before a zero: a figure is the same on the board and in a report."""
    show(tab, client, "zh-CN", "desk")
    values = [0.5, 1.5, 2.5, 36.5, 37.5, -0.04, -2.5, 0.045, 97.25, 42.45, 1234567.125, 1e-7, 0, 99.999, 8]
    cases = [[value, digits] for value in values for digits in range(4)]
    told = tab.run(f"import('/board/format.js').then((one) => {cases}.map(([value, digits]) => one.number(value, digits)))")

    assert [printed(value, int(digits)) for value, digits in cases] == told


def test_a_task_leads_to_what_it_is_about(tab: Page, tmp_path: Path) -> None:
    """A target that presses in a shut group is open when its task was clicked; every task's place is there and visible."""
    sources = County(tmp_path).sources()
    row = Indicator("energy.total", "ytd", "sc", "none", period_stamp(TODAY - 1), 280.0, "official", target=300.0, margin=20.0, status="at-risk")
    sources.figures.put([row])  # type: ignore[attr-defined]
    pressing = "document.querySelector('.line [data-code=at-risk]')"
    with served(create_app(sources)) as client:
        show(tab, client, "zh-CN", "desk")
        shut = tab.run(f"{pressing}.checkVisibility()")
        tab.run("[...document.querySelectorAll('.tasks a')].find((one) => one.hash === '#targets').click()")

        assert (False, True) == (shut, tab.run(f"{pressing}.checkVisibility()"))
        assert tab.run("[...document.querySelectorAll('.tasks a')].every((one) => document.querySelector(one.hash)?.checkVisibility())")


def test_months_stand_on_one_line(tab: Page, client: Client) -> None:
    """On a phone twelve months share the width: two digits and 月 fit, none breaks and hides behind the days."""
    show(tab, client, "zh-CN", "phone")

    assert [] == tab.run("[...document.querySelectorAll('.calendar .month')].filter((one) => one.scrollHeight > one.clientHeight).map((one) => one.innerText)")


def test_an_empty_county_says_so(tab: Page, tmp_path: Path) -> None:
    """Without stations and readings every panel says what is lacking, and none that all is well."""
    file = tmp_path / "county.toml"
    file.write_text('[county]\nid = "cp"\nname = "茌平区"\n', encoding="utf-8")
    EmbeddedStore(tmp_path / "store.db").close()
    State(tmp_path).close()
    registry = load(file)
    with served(create_app(replace(County(tmp_path).sources(), registry=lambda: registry))) as client:
        tab.open(f"http://127.0.0.1:{client.port}/")
        tab.wait(f"{DONE} && document.getElementById('county').textContent === '茌平区'")
        panels = {
            name: tab.run(f"document.getElementById('{name}').innerText") for name in ("tasks", "fresh", "station-rows", "section-rows", "chart", "capture")
        }

    assert panels["tasks"].startswith("尚无数据")
    assert ["登记册中没有此类对象。"] * 3 == [panels[name] for name in ("fresh", "station-rows", "section-rows")]
    assert "尚无日均值。" == panels["chart"]
    assert "undefined" not in "".join(panels.values())


def test_paper_keeps_signs_and_drops_buttons(tab: Page, client: Client) -> None:
    """Printed, white signs keep the ground that they are read on, and nothing stands there that can only be pressed."""
    show(tab, client, "zh-CN", "desk")
    tab.call("Emulation.setEmulatedMedia", media="print")
    kept = tab.run("[...document.querySelectorAll('.urgency, .sign, .day')].every((one) => getComputedStyle(one).printColorAdjust === 'exact')")
    pressed = tab.run("[...document.querySelectorAll('button, nav a')].filter((one) => one.checkVisibility()).length")
    tab.call("Emulation.setEmulatedMedia", media="")

    assert (True, 0) == (kept, pressed)


def test_completeness_says_why(tab: Page, client: Client) -> None:
    """A station that lacks hours says how many, why, since when, and whether the year can still become valid."""
    show(tab, client, "zh-CN", "desk")

    assert "今日缺 9 h 无数据 10月14日 04:00 · 年度: 仅迟到数据可补救" in tab.run("document.getElementById('capture').innerText")


def test_restated_figures_say_why_in_the_readers_words(tab: Page, client: Client) -> None:
    """The cause's code is put into words, the place's name before its id, and a change of a confirmed figure is marked."""
    show(tab, client, "zh-CN", "desk")
    text = tab.run("document.getElementById('restated').innerText")

    assert "迟到数据: 区政府 sc-a01 pm25 2025-09-25T10:00" in text
    assert 2 == text.count("已确认数值")

"""The desk in a real browser: log in, act, log out; both languages, desk and phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from domain.readings import Entry
from tests.api.house import OWN, PASSWORD, House
from tests.api.seeded import NOW, NS
from tests.api.served import Client, served
from tests.system.chromium_page import Page, program
from tests.system.desk_family import READY, SIZES, alert, enter

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("pause"), pytest.mark.skipif(program() is None, reason="Chromium is not installed (make services)")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county with an operator, a reader and an enterprise's person."""
    found = House(Path(tmp_path_factory.mktemp("desk-board")))
    for name, role in (("wang", "operator"), ("li", "reader")):
        found.accounts.add(name, role, PASSWORD, [])
    found.accounts.add("liu", "enterprise", PASSWORD, [OWN])
    return found


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its server, with two alerts that wait."""
    sources = house.sources()
    assert sources.duty
    sources.duty.take([alert("one"), alert("two")])
    with served(create_app(sources)) as found:
        yield found


def test_a_wrong_password_is_told(tab: Page, client: Client) -> None:
    """The sentence of the API stands under the form, in the language of the page, and the password is gone from it."""
    tab.open(f"http://127.0.0.1:{client.port}/board/login.html?to=https://evil.example/")
    tab.wait("document.querySelector('#login button')?.textContent")
    tab.run(
        "document.getElementById('name').value = 'wang'; document.getElementById('password').value = 'wrong'; document.querySelector('#login button').click()"
    )
    tab.wait("document.getElementById('told').textContent")

    assert "用户名或密码不对" in tab.run("document.getElementById('told').textContent")
    assert "" == tab.run("document.getElementById('password').value")


def test_an_address_of_elsewhere_is_no_way_out(tab: Page, client: Client) -> None:
    """After the login the board's own page comes, whatever the address had named."""
    tab.call("Network.clearBrowserCookies")
    tab.open(f"http://127.0.0.1:{client.port}/board/login.html?to=//evil.example/")
    tab.wait("document.querySelector('#login button')?.textContent")
    tab.run(f"document.getElementById('name').value = 'wang'; document.getElementById('password').value = '{PASSWORD}'")
    tab.run("document.querySelector('#login button').click()")
    tab.wait(f"location.pathname === '/' && {READY}")

    assert "42.1" in tab.run("document.getElementById('cards').innerText")


def test_an_alert_is_acknowledged(tab: Page, client: Client, house: House) -> None:
    """With a note; it leaves the list, and who did it stands in the log."""
    enter(tab, client, "wang")
    tab.run("document.querySelector('#duty input').value = '已派人'; document.querySelector('#duty .take').click()")
    tab.wait("document.querySelectorAll('#duty .take').length === 1")
    line = client.get("/api/v1/duty", **house.bearer("operator")).json()["items"][0]

    assert "已入日志：告警 two" == tab.run("document.getElementById('duty-told').textContent")
    assert ("wang", "已派人") == (line["person"], line["note"])
    assert 0 == tab.run("document.querySelectorAll('#duty b').length")


def test_codes_are_told_in_words(tab: Page, client: Client, house: House) -> None:
    """Severity, item of a refusal, mark, target, station and action stand as words, as the same page calls them in its forms."""
    sources = house.sources()
    assert sources.duty
    sources.duty.take([alert("three")._replace(severity="warning", team="station", fingerprint="w", name="来源静默")])
    marked = {"source": "sc-a01", "from": "2025-10-14T01:00:00+08:00", "to": "2025-10-14T03:00:00+08:00", "flag": "H", "reason": "停电", "document": "巡检单12"}
    month = {"month": "2025-08", "action": "confirm", "document": "环函8"}
    sources.entries.enter([Entry("mark", "person/50", NOW * NS, "王工", marked), Entry("confirmation", "person/51", NOW * NS, "王工", month)])
    enter(tab, client, "wang")
    tab.wait("document.getElementById('entered').dataset.count >= 4")
    entered = tab.run("document.getElementById('entered').innerText")

    assert {"警告", "监测站"} <= set(tab.run("document.getElementById('duty').innerText").split())
    assert "PM2.5" in tab.run("document.getElementById('letters').innerText")
    assert "10月14日 01:00 · 10月14日 03:00 · H 暂扣 · 停电 · 巡检单12" in entered
    assert "2025-08 · 确认 · 环函8" in entered
    assert "区政府 sc-a01" in entered
    assert "地表水国控断面优良水体比例" in entered
    assert not set(entered.split()) & {"confirm", "withdraw", "water.national.good_ratio"}


def test_a_dead_letter_is_replayed(tab: Page, client: Client) -> None:
    """Told in Chinese, picked and sent; the request's journal record is told."""
    enter(tab, client, "wang")
    assert "<b>ghost</b> 未登记" in tab.run("document.getElementById('letters').innerText")
    tab.run("document.querySelector('#letters input').click(); document.getElementById('replay').click()")
    tab.wait("document.getElementById('letters-told').textContent")

    assert tab.run("document.getElementById('letters-told').textContent").startswith("已入日志：person/")


def test_hours_are_marked_and_a_month_confirmed(tab: Page, client: Client) -> None:
    """A form that is filled in becomes a journal record; one that cannot be is told in the API's words."""
    enter(tab, client, "wang")
    tab.wait("document.querySelector('#mark select').options.length === 6")
    fill = "(id, all) => { for (const [name, value] of Object.entries(all)) document.getElementById(id).elements[name].value = value; (document.querySelector(`#${id} button[value=enter]`) ?? document.querySelector(`#${id} button`)).click(); }"
    marked = "{from: '2025-10-14T01:00', to: '2025-10-14T03:00', reason: '停电', document: '巡检单12'}"
    tab.run(f"({fill})('mark', {marked})")
    tab.wait("document.querySelector('#mark .told').textContent")
    tab.run(f"({fill})('confirm', {{month: '2025-10', document: '文'}})")
    tab.wait("document.querySelector('#confirm .told').textContent")

    assert tab.run("document.querySelector('#mark .told').textContent").startswith("已入日志：person/")
    assert "请写已结束的月份，例如 2026-06。" == tab.run("document.querySelector('#confirm .told').textContent")


def test_a_reader_sees_and_cannot_act(tab: Page, client: Client) -> None:
    """No form, no button, no dead letters; a sentence says why."""
    enter(tab, client, "li")

    assert [True, True] == tab.run("['review-panel', 'letters-panel'].map((id) => document.getElementById(id).hidden)")
    assert 0 == tab.run("document.querySelectorAll('.take').length")
    assert "您的角色不能处置。" == tab.run("document.getElementById('alarm').textContent")


def test_an_enterprise_sees_its_own(tab: Page, client: Client) -> None:
    """Its meters, and who looked; nothing of others."""
    enter(tab, client, "liu")
    tab.wait("document.querySelectorAll('#meters tbody tr').length > 0")
    text = tab.run("document.querySelector('main').innerText")

    assert "m-0001" in text
    assert "m-0004" not in text
    assert tab.run("document.getElementById('review-panel').hidden")


def test_an_enterprise_lands_on_its_own_page(tab: Page, client: Client) -> None:
    """After the login comes what is told to it first, not the county's board without figures."""
    tab.open("about:blank")
    tab.wait("location.href === 'about:blank'")
    tab.call("Network.clearBrowserCookies")
    tab.open(f"http://127.0.0.1:{client.port}/board/login.html")
    tab.wait("document.querySelector('#login button')?.textContent")
    tab.run(f"document.getElementById('name').value = 'liu'; document.getElementById('password').value = '{PASSWORD}'")
    tab.run("document.querySelector('#login button').click()")
    tab.wait(f"location.pathname === '/board/filings.html' && {READY}")

    assert "m-0001" in tab.run("document.getElementById('news').innerText")
    assert tab.run("document.getElementById('alarm').hidden || !document.getElementById('alarm').textContent")


@pytest.mark.parametrize("size", SIZES)
def test_both_languages_and_sizes(tab: Page, client: Client, size: str) -> None:
    """Nothing scrolls sideways, and the switch changes every fixed word."""
    enter(tab, client, "wang", size=size)
    seen = set()
    for _ in range(2):
        tab.run("document.getElementById('language').click()")
        assert SIZES[size][0] == tab.run("document.documentElement.scrollWidth")
        assert [] == tab.run("[...document.querySelectorAll('[data-t]')].filter((one) => !one.textContent).map((one) => one.dataset.t)")
        seen.add(tab.run("document.getElementById('duty-title').textContent"))

    assert {"任务：待处置的告警", "Tasks: alerts that wait for somebody"} == seen


def test_logging_out_shuts_the_door(tab: Page, client: Client) -> None:
    """Then every page leads to the login."""
    enter(tab, client, "wang")
    tab.run("document.getElementById('out').click()")
    tab.wait("location.pathname === '/board/login.html'")
    tab.open(f"http://127.0.0.1:{client.port}/")
    tab.wait("location.pathname === '/board/login.html'")


def test_every_field_has_a_name(tab: Page, client: Client) -> None:
    """A screen reader says what each field and button is for."""
    enter(tab, client, "wang")
    nameless = "[...document.querySelectorAll('input, select, button')].filter((one) => !(one.labels?.length || one.getAttribute('aria-label') || one.textContent.trim())).length"

    assert 0 == tab.run(nameless)

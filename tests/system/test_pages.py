"""Tasks, filings, dispatch and data in a real browser: done by hand, in both languages, on desk and phone, and looked over by axe."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from api.app import create_app
from tests.api.house import OWN, PASSWORD, House
from tests.api.served import Client, served
from tests.api.test_tasks import HELD, LATE, seed
from tests.system.chromium_page import Page, program
from tests.system.desk_family import READY, SIZES, alert, enter

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("pause"), pytest.mark.skipif(program() is None, reason="Chromium is not installed (make services)")]
PAGES = ("/", "/board/desk.html", "/board/tasks.html", "/board/filings.html", "/board/dispatch.html", "/board/place.html")
GRAVE = "axe.run(document, {resultTypes: ['violations']}).then((told) => told.violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 120)}`))"
OUTSIDE = "[...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > innerWidth).slice(0, 4).map((one) => `${one.tagName}#${one.id}.${one.className?.baseVal ?? one.className}`)"
BUTTONS = "[...document.querySelectorAll('#plot .modebar-btn')].map((one) => one.dataset.title)"
TICKS = "[...new Set([...document.querySelectorAll('#plot .xtick text, #plot .xtick tspan')].map((one) => getComputedStyle(one).fontSize))]"
DEAF = "window.addEventListener('resize', (event) => { event.stopImmediatePropagation(); }, true)"
DRAWN = "document.querySelector('#chart .main-svg').getBoundingClientRect().width"
FILL = "((id, all) => { for (const [name, value] of Object.entries(all)) { const field = document.getElementById(id).elements[name]; field.value = value; field.dispatchEvent(new Event('change', {bubbles: true})); } })"
FILE = "((input) => { const bag = new DataTransfer(); bag.items.add(new File(['%PDF paper'], '核查单.pdf', {type: 'application/pdf'})); input.files = bag.files; })"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county with tasks, an order, an operator and an enterprise's person."""
    found = House(Path(tmp_path_factory.mktemp("pages")))
    found.sources()  # before anything else is stored: only an empty county is seeded
    seed(found)
    found.accounts.add("wang", "operator", PASSWORD, [])
    found.accounts.add("liu", "enterprise", PASSWORD, [OWN])
    return found


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its server."""
    sources = house.sources()
    assert sources.duty
    sources.duty.take([alert("one")])
    with served(create_app(sources)) as found:
        yield found


def go(tab: Page, client: Client, path: str) -> None:
    """Open a page as who is logged in."""
    tab.open(f"http://127.0.0.1:{client.port}{path}")
    tab.wait(f"location.pathname + location.search === '{path}' && {READY}")


@pytest.mark.parametrize("user", ["wang", "liu"])
def test_every_page_fits_and_can_be_read_aloud(tab: Page, client: Client, user: str) -> None:
    """Nothing scrolls sideways, every fixed word is there in both languages, and axe finds nothing serious."""
    spec = find_spec("axe_core_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-core-python is not installed (make .venv/ready)")
    script = (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    enter(tab, client, user)
    faults = []
    for path in PAGES[user == "liu" :]:
        go(tab, client, path)
        tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        for size, (width, height) in SIZES.items():
            tab.size(width, height)
            for _ in range(2):
                tab.run("document.getElementById('language').click()")
                said = f"{path} {user} {size} {tab.run('document.documentElement.lang')}"
                wide = tab.run("document.documentElement.scrollWidth")
                faults += [f"{said}: {wide} wide: {tab.run(OUTSIDE)}"] if wide != width else []
                empty = tab.run("[...document.querySelectorAll('[data-t]')].filter((one) => !one.textContent).map((one) => one.dataset.t)")
                faults += [f"{said}: no word for {empty}"] * bool(empty)
        tab.run(f"{script}; 0")
        faults += [f"{path} {user}: {one}" for one in tab.run(GRAVE)]

    assert [] == faults


def test_a_drawing_made_for_a_desk_widens_no_phone(tab: Page, client: Client) -> None:
    """Until the chart is made anew for the narrow window, the page is no wider than it; then the chart fits too."""
    enter(tab, client, "wang", "/")
    tab.wait("document.getElementById('chart').dataset.drawn === 'true'")
    tab.run(DEAF)
    tab.size(*SIZES["phone"])
    left = (tab.run(DRAWN) > SIZES["phone"][0], tab.run("document.documentElement.scrollWidth"))
    go(tab, client, "/")
    tab.wait(f"document.getElementById('chart').dataset.drawn === 'true' && {DRAWN} < {SIZES['phone'][0]}")

    assert (True, SIZES["phone"][0]) == left


def test_a_form_goes_from_the_enterprise_to_the_bureau(tab: Page, client: Client, house: House) -> None:
    """Filed with a paper by the enterprise, returned with a reason by the bureau, and both see how it stands."""
    enter(tab, client, "liu", "/board/filings.html")
    tab.wait("document.querySelector('#file').elements.meter.options.length > 0")
    tab.run(f"{FILL}('file', {{form: 'multiplier', meter: 'm-0001', day: '2025-11-01', value: '80', reason: '互感器更换'}})")
    tab.run(f"{FILE}(document.getElementById('file').elements.attachment); document.querySelector('#file button').click()")
    tab.wait("!!document.querySelector('#filings tbody tr')")
    told = tab.run("document.querySelector('#file .told').textContent")
    enter(tab, client, "wang", "/board/filings.html")
    tab.wait("!!document.querySelector('#filings .ruling')")
    tab.run(
        "(() => { const form = document.querySelector('#filings .ruling'); form.elements.reason.value = '缺照片'; form.elements.document.value = '单3'; })()"
    )
    tab.run("document.querySelector('#filings .ruling button[value=return]').click()")
    tab.wait("!document.querySelector('#filings .ruling') && !!document.querySelector('#filings tbody')")
    row = client.get("/api/v1/filings", **house.bearer("enterprise")).json()["items"][0]

    assert told.startswith("已入日志：person/")
    assert ("returned", "缺照片", "liu", "核查单.pdf") == (row["state"], row["ruling"]["reason"], row["person"], row["attachment"]["name"])


def test_a_task_is_answered_and_closed(tab: Page, client: Client, house: House) -> None:
    """A late task stands out and is counted; the desk answers it with a paper and closes it, and it leaves the list."""
    enter(tab, client, "wang", "/board/tasks.html")
    tab.wait("!!document.querySelector('#tasks details')")
    late = tab.run("document.getElementById('overdue').textContent")
    first = "document.querySelector('#tasks tbody tr')"
    tab.run(f"(() => {{ const row = {first}; row.querySelector('details').open = true; row.querySelector('.reply').elements.note.value = '已核'; }})()")
    tab.run(f"{FILE}({first}.querySelector('.reply').elements.file); {first}.querySelector('.reply button').click()")
    tab.wait("!!document.querySelector('#tasks .step button[value=return]')")
    form = "document.querySelector('#tasks .step:has(button[value=return])')"
    tab.run(f"{form}.elements.note.value = '属实'; {form}.querySelector('button[value=close]').click()")
    tab.wait("document.getElementById('overdue').textContent === '0' && !document.querySelector('#tasks .step button[value=return]')")
    row = next(one for one in client.get("/api/v1/tasks?state=closed", **house.bearer("operator")).json()["items"] if one["task"] == LATE)

    assert "1" == late
    assert [("reply", "wang", "核查单.pdf"), ("close", "wang", None)] == [
        (step["action"], step["person"], step["attachment"] and step["attachment"]["name"]) for step in row["steps"]
    ]
    assert HELD in {one["task"] for one in client.get("/api/v1/tasks", **house.bearer("operator")).json()["items"]}


def test_a_station_is_opened(tab: Page, client: Client) -> None:
    """Its hours are drawn and listed, can be zoomed, and exported as they are."""
    enter(tab, client, "wang")
    go(tab, client, "/board/place.html?id=sc-a01&from=2025-10-12&to=2025-10-15")
    tab.wait("document.getElementById('plot').dataset.drawn")
    drawn = tab.run("document.getElementById('plot').data[0].y.length")
    listed = tab.run("document.querySelectorAll('#rows tbody tr').length")
    tab.run("document.getElementById('export').click()")
    tab.wait("document.querySelector('#pick .told').textContent.startsWith('已导出')")
    sent = client.get("/api/v1/air/stations/sc-a01/hours?from=2025-10-12&to=2025-10-15").status

    assert (72, 72) == (drawn, listed)
    assert {"框选放大", "平移", "放大", "缩小", "自动范围", "还原", "保存为图片"} == set(tab.run(BUTTONS))
    assert ["12px"] == tab.run(TICKS)
    assert "已导出 sc-a01-airHours-2025-10-12.csv" == tab.run("document.querySelector('#pick .told').textContent")
    assert 401 == sent


def test_an_episode_is_seen(tab: Page, client: Client) -> None:
    """By enterprise and hour a sign each, who has not confirmed, whose meters are silent."""
    enter(tab, client, "wang", "/board/dispatch.html")
    tab.wait("document.querySelectorAll('.dispatch li').length === 2")

    assert ["✕", "?", "✓", "✓"] == tab.run("[...document.querySelectorAll('.dispatch .hour')].map((one) => one.textContent)")
    assert "1" == tab.run("document.getElementById('unconfirmed').textContent")
    assert "没有数据" in tab.run("document.querySelector('.dispatch li').innerText")

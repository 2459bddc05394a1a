"""Who asks the same within two seconds gets the same answer, and is told how old it is."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from api.app import create_app
from api.shared import HOLD_S, NEWEST_S
from api.sources import Sources
from domain.errors import StoreAway
from domain.indicators import Indicator, Query
from lanbi.clock import SystemClock
from tests.api.house import House
from tests.api.seeded import County
from tests.api.served import PATIENCE_S, Client, Reply, served


class Counted:
    """The figures of a county, their questions counted and slow."""

    def __init__(self, sources: Sources) -> None:
        self.figures, self.asked, self.told, self.away = sources.figures, 0, 0, False
        self.costs: Callable[[], object] = lambda: None
        self.open = Event()
        self.open.set()

    def series(self, query: Query) -> list[Indicator]:
        """Takes a moment."""
        self.asked += 1
        SystemClock().sleep(0.2)
        self.costs()
        self.open.wait(PATIENCE_S)
        if self.away:
            raise StoreAway("the store does not answer", "store", "wait")
        found = self.figures.series(query)
        self.told += 1
        return found

    def __getattr__(self, name: str) -> object:
        return getattr(self.figures, name)


@pytest.fixture
def county(tmp_path: Path) -> County:
    """A county of its own."""
    return County(tmp_path)


@pytest.fixture
def figures(county: County) -> Counted:
    """Its figures."""
    return Counted(county.sources())


@pytest.fixture
def client(county: County, figures: Counted) -> Iterator[Client]:
    """Its API."""
    with served(create_app(replace(county.sources(), figures=figures))) as found:
        yield found


PATH = "/api/v1/indicators?figure=pm25"


def renewed(client: Client, figures: Counted) -> Reply:
    """The answer as it is told once it was made anew; while it is made nobody asks, for the county's clock goes on at each question."""
    clock, asked = SystemClock(), figures.asked
    until = clock.monotonic() + PATIENCE_S
    while figures.told < asked:
        assert clock.monotonic() < until
        clock.sleep(0.02)
    for _ in range(100):
        told = client.get(PATH)
        if told.headers["age"] == "0":
            break
        clock.sleep(0.05)
    return told


def test_all_who_ask_at_once_cost_one_question(client: Client, county: County, figures: Counted) -> None:
    """Twenty callers at once and one after them share an answer; its age is told; after two seconds it is made anew."""
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda _: client.get(PATH), range(20)))
    later = client.get(PATH)
    county.clock.sleep(1.2)
    old = client.get(PATH)

    assert 1 == figures.asked
    assert {(200, told[0].body)} == {(one.status, one.body) for one in (*told, later, old)}
    assert ("0", "1") == (later.headers["age"], old.headers["age"])
    county.clock.sleep(HOLD_S)
    assert "0" == client.get(PATH).headers["age"]
    assert 2 == figures.asked


def test_what_was_measured_last_is_kept_for_a_moment(client: Client, county: County) -> None:
    """A reading shows within two seconds: lists of newest values are made anew after half of one, figures are not."""
    newest = ["/api/v1/freshness", "/api/v1/air/stations", "/api/v1/water/sections", "/api/v1/points", "/api/v1/meters"]
    for path in (PATH, *newest):
        client.get(path)
    county.clock.sleep(1.2)

    assert NEWEST_S < 1 < HOLD_S
    assert ["1", *"00000"] == [client.get(path).headers["age"] for path in (PATH, *newest)]


def test_what_is_long_in_the_making_is_made_anew_beforehand(client: Client, county: County, figures: Counted) -> None:
    """In the last second of an answer that took 0.2 s the kept one is told while it is made anew, and nobody waits."""
    figures.costs = lambda: county.clock.sleep(0.2)
    first = client.get(PATH)
    county.clock.sleep(1.0)
    figures.open.clear()
    kept = [client.get(PATH) for _ in range(3)]
    figures.open.set()

    assert [(first.body, "1")] * 3 == [(one.body, one.headers["age"]) for one in kept]
    assert "0" == renewed(client, figures).headers["age"]
    assert 2 == figures.asked


def test_what_is_quickly_made_is_made_no_oftener(client: Client, county: County, figures: Counted) -> None:
    """An answer that took 2 ms is told until its time is nearly over, and costs the store one question."""
    client.get(PATH)
    county.clock.sleep(1.5)

    assert "1" == client.get(PATH).headers["age"]
    assert 1 == figures.asked


def test_a_making_ahead_that_fails_harms_nobody(client: Client, county: County, figures: Counted) -> None:
    """The kept answer is told until its time is over; then whoever asks hears that the store is away."""
    figures.costs = lambda: county.clock.sleep(0.2)
    client.get(PATH)
    county.clock.sleep(1.0)
    figures.away = True
    told = [client.get(PATH).status for _ in range(3)]
    county.clock.sleep(HOLD_S)

    assert ([200] * 3, 503) == (told, client.get(PATH).status)


def test_each_caller_gets_it_in_its_own_form(client: Client, figures: Counted) -> None:
    """Packed for who unpacks, a 304 for who has it, CSV and another page as answers of their own."""
    plain = client.get(PATH)
    packed = client.get(PATH, Accept_Encoding="gzip")
    known = client.get(PATH, If_None_Match=plain.headers["etag"])
    table = client.get(PATH, Accept="text/csv")

    assert (plain.body, "gzip") == (gzip.decompress(packed.body), packed.headers["content-encoding"])
    assert (304, b"", plain.headers["etag"]) == (known.status, known.body, known.headers["etag"])
    assert table.text.startswith("figure,period,scope")
    assert plain.body != client.get(f"{PATH}&limit=3").body
    assert 3 == figures.asked


def test_a_refusal_is_kept_for_nobody(client: Client, figures: Counted) -> None:
    """All who waited hear that the store is away; who asks next makes it answer again."""
    figures.away = True
    with ThreadPoolExecutor(8) as pool:
        told = [one.status for one in pool.map(lambda _: client.get(PATH), range(8))]
    figures.away = False

    assert [503] * 8 == told
    assert 200 == client.get(PATH).status


def test_who_enters_something_sees_what_came_of_it(tmp_path: Path) -> None:
    """A request that enters something forgets every kept answer, whatever its fate."""
    house = House(tmp_path)
    figures = Counted(house.sources())
    with served(create_app(replace(house.sources(), figures=figures))) as client:
        head = house.bearer("operator")
        client.get(PATH, **head)
        client.get(PATH, **head)
        before = figures.asked
        client.get("/api/v1/desk/marks", method="POST", body=b"{}", Content_Type="application/json", **head)
        client.get(PATH, **head)

    assert (1, 2) == (before, figures.asked)


def test_rights_do_not_mix(tmp_path: Path) -> None:
    """An enterprise's person and the bureau's ask for the same list and see their own."""
    house = House(tmp_path)
    with served(create_app(house.sources())) as client:
        counts = [len(client.get("/api/v1/meters", **house.bearer(role)).json()["items"]) for role in ("operator", "enterprise", "operator")]

    assert counts[0] == counts[2] > counts[1] > 0

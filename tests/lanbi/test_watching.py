"""What the service says about itself as figures: who is late, and how broker, journal and store are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Indicator, Query
from ingest.forwarder import Forwarder
from lanbi.embedded import EmbeddedStore
from lanbi.journal import JournalWriter
from lanbi.journal_view import JournalView
from lanbi.metrics import write_status
from lanbi.state import State
from lanbi.watching import LAW, Watch
from tests.lanbi.figures_house import NOW, Hand, registry

MESSAGE = '{{"seq": {seq}, "time": {time}, "span": 3600, "values": {{"pm25": 50}}}}'


class House:
    """A data folder with journal, state and store, and the watch over it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.clock, self.registry = folder, Hand(NOW), registry()
        self.store = EmbeddedStore(folder / "store.db")
        self.writer = JournalWriter(folder / "journal", "mqtt")
        self.state = State(folder)
        self.forwarder = Forwarder(JournalView(folder / "journal", lambda: self.registry), self.state, self.store, self.registry)
        self.seq = 0
        self.watch = Watch(folder, self.registry, self.store, self.clock)
        self.well()

    def well(self, **more: object) -> None:
        """What ingest says of itself."""
        write_status(self.data / "run" / "ingest.json", {"connected": True, "packet_age_s": 1.0, "store": "ok", **more})

    def hear(self, station: str, time: int, *, forward: bool = True) -> None:
        """A device speaks."""
        self.seq += 1
        payload = MESSAGE.format(seq=self.seq, time=time).encode()
        self.writer.append(f"lanbi/v1/d-{station}/data", payload, received_ns=self.clock.now_ns(), readings=1)
        self.writer.commit()
        if forward:
            while self.forwarder.step():
                pass

    def look(self, after: int = 0) -> dict[tuple[str, str], Indicator]:
        """Time passes, the watch looks; returns the rows of that minute."""
        self.clock.now += after
        self.clock.slept += 60
        self.watch.look()
        minute = self.clock.now // 60 * 60
        return {(row.figure, row.scope): row for row in self.store.series(Query(period="hour", start=minute - 1, end=minute))}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A folder in which nothing has happened yet."""
    found = House(tmp_path)
    yield found
    found.writer.close()
    found.state.close()
    found.store.close()


def test_a_source_that_falls_silent_is_counted_and_comes_back(house: House) -> None:
    """On time is 0, the first overdue reading late, then as many as are missing; after the next reading it is 0 again."""
    last = NOW // civil.HOUR_S * civil.HOUR_S
    house.hear("s1", last)
    first = house.look()
    assert (0.0, "on-time") == (first["freshness", "s1"].value, first["freshness", "s1"].status)
    assert (2.0, "never") == (first["freshness", "s2"].value, first["freshness", "s2"].status)

    seen = [house.look(civil.HOUR_S).get(("freshness", "s1")) for _ in range(4)]
    assert [(1.0, "late"), (2.0, "silent"), (3.0, "silent")] == [(row.value, row.status) for row in seen if row is not None and row.status != "on-time"][:3]
    house.hear("s1", house.clock.now // civil.HOUR_S * civil.HOUR_S)
    assert 0.0 == house.look(300)["freshness", "s1"].value


def test_a_device_with_ordinary_delays_is_never_silent(house: House) -> None:
    """Two days of hourly readings that arrive up to a quarter of an hour after their time raise nothing."""
    worst = 0.0
    for hour in range(48):
        label = NOW // civil.HOUR_S * civil.HOUR_S + hour * civil.HOUR_S
        house.clock.now = label + 60 + 97 * hour % 840
        house.hear("s1", label)
        for after in (0, 1_200, 1_200):
            row = house.look(after).get(("freshness", "s1"))
            worst = max(worst, row.value if row and row.value else 0.0)

    assert 0.0 == worst


def test_a_source_on_time_is_told_once_a_day(house: House) -> None:
    """Nothing is written while nothing changes; a new day says it again."""
    house.hear("s1", NOW // civil.HOUR_S * civil.HOUR_S)
    assert ("freshness", "s1") in house.look()
    assert ("freshness", "s1") not in house.look(600)
    house.clock.now += civil.DAY_S
    house.hear("s1", house.clock.now // civil.HOUR_S * civil.HOUR_S)
    assert ("freshness", "s1") in house.look()


def test_the_terms_of_the_law_are_stored_and_add_up(house: House) -> None:
    """Received is the sum of its terms, what waits included; the difference is a figure and is 0."""
    house.hear("s1", NOW // civil.HOUR_S * civil.HOUR_S)
    house.hear("s1", NOW // civil.HOUR_S * civil.HOUR_S, forward=False)
    rows = house.look()
    value = {figure: row.value for (figure, _), row in rows.items()}

    assert 2.0 == value["ingest_received"] == sum(value[figure] or 0.0 for figure in LAW)
    assert (1.0, 1.0, 0.0) == (value["ingest_stored"], value["ingest_pending"], value["ingest_unaccounted"])


def test_trouble_is_told_at_once_and_again_every_five_minutes(house: House) -> None:
    """A store that refuses is a row within the look, not within the hour; when it is well again that is told too."""
    assert 1.0 == house.look()["store_up", "c"].value
    assert ("store_up", "c") not in house.look(60)
    house.well(store="refused: 401")
    assert 0.0 == house.look(60)["store_up", "c"].value
    assert ("store_up", "c") not in house.look(60)
    assert 0.0 == house.look(300)["store_up", "c"].value
    house.well()
    assert 1.0 == house.look(60)["store_up", "c"].value


def test_refusals_are_counted_by_the_hour(house: House) -> None:
    """What was refused between two whole hours is one figure; the first hour of a process has none."""
    house.look()
    for _ in range(3):
        house.hear("s1", house.clock.now + civil.DAY_S)
    found = house.look(civil.HOUR_S)

    assert 3.0 == found["ingest_refused", "c"].value
    assert 0.0 == house.look(civil.HOUR_S)["ingest_refused", "c"].value


def test_without_ingest_nothing_is_well(house: House) -> None:
    """A folder whose ingest says nothing has no broker and no store, never silence."""
    (house.data / "run" / "ingest.json").unlink()
    rows = house.look()

    assert (0.0, 0.0) == (rows["broker_up", "c"].value, rows["store_up", "c"].value)

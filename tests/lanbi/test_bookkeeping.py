"""The completeness ledger of the running analyst, and the refusals that explain it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from domain import civil
from domain.indicators import Query
from domain.ledger import Refused
from lanbi import wiring
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter
from lanbi.plans import folder
from lanbi.refusals import RefusalView
from tests.lanbi.figures_house import HISTORY, NOW, House

DAY = "2025-01-03"
LOST = [row for row in HISTORY if row.source == "s1" and civil.day_of(row.time) == civil.parse_date(DAY) and civil.hour_of(row.time) > 18]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A county whose station s1 lost six hours of a day."""
    one = House(tmp_path)
    one.bring([row for row in HISTORY if row not in LOST])
    one.follower.start()
    yield one
    one.close()


def ledger(house: House, scope: str, period: str, date: str) -> tuple[str, float | None, dict[str, Any]]:
    """Status, lost hours or days, and body of a ledger's row."""
    stamp = civil.period_stamp(civil.parse_date(date))
    figure = "lost_hours" if period == "day" else "lost_days"
    (row,) = house.store.series(Query(figure, scope, period, None, "raw", stamp - 1, stamp))
    return row.status, row.value, json.loads(row.text)


def test_a_lost_evening_is_explained(house: House) -> None:
    """The day tells its six silent hours and that only late data can mend it; county, month and year have their own rows."""
    status, value, body = ledger(house, "s1", "day", DAY)
    county = ledger(house, "c", "day", DAY)
    month = ledger(house, "s1", "month", "2025-01-31")
    year = ledger(house, "s1", "year", "2025-12-31")

    assert ("invalid", 6.0) == (status, value)
    assert [(19, 24, 6, "silent", "2025-01-03T18:00:00+08:00")] == [
        tuple(one[key] for key in ("from", "to", "hours", "reason", "detail")) for one in body["lost"]
    ]
    assert {"late"} == set(body["chances"].values())
    assert ("valid", 1.0) == county[:2], "three of four stations are enough"
    assert [("s1", "silent")] == [(one["station"], one["reason"]) for one in county[2]["lost"]]
    assert ("open", 1.0) == month[:2]
    assert ("open", 1.0) == year[:2]
    assert [(DAY, DAY, "silent")] == [(one["from"], one["to"], one["reason"]) for one in year[2]["lost"]]


def test_late_data_mend_the_ledger(house: House) -> None:
    """When the hours come after all, day, county, month and year say so."""
    house.bring(LOST)
    house.follower.step()

    assert ("valid", 0.0, []) == (*ledger(house, "s1", "day", DAY)[:2], ledger(house, "s1", "day", DAY)[2]["lost"])
    assert [] == ledger(house, "c", "day", DAY)[2]["lost"]
    assert [] == ledger(house, "s1", "year", "2025-12-31")[2]["lost"]


def test_the_running_day_moves_with_time(house: House) -> None:
    """At 02:30 the day has two hours and is open; an hour later the third is pending, then silent."""
    before = ledger(house, "s2", "day", "2025-01-06")
    house.clock.now += 3_600
    house.follower.step()
    pending = ledger(house, "s2", "day", "2025-01-06")
    house.clock.now += 3_600
    house.follower.step()
    silent = ledger(house, "s2", "day", "2025-01-06")

    assert ("open", 0.0, {"yes"}) == (*before[:2], set(before[2]["chances"].values()))
    assert [("pending", 3, 3)] == [(one["reason"], one["from"], one["to"]) for one in pending[2]["lost"]]
    assert [("silent", 3, 3), ("pending", 4, 4)] == [(one["reason"], one["from"], one["to"]) for one in silent[2]["lost"]]


def test_refusals_explain_silence(house: House) -> None:
    """Where ingest refused the readings of the lost hours, the ledger says refused and why."""

    class Known:
        def of(self, source: str, start: int, end: int) -> list[Refused]:
            return [Refused(row.time, None, "bad-schema", held=False) for row in LOST if source == "s1"]

    house.follower.analyst.ledger.refusals = Known()
    other = next(row for row in HISTORY if row.source == "s1" and row.time == LOST[0].time - 3_600)
    house.bring([replace(other, values={**other.values, "pm25": 1.0})])
    house.follower.step()

    assert [("refused", "bad-schema")] == [(one["reason"], one["detail"]) for one in ledger(house, "s1", "day", DAY)[2]["lost"]]


def test_a_city_series_has_no_ledger(house: House) -> None:
    """Every scope with a ledger is a station or the county."""
    scopes = {row.scope for row in house.store.series(Query("lost_hours", None, "day", None, "raw", 0, NOW))}

    assert {"s1", "s2", "s3", "s4", "back", "c"} == scopes


def test_refusals_are_read_with_the_time_of_their_reading(tmp_path: Path) -> None:
    """An hour refused at once, one sent hours late, an item, and a broken message: each stands at its own hour, the last at its receipt's."""
    (tmp_path / "data").mkdir()
    config = tmp_path / "lanbi.toml"
    config.write_text(f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\n', encoding="utf-8")
    settings = wiring.settings(str(config))
    registry = wiring.registry(settings)
    device = registry.device_of("sc-a01", civil.day_of(NOW))
    assert device is not None
    ten = NOW // 3_600 * 3_600 - 10 * 3_600
    bodies: list[bytes] = [
        json.dumps({"seq": 1, "time": civil.iso(ten), "span": 3_600, "source": "sc-a01", "values": {"pm25": 99_999, "o3": 50}}).encode(),
        json.dumps({"seq": 2, "time": civil.iso(ten - 86_400), "span": 3_600, "source": "sc-a01", "values": {"pm25": -500}}).encode(),
        json.dumps({"seq": 3, "time": civil.iso(NOW + 7_200), "span": 3_600, "source": "sc-a01", "values": {"pm25": 5}}).encode(),
    ]
    writer = JournalWriter(settings.data / "journal", "mqtt")
    for body in bodies:
        writer.append(f"lanbi/v1/{device.id}/data", body, received_ns=NOW * 10**9, readings=1)
    writer.commit()
    writer.close()
    forward(settings, registry, "mqtt")
    view = RefusalView(settings.data, registry, lambda: NOW)

    assert [
        Refused(ten, "pm25", "value-out-of-range", held=False),
        Refused(ten - 86_400, "pm25", "value-out-of-range", held=False),
        Refused((NOW + 7_200 + 3_599) // 3_600 * 3_600, None, "future-time", held=True),
    ] == view.of("sc-a01", 0, 2**40)
    assert [] == view.of("sc-a02", 0, 2**40)
    assert [] == view.of("sc-a01", ten, NOW)

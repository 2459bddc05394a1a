"""Restatements of the running analyst: what they name, when they are announced, and a store that fails amidst."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain import civil
from domain.errors import StoreAway
from domain.indicators import Restatement
from domain.readings import Entry, Reading
from domain.restating import ANNOUNCED, CONFIRMATION
from tests.lanbi.figures_house import HISTORY, NOW, House

DAY = civil.parse_date("2025-01-02")
TEN = "2025-01-02T10:00:00+08:00"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A county with its history computed."""
    one = House(tmp_path)
    yield one
    one.close()


def reading(site: str, time: str) -> Reading:
    """The history's reading of a site and time."""
    return next(row for row in HISTORY if row.source == site and row.time == civil.parse_time(time))


def corrected(house: House, *rows: Reading) -> list[Restatement]:
    """What is restated after these readings arrived."""
    house.bring(list(rows))
    house.follower.step()
    return house.store.restatements(0, 2**40, 10_000)


def cause(said: list[Restatement], figure: str, scope: str, period: str = "day") -> str:
    """Cause of a figure's restatement under the 2012 set."""
    return next(row.cause for row in said if (row.figure, row.scope, row.period, row.rule_set) == (figure, scope, period, "HJ633-2012"))


def test_a_correction_names_the_reading(house: House) -> None:
    """A corrected hour is named with source, item and time, at the station, in the county, and in the running year."""
    house.bring(HISTORY)
    house.follower.start()
    late = reading("s2", TEN)
    said = corrected(house, replace(late, values={**late.values, "pm25": 1_900.0}))

    for figure, scope, period in (("pm25", "s2", "day"), ("pm25", "c", "day"), ("pm25_mean", "c", "ytd")):
        assert "correction: s2 pm25 2025-01-02T10:00" == cause(said, figure, scope, period)


@pytest.mark.parametrize(("closing", "days"), [(3_600, {"2025-01-05"}), (3 * 3_600, set())])
def test_a_day_is_restated_once_it_is_closed(house: House, closing: int, days: set[str]) -> None:
    """At half past two a change of yesterday is restated if days close at one, and not if they close at three."""
    house.bring(HISTORY)
    house.follower.start()
    house.follower.analyst.settler.closing = closing
    late = reading("s2", "2025-01-05T10:00:00+08:00")
    said = corrected(house, replace(late, values={**late.values, "pm25": 1_900.0}))

    assert days == {civil.date_of(civil.day_of(row.time + 1)).isoformat() for row in said if row.period == "day"}


def test_late_hours_are_named_as_one_stretch(house: House) -> None:
    """Five hours that come late are one stretch of late data, and only the figures' own items are named."""
    missing = [reading("s1", f"2025-01-02T{hour:02d}:00:00+08:00") for hour in range(5, 10)]
    house.bring([row for row in HISTORY if row not in missing])
    house.follower.start()
    said = corrected(house, *missing)

    assert "late: s1 no2 2025-01-02T05:00…2025-01-02T09:00" == cause(said, "no2", "s1")
    assert "late: s1 pm25+pm10+so2+no2+co+o3 2025-01-02T05:00…2025-01-02T09:00" == cause(said, "aqi", "s1")


def test_a_flag_that_takes_an_hour_out_is_a_flag_change(house: House) -> None:
    """A value that turns out to have been measured during maintenance is a flag change, a withdrawn one a correction."""
    house.bring(HISTORY)
    house.follower.start()
    late = reading("s3", TEN)
    said = corrected(house, replace(late, values={**late.values, "pm25": late.values["pm25"], "no2": None}, flags={"pm25": "M"}))

    assert "flag: s3 pm25 2025-01-02T10:00" == cause(said, "pm25", "s3")
    assert "correction: s3 no2 2025-01-02T10:00" == cause(said, "no2", "s3")


def test_what_changed_while_nobody_looked_names_site_and_day(house: House) -> None:
    """A process that starts on changed readings names the days that they are of."""
    house.bring(HISTORY)
    house.follower.start()
    late = reading("s2", TEN)
    house.bring([replace(late, values={**late.values, "pm25": 1_900.0})])
    house.clock.now += 60
    house.open().start()
    said = house.store.restatements(0, 2**40, 10_000)

    assert "late: s2 2025-01-02" == cause(said, "pm25", "s2")


def test_another_registry_is_named(house: House) -> None:
    """When a station changes its role the county's restated figures name both versions of the registry."""
    house.bring(HISTORY)
    house.follower.start()
    house.clock.now += 60
    house.registry = house.other_registry()
    house.open().start()
    said = house.store.restatements(0, 2**40, 10_000)

    assert {"c"} == {row.scope for row in said}
    assert {"registry: v1 → v2"} == {row.cause for row in said}


def test_only_confirmed_figures_are_announced(house: House) -> None:
    """The same correction is announced once January is confirmed, and only logged before and after the confirmation is withdrawn."""
    house.bring(HISTORY)
    house.follower.start()
    late = reading("s2", TEN)

    def announced(number: int, action: str) -> list[tuple[str, int]]:
        entry = Entry(CONFIRMATION, f"person/{number}", house.clock.now_ns(), "Li", {"month": "2025-01", "action": action, "document": "d"})
        if action:
            house.store.enter([entry])
        house.clock.now += 100
        corrected(house, replace(late, values={**late.values, "pm25": 1_000.0 + 200 * number}))
        return sorted((event.source, event.time) for event in house.store.event_rows(0, 2**40, 100) if event.kind == ANNOUNCED)

    assert [] == announced(1, "")
    assert [("c", NOW + 200), ("s2", NOW + 200)] == announced(2, "confirm")
    assert [("c", NOW + 200), ("s2", NOW + 200)] == announced(3, "withdraw")
    text = next(event.text for event in house.store.event_rows(0, 2**40, 100) if event.kind == ANNOUNCED and event.source == "s2")
    assert "细颗粒物 PM2.5 2025-01-02 HJ633-2012: " in text
    assert "（数据更正 correction: s2 pm25 2025-01-02T10:00）" in text


def test_confirmations_are_events_too(house: House) -> None:
    """What a person confirmed or took back stands among the events, with the person and the document."""
    house.bring(HISTORY)
    house.follower.start()
    for number, action in enumerate(("confirm", "withdraw")):
        body = {"month": "2024-12", "action": action, "document": "函1号"}
        house.store.enter([Entry(CONFIRMATION, f"person/{number}", (NOW + number) * 10**9, "Li", body)])
    house.follower.step()
    said = [(event.kind, event.time, event.text) for event in house.store.event_rows(NOW - 1, NOW + 9, 10) if event.kind.startswith("confirm")]

    assert [("confirmation-withdrawn", NOW + 1, "2024-12 Li: 函1号"), ("confirmed", NOW, "2024-12 Li: 函1号")] == said


def test_a_store_that_fails_amidst_loses_nothing(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a store that failed between two writes, the figures end as if it had not, and each is restated once."""
    house.bring(HISTORY)
    house.follower.start()
    late = reading("s2", TEN)
    changed = replace(late, values={**late.values, "pm25": 1_900.0})
    with monkeypatch.context() as broken:
        calls = iter(range(100))
        whole = house.store.put_blocks

        def sometimes(rows: object) -> None:
            if next(calls) == 1:
                raise StoreAway("away")
            whole(rows)

        broken.setattr(house.store, "put_blocks", sometimes)
        with pytest.raises(StoreAway):
            corrected(house, changed)
    house.clock.now += 60
    again = house.open()
    again.start()
    plain = House(tmp_path / "plain")
    plain.bring(HISTORY)
    plain.bring([changed])
    plain.follower.start()
    said = house.store.restatements(0, 2**40, 10_000)
    expected = plain.figures()
    plain.close()

    assert expected == house.figures()
    assert len(said) == len({row[:6] for row in said})
    assert {"s2", "c"} == {row.scope for row in said}

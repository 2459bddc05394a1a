"""The running watches: a stepped, a masked and a standing sensor among good ones become events; corrections take them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from domain import civil
from domain.alarms import ALARMS
from domain.indicators import Event
from domain.readings import Reading
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from tests.lanbi.figures_house import STATIONS, House, registry

START = civil.parse_time("2025-01-01T00:00:00+08:00")
DAYS = 300
NOW = START + DAYS * civil.DAY_S + 1_800
STEP_DAY, MASKED_HOUR, STUCK_DAY, SPIKE_HOUR = 230, 24 * 280 + 6, 260, 24 * 295 + 12
KINDS = set(ALARMS) - {"class-breach"}


def levels() -> dict[str, np.ndarray]:
    """PM2.5 of five stations with a common part; the first reads 40 % too high from a day on, the second is masked for eight hours."""
    chance = np.random.default_rng(3)
    hours = 24 * DAYS
    common = np.convolve(chance.normal(0, 1, hours + 60), np.exp(-np.arange(60) / 20), "valid")[:hours]
    found = {}
    for place, name in enumerate(STATIONS):
        own = np.convolve(chance.normal(0, 1, hours + 60), np.exp(-np.arange(60) / 20), "valid")[:hours]
        found[name] = 60 * np.exp(0.12 * common + 0.02 * own + chance.normal(0, 0.08, hours) + 0.02 * place)
    found["s1"][24 * STEP_DAY :] *= 1.4
    found["s2"][MASKED_HOUR : MASKED_HOUR + 8] *= 0.15
    found["s4"][SPIKE_HOUR] = 900
    return found


def readings() -> list[Reading]:
    """Hourly rows: PM2.5 as above, NO2 of the third station standing for three days."""
    chance = np.random.default_rng(4)
    rows = []
    for name, values in levels().items():
        no2 = chance.integers(20, 60, len(values)).astype(float)
        if name == "s3":
            no2[24 * STUCK_DAY : 24 * (STUCK_DAY + 3)] = 47.0
        rows += [
            Reading("air", name, 3_600, START + 3_600 * (hour + 1), {"pm25": round(float(values[hour])), "no2": float(no2[hour])}, {}, hour)
            for hour in range(len(values))
        ]
    return rows


class Watched(House):
    """Five stations over most of a year."""

    def open(self) -> Follower:
        """A process that starts at the end of these days."""
        self.clock.now = max(self.clock.now, NOW)
        return Follower(Analyst(self.store, self.store, self.registry, ()), self.store, self.clock)

    def look(self, follower: Follower) -> None:
        """Have every place looked at."""
        while follower.analyst.watch.idle(self.clock.now):
            pass

    def alarms(self) -> list[tuple[Event, dict[str, Any]]]:
        """Events of the watches with their details."""
        rows = sorted(row for row in self.store.event_rows(-1, 2**60, 10_000) if row.kind in KINDS)
        return [(row, json.loads(row.text)) for row in rows]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """All places looked at once."""
    found = Watched(tmp_path_factory.mktemp("watched"))
    found.registry = registry()
    found.follower = found.open()
    found.bring(readings())
    found.follower.start()
    found.look(found.follower)
    yield found
    found.close()


def test_each_planted_fault_is_told_and_nothing_else(house: Watched) -> None:
    """The stepped station within five weeks, the masked one within six hours, the standing sensor; the good ones are silent."""
    told = {(row.kind, row.source): (row, more) for row, more in house.alarms()}

    assert {("step", "s1"), ("divergence", "s2"), ("stuck", "s3")} == told.keys()
    step, more = told["step", "s1"]
    assert 0 < step.time - (START + STEP_DAY * civil.DAY_S) <= 35 * civil.DAY_S
    assert 30 <= more["size"] <= 50
    assert ("pm25", "%", ["s2", "s3", "s4"]) == (more["item"], more["unit"], more["beside"])
    assert abs(civil.parse_time(more["onset"]) - (START + STEP_DAY * civil.DAY_S)) <= 5 * civil.DAY_S
    masked = told["divergence", "s2"][0]
    assert 0 < masked.time - (START + MASKED_HOUR * 3_600) <= 6 * 3_600


def test_a_standing_sensor_says_since_when_and_how_long(house: Watched) -> None:
    """Item, begin, hours and the value that stands."""
    (told,) = [(row, more) for row, more in house.alarms() if row.kind == "stuck"]

    assert ("no2", 47.0, 72.0) == (told[1]["item"], told[1]["value"], told[0].value)
    assert civil.iso(START + STUCK_DAY * civil.DAY_S + 3_600) == told[1]["onset"]


def test_each_finding_says_what_it_does_to_the_day_and_the_year(house: Watched) -> None:
    """The step of 40 % makes the day and the year higher than they would be; the masked hours lower."""
    effects = {
        event.kind: json.loads(event.text)["effect"] for event in house.store.event_rows(0, 2**60, 100_000) if event.kind in {"step", "divergence", "stuck"}
    }

    assert 1.3 < effects["step"]["day"] / effects["step"]["day_without"] < 1.5
    assert effects["step"]["year"] > effects["step"]["year_without"]
    assert effects["divergence"]["year"] < effects["divergence"]["year_without"]
    assert effects["stuck"]["year"] is not None


def test_a_flagged_value_says_its_rule_its_numbers_and_what_hangs_on_it(house: Watched) -> None:
    """A spike of the last days is an event with the rule's numbers and the means with and without it."""
    (told,) = [row for row in house.store.event_rows(-1, 2**60, 10_000) if row.kind == "quality-spike"]
    more = json.loads(told.text)

    assert ("s4", 1.0, "pm25", {"rate": 150.0, "share": 0.6}) == (told.source, told.value, more["item"], more["numbers"])
    assert civil.day_end(civil.day_of(START + 3_600 * (SPIKE_HOUR + 1))) == told.time
    assert 33 < more["effect"]["day"] - more["effect"]["day_without"] < 38
    assert 0 < more["effect"]["year"] - more["effect"]["year_without"] < 0.2


def test_another_start_repeats_nothing(house: Watched) -> None:
    """A process that starts again finds the same and writes no event."""
    before = house.alarms()
    again = house.open()
    again.start()
    written: list[Event] = []
    again.analyst.watch.teller.sink = Recorder(written)  # type: ignore[assignment]  only events are written here
    house.look(again)

    assert [] == written
    assert before == house.alarms()


class Recorder:
    """Notes what is written."""

    def __init__(self, written: list[Event]) -> None:
        self.written = written

    def events(self, rows: list[Event]) -> None:
        """Note events."""
        self.written += rows


def test_a_late_value_begins_a_half_done_look_anew(house: Watched) -> None:
    """A look goes piece by piece; when a value of its station comes late in between, the place waits once more and nothing of the half is told."""
    follower, desk = house.follower, house.follower.analyst.watch
    desk.load(0, house.clock.now, "")
    name = desk.queue[0]
    assert desk.idle(house.clock.now)
    assert name not in desk.queue
    time = START + 3_600 * (24 * STUCK_DAY + 1)
    house.bring([Reading("air", name, 3_600, time, {"pm25": 61.0, "no2": 33.0}, {}, 10**5)])
    assert 1 == follower.step()

    assert name in desk.queue
    house.look(follower)
    before, again = house.alarms(), house.open()
    again.start()
    house.look(again)
    assert before == house.alarms()


def test_the_hourly_look_tells_a_masked_sampler_within_six_hours(house: Watched) -> None:
    """Hours come in one by one; when four of six are masked the next hour's look tells it."""
    begin = (NOW - START) // 3_600 - 1
    hours = {name: values[-300:] for name, values in levels().items()}
    house.follower.step()
    for later in range(1, 7):
        rows = [
            Reading(
                "air",
                name,
                3_600,
                START + 3_600 * (begin + later + 1),
                {"pm25": round(float(values[later]) * (0.1 if name == "s4" else 1) + 60), "no2": 30.0 + later},
            )
            for name, values in hours.items()
        ]
        rows = [row if row.source != "s4" else Reading("air", "s4", 3_600, row.time, {"pm25": 9.0 + later}) for row in rows]
        house.bring(rows)
        house.clock.now = START + 3_600 * (begin + later + 1) + 300
        house.follower.step()
        house.clock.now += 3_000
        house.follower.step()
    told = [row for row, _ in house.alarms() if (row.kind, row.source) == ("divergence", "s4")]

    assert 1 == len(told)
    assert told[0].time <= START + 3_600 * (begin + 1) + 6 * 3_600


def test_a_correction_takes_an_alarm_back(house: Watched) -> None:
    """The standing values were wrong and are corrected: the alarm keeps its place and says withdrawn."""
    rows = [Reading("air", "s3", 3_600, START + 3_600 * (24 * STUCK_DAY + hour + 1), {"no2": 20.0 + hour % 17}, {}, 10**6) for hour in range(72)]
    pm25 = levels()["s3"]
    rows = [
        Reading(row.kind, row.source, row.span, row.time, row.values | {"pm25": round(float(pm25[24 * STUCK_DAY + place]))}, {}, row.rev)
        for place, row in enumerate(rows)
    ]  # type: ignore[operator]
    house.bring(rows)
    house.follower.step()
    house.look(house.follower)

    (told,) = [(row, more) for row, more in house.alarms() if row.kind == "stuck"]
    assert (0.0, {"withdrawn": True}) == (told[0].value, told[1])

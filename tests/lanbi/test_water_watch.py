"""The running watch over sections: probes, rules of quality and clocks become events, and each desk takes back only its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from domain import civil
from domain.indicators import Event
from domain.judgements import VERDICT, Alarm
from domain.readings import Change, Entry, Reading
from ingest.entries import announce
from lanbi.clocks import KIND
from tests.lanbi.water_house import WaterHouse

FIRST = civil.day_start(civil.parse_date("2025-03-01"))
VISIT = civil.day_start(civil.parse_date("2025-04-05")) + 13 * civil.HOUR_S


def readings(*, drift: float = 0.3) -> list[Reading]:
    """Hourly pH of a probe that drifts until a visit, with one impossible oxygen on the last day."""
    chance = np.random.default_rng(2)
    rows = []
    for hour in range(1, 24 * 40):
        time = FIRST + civil.HOUR_S * hour
        error = drift * (time - FIRST) / (VISIT - FIRST) if time <= VISIT else 0.0
        values = {
            "temp": round(15 + float(chance.normal(0, 0.3)), 2),
            "do": 21.0 if hour == 24 * 39 - 4 else round(9 + float(chance.normal(0, 0.1)), 2),
            "ph": round(8.2 + error + float(chance.normal(0, 0.005)), 2),
        }
        rows.append(Reading("water", "w1", 0, time, values, {}, 1))
    return rows


def watched(house: WaterHouse) -> dict[str, Event]:
    """Events by kind once every place has been looked at."""
    house.follower.analyst.watch.load(2025, house.clock.now, "")
    while house.follower.analyst.watch.idle(house.clock.now):
        pass
    return {event.kind: event for event in house.store.event_rows(0, 2**60, 1_000)}


def test_a_drifted_probe_and_impossible_oxygen_are_told(tmp_path: Path) -> None:
    """The device told of its calibration; the drift has its size, the oxygen its numbers and effect; a told clock stays told."""
    house = WaterHouse(tmp_path)
    house.store.events([Event(KIND, "w1", civil.day_start(civil.parse_date("2025-04-09")), 120.0, "{}")])
    house.store.enter([Entry("event", "mqtt/1", VISIT * 10**9, "d-w1", {"type": "calibration-end", "time": civil.iso(VISIT + 1_800)})])
    house.bring(readings())
    house.follower.start()
    found = watched(house)

    body = json.loads(found["probe-drift"].text)
    assert abs(body["size"] - 0.3) < 0.06 and body["item"] == "ph"
    told = json.loads(found["quality-relation"].text)
    assert ("do", 1, {"saturation": 200.0}) == (told["item"], told["records"], told["numbers"])
    assert told["effect"]["day"] > told["effect"]["day_without"]
    assert 120.0 == found[KIND].value
    house.close()


def test_alarms_that_nobody_settled_are_counted_until_somebody_does(tmp_path: Path) -> None:
    """One of the drift; judged true it still calls, judged known work it does not; a place without any has a zero."""
    house = WaterHouse(tmp_path)
    house.store.enter([Entry("event", "mqtt/1", VISIT * 10**9, "d-w1", {"type": "calibration-end", "time": civil.iso(VISIT)})])
    house.bring(readings())
    house.follower.start()
    event = watched(house)["probe-drift"]
    counts = [house.newest("sensor_alarms", "w1", "day").value]
    name = Alarm(*event[:3]).name
    for number, verdict in enumerate(("true", "known-work"), 2):
        entry = Entry(VERDICT, f"person/{number}", number, "u", {"alarm": name, "verdict": verdict, "reason": "r"})
        house.store.enter([entry])
        days: dict[int, set[str]] = {}
        announce([entry], house.registry, days)
        house.store.changes([Change(f"p{number}", 1, day, tuple(sites)) for day, sites in days.items()])
        house.follower.step()
        counts.append(house.newest("sensor_alarms", "w1", "day").value)

    assert [1.0, 1.0, 0.0] == counts
    assert 0.0 == house.newest("sensor_alarms", "w2", "day").value
    house.close()


def test_without_a_visit_nobody_knows_of_a_drift(tmp_path: Path) -> None:
    """The same step with nobody there is a level shift."""
    house = WaterHouse(tmp_path)
    house.bring(readings())
    house.follower.start()

    assert {"probe-shift"} == {kind for kind in watched(house) if kind.startswith("probe")}
    house.close()

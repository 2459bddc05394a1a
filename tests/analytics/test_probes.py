"""Water probes seen alone: drifts that a visit ends, shifts without a visit, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analytics.jobs import probes as jobs
from analytics.water import probes
from analytics.water.probes import LIMITS, Probe, Visit
from analytics.water.records import NAMES, Day
from bench.parts import probes as bench
from domain import civil
from domain.readings import Entry
from scripts.readme import DEV
from tests.ingest.county import county

START = civil.parse_time("2025-03-01T00:00:00+08:00")
STEP = 900
DAYS = 40
TIME = START + STEP * np.arange(1, DAYS * 96 + 1, dtype=np.int64)
VISIT = START + 30 * civil.DAY_S + 13 * 3_600


def water(seed: int = 1, usual: float = 8.4, swing: float = 0.25) -> np.ndarray:
    """PH that breathes with the day, to two decimals."""
    chance = np.random.default_rng(seed)
    slow = np.cumsum(chance.normal(0, 0.002, len(TIME)))
    return np.round(usual + swing * np.sin(2 * np.pi * TIME / 86_400) + slow - slow.mean() + chance.normal(0, 0.004, len(TIME)), 2)


def drifted(size: float, begin: int = START, end: int = VISIT) -> np.ndarray:
    """The same water seen by a probe that drifts straight from zero to a size at a visit."""
    inside = (begin < TIME) & (end >= TIME)
    return np.round(water() + np.where(inside, size * (TIME - begin) / (end - begin), 0), 2)


def of(values: np.ndarray) -> Probe:
    """A pH probe's readings."""
    return probes.probe("ph", TIME, values)


@pytest.mark.parametrize("size", [0.2, -0.2, 0.08, -0.6])
def test_a_visit_finds_the_drift_before_it(size: float) -> None:
    """Its size at the end within a fifth, and the time at which it shows; the visit was written down two hours later."""
    (found,) = probes.intervals(of(drifted(size)), [Visit(VISIT + 7_200, VISIT + 7_200)])

    assert found.size == pytest.approx(size, rel=0.2, abs=0.012)
    assert abs(found.end - VISIT) <= STEP


def test_a_good_probe_has_no_drift_and_says_what_it_could_have_found() -> None:
    """A visit that changes nothing: no size, and the smallest that would have been told."""
    (found,) = probes.intervals(of(water()), [Visit(VISIT, VISIT)])

    assert found.size is None and 0.01 < found.least < 0.08


def test_a_visit_resets_the_baseline() -> None:
    """Two visits, two drifts: the second begins at the first, and a visit of two hours is one."""
    second = VISIT + 7 * civil.DAY_S
    values = np.where(TIME <= VISIT, drifted(0.3), drifted(-0.3, VISIT, second))
    first, later = probes.intervals(of(values), [Visit(VISIT, VISIT), Visit(VISIT + 7_200, VISIT + 7_200), Visit(second, second)])

    assert (START + STEP, VISIT + 7_200) == (first.begin, later.begin)
    assert [0.3, -0.3] == pytest.approx([first.size, later.size], rel=0.2)


def test_a_probe_out_of_the_water_is_no_step() -> None:
    """During the visit it hangs in air and in buffers: the readings before and after count."""
    values = drifted(0.2)
    values[(TIME > VISIT) & (TIME <= VISIT + 2_700)] = [0.0, 4.0, 12.9]
    (found,) = probes.intervals(of(values), [Visit(VISIT, VISIT)])

    assert found.size == pytest.approx(0.2, rel=0.25)


def test_a_shift_without_a_visit_is_told_and_one_with_a_visit_is_not() -> None:
    """PH falls by 0.4 for good: told once with its size; at a visit it is the visit's."""
    values = water() - np.where(TIME > VISIT, 0.4, 0)
    (shift,) = probes.shifts("ph", of(values), [])

    assert (VISIT + STEP, -0.4) == (shift.time, pytest.approx(shift.size, abs=0.05))
    assert [] == list(probes.shifts("ph", of(values), [Visit(VISIT, VISIT)]))


def test_a_spike_and_a_days_breath_are_no_shift() -> None:
    """One wild reading comes back, and the day's swing is no step; a registered limit above the step tells nothing."""
    spike = water()
    spike[len(TIME) // 2] += 0.9
    step = water() - np.where(TIME > VISIT, 0.4, 0)

    assert [] == list(probes.shifts("ph", of(spike), []))
    assert [] == list(probes.shifts("ph", of(step), [], LIMITS._replace(ph=0.5)))


def test_conductivity_between_records_hours_apart_is_weather() -> None:
    """A fall by a fifth from one quarter of an hour to the next is a shift; of four-hourly records nobody can tell it from rain."""
    values = water(usual=800, swing=3) - np.where(TIME > VISIT, 160, 0)
    whole, sparse = (probes.probe("cond", TIME[::step], values[::step]) for step in (1, 16))

    assert 1 == len(list(probes.shifts("cond", whole, [])))
    assert [] == list(probes.shifts("cond", sparse, []))


@pytest.mark.parametrize("count", [0, 1, 20])
def test_too_little_is_known_of_the_water(count: int) -> None:
    """A new probe: nothing is told, nothing breaks."""
    few = probes.probe("ph", TIME[:count], water()[:count])

    assert ([], []) == (list(probes.intervals(few, [Visit(VISIT, VISIT)])), list(probes.shifts("ph", few, [])))


def days(values: np.ndarray, flags: np.ndarray | None = None) -> dict[int, Day]:
    """A section's days out of pH readings."""
    table = np.full((len(TIME), len(NAMES)), np.nan)
    letters = np.zeros(table.shape, np.uint8)
    table[:, NAMES.index("ph")], letters[:, NAMES.index("ph")] = values, ord("N") if flags is None else flags
    numbers = civil.day_of_array(TIME)
    return {int(day): Day(TIME[numbers == day], table[numbers == day], letters[numbers == day], (), (), ()) for day in np.unique(numbers)}


def test_flags_of_calibration_are_visits_and_the_effect_is_told() -> None:
    """Readings flagged C end the drift; the event tells size, interval, rate, and the means with and without it."""
    flags = np.where((TIME > VISIT) & (TIME <= VISIT + 1_800), ord("C"), ord("N")).astype(np.uint8)
    values = np.where(flags == ord("C"), np.nan, drifted(0.3))
    (event,) = jobs.findings("w", days(values, flags), (), LIMITS)

    body = json.loads(event.text)
    assert ("probe-drift", "w", pytest.approx(0.3, rel=0.2)) == (event.kind, event.source, event.value)
    assert ("ph", pytest.approx(0.01, rel=0.25)) == (body["item"], body["per_day"])
    assert pytest.approx(0.3 * 13 / 24, rel=0.25) == body["effect"]["day"] - body["effect"]["day_without"]
    assert pytest.approx(0.15 * 30.5 / 40, rel=0.25) == body["effect"]["year"] - body["effect"]["year_without"]


def test_visits_are_what_devices_tell_of_their_sources() -> None:
    """By the named source, else the device's only one; other events, and a device with several sources that names none, are no visit."""
    registry = county()
    device = next(one for one in registry.devices.values() if len(one.sources.newest) == 1)
    entry = Entry("event", "mqtt/1", VISIT * 10**9, device.id, {"type": "calibration-end", "time": civil.iso(VISIT - 600)})
    others = [replace_body(entry, {"type": "power-up"}), replace_body(entry, {"type": "maintenance", "source": "w9"})]

    (own,) = device.sources.newest
    assert {own: [Visit(VISIT - 600, VISIT - 600)], "w9": [Visit(VISIT, VISIT)]} == jobs.told([entry, *others], registry)


def replace_body(entry: Entry, body: dict[str, str]) -> Entry:
    """The same event with other words."""
    return entry._replace(body=body)


def test_registered_limits_are_taken() -> None:
    """Each key of the registry is a limit."""
    from domain.watch import Watch

    assert jobs.limits(Watch()) == LIMITS
    assert 0.3 == jobs.limits(replace(Watch(), probe_ph="0.3")).ph


@pytest.mark.skipif(not (Path(DEV) / bench.RECORD).is_file(), reason="public data not present: ../shared/data/dev")
def test_real_drifts_of_technicians_are_found() -> None:
    """Main Street 2019: seven of nine listed drifts within a fifth, one with another size, one beyond the record; false alarms are few."""
    rows = bench.measure(Path(DEV))
    verdicts = [str(row["verdict"]) for row in rows if "verdict" in row]

    assert (9, 7) == (len(verdicts), verdicts.count("within 20 %"))
    assert all(float(str(row["false_per_sensor_month"])) <= 0.2 for row in rows if "false_per_sensor_month" in row)

"""Drift watches: planted faults are found and named, quiet stations stay quiet."""

from __future__ import annotations

import numpy as np
import pytest

from analytics import drift
from bench.drift import STATIONS, _ar, county
from bench.parts import beijing
from scripts.readme import DEV

Floats = drift.Floats
YEARS = 2
TABLE = county(500, YEARS)
DAY = 500


def alarms(station: int, hours: Floats) -> list[drift.Drift]:
    """Drifts of one station among eleven sound ones."""
    return drift.find("pm25", hours, drift.proxy(TABLE, station, range(STATIONS)))


def faulty(station: int, factor: Floats | float, extra: float = 0.0) -> Floats:
    """A station's hours with a fault from the day on."""
    hours = TABLE[:, station].copy()
    hours[24 * DAY :] = hours[24 * DAY :] * factor + extra
    return hours


@pytest.mark.parametrize(("factor", "size"), [(1.4, 0.4), (0.65, -0.35)])
def test_a_step_is_found_with_its_size(factor: float, size: float) -> None:
    """A changed gain is found at every station within ninety days, and at nine of twelve dated to a week and sized to a third."""
    found = [[one for one in alarms(station, faulty(station, factor)) if DAY <= one.detected <= DAY + 90] for station in range(STATIONS)]

    assert all(found)
    assert 9 <= sum(one[0].kind == "step" and abs(one[0].onset - DAY) <= 7 and abs(one[0].size - size) <= abs(size) / 3 for one in found)


def test_a_ramp_is_found() -> None:
    """A gain that grows by half a percent a day is found and called a ramp."""
    growth = 1 + 0.005 * np.arange(24 * (365 * YEARS - DAY)) / 24
    found = [one for one in alarms(5, faulty(5, growth)) if one.detected >= DAY]

    assert "ramp" == found[0].kind and found[0].size > 0


def test_an_offset_is_told_in_its_unit() -> None:
    """A constant added is an offset of about that many units."""
    found = [one for one in alarms(2, faulty(2, 1.0, 25.0)) if one.detected >= DAY]

    assert "offset" == found[0].kind
    assert found[0].size == pytest.approx(25, rel=0.34)


def test_a_masked_sampler_within_six_hours() -> None:
    """A fifth of what the neighbours show on a bad day is a divergence within six hours."""
    hours = TABLE[:, 1].copy()
    beside = drift.proxy(TABLE, 1, range(STATIONS))
    calm = np.lib.stride_tricks.sliding_window_view(np.nan_to_num(beside), 8).min(axis=1)
    at = 24 * 200 + int(np.argmax(calm[24 * 200 :] > 70))
    hours[at : at + 8] *= 0.2
    found = [one for one in alarms(1, hours) if one.kind == "divergence"]

    assert 1 == len(found)
    assert at <= found[0].onset and found[0].detected - at < 6
    assert found[0].size == pytest.approx(-0.8, abs=0.12)


def test_quiet_stations_stay_quiet() -> None:
    """Twelve sound stations over two years bring at most one alarm a station-year over all, and none before there is a baseline."""
    found = [one for station in range(STATIONS) for one in alarms(station, TABLE[:, station])]

    assert len(found) <= STATIONS * YEARS // 2
    assert all(one.detected >= drift.LAG + drift.LEARN for one in found if one.kind != "divergence")


def test_season_and_dust_cancel() -> None:
    """What moves all stations together is no drift."""
    wave = 1 + 0.8 * np.sin(np.arange(len(TABLE)) / 2_000)
    table = TABLE * wave[:, None]
    plain = [one.detected for one in alarms(0, TABLE[:, 0]) if one.kind != "divergence"]
    moved = drift.find("pm25", table[:, 0], drift.proxy(table, 0, range(STATIONS)))

    assert len([one for one in moved if one.kind != "divergence"]) <= len(plain) + 1


def test_proxy_is_the_median_of_the_others() -> None:
    """A station is never its own neighbour; fewer than half of the neighbours are no proxy."""
    table = np.array([[9.0, 1, 2, 3], [9, np.nan, np.nan, 3], [9, 1, np.nan, 4]])

    assert [2.0, None, 2.5] == [None if np.isnan(value) else float(value) for value in drift.proxy(table, 0, range(4))]


def test_trailing_median_never_looks_ahead() -> None:
    """A prefix gives the prefix of the result, and the lag keeps the newest days out."""
    values = np.arange(200.0)
    whole = drift.trailing(values)

    assert np.array_equal(whole[:150], drift.trailing(values[:150]), equal_nan=True)
    assert float(np.median(values[: 120 - drift.LAG + 1])) == whole[120]


@pytest.mark.skipif(not (DEV / beijing.RECORD).is_file(), reason="public data not present: ../shared/data/dev")
def test_faults_of_a_real_station_are_found() -> None:
    """Beijing's Wanliu with simulated neighbours: at least 11 of 12 steps within a median of 17 days, 8 of 12 ramps, at most half a false alarm a year."""
    rows = {str(row["case"]): row for row in beijing.measure(DEV, _ar)}

    for gain in ("Wanliu gain ×1.3", "Wanliu gain ×0.7"):
        assert int(str(rows[gain]["found"])) >= 11 and float(str(rows[gain]["median_delay"])) <= 17
    assert int(str(rows["Wanliu ramp +0.3 %/d"]["found"])) >= 8
    assert float(str(rows["Wanliu without a fault"]["false_per_station_year"])) <= 0.5


def test_trailing_medians_equal_medians_one_by_one() -> None:
    """Windows that are sorted together give what numpy gives for each: odd and even counts, gaps, the beginning, and none below forty."""
    chance = np.random.default_rng(5)
    values = chance.normal(size=3_000)
    values[chance.random(3_000) < 0.6] = np.nan
    values[400:900] = np.nan
    found = drift.trailing(values, 101, 7)
    windows = [values[max(0, day - 7 - 100) : max(0, day - 7 + 1)] for day in range(len(values))]
    wanted = [np.nanmedian(one) if (~np.isnan(one)).sum() >= drift.LEARN else np.nan for one in windows]

    assert np.array_equal(found, np.array(wanted), equal_nan=True)
    assert 100 < np.isnan(found).sum() < 2_900


def test_months_of_a_few_days_say_nothing() -> None:
    """A departure from the first year is told by months of which half is there; by every fourth day it is not."""
    ratio = np.random.default_rng(6).normal(0, 0.02, 800)
    ratio[400:] += 0.5
    sparse = ratio.copy()
    sparse[365:][np.arange(435) % 4 > 0] = np.nan

    assert ["ramp"] == [one.kind for one in drift._slow("pm25", ratio, drift.LIMITS)]
    assert [] == drift._slow("pm25", sparse, drift.LIMITS)

"""The simulated county beside real series: mean, spread, memory and neighbours are alike, where the public data is at hand."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from domain.civil import day_end, day_number, day_start, parse_date, year_days
from edge_sim.air import AirSignal
from edge_sim.meters import MeterSignal
from edge_sim.noise import Floats, Ints, Noise
from edge_sim.occasions import NEW_YEAR
from edge_sim.water import NUTRIENTS
from tests.edge_sim.small_county import meter

DEV = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev"
pytestmark = pytest.mark.skipif(not DEV.is_dir(), reason="public data not present: ../shared/data/dev")

NAMES = {"pm25": "PM2.5", "pm10": "PM10", "so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3"}


def slots(first: int, last: int, step: int) -> Ints:
    """End labels of whole civil days."""
    return np.arange(day_start(first) + step, day_end(last) + 1, step, dtype=np.int64)


def memory(values: Floats, lag: int) -> float:
    """Autocorrelation at a lag, over pairs that are both there."""
    early, late = values[:-lag], values[lag:]
    there = ~np.isnan(early) & ~np.isnan(late)
    return float(np.corrcoef(early[there], late[there])[0, 1])


def unseasoned(values: Floats) -> Floats:
    """Logarithms less the mean of their thirty days: how high a year's winter rises is a county's own."""
    months = np.log(values[: len(values) // 720 * 720]).reshape(-1, 720)
    return np.asarray((months - np.nanmean(months, axis=1, keepdims=True)).ravel())


@pytest.fixture(scope="module")
def real_air() -> dict[str, Floats]:
    """Two years of hours of one real station by item, zeros and gaps as NaN."""
    table = pq.read_table(DEV / "prsa_wanliu_2014_2015.parquet")
    columns = {item: np.array(table.column(name).to_pylist(), np.float64) for item, name in NAMES.items()}
    return {item: np.where(values > 0, values, np.nan) for item, values in columns.items()}


@pytest.fixture(scope="module")
def simulated_air() -> dict[str, Floats]:
    """Two simulated years of one station."""
    return AirSignal(Noise(3), "s").hours(slots(year_days(2024)[0], year_days(2025)[1], 3600))


@pytest.mark.parametrize("item", list(NAMES))
def test_air_spreads_and_remembers_like_a_real_station(item: str, real_air: dict[str, Floats], simulated_air: dict[str, Floats]) -> None:
    """What an hour tells of the next one, and of the same hour of the next day, is alike; nothing spreads less than 2.5 times as little.

    The real station stands in a larger city in worse years: its levels, its season and the height of its episodes are its own.
    """
    real, simulated = unseasoned(real_air[item]), unseasoned(simulated_air[item])

    assert 0.4 <= np.nanstd(simulated) / np.nanstd(real) <= 1.2
    assert memory(simulated, 1) == pytest.approx(memory(real, 1), abs=0.08)
    assert memory(simulated, 6) == pytest.approx(memory(real, 6), abs=0.2)
    assert memory(simulated, 24) == pytest.approx(memory(real, 24), abs=0.15)


def test_ozone_peaks_at_the_real_hour(real_air: dict[str, Floats], simulated_air: dict[str, Floats]) -> None:
    """The mean day of ozone has its peak and its low within two hours of the real ones."""
    real, simulated = (np.nanmean(one["o3"].reshape(-1, 24), axis=0) for one in (real_air, simulated_air))

    assert abs(int(real.argmax()) - int(simulated.argmax())) <= 2
    assert abs(int(real.argmin()) - int(simulated.argmin())) <= 3


def test_particulates_share_as_in_reality(real_air: dict[str, Floats], simulated_air: dict[str, Floats]) -> None:
    """PM2.5 is about the real part of PM10."""
    real, simulated = (float(np.nanmedian(one["pm25"] / one["pm10"])) for one in (real_air, simulated_air))

    assert simulated == pytest.approx(real, abs=0.25)


def real_neighbours() -> float:
    """Mean correlation of log PM2.5 between the live stations of one real city."""
    hours: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    with gzip.open(DEV / "liaocheng_station_hourly_202004_original.csv.gz", "rt", encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            value = row["PM2.5"].strip()
            if value.isdigit() and int(value) > 0:
                hours[row["WatchPoint"].strip()][row["Date"], int(row["Hour"])] = np.log(int(value))
    live = [one for one in hours.values() if len(one) > 50 and len(set(one.values())) > 10]
    found = []
    for at, one in enumerate(live):
        for other in live[at + 1 :]:
            both = sorted(one.keys() & other.keys())
            found.append(np.corrcoef([one[key] for key in both], [other[key] for key in both])[0, 1])
    return float(np.mean(found))


def test_neighbours_are_as_close_as_real_ones() -> None:
    """Over stretches as long as the real file (a few spring days) neighbours agree about as well as real ones."""
    times = slots(day_number(np.datetime64("2025-04-01").item()), day_number(np.datetime64("2025-04-30").item()), 3600)
    first, second = (np.log(AirSignal(Noise(3), name).hours(times)["pm25"]).reshape(-1, 24 * 6) for name in ("a", "b"))
    simulated = float(np.mean([np.corrcoef(one, other)[0, 1] for one, other in zip(first, second, strict=True)]))

    assert simulated == pytest.approx(real_neighbours(), abs=0.15)


def real_steel() -> Floats:
    """Quarter hours of a real steel works [kWh], whole days."""
    with gzip.open(DEV / "steel_industry_2018_15min.csv.gz", "rt", encoding="utf-8-sig") as lines:
        return np.array([float(row["Usage_kWh"]) for row in csv.DictReader(lines)])


def simulated_load(industry: str) -> Floats:
    """Quarter hours of a simulated meter [kWh]."""
    signal = MeterSignal(Noise(4), meter("m-1", "production"), industry)
    first, last = year_days(2025)
    edge = np.array([day_start(first)])
    return np.diff(signal.turned(np.concatenate([edge, slots(first, last, 900)]))) * 0.4


@pytest.mark.parametrize(("lag", "tolerance"), [(1, 0.15), (96, 0.3), (672, 0.3)])
def test_shift_work_remembers_like_a_real_works(lag: int, tolerance: float) -> None:
    """A works in shifts repeats itself from quarter hour to quarter hour, from day to day and from week to week as a real one does."""
    assert memory(simulated_load("machinery"), lag) == pytest.approx(memory(real_steel(), lag), abs=tolerance)


def ratio(values: Floats, some: Callable[[Floats], Floats]) -> float:
    """Mean of some quarter hours of the day over that of all."""
    return float(some(values.reshape(-1, 96)).mean() / values.mean())


def test_nights_of_shift_work_are_quiet() -> None:
    """Between two and five at night a shift works draws a small part of its mean, as a real one does."""
    real, simulated = (ratio(one, lambda days: days[:, 8:20]) for one in (real_steel(), simulated_load("machinery")))

    assert real < 0.35
    assert simulated < 0.5


def real_enterprises() -> tuple[list[int], Floats]:
    """Civil days and daily energy of eighty real enterprises: (d,), (d, 80), idle days as NaN."""
    with gzip.open(DEV / "tianchi_80_enterprises.csv.gz", "rt", encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    return [parse_date(row[0]) for row in rows], np.where(values <= 1, np.nan, values)


def test_spring_festival_is_as_deep_as_a_real_one() -> None:
    """The sum over enterprises of several industries falls over the spring festival about as far as that of eighty real ones."""
    days, table = real_enterprises()
    sums = np.nansum(table, axis=1)
    first = day_number(np.datetime64("2016-02-08").item())
    real = float(np.mean([sums[days.index(day)] for day in range(first - 2, first + 7)]) / np.median(sums))
    signals = [
        MeterSignal(Noise(4), meter(f"m-{n}", "main"), industry) for n, industry in enumerate(("textile", "food", "machinery", "wood", "cement", "steel"))
    ]
    year = np.arange(*year_days(2025), dtype=np.int64)
    total = np.sum([signal.daily(year) for signal in signals], axis=0)
    began = next(day for day in NEW_YEAR if day in year) - int(year[0])
    simulated = float(total[began - 2 : began + 7].mean() / np.median(total))

    assert simulated == pytest.approx(real, abs=0.2)


def test_days_of_an_enterprise_remember_like_real_ones() -> None:
    """From one day to the next an enterprise's energy keeps its level about as well as the median of eighty real ones."""
    _, table = real_enterprises()
    live = [np.log(column) for column in table.T if (~np.isnan(column)).mean() > 0.8]
    real = float(np.median([memory(column, 1) for column in live]))
    year = np.arange(*year_days(2025), dtype=np.int64)
    simulated = [memory(np.log(np.maximum(MeterSignal(Noise(4), meter(f"m-{n}", "main"), "textile").daily(year), 1.0)), 1) for n in range(8)]

    assert float(np.median(simulated)) == pytest.approx(real, abs=0.35)


def test_only_nutrients_are_settled_late() -> None:
    """In real records of one sampling, probes never change afterwards; what changes is what the simulated section revises."""
    seen: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    with gzip.open(DEV / "water_sections_shandong_hebei_20251118_revisions.csv.gz", "rt", encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["obs"]:
                seen[row["province"], row["city"], row["river"], row["station"], row["obs"]].append(row)
    changed = {item for rows in seen.values() for item in ("temp", "ph", "do", "cond", "turb", *NUTRIENTS) if len({row[item] for row in rows}) > 1}

    assert set(NUTRIENTS) == changed

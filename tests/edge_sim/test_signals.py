"""The simulated county: plausible, seeded, and the same from wherever it is looked at."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from domain.civil import day_end, day_start, parse_time, year_days
from domain.items import item
from domain.places import Dated, Enterprise
from edge_sim.air import AirSignal
from edge_sim.county import SimulatedCounty
from edge_sim.loads import LOADS
from edge_sim.meters import MeterSignal
from edge_sim.noise import BLOCK, LONGEST, Floats, Ints, Noise
from tests.edge_sim.small_county import meter, registry

SEEDS = range(6)
PM25_STEPS = ((0, 0), (35, 50), (75, 100), (115, 150), (150, 200), (250, 300), (350, 400), (500, 500))
O3_STEPS = ((0, 0), (100, 50), (160, 100), (215, 150), (265, 200), (800, 300))
PM10_STEPS = ((0, 0), (50, 50), (150, 100), (250, 150), (350, 200), (420, 300), (500, 400), (600, 500))


def hours(year: int) -> Ints:
    """End labels of a whole civil year."""
    first, last = year_days(year)
    return np.arange(day_start(first) + 3600, day_end(last) + 1, 3600, dtype=np.int64)


def county_air(seed: int, year: int, item_name: str) -> Floats:
    """Mean of four stations by hour."""
    stations = [AirSignal(Noise(seed), f"s{n}") for n in range(4)]
    return np.asarray(np.mean([station.hours(hours(year))[item_name] for station in stations], axis=0))


def iaqi(values: Floats, steps: tuple[tuple[int, int], ...]) -> Floats:
    """Sub-index by straight interpolation; enough to count days."""
    return np.asarray(np.interp(values, [c for c, _ in steps], [i for _, i in steps]))


def daily_aqi(seed: int, year: int) -> Floats:
    """AQI of each day from PM2.5, PM10 and ozone, the only items that decide here."""
    fine, coarse = (county_air(seed, year, name).reshape(-1, 24).mean(axis=1) for name in ("pm25", "pm10"))
    ozone = county_air(seed, year, "o3").reshape(-1, 24)
    best = np.max([ozone[:, start : start + 8].mean(axis=1) for start in range(17)], axis=0)
    return np.max([iaqi(fine, PM25_STEPS), iaqi(coarse, PM10_STEPS), iaqi(best, O3_STEPS)], axis=0)


def test_years_look_like_the_county() -> None:
    """Over six seeds: PM2.5 mean 40-45, good days 60-70 %, a few heavy days, all of them in the cold half of the year."""
    means = [county_air(seed, 2025, "pm25").mean() for seed in SEEDS]
    days = [daily_aqi(seed, 2025) for seed in SEEDS]
    heavy = [np.flatnonzero(aqi > 200) for aqi in days]

    assert 40 <= np.mean(means) <= 45
    assert all(36 <= mean <= 50 for mean in means)
    assert 60 <= np.mean([100 * (aqi <= 100).mean() for aqi in days]) <= 70
    assert 2 <= np.mean([len(found) for found in heavy]) <= 9
    assert all(day < 100 or day > 290 for found in heavy for day in found)


def test_six_pollutants_fit_together() -> None:
    """PM2.5 never exceeds PM10; ozone peaks on summer afternoons; NO2 and CO are winter's."""
    values = AirSignal(Noise(3), "s").hours(hours(2025))
    by_hour = values["o3"].reshape(-1, 24)
    summer, winter = slice(31 + 28 + 31 + 30 + 31, 31 + 28 + 31 + 30 + 31 + 60), slice(0, 50)

    assert (values["pm25"] <= values["pm10"]).all()
    assert 13 <= by_hour[summer].mean(axis=0).argmax() <= 17
    assert by_hour[summer].max(axis=1).mean() > 2 * by_hour[winter].max(axis=1).mean()
    for name in ("no2", "co", "pm25"):
        daily = values[name].reshape(-1, 24).mean(axis=1)
        assert daily[winter].mean() > 1.4 * daily[summer].mean()


def test_neighbours_share_episodes() -> None:
    """Two stations rise and fall together but are not copies."""
    first, second = (AirSignal(Noise(3), name).hours(hours(2025))["pm25"] for name in ("a", "b"))
    together = np.corrcoef(np.log(first), np.log(second))[0, 1]

    assert 0.85 < together < 0.99


def test_background_site_is_cleaner() -> None:
    """The control site lies below the assessment stations."""
    clean, usual = (AirSignal(Noise(3), "s", role).hours(hours(2025))["pm25"].mean() for role in ("background", "assessment"))

    assert clean < 0.8 * usual


def test_signal_does_not_depend_on_the_window() -> None:
    """One hour asked alone is the same number as in a whole year: a restarted fleet sees the same county."""
    county = SimulatedCounty(registry(), 7)
    times = hours(2025)[:6000]
    for source in county.sources():
        whole = county.shown(source, times)
        for at in (0, 1023, 4321, 5999):
            alone = county.shown(source, times[at : at + 1])
            for name, values in whole.items():
                np.testing.assert_equal(values[at : at + 1], alone[name], err_msg=f"{source} {name}")


def test_same_seed_same_bytes() -> None:
    """A seed names one county for ever: other seeds give other values, the same seed the same bytes."""

    def digest(seed: int) -> str:
        county = SimulatedCounty(registry(), seed)
        shown = [county.shown(source, hours(2024)[:3000]) for source in county.sources()]
        return hashlib.sha256(b"".join(values.tobytes() for columns in shown for values in columns.values())).hexdigest()

    assert digest(5) == digest(5) != digest(6)


def test_all_values_are_acceptable() -> None:
    """A year of every source lies within the hard ranges of its items."""
    county = SimulatedCounty(registry(), 11)
    for source in county.sources():
        realm = county.registry.kinds[source]
        for name, values in county.shown(source, hours(2025)).items():
            known = item(realm, name)
            assert known is not None, name
            assert known.low <= np.nanmin(values) <= np.nanmax(values) <= known.high, (source, name)


def test_gaps_are_rare_but_real() -> None:
    """Items fail alone and stations fall silent, one or two per cent in all."""
    shown = SimulatedCounty(registry(), 2).shown("a-1", hours(2025))
    missing = np.isnan(shown["pm25"])

    assert 0.002 < missing.mean() < 0.03
    assert (missing & ~np.isnan(shown["o3"])).any()


def test_lake_and_river_differ() -> None:
    """A lake reports chlorophyll and no flow, a river the other way round."""
    county = SimulatedCounty(registry(), 2)
    river, lake = (set(county.shown(name, hours(2025)[:10])) for name in ("w-1", "w-2"))

    assert {"flow"} == river - lake
    assert {"chla"} == lake - river


def test_register_counts_every_unit() -> None:
    """What the register shows differs from what it turned only by whole lengths, and both only grow."""
    signal = MeterSignal(Noise(4), meter("m-1", "production", modulus="100"), "aluminium")
    times = np.arange(parse_time("2025-03-01T00:00:00+08:00"), parse_time("2025-04-01T00:00:00+08:00"), 900, dtype=np.int64)
    turned = signal.turned(times)
    shown = np.round(signal.at(times)["register"] * 100).astype(np.int64)

    assert (np.diff(turned) >= 0).all()
    assert (turned % 10_000 == shown).all()
    assert (np.diff(shown) < 0).any()


def test_register_stays_below_maximum_power() -> None:
    """No interval holds more energy than the registered power allows: else an honest meter would look like a fault."""
    for industry in ("machinery", *LOADS):
        signal = MeterSignal(Noise(4), meter("m-1", "production"), industry)
        turned = signal.turned(np.arange(hours(2025)[0], hours(2025)[-1], 900, dtype=np.int64))

        assert 0.1 < np.diff(turned).mean() * 40 / 100 * 4 / 4000 < 0.8
        assert np.diff(turned).max() * 40 / 100 * 4 <= 4000


def test_main_meter_stays_below_the_power_of_its_production() -> None:
    """A main meter that is registered as its production carries treatment and losses too, in every quarter of an hour."""
    meters = {one.id: one for one in (meter("m-1", "production"), meter("m-2", "treatment", treats="m-1", max_power="400"), meter("m-0", "main"))}
    times = np.arange(hours(2025)[0], hours(2025)[-1], 900, dtype=np.int64)
    for industry in ("steel", "heat-and-power", "cement"):
        county = SimulatedCounty(replace(registry(), meters=meters, enterprises={"e-1": Enterprise("e-1", "厂", industry=industry)}), 5)
        turned = np.diff(county.meter("m-0").turned(times))

        assert 0.1 < turned.mean() * 40 / 100 * 4 / 4000
        assert turned.max() * 40 / 100 * 4 <= 4000


def test_treatment_follows_production() -> None:
    """A treatment meter's load follows the production it belongs to."""
    days = np.arange(year_days(2025)[0], year_days(2025)[1], dtype=np.int64)
    made, treated, other = (
        MeterSignal(Noise(4), one, "aluminium").daily(days)
        for one in (meter("m-1", "production"), meter("m-2", "treatment", treats="m-1"), meter("m-3", "production"))
    )

    assert np.corrcoef(made, treated)[0, 1] > 0.9 > np.corrcoef(made, other)[0, 1]


def test_main_meter_counts_its_parts() -> None:
    """Energy of the main meter = what production and treatment use, plus losses, over any stretch of time."""
    meters = {one.id: one for one in (meter("m-1", "production"), meter("m-2", "treatment", treats="m-1", multiplier=Dated.always("10")), meter("m-0", "main"))}
    county = SimulatedCounty(replace(registry(), meters=meters), 4)
    stretch = hours(2025)[[1000, 1007]]
    energy = {name: float(np.diff(county.meter(name).turned(stretch))[0]) * int(one.multiplier.newest) for name, one in meters.items()}

    assert energy["m-0"] == pytest.approx(1.04 * (energy["m-1"] + energy["m-2"]), abs=80)


def test_daily_register_restarts() -> None:
    """A register that restarts at midnight shows the whole day at 00:00 and little an hour later."""
    signal = MeterSignal(Noise(4), meter("m-1", "main", reset="00:00", modulus=None), "aluminium")
    midnight = parse_time("2025-03-02T00:00:00+08:00")
    before, at, after = signal.turned(np.array([midnight - 900, midnight, midnight + 3600])).tolist()

    assert before < at
    assert 0 < after < before / 10


def test_noise_has_the_asked_statistics() -> None:
    """Mean 0, spread 1 and the asked correlation time, also across blocks."""
    index = np.arange(0, 300 * BLOCK, dtype=np.int64)
    values = Noise(1).ar1("x", index, 30)
    lagged = np.corrcoef(values[:-30], values[30:])[0, 1]

    assert abs(values.mean()) < 0.05
    assert 0.95 < values.std() < 1.05
    assert abs(lagged - np.exp(-1)) < 0.03


def test_too_long_memory_is_refused() -> None:
    """A correlation time that does not fit a block would make the seams visible."""
    with pytest.raises(ValueError, match="does not fit"):
        Noise(1).ar1("x", np.arange(3, dtype=np.int64), LONGEST + 1)

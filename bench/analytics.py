"""Air analytics beside its peers: running means, AQI, days and years, percentiles, and the calculator as a whole.

Cases "from the cube" begin with integers in our layout (int32 thousandths, hours in rows), as the service holds them; cases
"from float" bring float64 [station, hour] of somebody else into that layout first, which costs more than the arithmetic.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads

fix_threads(1)
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "lanbi-bench-numba"))

import bottleneck
import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics import cube, tables
from analytics.air import days as air_days
from analytics.air import hours as air_hours
from analytics.air import years
from analytics.air.days import Days
from analytics.jobs import periods, stations
from analytics.kernels import rolling
from analytics.kernels import years as year_kernel
from domain import air
from domain.fixed import MISSING

STATIONS: Final = 100
HOURS: Final = 8_760
MEDIANS: Final = (42, 80, 12, 32, 0.8, 60)
NS: Final = 1e9
ROWS: Final = 1_000_000
_WATCHED: Final = """
import resource, subprocess, sys, time
begun = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def signals() -> npt.NDArray[np.float64]:
    """Year of hours with daily and yearly shape, gaps and outages: (hour, station, item) float64, NaN = missing."""
    generator = np.random.default_rng(1)
    hour = np.arange(HOURS)
    season = 1 + 0.45 * np.cos(2 * np.pi * hour / HOURS)
    shape = (season * (1 + 0.2 * np.sin(2 * np.pi * hour / 24)))[:, None, None]
    noise = np.zeros((HOURS, STATIONS, 6))
    kicks = 0.35 * 0.5 * generator.standard_normal(noise.shape)
    for t in range(1, HOURS):
        noise[t] = 0.93 * noise[t - 1] + kicks[t]
    values = np.round(np.array(MEDIANS) * shape * np.exp(noise), 1)
    values[generator.random(values.shape) < 0.03] = np.nan
    for station in range(STATIONS):
        for begin in generator.integers(0, HOURS - 80, 3):
            values[begin : begin + generator.integers(6, 80), station] = np.nan
    return np.minimum(values, 1_400)


def to_cube(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Thousandths with the sentinel."""
    return np.where(np.isnan(values), MISSING, np.rint(values * 1_000)).astype(np.int32)


def running_means(bench: Bench, values: npt.NDArray[np.float64], hours: npt.NDArray[np.int32]) -> None:
    """24 h means with at least 20 valid hours."""
    flat = hours.reshape(HOURS, -1)
    wide = np.ascontiguousarray(values.reshape(HOURS, -1))
    series = np.ascontiguousarray(wide.T)
    frame = pd.DataFrame(wide)
    out = np.empty(flat.shape, np.float32)
    state = rolling.State(np.empty(flat.shape[1], np.int32), np.empty(flat.shape[1], np.int16))

    def ours() -> npt.NDArray[np.float32]:
        rolling.means(flat, 24, 20, 0, state, out)
        return out

    def fresh() -> npt.NDArray[np.float32]:
        new = np.empty(flat.shape, np.float32)
        rolling.means(flat, 24, 20, 0, state, new)
        return new

    def foreign() -> npt.NDArray[np.float32]:
        rolling.means(to_cube(series).T.copy(), 24, 20, 0, state, out)
        return out

    def peer() -> npt.NDArray[np.float64]:
        found: npt.NDArray[np.float64] = bottleneck.move_mean(series, 24, 20, axis=-1)
        return found

    def pandas() -> pd.DataFrame:
        return frame.rolling(24, min_periods=20).mean()

    assert np.allclose(ours(), peer().T, rtol=1e-6, equal_nan=True)
    assert np.allclose(ours(), pandas().to_numpy(), rtol=1e-6, equal_nan=True)
    size = flat.size / NS
    for case, side, other, name in (
        ("running 24 h mean, from the cube", ours, peer, "bottleneck"),
        ("running 24 h mean, from the cube", ours, pandas, "pandas"),
        ("running 24 h mean, from the cube, fresh output", fresh, peer, "bottleneck"),
        ("running 24 h mean, from float [station, hour]", foreign, peer, "bottleneck"),
    ):
        own, others = bench.duel(side, other)
        bench.add(case, own / size, "ns a value", peer=others / size, peer_name=name)


def numpy_iaqi(values: npt.NDArray[np.float64], *, daily: bool) -> npt.NDArray[np.float64]:
    """AQI as vectorised numpy: round, interp, ceil, fmax; a float ceil, so one too high at some CO values."""
    names = tables.DAILY if daily else ("pm25", "pm10", "so2", "no2", "co", "o3")
    averages = ("24h",) * 5 + ("8h",) if daily else ("1h",) * 6
    aqi = np.full(values.shape[:-1], np.nan)
    for place, key in enumerate(zip(names, averages, strict=True)):
        points = np.array(air.RULES_2012.breakpoints[key]) / (10 if key[0] == "co" else 1)
        shown = np.round(values[..., place], 1 if key[0] == "co" else 0)
        found = np.ceil(np.interp(shown, points, air.IAQI_POINTS[: len(points)]))
        aqi = np.fmax(aqi, found)
    return aqi


def hourly_aqi(bench: Bench, values: npt.NDArray[np.float64], hours: npt.NDArray[np.int32]) -> None:
    """AQI, level and primary pollutants of every hour; the peer gives the AQI only."""
    rows = hours.reshape(-1, 6)
    floats = values.reshape(-1, 6)
    ours = air_hours.real_time(rows, 0).aqi.astype(float)
    peer = numpy_iaqi(floats, daily=False)
    wrong = int((np.where(ours < 0, np.nan, ours) != peer)[~np.isnan(peer)].sum())
    assert wrong < len(rows) / 100, "float ceil differs at some CO values only"
    own, others = bench.duel(lambda: air_hours.real_time(rows, 0), lambda: numpy_iaqi(floats, daily=False))
    bench.add(
        f"hourly AQI from the cube (peer wrong on {wrong} of {len(rows)})",
        own / len(rows) * NS,
        "ns a station-hour",
        peer=others / len(rows) * NS,
        peer_name="numpy",
    )


def our_year(hours: npt.NDArray[np.int32]) -> list[years.Running]:
    """Hours to days to running year figures of every station."""
    days = air_days.from_hours(hours)
    aqi = days.judged(np.zeros(days.shown.size // 6, np.uint8)).aqi.reshape(days.shown.shape[:2])
    return [one for (one,) in years.together(days, [aqi], 20_089)]


def pandas_year(frame: pd.DataFrame) -> dict[str, Any]:
    """The same with pandas at its best: wide frames, resample, rolling, quantile."""
    day = {item: frame[item].resample("D") for item in tables.DAILY[:5]}
    means = {item: found.mean().where(found.count() >= 20) for item, found in day.items()}
    window = frame["o3"].rolling(8, min_periods=6).mean()
    window = window[window.index.hour >= 7]
    top, number = window.resample("D").max(), window.resample("D").count()
    means["o3_8h"] = top.where((number >= 14) | (top.round() > 160))
    shown = {item: value.round(1 if item == "co" else 0) for item, value in means.items()}
    aqi = numpy_iaqi(np.stack([shown[item].to_numpy() for item in tables.DAILY], axis=-1), daily=True)
    aqi[np.isnan(shown["pm25"].to_numpy()) & np.isnan(shown["pm10"].to_numpy())] = np.nan
    return {
        "valid": (~np.isnan(aqi)).sum(axis=0),
        "good": (aqi <= 100).sum(axis=0),
        "heavy": (aqi > 200).sum(axis=0),
        "mean": means["pm25"].mean().to_numpy(),
        "others": [means[item].mean() for item in ("pm10", "so2", "no2")],
        "tops": [shown["co"].quantile(0.95), shown["o3_8h"].quantile(0.9)],
    }


def year_figures(bench: Bench, values: npt.NDArray[np.float64], hours: npt.NDArray[np.int32]) -> None:
    """Hours → days → year: good and heavy days, means and percentiles."""
    index = pd.date_range("2025-01-01", periods=HOURS, freq="h")
    wide = {item: pd.DataFrame(values[:, :, place], index=index) for place, item in enumerate((*tables.DAILY[:5], "o3"))}
    frame = pd.concat(wide, axis=1)
    ours, peer = our_year(hours), pandas_year(frame)
    assert all(abs(float(one.mean("pm25") or 0) - mean) < 1e-6 for one, mean in zip(ours, peer["mean"], strict=True))
    wrong = sum(abs(int(one.counts[-1][place]) - int(peer[name][n])) for n, one in enumerate(ours) for place, name in enumerate(("valid", "good", "heavy")))
    size = hours.size / NS
    own, others = bench.duel(lambda: our_year(hours), lambda: pandas_year(frame))
    bench.add(f"hours to days to running year figures (peer's counts off by {wrong} days)", own / size, "ns a value", peer=others / size, peer_name="pandas")


def percentiles(bench: Bench, hours: npt.NDArray[np.int32]) -> None:
    """95th percentile of 365 days at once; ours gives it for every day of the year."""
    days = air_days.from_hours(hours)
    shown = np.ascontiguousarray(days.shown.reshape(len(days.shown), -1).T)
    floats = np.where(shown < 0, np.nan, shown.astype(float))
    turned = np.ascontiguousarray(shown.T)
    columns, percent = np.arange(len(shown), dtype=np.int32), np.full(len(shown), 95, np.int32)
    table, out = np.zeros(16_384, np.int32), np.empty(turned.shape, np.int64)

    def ours() -> npt.NDArray[np.int64]:
        year_kernel.percentiles(turned, columns, percent, table, out)
        return out[-1]

    assert np.allclose(ours() / 100, np.nanpercentile(floats, 95, axis=1))
    own, others = bench.duel(ours, lambda: np.nanpercentile(floats, 95, axis=1))
    size = shown.size / NS
    bench.add("running P95 of days (peer: of the last day only)", own / size, "ns a value", peer=others / size, peer_name="numpy")


def site_year(bench: Bench, hours: npt.NDArray[np.int32]) -> None:
    """Everything that is recomputed when one value of a site changes, both rule sets."""
    site = cube.empty(2025)
    site.hours[24 * cube.BACK :] = hours[:, 0]
    at = stations.Span(site.first, 365, 365, HOURS)

    def figures() -> int:
        days: Days = stations.daily(site, 365)
        verdicts = stations.judged(days)
        shown = site.hours[24 * cube.BACK :]
        found = [
            *stations.hour_columns("a", site.first, shown),
            *stations.rolling_columns("a", site, at),
            *stations.day_columns("a", days, verdicts, at),
        ]
        both = years.under(days, [verdict.aqi for verdict in verdicts], site.first)
        for rules, running in zip(air.RULE_SETS, both, strict=True):
            found += [*stations.year_columns("a", rules.name, running, at), *periods.columns("a", rules, days, running, at)]
        return len(found)

    def core() -> None:
        days = stations.daily(site, 365)
        years.under(days, [verdict.aqi for verdict in stations.judged(days)], site.first)

    bench.add("one site-year: days, AQI and year, both rule sets", bench.solo(core) * 1e6, "µs")
    bench.add("one site-year: all stored columns (hours, days, running figures)", bench.solo(figures) * 1e6, "µs")


def calculator(bench: Bench) -> None:
    """10⁶ rows through `lanbi assess air-hourly`: the whole process, second run."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "hours.csv")
        generator = np.random.default_rng(2)
        stamps = pd.date_range("2025-01-01T01:00", periods=HOURS, freq="h").strftime("%Y-%m-%dT%H:%M:%S").tolist()
        units = generator.integers(0, 300, (ROWS, 5))
        co = generator.integers(0, 40, ROWS) / 10
        with source.open("w", encoding="utf-8") as file:
            file.write("site,time,pm25,pm10,so2,no2,co,o3\n")
            file.writelines(f"s{n // HOURS},{stamps[n % HOURS]},{a},{b},{c},{d},{co[n]},{e}\n" for n, (a, b, c, d, e) in enumerate(units.tolist()))
        command = [sys.executable, "-c", _WATCHED, sys.executable, "-m", "lanbi", "assess", "air-hourly", str(source), "-o", str(Path(folder, "out.csv"))]
        runs = []
        for _ in range(3):
            told = subprocess.run(command, check=True, cwd=Path(__file__).resolve().parent.parent, capture_output=True, text=True).stdout
            runs.append([float(word) for word in told.split()])
    seconds, peak = min(runs[1:])
    bench.add("assess air-hourly, 10⁶ rows, whole process, second run", seconds, "s")
    bench.add("assess air-hourly, 10⁶ rows, peak memory", peak, "MB")


def main() -> None:
    """Run all cases."""
    bench = Bench.start("analytics")
    values = signals()
    hours = to_cube(values)
    running_means(bench, values, hours)
    hourly_aqi(bench, values, hours)
    year_figures(bench, values, hours)
    percentiles(bench, hours)
    site_year(bench, hours)
    calculator(bench)
    bench.finish()


if __name__ == "__main__":
    main()

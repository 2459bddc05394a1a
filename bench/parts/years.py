"""Hours to days to year figures, and percentiles of daily values."""

from __future__ import annotations

import time
from typing import Any

import numbagg
import numpy as np
import pandas as pd
import polars as pl

from analytics.air import crowds, years
from analytics.air import days as air_days
from analytics.kernels import years as kernel
from bench.common import Bench
from bench.parts.air import NS, Floats, Ints
from bench.parts.aqi import by_numpy
from domain.items import AIR, DAILY

FIRST = 20_089
"""The first of January 2025."""


def ours(hours: Ints, threads: int = 1) -> list[years.Running]:
    """Running figures of every station: the state of the year at the end of each day."""
    return [one for (one,) in crowds.running(hours, (0,), FIRST, threads=threads)]


def by_wide_frames(frame: pd.DataFrame) -> dict[str, Any]:
    """Pandas at its best: wide frames, resample, rolling, quantile; the year's end only."""
    day = {item: frame[item].resample("D") for item in DAILY[:5]}
    means = {item: found.mean().where(found.count() >= 20) for item, found in day.items()}
    window = frame["o3"].rolling(8, min_periods=6).mean()
    window = window[window.index.hour >= 7]
    top, number = window.resample("D").max(), window.resample("D").count()
    means["o3_8h"] = top.where((number >= 14) | (top.round() > 160))
    return _year({item: value.to_numpy() for item, value in means.items()})


def by_long_table(table: pd.DataFrame) -> pd.Series:
    """Pandas as it is usually written: a long table, grouped by station, item and day; the daily means alone."""
    found = table.groupby(["station", "item", "day"], observed=True)["value"].agg(["mean", "count"])
    return found["mean"].where(found["count"] >= 20)


def by_polars(table: pl.DataFrame) -> pl.DataFrame:
    """The same by polars."""
    mean = pl.when(pl.col("value").count() >= 20).then(pl.col("value").mean())
    return table.group_by(["station", "item", "day"]).agg(mean)


def _year(means: dict[str, Floats]) -> dict[str, Any]:
    shown = {item: np.round(value, 1 if item == "co" else 0) for item, value in means.items()}
    aqi = by_numpy([shown[item] for item in DAILY], daily=True)
    aqi[np.isnan(shown["pm25"]) & np.isnan(shown["pm10"])] = np.nan
    return {
        "valid": (~np.isnan(aqi)).sum(axis=0),
        "good": (aqi <= 100).sum(axis=0),
        "heavy": (aqi > 200).sum(axis=0),
        "means": {item: np.nanmean(means[item], axis=0) for item in years.MEANS},
        "tops": {"co": np.nanquantile(shown["co"], 0.95, axis=0), "o3": np.nanquantile(shown["o3_8h"], 0.9, axis=0)},
    }


def run(bench: Bench, values: Floats, hours: Ints) -> None:
    """The year of 100 stations against wide frames; daily means against long tables; two threads."""
    index = pd.date_range("2025-01-01", periods=len(hours), freq="h")
    wide = {item: pd.DataFrame(values[:, :, place], index=index) for place, item in enumerate((*DAILY[:5], "o3"))}
    frame = pd.concat(wide, axis=1)
    wrong = _differences(ours(hours), by_wide_frames(frame))
    size = hours.size / NS
    mine, theirs = bench.race(lambda: ours(hours), lambda: by_wide_frames(frame))
    case = f"hours to days to year figures, ours of every day (peer's counts off by {wrong} days)"
    bench.add(case, mine / size, "ns a value", peer=theirs / size, peer_name="pandas")
    one, two = bench.race(lambda: air_days.from_hours(hours), lambda: air_days.from_hours(hours, threads=2), clock=time.perf_counter)
    bench.add("hours to days, two threads against one", two / size, "ns a value", peer=one / size, peer_name="one thread", threads=2)
    _tables(bench, values, hours, index)


def _tables(bench: Bench, values: Floats, hours: Ints, index: pd.DatetimeIndex) -> None:
    """Daily means from long tables, a tenth of the stations: that style takes long."""
    some = max(values.shape[1] // 10, 1)
    place = pd.MultiIndex.from_product([index, range(some), AIR], names=["time", "station", "item"])
    table = pd.DataFrame({"value": values[:, :some].reshape(-1)}, index=place).reset_index()
    table["day"] = table["time"].dt.floor("D")
    table["item"] = table["item"].astype("category")
    same = pl.DataFrame({name: table[name].to_numpy() if name != "item" else table[name].astype(str).tolist() for name in ("station", "item", "day", "value")})
    same = same.with_columns(pl.col("item").cast(pl.Categorical)).fill_nan(None)
    cells = np.ascontiguousarray(hours[:, :some])
    mine, first, second = bench.race(lambda: air_days.from_hours(cells), lambda: by_long_table(table), lambda: by_polars(same))
    size = cells.size / NS
    for name, theirs in (("pandas", first), ("polars", second)):
        bench.add("hours to days, against a long table (means only)", mine / size, "ns a value", peer=theirs / size, peer_name=name)


def _differences(own: list[years.Running], peer: dict[str, Any]) -> int:
    """Days by which the peer's counts are off; means and percentiles must agree."""
    for item, means in peer["means"].items():
        assert all(abs(float(one.mean(item) or 0) - mean) < 1e-6 for one, mean in zip(own, means, strict=True)), item
    for item, tops in peer["tops"].items():
        assert all(abs(float(one.percentile(item) or 0) - top) < 1e-6 for one, top in zip(own, tops, strict=True)), item
    names = ("valid", "good", "heavy")
    return sum(abs(int(one.counts[-1][place]) - int(peer[name][n])) for n, one in enumerate(own) for place, name in enumerate(names))


def percentiles(bench: Bench, hours: Ints) -> None:
    """95th percentile of 365 daily values; ours gives it at the end of every day."""
    days = air_days.from_hours(hours)
    shown = np.ascontiguousarray(days.shown.reshape(len(days.shown), -1))
    floats = np.where(shown < 0, np.nan, shown.astype(float))
    rows, frame = np.ascontiguousarray(floats.T), pd.DataFrame(floats)
    table = pl.DataFrame(floats, schema=[str(place) for place in range(floats.shape[1])]).fill_nan(None)
    columns, percent = np.arange(shown.shape[1], dtype=np.int32), np.full(shown.shape[1], 95, np.int32)
    scratch, out = np.zeros(int(shown.max()) + 2, np.int32), np.empty(shown.shape[::-1], np.int64)
    peers = {
        "numpy": lambda: np.nanpercentile(rows, 95, axis=1),
        "pandas": lambda: frame.quantile(0.95).to_numpy(),
        "polars": lambda: table.select(pl.all().quantile(0.95, interpolation="linear")).to_numpy()[0],
        "numbagg": lambda: numbagg.nanquantile(rows, 0.95, axis=-1),
    }
    kernel.percentiles(shown, columns, percent, scratch, out)
    for name, peer in peers.items():
        assert np.allclose(out[:, -1] / 100, peer()), name
    mine, *rest = bench.race(lambda: kernel.percentiles(shown, columns, percent, scratch, out), *peers.values())
    size = shown.size / NS
    for name, theirs in zip(peers, rest, strict=True):
        bench.add("95th percentile of daily values, ours after each day (peer: the last only)", mine / size, "ns a value", peer=theirs / size, peer_name=name)

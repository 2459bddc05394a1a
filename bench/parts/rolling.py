"""Running 24 h means with at least 20 valid hours."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bottleneck
import numbagg
import numpy as np
import pandas as pd
import polars as pl

from analytics import filling, rolling
from bench.common import Bench
from bench.parts.air import NS, Floats, Ints

WINDOW, LEAST = 24, 20
COPIED = 40_000_000
"""Doubles of the copy that measures the memory: far more than any cache holds."""


def sums_of_numpy(values: Floats) -> Floats:
    """Two cumulative sums and their differences, the vectorised form without a loop."""
    there = ~np.isnan(values)
    total, number = (np.cumsum(part, axis=1) for part in (np.where(there, values, 0.0), there.astype(np.int32)))
    for part in (total, number):
        part[:, WINDOW:] = part[:, WINDOW:] - part[:, :-WINDOW]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(number >= LEAST, total / number, np.nan)


def peers(wide: Floats, series: Floats) -> dict[str, Callable[[], Any]]:
    """Every peer in the layout that it likes best: (hour, series) for data frames, (series, hour) for the others."""
    frame = pd.DataFrame(wide)
    table = pl.DataFrame(wide, schema=[str(place) for place in range(wide.shape[1])]).fill_nan(None)
    return {
        "bottleneck": lambda: bottleneck.move_mean(series, WINDOW, LEAST, axis=-1),
        "numbagg": lambda: numbagg.move_mean(series, window=WINDOW, min_count=LEAST),
        "pandas": lambda: frame.rolling(WINDOW, min_periods=LEAST).mean(),
        "polars": lambda: table.select(pl.all().rolling_mean(WINDOW, min_samples=LEAST)),
        "numpy": lambda: sums_of_numpy(series),
    }


def agree(ours: Any, others: dict[str, Callable[[], Any]]) -> None:
    """All results are the same up to the float32 that charts take."""
    for name, other in others.items():
        found = other()
        found = found.to_numpy() if hasattr(found, "to_numpy") else found
        assert np.allclose(ours, found if name in {"pandas", "polars"} else found.T, rtol=1e-5, atol=1e-4, equal_nan=True), name


def run(bench: Bench, values: Floats, hours: Ints) -> None:
    """From the cube and from foreign floats, against every peer; one series; two threads; the share of the memory's speed."""
    flat = hours.reshape(len(hours), -1)
    wide = np.ascontiguousarray(values.reshape(len(hours), -1))
    series = np.ascontiguousarray(wide.T)
    out = np.empty(flat.shape, np.float32)
    others = peers(wide, series)
    agree(rolling.means(flat, out), others)
    size = flat.size / NS
    own, *rest = (seconds / size for seconds in bench.race(lambda: rolling.means(flat, out), *others.values()))
    for name, theirs in zip(others, rest, strict=True):
        bench.add("running 24 h mean, from the cube", own, "ns a value", peer=theirs, peer_name=name)
    peer = others["bottleneck"]
    for case, ours in (
        ("running 24 h mean, from the cube, new output each time", lambda: rolling.means(flat)),
        ("running 24 h mean, from foreign floats [station, hour]", lambda: rolling.means(filling.laid(series), out)),
    ):
        mine, theirs = (seconds / size for seconds in bench.race(ours, peer))
        bench.add(case, mine, "ns a value", peer=theirs, peer_name="bottleneck")
    _one(bench, flat, series)
    _share(bench, own)
    _threads(bench, flat, out)


def _one(bench: Bench, flat: Ints, series: Floats) -> None:
    """A single series, where nothing runs side by side."""
    alone, single = np.ascontiguousarray(flat[:, :1]), np.ascontiguousarray(series[:1])
    out = np.empty(alone.shape, np.float32)
    mine, theirs = bench.race(lambda: rolling.means(alone, out), lambda: bottleneck.move_mean(single, WINDOW, LEAST, axis=-1))
    size = alone.size / NS
    bench.add("running 24 h mean, one series", mine / size, "ns a value", peer=theirs / size, peer_name="bottleneck")


def _share(bench: Bench, own: float) -> None:
    """Bytes in and out of the kernel against a plain copy of this machine."""
    source, target = np.ones(COPIED), np.empty(COPIED)
    (seconds,) = bench.race(lambda: np.copyto(target, source))
    speed = 2 * source.nbytes / seconds / NS
    bench.add("memory: plain copy", speed, "GB/s")
    bench.add("running 24 h mean: share of the copy's bytes a second", 100 * 8 / own / speed, "%")


def _threads(bench: Bench, flat: Ints, out: Any) -> None:
    one, two = bench.race(lambda: rolling.means(flat, out), lambda: rolling.means(flat, out, threads=2), clock=time.perf_counter)
    size = flat.size / NS
    bench.add("running 24 h mean, two threads against one", two / size, "ns a value", peer=one / size, peer_name="one thread", threads=2)

"""A real station's two years with simulated neighbours: steps and ramps planted at twelve moments, and what is told without a fault.

Wanliu in Beijing, hourly PM2.5 of 2014 and 2015 (UCI 501, Beijing Multi-Site Air Quality, CC BY 4.0). Its neighbours follow its own
hours with a part of their own each, as large and as slow as measured between real stations; the faults are planted in the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from pyarrow import parquet

from analytics import drift

RECORD = "prsa_wanliu_2014_2015.parquet"
NEIGHBOURS = 11
WITHIN = 90
MOMENTS = tuple(range(340, 640, 25))
"""Twelve days, behind the learning and with ninety days to follow."""
FIRST_SEED = 500
FAULTS: Final[dict[str, Callable[[drift.Floats], drift.Floats]]] = {
    "gain ×1.3": lambda hours: hours * 1.3,
    "gain ×0.7": lambda hours: hours * 0.7,
    "ramp +0.3 %/d": lambda hours: hours * (1 + np.minimum(0.003 * np.arange(len(hours)) / 24, 0.6)),
}


def measure(data: Path, wave: Callable[[np.random.Generator, int, float], drift.Floats]) -> list[dict[str, object]]:
    """Rows of the table; ``wave`` makes correlated noise of unit variance: generator, hours, correlation time."""
    own = np.array(parquet.read_table(data / RECORD)["PM2.5"].to_numpy(zero_copy_only=False), float)
    # Labels are ends: the first hour belongs to the day before, so that whole civil days begin behind it.
    own = own[1:][: (len(own) - 1) // 24 * 24]
    rows: dict[str, list[float]] = {name: [] for name in FAULTS}
    false = chance = 0
    for place, moment in enumerate(MOMENTS):
        beside = _beside(own, np.random.default_rng(FIRST_SEED + place), wave)
        clean = [one.detected for one in drift.find("pm25", own, beside) if one.kind != "divergence"]
        false += len(clean)
        chance += any(0 <= day - moment <= WITHIN for day in clean)
        for name, fault in FAULTS.items():
            hours = np.concatenate([own[: 24 * moment], fault(own[24 * moment :])])
            days = [one.detected - moment for one in drift.find("pm25", hours, beside) if one.kind != "divergence" and 0 <= one.detected - moment <= WITHIN]
            rows[name].append(float(min(days, default=-1)))
    years = len(own) / 24 / 365 * len(MOMENTS)
    quiet = {"case": "Wanliu without a fault", "false_per_station_year": round(false / years, 3), "chance": chance, "of": len(MOMENTS)}
    return [*(_row(name, delays) for name, delays in rows.items()), quiet]


def _row(name: str, delays: list[float]) -> dict[str, object]:
    hits = [one for one in delays if one >= 0]
    return {"case": f"Wanliu {name}", "found": len(hits), "of": len(delays), "median_delay": float(np.median(hits)) if hits else None, "unit": "d"}


def _beside(own: drift.Floats, chance: np.random.Generator, wave: Callable[[np.random.Generator, int, float], drift.Floats]) -> drift.Floats:
    """Hourly median of the neighbours."""
    table = np.empty((len(own), NEIGHBOURS + 1))
    table[:, 0] = own
    for one in range(1, NEIGHBOURS + 1):
        part = wave(chance, len(own), chance.uniform(14, 38)) * chance.uniform(0.08, 0.28) + wave(chance, len(own), 24 * 60) * 0.05
        table[:, one] = own * np.exp(chance.normal(0, 0.1) + part + chance.normal(0, 0.12, len(own)))
    # The real station has a part of its own too: what its neighbours share among them and not with it.
    shared = np.exp(wave(chance, len(own), chance.uniform(14, 38)) * 0.15 + wave(chance, len(own), 24 * 60) * 0.05)
    table[:, 1:] *= shared[:, None]
    table[chance.random(table.shape) < 0.02] = np.nan
    return drift.proxy(table, 0, range(NEIGHBOURS + 1))

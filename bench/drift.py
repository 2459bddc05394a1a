"""Drift watches on simulated stations with planted faults: false alarms, recall within 90 days, delay; and their cost.

The stations are not lanbi's simulator's: hourly log-levels share a regional part, and each has an own part whose daily ratio to
the neighbours has a lag-1 correlation of 0.2 to 0.55 and a spread of 0.08 to 0.30, as measured on real networks. A real station with
simulated neighbours, and water probes of a real record with technicians' corrections, follow where their files are (``--data``).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from analytics import drift
from bench.parts import beijing, probes

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "dev"
Floats = drift.Floats
STATIONS = 12
WITHIN = 90
FRESH = 100
"""Seeds below this one were used to choose the limits of the watches."""


def county(seed: int, years: int) -> Floats:
    """(24·365·years, 12) PM2.5-like hours."""
    chance = np.random.default_rng(seed)
    hours = 24 * 365 * years
    season = 0.45 * np.cos(2 * np.pi * np.arange(hours) / 8_766)
    region = _ar(chance, hours, 36) * 0.5 + season
    table = np.empty((hours, STATIONS))
    for station in range(STATIONS):
        own = _ar(chance, hours, chance.uniform(14, 38)) * chance.uniform(0.08, 0.28) + _ar(chance, hours, 24 * 60) * 0.05
        table[:, station] = np.exp(np.log(45) + chance.normal(0, 0.1) + region + own + chance.normal(0, 0.12, hours))
    table[chance.random(table.shape) < 0.02] = np.nan
    return table


def _ar(chance: np.random.Generator, count: int, tau: float) -> Floats:
    phi = np.exp(-1 / tau)
    shocks = chance.normal(0, np.sqrt(1 - phi * phi), count)
    out, level = np.empty(count), chance.normal()
    for place, shock in enumerate(shocks.tolist()):
        level = phi * level + shock
        out[place] = level
    return out


FAULTS: dict[str, Callable[[Floats, int], Floats]] = {
    "gain ×1.3": lambda hours, _: hours * 1.3,
    "gain ×0.7": lambda hours, _: hours * 0.7,
    "ramp +0.3 %/d": lambda hours, _: hours * (1 + np.minimum(0.003 * np.arange(len(hours)) / 24, 0.6)),
    "offset +15": lambda hours, _: hours + 15,
    "masked ×0.2": lambda hours, _: np.concatenate([hours[:48] * 0.2, hours[48:]]),
}


def alarms(table: Floats, station: int, hours: Floats) -> list[drift.Drift]:
    """Drifts of one station."""
    return drift.find("pm25", hours, drift.proxy(table, station, range(STATIONS)))


def measure(seeds: int, years: int) -> list[dict[str, object]]:
    """Rows of the table."""
    rows: dict[str, list[float]] = {name: [] for name in FAULTS}
    chance_hits, false, masked_false = 0, 0, 0
    begun = time.process_time()
    calls = 0
    for seed in range(FRESH, FRESH + seeds):
        table = county(seed, years)
        onset = 24 * 365 * years // 2
        for station in range(STATIONS):
            clean = alarms(table, station, table[:, station])
            calls += 1
            false += sum(one.kind != "divergence" for one in clean)
            masked_false += sum(one.kind == "divergence" for one in clean)
            chance_hits += any(one.kind != "divergence" and 0 <= one.detected - onset // 24 <= WITHIN for one in clean)
            for name, fault in FAULTS.items():
                # The masked sampler waits for a polluted day: on clean days nobody can tell it.
                at = onset if "masked" not in name else onset + int(np.nanargmax(table[onset : onset + 24 * 60, station] > 120))
                hours = np.concatenate([table[:at, station], fault(table[at:, station], station)])
                rows[name].append(_delay(alarms(table, station, hours), name, at))
                calls += 1
    spent = time.process_time() - begun
    total = seeds * STATIONS
    out: list[dict[str, object]] = []
    for name, delays in rows.items():
        hits = [one for one in delays if one >= 0]
        out.append(
            {"case": name, "found": len(hits), "of": total, "median_delay": float(np.median(hits)) if hits else None, "unit": "h" if "masked" in name else "d"}
        )
    quiet = {"case": "no fault", "false_per_station_year": false / total / years, "masked_false_per_station_month": masked_false / total / years / 12}
    return [*out, quiet | {"chance": chance_hits, "of": total, "us_per_hour_value": 1e6 * spent / calls / (24 * 365 * years)}]


def _delay(found: list[drift.Drift], name: str, at: int) -> float:
    if "masked" in name:
        hits = [one.detected - at + 1 for one in found if one.kind == "divergence" and 0 <= one.detected - at < 6]
    else:
        hits = [one.detected - at // 24 for one in found if one.kind != "divergence" and 0 <= one.detected - at // 24 <= WITHIN]
    return float(min(hits)) if hits else -1.0


def main() -> int:
    """Print the table and write its rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public records")
    args = parser.parse_args()
    rows = measure(1 if args.quick else 6, 3 if args.quick else 4)
    for name, record, run in ((beijing, beijing.RECORD, lambda: beijing.measure(args.data, _ar)), (probes, probes.RECORD, lambda: probes.measure(args.data))):
        if (args.data / record).is_file():
            rows += run()
        else:
            print(f"drift  no {record} in {args.data}: {name.__doc__.splitlines()[0]} Not measured.")
    for row in rows:
        print("drift  " + "  ".join(f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()))
    if args.json:
        with args.json.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps({"bench": "drift", **row}, ensure_ascii=False) + "\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())

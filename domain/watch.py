"""Limits of the watches over sensors, as a county may register them: stations beside their neighbours, probes between calibrations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watch:
    """What decides when a sensor is told; decimals stay text until they are used."""

    drift_floor: str = "0.12"
    drift_k: str = "0.65"
    drift_h: str = "15"
    drift_slow: str = "0.25"
    masked_share: str = "0.4"
    masked_level: str = "50"
    probe_ph: str = "0.15"
    probe_do: str = "1"
    probe_cond: str = "10"
    probe_sigma: str = "8"
    probe_visit: str = "5"
    probe_hours: str = "4"

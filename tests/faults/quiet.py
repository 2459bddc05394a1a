"""Quiet campaign: a simulated year in which nothing is wrong, and a day of 5,000 devices in one process, over a real broker.

The score must be whole: nothing lost, missing, doubled or altered, no alarm, and the energy of every meter to the last digit of its
register. Any other campaign's faults mean little while this one has any.
Run it alone with ``python -m tests.faults.quiet --devices 1000``.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge_sim.line import Address
from lanbi import playing, wiring
from lanbi.clock import SystemClock
from lanbi.score.report import words
from lanbi.scoring import scored
from tests.faults.parts.house import ROOT, House, until
from tests.faults.parts.report import Asked, Finding, main

WHOLE: Final = ("lost", "missing", "doubled", "altered", "refused", "given_up")
LINES: Final = 50
"""Connections that many devices share."""
FORWARDED_S: Final = 1_200.0
METER: Final = """[[meter]]
id = "m-{0}"
enterprise = "e-{1}"
medium = "electricity"
role = "production"
unit = "kWh"
resolution = "0.01"
modulus = "1000000"
multiplier = "40"
max_power = "4000"
[[device]]
id = "d-{0}"
sources = ["m-{0}"]
format = "lanbi-json"
interval = 900
state = "accepted"
"""


@dataclass(frozen=True)
class Size:
    """Days of the sample county, and devices of the large one, which speaks for a day."""

    days: int
    devices: int


FULL: Final = Size(365, 5_000)
QUICK: Final = Size(2, 100)


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    size = QUICK if asked.quick else Size(asked.more.days, asked.more.devices)
    sample = (ROOT / "plans" / "sample-county.toml").read_text(encoding="utf-8")
    year = _played(asked.folder / "year", asked.seed, sample, size.days, 0)
    many = _played(asked.folder / "many", asked.seed, large(size.devices), 1, LINES)
    return {
        "sound": bool(year["sound"] and many["sound"]),
        "figures": [
            f"{size.days} days of the sample county: {_told(year)}",
            f"a day of {size.devices:,} devices in one process over {LINES} connections: {_told(many)}",
        ],
        "year": year,
        "many": many,
    }


def large(devices: int) -> str:
    """A county of meters, one a device, ten an enterprise."""
    firms = [f'[[enterprise]]\nid = "e-{n}"\nname = "厂{n}"\nindustry = "steel"\n' for n in range(-(-devices // 10))]
    return "".join(['[county]\nid = "large"\nname = "大县"\n', *firms, *(METER.format(n, n // 10) for n in range(devices))])


def _played(folder: Path, seed: int, county: str, days: int, lines: int) -> dict[str, Any]:
    """Quiet days at full speed, forwarded to the end, and their score."""
    folder.mkdir(parents=True)
    scenario = folder / "quiet.toml"
    scenario.write_text(f'zh = "平静"\nen = "quiet"\nbegin = "last"\ndays = {days}\n', encoding="utf-8")
    with House(folder / "house", county, store="embedded") as house:
        settings, clock = wiring.settings(str(house.config)), SystemClock()
        registry = wiring.registry(settings)
        wish = playing.Play(str(scenario), seed, 0.0, None, folder / "truth", lines)
        fleet = playing.fleet_of(playing.staged(registry, clock, wish), Address("127.0.0.1", house.broker_port, {}), clock, wish)
        begun = time.monotonic()
        fleet.run(lambda: False, lambda _: None)
        took = time.monotonic() - begun
        until(lambda: house.law()["pending"] == 0 and house.law()["received"] > 0, "the journal is forwarded", FORWARDED_S)
        found, law = words(scored(settings, folder / "truth", registry)), house.law()
    readings = found["readings"]
    whole = all(readings[name] == 0 for name in WHOLE) and readings["said"] == readings["confirmed"] == readings["stored"] > 0
    exact = float(found["energy_error"]) == 0 and found["false_alarms"] == 0
    return {"sound": bool(found["sound"] and whole and exact), "took_s": round(took, 1), "law": law, **found}


def _told(found: dict[str, Any]) -> str:
    readings = found["readings"]
    lost = ", ".join(f"{readings[name]} {name}" for name in WHOLE[:4])
    energy = f"energy error {found['energy_error']} over {len(found['energy'])} meters"
    return f"{readings['said']:,} said and confirmed in {found['took_s']:.0f} s, {lost}, {energy}, {found['false_alarms']} false alarms"


if __name__ == "__main__":
    arguments = (("--days", int, FULL.days, "days of the sample county"), ("--devices", int, FULL.devices, "devices of the large county"))
    sys.exit(main("quiet", __doc__.splitlines()[0], campaign, arguments))

"""`lanbi analyse`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanbi.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Follow one county, or compute many once."""
    parser.add_argument("--no-health", action="store_true", help="不开健康端口 no health address; lanbi run does so, because its API answers for all")
    once = parser.add_mutually_exclusive_group()
    once.add_argument("--once", action="store_true", help="算完即止 bring figures up to date once, here, and end")
    once.add_argument("--dask", metavar="ADDRESS", help="在 Dask 集群上算完即止 the same on a Dask cluster, counties side by side: tcp://HOST:8786")
    parser.add_argument("--years", metavar="A-B", help="另算哪些年 further years than this and the last, with --once or --dask: 2015-2025")
    parser.add_argument("counties", nargs="*", metavar="FILE", help="各区县的设置文件 settings of each county, with --once or --dask (default: --config)")
    parser.epilog = (
        "例 example: lanbi analyse --config lanbi.toml\n           lanbi analyse --once --years 2015-2025\n"
        "           lanbi analyse --dask tcp://10.0.0.5:8786 counties/*.toml"
    )


def run(args: argparse.Namespace) -> int:
    """Turn stored readings into figures, once or until told to stop."""
    from domain.errors import InputError
    from lanbi import wiring
    from lanbi.safety import safe

    if args.once or args.dask:
        every = [wiring.settings(file) for file in args.counties or [args.config]]
        return _once(every, args)
    if args.counties or args.years:
        raise InputError("files and years go with --once or --dask", "lanbi analyse", "add --once")
    return _follow(safe(args.config), health=not args.no_health)


def _once(every: Sequence[Settings], args: argparse.Namespace) -> int:
    from domain.sayings import both
    from lanbi import counties, wiring

    years, now = counties.years_of(args.years), wiring.clock(every[0]).now_ns() // counties.NS
    for settings in every:
        wiring.plans(settings)
    found, faults = (counties.on_dask(args.dask, every, years, now) if args.dask else counties.here(every, years, now)), 0
    for number, one in enumerate(found, 1):
        faults += bool(one.fault)
        told = (
            f"失败 failed: {both(one.fault)}"
            if one.fault
            else f"写入 written {one.written}  更正 restated {one.restated}  {one.seconds:.1f} s  {one.peak_mb:.0f} MB"
        )
        sys.stdout.write(f"{number}/{len(every)} {one.county}: {told}\n")
        sys.stdout.flush()
    return 1 if faults else 0


def _follow(settings: Settings, *, health: bool) -> int:
    from lanbi import analyse, logs, wiring
    from lanbi.clock import SystemClock
    from lanbi.health_child import HealthChild, kept
    from lanbi.processes import collect_seldom, until_told

    beside = HealthChild("analyse", settings.analyse.health, settings.file, SystemClock())
    with logs.speaking(settings.log, "analyse"), until_told() as told, kept(beside, wanted=health) as child:

        def stop() -> bool:
            child.mind()
            return told()

        wiring.plans(settings)
        collect_seldom()
        analyse.run(settings, stop)
        return told.exit_code

"""`lanbi analyse`."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """One argument of its own: everything else stands in the settings."""
    parser.add_argument("--no-health", action="store_true", help="不开健康端口 no health address; lanbi run does so, because its API answers for all")
    parser.epilog = "例 example: lanbi analyse --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Turn stored readings into figures until told to stop."""
    from lanbi import analyse, wiring
    from lanbi.clock import SystemClock
    from lanbi.health_child import HealthChild, kept
    from lanbi.processes import until_told

    settings = wiring.settings(args.config)
    wiring.plans(settings)
    health = HealthChild("analyse", settings.analyse.health, settings.file, SystemClock())
    with until_told() as told, kept(health, wanted=not args.no_health) as child:

        def stop() -> bool:
            child.mind()
            return told()

        analyse.run(settings, stop)
        return told.exit_code

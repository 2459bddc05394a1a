"""`lanbi run`."""

from __future__ import annotations

import argparse
import os


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own: everything stands in the settings."""
    parser.epilog = "例 example: lanbi run --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Run ingest, analytics and board under one supervisor."""
    from lanbi import wiring
    from lanbi.clock import SystemClock
    from lanbi.processes import address, family, free_port, say
    from lanbi.supervisor import Supervisor, lean, sole

    settings = wiring.settings(args.config)
    wiring.registry(settings)
    wiring.plans(settings)
    with sole(settings.data):
        free_port(*address(settings.http.listen))
        programs = family(settings.data, args.config, log=None, broker=settings.broker.url == "embedded")
        say(f"看板 board: http://{settings.http.listen}")
        return Supervisor(programs, SystemClock(), say, lean(os.environ)).run()

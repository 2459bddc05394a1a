"""`lanbi run`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanbi.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own: everything stands in the settings."""
    parser.epilog = "例 example: lanbi run --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Run ingest, analytics and board under one supervisor."""
    from lanbi import logs, wiring
    from lanbi.safety import safe

    settings = safe(args.config)
    with logs.speaking(settings.log, "run"):
        wiring.registry(settings)
        wiring.plans(settings)
        return _supervised(settings, args.config)


def _supervised(settings: Settings, config: str | None) -> int:
    from functools import partial

    from lanbi import logs
    from lanbi.clock import SystemClock
    from lanbi.processes import address, family, free_port, say
    from lanbi.release import marked
    from lanbi.supervisor import Supervisor, lean, sole

    with sole(settings.data):
        free_port(*address(settings.http.listen))
        marked(settings.data)
        programs = family(settings.data, config, log=None, broker=settings.broker.url == "embedded")
        say(f"看板 board: http://{settings.http.listen}")
        return Supervisor(programs, SystemClock(), partial(logs.tell, "program.ended"), lean(os.environ)).run()

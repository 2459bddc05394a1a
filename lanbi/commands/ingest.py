"""``lanbi ingest``: the ingest process alone."""

from __future__ import annotations

import argparse
import signal
from types import FrameType


def configure(parser: argparse.ArgumentParser) -> None:
    """One argument of its own: everything else stands in the settings."""
    parser.add_argument("--no-health", action="store_true", help="不开健康端口 no health address; lanbi run does so, because its API answers for all")
    parser.epilog = "例 example: lanbi ingest --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Listen and forward until SIGTERM (0) or SIGINT (130)."""
    from lanbi import ingesting, wiring
    from lanbi.processes import share_interpreter

    settings = wiring.settings(args.config)
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    share_interpreter()
    code = ingesting.run(settings, lambda: bool(asked), health=not args.no_health)
    return 130 if code == 0 and asked and asked[0] == signal.SIGINT else code

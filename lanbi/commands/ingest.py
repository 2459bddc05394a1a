"""``lanbi ingest``: the ingest process alone."""

from __future__ import annotations

import argparse
import signal
from types import FrameType


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own: everything stands in the settings."""
    parser.epilog = "例 example: lanbi ingest --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Listen and forward until SIGTERM (0) or SIGINT (130)."""
    from lanbi import ingesting, wiring

    settings = wiring.settings(args.config)
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    code = ingesting.run(settings, lambda: bool(asked))
    return 130 if code == 0 and asked and asked[0] == signal.SIGINT else code

"""`lanbi analyse`."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own: everything stands in the settings."""
    parser.epilog = "例 example: lanbi analyse --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Turn stored readings into figures until told to stop."""
    from lanbi import analyse, wiring
    from lanbi.processes import until_told

    settings = wiring.settings(args.config)
    wiring.plans(settings)
    with until_told() as told:
        analyse.run(settings, told)
        return told.exit_code

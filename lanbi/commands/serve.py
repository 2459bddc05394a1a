"""`lanbi serve`."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own: everything stands in the settings."""
    parser.epilog = "例 example: lanbi serve --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Show what is stored until told to stop."""
    from lanbi import logs, serving
    from lanbi.processes import until_told
    from lanbi.safety import safe

    settings = safe(args.config)
    with logs.speaking(settings.log, "serve"), until_told() as told:
        return serving.run(settings, told) or told.exit_code

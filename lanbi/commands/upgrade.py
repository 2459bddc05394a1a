"""``lanbi upgrade``: look first, then bring a data folder up to date; a newer one than this release can read is refused."""

from __future__ import annotations

import argparse
import json
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Two flags."""
    parser.epilog = "例 example: lanbi upgrade --dry-run\n           lanbi upgrade"
    parser.add_argument("--dry-run", action="store_true", help="只看，不改 only tell; exit code 2 if this release cannot go on with the folder")
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable")


def run(args: argparse.Namespace) -> int:
    """Tell what would be done, and do it unless it is a dry run; lanbi itself must not run on the folder meanwhile."""
    from domain.errors import SettingsError
    from lanbi import release, upgrading, wiring
    from lanbi.folders import there
    from lanbi.supervisor import sole

    settings = wiring.settings(args.config)
    todo = upgrading.steps(there(settings.data))
    lines = [step.line() for step in todo]
    sys.stdout.write(json.dumps([step._asdict() for step in todo]) + "\n" if args.json else "".join(f"{line}\n" for line in lines))
    release.admitted(settings.data)
    if refused := [step.part for step in todo if step.what == upgrading.REFUSED]:
        raise SettingsError(
            f"too new for this release: {', '.join(refused)}", str(settings.data), "install the newer lanbi, or restore a backup: docs/upgrade.md"
        )
    if args.dry_run:
        return 0
    with sole(settings.data):
        upgrading.upgrade(settings.data, todo)
    if not args.json:
        sys.stdout.write("已升级 done; 回退一个小版本不丢数据 one minor version back loses nothing\n")
    return 0

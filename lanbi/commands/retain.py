"""``lanbi retain``: tell what is past its time; with ``--yes`` remove it, and somebody answers for it."""

from __future__ import annotations

import argparse
import json
import os
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """As `lanbi journal prune`: a dry run unless told otherwise."""
    parser.epilog = "例 example: lanbi retain\n           lanbi retain --yes --person 王芳"
    parser.add_argument("--yes", action="store_true", help="确实删除 do it; without it only told")
    parser.add_argument("--dry-run", action="store_true", help="只看（默认） only tell; the default")
    parser.add_argument("--person", default="", metavar="NAME", help="负责人 who answers for it")
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable")


def run(args: argparse.Namespace) -> int:
    """Look, tell, and remove if asked to."""
    from domain.errors import InputError
    from lanbi import retention, wiring
    from lanbi.folders import there
    from lanbi.journal_files import hold

    settings = wiring.settings(args.config)
    clock = wiring.clock(settings)
    if args.yes and args.dry_run:
        raise InputError("--yes and --dry-run exclude each other", "--yes --dry-run", "write one of them")
    if args.yes and not args.person.strip():
        raise InputError("somebody must answer for it", "--person", "write --person NAME")
    store = wiring.store(settings)
    there(settings.data / "journal")
    lock = hold(settings.data / "journal" / "keeper.lock", "another process seals or moves files of this journal at this moment")
    try:
        found = retention.due(settings, store, clock)
        freed = retention.apply(settings, store, clock, found, args.person) if args.yes else 0
    finally:
        os.close(lock)
        store.close()
    told = {"removed": args.yes, "journal": [one.seal.reference for one in found.days], "hours": found.hours, "before": found.before, "freed": freed}
    words = "已删除 removed" if args.yes else "可删除 would be removed (--yes)"
    text = [f"{words}: {line}" for line in retention.lines(found, settings)]
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n" if args.json else "".join(f"{line}\n" for line in text))
    return 0

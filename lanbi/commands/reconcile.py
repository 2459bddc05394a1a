"""``lanbi reconcile``: what the journal says against what the store shows, row by row."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanbi.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi reconcile``."""
    from lanbi.commands.replay import closing

    parser.add_argument("--since", metavar="TIME", default="96h", help="此后接收的 received since: 2026-11-23, 2026-11-23T08:00, 96h, 7d (default: 96h)")
    parser.add_argument("--to", metavar="TIME", help="至此接收的 received until (default: now)")
    parser.add_argument("--repair", action="store_true", help="补写缺失和不同的行 write rows that are missing or different")
    parser.add_argument("--remove", action="store_true", help="移除日志中没有的行 take away rows that no record explains")
    parser.add_argument("--job", metavar="NAME", help="查看先前的一次 an earlier run: person/N, or night/2026-11-23")
    closing(parser)
    parser.epilog = "例 example: lanbi reconcile\n           lanbi reconcile --since 7d --repair"


def run(args: argparse.Namespace) -> int:
    """Ask, wait, tell; 1 if something is not as the journal says and was not mended."""
    from lanbi import wiring
    from lanbi.commands.replay import request
    from lanbi.folders import there

    settings = wiring.settings(args.config)
    there(settings.data)
    if args.to is None:
        args.to = "0h"
    name = args.job or request(args, settings, "reconcile", {"repair": args.repair, "remove": args.remove})
    return _finish(settings, name, as_json=args.json)


def _finish(settings: Settings, name: str, *, as_json: bool) -> int:
    from ingest.jobs import DONE
    from lanbi.replaying import plain_finding, reconciled, reconciled_lines, wait
    from lanbi.state import StateView

    job = wait(settings, name)
    view = StateView(settings.data)
    try:
        found = view.findings(job.id)
    finally:
        view.close()
    if as_json:
        sys.stdout.write(json.dumps({**reconciled(job), "items": [plain_finding(one) for one in found]}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in reconciled_lines(job, found))
    return 0 if job.state == DONE and not job.counts.get("remaining") else 1

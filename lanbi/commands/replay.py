"""``lanbi replay``: journalled readings are judged once more, what is good now is stored, and what the store lost is filled in."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanbi.settings import Settings

FAILED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi replay``."""
    parser.add_argument("--since", metavar="TIME", help="此后接收的 received since: 2026-11-23, 2026-11-23T08:00, 96h, 7d")
    parser.add_argument("--to", metavar="TIME", help="至此接收的 received until (default: all)")
    parser.add_argument("--writer", action="append", choices=("mqtt", "hj212", "import", "person"), help="只此日志 only this journal (may be repeated)")
    parser.add_argument("--source", metavar="ID", help="只此来源 only readings of this place or meter")
    parser.add_argument(
        "--registry", choices=("now", "then"), default="now", help="用现行登记册，或接收时的 judge by the newest registry, or by that of the receipt"
    )
    parser.add_argument("--job", metavar="person/N", help="等待先前的请求 wait for an earlier request instead")
    closing(parser)
    parser.epilog = "例 example: lanbi replay --since 96h\n           lanbi replay --since 2026-11-01 --to 2026-11-03 --source m-0001"


def closing(parser: argparse.ArgumentParser) -> None:
    """Arguments of everything that is asked for by name and closes with an account."""
    parser.add_argument("--person", metavar="NAME", help="责任人 who asks (default: your login)")
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable answer")


def run(args: argparse.Namespace) -> int:
    """Ask, wait, tell."""
    from domain.errors import InputError
    from lanbi import wiring
    from lanbi.folders import there

    settings = wiring.settings(args.config)
    there(settings.data)
    if args.job:
        return finish(settings, args.job, as_json=args.json)
    if args.since is None:
        raise InputError("from when on?", "--since", "write --since 96h, or --since 2026-11-23; --since 2000-01-01 takes the whole journal")
    body = {"writers": args.writer, "source": args.source, "registry": args.registry}
    return asked(args, settings, "replay", body)


def asked(args: argparse.Namespace, settings: Settings, what: str, body: dict[str, object]) -> int:
    """Journal a request with its window, and see it through."""
    return finish(settings, request(args, settings, what, body), as_json=args.json)


def request(args: argparse.Namespace, settings: Settings, what: str, body: dict[str, object]) -> str:
    """Journal a request with its window; returns the name of its job."""
    import getpass

    from domain.civil import iso
    from lanbi import wiring
    from lanbi.replaying import ask, moment

    now = wiring.clock(settings).now_ns() // 1_000_000_000
    since = None if args.since is None else iso(moment(args.since, "--since", now))
    to = None if args.to is None else iso(moment(args.to, "--to", now, end=True))
    name = ask(settings, what, {"user": args.person or getpass.getuser(), "since": since, "to": to, **body})
    sys.stderr.write(f"请求 request: {name}\n")
    return name


def finish(settings: Settings, name: str, *, as_json: bool) -> int:
    """Wait for a job and tell its account; 1 if it failed."""
    from ingest.jobs import DONE
    from lanbi.replaying import account, lines, wait

    job = wait(settings, name)
    if as_json:
        sys.stdout.write(json.dumps(account(job), ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(job))
    return 0 if job.state == DONE else FAILED

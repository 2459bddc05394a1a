"""``lanbi alarms``: alarms of sensors, sections and permit points, and what operators say of them."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanbi.alarms import Source
    from lanbi.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi alarms``."""
    parts = parser.add_subparsers(dest="part", metavar="WHAT", required=True)
    one = parts.add_parser("list", help="告警及判定 · alarms, the newest first, with the verdicts")
    one.add_argument("--since", metavar="TIME", help="自此时起 since a date or time (default: 31 days)")
    one.add_argument("--json", action="store_true", help="每行一个 JSON one JSON object a line")
    one = parts.add_parser("judge", help="判定：属实、误报、已知作业 · true, false, known-work")
    one.add_argument("alarm", metavar="ALARM", help="告警名称 its name as lanbi alarms list shows it")
    one.add_argument("verdict", choices=("true", "false", "known-work"), help="判定 the verdict")
    one.add_argument("--reason", required=True, metavar="TEXT", help="理由 why")
    one.add_argument("--person", required=True, help="责任人 who answers for it")
    one.add_argument("--document", required=True, help="依据文件 the document or record that it rests on")
    parser.epilog = "例 example: lanbi alarms judge step@sc-a01@2026-10-15T00:00:00+08:00 known-work --reason 校准 --person 王工 --document 检查单12号"


def run(args: argparse.Namespace) -> int:
    """Show, or enter."""
    from lanbi import alarms, wiring
    from lanbi.folders import there

    settings = wiring.settings(args.config)
    there(settings.data)
    store = wiring.store(settings, write=False)
    try:
        if args.part == "list":
            return _show(args, settings, store)
        signed = {"user": args.person, "reason": args.reason, "document": args.document}
        later = alarms.judge(settings, store, args.alarm, args.verdict, signed)
    finally:
        store.close()
    sys.stdout.write(f"已判定 judged {args.verdict}: {args.alarm}\n")
    if later:
        sys.stderr.write(f"已入日志，待写入数据库 journalled; it reaches the store when that answers: {later}\n")
    return 0


def _show(args: argparse.Namespace, settings: Settings, store: Source) -> int:
    from domain.judgements import Alarm
    from lanbi import alarms, wiring
    from lanbi.since import since

    now = wiring.clock(settings).now_ns() // 10**9
    found = alarms.told(store, since(args.since, now), now)
    if args.json:
        for row, word in found:
            body = {"alarm": Alarm(*row[:3]).name, "value": row.value, "text": row.text, "verdict": word._asdict() if word else None}
            sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
        return 0
    for line in alarms.lines(found, wiring.registry(settings)):
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{len(found)} 条 shown\n")
    return 0

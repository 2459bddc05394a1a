"""``lanbi clues``: clues of electricity monitoring and orders, and what people answer to them."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.places import Registry
    from domain.ports import IndicatorSource
    from lanbi.settings import Settings
    from lanbi.store import OpenStore

STATES = {"explain": "explained", "confirm": "confirmed", "reopen": "open"}
HELP = {
    "explain": "说明：企业的解释成立 · the enterprise has explained it",
    "confirm": "核实：现场确认 · somebody has looked and it was so",
    "reopen": "重开 · it is open again",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi clues``."""
    parts = parser.add_subparsers(dest="part", metavar="WHAT", required=True)
    for name, words in (("list", "用电监控线索 · clues, the newest first"), ("orders", "管控指令与回执 · orders, receipts, hours obeyed")):
        one = parts.add_parser(name, help=words)
        one.add_argument("--since", metavar="TIME", help="自此时起 since a date or time (default: 31 days)")
        one.add_argument("--json", action="store_true", help="每行一个 JSON one JSON object a line")
    for name, words in HELP.items():
        one = parts.add_parser(name, help=words)
        one.add_argument("source", metavar="ID", help="线索的表、产线或企业 the meter, line or enterprise of the clue")
        one.add_argument("time", metavar="TIME", help="线索内任一时刻 any time within the clue")
        one.add_argument("--rule", required=True, metavar="E1…E5", help="规则 the rule")
        one.add_argument("--reason", required=True, metavar="TEXT", help="理由 why")
        one.add_argument("--person", required=True, help="责任人 who answers for it")
        one.add_argument("--document", required=True, help="依据文件 the document or record that it rests on")
    one = parts.add_parser("receipt", help="回执：企业收到指令 · an enterprise confirms an order")
    one.add_argument("enterprise", metavar="ENTERPRISE", help="企业 registered enterprise")
    one.add_argument("--from", dest="begin", metavar="TIME", required=True, help="指令开始时刻 when the order begins")
    one.add_argument("--person", required=True, help="企业责任人 who confirms it")
    parser.epilog = "例 example: lanbi clues explain m-0003 '2026-05-30 21:00' --rule E1 --reason 更换滤袋 --person 王工 --document 检查单12号"


def run(args: argparse.Namespace) -> int:
    """Show, or enter."""
    from lanbi import wiring
    from lanbi.folders import there

    settings = wiring.settings(args.config)
    there(settings.data)
    store = wiring.store(settings, write=False)
    try:
        if args.part in {"list", "orders"}:
            return _show(args, store, wiring.registry(settings), wiring.clock(settings).now_ns() // 10**9)
        later = _enter(args, settings, store)
    finally:
        store.close()
    said = _words(args.part)
    sys.stdout.write(f"{said}: {getattr(args, 'source', None) or args.enterprise}\n")
    if later:
        sys.stderr.write(f"已入日志，待写入数据库 journalled; it reaches the store when that answers: {later}\n")
    return 0


def _words(part: str) -> str:
    from domain import statements

    if part == "receipt":
        return "已回执 receipt entered"
    zh, en = statements.STATES[STATES[part]]
    return f"{zh} {en}"


def _enter(args: argparse.Namespace, settings: Settings, store: IndicatorSource) -> str:
    from lanbi import clue_book

    if args.part == "receipt":
        return clue_book.receive(settings, store, args.enterprise, args.begin, args.person)
    asked = {"source": args.source, "time": args.time, "rule": args.rule, "state": STATES[args.part], "reason": args.reason}
    return clue_book.answer(settings, store, asked, {"user": args.person, "document": args.document})


def _show(args: argparse.Namespace, store: OpenStore, registry: Registry, now: int) -> int:
    from domain.clues import RULES
    from domain.details import details
    from ingest.entries import EVENT
    from lanbi import clue_book, clue_evidence
    from lanbi.since import since

    of_clues = args.part == "list"
    found = clue_book.told(store, since(args.since, now), 2**40, tuple(RULES) if of_clues else (clue_book.ORDER,))
    events = store.entered(EVENT) if of_clues and found else []
    for row in found:
        if args.json:
            logger = clue_evidence.beside(row, events) if events else []
            more = {"logger": logger} if logger else {}
            sys.stdout.write(json.dumps({"kind": row.kind, "source": row.source, **details(row.text), **more}, ensure_ascii=False) + "\n")
            continue
        shown = (clue_book.lines if of_clues else clue_book.orders)([row], registry)
        sys.stdout.writelines(f"{line}\n" for line in (*shown, *clue_evidence.lines(row, events)))
    if not args.json:
        sys.stdout.write(f"{len(found)} 条 shown\n")
    return 0

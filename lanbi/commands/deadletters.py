"""``lanbi deadletters list|show``: what was refused or is held, why, and the bytes as they came."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.ports import Refused

ALL = 2**62


def configure(parser: argparse.ArgumentParser) -> None:
    """Two verbs: list and show."""
    parser.epilog = "例 example: lanbi deadletters list --reason value-out-of-range\n           lanbi deadletters show 17"
    verbs = parser.add_subparsers(dest="verb", metavar="list|show", required=True)
    listing = verbs.add_parser("list", help="列出死信和待审 · list what was refused or is held, oldest first")
    listing.add_argument("--reason", metavar="CODE", help="只看此原因 · only this reason code")
    listing.add_argument("--after", type=int, default=0, metavar="ID", help="从此编号之后 · beyond this id")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="最多 N 条 · at most N (default 100)")
    listing.add_argument("--json", action="store_true", help="每行一个 JSON · one JSON object a line")
    showing = verbs.add_parser("show", help="查看一条和原始字节 · one of them with its bytes as they came")
    for verb in (listing, showing):
        verb.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
    showing.add_argument("id", type=int, metavar="ID")
    showing.add_argument("--json", action="store_true", help="JSON（原始字节为十六进制）· JSON (bytes in hexadecimal)")


def run(args: argparse.Namespace) -> int:
    """Print what was asked for."""
    from domain.errors import InputError
    from domain.reasons import ALL as REASONS
    from lanbi import wiring
    from lanbi.folders import there
    from lanbi.state import StateView

    if args.verb == "list" and args.limit < 1:
        raise InputError("at least one line is needed", "--limit", "write a number ≥ 1")
    if args.verb == "list" and args.reason and args.reason not in REASONS:
        what = f"no such reason: {args.reason}"
        raise InputError(what, "--reason", f"one of {', '.join(REASONS)}")
    data = there(wiring.settings(args.config).data)
    view = StateView(data)
    try:
        if args.verb == "show":
            return _show(args, view, data)
        rows = view.refused(reason=args.reason, after=args.after, limit=args.limit)
    finally:
        view.close()
    if args.json:
        sys.stdout.writelines(json.dumps({"id": number, **_plain(row)}, ensure_ascii=False) + "\n" for number, row in rows)
    else:
        sys.stdout.writelines(f"{_line(number, row)}\n" for number, row in rows)
        sys.stdout.write(f"{len(rows)} 条 shown" + ("，还有更多 there may be more: --after ID\n" if len(rows) == args.limit else "\n"))
    return 0


def _show(args: argparse.Namespace, view: Any, data: Any) -> int:
    from domain.errors import InputError
    from domain.reasons import ALL as REASONS
    from ingest.deadletters import bytes_of
    from lanbi.journal import record

    found = [row for number, row in view.refused(after=args.id - 1, limit=1) if number == args.id]
    if not found:
        what = f"no dead letter has the id {args.id}"
        raise InputError(what, "ID", "`lanbi deadletters list` shows the ids")
    row = found[0]
    source = record(data / "journal", row.writer, row.seq) if row.seq else None
    payload = bytes_of(source, row.element) if source else b""
    if args.json:
        body = {"id": args.id, **_plain(row), "bytes": payload.hex(), "message": source.payload.hex() if source else ""}
        sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
        return 0
    zh, en = REASONS.get(row.reason, ("", ""))
    sys.stdout.write(
        f"{_line(args.id, row)}\n原因 reason: {zh} · {en}\n细节 detail: {row.detail}\n主题 topic:  {row.topic}\n日志 record: {row.writer}/{row.seq}\n"
    )
    sys.stdout.write(f"原始字节 bytes as they came:\n{payload.decode(errors='backslashreplace')}\n")
    return 0


def _plain(row: Refused) -> dict[str, object]:
    from domain.civil import iso

    plain = {name: value for name, value in row._asdict().items() if name != "digest"}
    plain["received"] = iso(plain.pop("received_ns") // 10**9)
    return plain


def _line(number: int, row: Refused) -> str:
    from domain.civil import iso

    what = " ".join(part for part in (row.device, row.source, row.item or "") if part)
    return f"{number:>8}  {iso(row.received_ns // 10**9)}  {row.reason:<18}  {row.writer}/{row.seq}  {what}  {row.detail}"

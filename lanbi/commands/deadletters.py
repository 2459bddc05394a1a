"""``lanbi deadletters list|show|replay``: what was refused or is held, why, the bytes as they came, and another try."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.ports import Refused

EXAMPLES = """例 example: lanbi deadletters list --reason value-out-of-range
           lanbi deadletters show 17
           lanbi deadletters replay --reason unknown-device --since 7d"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Three verbs: list, show, replay."""
    from lanbi.commands.replay import closing

    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(dest="verb", metavar="list|show|replay", required=True)
    listing = verbs.add_parser("list", help="列出死信和待审 · list what was refused or is held, oldest first")
    showing = verbs.add_parser("show", help="查看一条和原始字节 · one of them with its bytes as they came")
    again = verbs.add_parser("replay", help="重新判定：现在合格的入库，其余不动 · judge them once more: what is good now is stored")
    for verb in (listing, showing, again):
        verb.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
    for verb in (listing, again):
        verb.add_argument("--reason", metavar="CODE", help="只看此原因 · only this reason code")
        verb.add_argument("--device", metavar="ID", help="只看此设备 · only this device")
        verb.add_argument("--since", metavar="TIME", help="此后接收的 · received since: 2026-11-23, 2026-11-23T08:00, 96h, 7d")
    listing.add_argument("--after", type=int, default=0, metavar="ID", help="从此编号之后 · beyond this id")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="最多 N 条 · at most N (default 100)")
    listing.add_argument("--all", action="store_true", help="也列出已解决的 · also those that a replay has settled")
    listing.add_argument("--json", action="store_true", help="每行一个 JSON · one JSON object a line")
    showing.add_argument("id", type=int, metavar="ID")
    showing.add_argument("--json", action="store_true", help="JSON（原始字节为十六进制）· JSON (bytes in hexadecimal)")
    again.add_argument("--to", metavar="TIME", help="至此接收的 · received until")
    again.add_argument("--id", type=int, action="append", metavar="ID", help="只此编号，可重复 · only this one (may be repeated)")
    closing(again)


def run(args: argparse.Namespace) -> int:
    """Print or do what was asked for."""
    from domain.errors import InputError
    from domain.reasons import ALL as REASONS
    from lanbi import wiring
    from lanbi.commands.replay import asked
    from lanbi.folders import there

    if args.verb == "list" and args.limit < 1:
        raise InputError("at least one line is needed", "--limit", "write a number ≥ 1")
    if args.verb != "show" and args.reason and args.reason not in REASONS:
        what = f"no such reason: {args.reason}"
        raise InputError(what, "--reason", f"one of {', '.join(REASONS)}")
    settings = wiring.settings(args.config)
    data = there(settings.data)
    if args.verb == "replay":
        return asked(args, settings, "deadletters", {"reason": args.reason, "device": args.device, "ids": args.id})
    return _show(args, data) if args.verb == "show" else _list(args, settings)


def _list(args: argparse.Namespace, settings: Any) -> int:
    from lanbi import wiring
    from lanbi.replaying import moment
    from lanbi.state import StateView

    now = wiring.clock(settings).now_ns() // 10**9
    since = moment(args.since, "--since", now) * 10**9 if args.since else 0
    view = StateView(settings.data)
    try:
        rows = view.refused(reason=args.reason, device=args.device, since_ns=since, after=args.after, limit=args.limit, resolved=args.all)
        settled = view.resolutions(number for number, _ in rows) if args.all else {}
    finally:
        view.close()
    if args.json:
        sys.stdout.writelines(json.dumps({"id": number, **_plain(row), **_settled(number, settled)}, ensure_ascii=False) + "\n" for number, row in rows)
        return 0
    sys.stdout.writelines(f"{_line(number, row)}{_mark(number, settled)}\n" for number, row in rows)
    sys.stdout.write(f"{len(rows)} 条 shown" + ("，还有更多 there may be more: --after ID\n" if len(rows) == args.limit else "\n"))
    return 0


def _show(args: argparse.Namespace, data: Any) -> int:
    from domain.errors import InputError
    from domain.reasons import ALL as REASONS
    from domain.sayings import both
    from ingest.deadletters import bytes_of
    from lanbi.journal import record
    from lanbi.state import StateView

    view = StateView(data)
    try:
        found = [row for number, row in view.refused(after=args.id - 1, limit=1, resolved=True) if number == args.id]
        settled = view.resolutions([args.id])
    finally:
        view.close()
    if not found:
        what = f"no dead letter has the id {args.id}"
        raise InputError(what, "ID", "`lanbi deadletters list --all` shows the ids")
    row = found[0]
    source = record(data / "journal", row.writer, row.seq) if row.seq else None
    payload = bytes_of(source, row.element) if source else b""
    if args.json:
        body = {"id": args.id, **_plain(row), **_settled(args.id, settled), "bytes": payload.hex(), "message": source.payload.hex() if source else ""}
        sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
        return 0
    zh, en = REASONS.get(row.reason, ("", ""))
    sys.stdout.write(
        f"{_line(args.id, row)}{_mark(args.id, settled)}\n原因 reason: {zh} · {en}\n细节 detail: {both(row.detail)}\n"
        f"主题 topic:  {row.topic}\n日志 record: {row.writer}/{row.seq}\n原始字节 bytes as they came:\n{payload.decode(errors='backslashreplace')}\n"
    )
    return 0


def _plain(row: Refused) -> dict[str, object]:
    from domain.civil import iso

    plain = {name: value for name, value in row._asdict().items() if name != "digest"}
    plain["received"] = iso(plain.pop("received_ns") // 10**9)
    return plain


def _settled(number: int, settled: Mapping[int, tuple[int, str]]) -> dict[str, object]:
    from domain.civil import iso

    return {"resolved": iso(settled[number][0] // 10**9), "replay": settled[number][1]} if number in settled else {}


def _mark(number: int, settled: Mapping[int, tuple[int, str]]) -> str:
    from domain.civil import iso

    return f"  [已解决 settled {iso(settled[number][0] // 10**9)} {settled[number][1]}]" if number in settled else ""


def _line(number: int, row: Refused) -> str:
    from domain.civil import iso
    from domain.sayings import both

    what = " ".join(part for part in (row.device, row.source, row.item or "") if part)
    return f"{number:>8}  {iso(row.received_ns // 10**9)}  {row.reason:<18}  {row.writer}/{row.seq}  {what}  {both(row.detail)}"

"""``lanbi report``: pages for people: of a day, week, month, year, of the plan, an episode, a place; and the account of one meter."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import InputError, WorkError

if TYPE_CHECKING:
    from domain import marks
    from domain.ports import Clock

WHOLE = {
    "day": ("日报，默认昨日 · a day as text to paste (default: yesterday)", "DATE"),
    "week": ("周报，至某日的七天 · seven days up to a day (default: yesterday)", "DATE"),
    "month": ("月报，默认上月 · a month (default: the last)", "MONTH"),
    "year": ("年报，默认今年 · a year (default: this)", "YEAR"),
    "plan": ("规划目标进展表 · the sheet of the plan's targets", "YEAR"),
}
PLACES = {"section": "断面报告 · a water section", "enterprise": "企业报告 · an enterprise", "station": "站点报告 · an air station"}
EXAMPLES = """例 example: lanbi report month 2026-10 -o report.html
           lanbi report station sc-a01 2026-10 -o station.xlsx
           lanbi report episode --from 2026-01-03 --to 2026-01-09 -o episode.html
           lanbi report meter m-0001 --from 2026-03-01 --to 2026-03-31"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi report``."""
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT", required=True)
    one = kinds.add_parser(
        "meter", help="一块表的账目 · the account of one meter", epilog="例 example: lanbi report meter m-0001 --from 2026-03-01 --to 2026-03-31"
    )
    one.add_argument("meter", metavar="ID", help="表号 · registered meter")
    one.add_argument("--from", dest="start", metavar="DATE", required=True, help="起始日 · first day, or a time")
    one.add_argument("--to", dest="end", metavar="DATE", required=True, help="截止日（含）· last day, included, or a time")
    one.add_argument("-o", "--output", metavar="FILE", help="输出文件 · default: standard output")
    for name, (words, meta) in WHOLE.items():
        _written(kinds, name, words).add_argument("period", metavar=meta, nargs="?", help="期间 · 2026-10-03, 2026-10, 2026Q3, 2026")
    for name, words in PLACES.items():
        place = _written(kinds, name, words)
        place.add_argument("about", metavar="ID", help="登记编号 · registered id")
        place.add_argument("period", metavar="PERIOD", nargs="?", help="期间，默认上月 · 2026-10, 2026Q3 or 2026 (default: the last month)")
    episode = _written(kinds, "episode", "重污染过程 · a heavy-pollution episode")
    episode.add_argument("--from", dest="start", metavar="DATE", required=True, help="起始日 · first day")
    episode.add_argument("--to", dest="end", metavar="DATE", required=True, help="截止日（含）· last day")
    proof = kinds.add_parser("evidence", help="证据包，可独立核对 · what a source said, with a script that checks it without lanbi")
    proof.add_argument("--source", metavar="ID", required=True, help="来源 · registered place or meter")
    proof.add_argument("--from", dest="start", metavar="DATE", required=True, help="起始日 · first day, or a time")
    proof.add_argument("--to", dest="end", metavar="DATE", required=True, help="截止日（含）· last day, included, or a time")
    proof.add_argument("--late", type=int, default=7, metavar="DAYS", help="迟到报文的天数 · late messages are looked for so long (default 7)")
    proof.add_argument("-o", "--output", metavar="FILE.zip", type=Path, required=True, help="输出文件")
    for plain in (one, proof):
        plain.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
    parser.epilog = EXAMPLES


def _written(kinds: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str) -> argparse.ArgumentParser:
    one = kinds.add_parser(name, help=words)
    one.add_argument("--format", choices=("text", "html", "xlsx"), help="格式，默认按文件名，否则文本 · default: by the file's ending, else text")
    one.add_argument("-o", "--output", metavar="FILE", help="输出文件 · default: standard output")
    one.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
    return one


def run(args: argparse.Namespace) -> int:
    """Print the report, or write it."""
    return {"meter": _meter, "evidence": _evidence}.get(args.kind, _report)(args)


def _report(args: argparse.Namespace) -> int:
    from lanbi import serving, wiring
    from lanbi.assess import files
    from lanbi.folders import there
    from lanbi.reports.kinds import KINDS
    from lanbi.reports.writing import ENDINGS, FORMATS

    settings = wiring.settings(args.config)
    there(settings.data)
    form = args.format or ENDINGS.get(Path(args.output or "").suffix.lower(), "text")
    if form == "xlsx" and not args.output:
        raise InputError("a workbook cannot go to standard output", "--output", "write -o FILE.xlsx")
    asked = _episode(args) if args.kind == "episode" else _period(args, wiring.clock(settings))
    page = KINDS[args.kind](serving.sources(settings), asked, getattr(args, "about", ""))
    files.write(args.output, FORMATS[form](page))
    return 0


def _period(args: argparse.Namespace, clock: Clock) -> marks.Period:
    """The period that was asked for, or the newest one that a report of this kind is about."""
    from domain import civil, marks

    today = civil.day_of(clock.now_ns() // 10**9)
    first_of_month = civil.date_of(today).replace(day=1)
    last_month = f"{civil.date_of(civil.day_number(first_of_month) - 1):%Y-%m}"
    newest = {
        "day": civil.date_of(today - 1).isoformat(),
        "week": civil.date_of(today - 1).isoformat(),
        "year": f"{first_of_month:%Y}",
        "plan": f"{first_of_month:%Y}",
    }
    kinds = {"day": ("day",), "week": ("day",), "month": ("month",), "year": ("year",), "plan": ("year",)}.get(args.kind, ("month", "quarter", "year"))
    try:
        found = marks.period(args.period or newest.get(args.kind, last_month))
    except ValueError as error:
        raise InputError(str(error), "PERIOD", "write 2026-10-03, 2026-10, 2026Q3 or 2026") from error
    if found.kind not in kinds:
        raise InputError(f"a report of a {args.kind} is not about a {found.kind}", "PERIOD", f"write a {' or a '.join(kinds)}")
    if found.first > today:
        raise InputError("the period has not begun", "PERIOD", "write an earlier one")
    return found


def _episode(args: argparse.Namespace) -> marks.Period:
    from domain import civil, marks

    start, end = _span(args.start, args.end)
    found = marks.Period("episode", civil.day_of(start + 1), civil.day_of(end))
    if found.last - found.first >= 62:
        raise InputError("an episode is at most 62 days long", "--to", "write an earlier last day")
    return found


def _evidence(args: argparse.Namespace) -> int:
    import sys

    from lanbi import wiring
    from lanbi.evidence.package import Packer, Wish
    from lanbi.folders import stands, there

    settings = wiring.settings(args.config)
    if not 0 <= args.late <= 400:
        raise InputError("late messages are looked for 0 to 400 days", "--late", "write a number of days")
    if args.output.is_dir():
        raise WorkError("the package cannot be written: it is a folder", str(args.output), "name a file in it")
    if stands(args.output):
        raise WorkError("the package cannot be written: it is no file", str(args.output), "name a file")
    store = wiring.store(settings, write=False)
    draft = args.output.with_name(f".{args.output.name}.{os.getpid()}.part")
    try:
        packer = Packer(there(settings.data), wiring.registry(settings), store, Wish(args.source, *_span(args.start, args.end), args.late))
        told = packer.write(draft)
        draft.replace(args.output)
    except OSError as error:
        raise WorkError(f"the package cannot be written: {error.strerror}", str(args.output), "check the folder and the free space") from error
    finally:
        store.close()
        draft.unlink(missing_ok=True)
    sys.stdout.write(f"报文 messages {told['messages']}，公钥 public key {told['public_key']}\n核对 check: python3 verify.py {args.output.name}\n")
    if not told["messages"]:
        sys.stderr.write("日志中此来源在此期间没有报文 the journal holds no message of this source in this span\n")
    return 0


def _meter(args: argparse.Namespace) -> int:
    from lanbi import wiring
    from lanbi.assess import files
    from lanbi.folders import there
    from lanbi.machine_code import prepared

    settings = wiring.settings(args.config)
    there(settings.data)
    # A read-only installation has no place for the kernels' machine code beside the source.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(prepared(settings.data)))
    from lanbi.meter_report import page

    registry = wiring.registry(settings)
    if args.meter not in registry.meters:
        raise InputError(f"no such meter: {args.meter}", "ID", "write a registered meter")
    span = _span(args.start, args.end)
    store = wiring.store(settings, write=False)
    try:
        files.write(args.output, [f"{line}\n".encode() for line in page(store, registry, args.meter, span)])
    finally:
        store.close()
    return 0


def _span(start: str, end: str) -> tuple[int, int]:
    from domain import statements

    try:
        span = statements.instant(start), statements.until(end)
    except ValueError as error:
        raise InputError(str(error), "--from, --to", "write dates 2026-03-01 or times 2026-03-01 08:00, Beijing time") from error
    if span[0] >= span[1]:
        raise InputError("the end does not lie after the start", "--to", "write a later day")
    return span

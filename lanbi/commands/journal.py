"""``lanbi journal info|verify|export|archive|prune|keep``: the raw record, as evidence and as bytes on a disk."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanbi.journal_export import Range
    from lanbi.journal_verify import Verdict
    from lanbi.settings import Settings

BROKEN = 1
MONTH = 31
EPILOG = """例 example: lanbi journal info
           lanbi journal verify --anchors seal-mail.eml
           lanbi journal export --since 2026-11-22 --to 2026-11-23 -o day.jsonl
           lanbi journal archive --to /mnt/archive --older-than 90
           lanbi journal prune --person 王芳 --yes"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Six verbs."""
    parser.epilog = EPILOG
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    info = verbs.add_parser("info", help="大小、封存、外部封印、写满天数 · sizes, seals, anchors, days until full")
    info.add_argument("--seals", action="store_true", help="打印全部封印，可留存纸质件 · print every seal, for paper")
    verify = verbs.add_parser("verify", help="核对全部记录 · check every byte, and what outside seals prove")
    verify.add_argument("--anchors", type=Path, action="append", default=[], metavar="FILE", help="保存在外的封印（邮件或文本）· seals kept outside")
    export = verbs.add_parser("export", help="导出记录为 JSON 行 · records as JSON lines")
    export.add_argument("--since", metavar="TIME", help="从此接收时间（含）· received since, included")
    export.add_argument("--to", metavar="TIME", help="到此接收时间（不含）· received before")
    export.add_argument("--first", type=int, metavar="N", help="从此序号 · from this record")
    export.add_argument("--last", type=int, metavar="N", help="到此序号 · up to this record")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="写入文件 · write to a file, whole or not at all")
    archive = verbs.add_parser("archive", help="把封存日移到另一块盘 · move sealed days to another disk; they stay readable")
    archive.add_argument("--to", type=Path, metavar="DIR", help="归档文件夹 · default: journal.archive")
    archive.add_argument("--older-than", type=int, default=MONTH, metavar="DAYS", help=f"早于几天 · older than (default {MONTH})")
    prune = verbs.add_parser("prune", help="删除超期封存日 · remove sealed days beyond journal.keep_days")
    prune.add_argument("--person", default="", metavar="NAME", help="负责人 · who answers for it")
    prune.add_argument("--yes", action="store_true", help="确实删除 · do it; without it only told")
    keep = verbs.add_parser("keep", help="立即封存和寄送 · seal, mail and make room now")
    for manner in ("--idle", "--child"):  # of the keeper in ingest
        keep.add_argument(manner, action="store_true", help=argparse.SUPPRESS)
    for verb in (info, verify, export, archive, prune, keep):
        verb.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
        if verb in {info, verify, export, archive, prune}:
            verb.add_argument("--writer", choices=("mqtt", "hj212", "import", "person"), help="只看一个来源 · only this writer")
        if verb is not export:
            verb.add_argument("--json", action="store_true", help="机器可读 · machine-readable")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    from lanbi import wiring
    from lanbi.folders import there

    settings = wiring.settings(args.config)
    there(settings.data)
    verbs = {"info": _info, "verify": _verify, "export": _export, "archive": _archive, "prune": _prune, "keep": _keep}
    return verbs[args.verb](args, settings)


def _writers(args: argparse.Namespace, settings: Settings) -> list[str]:
    from lanbi.frames import DOORS
    from lanbi.journal import files
    from lanbi.seals import seals

    folder = settings.data / "journal"
    chosen = [args.writer] if args.writer else DOORS
    return [writer for writer in chosen if files(folder, writer) or seals(folder, writer)]


def _info(args: argparse.Namespace, settings: Settings) -> int:
    from lanbi import journal_info
    from lanbi.seals import seals

    if args.seals:
        rows = [seal for writer in _writers(args, settings) for seal in seals(settings.data / "journal", writer)]
        sys.stdout.write(json.dumps({"seals": [seal.line for seal in rows]}) + "\n" if args.json else "\n".join(seal.page for seal in rows))
        return 0
    told = journal_info.info(settings)
    told["writers"] = [one for one in told["writers"] if args.writer in {None, one["writer"]}]
    _tell(args, told, journal_info.lines(told))
    return 0


def _verify(args: argparse.Namespace, settings: Settings) -> int:
    from lanbi import journal_verify, wiring
    from lanbi.progress import Progress

    folder = settings.data / "journal"
    anchors = journal_verify.read_anchors(args.anchors)
    writers = _writers(args, settings)
    missing = {one.writer for one in anchors} - set(writers) if not args.writer else set()
    verdicts = []
    for writer in [*writers, *sorted(missing)]:
        bar = Progress(f"核对 verify {writer}", journal_verify.size(folder, writer), wiring.clock(settings))
        verdicts.append(journal_verify.verify(folder, writer, anchors, bar.at))
        bar.close()
    _tell(args, {"sound": all(one.sound for one in verdicts), "writers": [_plain(one) for one in verdicts]}, list(_said(verdicts, bool(anchors))))
    return 0 if all(one.sound for one in verdicts) else BROKEN


def _plain(verdict: Verdict) -> dict[str, Any]:
    faults = [{**fault._asdict(), "path": str(fault.path)} for fault in verdict.faults]
    names = ("writer", "records", "bytes", "weak", "contradictions", "proven", "proven_by", "unproven", "sound")
    return {**{name: getattr(verdict, name) for name in names}, "files": len(verdict.stretches), "faults": faults}


def _said(verdicts: list[Verdict], anchored: bool) -> Iterator[str]:  # noqa: FBT001
    for one in verdicts:
        yield f"{one.writer}: {one.records} 条记录 records, {len(one.stretches)} 个文件 files, {one.bytes} B"
        if one.faults:
            yield f"  首条损坏 first broken record: {one.writer}/{one.faults[0].first}"
        for fault in one.faults:
            which = f"{fault.first}" if fault.first == fault.last else f"{fault.first}-{fault.last}"
            yield f"  损坏 broken: {one.writer}/{which} ({fault.lost} 条丢失 lost): {fault.path.name} 字节 byte {fault.offset}: {fault.what}"
        yield from (f"  受损但完整 damaged and still whole: {words}" for words in one.weak)
        yield from (f"  与外部封印不符 contradicts an outside seal: {words}" for words in one.contradictions)
        if one.proven:
            yield f"  已证实到 proven up to record {one.writer}/{one.proven} (外部封印 outside seal {one.proven_by}); 未证实 unproven: {one.unproven}"
        elif anchored:
            yield f"  未证实 unproven: {one.unproven}; 没有相符的外部封印 no outside seal is fulfilled"
        else:
            yield f"  未证实 unproven: {one.unproven}; 未给出外部封印 no outside seals were given (--anchors)"
    yield "完好 sound" if all(one.sound for one in verdicts) else "不完好 NOT SOUND"


def _export(args: argparse.Namespace, settings: Settings) -> int:
    from lanbi.processes import say

    losses: list[Any] = []
    _range(args)  # a wrong one is told before anything is written
    with _output(args.output) as out:
        for writer in _writers(args, settings):
            _export_writer(args, settings, writer, (out, losses))
    for loss in losses:
        say(f"损坏 damaged: {loss.path.name} 字节 byte {loss.offset}: {loss.records} 条记录不可读 records cannot be read")
    return BROKEN if losses else 0


def _export_writer(args: argparse.Namespace, settings: Settings, writer: str, to: tuple[Any, list[Any]]) -> None:
    from lanbi import journal_export, wiring
    from lanbi.journal import newest_trailer
    from lanbi.progress import Progress

    folder, (out, losses) = settings.data / "journal", to
    # On a terminal the records themselves show how far it is.
    bar = Progress(f"导出 export {writer}", newest_trailer(folder, writer).last_seq, wiring.clock(settings)) if args.output else None
    for record in journal_export.records(folder, writer, _range(args), losses):
        out.write(journal_export.line(record) + "\n")
        if bar:
            bar.at(record.seq)
    if bar:
        bar.close()


def _range(args: argparse.Namespace) -> Range:
    from domain.errors import InputError
    from lanbi.journal_export import Range

    given = Range()
    moments = {name: _moment(getattr(args, name), f"--{name}") for name in ("since", "to") if getattr(args, name)}
    wanted = Range(moments.get("since", given.since_ns), moments.get("to", given.to_ns), args.first or given.first, args.last or given.last)
    if wanted.to_ns <= wanted.since_ns or wanted.last < wanted.first or wanted.first < 1:
        raise InputError("the range is empty", "--since --to --first --last", "the end must lie behind the beginning")
    return wanted


def _moment(text: str, flag: str) -> int:
    from domain.civil import SHANGHAI, parse_time
    from domain.errors import InputError

    try:
        return parse_time(text, SHANGHAI) * 10**9
    except ValueError as error:
        raise InputError(f"not a time: {text!r}", flag, "write 2026-11-22 or 2026-11-22T08:00:00+08:00") from error


@contextmanager
def _output(path: Path | None) -> Iterator[Any]:
    """Standard output, a device or pipe, or a file that gets its name when it is whole."""
    from domain.errors import FileError
    from lanbi.folders import stands

    if path is None:
        yield sys.stdout
        return
    if stands(path):
        with path.open("w", encoding="utf-8") as out:
            yield out
        return
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("w", encoding="utf-8") as out:
            yield out
        draft.replace(path)
    except OSError as error:
        raise FileError(f"cannot be written: {error.strerror}", str(path), "check folder, room and permissions") from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _kept(settings: Settings) -> Iterator[None]:
    """Nobody seals, mails or removes meanwhile."""
    import os

    from lanbi.journal_files import hold

    lock = hold(settings.data / "journal" / "keeper.lock", "another process seals or moves files of this journal at this moment")
    try:
        yield
    finally:
        os.close(lock)


def _archive(args: argparse.Namespace, settings: Settings) -> int:
    from domain.errors import InputError
    from lanbi import journal_archive, wiring
    from lanbi.journal_removal import removable
    from lanbi.progress import Progress

    target = args.to or settings.journal.archive
    if target is None:
        raise InputError("no archive is named", "--to", "write --to DIR, or journal.archive in the settings")
    clock, folder = wiring.clock(settings), settings.data / "journal"
    with _kept(settings):
        again = journal_archive.find_again(folder, target)
        days = [one for one in removable(settings.data, clock, args.older_than) if journal_archive.is_here(one.path) and args.writer in {None, one.seal.writer}]
        bar = Progress("归档 archive", len(days), clock)
        freed = 0
        for number, one in enumerate(days, 1):
            freed += journal_archive.archive(one, target)
            bar.at(number)
        bar.close()
    rest = journal_archive.lost(folder)
    told = {"archived": len(days), "freed": freed, "linked_again": again, "lost": [str(one.path) for one in rest]}
    _tell(args, told, [f"已归档 archived {len(days)} 个文件 files, 腾出 freed {freed} B, 重新链接 linked again {again}",
                       *(f"找不到 not found: {one.path} → {one.target or '?'}" for one in rest)])  # fmt: skip
    return BROKEN if rest else 0


def _prune(args: argparse.Namespace, settings: Settings) -> int:
    from domain.errors import InputError
    from lanbi import journal_removal, wiring

    clock = wiring.clock(settings)
    if args.yes and not args.person.strip():
        raise InputError("somebody must answer for it", "--person", "write --person NAME")
    keep = settings.journal.keep_days
    days = [one for one in journal_removal.removable(settings.data, clock, keep) if args.writer in {None, one.seal.writer}]
    freed = 0
    if args.yes:
        with _kept(settings):
            for one in days:
                freed += journal_removal.remove(one, journal_removal.Cause(f"older than journal.keep_days = {keep}", args.person))
                journal_removal.document(settings.data, clock)
    words = "已删除 removed" if args.yes else "可删除 would be removed (--yes)"
    told = {"removed" if args.yes else "removable": [one.seal.reference for one in days], "freed": freed}
    _tell(args, told, [*(f"{words}: {one.seal.line}" for one in days), f"{words}: {len(days)} 个文件 files, {freed} B; keep_days = {keep}"])
    return 0


def _keep(args: argparse.Namespace, settings: Settings) -> int:
    from contextlib import nullcontext
    from functools import partial

    from lanbi import logs
    from lanbi.keeping import STATUS, end_with_parent, keep, only_idle
    from lanbi.metrics import read_status
    from lanbi.processes import say

    if args.idle:
        only_idle()
    told = (lambda _: None) if args.json else say
    if child := args.idle or args.child:
        end_with_parent()
        told = partial(logs.tell, "journal.kept")
    with logs.speaking(settings.log, "keeper") if child else nullcontext():
        faults = keep(settings, told, bars=not child)
    _tell(
        args, read_status(settings.data / STATUS), [*(f"未成 failed: {fault}" for fault in faults), "已完成 done" if not faults else "未全完成 not all is done"]
    )
    return BROKEN if faults else 0


def _tell(args: argparse.Namespace, told: dict[str, Any], lines: list[str]) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n" if args.json else "".join(f"{line}\n" for line in lines))

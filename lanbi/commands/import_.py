"""``lanbi import``: history and foreign files through the same path as devices."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from lanbi import wiring

if TYPE_CHECKING:
    from lanbi.formats.renaming import Renames
    from lanbi.formats.survey import Survey
    from lanbi.importing import Account
    from lanbi.settings import Settings

FORMATS = "lanbi-csv meter-csv pm25in-csv cnemc-live cnemc-xml city-daily city-hourly cnemc-water-html cnemc-water-csv prsa reported official reviewed dust exchange bill output reduction-list quantity orders"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi import``."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="CSV、XLSX、XML、HTML、parquet，可为 .gz  CSV, XLSX, XML, HTML or parquet, also .gz")
    parser.add_argument("--format", default="auto", help=f"格式，默认 auto 按表头识别 auto (by the header), or one of: {FORMATS}")
    parser.add_argument("--propose", type=Path, metavar="TOML", help="只写登记建议，不入库 write registry tables for unknown places; store nothing")
    parser.add_argument(
        "--map", type=Path, metavar="TOML", help='改列名："平台列名" = "本系统列名" rename a platform\'s columns: "their column" = "our column"'
    )
    parser.add_argument("--watch", type=Path, metavar="DIR", help="守候文件夹，放入即导入 take files dropped into a folder, until stopped")
    parser.add_argument("--replace", action="store_true", help="有责任人和依据文件的更正，高于设备数据 let readings stand above those of devices")
    parser.add_argument("--person", metavar="NAME", help="--replace 的责任人 who answers for --replace")
    parser.add_argument("--document", metavar="TEXT", help="--replace 的依据文件 the document that --replace rests on")
    parser.add_argument(
        "--as-of", metavar="TIME", help="--replace 的数据截至时间，默认首次导入时 as of when the replacement is known (default: its first import)"
    )
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable account")
    parser.epilog = (
        "例 example: lanbi import --format city-daily jinan.csv --propose county.toml\n           lanbi import --watch /srv/drop --map platform.toml"
    )


def run(args: argparse.Namespace) -> int:
    """Look at all files, then propose or import; a fault anywhere changes nothing."""
    from lanbi.formats.renaming import load
    from lanbi.formats.sources import columns, known

    known(args.format)
    _fit(args)
    settings = wiring.settings(args.config)
    renames = load(args.map, columns() if args.map else ())
    if args.watch:
        return _watch(args, settings, renames)
    with brake() as stop:
        if args.propose:
            return _propose(args.propose, settings, _look(args, args.files, renames, stop), as_json=args.json)
        balanced = _import(args, args.files, renames, settings, stop)
    return 0 if balanced else 1


def _fit(args: argparse.Namespace) -> None:
    """Refuse arguments that do not go together."""
    from domain.errors import InputError

    if bool(args.files) == bool(args.watch):
        raise InputError("no files, or files and a folder to watch", "arguments", "name files, or a folder with --watch DIR")
    if args.watch and (args.propose or args.replace):
        raise InputError("--watch only imports", "--watch", "name files with --propose or --replace")
    if args.propose and args.replace:
        raise InputError("--propose stores nothing that could replace", "--propose", "leave one of them out")
    if not args.replace and (args.person or args.document or args.as_of):
        raise InputError("--person, --document and --as-of belong to --replace", "arguments", "add --replace, or leave them out")


def _look(args: argparse.Namespace, files: Sequence[str], renames: Renames, stop: Callable[[], None]) -> Survey:
    from lanbi.formats.survey import survey

    found = survey(files, args.format, stop, renames)
    _notices(found)
    return found


def _import(args: argparse.Namespace, files: Sequence[str], renames: Renames, settings: Settings, stop: Callable[[], None]) -> bool:
    """Import files and tell the account; whether it adds up."""
    from lanbi.importing import Importer
    from lanbi.replacing import replacing

    registry, clock = wiring.registry(settings), wiring.clock(settings)
    who = replacing(args.person, args.document, args.as_of, clock.now_ns() // 10**9) if args.replace else None
    account = Importer(settings, registry, clock, stop, who).run(_look(args, files, renames, stop))
    _answer(account, as_json=args.json)
    return account.balanced


def _watch(args: argparse.Namespace, settings: Settings, renames: Renames) -> int:
    """Take files of a folder until SIGTERM (0) or Ctrl-C (130)."""
    from lanbi.drop_folder import DropFolder

    with brake(signal.SIGINT, signal.SIGTERM) as stop:
        folder = DropFolder(args.watch, lambda name: _import(args, [name], renames, settings, stop), wiring.clock(settings), stop)
        folder.prepare()
        sys.stderr.write(f"守候 watching: {args.watch}\n")
        try:
            folder.run()
        except KeyboardInterrupt as told:
            if told.args != (signal.SIGTERM,):
                raise
    return 0


@contextmanager
def brake(*numbers: signal.Signals) -> Iterator[Callable[[], None]]:
    """Ctrl-C (or one of these signals) takes effect where nothing is half done; a second one at once."""
    pressed: list[int] = []
    numbers = numbers or (signal.SIGINT,)

    def press(number: int, __: FrameType | None) -> None:
        pressed.append(number)
        signal.signal(number, before[number])

    def stop() -> None:
        if pressed:
            sys.stderr.write("\n再次运行同一命令即可继续。 Run the same command again to go on.\n")
            raise KeyboardInterrupt(pressed.pop())

    before = {int(number): signal.signal(number, press) for number in numbers}
    try:
        yield stop
        stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _notices(found: Survey) -> None:
    for words in found.notices:
        sys.stderr.write(f"注意 note: {words}\n")


def _propose(path: Path, settings: Settings, found: Survey, *, as_json: bool) -> int:
    from lanbi.propose import propose
    from lanbi.registry_change import in_force

    added = propose(path, in_force(settings), found.places.values())
    if as_json:
        body = {"file": str(path), "read": found.read, "added": [{"kind": one.kind, "name": one.name, "readings": one.readings} for one in added]}
        sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
        return 0
    sys.stdout.write(f"已写入 written: {path}: 新增 added {len(added)} (读取 read {found.read})，未入库 nothing was stored\n")
    sys.stdout.write(f"请核对后 review it, then: lanbi registry apply {path} --person NAME\n")
    return 0


def _answer(account: Account, *, as_json: bool) -> None:
    from lanbi.importing import lines

    if not as_json:
        sys.stdout.write("".join(f"{line}\n" for line in lines(account)))
        sys.stdout.flush()
        return
    files = [{"file": one.name, "format": one.format, "read": one.read, "empty": one.empty} for one in account.files]
    body = {
        "read": account.read,
        **account.outcomes,
        "empty": account.empty,
        "reasons": account.reasons,
        "published": account.published,
        "contradicting": account.contradicting,
    }
    sys.stdout.write(json.dumps({**body, "unknown": account.unknown, "files": files}, ensure_ascii=False) + "\n")
    sys.stdout.flush()

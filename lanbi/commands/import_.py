"""``lanbi import``: history and foreign files through the same path as devices."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from lanbi import wiring

if TYPE_CHECKING:
    from lanbi.formats.survey import Survey
    from lanbi.importing import Account
    from lanbi.settings import Settings

FORMATS = "lanbi-csv meter-csv pm25in-csv cnemc-live cnemc-xml city-daily city-hourly cnemc-water-html cnemc-water-csv prsa reported official reviewed dust exchange bill output reduction-list quantity orders"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi import``."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="CSV、XLSX、XML、HTML、parquet，可为 .gz  CSV, XLSX, XML, HTML or parquet, also .gz")
    parser.add_argument("--format", default="auto", help=f"格式，默认 auto 按表头识别 auto (by the header), or one of: {FORMATS}")
    parser.add_argument("--propose", type=Path, metavar="TOML", help="只写登记建议，不入库 write registry tables for unknown places; store nothing")
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable account")
    parser.epilog = "例 example: lanbi import --format city-daily jinan.csv --propose county.toml"


def run(args: argparse.Namespace) -> int:
    """Look at all files, then propose or import; a fault anywhere changes nothing."""
    from lanbi.formats.sources import known
    from lanbi.formats.survey import survey

    known(args.format)
    settings = wiring.settings(args.config)
    with brake() as stop:
        if args.propose:
            found = survey(args.files, args.format, stop)
            _notices(found)
            return _propose(args.propose, settings, found, as_json=args.json)
        registry = wiring.registry(settings)
        found = survey(args.files, args.format, stop)
        _notices(found)
        from lanbi.importing import Importer

        account = Importer(settings, registry, wiring.clock(settings), stop).run(found)
    _answer(account, as_json=args.json)
    return 0 if account.balanced else 1


@contextmanager
def brake() -> Iterator[Callable[[], None]]:
    """Ctrl-C takes effect where nothing is half done; a second one at once."""
    pressed = False

    def press(_: int, __: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    def stop() -> None:
        if pressed:
            sys.stderr.write("\n再次运行同一命令即可继续。 Run the same command again to go on.\n")
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield stop
        stop()
    finally:
        signal.signal(signal.SIGINT, before)


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

"""``lanbi report``: pages for people. ``meter``: the account of one meter, to be checked by hand."""

from __future__ import annotations

import argparse
import os

from domain.errors import InputError


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
    parser.epilog = "例 example: lanbi report meter m-0001 --from 2026-03-01 --to 2026-03-31"


def run(args: argparse.Namespace) -> int:
    """Print the account, or write it."""
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

"""``lanbi restatements``: closed figures that changed, what they were, what they are, when and why."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from domain.errors import InputError

if TYPE_CHECKING:
    from domain.indicators import Restatement
    from domain.places import Registry

DAYS = 31
MOST = 1_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi restatements``."""
    parser.add_argument("--since", metavar="TIME", help="自此时起：日期或 RFC 3339 made since a date or time (default: 31 days)")
    parser.add_argument("--scope", metavar="ID", help="只看该站点或区县 only this station or county")
    parser.add_argument("--limit", type=int, default=1_000, metavar="N", help="最多 N 条 at most N, the newest first (default 1000)")
    parser.add_argument("--json", action="store_true", help="每行一个 JSON one JSON object a line")
    parser.epilog = "例 example: lanbi restatements --since 2026-06-01 --scope cp-a01"


def run(args: argparse.Namespace) -> int:
    """Print them, the newest first."""
    from domain.restating import CONFIRMATION, confirmations
    from lanbi import wiring
    from lanbi.folders import there

    if args.limit < 1:
        raise InputError("at least one line is needed", "--limit", "write a number ≥ 1")
    settings = wiring.settings(args.config)
    there(settings.data)
    registry, now = wiring.registry(settings), wiring.clock(settings).now_ns() // 10**9
    since = _since(args.since, now)
    if args.scope and args.scope != registry.county.id and args.scope not in registry.kinds:
        what = f"no such place: {args.scope}"
        raise InputError(what, "--scope", f"write a registered id, or {registry.county.id} for the county")
    store = wiring.store(settings, write=False)
    try:
        confirmed = confirmations(store.entered(CONFIRMATION))
        rows = [row for row in store.restatements(since - 1, now, MOST) if args.scope in {None, row.scope}]
    finally:
        store.close()
    shown = rows[: args.limit]
    for row in shown:
        announced = confirmed.covers(row.period, row.time, row.made)
        sys.stdout.write((_json(row, announced=announced) if args.json else _line(row, registry, announced=announced)) + "\n")
    if not args.json:
        more = f"，共 of {len(rows)}: --limit N" if len(rows) > len(shown) else ""
        sys.stdout.write(f"{len(shown)} 条 shown{more}\n")
    return 0


def _since(text: str | None, now: int) -> int:
    from domain import civil

    if text is None:
        return now - DAYS * civil.DAY_S
    try:
        return civil.day_start(civil.parse_date(text))
    except ValueError:
        pass
    try:
        return civil.parse_time(text)
    except ValueError as error:
        raise InputError(str(error), "--since", "write a date 2026-06-01 or a time 2026-06-01T08:00:00+08:00") from error


def _json(row: Restatement, *, announced: bool) -> str:
    from domain.civil import iso
    from domain.restating import causes_of

    body = {**row._asdict(), "time": iso(row.time), "made": iso(row.made), "confirmed": announced, "causes": causes_of(row.cause)}
    return json.dumps(body, ensure_ascii=False)


def _line(row: Restatement, registry: Registry, *, announced: bool) -> str:
    from domain.civil import iso
    from domain.indicators import FIGURES
    from domain.restating import period_text, with_names

    known = FIGURES.get(row.figure)
    name = f"{known.zh} {row.figure}" if known else row.figure
    old, new = (f"{'–' if value is None else f'{value:g}'}{f' [{status}]' if status else ''}" for value, status in _pairs(row))
    state = "已确认 confirmed" if announced else "暂定 provisional"
    what = f"{registry.name_of(row.scope)} {name} {period_text(row.period, row.time)} ({row.rule_set}, {row.basis})"
    return f"{iso(row.made)}  {what}: {old} → {new}  {state}  {with_names(row.cause, registry.name_of)}"


def _pairs(row: Restatement) -> tuple[tuple[float | None, str], tuple[float | None, str]]:
    return (row.old, row.old_status), (row.new, row.new_status)

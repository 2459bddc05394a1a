"""``lanbi instances``: several ingests that share the devices."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanbi.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Two verbs, each with the settings of all ingests."""
    parser.epilog = "例 example: lanbi instances show one.toml two.toml three.toml\n           lanbi instances change one.toml two.toml three.toml"
    verbs = parser.add_subparsers(dest="verb", metavar="show|change", required=True)
    show = verbs.add_parser("show", help="各接收进程的份额、设备数、待转读数 · share, devices and backlog of each ingest")
    show.add_argument("--json", action="store_true", help="JSON")
    change = verbs.add_parser("change", help="全部停止后，按设置移交设备 · with all of them stopped, hand devices over as the settings say")
    for verb in (show, change):
        verb.add_argument("files", nargs="+", metavar="FILE", help="每个接收进程的设置文件，停用的也要写 · settings of each ingest, also of those that end")


def run(args: argparse.Namespace) -> int:
    """Show, or change."""
    from lanbi import wiring

    every = [wiring.settings(file) for file in args.files]
    return _show(every, as_json=args.json) if args.verb == "show" else _change(every)


def _show(every: list[Settings], *, as_json: bool) -> int:
    rows = [_row(one) for one in every]
    if as_json:
        sys.stdout.write(json.dumps({"items": rows}, ensure_ascii=False) + "\n")
        return 0
    for row in rows:
        told = f"设备 devices {row['devices']}  待转 pending {row['pending']}  {'运行 running' if row['running'] else '停止 stopped'}"
        wrong = "" if row["share"] in {"", row["instance"]} else f"  数据文件夹属于 its folder belongs to {row['share']}: lanbi instances change"
        sys.stdout.write(f"{row['instance']:<6} {row['data']}  {told}{wrong}\n")
    return 0


def _row(settings: Settings) -> dict[str, Any]:
    from lanbi import wiring
    from lanbi.instances import share_of
    from lanbi.signs import sign_of
    from lanbi.state import StateView

    share, registry = share_of(settings), wiring.registry(settings)
    view = StateView(settings.data)
    try:
        pending, was = view.conservation()["pending"], view.share()
    finally:
        view.close()
    sign = sign_of(settings.data, "ingest")
    own = sum(map(share.owns, registry.devices))
    return {
        "instance": settings.ingest.instance, "share": was, "data": str(settings.data), "devices": own, "pending": pending,
        "running": sign.alive and sign.reasons != ("stopped",),
    }  # fmt: skip


def _change(every: list[Settings]) -> int:
    from lanbi import handover, wiring
    from lanbi.clock import SystemClock

    places = handover.places_of(every)
    first = next(place for place in places if place.share is not None and place.share.number == 1)
    moved = handover.change(places, wiring.registry(first.settings), SystemClock(), _say)
    _say(f"{moved} 台设备已移交 devices handed over; 现在可以启动 start the ingests now")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

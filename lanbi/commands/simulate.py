"""`lanbi simulate`."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the simulated devices."""
    parser.add_argument("what", choices=("live", "history"), nargs="?", default="live", help="实时 live over MQTT, 或历史 or history into the journal")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="随机种子 seed of the county (0)")
    parser.add_argument("--from", dest="start", metavar="TIME", help="新设备从何时开始 first instant of devices without a past (now)")
    parser.add_argument("--until", metavar="TIME", help="历史到何时为止 end of the history (now)")
    parser.add_argument("--days", metavar="N", type=int, default=365, help="历史天数 days of history (365)")
    parser.add_argument("--record", metavar="DIR", type=Path, help="记录所发所收 log what was said and seen confirmed")
    parser.epilog = "例 example: lanbi simulate live --seed 7 --record var/truth"


def run(args: argparse.Namespace) -> int:
    """Simulate devices of the registry in the settings."""
    from domain.civil import day_end, iso
    from domain.errors import InputError
    from lanbi import wiring

    settings = wiring.settings(args.config)
    registry, clock = wiring.registry(settings), wiring.clock(settings)
    now = clock.now_ns() // 10**9
    if args.what == "live":
        from lanbi import simulating

        return simulating.live(settings, registry, clock, simulating.Live(args.seed, _time(args.start, now), args.record))
    from lanbi.processes import say
    from lanbi.simulated_history import Past, write

    past = Past(args.seed, _time(args.until, now), args.days)
    if past.days < 1:
        raise InputError(f"{past.days} days are no history", "--days", "at least 1")
    written = write(settings, registry, clock, past)
    say(f"写入 written: {written} 条读数 readings, {iso(day_end(past.last_day))} 之前 {past.days} 天 days before")
    return 0


def _time(text: str | None, otherwise: int) -> int:
    from domain.civil import SHANGHAI, parse_time
    from domain.errors import InputError

    try:
        return parse_time(text, SHANGHAI) if text else otherwise
    except ValueError as error:
        raise InputError(str(error), "--from, --until", "write it like 2025-10-01T00:00:00+08:00") from error

"""`lanbi simulate`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

WHATS = {
    "live": "实时，或按场景 live, or a scenario",
    "history": "写入历史 history into the journal",
    "device": "试接一台设备 one device, for integrators",
    "score": "对照真值打分 compare lanbi with the truth",
    "scenarios": "列出场景 list the scenarios",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the simulated devices."""
    words = "; ".join(f"{name}: {text}" for name, text in WHATS.items())
    parser.add_argument("what", choices=tuple(WHATS), nargs="?", default="live", help=f"做什么 what to do (live). {words}")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="随机种子 seed of the county (0)")
    parser.add_argument("--from", dest="start", metavar="TIME", help="从何时开始 first instant; live: of devices without a past (now)")
    parser.add_argument("--until", metavar="TIME", help="历史到何时为止 end of the history (now)")
    parser.add_argument("--days", metavar="N", type=int, default=365, help="历史天数 days of history (365)")
    parser.add_argument("--record", metavar="DIR", type=Path, help="真值日志目录 folder of the truth log")
    parser.epilog = "例 example: lanbi simulate --scenario outage-day --speed max --seed 7 --record var/truth; lanbi simulate score --record var/truth"
    _scenario(parser)
    _device(parser)


def _device(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("试接设备 device")
    group.add_argument("--device", metavar="ID", help="设备号 id of the device, its user name and client id")
    group.add_argument("--source", metavar="ID", help="来源 place or meter (default: the registry's)")
    group.add_argument("--kind", choices=("air", "water", "point", "meter"), help="未登记设备的类别 kind of a device that is in no registry here")
    group.add_argument("--interval", metavar="S", type=int, default=0, help="上报间隔 seconds between readings")
    group.add_argument("--count", metavar="N", type=int, default=3, help="发送几个时段 slots to send (3)")
    group.add_argument("--fault", metavar="KIND", default="", help="演示一种故障 show a fault, e.g. milliseconds, forged, malformed:nan")
    group.add_argument("--patience", metavar="S", type=float, default=20.0, help="等回执多少秒 seconds to wait for each receipt (20)")
    group.add_argument("--password-file", metavar="FILE", type=Path, help="设备密码文件 file with the device's password")


def _scenario(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("场景 scenario")
    group.add_argument("--scenario", metavar="FILE", help="场景名或文件 a scenario's name or file; see lanbi simulate scenarios")
    group.add_argument("--county", metavar="FILE", type=Path, help="登记册 registry (default: the settings')")
    group.add_argument("--speed", metavar="N", default="60", help="每秒模拟多少秒，或 max · simulated seconds a second, or max (60)")
    group.add_argument("--broker", metavar="URL", help="mqtt://HOST:PORT (default: the settings')")
    group.add_argument("--connections", metavar="N", type=int, default=0, help="共用连接数 connections that devices share (one each)")
    group.add_argument("--no-receipts", action="store_true", help="只等服务器确认 keep readings until the broker's PUBACK only, not lanbi's receipt")
    group.add_argument("--json", metavar="FILE", help="打分结果 JSON，- 为标准输出 score as JSON, - = standard output")


def run(args: argparse.Namespace) -> int:
    """Simulate devices of a registry, or judge what lanbi made of them."""
    if args.what == "scenarios":
        return _listed()
    if args.what == "score":
        return _score(args)
    if args.what == "device":
        return _try(args)
    if args.what == "live" and args.scenario:
        return _play(args)
    return _plain(args)


def _plain(args: argparse.Namespace) -> int:
    from domain.civil import day_end, iso
    from domain.errors import InputError
    from lanbi import wiring

    settings = wiring.settings(args.config)
    registry, clock = wiring.registry(settings), wiring.clock(settings)
    now = clock.now_ns() // 10**9
    start, until = _time(args.start), _time(args.until)
    if args.what == "live":
        from lanbi import simulating

        return simulating.live(settings, registry, clock, simulating.Live(args.seed, now if start is None else start, args.record))
    from lanbi.processes import say
    from lanbi.simulated_history import Past, write

    past = Past(args.seed, now if until is None else until, args.days)
    if past.days < 1:
        raise InputError(f"{past.days} days are no history", "--days", "at least 1")
    written = write(settings, registry, clock, past)
    say(f"写入 written: {written} 条读数 readings, {iso(day_end(past.last_day))} 之前 {past.days} 天 days before")
    return 0


def _play(args: argparse.Namespace) -> int:
    from lanbi import wiring
    from lanbi.playing import Play, play, speed_of
    from lanbi.registry import load
    from lanbi.simulating import broker_address, plain_address

    settings = wiring.settings(args.config)
    registry = load(args.county) if args.county else wiring.registry(settings)
    address = plain_address(args.broker, broker_address(settings)) if args.broker else broker_address(settings)
    folder = args.record or settings.data / "simulate" / Path(args.scenario).stem
    wish = Play(args.scenario, args.seed, speed_of(args.speed), _time(args.start), folder, args.connections, not args.no_receipts)
    return play(registry, address, wiring.clock(settings), wish)


def _try(args: argparse.Namespace) -> int:
    from domain.errors import InputError, LanbiError
    from lanbi import wiring
    from lanbi.registry import load
    from lanbi.simulating import broker_address, plain_address
    from lanbi.trying import Wish, password_of, try_out

    if not args.device:
        raise InputError("no device named", "--device", "lanbi simulate device --device d-001 --kind meter --broker mqtt://127.0.0.1:1883")
    settings = wiring.settings(args.config)
    address = plain_address(args.broker, broker_address(settings)) if args.broker else broker_address(settings)
    try:
        registry = load(args.county) if args.county else wiring.registry(settings)
    except LanbiError:
        if args.county or not args.kind:
            raise
        registry = None  # an integrator has no registry; the kind says enough
    wish = Wish(args.device, args.source or "", args.kind or "", args.interval, args.count, args.fault, args.patience, args.seed)
    return try_out(registry, password_of(args.password_file, args.device, address), wiring.clock(settings), wish)


def _listed() -> int:
    from lanbi.playing import scenarios

    for line in scenarios():
        print(line)  # noqa: T201  the answer itself
    return 0


def _score(args: argparse.Namespace) -> int:
    from domain.errors import InputError
    from lanbi import wiring
    from lanbi.folders import there
    from lanbi.machine_code import prepared

    if not args.record:
        raise InputError("no truth to compare with", "--record", "name the folder that lanbi simulate --record wrote")
    settings = wiring.settings(args.config)
    there(settings.data)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(prepared(settings.data)))
    from lanbi.scoring import score

    return score(settings, args.record, args.county, args.json)


def _time(text: str | None) -> int | None:
    from domain.civil import SHANGHAI, parse_time
    from domain.errors import InputError

    try:
        return parse_time(text, SHANGHAI) if text else None
    except ValueError as error:
        raise InputError(str(error), "--from, --until", "write it like 2025-10-01T00:00:00+08:00") from error

"""``lanbi device add|test|accept|rotate|key|retire``: a device from its first login to its last."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.places import Device, Registry
    from lanbi.settings import Settings

EXAMPLES = """例 example: lanbi device add plug-1 --source m-0001 --interval 300 --mapping tasmota --topic tele/workshop/SENSOR --person 王工
           lanbi device test plug-1 --hours 24
           lanbi device accept plug-1 --from 2026-12-01 --person 王工
           lanbi device retire old --person 王工 && lanbi device add new --source a-01 --interval 3600 --from 2026-12-01 --person 王工"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Six verbs."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(dest="verb", metavar="add|test|accept|rotate|key|retire", required=True)
    adding = verbs.add_parser("add", help="登记并发放密码，状态为试运行 · register it on trial and give it a password")
    testing = verbs.add_parser("test", help="检查最近的报文：身份、时钟、标签、单位、序号、续传、表底数 · check what it sent lately")
    accepting = verbs.add_parser("accept", help="自某日起计入数值 · its readings enter figures from a day on")
    rotating = verbs.add_parser("rotate", help="换新密码 · give it a new password")
    keying = verbs.add_parser("key", help="登记 HJ 212-2025 的 SM4 密钥（标准输入） · a new SM4 key of HJ 212-2025, from standard input")
    retiring = verbs.add_parser("retire", help="自某日起停用 · out of service from a day on")
    for verb in (adding, testing, accepting, rotating, keying, retiring):
        verb.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
        verb.add_argument("id", metavar="ID", help="设备编号 the device's id")
    _adding(adding)
    testing.add_argument("--hours", type=int, default=24, metavar="N", help="最近 N 小时 the last N hours (default 24)")
    testing.add_argument("--json", action="store_true", help="机器可读 machine-readable answer")
    for verb in (accepting, keying, retiring):
        verb.add_argument("--from", dest="day", metavar="DATE", help="自此日起 from this day on (default: today)")
    adding.add_argument(
        "--from", dest="day", metavar="DATE", help="自此日起代表该点位：接替停用的设备时 speaks for it from this day on: where it replaces a retired device"
    )
    for verb in (adding, accepting, retiring):
        verb.add_argument("--person", required=True, metavar="NAME", help="责任人 who answers for it")
        verb.add_argument("--document", default="", metavar="TEXT", help="依据文件 document")
    for verb in (adding, rotating):
        verb.add_argument("--no-reload", action="store_true", help="不通知 Mosquitto 重读 do not tell Mosquitto to read its files again")


def _adding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source", action="append", required=True, metavar="ID", help="代表的点位或计量表，可重复 place or meter it speaks for (may be repeated)"
    )
    parser.add_argument("--interval", type=int, required=True, metavar="S", help="上报间隔秒数 seconds between two readings")
    parser.add_argument("--format", help="报文格式 format of its messages")
    parser.add_argument("--mapping", metavar="ID", help="映射 mapping for a foreign payload")
    parser.add_argument(
        "--name", action="append", default=[], metavar="FOREIGN=ID", help="外部名称（MN、表地址）对应的点位 foreign name of a source (may be repeated)"
    )
    parser.add_argument("--topic", action="append", default=[], metavar="TOPIC", help="自有的外部主题 foreign topic of its own (may be repeated)")
    parser.add_argument("--peer", action="append", default=[], metavar="NET", help="HJ 212 TCP 来源地址 address for HJ 212 over TCP (may be repeated)")
    parser.add_argument("--zone", help="时区 zone of times without offset")
    parser.add_argument("--label", choices=("start", "end"), help="时段标签 label of periods")
    parser.add_argument("--crc", choices=("standard", "modbus"), help="HJ 212 校验 CRC of HJ 212")


def run(args: argparse.Namespace) -> int:
    """Do one verb."""
    from lanbi import wiring

    settings = wiring.settings(args.config)
    registry = wiring.registry(settings)
    if args.verb == "add":
        return _add(args, settings, registry)
    device = _known(registry, args.id)
    if args.verb == "test":
        return _test(args, settings, registry, device)
    if args.verb == "rotate":
        return _password(args, settings)
    if args.verb == "key":
        return _key(args, settings, device)
    return _state(args, settings, device, {"accept": "accepted", "retire": "retired"}[args.verb])


def _known(registry: Registry, name: str) -> Device:
    from domain.errors import InputError

    if name not in registry.devices:
        raise InputError(f"no device {name!r} in the registry", "ID", "`lanbi device add` registers one")
    return registry.devices[name]


def _add(args: argparse.Namespace, settings: Settings, registry: Registry) -> int:
    from domain.civil import date_of
    from domain.errors import InputError
    from lanbi.device_text import added

    if args.id in registry.devices:
        raise InputError(f"device {args.id!r} is registered already", "ID", "`lanbi device rotate` gives it a new password")
    pairs = [one.rpartition("=") for one in args.name]
    if not all(name and source for name, _, source in pairs):
        raise InputError(f"not FOREIGN=ID: {args.name}", "--name", "write 010000A8900016F000169DC0=o-001")
    sources = [{"from": date_of(_from(args, settings)).isoformat(), "value": args.source}] if args.day else args.source
    keys: dict[str, object] = {"id": args.id, "sources": sources, "format": args.format, "mapping": args.mapping, "interval": args.interval}
    keys |= {"names": {name: source for name, _, source in pairs}, "topics": args.topic, "peers": args.peer}
    keys |= {"zone": args.zone, "label": args.label, "crc": args.crc, "state": "trial"}
    version = _applied(args, settings, added(_text(settings), keys))
    _say(f"{args.id}: 已登记，试运行 registered, on trial; 登记册版本 registry {version}")
    code = _password(args, settings)
    _say(f"用户名和客户端标识均为 user name and client id are both: {args.id}")
    _say(f"主题 topics: {', '.join(args.topic) or f'lanbi/v1/{args.id}/data'}; 下一步 next: lanbi device test {args.id}")
    return code


def _key(args: argparse.Namespace, settings: Settings, device: Device) -> int:
    """From standard input, because what stands on a command line can be read by every user of the machine."""
    from domain.civil import date_of
    from lanbi.hj212_keys import LIFE, add

    day = _from(args, settings)
    path = add(settings.data, device.id, sys.stdin.readline(200), day)
    _say(f"{device.id}: 自 {date_of(day)} 起的密钥已登记 a key from that day on is in {path}；应于 {date_of(day + LIFE)} 前更换 to be replaced by then")
    _say(f"补读已到的加密报文 packets that came before it: lanbi deadletters replay --device {device.id}")
    return 0


def _from(args: argparse.Namespace, settings: Settings) -> int:
    from domain.civil import day_of, parse_date
    from domain.errors import InputError
    from lanbi import wiring

    try:
        return parse_date(args.day) if args.day else day_of(wiring.clock(settings).now_ns() // 10**9)
    except ValueError as error:
        raise InputError(str(error), "--from", "write 2026-12-01") from error


def _state(args: argparse.Namespace, settings: Settings, device: Device, state: str) -> int:
    from domain.civil import date_of
    from lanbi import wiring
    from lanbi.broker import EMBEDDED
    from lanbi.checking import today
    from lanbi.device_text import with_state

    day = _from(args, settings)
    version = _applied(args, settings, with_state(_text(settings), device, day, state))
    _say(f"{device.id}: 自 {date_of(day)} 起 {state} from that day on; 登记册版本 registry {version}")
    if state == "retired" and settings.broker.url != EMBEDDED:
        now = day <= today(wiring.clock(settings))
        _say(
            f"下一步 next{'' if now else f'（{date_of(day)} 当天）on that day'}: lanbi broker acl，此后服务器不再接受它 from then on the broker lets it in no more"
        )
    return 0


def _applied(args: argparse.Namespace, settings: Settings, text: str) -> str:
    from lanbi import wiring
    from lanbi.registry_change import Signature, put

    return put(text, f"lanbi device {args.verb}", settings.data, wiring.clock(settings), Signature(args.person, args.document))


def _text(settings: Settings) -> str:
    """The text of the registry in force."""
    from domain.errors import RegistryError
    from lanbi.registry_change import in_force
    from lanbi.toml_lines import read

    return read(in_force(settings), RegistryError)


def _password(args: argparse.Namespace, settings: Settings) -> int:
    from lanbi import wiring
    from lanbi.broker import EMBEDDED
    from lanbi.broker_files import BrokerFiles, alone, reload
    from lanbi.checking import today

    if settings.broker.url == EMBEDDED:
        _say("内置服务器不要密码 the embedded broker asks for no password")
        return 0
    files = BrokerFiles(settings, wiring.registry(settings), today(wiring.clock(settings)))
    with alone(files.folder):
        (given,) = files.give([files.device(args.id)], renew=True)
        _say(f"{given.name}: 密码在 its password is in {given.file}，送到设备后请删除 remove it once the device has it")
        if not args.no_reload:
            _say(f"Mosquitto（进程 {reload(settings.broker.pid_file)}）已重读文件 was told to read its files again")
    return 0


def _test(args: argparse.Namespace, settings: Settings, registry: Registry, device: Device) -> int:
    from domain.errors import InputError
    from lanbi import wiring
    from lanbi.device_trial import Trial
    from lanbi.folders import there
    from lanbi.journal_range import between

    if args.hours < 1:
        raise InputError("at least one hour is needed", "--hours", "write a number ≥ 1")
    now = wiring.clock(settings).now_ns()
    trial, folder = Trial(registry, device), there(settings.data) / "journal"
    for writer in ("mqtt", "hj212"):
        if (folder / writer).is_dir():
            for record in between(folder, writer, now - args.hours * 3600 * 10**9, now + 1):
                trial.see(record)
    checks = trial.checks()
    bad = [one for one in checks if one.good is False]
    if args.json:
        rows: list[dict[str, Any]] = [one._asdict() for one in checks]
        sys.stdout.write(json.dumps({"device": device.id, "ready": not bad and bool(trial.sights), "checks": rows}, ensure_ascii=False) + "\n")
    else:
        marks = {True: "通过 ok   ", False: "不通过 BAD", None: "未知 ?    "}
        for one in checks:
            _say(f"{marks[one.good]}  {one.zh} {one.en}: {one.seen}")
        _say("结论 outcome: " + ("可以验收 ready: lanbi device accept" if not bad and trial.sights else "尚不能验收 not ready"))
    return 0 if not bad and trial.sights else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")

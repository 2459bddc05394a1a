"""``lanbi explain``: what becomes of a message and why, and how a new mapping would fare with the dead letters."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

EXAMPLES = """例 example: mosquitto_sub -t tele/plug/SENSOR -C 1 | lanbi explain - --topic tele/plug/SENSOR
           mosquitto_sub -v -t 'tele/#' -W 60 | lanbi explain -
           lanbi explain capture.jsonl --try new-mapping.toml
           lanbi explain --try new-mapping.toml --device plug-1"""
LARGEST = 1 << 28


def configure(parser: argparse.ArgumentParser) -> None:
    """A file, whose it is, and a mapping on trial."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE|-",
        help="报文，或多条报文的抓包 a message, or a capture of several (JSON lines, mosquitto_sub -v, HJ 212 frames); - is standard input",
    )
    parser.add_argument("--device", metavar="ID", help="设备 as if this device had sent it on its data topic")
    parser.add_argument("--topic", metavar="TOPIC", help="主题 as if it had come on this topic")
    parser.add_argument("--received", metavar="TIME", help="接收时间 as if received then (default: now)")
    parser.add_argument(
        "--try", dest="trial", type=Path, metavar="MAPPING.toml", help="试用映射；无文件时试死信 with these mappings; without FILE on the dead letters"
    )
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable answer")


def run(args: argparse.Namespace) -> int:
    """Explain; nothing is stored or changed."""
    from domain.errors import InputError
    from lanbi import wiring
    from lanbi.explaining import Explainer, tried

    if args.file is None and args.trial is None:
        raise InputError("what shall be explained?", "FILE", "name a file, or - for standard input; or --try MAPPING.toml for the dead letters")
    settings = wiring.settings(args.config)
    registry = wiring.registry(settings)
    if args.device and args.device not in registry.devices:
        raise InputError(f"no device {args.device!r} in the registry", "--device", "`lanbi registry` and the registry's file show the ids")
    if args.trial:
        registry = tried(registry, args.trial, args.device)
    if args.file is None:
        return _dead(args, settings, registry)
    explainer = Explainer(registry)
    for number, message in enumerate(_messages(args, settings, explainer), 1):
        lines = list(explainer.lines(message))
        if args.json:
            sys.stdout.write(json.dumps({"message": number, "topic": message.topic, "steps": lines}, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(f"── {number} ──\n" + "".join(f"{line}\n" for line in lines))
    told = explainer.counts
    if not args.json:
        sys.stdout.write(f"共 {number} 条报文 messages: 接受 accepted {told['accepted']}, 拒绝 refused {told['refused']} 读数 readings\n")
    return 0


def _messages(args: argparse.Namespace, settings: Any, explainer: Any) -> list[Any]:
    from domain.civil import parse_time
    from domain.errors import FileError, InputError
    from lanbi import wiring
    from lanbi.captures import capture

    try:
        received = parse_time(args.received) * 10**9 if args.received else wiring.clock(settings).now_ns()
    except ValueError as error:
        raise InputError(str(error), "--received", "write 2026-11-23T09:01:00+08:00") from error
    try:
        data = sys.stdin.buffer.read(LARGEST) if args.file == "-" else Path(args.file).read_bytes()
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror}", args.file, "check the path") from error
    topic = args.topic or (f"lanbi/v1/{args.device}/data" if args.device else "")
    return capture(data, topic, received, explainer.owned)


def _dead(args: argparse.Namespace, settings: Any, registry: Any) -> int:
    from lanbi.explaining import dry_run
    from lanbi.folders import there

    trial = dry_run(there(settings.data), registry, args.device)
    if args.json:
        sys.stdout.write(json.dumps(trial._asdict(), ensure_ascii=False) + "\n")
        return 0
    sys.stdout.write(
        f"死信 dead letters: {trial.messages} 条报文 messages\n"
        f"试用后全部通过 would pass whole: {trial.whole}; 部分通过 in part: {trial.partly}; "
        f"仍被拒绝 still refused: {trial.messages - trial.whole - trial.partly - trial.lost}"
        + (f"; 原始字节不在 bytes no longer here: {trial.lost}" if trial.lost else "")
        + "\n"
    )
    sys.stdout.writelines(f"    {reason}: {count}\n" for reason, count in trial.reasons.items())
    sys.stdout.write("未存储任何数据 nothing was stored; 生效后 once in force: lanbi deadletters replay\n")
    return 0

"""``lanbi ingest``: the ingest process alone."""

from __future__ import annotations

import argparse
import signal
from dataclasses import replace
from types import FrameType


def configure(parser: argparse.ArgumentParser) -> None:
    """What else than the settings says."""
    parser.add_argument("--hj212-listen", metavar="HOST:PORT", help="HJ 212 数采仪的 TCP 监听地址 address for HJ 212 loggers over TCP (setting: ingest.hj212)")
    parser.add_argument("--no-health", action="store_true", help="不开健康端口 no health address; lanbi run does so, because its API answers for all")
    parser.add_argument("--standby", action="store_true", help="备机：等数据文件夹空出后立即接替 wait until nobody holds the data folder, then take over")
    parser.epilog = "例 example: lanbi ingest --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Listen and forward until SIGTERM (0) or SIGINT (130)."""
    from domain.errors import InputError
    from lanbi import ingesting, logs
    from lanbi.instances import share_of
    from lanbi.processes import address, share_interpreter
    from lanbi.release import marked
    from lanbi.safety import safe

    settings = safe(args.config)
    if args.hj212_listen:
        address(args.hj212_listen, "--hj212-listen")
        if not share_of(settings).alone:
            raise InputError("HJ 212 loggers dial one ingest, whichever device they are", "--hj212-listen", "not with several ingests: see docs/scaling.md")
        settings = replace(settings, ingest=replace(settings.ingest, hj212=args.hj212_listen))
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    marked(settings.data)
    share_interpreter()
    with logs.speaking(settings.log, "ingest"):
        if args.standby:
            ingesting.stand_by(settings, lambda: bool(asked))
        code = 0 if asked else ingesting.run(settings, lambda: bool(asked), health=not args.no_health)
    return 130 if code == 0 and asked and asked[0] == signal.SIGINT else code

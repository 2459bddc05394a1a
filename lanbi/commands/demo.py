"""`lanbi demo`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the demo."""
    parser.add_argument("--http", metavar="HOST:PORT", default="127.0.0.1:8080", help="看板地址 address of the board (127.0.0.1:8080)")
    parser.add_argument("--data", metavar="DIR", type=Path, default=Path("var/demo"), help="数据文件夹 data folder (var/demo)")
    parser.add_argument("--speed", metavar="N", type=float, default=60.0, help="模拟速度 simulated seconds a second (60)")
    parser.add_argument("--start", metavar="TIME", help="模拟开始时间 first simulated time (2025-10-01T00:00:00+08:00)")
    parser.add_argument("--seed", metavar="S", type=int, help="随机种子 seed of the county (0)")
    parser.add_argument("--history", metavar="DAYS", type=int, default=365, help="首次启动写入的历史天数 days of history at the first start (365)")
    parser.add_argument("--record", metavar="DIR", type=Path, help="记录设备所发所收 log what the devices said and saw confirmed")
    parser.epilog = "例 example: lanbi demo --http 127.0.0.1:8080 --data var/demo --speed 60"


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    from lanbi.demo import Wish, demo
    from lanbi.processes import say

    record = args.record.resolve() if args.record else None
    wish = Wish(args.http, args.data.resolve(), args.speed, args.start, args.seed, args.history, record)
    return demo(wish, say, os.environ)

"""``lanbi confirm``: the bureau confirms a month's figures, or takes that back."""

from __future__ import annotations

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi confirm``."""
    parser.add_argument("month", metavar="MONTH", help="月份 month, such as 2026-06")
    parser.add_argument("--person", required=True, help="责任人 who answers for it")
    parser.add_argument("--document", required=True, help="依据文件 the document that says so")
    parser.add_argument("--withdraw", action="store_true", help="撤回确认，数值恢复为暂定 take the confirmation back: figures are provisional again")
    parser.epilog = "例 example: lanbi confirm 2026-06 --person 王工 --document 某环〔2026〕12号"


def run(args: argparse.Namespace) -> int:
    """Enter the confirmation; from then on a change of the month's figures is announced."""
    from lanbi import wiring
    from lanbi.confirming import confirm
    from lanbi.folders import there

    settings = wiring.settings(args.config)
    there(settings.data)
    later = confirm(settings, args.month, {"user": args.person, "document": args.document}, withdraw=args.withdraw)
    words = "已撤回确认，数值为暂定 the confirmation is withdrawn" if args.withdraw else "已确认 confirmed"
    sys.stdout.write(f"{words}: {args.month}\n")
    if later:
        sys.stderr.write(f"已入日志，待写入数据库 journalled; it reaches the store when that answers: {later}\n")
    return 0

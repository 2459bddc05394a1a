"""``lanbi registry``: import a workbook, compare, put in force."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lanbi import wiring


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi registry``."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="import|diff|apply")
    one = steps.add_parser("import", help="工作簿转登记册 a workbook (one sheet a table) becomes a registry file")
    one.add_argument("file", type=Path, help="FILE.xlsx")
    one.add_argument("-o", "--output", type=Path, required=True, help="TOML 文件 registry file to write")
    one = steps.add_parser("diff", help="与现行登记册比较 compare with the registry in force")
    one.add_argument("file", type=Path, help="FILE.toml")
    one = steps.add_parser("apply", help="生效 put in force, without restart")
    one.add_argument("file", type=Path, help="FILE.toml")
    one.add_argument("--person", required=True, help="责任人 who answers for it")
    one.add_argument("--document", default="", help="依据文件 document")
    parser.epilog = "例 example: lanbi registry apply county.toml --person 王工"


def run(args: argparse.Namespace) -> int:
    """Do one step; nothing changes unless the whole file is valid."""
    from lanbi import registry_change as change

    if args.step == "import":
        text = change.from_workbook(args.file)
        change.write_whole(args.output, text)
        sys.stdout.write(f"已写入 written: {args.output}\n")
        return 0
    settings = wiring.settings(args.config)
    lines = change.differences(wiring.registry(settings), change.checked(args.file))
    sys.stdout.write("".join(f"{line}\n" for line in lines) or "没有变化 no change\n")
    if args.step == "apply":
        version = change.apply(args.file, settings.data, wiring.clock(settings), change.Signature(args.person, args.document))
        sys.stdout.write(f"已生效 in force: {version}\n")
    return 0

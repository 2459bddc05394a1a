"""``lanbi registry``: import a workbook, compare, put in force."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import InputError, RegistryError
from domain.sayings import both
from lanbi import wiring

if TYPE_CHECKING:
    from domain.places import Registry
    from lanbi.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi registry``."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="import|diff|apply")
    one = steps.add_parser("import", help="工作簿转登记册 a workbook (one sheet a table) becomes a registry file")
    one.add_argument("file", type=Path, help="FILE.xlsx")
    one.add_argument("-o", "--output", type=Path, help="TOML 文件 registry file to write (default: standard output)")
    one = steps.add_parser("diff", help="与现行登记册比较 compare with the registry in force")
    one.add_argument("file", type=Path, help="FILE.toml")
    one.add_argument("--json", action="store_true", help="机器可读 machine-readable answer")
    one = steps.add_parser("apply", help="生效 put in force, without restart")
    one.add_argument("file", type=Path, help="FILE.toml")
    one.add_argument("--person", required=True, help="责任人 who answers for it")
    one.add_argument("--document", default="", help="依据文件 document")
    parser.epilog = "例 example: lanbi registry apply county.toml --person 王工 --document 某环〔2026〕1号"


def run(args: argparse.Namespace) -> int:
    """Do one step; nothing changes unless the whole file is valid."""
    return {"import": _import, "diff": _diff, "apply": _apply}[args.step](args)


def _import(args: argparse.Namespace) -> int:
    from lanbi.registry_change import write_whole
    from lanbi.registry_workbook import from_workbook

    text = from_workbook(args.file)
    if args.output is None:
        sys.stdout.write(text)
    else:
        write_whole(args.output, text)
        sys.stderr.write(f"已写入 written: {args.output}\n")
    return 0


def _diff(args: argparse.Namespace) -> int:
    from lanbi.registry import load
    from lanbi.registry_change import differences

    old, new = wiring.registry(wiring.settings(args.config)), load(args.file)
    lines = differences(old, new)
    if args.json:
        sys.stdout.write(json.dumps({"in_force": old.version, "file": new.version, "differences": lines}, ensure_ascii=False) + "\n")
    else:
        _say(lines)
    return 0


def _apply(args: argparse.Namespace) -> int:
    from lanbi import registry_change as change
    from lanbi.registry import load

    if not args.person.strip():
        raise InputError("nobody answers for the change", "--person", "name who decided it")
    settings = wiring.settings(args.config)
    new, old = load(args.file), _in_force(settings)
    if old is not None and old.version == new.version and (settings.data / change.CURRENT).exists():
        sys.stdout.write(f"没有变化 no change: {new.version}\n")
        return 0
    _say(change.differences(old, new))
    version = change.apply(args.file, settings.data, wiring.clock(settings), change.Signature(args.person, args.document))
    sys.stdout.write(f"已生效 in force: {version}\n")
    return 0


def _in_force(settings: Settings) -> Registry | None:
    """The registry in force; None if it is missing or broken, for that is what somebody may want to mend."""
    try:
        return wiring.registry(settings)
    except RegistryError as error:
        sys.stderr.write(f"现行登记册不可读 the registry in force cannot be read: {error.where}: {both(error.what)}\n")
        return None


def _say(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines) or "没有变化 no change\n")

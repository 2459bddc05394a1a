"""The command line: one table of programs, one way to say what went wrong.

Each program lives in a module of ``lanbi.commands`` that is imported only when it is asked for, so that ``--help`` needs
neither numba nor fastapi.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

from domain.errors import InputError, LanbiError, WorkError
from lanbi.saying import said

DONE: Final = 0
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
ROOMS: Final = ("domain", "ingest", "analytics", "api", "dashboards", "edge_sim", "lanbi")


class Program(NamedTuple):
    """A program of the command line: its module under ``lanbi.commands`` and its line of help."""

    module: str
    help: str


PROGRAMS: Final = {
    "init": Program("init", "初始化：写出可用的设置、登记册、密码 · a working configuration, with passwords of its own"),
    "demo": Program("demo", "演示：模拟一个区县，网页看板 · a simulated county with a web board"),
    "run": Program("run", "运行全部：接收、计算、看板 · ingest, analytics and board, supervised"),
    "ingest": Program("ingest", "只运行接收 · only the ingest process"),
    "instances": Program("instances", "多个接收进程：查看、改变数目 · several ingests: who takes what, change their number"),
    "analyse": Program("analyse", "只运行计算 · only the analytics process"),
    "serve": Program("serve", "只运行接口和看板 · only API and board"),
    "simulate": Program("simulate", "模拟设备 · simulated devices"),
    "import": Program("import_", "导入历史和外来文件 · import history and foreign files"),
    "assess": Program("assess", "计算器：文件进，结果出 · the calculator: files in, results out"),
    "registry": Program("registry", "登记册：导入、比较、生效 · the registry: import, diff, apply"),
    "confirm": Program("confirm", "确认某月数值，或撤回确认 · confirm a month's figures, or take that back"),
    "alarms": Program("alarms", "告警：列表、判定 · alarms of sensors, sections, points; true, false, known work"),
    "clues": Program("clues", "用电监控线索、管控指令、回执 · clues on treatment, orders, receipts"),
    "restatements": Program("restatements", "更正记录：哪些已公布数值变了，为什么 · closed figures that changed, and why"),
    "report": Program("report", "报表：日、周、月、年、规划、过程、站点、断面、企业、一块表 · reports as text, HTML or XLSX"),
    "journal": Program("journal", "日志：核对、导出、归档、删除 · the raw record: verify, export, archive, prune"),
    "deadletters": Program("deadletters", "死信：列表、查看、重放 · what was refused, and why; judged once more"),
    "device": Program("device", "设备：登记、试运行检查、验收、换密码、停用 · a device from its first login to its last"),
    "explain": Program("explain", "解释一条报文：如何识别、换算、接受或拒绝 · what becomes of a message, step by step, and why"),
    "replay": Program("replay", "重放日志，补齐存储 · judge journalled readings once more, fill what the store lost"),
    "broker": Program("broker", "MQTT 服务器：访问控制、密码、收回 · the broker's access list, passwords, revocation"),
    "reconcile": Program("reconcile", "核对日志与存储，修复 · the journal against the store, row by row; repair"),
    "store": Program("store", "存储：InfluxDB 建桶、写令牌 · the server database: buckets and tokens"),
    "backup": Program("backup", "备份：取、核对、加密归档 · take, verify, and seal a backup"),
    "restore": Program("restore", "恢复备份到空文件夹 · give a backup back into an empty folder"),
    "upgrade": Program("upgrade", "升级：看看要做什么，再做 · what an upgrade would change, and do it"),
    "retain": Program("retain", "保留期限：日志五年、小时值十年、日值永久 · remove what is past its time; a dry run first"),
    "dashboards": Program("dashboards", "Grafana 看板与告警文件 · boards, alerts and provisioning of Grafana"),
    "access": Program("access", "账号、密钥、审计 · people, keys, and who did what"),
    "check": Program("check", "检查设置、登记册和规划 · check settings, registry and plans"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one program and return its exit code (0, 1, 2, 3 or 130)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _guard_packages()
        return _printed(words)
    except LanbiError as error:
        if not error.told:
            sys.stderr.write(said(error))
        return error.exit_code
    except UnicodeEncodeError:
        # Bytes that are no text come as halves of characters, which stand in no journal and no answer.
        if not any("\ud800" <= one <= "\udfff" for one in "".join(words)):
            raise
        sys.stderr.write(said(InputError("an argument holds bytes that are no text", "", "write it as UTF-8")))
        return WRONG_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("已中断，状态已保存。 Interrupted; what was done is kept.\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left (`| head`); without this the interpreter complains again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _printed(words: list[str]) -> int:
    """Run one program up to the last byte that it prints.

    Raises
    ------
    WorkError
        What is printed cannot be written. Whoever opens a file says so in words; a fault without a name is that of what we print.
    """
    try:
        code = _run(words)
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in _FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise WorkError(f"the output cannot be written: {error.strerror}", "standard output", "check the folder and the free space") from error
    return code


def _run(words: list[str]) -> int:
    parser = _parser()
    if len(words) < 2 and (not words or words[0] in {"-h", "--help"}):
        parser.print_help(sys.stdout if words else sys.stderr)
        return DONE if words else WRONG_INPUT
    name = next((word for word in words if word in PROGRAMS), "")
    if name:
        _configure(parser, name)
    args = parser.parse_args(words)
    args.config = args.config or os.environ.get("LANBI_CONFIG")
    return int(args.run(args) or DONE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lanbi",
        description="蓝碧：区县生态环境监测服务 · an open monitoring service for a county environment bureau",
        epilog="例 example: lanbi demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="设置文件 settings (default: LANBI_CONFIG, else lanbi.toml)")
    programs = parser.add_subparsers(metavar="PROGRAM", required=True)
    for name, program in PROGRAMS.items():
        programs.add_parser(name, help=program.help)
    return parser


def _configure(parser: argparse.ArgumentParser, name: str) -> None:
    """Only the asked-for program is imported and gets its arguments."""
    choices = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001  argparse offers no other way to a sub-parser
    sub: argparse.ArgumentParser = choices.choices[name]
    module: ModuleType = importlib.import_module(f"lanbi.commands.{PROGRAMS[name].module}")
    sub.description = PROGRAMS[name].help
    sub.formatter_class = argparse.RawDescriptionHelpFormatter
    module.configure(sub)
    _settings_file(sub)
    sub.set_defaults(run=module.run)


def _settings_file(parser: argparse.ArgumentParser) -> None:
    """``--config`` behind every verb: whoever types a command to its end still has to say which settings."""
    if "--config" not in parser._option_string_actions:  # noqa: SLF001  same
        parser.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
    for action in parser._actions:  # noqa: SLF001  same
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  same
            for verb in action.choices.values():
                _settings_file(verb)


def _guard_packages() -> None:
    """Our folders have common names; another distribution's ``analytics`` would silently be ours."""
    here = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        spec = importlib.util.find_spec(room)
        found = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if found != here:
            what = f"package '{room}' is not lanbi's: found in {found}"
            raise LanbiError(what, str(here), "install lanbi in an environment of its own")

"""``lanbi broker acl|passwd|revoke``: the files of a real Mosquitto, generated from the registry."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanbi.broker_files import BrokerFiles

EFFECTIVE_S = 60.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Three verbs."""
    parser.epilog = "例 example: lanbi broker passwd --all\n           lanbi broker acl\n           lanbi broker revoke d-001"
    verbs = parser.add_subparsers(dest="verb", metavar="acl|passwd|revoke", required=True)
    acl = verbs.add_parser("acl", help="由登记册生成访问控制表 · the access list, generated from the registry")
    acl.add_argument("-o", dest="out", metavar="FILE", help="写到别处，- 为标准输出 · write it elsewhere, - for standard output")
    passwd = verbs.add_parser("passwd", help="随机密码：散列给 Mosquitto，明文存一次 · random passwords: hashes for Mosquitto, the clear text once")
    whom = passwd.add_mutually_exclusive_group(required=True)
    whom.add_argument("--device", metavar="ID", help="一台设备的新密码 · a new password for one device")
    whom.add_argument("--all", action="store_true", help="所有还没有密码的设备 · every device that has none yet")
    whom.add_argument("--ingest", action="store_true", help="蓝碧自己和自检 · lanbi itself and its self-test")
    passwd.add_argument("--renew", action="store_true", help="已有密码的也换 · also for those who have one")
    revoke = verbs.add_parser("revoke", help="收回一台设备的登录和权限 · take a device's login and rights away")
    revoke.add_argument("device", metavar="DEVICE")
    for verb in (acl, passwd, revoke):
        verb.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
        verb.add_argument("--no-reload", action="store_true", help="不通知 Mosquitto · do not tell Mosquitto")


def run(args: argparse.Namespace) -> int:
    """Change the files, and make Mosquitto read them."""
    from lanbi import checking, wiring
    from lanbi.broker_files import BrokerFiles, alone

    settings = wiring.settings(args.config)
    files = BrokerFiles(settings, wiring.registry(settings), checking.today(wiring.clock(settings)))
    if args.verb == "acl" and args.out:
        _acl(files, args.out)
        return 0
    with alone(files.folder):
        return {"acl": _write_acl, "passwd": _passwd, "revoke": _revoke}[args.verb](files, args)


def _acl(files: BrokerFiles, out: str) -> None:
    from domain.errors import WorkError

    text = files.access_list()
    if out == "-":
        sys.stdout.write(text)
        return
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorkError(f"the file cannot be written: {error.strerror}", out, "name a file that this user may write") from error
    _say(f"访问控制表 access list: {out}")


def _write_acl(files: BrokerFiles, args: argparse.Namespace) -> int:
    _say(f"访问控制表 access list: {files.write_access_list()} ({len(files.admitted())} 台设备 devices)")
    _reload(files, args)
    return 0


def _passwd(files: BrokerFiles, args: argparse.Namespace) -> int:
    from lanbi.broker_files import logins

    if args.device:
        names, renew = [files.device(args.device)], True
    elif args.all:
        names, renew = files.admitted(), args.renew
    else:
        own = logins(files.settings)
        names, renew = [*own.ingests, own.probe], args.renew
    given = files.give(names, renew=renew)
    for one in given:
        _say(f"{one.name}: {one.file}")
    _say(f"{len(given)} 个新密码，明文各存一次（只有本用户可读），送到设备后请删除 · new passwords, each in a file of its own that only this user may read")
    if args.ingest and files.settings.broker.password_file is None:
        _say(f'提示 note: 请设置 set broker.password_file = "{files.secret_of(files.settings.broker.username)}"')
    if args.ingest and given:
        _say("蓝碧用启动时读到的密码登录：请重启 lanbi logs in with the password that it read at its start: restart it (systemctl restart lanbi)")
    _reload(files, args)
    return 0


def _revoke(files: BrokerFiles, args: argparse.Namespace) -> int:
    device = files.foreign(args.device)
    files.revoke(device)
    _say(f"{device}: 登录和权限已收回 login and rights are taken away")
    _reload(files, args)
    if not args.no_reload:
        _prove(files, device)
    return 0


def _reload(files: BrokerFiles, args: argparse.Namespace) -> None:
    from lanbi.broker_files import reload

    if not args.no_reload:
        pid = reload(files.settings.broker.pid_file)
        _say(f"Mosquitto（进程 {pid}）已重读文件 was told to read its files again")


def _prove(files: BrokerFiles, device: str) -> None:
    """Try the old password, if it is still here, until the broker refuses it."""
    from domain.errors import WorkError
    from ingest.probe import Login, Probe
    from lanbi.broker_access import broker_of
    from lanbi.clock import SystemClock

    secret, clock = files.secret_of(device), SystemClock()
    if not secret.exists():
        _say("没有旧密码的明文，无法验证 no clear text of its old password is here to try it with")
        return
    probe = Probe(broker_of(files.settings), Login(device, secret.read_text(encoding="utf-8").strip()), clock)
    begun = clock.monotonic()
    while not probe.refused():
        if clock.monotonic() - begun > EFFECTIVE_S:
            raise WorkError("the broker still takes the old password", device, "systemctl restart mosquitto")
        clock.sleep(0.5)
    secret.unlink()
    _say(f"{clock.monotonic() - begun:.1f} 秒后旧密码被拒 its old password is refused since then (seconds)")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")

"""``lanbi access``: people, keys, and the log of who did what."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.errors import InputError

if TYPE_CHECKING:
    from lanbi.accounts import AccountFile
    from lanbi.settings import Settings

EXAMPLES = """例 example: lanbi access user add wang --role operator
           lanbi access user add liu --role enterprise --enterprise e-001
           lanbi access key add grafana --role sender --days 365
           lanbi access log --limit 20"""
WRONG_LOG = 1
USERS = {
    "add": "新增 · register",
    "list": "列出 · list",
    "password": "换密码并解锁 · a new password; unlocks",
    "disable": "停用 · shut out",
    "enable": "启用 · let in again",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Three nouns: user, key, log."""
    from api.rights import MACHINES, RIGHTS, ROLES

    parser.epilog = EXAMPLES
    nouns = parser.add_subparsers(dest="noun", metavar="user|key|log", required=True)
    users = nouns.add_parser("user", help="人员账号 · people").add_subparsers(dest="verb", metavar="add|list|password|disable|enable", required=True)
    for verb, words in USERS.items():
        one = _leaf(users, verb, words)
        if verb != "list":
            one.add_argument("name", metavar="NAME")
        if verb in {"add", "password"}:
            one.add_argument(
                "--password-file", type=Path, metavar="FILE", help="密码文件；不写则生成 · file of the password; without it one is made and shown once"
            )
        if verb == "add":
            _grant(one, sorted(set(ROLES) - MACHINES))
    keys = nouns.add_parser("key", help="程序密钥 · keys of programs").add_subparsers(dest="verb", metavar="add|list|revoke", required=True)
    one = _leaf(keys, "add", "新密钥，只显示一次 · a new key, shown once")
    one.add_argument("name", metavar="NAME", help="谁的 · whose it is")
    one.add_argument(
        "--only", action="append", default=[], choices=sorted(RIGHTS), help="只给其中的权限，可重复 · of the role's rights only this (may be repeated)"
    )
    one.add_argument("--days", type=int, default=365, metavar="N", help="有效天数 · valid for N days (default 365)")
    _grant(one, list(ROLES))
    _leaf(keys, "list", "列出 · list")
    _leaf(keys, "revoke", "撤销 · take back").add_argument("id", metavar="ID")
    log = _leaf(nouns, "log", "审计记录 · the audit log")
    log.add_argument("--limit", type=int, default=50, metavar="N")
    log.add_argument("--verify", action="store_true", help="核对链 · check that no line was changed or taken out")


def _leaf(parsers: Any, name: str, words: str) -> argparse.ArgumentParser:
    found: argparse.ArgumentParser = parsers.add_parser(name, help=words)
    found.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
    return found


def _grant(parser: argparse.ArgumentParser, roles: list[str]) -> None:
    parser.add_argument("--role", required=True, choices=roles)
    parser.add_argument("--enterprise", action="append", default=[], metavar="ID", help="企业角色：所属企业，可重复 · for role enterprise: its ids")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    from lanbi import wiring
    from lanbi.accounts import AccountFile
    from lanbi.clock import SystemClock
    from lanbi.folders import made, there

    settings = wiring.settings(args.config)
    # Only what registers somebody may be the first to need the folder: a mistyped path must not read as "nobody is registered".
    folder = made if getattr(args, "verb", "") == "add" else there
    accounts = AccountFile(folder(settings.data), SystemClock())
    try:
        if args.noun == "log":
            return _log(accounts, args)
        table = {
            "user": {"add": _add, "list": _list, "password": _password, "disable": _able, "enable": _able},
            "key": {"add": _give, "list": _keys, "revoke": _revoke},
        }
        table[args.noun][args.verb](accounts, args, settings)
        return 0
    finally:
        accounts.close()


def _bound(args: argparse.Namespace, settings: Settings) -> None:
    """An enterprise's account names its enterprises, and only it does."""
    from lanbi import wiring
    from lanbi.mosquitto import NAME

    if not NAME.fullmatch(args.name):
        raise InputError(f"not a name: {args.name[:80]!r}", "NAME", "write 1 to 64 letters, digits, _ or -")
    if bool(args.enterprise) != (args.role == "enterprise"):
        raise InputError("role enterprise needs --enterprise ID, and no other role takes it", "--enterprise", "name the registered enterprise")
    unknown = [one for one in args.enterprise if one not in wiring.registry(settings).enterprises]
    if unknown:
        raise InputError(f"no such enterprise: {unknown[0]}", "--enterprise", "write a registered id")


def _add(accounts: AccountFile, args: argparse.Namespace, settings: Settings) -> None:
    _bound(args, settings)
    password, made = _asked(args)
    accounts.add(args.name, args.role, password, args.enterprise)
    _noted(accounts, "user-add", args.name, args.role)
    sys.stdout.write(f"已新增 registered: {args.name} ({args.role})\n" + (f"初始密码，只显示一次 first password, shown once: {password}\n" if made else ""))


def _password(accounts: AccountFile, args: argparse.Namespace, _settings: Settings) -> None:
    from lanbi import passwords

    _known(accounts, args.name)
    password, made = _asked(args)
    wrong = passwords.fault(password, args.name)
    if wrong:
        raise InputError(wrong, "--password-file", "choose another, or leave it out and get one made")
    accounts.renew(args.name, password)
    _noted(accounts, "user-password", args.name)
    sys.stdout.write(
        f"已换密码，旧会话已结束 new password, old sessions are over: {args.name}\n" + (f"新密码，只显示一次 shown once: {password}\n" if made else "")
    )


def _able(accounts: AccountFile, args: argparse.Namespace, _settings: Settings) -> None:
    _known(accounts, args.name)
    accounts.disable(args.name, disabled=args.verb == "disable")
    _noted(accounts, f"user-{args.verb}", args.name)
    sys.stdout.write(f"{'已停用 shut out' if args.verb == 'disable' else '已启用 let in'}: {args.name}\n")


def _known(accounts: AccountFile, name: str) -> None:
    if name not in {row[0] for row in accounts.people()}:
        raise InputError(f"no such user: {name[:80]!r}", "NAME", "`lanbi access user list` names them")


def _asked(args: argparse.Namespace) -> tuple[str, bool]:
    """The password of the file, or a made one."""
    from lanbi import passwords
    from lanbi.secret import read_secret

    if args.password_file:
        return read_secret(args.password_file, "--password-file").reveal(), False
    return passwords.made(), True


def _list(accounts: AccountFile, _args: argparse.Namespace, _settings: Settings) -> None:
    now = accounts.now()
    people = accounts.people()
    for name, role, enterprises, changed, failures, rests, disabled in people:
        state = "停用 disabled" if disabled else "暂停 resting" if rests > now else f"失败 failures {failures}" if failures else "正常 fine"
        sys.stdout.write(f"{name}  {role}  {','.join(json.loads(enterprises))}  密码 password {_iso(changed)}  {state}\n")
    sys.stdout.write(f"{len(people)} 个账号 shown\n")


def _give(accounts: AccountFile, args: argparse.Namespace, settings: Settings) -> None:
    from api.rights import ROLES

    _bound(args, settings)
    strange = set(args.only) - ROLES[args.role]
    if strange:
        raise InputError(f"role {args.role} does not hold {', '.join(sorted(strange))}", "--only", f"choose of {', '.join(sorted(ROLES[args.role]))}")
    if not 1 <= args.days <= 3_660:
        raise InputError("a key is valid for 1 to 3660 days", "--days", "write a number of days")
    key = accounts.give(args.name, args.role, args.only, args.enterprise, args.days)
    _noted(accounts, "key-add", args.name, f"{key.split('_')[1]} {args.role} {','.join(args.only)}")
    sys.stdout.write(f"密钥，只显示一次 the key, shown once:\n{key}\n")


def _keys(accounts: AccountFile, _args: argparse.Namespace, _settings: Settings) -> None:
    now = accounts.now()
    tokens = accounts.tokens()
    for name, holder, role, rights, enterprises, _made, expires, used, revoked in tokens:
        state = "已撤销 revoked" if revoked else "过期 expired" if expires <= now else "有效 valid"
        more = ",".join([*json.loads(rights), *json.loads(enterprises)])
        sys.stdout.write(f"{name}  {holder}  {role}  {more}  至 until {_iso(expires)}  最近使用 last used {_iso(used) if used else '–'}  {state}\n")
    sys.stdout.write(f"{len(tokens)} 个密钥 shown\n")


def _revoke(accounts: AccountFile, args: argparse.Namespace, _settings: Settings) -> None:
    if not accounts.revoke(args.id):
        raise InputError(f"no such key, or revoked already: {args.id[:80]!r}", "ID", "`lanbi access key list` names them")
    _noted(accounts, "key-revoke", args.id)
    sys.stdout.write(f"已撤销 revoked: {args.id}\n")


def _log(accounts: AccountFile, args: argparse.Namespace) -> int:
    if args.limit < 1:
        raise InputError("at least one line is needed", "--limit", "write a number ≥ 1")
    if args.verify:
        broken = accounts.broken()
        sys.stdout.write(
            "审计记录完整 every line follows from the one before\n" if broken is None else f"第 {broken} 条与前一条不符 line {broken} does not follow\n"
        )
        return 0 if broken is None else WRONG_LOG
    deeds = accounts.deeds(0, args.limit, None)
    for one in reversed(deeds):
        sys.stdout.write(f"{one.number:>8}  {_iso(one.time)}  {'  '.join(part or '–' for part in one.deed)}\n")
    sys.stdout.write(f"{len(deeds)} 条 shown\n")
    return 0


def _noted(accounts: AccountFile, action: str, name: str, detail: str = "") -> None:
    from api.accounts import Deed

    accounts.note(Deed(getpass.getuser() if os.environ.get("USER") or os.environ.get("LOGNAME") else "console", "console", "", action, name, detail=detail))


def _iso(time: Any) -> str:
    from domain.civil import iso

    return iso(int(time))

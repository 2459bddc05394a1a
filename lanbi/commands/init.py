"""``lanbi init``: a working configuration, from a few answers or flags; it overwrites nothing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanbi.founding import Wish

EXAMPLES = """例 example: lanbi init --county-id cp --county-name 某区
           lanbi init --to /etc/lanbi --data /var/lib/lanbi --user lanbi --store influx --board board.example.gov.cn"""
ADMIN = "admin"
KEY_DAYS = 3_650


def configure(parser: argparse.ArgumentParser) -> None:
    """What is not said is asked for on a terminal; elsewhere it is the default, or a fault."""
    parser.epilog = EXAMPLES
    parser.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="设置文件夹 folder of the settings (default: this one)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="数据文件夹 data folder (default: var in the folder of the settings)")
    parser.add_argument("--county-id", metavar="ID", help="区县代号 id of the county")
    parser.add_argument("--county-name", metavar="NAME", help="区县名称 its name")
    parser.add_argument("--registry", type=Path, metavar="FILE", help="已有的登记册 a registry that is there already")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="已有的规划 a plan that is there already")
    parser.add_argument("--store", choices=("embedded", "influx"), help="存储 where readings and figures are kept")
    parser.add_argument("--store-url", default="http://127.0.0.1:8086", metavar="URL", help="InfluxDB 地址 address of InfluxDB")
    parser.add_argument("--broker-port", type=int, default=1883, metavar="N", help="Mosquitto 在 127.0.0.1 的端口 its port on 127.0.0.1")
    parser.add_argument(
        "--mosquitto", choices=("system", "own"), help="system：Debian 的服务；own：由本用户启动 Debian's service, or one that this user starts"
    )
    parser.add_argument("--http", default="127.0.0.1:8080", metavar="HOST:PORT", help="看板地址 address of the board")
    parser.add_argument("--board", action="append", default=[], metavar="NAME", help="代理后的看板主机名 host name of the board behind a proxy")
    parser.add_argument("--user", metavar="NAME", help="运行服务的用户（需 root）user of the service; needs root")


def run(args: argparse.Namespace) -> int:
    """Write everything, look at it as `lanbi check` does, and say what comes next."""
    import os

    from lanbi.founding import checked, founded, given_to, shared

    wish = checked(_wish(args))
    with founded(wish):
        _secrets(wish)
        if args.user:
            given_to(args.user, wish)
        elif os.geteuid() == 0:
            shared(wish, 0, 0)
    _next(wish, args.user)
    return 0


def _wish(args: argparse.Namespace) -> Wish:
    import os

    from domain.civil import year_of_day
    from domain.errors import InputError
    from lanbi.checking import today
    from lanbi.clock import SystemClock
    from lanbi.founding import OWN, SYSTEM, Wish

    if not 1 <= args.broker_port <= 65_535:
        raise InputError(f"not a port: {args.broker_port}", "--broker-port", "write 1 to 65535")
    folder = args.to.absolute()
    return Wish(
        folder=folder,
        data=(args.data or folder / "var").absolute(),
        county=args.county_id or _ask("--county-id", "区县代号，字母、数字 id of the county, such as cp"),
        name=args.county_name or _ask("--county-name", "区县名称 its name"),
        registry=args.registry.absolute() if args.registry else None,
        plan=args.plan.absolute() if args.plan else None,
        store=args.store or _ask("--store", "存储 store: embedded, influx", "embedded"),
        store_url=args.store_url,
        broker_port=args.broker_port,
        mosquitto=args.mosquitto or (SYSTEM if os.geteuid() == 0 else OWN),
        http=args.http,
        names=tuple(args.board),
        horizon=year_of_day(today(SystemClock())) // 5 * 5 + 5,
    )


def _ask(flag: str, words: str, default: str = "") -> str:
    from domain.errors import InputError

    if not sys.stdin.isatty():
        if default:
            return default
        raise InputError(f"{flag} is needed", flag, f"write {flag}, or call lanbi init on a terminal, where it asks")
    sys.stderr.write(f"{words}{f' [{default}]' if default else ''}: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or default


def _secrets(wish: Wish) -> None:
    """Logins at the broker, the first administrator, the key of the live check; then everything as `lanbi check` sees it."""
    from api.accounts import Deed
    from lanbi import checking, passwords, wiring
    from lanbi.accounts import AccountFile
    from lanbi.broker_files import BrokerFiles, logins
    from lanbi.clock import SystemClock
    from lanbi.founding import FIRST, PROBE_KEY, SECRET, New, written
    from lanbi.settings import load

    # The environment does not count: what was written must stand by itself.
    settings = load(str(wish.folder / "lanbi.toml"), {})
    registry = wiring.registry(settings)
    wiring.plans(settings)
    clock, secrets = SystemClock(), wish.data / "secrets"
    files, own = BrokerFiles(settings, registry, checking.today(clock)), logins(settings)
    files.give([*own.ingests, own.probe, *files.admitted()], renew=False)
    accounts = AccountFile(wish.data, clock)
    try:
        password = passwords.made()
        accounts.add(ADMIN, "admin", password, [])
        accounts.note(Deed("lanbi init", "console", "", "user-add", ADMIN, detail="admin"))
        written(New(secrets / FIRST, password + "\n", SECRET))
        written(New(secrets / PROBE_KEY, accounts.give("lanbi-check", "probe", [], [], KEY_DAYS) + "\n", SECRET))
    finally:
        accounts.close()


def _next(wish: Wish, user: str | None) -> None:
    from lanbi.founding import FIRST, OWN

    secrets = wish.data / "secrets"
    given = secrets / "devices"
    lines = [
        f"已写 written: {wish.folder}/lanbi.toml, mosquitto.conf" + ("" if wish.registry else ", county.toml") + ("" if wish.plan else ", plan.toml"),
        f"看板首个账号 first login of the board: {ADMIN}，密码在 its password is in {secrets / FIRST}（记下后删除 note it and remove the file）",
        *([f"设备密码 passwords of the devices: {given}（送到设备后删除 carry them to the devices and remove them）"] if given.is_dir() else []),
        "下一步 next:",
        f"  Mosquitto: mosquitto -d -c {wish.folder / 'mosquitto.conf'}" if wish.mosquitto == OWN else
        f"  Mosquitto: cp {wish.folder / 'mosquitto.conf'} /etc/mosquitto/mosquitto.conf && systemctl restart mosquitto",
    ]  # fmt: skip
    run = f"runuser -u {user} -- lanbi" if user else "lanbi"
    config = f"--config {wish.folder / 'lanbi.toml'}"
    lines += [f"  InfluxDB:  {run} store init {config}"] if wish.store == "influx" else []
    lines += [f"  lanbi:     {run} run {config}", f"  然后 then: {run} check --live {config}"]
    sys.stdout.write("\n".join(lines) + "\n")

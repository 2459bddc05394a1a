"""``lanbi store``: prepare the server database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from domain.errors import InputError, SettingsError
from lanbi import wiring


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi store``."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="init")
    one = steps.add_parser("init", help="建桶、写令牌 make buckets and tokens in InfluxDB; repeating it changes nothing that is right")
    one.add_argument("--retention", type=int, metavar="DAYS", help="原始数据保留天数，0 为永久 days that raw readings are kept, 0 = for ever (new: 1826)")
    one.add_argument("--operator-token-file", type=Path, metavar="FILE", help="管理令牌文件 file of the operator token, if somebody else set InfluxDB up")
    one.add_argument("--renew", action="store_true", help="换发令牌 issue new tokens and revoke the old ones")
    one.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="设置文件 settings")
    parser.epilog = "例 example: lanbi store init --retention 1826"


def run(args: argparse.Namespace) -> int:
    """Prepare the store that the settings name."""
    settings = wiring.settings(args.config)
    if settings.store.kind != "influx":
        raise SettingsError("the embedded store needs no preparation", "store.kind", 'set kind = "influx" for a server database')
    if args.retention is not None and not 0 <= args.retention <= 36_500:
        raise InputError(f"not a number of days: {args.retention}", "--retention", "write 0 (for ever) to 36500")
    wiring.influx_there()
    from lanbi.influx_setup import Wish, prepare

    for line in prepare(settings, Wish(args.retention, args.operator_token_file, args.renew)):
        sys.stdout.write(line + "\n")
    return 0

"""``lanbi restore``: a backup becomes a data folder in an empty place."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """From where to where, and the server for the store."""
    parser.epilog = "例 example: lanbi restore --from /var/backups/lanbi --to /var/lib/lanbi-new\n           lanbi restore --from B --to D --store-url http://127.0.0.1:8086 --operator-token-file FILE"
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR", help="备份文件夹 folder of the backups")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="空的数据文件夹 an empty data folder")
    parser.add_argument("--name", metavar="NAME", help="哪一个备份（默认最新） which one; default: the newest")
    parser.add_argument("--store-url", metavar="URL", help="空的 InfluxDB an InfluxDB that nobody has set up")
    parser.add_argument("--operator-token-file", type=Path, metavar="FILE", help="备份时的管理令牌文件 operator token of the InfluxDB that was backed up")
    parser.add_argument(
        "--without-store", action="store_true", help="不恢复 InfluxDB，之后由日志重建 leave InfluxDB out; `lanbi replay` fills it from the journal"
    )
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable")


def run(args: argparse.Namespace) -> int:
    """Check, give back, say what comes next."""
    from domain.errors import InputError
    from lanbi.backing import INFLUX
    from lanbi.restoring import Server, restore, settings_of
    from lanbi.secret import read_secret
    from lanbi.vault import Vault

    server = None
    if args.store_url:
        if args.operator_token_file is None:
            raise InputError("the operator's token is needed", "--operator-token-file", "name the file that was kept outside the server")
        server = Server(args.store_url, read_secret(args.operator_token_file, "--operator-token-file"))
    vault = Vault(args.source)
    backup = vault.read(args.name)
    if args.without_store:
        backup = backup._replace(files=tuple(one for one in backup.files if not one.path.startswith(f"{INFLUX}/")))
    given = restore(vault, backup, args.to, server, (lambda _: None) if args.json else _say)
    if args.json:
        _say(json.dumps(given._asdict()))
        return 0
    _say(f"已恢复 restored {given.name}: {given.files} 个文件 files, {given.size / 1e6:.1f} MB → {args.to}")
    _say(f"下一步 next: 设置在 settings are in {settings_of(args.to)}; lanbi broker passwd --ingest --renew; lanbi run; lanbi reconcile (docs/backup.md)")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")

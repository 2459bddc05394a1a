"""``lanbi backup``: take one, verify, list, thin out, and put one into an encrypted archive."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanbi.vault import Vault

EXAMPLES = """例 example: lanbi backup --to /var/backups/lanbi
           lanbi backup verify --from /var/backups/lanbi
           lanbi backup key -o backup-key.txt
           lanbi backup seal --from /var/backups/lanbi -o 2026-11.tar.age --recipient age1…"""
DAMAGED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Without a verb a backup is taken."""
    parser.epilog = EXAMPLES
    parser.add_argument("verb", nargs="?", choices=("take", "verify", "list", "key", "seal", "open"), default="take", metavar="VERB",
                        help="take（默认）、verify 核对、list 列出、key 新密钥、seal 加密归档、open 解密归档 take (default), verify, list, key, seal, open")  # fmt: skip
    parser.add_argument("--to", type=Path, metavar="DIR", help="备份文件夹 take, open: folder of the backups")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="备份文件夹 verify, list, seal: folder of the backups")
    parser.add_argument("--name", metavar="NAME", help="哪一个备份（默认最新） which one; default: the newest (verify: all)")
    parser.add_argument("--operator-token-file", type=Path, metavar="FILE", help="InfluxDB 管理令牌文件 its operator token (default: secrets/influx-operator)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="seal 的归档，key 的密钥文件 archive of seal, file of key")
    parser.add_argument("--archive", type=Path, metavar="FILE", help="open 的归档 archive of open")
    parser.add_argument(
        "--recipient", action="append", default=[], metavar="age1…", help="归档只有其私钥持有者能打开，可重复 who can open the archive (may be repeated)"
    )
    parser.add_argument("--identity", type=Path, metavar="FILE", help="open 的私钥文件 key file of open")
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    verbs = {"take": _take, "verify": _verify, "list": _list, "key": _key, "seal": _seal, "open": _open}
    return verbs[args.verb](args)


def _needed(args: argparse.Namespace, name: str, flag: str) -> Path:
    from domain.errors import InputError

    found: Path | None = getattr(args, name)
    if found is None:
        raise InputError(f"{flag} is needed", flag, f"write {flag}; lanbi backup --help has examples")
    return found


def _vault(args: argparse.Namespace) -> Vault:
    from lanbi.vault import Vault

    return Vault(_needed(args, "source", "--from"))


def _take(args: argparse.Namespace) -> int:
    from lanbi import wiring
    from lanbi.backing import Backing
    from lanbi.clock import SystemClock
    from lanbi.folders import there
    from lanbi.vault import Vault

    settings = wiring.settings(args.config)
    there(settings.data)
    vault = Vault(_needed(args, "to", "--to"), create=True)
    said = (lambda _: None) if args.json else _say
    taken = Backing(settings, vault, SystemClock(), args.operator_token_file).run(said)
    words = f"已备份 backed up {taken.name}: {taken.files} 个文件 files, {taken.size / 1e6:.1f} MB, 新增 new {taken.fresh / 1e6:.1f} MB"
    _tell(args, taken._asdict(), [words])
    return 0


def _verify(args: argparse.Namespace) -> int:
    vault = _vault(args)
    names = [args.name] if args.name else vault.names()
    seen: set[tuple[str, str]] = set()
    faults: dict[str, list[str]] = {}
    for name in names:
        backup = vault.read(name)
        # A content that many backups share is read once.
        new = backup._replace(files=tuple(one for one in backup.files if (one.path, one.digest) not in seen))
        seen |= {(one.path, one.digest) for one in backup.files}
        faults[name] = list(vault.faults(new))
    broken = [f"{name}: {fault}" for name, found in faults.items() for fault in found]
    if not names:
        vault.read()
    _tell(args, {"ok": not broken, "backups": len(names), "files": len(seen), "faults": broken},
          [*broken, f"{len(names)} 个备份 backups, {len(seen)} 个文件 files: " + (f"{len(broken)} 处损坏 faults" if broken else "全部完好 all are whole")])  # fmt: skip
    return DAMAGED if broken else 0


def _list(args: argparse.Namespace) -> int:
    from lanbi.backing import about

    vault = _vault(args)
    backups = [vault.read(name) for name in vault.names()]
    told = [{"name": one.name, "files": len(one.files), "bytes": sum(file.size for file in one.files), **one.about} for one in backups]
    _tell(args, {"items": told}, [line for one in backups for line in about(one)])
    return 0


def _age() -> None:
    from importlib.util import find_spec

    from domain.errors import SettingsError

    if find_spec("pyrage") is None:
        raise SettingsError("the library for encrypted archives is not installed", "pyrage", "pip install 'lanbi[backup]'")


def _key(args: argparse.Namespace) -> int:
    _age()
    from lanbi.sealed_backup import new_key

    path = _needed(args, "output", "-o")
    _say(f"公钥 recipient: {new_key(path)}\n私钥 key: {path}（不要放在这台服务器上 keep it away from this server）")
    return 0


def _seal(args: argparse.Namespace) -> int:
    _age()
    from lanbi.sealed_backup import seal

    vault = _vault(args)
    backup = vault.read(args.name)
    size = seal(vault, backup, _needed(args, "output", "-o"), args.recipient)
    _tell(args, {"name": backup.name, "archive": str(args.output), "bytes": size}, [f"已加密归档 sealed {backup.name}: {args.output}, {size / 1e6:.1f} MB"])
    return 0


def _open(args: argparse.Namespace) -> int:
    _age()
    from lanbi.sealed_backup import unseal

    name = unseal(_needed(args, "archive", "--archive"), _needed(args, "identity", "--identity"), _needed(args, "to", "--to"))
    _tell(args, {"name": name}, [f"已解密 opened {name}: {args.to}"])
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _tell(args: argparse.Namespace, told: dict[str, Any], lines: list[str]) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n" if args.json else "".join(f"{line}\n" for line in lines))

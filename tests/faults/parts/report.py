"""What all campaigns share: their arguments, the report as JSON, the verdict in one word, the exit code."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.parts.house import PartMissingError


class Asked(NamedTuple):
    """What the command line asks of a campaign."""

    folder: Path
    seed: int
    quick: bool
    more: argparse.Namespace


Finding = dict[str, Any]
"""A report; ``sound`` is its verdict."""
Argument = tuple[str, type, object, str]
"""Name, type, default, help."""


def main(name: str, words: str, campaign: Callable[[Asked], Finding], arguments: Sequence[Argument] = ()) -> int:
    """Run a campaign from the command line: 0 sound, 1 not sound, 3 a program is missing."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.faults.{name}", description=words)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="default: another one each time; it is logged")
    parser.add_argument("--quick", action="store_true", help="the short form of CI, below a minute")
    parser.add_argument("--json", type=Path, help="append the report as one JSON line")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it there")
    for option, kind, default, told in arguments:
        parser.add_argument(option, type=kind, default=default, help=told)
    args = parser.parse_args()
    # Told to end, it ends by its own way out: parts are stopped and the folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"{name}: seed {args.seed}", flush=True)
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="lanbi-faults-") as folder:
            if args.keep:
                args.keep.mkdir(parents=True)
            found = campaign(Asked(args.keep or Path(folder), args.seed, args.quick, args))
    except PartMissingError as missing:
        print(missing, file=sys.stderr)
        return 3
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    full = {"campaign": name, "seed": args.seed, "quick": args.quick, "took_s": round(time.monotonic() - begun, 1), "machine": machine, **found}
    print(json.dumps(full, ensure_ascii=False, indent=1))
    if args.json:
        with args.json.open("a", encoding="utf-8") as out:
            out.write(json.dumps(full, ensure_ascii=False) + "\n")
    skipped = full.get("skipped")
    print(f"{name}: SKIPPED: {skipped}" if skipped else f"{name}: {'sound' if full['sound'] else 'NOT SOUND'}")
    return 0 if full["sound"] else 1

"""``lanbi check``: settings, registry and plans, every fault with file and line."""

from __future__ import annotations

import argparse
import json
import sys

from domain.errors import LanbiError, PlanError, RegistryError
from lanbi import wiring


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi check``."""
    parser.add_argument("--explain", action="store_true", help="逐项说明设置 explain every settings key")
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable answer")
    parser.epilog = "例 example: lanbi check --config lanbi.toml"


def run(args: argparse.Namespace) -> int:
    """Check everything; 0 if all is well, 2 with all faults otherwise."""
    if args.explain:
        return explain()
    settings = wiring.settings(args.config)
    faults: list[LanbiError] = []
    lines: list[str] = []
    try:
        registry = wiring.registry(settings)
        from lanbi.registry import summary

        lines.append(f"登记册 registry {settings.county}: " + ", ".join(f"{name} {count}" for name, count in summary(registry)) + f" ({registry.version})")
    except RegistryError as error:
        faults.append(error)
    try:
        for plan in wiring.plans(settings):
            valued = sum(1 for target in plan.targets if target.last)
            lines.append(f"规划 plan {plan.name_zh}: {len(plan.targets)} 项指标 targets, {valued} 项有目标值 with a value")
    except PlanError as error:
        faults.append(error)
    _answer(lines, faults, as_json=args.json)
    return faults[0].exit_code if faults else 0


def _answer(lines: list[str], faults: list[LanbiError], *, as_json: bool) -> None:
    if as_json:
        body = {"ok": not faults, "checked": lines, "faults": [{"what": one.what, "where": one.where, "do": one.todo} for one in faults]}
        sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
        return
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    for one in faults:
        sys.stderr.write(f"{one.where}: {one.what}\n  处理 do: {one.todo}\n")
    if not faults:
        sys.stdout.write("一切正常 all is well\n")


def explain() -> int:
    """Print every settings key with its variable, default and meaning."""
    from lanbi.settings import KEYS, variable

    for name, key in KEYS.items():
        default = ", ".join(key.default) if isinstance(key.default, tuple) else key.default
        sys.stdout.write(f"{name} = {default if default is not None else '(none)'}\n  {variable(name)}\n  {key.zh} · {key.en}\n")
    return 0

"""``lanbi check``: settings, registry and plans, every fault with file and line; what is allowed but unwise; and what runs (``--live``)."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from domain.errors import InputError, PlanError, RegistryError, SettingsError
from domain.sayings import both
from lanbi import wiring

if TYPE_CHECKING:
    from lanbi.live import Finding
    from lanbi.settings import Settings

FAULTY = 2
_BELOW = "\n           "
"""English stands below its Chinese, where ``处理 do:`` begins to speak."""
_BESIDE = " · "
"""Behind it where a text is one field: what a machine hands on, people read."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lanbi check``."""
    parser.add_argument("--explain", action="store_true", help="逐项说明设置 explain every settings key")
    parser.add_argument("--live", action="store_true", help="也检查正在运行的各部分 also look at what runs; exit code 1 on a fault there")
    parser.add_argument("--json", action="store_true", help="机器可读 machine-readable answer")
    parser.epilog = "例 example: lanbi check --config lanbi.toml\n           lanbi check --live"


def run(args: argparse.Namespace) -> int:
    """Check everything; 0 if all is well, 2 with all faults of the files, 1 if only what runs is at fault."""
    if args.explain:
        _explain(as_json=args.json)
        return 0
    found = _Found()
    try:
        settings = wiring.settings(args.config)
    except SettingsError as error:
        found.fault(error)
    else:
        _look(settings, found)
        if args.live and not found.faults:
            from lanbi.live import findings

            found.live = list(findings(settings))
    found.tell(as_json=args.json)
    return FAULTY if found.faults else int(found.broken)


@dataclass
class _Found:
    """What the look brought: lines of summary, faults (where, what, do), and hints."""

    lines: list[str] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    live: list[Finding] | None = None

    @property
    def broken(self) -> bool:
        """Whether something that runs is at fault."""
        return any(one.state == "fault" for one in self.live or ())

    def fault(self, error: InputError) -> None:
        from lanbi.toml_lines import faults_of

        self.faults += [(where, what, error.todo) for where, what in faults_of(error)]

    def tell(self, *, as_json: bool) -> None:
        if as_json:
            faults = [{"where": where, "what": both(what, _BESIDE), "do": both(todo, _BESIDE)} for where, what, todo in self.faults]
            live = {} if self.live is None else {"live": [_row(one) for one in self.live]}
            hints = [both(hint, _BESIDE) for hint in self.hints]
            _write({"ok": not faults and not self.broken, "checked": self.lines, "faults": faults, "hints": hints, **live})
            return
        sys.stdout.write("".join(f"{line}\n" for line in self.lines))
        sys.stdout.write("".join(f"提示 note: {both(hint, _BELOW)}\n" for hint in self.hints))
        for number, (where, what, todo) in enumerate(self.faults):
            # Each with its place: editors jump to it, and scripts look for it before the English.
            again = f"\n{where}: "
            sys.stderr.write(f"{where}: {both(what, again)}\n")
            if number + 1 == len(self.faults) or self.faults[number + 1][2] != todo:
                sys.stderr.write(f"  处理 do: {both(todo, _BELOW)}\n")
        sys.stdout.write("".join(f"{one.line()}\n" for one in self.live or ()))
        if self.faults:
            sys.stderr.write(f"{len(self.faults)} 处错误 faults\n")
        elif self.broken:
            sys.stderr.write(f"{sum(one.state == 'fault' for one in self.live or ())} 处运行故障 faults in what runs\n")
        else:
            sys.stdout.write("一切正常 all is well\n")


def _row(one: Finding) -> dict[str, str]:
    return {"part": one.part, "state": one.state, "zh": one.zh, "en": one.en, "do": both(one.todo, _BESIDE)}


def _look(settings: Settings, found: _Found) -> None:
    from lanbi import checking, folders

    today = checking.today(wiring.clock(settings))
    found.lines.append(f"设置 settings: {settings.file or '默认 defaults'}; data {settings.data}")
    try:
        registry = wiring.registry(settings)
        found.lines.append(checking.of_registry(registry, today))
        found.hints += checking.registry_hints(registry, settings, today)
    except RegistryError as error:
        found.fault(error)
    try:
        plans = wiring.plans(settings)
        found.lines += [checking.of_plan(plan, today) for plan in plans]
    except PlanError as error:
        found.fault(error)
    for wrong in checking.secret_faults(settings):
        found.fault(wrong)
    found.hints += checking.settings_hints(settings)
    if (settings.data / "journal").is_dir():
        found.lines.append(checking.of_journal(settings))
        found.hints += checking.journal_hints(settings)
    if why := folders.fault(settings.data):
        found.fault(SettingsError(f"data: {why}", str(settings.file or "data"), folders.TODO))


def _explain(*, as_json: bool) -> None:
    from lanbi.settings import variable
    from lanbi.settings_keys import KEYS

    rows = [
        {"key": name, "variable": variable(name), "default": list(key.default) if isinstance(key.default, tuple) else key.default, "zh": key.zh, "en": key.en}
        for name, key in KEYS.items()
    ]
    if as_json:
        _write({"items": rows})
        return
    for row in rows:
        default = json.dumps(row["default"], ensure_ascii=False) if row["default"] is not None else "(无 none)"
        sys.stdout.write(f"{row['key']} = {default}\n  {row['variable']}\n  {row['zh']} · {row['en']}\n")


def _write(body: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")

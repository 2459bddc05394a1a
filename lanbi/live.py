"""``lanbi check --live``: looks at what runs, part by part; each finding in both languages, with what to do about it.

A new part is a function ``look(settings)`` in a module of its own and a line in :data:`PARTS`. It changes nothing that runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from domain.errors import LanbiError
from domain.sayings import both, chinese
from lanbi.settings import Settings

OK: Final = "ok"
NOTE: Final = "note"
"""Allowed, but somebody should look."""
FAULT: Final = "fault"
PARTS: Final[Mapping[str, str]] = {
    "safety": "lanbi.live_safety",
    "machine": "lanbi.live_machine",
    "processes": "lanbi.live_processes",
    "broker": "lanbi.live_broker",
    "store": "lanbi.live_store",
    "journal": "lanbi.live_journal",
    "account": "lanbi.live_law",
    "backup": "lanbi.live_backup",
}
"""Part → module with ``look(settings) -> Iterable[Finding]``; imported only when it is asked for."""


class Finding(NamedTuple):
    """What one look at a part brought: ``ok``, ``note`` or ``fault``, in Chinese and English, and what to do."""

    part: str
    state: str
    zh: str
    en: str
    todo: str = ""

    def line(self) -> str:
        """For a terminal."""
        mark = {OK: "正常 ok", NOTE: "提示 note", FAULT: "故障 fault"}[self.state]
        return f"{mark:<9} {self.part:<13} {self.zh} · {self.en}" + (f"\n{'':9} 处理 do: {both(self.todo, ' · ')}" if self.todo else "")


def findings(settings: Settings, parts: Mapping[str, str] = PARTS) -> Iterator[Finding]:
    """Findings of every part in order; a part that fails to look is a fault of that part, and hides no other."""
    for part, module in parts.items():
        look: Callable[[Settings], Iterable[Finding]] = importlib.import_module(module).look
        try:
            yield from look(settings)
        except LanbiError as error:
            yield Finding(part, FAULT, f"无法检查：{chinese(error.what) or error.what}", f"cannot be looked at: {error.where}: {error.what}", error.todo)
        except Exception as error:  # noqa: BLE001  the other parts still want to be looked at, and the fault is told
            yield Finding(part, FAULT, "检查本身出错", f"the check itself failed: {error!r}"[:300], "report it with this line")

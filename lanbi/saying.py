"""An error in the words of the command line: what, where, and what to do, each sentence in Chinese first, its English below."""

from __future__ import annotations

from typing import Final

from domain.errors import LanbiError
from domain.sayings import both, placed

_BELOW: Final = "\n       "
_BELOW_DO: Final = "\n              "


def said(error: LanbiError) -> str:
    """Lines of an error, each with its end."""
    lines = [f"lanbi: {both(error.what, _BELOW)}"]
    if error.where:
        place = placed(error.where)
        lines.append(f"  位置 where: {error.where if place == error.where else place + _BELOW_DO + error.where}")
    if error.todo:
        lines.append(f"  处理 do:    {both(error.todo, _BELOW_DO)}")
    return "\n".join(lines) + "\n"

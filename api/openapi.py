"""Writes ``docs/openapi.json``: generate, write, nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import cast

from api.app import create_app
from api.sources import Sources
from domain.ports import Clock


class _Still:
    """A clock that is never asked: the description needs no data."""

    def __init__(self) -> None:
        self.clock = cast("Clock", None)


def text() -> str:
    """The description as it is checked in."""
    app = create_app(cast("Sources", _Still()))
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/openapi.json").write_text(text(), encoding="utf-8")

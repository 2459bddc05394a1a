"""What was seen last, as people look at it: decided by the forwarder, or received and waiting for the store."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from ingest.ports import Latest
from lanbi.state import StateView

_Rows = list[tuple[str, int, str, int, int, int, str, dict[str, tuple[float | None, str]]]]
_decode: Final = msgspec.json.Decoder(_Rows).decode


def path_of(data: Path) -> Path:
    """Where ingest says what waits; absent while nothing does."""
    return data / "run" / "latest.json"


class Seen(StateView):
    """The state as people look at it: the newest readings are those that were received, decided or not."""

    def latest(self) -> list[Latest]:
        """The newest reading of every source and span; what waits for the store stands where it is newer."""
        found = {(one.source, one.span): one for one in super().latest()}
        for one in _said(path_of(self.data)):
            known = found.get((one.source, one.span))
            if known is None or one.time > known.time:
                found[one.source, one.span] = one
        return list(found.values())


def _said(path: Path) -> list[Latest]:
    try:
        rows = _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return []
    return [Latest._make(row) for row in rows]

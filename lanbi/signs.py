"""Signs of life: how each process says it is, by the age and the words of its status file. Whoever looks needs no connection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from lanbi import metrics
from lanbi.clock import SystemClock

NS: Final = 1_000_000_000
PATIENCE: Final[Mapping[str, float]] = {"ingest": metrics.STALE_S, "analyse": 60.0, "serve": metrics.STALE_S}
"""How old a process's status may be [s]; analytics gives no sign while it works through a year."""
NOT_STARTED: Final = "not started"


class Sign(NamedTuple):
    """One process as it shows itself.

    Attributes
    ----------
    ready : bool
        It says so, and said it lately.
    reasons : tuple of str
        Why it is not ready.
    age : float or None
        Seconds since its last word; None if it never ran on this data folder.
    status : mapping
        The whole status file.
    """

    ready: bool
    reasons: tuple[str, ...]
    age: float | None
    status: Mapping[str, Any]

    @property
    def alive(self) -> bool:
        """Whether it gave a sign lately, well or not."""
        return self.age is not None and not (self.reasons and self.reasons[0].startswith("no sign"))


def metrics_of(data: Path) -> list[metrics.Metric]:
    """How every process that ever ran on a data folder shows itself, as metrics."""
    signs = {name: sign for name in PATIENCE if (sign := sign_of(data, name)).age is not None}
    ready = tuple(({"process": name}, float(sign.ready)) for name, sign in signs.items())
    ages = tuple(({"process": name}, round(sign.age or 0.0, 3)) for name, sign in signs.items())
    return [
        metrics.Metric("lanbi_process_ready", "gauge", "1 while the process says that it is ready, and said it lately", ready),
        metrics.Metric("lanbi_process_sign_age_seconds", "gauge", "seconds since the process last gave a sign", ages),
    ]


def sign_of(data: Path, name: str) -> Sign:
    """The sign of a process of a data folder; judged by the file's age on the real clock."""
    path = data / "run" / f"{name}.json"
    try:
        age = SystemClock().now_ns() / NS - path.stat().st_mtime
    except OSError:
        return Sign(ready=False, reasons=(NOT_STARTED,), age=None, status={})
    status = metrics.read_status(path)
    if age > PATIENCE.get(name, metrics.STALE_S):
        return Sign(ready=False, reasons=(f"no sign for {age:.0f} s",), age=age, status=status)
    return Sign(ready=bool(status.get("ready")), reasons=tuple(str(reason) for reason in status.get("reasons") or ()), age=age, status=status)

"""What an operator says of an alarm of the watches: true, false, or known work. It is kept beside the alarm and changes no reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from domain import civil, statements
from domain.alarms import ALARMS
from domain.readings import Entry, lacking

VERDICT: Final = "verdict"
"""Kind of the entries."""
VERDICTS: Final = MappingProxyType(
    {
        "true": ("属实", "true: the sensor or the water was so"),
        "false": ("误报", "false: nothing was wrong"),
        "known-work": ("已知作业", "known work: maintenance, calibration, construction"),
    },
)
"""Verdicts (zh, en); the last word on an alarm stands."""
_NAME: Final = re.compile(r"([a-z-]+)@([A-Za-z0-9_-]{1,32})@(\S+)")
_NS: Final = 10**9


class Alarm(NamedTuple):
    """Which alarm: kind, place, time [s]."""

    kind: str
    source: str
    time: int

    @property
    def name(self) -> str:
        """How people and programs name it.

        >>> Alarm("step", "a01", 1760457600).name
        'step@a01@2025-10-15T00:00:00+08:00'
        """
        return f"{self.kind}@{self.source}@{civil.iso(self.time)}"


class Judgement(NamedTuple):
    """What was said of an alarm, by whom, why, and when [s]."""

    verdict: str
    person: str
    reason: str
    document: str
    said: int


def alarm(name: object) -> Alarm:
    """The alarm of a name; ValueError otherwise."""
    parts = _NAME.fullmatch(str(name).strip())
    if not parts or parts[1] not in ALARMS:
        raise ValueError(f"no name of an alarm, such as step@a01@2025-10-15T00:00:00+08:00: {str(name)[:60]!r}")
    return Alarm(parts[1], parts[2], statements.instant(parts[3]))


def fault(body: Mapping[str, Any]) -> str | None:
    """Why a verdict cannot be used; None if it can."""
    try:
        alarm(body.get("alarm"))
    except ValueError as error:
        return str(error)
    if body.get("verdict") not in VERDICTS:
        return f"no verdict: {str(body.get('verdict'))[:40]!r}; verdicts are {', '.join(VERDICTS)}"
    return lacking(body, "user", "reason")


def judged(entries: Iterable[Entry]) -> dict[Alarm, Judgement]:
    """The last word on each alarm; what cannot be read is passed over, for ingest refused it."""
    found: dict[Alarm, Judgement] = {}
    for entry in sorted(entries, key=lambda one: one.received_ns):
        if fault({**entry.body, "user": entry.user}) is None:
            words = (str(entry.body.get(name) or "") for name in ("verdict", "reason", "document"))
            verdict, reason, document = words
            found[alarm(entry.body["alarm"])] = Judgement(verdict, entry.user, reason, document, entry.received_ns // _NS)
    return found

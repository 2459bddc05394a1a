"""What a treatment plant's own logger said (HJ 212, commands 2021 and 2041) while a clue about its meter was open: shown beside it, deciding nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from domain import statements
from domain.civil import DAY_S
from domain.details import details
from domain.indicators import Event
from domain.readings import Entry
from ingest.decoders.hj212_states import words

EQUIPMENT, RUNNING = "equipment", "running-time"
BEFORE_S: Final = DAY_S
"""So long before a clue the last state may lie: loggers tell a state when it changes, or once a day."""
SHOWN: Final = 12


def beside(row: Event, events: Iterable[Entry]) -> list[dict[str, Any]]:
    """States within a clue and the last one before it, and running hours of its days, of units that the registry holds beside its meter.

    Returns
    -------
    list of dict
        Bodies of events as :func:`ingest.decoders.hj212_states.told` makes them, with that unit alone, in order of time.
    """
    begin, end = (statements.instant(details(row.text)[name]) for name in ("from", "to"))
    found: list[tuple[int, dict[str, Any]]] = []
    last: tuple[int, dict[str, Any]] | None = None
    for time, body in sorted(_of(row.source, events), key=lambda one: one[0]):
        if body["type"] == RUNNING:
            found += [(time, body)] if time < end and time + DAY_S > begin else []
        elif begin <= time <= end:
            found.append((time, body))
        elif begin - BEFORE_S <= time < begin:
            last = time, body
    return [body for _, body in sorted([*([last] if last else []), *found], key=lambda one: one[0])]


def _of(meter: str, events: Iterable[Entry]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Events of loggers about a meter; devices may send events of any form under these names."""
    for entry in events:
        body, units = entry.body, entry.body.get("units")
        if body.get("type") not in {EQUIPMENT, RUNNING} or not isinstance(units, Sequence):
            continue
        for unit in units:
            known = isinstance(unit, Mapping) and unit.get("meter") == meter and ("state" in unit or "hours" in unit)
            if known and (time := _instant(body.get("time"))) is not None:
                yield time, {**body, "units": [dict(unit)]}


def _instant(said: object) -> int | None:
    try:
        return statements.instant(said) if isinstance(said, str) else None
    except ValueError:
        return None


def lines(row: Event, events: Iterable[Entry]) -> Iterator[str]:
    """What stands below a clue, for people; nothing where no logger speaks."""
    found = beside(row, events)
    for body in found[:SHOWN]:
        yield f"    数采仪自报 its logger says: {words(body)}"
    if len(found) > SHOWN:
        yield f"    … {len(found) - SHOWN} 条未列出 more: --json"

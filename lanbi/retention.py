"""``lanbi retain``: what is past its time. The journal five years, hourly figures ten, days and longer for ever.

Raw readings are not taken from a store by this: InfluxDB's own retention does it (``lanbi store init --retention``), and what lies
beyond it is refused as ``too-old``; the embedded store keeps them. So a figure is never recomputed from half of its readings. Where a
late reading changes an old year, analytics writes the year's hours again, and the next run takes them away again: the days stay right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from domain.civil import DAY_S, iso
from domain.ports import Clock
from lanbi.journal_removal import Cause, Sealed, document, removable, remove
from lanbi.settings import Settings
from lanbi.store import OpenStore

NS: Final = 10**9


class Due(NamedTuple):
    """What is past its time: sealed days of the journal, the instant before which hourly figures go, and how many those are."""

    days: list[Sealed]
    before: int
    hours: int


def due(settings: Settings, store: OpenStore, clock: Clock) -> Due:
    """Look; changes nothing."""
    before = clock.now_ns() // NS - settings.store.keep_hours * DAY_S
    return Due(removable(settings.data, clock, settings.journal.keep_days), before, store.hours_before(before))


def apply(settings: Settings, store: OpenStore, clock: Clock, found: Due, person: str) -> int:
    """Remove it; the bytes of the journal that came free. Each removed day is a record of the person's journal."""
    freed = 0
    for one in found.days:
        freed += remove(one, Cause(f"older than journal.keep_days = {settings.journal.keep_days}", person))
        document(settings.data, clock)
    if found.hours:
        store.drop_hours(found.before)
    return freed


def lines(found: Due, settings: Settings) -> list[str]:
    """For people."""
    said: Callable[[Sealed], str] = lambda one: f"日志 journal: {one.seal.reference} ({one.seal.records} 条记录 records)"  # noqa: E731
    hours = f"小时数值 hourly figures before {iso(found.before)}: {found.hours}（store.keep_hours = {settings.store.keep_hours}）"
    return [*map(said, found.days), f"日志 journal: {len(found.days)} 个文件 files（journal.keep_days = {settings.journal.keep_days}）", hours]

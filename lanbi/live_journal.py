"""Live check of the journal: room, sealing, seals outside, and what a disk has damaged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.sayings import chinese
from lanbi.checking import FULL_SOON
from lanbi.frames import DOORS
from lanbi.journal_space import days_until_full, lasts, room, said, set_aside
from lanbi.keeping import STATUS
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.metrics import read_status
from lanbi.settings import Settings

PART: Final = "journal"
WEEK: Final = 7.0


def look(settings: Settings) -> Iterator[Finding]:
    """Room first; then what the keeper said after its last round."""
    if not (settings.data / "journal").is_dir():
        yield Finding(PART, NOTE, "尚无日志", "there is no journal yet", "start it: lanbi run, or lanbi ingest")
        return
    yield _room(settings)
    told = read_status(settings.data / STATUS)
    for fault in told.get("faults", []):
        yield Finding(
            PART,
            FAULT,
            f"封存或寄送未成：{chinese(fault) or fault}",
            f"sealing or mailing failed: {fault}",
            "it is tried again by itself; `lanbi journal keep` tries now",
        )
    if not settings.journal.anchor_mail:
        words = "seals go nowhere outside: nothing is proven against whoever owns the disk"
        yield Finding(PART, NOTE, "封印没有寄往服务器之外", words, "set journal.anchor_mail")
    aside = sum(set_aside(settings.data / "journal" / writer) for writer in DOORS)
    if aside:
        yield Finding(PART, NOTE, f"另存的残尾 {said(aside)}", f"torn ends of {said(aside)} were set aside; nothing of them was acknowledged", "")


def _room(settings: Settings) -> Finding:
    now, days = room(settings.data, settings.journal.quota), days_until_full(settings.data, settings.journal.quota)
    last_zh, last_en = lasts(days)
    zh = f"日志 {said(now.used)}，可用 {said(now.free)}，{last_zh}"
    en = f"the journal takes {said(now.used)}, {said(now.free)} are free, {last_en}"
    state = FAULT if days < WEEK else NOTE if days < FULL_SOON else OK
    return Finding(PART, state, zh, en, "" if state == OK else "`lanbi journal archive`, a larger disk or journal.quota")

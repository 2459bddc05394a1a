"""What an enterprise's contact should know: silence, refusals, open clues, orders without a receipt. Nothing here is a figure of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from api.accounts import Caller, owner
from api.events import MOST
from api.firsthand import delay_s, told
from api.freshness import STATES, survey
from api.schemas_filings import NewsAnswer
from api.sources import Sources
from domain.civil import DAY_S, iso
from domain.clues import RULES
from domain.details import details
from domain.reasons import ALL

BACK_S: Final = 31 * DAY_S
LETTERS: Final = 500
MINUTE_S: Final = 60
NS: Final = 10**9
ORDER: Final = "order"
News = tuple[int, str, str, str, str]
"""Since when [s], kind, source, words in both languages."""


def news_of(sources: Sources, caller: Caller, enterprise: str) -> list[NewsAnswer]:
    """News of an enterprise that are for this caller by now, the newest first."""
    registry, now = sources.registry(), sources.now()
    delay = delay_s(registry, enterprise)
    found = sorted((*_silent(sources, enterprise, now), *_refused(sources, enterprise, now), *_events(sources, enterprise, now)), reverse=True)
    return [
        NewsAnswer(kind=kind, source=source, since=iso(since), zh=zh, en=en, bureau_from=iso(since + delay))
        for since, kind, source, zh, en in found
        if told(registry, caller, enterprise, (since, now))
    ]


def _silent(sources: Sources, enterprise: str, now: int) -> Iterator[News]:
    registry = sources.registry()
    for one in survey(sources, now):
        if one.state in {"late", "silent"} and one.overdue is not None and owner(registry, one.source) == enterprise:
            zh, en = STATES[one.state]
            last = iso(one.last)[:16].replace("T", " ") if one.last else "–"
            yield now - MINUTE_S * one.overdue, "silence", one.source, f"{one.source} {zh}，最近数据 {last}", f"{one.source} is {en}, last heard {last}"


def _refused(sources: Sources, enterprise: str, now: int) -> Iterator[News]:
    """The newest refusal of each source and reason."""
    seen: set[tuple[str, str]] = set()
    for _, row in sources.state.refused(limit=LETTERS, newest=True):
        received = row.received_ns // NS
        if received > now - BACK_S and owner(sources.registry(), row.source) == enterprise and (row.source, row.reason) not in seen:
            seen.add((row.source, row.reason))
            zh, en = ALL.get(row.reason, (row.reason, row.reason))
            yield received, "refusal", row.source, f"{row.source} 数据被拒收：{zh}", f"a reading of {row.source} was refused: {en}"


def _events(sources: Sources, enterprise: str, now: int) -> Iterator[News]:
    registry = sources.registry()
    for row in sources.figures.event_rows(now - BACK_S, now, MOST):
        body = details(row.text)
        if owner(registry, row.source) != enterprise:
            continue
        if row.kind in RULES and body.get("state") == "open" and not body.get("withdrawn"):
            rule = RULES[row.kind]
            yield row.time, "clue", row.source, f"{rule.number} {rule.zh}：{row.source}，请说明", f"{rule.number} {rule.en}: {row.source}, please explain"
        if row.kind == ORDER and "document" in body and not body.get("receipt"):
            yield row.time, ORDER, row.source, f"管控指令 {body['document']} 待回执", f"order {body['document']} waits for your receipt"

"""What people said of clues, and what it makes of a clue's state; a program opens a clue and never closes one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain import civil, statements
from domain.clues import RULES, Maintenance
from domain.readings import Entry

OPEN, EXPLAINED, CONFIRMED = statements.STATES


class Word(NamedTuple):
    """What a person said of a clue."""

    rule: str
    source: str
    time: int
    state: str
    reason: str
    user: str
    said: int


def words(entries: Iterable[Entry]) -> dict[str, list[Word]]:
    """What people said of clues, by source, in order of receipt; what cannot be read is passed over, for ingest refused it."""
    found: dict[str, list[Word]] = {}
    for entry in sorted(entries, key=lambda one: one.received_ns):
        if statements.fault(statements.CLUE, entry.body) is None:
            texts = {name: str(entry.body[name]) for name in ("rule", "source", "state", "reason", "user")}
            word = Word(time=statements.instant(entry.body["time"]), said=entry.received_ns // 10**9, **texts)
            found.setdefault(word.source, []).append(word)
    return found


def about(told: Sequence[Word], kind: str, begin: int, end: int) -> list[Word]:
    """Words on a clue: those of its rule, by name or number, whose time lies in it. A late reading may move its edges, hardly its middle."""
    return [one for one in told if one.rule in {kind, RULES[kind].number} and begin <= one.time <= end]


def window_text(window: Maintenance) -> str:
    """Words for a trail: which announced maintenance a clue lies in."""
    return f"检修窗口 maintenance {civil.iso(window.begin)} … {civil.iso(window.end)}: {window.document}"

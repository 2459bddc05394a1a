"""Tasks: a fact that calls for a person, given to a department or town, with a due date, replies, and an end. The fact stays what it is.

Kind of the person's journal: ``task``. What is a task follows from stored events; entries only say who owns it, until when, and what was
answered. So a task can neither be invented nor be lost, and one whose cause went away is settled by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from domain import civil
from domain.readings import Entry, lacking
from domain.workdays import Calendar

TASK: Final = "task"
ASSIGN, REPLY, RETURN, CLOSE = "assign", "reply", "return", "close"
ACTIONS: Final = MappingProxyType({ASSIGN: ("交办", "assigned"), REPLY: ("回复", "replied"), RETURN: ("退回", "returned"), CLOSE: ("办结", "closed")})
"""Actions (zh, en)."""
OPEN, REPLIED, RETURNED, CLOSED, SETTLED = "open", "replied", "returned", "closed", "settled"
STATES: Final = MappingProxyType(
    {
        OPEN: ("待办", "open"),
        REPLIED: ("已回复，待审", "replied, waits for review"),
        RETURNED: ("已退回，待重报", "returned, waits for another reply"),
        CLOSED: ("已办结", "closed"),
        SETTLED: ("原因已消除", "settled: its cause is gone"),
    }
)
"""States of a task (zh, en)."""
HELD, CLUE, ALARM = "held", "clue", "alarm"
KINDS: Final = MappingProxyType({HELD: ("待核表码", "held register"), CLUE: ("用电线索", "clue"), ALARM: ("监测告警", "alarm")})
"""What a task is about (zh, en)."""
DUE_DAYS: Final = MappingProxyType({HELD: 3, CLUE: 3, ALARM: 5})
"""Working days until a task is due, counted from the day of its fact, unless the desk says another date. The numbers are ours."""
_NAME: Final = re.compile(r"([a-z-]{1,32})@([A-Za-z0-9_-]{1,32})@(\d{1,12})")
_AFTER: Final = MappingProxyType({REPLY: REPLIED, RETURN: RETURNED, CLOSE: CLOSED})
_NS: Final = 10**9


class Fact(NamedTuple):
    """What calls for a person: an event's kind, source and time [s], what it is about, its words, and whether its cause is gone."""

    event: str
    source: str
    time: int
    kind: str
    zh: str
    en: str
    gone: bool = False

    @property
    def name(self) -> str:
        """How people and programs name the task.

        >>> Fact("held", "m-1", 1760457600, HELD, "", "").name
        'held@m-1@1760457600'
        """
        return f"{self.event}@{self.source}@{self.time}"


class Step(NamedTuple):
    """Something that was done with a task, as its journal record says."""

    record: str
    action: str
    person: str
    said: int
    note: str
    body: Mapping[str, Any]


class Task(NamedTuple):
    """A task as it stands: whose it is, until which civil day, in which state, and every step, the oldest first."""

    fact: Fact
    owner: str
    due: int
    state: str
    steps: tuple[Step, ...]

    def overdue(self, today: int) -> bool:
        """Whether its owner is late: a reply that waits for review is not the owner's delay."""
        return self.state in {OPEN, RETURNED} and today > self.due


def fault(_kind: str, body: Mapping[str, Any]) -> str | None:
    """Why a step cannot be used; None if it can."""
    if not _NAME.fullmatch(str(body.get("task"))):
        return f"no task: {str(body.get('task'))[:60]!r}"
    if body.get("action") not in ACTIONS:
        return f"no action: {str(body.get('action'))[:40]!r}; actions are {', '.join(ACTIONS)}"
    needed = ("owner", "due") if body["action"] == ASSIGN else ("note",)
    if wrong := lacking(body, *needed, "user"):
        return wrong
    if body["action"] == ASSIGN:
        try:
            civil.parse_date(str(body["due"]))
        except ValueError as error:
            return str(error)
    return None


def steps(entries: Iterable[Entry]) -> dict[str, list[Step]]:
    """What was done, by task, the oldest first; what cannot be read is passed over, for ingest refused it."""
    found: dict[str, list[Step]] = {}
    for entry in sorted(entries, key=lambda one: one.received_ns):
        body: Mapping[str, Any] = entry.body
        if fault(TASK, {**body, "user": entry.user}) is None:
            step = Step(entry.id, str(body["action"]), entry.user, entry.received_ns // _NS, str(body.get("note") or ""), body)
            found.setdefault(str(body["task"]), []).append(step)
    return found


def standing(fact: Fact, done: Iterable[Step], owner: str, calendar: Calendar) -> Task:
    """A task as its steps left it; without any it is its place's town's, and due in :data:`DUE_DAYS`."""
    due, state, told = calendar.after(civil.day_of(fact.time), DUE_DAYS[fact.kind]), OPEN, tuple(done)
    for step in told:
        if step.action == ASSIGN:
            owner, due = str(step.body["owner"]), civil.parse_date(str(step.body["due"]))
        elif state != CLOSED:
            state = _AFTER[step.action]
    return Task(fact, owner, due, SETTLED if fact.gone and state != CLOSED else state, told)

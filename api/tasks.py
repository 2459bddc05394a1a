"""Tasks out of stored events: held registers, clues and alarms of the last months, with what people did about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from api.accounts import Caller, owner
from api.entered import known
from api.events import MOST
from api.firsthand import told
from api.sources import Sources
from domain import tasks
from domain.alarms import ALARMS
from domain.civil import DAY_S
from domain.clues import RULES
from domain.details import details
from domain.indicators import Event
from domain.judgements import VERDICT, Alarm, Judgement, judged
from domain.places import Registry
from domain.tasks import ALARM, CLUE, HELD, Fact, Task
from domain.workdays import Calendar

BACK_S: Final = 92 * DAY_S
"""A task that nobody touched for a quarter has become history; its fact stays in its own list."""


def standing(sources: Sources, caller: Caller) -> list[Task]:
    """Every task that is for this caller, the earliest due first."""
    registry, now = sources.registry(), sources.now()
    done = tasks.steps(known(sources, tasks.TASK))
    calendar = Calendar(frozenset(registry.county.holidays), frozenset(registry.county.workdays))
    found = [
        tasks.standing(fact, done.get(fact.name, ()), owner_of(registry, fact.source), calendar)
        for fact in facts(sources, now)
        if caller.sees(registry, fact.source) and told(registry, caller, fact.source, (fact.time, now))
    ]
    return sorted(found, key=lambda one: (one.due, one.fact.name))


def facts(sources: Sources, now: int) -> Iterator[Fact]:
    """Events that call for a person; one that was taken back is told only as long as somebody was asked about it."""
    said = judged(known(sources, VERDICT))
    for row in sources.figures.event_rows(now - BACK_S, now, MOST):
        found = _clue(row) if row.kind in RULES else _alarm(row, said) if row.kind in ALARMS else _held(row) if row.kind == HELD else None
        if found:
            yield found


def _clue(row: Event) -> Fact:
    body, rule = details(row.text), RULES[row.kind]
    gone = body.get("state") != "open" or bool(body.get("withdrawn"))
    return Fact(row.kind, row.source, row.time, CLUE, f"{rule.number} {rule.zh}", f"{rule.number} {rule.en}", gone)


def _alarm(row: Event, said: Mapping[Alarm, Judgement]) -> Fact:
    words = ALARMS[row.kind]
    gone = bool(details(row.text).get("withdrawn")) or Alarm(*row[:3]) in said
    return Fact(row.kind, row.source, row.time, ALARM, words.zh, words.en, gone)


def _held(row: Event) -> Fact:
    zh, en = tasks.KINDS[HELD]
    text = row.text[:120]
    return Fact(row.kind, row.source, row.time, HELD, f"{zh}：{text}", f"{en}: {text}", row.value != 1)


def owner_of(registry: Registry, source: str) -> str:
    """Whose a task is before the desk says so: the town of its place or enterprise, else the county."""
    place = registry.air_stations.get(source) or registry.water_sections.get(source) or registry.enterprises.get(owner(registry, source) or "")
    return (place.town if place else "") or registry.county.name

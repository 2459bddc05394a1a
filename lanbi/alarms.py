"""Alarms with what operators said of them, for the command line: a list, and a verdict entered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from domain import civil
from domain.alarms import ALARMS
from domain.errors import InputError
from domain.indicators import Event
from domain.judgements import VERDICT, VERDICTS, Alarm, Judgement, alarm, judged
from domain.places import Registry
from domain.ports import Entries, IndicatorSource
from lanbi.entering import enter
from lanbi.settings import Settings
from lanbi.telling import WITHDRAWN

MANY: Final = 100_000


class Source(IndicatorSource, Entries, Protocol):
    """Events, and what people said of them."""


def told(store: Source, since: int, until: int) -> list[tuple[Event, Judgement | None]]:
    """Alarms with since < time ≤ until, newest first, each with the last word on it."""
    said = judged(store.entered(VERDICT))
    rows = [row for row in store.event_rows(since, until, MANY) if row.kind in ALARMS]
    return [(row, said.get(Alarm(*row[:3]))) for row in rows]


def lines(found: list[tuple[Event, Judgement | None]], registry: Registry) -> Iterator[str]:
    """One line an alarm: its name, what and where, how much, and the verdict."""
    for row, word in found:
        size = "已撤销 withdrawn" if row.text == WITHDRAWN else "" if row.value is None else f"{row.value:g}"
        verdict = f"  {VERDICTS[word.verdict][0]} {word.verdict} ({word.person}: {word.reason})" if word else ""
        yield f"{Alarm(*row[:3]).name}  {registry.name_of(row.source)} {ALARMS[row.kind].zh} {size}{verdict}"


def judge(settings: Settings, store: Source, name: str, verdict: str, signed: Mapping[str, str]) -> str:
    """Enter a verdict on an alarm that was told; returns what :func:`lanbi.entering.enter` does.

    Parameters
    ----------
    signed : mapping
        ``user``, ``reason`` and ``document``.

    Raises
    ------
    InputError
        Not the name of an alarm, none of that name was told, nobody answers for it, or no reason is given.
    """
    try:
        about = alarm(name)
    except ValueError as error:
        raise InputError(str(error), "ALARM", "copy it from lanbi alarms list") from error
    if not any(Alarm(*row[:3]) == about for row in store.event_rows(about.time - 1, about.time, MANY)):
        raise InputError(f"no alarm of this name was told: {name}", "ALARM", f"lanbi alarms list --since {civil.date_of(civil.day_of(about.time)).isoformat()}")
    if not signed["reason"].strip():
        raise InputError("a verdict needs its reason", "--reason", "write --reason TEXT")
    return enter(settings, VERDICT, {**signed, "alarm": about.name, "verdict": verdict})

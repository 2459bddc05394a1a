"""What must be done today, derived from facts that are shown elsewhere too: nothing here is a figure of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from api import tasks as owed
from api.accounts import Caller
from api.attainments import all_targets
from api.firsthand import delay_s
from api.freshness import Fresh, survey
from api.schemas import TaskAnswer
from api.schemas_targets import TargetAnswer
from api.sources import Sources
from domain.civil import DAY_S, day_of
from domain.places import Registry
from domain.reasons import ALL
from domain.restating import CONFIRMATION, confirmations
from domain.sayings import chinese
from domain.targets import ASPIRATION, SIGNS, STATUSES
from domain.tasks import OPEN, RETURNED

ACT, WATCH, KNOW = "act", "watch", "know"
ORDER: Final = (ACT, WATCH, KNOW)
KINDS: Final = {"air": ("空气站", "air station"), "water": ("断面或水井", "water source"), "point": ("排污口", "permit point"), "meter": ("计量表", "meter")}
NAMED: Final = 3
"""So many names stand in a line; the rest are counted."""
LETTERS: Final = 500
WAITING: Final = 50
"""Alerts as many as the desk shows."""
WEEK: Final = 7


def tasks(sources: Sources, caller: Caller) -> list[TaskAnswer]:
    """Tasks, the pressing ones first; what stands on a page of its own is named only to whom that page is open."""
    now = sources.now()
    found = [*_programs(sources), *_silent(sources, now), *_alerts(sources), *_owed(sources, caller, now), *_targets(sources)]
    found += [*_letters(sources, now), *_restated(sources, now)]
    return sorted(found, key=lambda task: ORDER.index(task.urgency))


def _programs(sources: Sources) -> Iterator[TaskAnswer]:
    for name, health in sources.health().items():
        if not health.ready:
            why = "; ".join(health.reasons) or "?"
            said = "；".join(chinese(reason) or reason for reason in health.reasons) or "?"
            zh, en = f"程序 {name} 异常：{said}", f"Program {name} is not well: {why}"
            yield TaskAnswer(kind="program", urgency=ACT, zh=zh, en=en, count=1, view="account")


def _silent(sources: Sources, now: int) -> Iterator[TaskAnswer]:
    """One line a kind; an assessed station or a national section that is silent costs valid days, so it presses."""
    registry = sources.registry()
    mute = [one for one in survey(sources, now) if one.state in {"silent", "never"} and not one.trial and _due(registry, one)]
    for kind, (zh, en) in KINDS.items():
        rows = sorted((one for one in mute if one.kind == kind), key=lambda one: not _counts(registry, one))
        if not rows:
            continue
        names = [_name(registry, one.source) for one in rows[:NAMED]]
        more = len(rows) - len(names)
        urgency = ACT if any(_counts(registry, one) for one in rows) else WATCH
        yield TaskAnswer(
            kind="silent",
            urgency=urgency,
            zh=f"{len(rows)} 个{zh}没有数据：{'、'.join(names)}{' 等' if more else ''}",
            en=f"{len(rows)} {en}{'s' if len(rows) > 1 else ''} silent: {', '.join(names)}{f' and {more} more' if more else ''}",
            count=len(rows),
            view="freshness",
        )


def _due(registry: Registry, one: Fresh) -> bool:
    """An enterprise's own contact is told of its silence first, the bureau after the registered delay."""
    return one.overdue is None or 60 * one.overdue >= delay_s(registry, one.source)


def _name(registry: Registry, source: str) -> str:
    """A meter has no name of its own: its enterprise's and its id."""
    meter = registry.meters.get(source)
    return f"{registry.name_of(meter.enterprise)} {source}" if meter else registry.name_of(source)


def _counts(registry: Registry, one: Fresh) -> bool:
    station, section = registry.air_stations.get(one.source), registry.water_sections.get(one.source)
    return bool(station and station.role.newest == "assessment") or bool(section and section.control == "national")


def _alerts(sources: Sources) -> Iterator[TaskAnswer]:
    """Alerts that nobody took note of; the duty log is where that is done."""
    lines = sources.duty.lines(0, WAITING + 1, waiting=True) if sources.duty else []
    if lines:
        names = _distinct([line.alert.name or line.alert.summary for line in lines])
        many = f"{min(len(lines), WAITING)}{'+' if len(lines) > WAITING else ''}"
        zh = f"{many} 条告警待处置：{'、'.join(names)}"
        yield TaskAnswer(
            kind="alert", urgency=ACT, zh=zh, en=f"{many} alert{'s' * (len(lines) > 1)} nobody took note of: {', '.join(names)}", count=len(lines), view="desk"
        )


def _owed(sources: Sources, caller: Caller, now: int) -> Iterator[TaskAnswer]:
    """Answers that somebody owes: late ones press."""
    if "meters" not in caller.rights:
        return
    live = [one for one in owed.standing(sources, caller) if one.state in {OPEN, RETURNED}]
    late = sum(one.overdue(day_of(now)) for one in live)
    if late:
        yield TaskAnswer(kind="task", urgency=ACT, zh=f"{late} 项任务已逾期，须督办", en=f"{late} task{'s' * (late > 1)} late", count=late, view="tasks")
    if len(live) > late:
        left = len(live) - late
        yield TaskAnswer(
            kind="task", urgency=WATCH, zh=f"{left} 项任务待办，尚未逾期", en=f"{left} task{'s' * (left > 1)} open, not yet late", count=left, view="tasks"
        )


def _targets(sources: Sources) -> Iterator[TaskAnswer]:
    for target in all_targets(sources, None, None):
        if target.status in {"at-risk", "missed"} and target.kind != ASPIRATION:
            zh, en = STATUSES[target.status]
            value_zh, value_en = _state(target)
            yield TaskAnswer(
                kind="target",
                urgency=ACT if target.status == "at-risk" else WATCH,
                zh=f"目标{zh}：{_pretty(target.name_zh)}{value_zh}",
                en=f"Target {en}: {_pretty(target.name_en)}{value_en}",
                count=1,
                view="targets",
            )


def _pretty(name: str) -> str:
    """A plan typed with ASCII signs, as it is printed."""
    return name.replace("<=", "≤").replace(">=", "≥")


def _state(target: TargetAnswer) -> tuple[str, str]:
    """Value against target, where both are there."""
    if not target.value_text or not target.target_text:
        return "", ""
    goal = f"{SIGNS.get(target.op, '')} {target.target_text}".strip()
    return f"，现值 {target.value_text}，目标 {goal}", f": now {target.value_text}, target {goal}"


def _letters(sources: Sources, now: int) -> Iterator[TaskAnswer]:
    """Refusals of the last day, by their commonest reason."""
    rows = [row for _, row in sources.state.refused(limit=LETTERS, newest=True) if row.received_ns // 1_000_000_000 > now - DAY_S]
    if not rows:
        return
    reasons = [row.reason for row in rows]
    common = max(sorted(set(reasons)), key=reasons.count)
    many = f"{len(rows)}{'+' if len(rows) == LETTERS else ''}"
    zh, en = ALL.get(common, (common, common))
    yield TaskAnswer(
        kind="deadletter",
        urgency=WATCH,
        zh=f"近 24 小时拒收 {many} 条，主要原因：{zh}",
        en=f"{many} readings refused in 24 h, mostly: {en}",
        count=len(rows),
        view="account",
    )


def _restated(sources: Sources, now: int) -> Iterator[TaskAnswer]:
    """Closed figures that changed this week: whoever quoted them must know."""
    rows = sources.figures.restatements(now - WEEK * DAY_S, now, LETTERS)
    if not rows:
        return
    confirmed = confirmations(sources.entries.entered(CONFIRMATION))
    announced = [row for row in rows if confirmed.covers(row.period, row.time, row.made)]
    if announced:
        places = _distinct([sources.registry().name_of(row.scope) for row in announced])
        yield TaskAnswer(
            kind="restatement",
            urgency=WATCH,
            zh=f"近 {WEEK} 天有 {len(announced)} 个已确认数值被更正，须告知：{'、'.join(places)}",
            en=f"{len(announced)} confirmed figures were restated in {WEEK} days and must be announced: {', '.join(places)}",
            count=len(announced),
            view="restatements",
        )
    names = _distinct([sources.registry().name_of(row.scope) for row in rows])
    many = f"{len(rows)}{'+' if len(rows) == LETTERS else ''}"
    yield TaskAnswer(
        kind="restatement",
        urgency=KNOW,
        zh=f"近 {WEEK} 天有 {many} 个已公布数值被更正：{'、'.join(names)}",
        en=f"{many} closed figures were restated in {WEEK} days: {', '.join(names)}",
        count=len(rows),
        view="restatements",
    )


def _distinct(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))[:NAMED]

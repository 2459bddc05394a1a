"""Restatements: why a closed figure changed, and whether the bureau had confirmed it.

A figure is provisional until the bureau confirms its month, then confirmed; a confirmation may be withdrawn. What is entered
last decides, but what was confirmed at an earlier instant stays known: a restatement is announced if its figure was confirmed
when it changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from domain.civil import date_of, day_of, month_of_day
from domain.indicators import Event, Restatement, figure
from domain.readings import Entry

CAUSES: Final = MappingProxyType(
    {
        "late": ("迟到数据", "late data"),
        "correction": ("数据更正", "correction"),
        "flag": ("标记变化", "flag change"),
        "review": ("审核", "review"),
        "dust": ("沙尘名单", "dust list"),
        "registry": ("登记册变更", "registry change"),
        "rule": ("规则变更", "rule change"),
        "official": ("公布值更新", "official figure replaced"),
    },
)
"""Codes with which the text of a cause begins, ``code: what exactly``; several causes are joined by ``; ``."""

CONFIRMATION: Final = "confirmation"
"""Kind of the entries by which a person confirms a month or takes that back."""
CONFIRM: Final = "confirm"
WITHDRAW: Final = "withdraw"
CONFIRMED: Final = "confirmed"
WITHDRAWN: Final = "confirmation-withdrawn"
ANNOUNCED: Final = "restated-confirmed"
"""Kind of the events that announce a change of confirmed figures."""
NAMED: Final = 5
"""Figures named in an announcement; the rest are counted."""

_MONTH: Final = re.compile(r"((?:19|20)\d\d)-(0[1-9]|1[0-2])")
_PLACE: Final = re.compile(r"(?<=[:,] )[A-Za-z0-9_-]+(?=[ ,;]|$)")
_QUARTER: Final = 3
_NS: Final = 10**9

Month = tuple[int, int]


def confirmation(month: str, now: int, *, withdraw: bool = False) -> dict[str, str]:
    """Body of the entry by which a month is confirmed, or is not any more, at an instant [s].

    Raises
    ------
    ValueError
        Not a month, or one that is not over yet.
    """
    if month_of(month) >= month_of_day(day_of(now)):
        message = f"{month.strip()} is not over yet"
        raise ValueError(message)
    return {"month": month.strip(), "action": WITHDRAW if withdraw else CONFIRM}


def causes_of(text: str) -> tuple[str, ...]:
    """Codes that the text of a cause names, in its order.

    >>> causes_of("late: s1 pm25 …; correction: s2 o3 …")
    ('late', 'correction')
    """
    heads = (part.partition(":")[0].strip() for part in text.split(";"))
    return tuple(dict.fromkeys(head for head in heads if head in CAUSES))


def with_names(cause: str, name_of: Callable[[str], str]) -> str:
    """The text of a cause for people: the name of a place that has one, its id beside.

    >>> with_names("late: s1 pm25 2025-06-01, m-1 2025-06-02; rule: lanbi 1", lambda place: {"s1": "区政府"}.get(place, place))
    'late: 区政府 s1 pm25 2025-06-01, m-1 2025-06-02; rule: lanbi 1'
    """
    return _PLACE.sub(lambda found: found[0] if (name := name_of(found[0])) == found[0] else f"{name} {found[0]}", cause)


def month_of(text: str) -> Month:
    """Year and month of ``2025-06``; ValueError otherwise."""
    parts = _MONTH.fullmatch(text.strip())
    if not parts:
        message = f"not a month: {text!r}"
        raise ValueError(message)
    return int(parts[1]), int(parts[2])


class Step(NamedTuple):
    """From an instant on a month is confirmed, or is not any more."""

    time: int
    confirmed: bool
    person: str
    document: str


@dataclass(frozen=True)
class Confirmations:
    """Which months were confirmed when: by month, the steps in the order in which they were entered."""

    steps: dict[Month, tuple[Step, ...]]

    def standing(self, month: Month, instant: int | None = None) -> Step | None:
        """The confirmation in force at an instant (None: now), or None while the month is provisional."""
        known = [step for step in self.steps.get(month, ()) if instant is None or step.time <= instant]
        return known[-1] if known and known[-1].confirmed else None

    def covers(self, period: str, time: int, instant: int | None = None) -> bool:
        """Whether a figure is confirmed: every month of its period is. ``ytd`` reaches back to January; hours never are."""
        months = months_of(period, time)
        return bool(months) and all(self.standing(month, instant) for month in months)


def months_of(period: str, time: int) -> tuple[Month, ...]:
    """Months that the figure of a period with this time stamp is made of; none for hours and water records.

    >>> months_of("quarter", 1759161600)
    ((2025, 7), (2025, 8), (2025, 9))
    """
    # All periods but the hour are stamped with the start of their last day.
    year, last = month_of_day(day_of(time + 1))
    first = {"day": last, "month": last, "quarter": last - _QUARTER + 1, "year": 1, "ytd": 1}.get(period)
    return () if first is None else tuple((year, month) for month in range(max(first, 1), last + 1))


def confirmations(entries: Iterable[Entry]) -> Confirmations:
    """Confirmations out of what people entered, in journal order; entries that name no month say nothing."""
    found: dict[Month, list[Step]] = {}
    for entry in entries:
        try:
            month = month_of(str(entry.body.get("month", "")))
        except ValueError:
            continue
        step = Step(entry.received_ns // _NS, entry.body.get("action") == CONFIRM, entry.user, str(entry.body.get("document", "")))
        found.setdefault(month, []).append(step)
    return Confirmations({month: tuple(steps) for month, steps in found.items()})


def confirmation_events(entries: Iterable[Entry], scope: str) -> list[Event]:
    """Events ``confirmed`` and ``confirmation-withdrawn``, one an instant of receipt [s], which may name several months."""
    groups: dict[tuple[str, int], list[str]] = {}
    for entry in entries:
        try:
            year, month = month_of(str(entry.body.get("month", "")))
        except ValueError:
            continue
        kind = CONFIRMED if entry.body.get("action") == CONFIRM else WITHDRAWN
        groups.setdefault((kind, entry.received_ns // _NS), []).append(f"{year}-{month:02d} {entry.user}: {entry.body.get('document', '')}")
    return [Event(kind, scope, time, None, "; ".join(texts)) for (kind, time), texts in groups.items()]


def period_text(period: str, time: int) -> str:
    """A period as people write it: 2025-06-03, 2025-06, 2025Q2, 2025, or ``2025-01-01 – 2025-06-03`` for a running year.

    >>> period_text("month", 1751212800), period_text("ytd", 1751212800)
    ('2025-06', '2025-01-01 – 2025-06-30')
    """
    day = day_of(time + 1)
    date = date_of(day)
    words = {"month": f"{date:%Y-%m}", "quarter": f"{date:%Y}Q{(date.month + 2) // _QUARTER}", "year": f"{date:%Y}", "ytd": f"{date:%Y}-01-01 – {date}"}
    return words.get(period, date.isoformat())


def announcement(rows: Sequence[Restatement]) -> str:
    """What people are told of confirmed figures that changed for one cause: the first ones by name, how many more, and why."""
    named = "；".join(
        f"{_called(row.figure)} {period_text(row.period, row.time)} {row.rule_set}: {_shown(row.old)} → {_shown(row.new)}" for row in rows[:NAMED]
    )
    more = f"；等共 {len(rows)} 项" if len(rows) > NAMED else ""
    code, _, rest = rows[0].cause.partition(":")
    cause = f"{' '.join(CAUSES[code])}:{rest}" if code in CAUSES else rows[0].cause
    return f"{named}{more}（{cause}）"


def _called(name: str) -> str:
    known = figure(name)
    return known.zh if known else name


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"

"""The completeness ledger as stored rows: one a day, one a month, one a year of every station and of the county.

Figure ``lost_hours`` of a day, ``lost_days`` of a month or year. A running period has its row under its own last day.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import ledger
from analytics.air import periods
from analytics.ledger import Days, Hours, Reach
from domain import air, civil
from domain.indicators import Indicator
from domain.items import AIR

SHOWN: Final = 60
"""Stretches of lost days named in a row; the rest are counted."""
PM: Final = [AIR.index("pm25"), AIR.index("pm10")]
_RANKING: Final = ("", "yes", "late", "no")
Shown = npt.NDArray[np.int32]


class Scope(NamedTuple):
    """A scope's year so far.

    Attributes
    ----------
    name : str
    first : int
        Civil day of the first of January.
    shown : (d, 6) int32
        Displayed daily values of the days that have begun; -1 = not valid.
    reach : Reach
        Of the same days.
    running : (d,) bool
        Days with hours to come.
    """

    name: str
    first: int
    shown: Shown
    reach: Reach
    running: npt.NDArray[np.bool_]

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """(d, 6) whether an item's day is valid."""
        return np.asarray(self.shown >= 0)


def station(name: str, found: Hours, shown: Shown) -> Scope:
    """A station's year, its lost hours known."""
    return Scope(name, found.first, shown, ledger.reach(found), _running(found))


def _running(found: Hours) -> npt.NDArray[np.bool_]:
    pending = (found.codes == ledger.CODES.index("pending")).any(axis=1)
    running: npt.NDArray[np.bool_] = np.asarray((found.coming | pending).reshape(found.days, 24).any(axis=1))
    return running


def city(name: str, members: Sequence[Scope], member: npt.NDArray[np.bool_], shown: Shown, quorum: npt.NDArray[np.int32]) -> Scope:
    """The county's year: a day can become valid if enough of its stations' days can."""
    need = quorum[member.sum(axis=1)][:, None]
    inside = member[:, :, None]

    def enough(ways: list[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
        return np.asarray(((np.stack(ways, axis=1) & inside).sum(axis=1) >= need) & (need > 0))

    soon = enough([one.valid | one.reach.soon for one in members])
    late = enough([one.valid | one.reach.late for one in members])
    running = np.asarray(np.stack([one.running for one in members], axis=1).any(axis=1)).reshape(len(member))
    return Scope(name, members[0].first, shown, Reach(soon & running[:, None], late), running)


def day_rows(scope: Scope, found: Hours, days: Collection[int]) -> Iterator[Indicator]:
    """Ledgers of a station's days."""
    lost = (found.codes != 0).reshape(found.days, 24, len(AIR))
    over = (~found.coming).reshape(found.days, 24)
    hours = (~lost & over[:, :, None]).sum(axis=1).tolist()
    counts, known, valid = lost.any(axis=2).sum(axis=1).tolist(), over.sum(axis=1).tolist(), scope.valid
    for day in sorted(days):
        place = day - scope.first
        told = [_loss(one) for one in ledger.losses(found, day)] if counts[place] else []
        body = {"hours": dict(zip(AIR, hours[place], strict=True)), "lost": told, "chances": _chances(scope, place, valid)}
        numbers = counts[place], known[place] - counts[place], 24
        yield _row(Key("lost_hours", "day", scope.name, day), numbers, _status(scope, place, valid), body)


def _loss(one: ledger.Loss) -> dict[str, Any]:
    body = {"items": list(one.items), "from": one.first, "to": one.last, "hours": one.last - one.first + 1, "reason": one.reason}
    return body | ({"detail": one.detail} if one.detail else {})


def _chances(scope: Scope, place: int, valid: npt.NDArray[np.bool_]) -> dict[str, str]:
    return {AIR[column]: scope.reach.chance(place, column) for column in np.flatnonzero(~valid[place]).tolist()}


def _status(scope: Scope, place: int, valid: npt.NDArray[np.bool_]) -> str:
    """A day without PM2.5 and PM10 has no AQI (published practice), so it is not valid; with another item missing it is incomplete."""
    if valid[place].all():
        return "valid"
    if scope.running[place]:
        return "open"
    return "incomplete" if valid[place, PM].any() else "invalid"


def city_rows(
    scope: Scope, members: Sequence[Scope], reasons: Sequence[Sequence[str]], member: npt.NDArray[np.bool_], days: Collection[int]
) -> Iterator[Indicator]:
    """Ledgers of the county's days: which stations' days are not valid, and why.

    Parameters
    ----------
    reasons : sequence of sequence of str
        Main reason of each day of each station.
    member : (d, n) bool
    """
    valid = scope.valid
    for day in sorted(days):
        place = day - scope.first
        own = [number for number in range(len(members)) if member[place, number]]
        short = [(number, [item for column, item in enumerate(AIR) if members[number].shown[place, column] < 0]) for number in own]
        lost = [{"station": members[number].name, "items": items, "reason": reasons[number][place]} for number, items in short if items]
        body = {"lost": lost, "chances": _chances(scope, place, valid)}
        yield _row(Key("lost_hours", "day", scope.name, day), (len(lost), len(own) - len(lost), len(own)), _status(scope, place, valid), body)


def period_rows(scope: Scope, reasons: Sequence[str], months: Collection[int]) -> Iterator[Indicator]:
    """Ledgers of months (1…12) and of the year.

    Parameters
    ----------
    reasons : sequence of str
        Main reason of each day.
    """
    edges = periods.month_edges(scope.first)
    needed = periods.needed(scope.first).tolist()
    counted = [_counted(scope, (edges[month], edges[month + 1]), needed[month]) for month in range(12)]
    for month in sorted(months):
        span = Span("month", edges[month - 1], edges[month])
        yield _period(scope, span, counted[month - 1], [one.chance for one in counted[month - 1]], reasons)
    whole = _counted(scope, (0, edges[12]), air.YEAR_DAYS)
    worst = [max((one[column].chance for one in (*counted, whole)), key=_RANKING.index) for column in range(len(AIR))]
    yield _period(scope, Span("year", 0, edges[12]), whole, worst, reasons)


class Span(NamedTuple):
    """A period: its kind, its first row, and the row behind its last."""

    kind: str
    start: int
    stop: int


def _counted(scope: Scope, span: tuple[int, int], needed: int) -> list[Days]:
    """Days of a period by item."""
    rows = slice(span[0], min(span[1], len(scope.shown)))
    valid, soon, late = scope.valid[rows], scope.reach.soon[rows], scope.reach.late[rows]
    to_come = max(0, span[1] - max(span[0], len(scope.shown)))
    found = []
    for column in range(len(AIR)):
        open_ = int((~valid[:, column] & soon[:, column]).sum())
        mendable = int((~valid[:, column] & late[:, column]).sum()) - open_
        found.append(Days(int(valid[:, column].sum()), needed, to_come + open_, mendable))
    return found


def _period(scope: Scope, span: Span, counted: list[Days], chances: Sequence[str], reasons: Sequence[str]) -> Indicator:
    rows = range(span.start, min(span.stop, len(scope.shown)))
    whole: npt.NDArray[np.bool_] = np.asarray(scope.valid.all(axis=1))
    over = [row for row in rows if not scope.running[row]]
    lost = [row for row in over if not whole[row]]
    runs = _runs(scope, lost, reasons)
    items = {item: {"valid": one.valid, "needed": one.needed, "to_come": one.coming} for item, one in zip(AIR, counted, strict=True)}
    body: dict[str, Any] = {"items": items, "lost": runs[:SHOWN], "chances": {item: one for item, one in zip(AIR, chances, strict=True) if one}}
    if len(runs) > SHOWN:
        body["more"] = len(runs) - SHOWN
    status = "valid" if not any(chances) else "open" if len(over) < span.stop - span.start else "invalid"
    key = Key("lost_days", span.kind, scope.name, scope.first + span.stop - 1)
    return _row(key, (len(lost), len(over) - len(lost), span.stop - span.start), status, body)


def _runs(scope: Scope, lost: Sequence[int], reasons: Sequence[str]) -> list[dict[str, Any]]:
    """Consecutive lost days of the same items and reason."""
    told = [(row, tuple(item for column, item in enumerate(AIR) if scope.shown[row, column] < 0), reasons[row]) for row in lost]
    found = []
    for _, group in groupby(enumerate(told), key=lambda pair: (pair[1][0] - pair[0], pair[1][1], pair[1][2])):
        some = [one for _, one in group]
        first, last = (civil.date_of(scope.first + one[0]).isoformat() for one in (some[0], some[-1]))
        found.append({"from": first, "to": last, "days": len(some), "items": list(some[0][1]), "reason": some[0][2]})
    return found


class Key(NamedTuple):
    """A row's figure, period, scope and last civil day."""

    figure: str
    period: str
    scope: str
    day: int


def _row(key: Key, counts: tuple[int, int, int], status: str, body: dict[str, Any]) -> Indicator:
    lost, valid, expected = map(float, counts)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Indicator(key.figure, key.period, key.scope, "none", civil.period_stamp(key.day), lost, valid=valid, expected=expected, status=status, text=text)

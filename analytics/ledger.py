"""The completeness ledger: for every lost hour the reason, for every day and month what it still needs. Pure.

An hour of an item is lost if it is over and has no value that enters statistics. What is known of it decides the reason: a flag or
a mark that took it out, too few minutes, a refusal, other items of the same hour, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.cube import BACK, SHORT, SiteYear
from domain import air, civil
from domain.fixed import MISSING
from domain.items import AIR
from domain.ledger import LOST, MENDABLE, Refused

CODES: Final = ("", *LOST)
"""Reasons by number; 0 = not lost."""
_CODE: Final = {name: number for number, name in enumerate(CODES)}
_MENDABLE: Final = np.array([code in MENDABLE for code in CODES])
_OZONE: Final = AIR.index("o3")
_WINDOWS: Final = range(air.O3_FIRST_END, 25)
Codes = npt.NDArray[np.uint8]
Why = tuple[str, str]
"""Reason and what exactly."""


def _letters() -> Codes:
    """Reason of every letter of :attr:`SiteYear.lost`."""
    table = np.full(256, _CODE["flag"], np.uint8)
    table[0] = 0
    for letter, name in ((SHORT, "short"), (ord("W"), "withdrawn"), (ord("H"), "review"), (ord("R"), "review")):
        table[letter] = _CODE[name]
    return table


_LETTERS: Final = _letters()


class Hours(NamedTuple):
    """Some civil days of a site.

    Attributes
    ----------
    first : int
        First civil day.
    codes : (24·d, 6) uint8
        Position in :data:`CODES`; 0 where the hour counts or is still to come.
    coming : (24·d,) bool
        Hours that are not over.
    letters : (24·d, 6) uint8
        Letter that took the hour out, 0 elsewhere.
    since : (24·d,) int64 [s]
        Label of the last hour of which anything was heard, up to this one; -1 = nothing in this year.
    reasons : dict of (row, column) to str
        Reason codes of refusals.
    """

    first: int
    codes: Codes
    coming: npt.NDArray[np.bool_]
    letters: Codes
    since: npt.NDArray[np.int64]
    reasons: dict[tuple[int, int], str]

    @property
    def days(self) -> int:
        """How many days."""
        return len(self.coming) // 24


class Loss(NamedTuple):
    """A stretch of lost hours of some items: hours ``first``…``last`` of the day, why, and what exactly."""

    items: tuple[str, ...]
    first: int
    last: int
    reason: str
    detail: str


def hours(site: SiteYear, days: tuple[int, int], now: int, refused: Iterable[Refused] = ()) -> Hours:
    """Reasons of the lost hours of civil days ``days[0]`` … ``days[1]``.

    Parameters
    ----------
    now : int [s]
        Hours that end later are still to come; the last that is over may be pending.
    """
    start = 24 * (days[0] - site.first + BACK)
    rows = slice(start, start + 24 * (days[1] - days[0] + 1))
    missing = site.hours[rows] == MISSING
    letters = np.where(missing, site.lost[rows], 0)
    labels = civil.day_start(days[0]) + civil.HOUR_S * np.arange(1, len(missing) + 1, dtype=np.int64)
    heard = ((site.hours != MISSING) | (site.lost != 0)).any(axis=1)
    codes = np.where(heard[rows, None], _CODE["item"], _CODE["silent"]).astype(np.uint8)
    codes = np.where(letters != 0, _LETTERS[letters], codes)
    coming = labels > now
    codes[~missing | coming[:, None]] = 0
    found = Hours(days[0], codes, coming, letters, _since(site, heard)[rows], {})
    _refuse(found, refused)
    last = (labels <= now) & (labels > now - civil.HOUR_S)
    pending = last[:, None] & np.isin(codes, [_CODE["silent"], _CODE["item"]])
    codes[pending] = _CODE["pending"]
    return found


def _since(site: SiteYear, heard: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Label of the newest heard hour up to each hour."""
    row = np.maximum.accumulate(np.where(heard, np.arange(len(heard)), -1))
    origin = civil.day_start(site.first - BACK)
    return np.where(row < 0, -1, origin + civil.HOUR_S * (row + 1))


def _refuse(found: Hours, refused: Iterable[Refused]) -> None:
    """What nobody knew a reason for was refused, where a refusal is known."""
    unknown = {_CODE["silent"], _CODE["item"]}
    start = civil.day_start(found.first)
    for one in refused:
        row = (one.time - start) // civil.HOUR_S - 1
        columns = range(len(AIR)) if one.item is None else [AIR.index(one.item)] if one.item in AIR else []
        for column in columns:
            if 0 <= row < len(found.codes) and found.codes[row, column] in unknown:
                found.codes[row, column] = _CODE["held" if one.held else "refused"]
                found.reasons[row, column] = one.reason


def unserved(found: Hours, day: int, reason: str) -> None:
    """A day on which no accepted device served the site: its silence has that reason."""
    rows = slice(24 * (day - found.first), 24 * (day - found.first + 1))
    codes = found.codes[rows]
    codes[(codes == _CODE["silent"]) | (codes == _CODE["item"])] = _CODE[reason]


def unknown(found: Hours, published: npt.NDArray[np.bool_]) -> None:
    """Items whose day came as one value, (d, 6): nobody can say which of its hours are lost."""
    found.codes.reshape(found.days, 24, len(AIR))[:] *= ~published[:, None, :]


def silent_days(found: Hours) -> list[int]:
    """Civil days with an hour of which nothing was heard."""
    grid = (found.codes == _CODE["silent"]).reshape(found.days, -1).any(axis=1)
    return (found.first + np.flatnonzero(grid)).tolist()


def losses(found: Hours, day: int) -> list[Loss]:
    """Stretches of a day's lost hours, in the order in which they begin."""
    start = 24 * (day - found.first)
    codes = found.codes[start : start + 24]
    same: dict[tuple[Why, tuple[int, ...]], list[int]] = {}
    for columns in _alike(codes, found.letters[start : start + 24]):
        hours: dict[Why, list[int]] = {}
        for hour in np.flatnonzero(codes[:, columns[0]]).tolist():
            hours.setdefault(_why(found, start + hour, columns[0]), []).append(hour)
        for why, some in hours.items():
            same.setdefault((why, tuple(some)), []).extend(columns)
    made = [Loss(tuple(AIR[column] for column in sorted(columns)), *run, *why) for (why, some), columns in same.items() for run in _runs(some)]
    return sorted(made, key=lambda loss: (loss.first, loss.last, AIR.index(loss.items[0])))


def _alike(codes: Codes, letters: Codes) -> Iterable[list[int]]:
    """Columns of a day with lost hours, those together that lack the same hours for the same codes: mostly the whole station was silent."""
    groups: dict[object, list[int]] = {}
    for column in np.flatnonzero(codes.any(axis=0)).tolist():
        own = codes[:, column]
        told = (own == _CODE["refused"]) | (own == _CODE["held"])
        # Refusals have reasons of their own, item by item.
        groups.setdefault(column if told.any() else (own.tobytes(), letters[:, column].tobytes()), []).append(column)
    return groups.values()


def _why(found: Hours, row: int, column: int) -> Why:
    reason = CODES[int(found.codes[row, column])]
    if reason in {"flag", "review"}:
        return reason, chr(int(found.letters[row, column]))
    if reason in {"refused", "held"}:
        return reason, found.reasons[row, column]
    if reason == "silent" and found.since[row] >= 0:
        return reason, civil.iso(int(found.since[row]))
    return reason, ""


def _runs(hours: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Runs of hours 1…24."""
    first = hours[0]
    for before, after in zip(hours, (*hours[1:], -1), strict=True):
        if after != before + 1:
            yield first + 1, before + 1
            first = after


class Reach(NamedTuple):
    """Days that can still become valid, by item: with the hours to come alone, and with late data besides; (d, 6) bool each."""

    soon: npt.NDArray[np.bool_]
    late: npt.NDArray[np.bool_]

    def chance(self, day: int, column: int) -> str:
        """Code of :data:`domain.ledger.CHANCES` for a day that is not valid."""
        return "yes" if self.soon[day, column] else "late" if self.late[day, column] else "no"


def reach(found: Hours) -> Reach:
    """What the hours to come can still do for each day, and what late ones could.

    That an ozone day may become valid by exceeding its limit (HJ 663-2013 6.1.2) is not foreseen.
    """
    pending = found.codes == _CODE["pending"]
    running = (found.coming[:, None] | pending).reshape(found.days, 24, -1).any(axis=1)
    soon = (found.codes == 0) | pending
    return Reach(_enough(soon, found.days) & running, _enough(soon | _MENDABLE[found.codes], found.days))


def _enough(mask: npt.NDArray[np.bool_], days: int) -> npt.NDArray[np.bool_]:
    """Days with enough hours, by item: 20, for ozone 14 windows of 6 hours."""
    grid = mask.reshape(days, 24, len(AIR))
    enough = grid.sum(axis=1) >= air.DAY_HOURS
    total = np.concatenate([np.zeros((days, 1), np.int64), np.cumsum(grid[:, :, _OZONE], axis=1)], axis=1)
    windows = total[:, list(_WINDOWS)] - total[:, [end - air.O3_WINDOW for end in _WINDOWS]]
    enough[:, _OZONE] = (windows >= air.O3_WINDOW_HOURS).sum(axis=1) >= air.O3_DAY_WINDOWS
    return np.asarray(enough)


def main_reasons(found: Hours) -> list[str]:
    """The reason for which most hours of each day are lost; empty where none is."""
    grid = found.codes.reshape(found.days, -1)
    counted = np.stack([(grid == code).sum(axis=1) for code in range(1, len(CODES))], axis=1)
    return [CODES[int(best) + 1] if most else "" for best, most in zip(counted.argmax(axis=1), counted.max(axis=1), strict=True)]


class Days(NamedTuple):
    """A month's or year's days of one item: valid ones, needed ones, days to come, and lost days that late data could mend."""

    valid: int
    needed: int
    coming: int
    mendable: int

    @property
    def chance(self) -> str:
        """Empty if it has enough; else whether days to come, only late data, or nothing can bring it there."""
        if self.valid >= self.needed:
            return ""
        if self.coming and self.valid + self.coming >= self.needed:
            return "yes"
        return "late" if self.valid + self.coming + self.mendable >= self.needed else "no"

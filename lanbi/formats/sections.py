"""Records of the national section page, as the page itself or as its table: times without a year, original values, revisions.

The same section and time stands on many downloads, and its nutrients settle later than its probe: the download that was made last
counts, in whatever order the files arrive. What it shows as ``--`` or ``*`` it says to be missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.civil import SHANGHAI
from lanbi.formats.page import SHOWN
from lanbi.formats.rows import Fault, Row, instant, number, trimmed
from lanbi.formats.shapes import TODO_NUMBER, TODO_PLACE, Shape
from lanbi.formats.sheet import Cells, Sheet

MISSING: Final = frozenset({"", "*", "--", "-", "—", "维护", "不具备运行条件"})
CORE: Final = SHOWN[:9]
"""Items that every section measures; one of them without a value has none at this time, the others are not measured there at all."""
ITEMS: Final = SHOWN[:10]
"""What is kept: algae are counted, not weighed, and no item of ours."""
PLACE: Final = ("province", "city", "river", "station")
AHEAD: Final = timedelta(minutes=5)
"""A clock of the download may be so much behind the record."""
SPAN: Final = 0
CENTISECONDS: Final = 100
_OBS: Final = re.compile(r"(\d{1,2})-(\d{1,2})[ T](\d{1,2}):(\d\d)(?::00)?")
_SNAP: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[T ]?(\d\d):?(\d\d):?(\d\d)")
_YEARS: Final = 8
_MAINTAINED: Final = "M"


def downloaded(text: str) -> datetime:
    """Time of download, Beijing time: ``20251118T193233`` or ``2025-11-18 19:32:33``; ValueError otherwise."""
    parts = _SNAP.fullmatch(text)
    try:
        return datetime.strptime("".join(parts.groups()) if parts else "", "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        words = f"not a time of download: {text[:40]!r}"
        raise ValueError(words) from None


def observed(text: str, snap: datetime) -> int:
    """Instant of a record whose time has no year: the latest such time that does not lie after the download.

    >>> from domain.civil import iso
    >>> iso(observed("12-31 20:00", downloaded("20260101T003000"))), iso(observed("02-29 08:00", downloaded("20260101T003000")))
    ('2025-12-31T20:00:00+08:00', '2024-02-29T08:00:00+08:00')

    Raises
    ------
    ValueError
        No time.
    """
    parts = _OBS.fullmatch(text)
    if not parts:
        return instant(text)
    month, day, hour, minute = map(int, parts.groups())
    for year in range(snap.year + 1, snap.year - _YEARS, -1):
        try:
            # 24:00 is the next day's midnight; 29 February exists in some years only.
            when = datetime(year, month, day, tzinfo=SHANGHAI) + timedelta(hours=hour, minutes=minute)
        except ValueError:
            continue
        if when <= snap + AHEAD and hour <= 24 and minute < 60:
            return int(when.timestamp())
    words = f"not a time: {text[:40]!r}"
    raise ValueError(words)


@dataclass(frozen=True)
class Sections(Shape):
    """The table of the national section page."""

    @property
    def needed(self) -> tuple[tuple[str, ...], ...]:
        """Columns that must be there: a section is known by province, city, river and station together."""
        return tuple((name,) for name in (*PLACE, *self.times, *CORE))

    def rows(self, sheet: Sheet) -> Iterator[Row | Fault]:
        """Rows of a sheet, and every cell that cannot be read; what was missing, and why, is added to the sheet's notices."""
        self.check(sheet)
        at: dict[str, int] = {}
        for index, column in enumerate(sheet.columns):
            at.setdefault(column.casefold(), index)
        width, seen = len(sheet.columns), Counter[str]()
        for line, cells in sheet.rows:
            if len(cells) != width:
                yield Fault(line, "", f"{len(cells)} cells where the header names {width} columns", "complete the row")
                continue
            yield _row(line, cells, at, seen)
        sheet.notices += _told(sheet.name, seen)


def _row(line: int, cells: Cells, at: dict[str, int], seen: Counter[str]) -> Row | Fault:
    def cell(column: str) -> str:
        return trimmed(cells[at[column]]) if column in at else ""

    values: dict[str, float | None] = {}
    for item in ITEMS:
        text, raw = cell(item), cell(f"{item}_raw")
        if text in MISSING:
            seen[text or "空 empty"] += item in CORE
            values |= {item: None} if item in CORE else {}
            continue
        try:
            values[item] = number(raw if raw not in MISSING else text)
        except ValueError as error:
            return Fault(line, item, str(error), TODO_NUMBER)
    row = Row(line, "water_section", (_name(cell),), 0, SPAN, {}, cell("station"), "|".join(filter(None, (cell("province"), cell("city"), cell("river")))))
    if not cell("station"):
        return Fault(line, "station", "an empty cell", TODO_PLACE)
    seen[f"状态 status {cell('status')}"] += cell("status") in MISSING
    if all(value is None for value in values.values()):
        return row
    return _timed(row, values, (cell("snap"), cell("obs")), maintained=cell("status") in MISSING and bool(cell("status")))


def _name(cell: Callable[[str], str]) -> str:
    return "|".join(cell(column) for column in PLACE)


def _timed(row: Row, values: dict[str, float | None], times: tuple[str, str], *, maintained: bool) -> Row | Fault:
    snap_text, obs = times
    try:
        snap = downloaded(snap_text)
    except ValueError as error:
        return Fault(row.line, "snap", str(error), "write YYYYMMDDThhmmss, Beijing time")
    try:
        time = observed(obs, snap)
    except ValueError as error:
        return Fault(row.line, "obs", str(error), "write MM-DD hh:mm as the page does")
    flags = {item: _MAINTAINED for item, value in values.items() if value is None} if maintained else {}
    return row._replace(time=time, values=values, flags=flags, number=int(snap.timestamp()) * CENTISECONDS)


def _told(name: str, seen: Counter[str]) -> list[str]:
    """How many values and sections were missing, and by which mark."""
    marks = {mark: count for mark, count in seen.items() if count}
    if not marks:
        return []
    words = ", ".join(f"{mark} {count}" for mark, count in sorted(marks.items()))
    return [f"{name}: 缺测标记 marks for no value (status = sections): {words}"]

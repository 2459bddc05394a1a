"""Evidence that decides which values count: dust periods, marks of people, reviewed data, and figures of authorities.

An entry never changes a reading. What it says is applied when the cube is filled: H and R take a value out, X marks a dust
event, whose PM leaves the dust-excluded figures only, and reviewed values make a basis of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from domain import civil, fixed
from domain.indicators import FIGURES
from domain.items import AIR, BY_REALM, DAILY, ITEMS
from domain.places import Registry
from domain.readings import FLAGS, STATISTICAL, Entry, lacking

DUST: Final = "dust"
MARK: Final = "mark"
REVIEWED: Final = "reviewed"
OFFICIAL: Final = "official"
PUBLISHED: Final = "published"
KINDS: Final = (DUST, MARK, REVIEWED, OFFICIAL, PUBLISHED)
"""Kinds of entries that figures are made of."""
CODES: Final = MappingProxyType({DUST: "dust", MARK: "review", REVIEWED: "review", OFFICIAL: "official", PUBLISHED: "official"})
"""Which cause of a restatement each kind is."""
PARTICLES: Final = ("pm25", "pm10")
"""What a sand-dust event takes out of the assessment; the gases stay (环办监测〔2016〕120号)."""
MARKS: Final = ("H", "R", "X", "N")
"""Letters that a person may set: held, rejected, dust, and N, which takes a mark back."""
COUNTED: Final = STATISTICAL | {"X", "S"}
"""Flags of reviewed values that enter statistics: a person has judged them, so S does too."""
LONGEST_S: Final = 31 * civil.DAY_S
"""A single event longer than a month is a slip of the pen."""
MARKED: Final = MappingProxyType({"air": AIR, "water": BY_REALM["water"], "point": BY_REALM["point"]})
"""Items that a person may mark, by the kind of place."""
_HIGHEST: Final = 1_000
"""No publisher's AQI lies above; some do not stop at 500."""
_PERIOD: Final = re.compile(r"((?:19|20)\d\d)(?:-?Q([1-4])|-(0[1-9]|1[0-2])(?:-(\d\d))?)?")

SIGNAL: Final = "~"
"""Begins what a change row names besides places: no id begins so."""
Body = Mapping[str, Any]


def signal(kind: str) -> str:
    """What a change row names besides places, so that whoever follows the changes reads the entries of a kind again.

    >>> signal("dust")
    '~dust'
    """
    return f"{SIGNAL}{kind}"


class Span(NamedTuple):
    """A flag for items of some places at all end labels with start < label ≤ end [s]; an hour that is touched counts whole."""

    sites: tuple[str, ...]
    start: int
    end: int
    items: tuple[str, ...]
    flag: str


class Cell(NamedTuple):
    """A reviewed value: thousandths of its unit, ``MISSING`` where the review took it out; span 3,600 or 86,400 [s]."""

    site: str
    time: int
    span: int
    item: str
    value: int
    flag: str


class Period(NamedTuple):
    """A calendar period: its kind and its first and last civil day."""

    kind: str
    first: int
    last: int


def places(scope: str, registry: Registry) -> tuple[str, ...]:
    """Places that a scope stands for: a station, a city's own series, a section, a well, a permit point, or the county with all its stations."""
    if scope == registry.county.id:
        return tuple(sorted(registry.air_stations))
    return (scope,) if registry.kind_of(scope) in MARKED else ()


def instants(body: Body) -> tuple[int, int]:
    """Start (excluded) and end (included) of the end labels that ``from`` and ``to`` touch; dates stand for whole days.

    >>> instants({"from": "2025-04-13", "to": "2025-04-13"}) == (civil.parse_time("2025-04-13T00:00:00+08:00"), civil.parse_time("2025-04-14T00:00:00+08:00"))
    True

    Raises
    ------
    ValueError
        No time, or an end that is not after the start, or longer than a month.
    """
    start, end = _instant(str(body.get("from", "")), last=False), _instant(str(body.get("to", "")), last=True)
    end = -(-end // civil.HOUR_S) * civil.HOUR_S
    if not start < end:
        raise ValueError("the end does not lie after the start")
    if end - start > LONGEST_S:
        raise ValueError("longer than 31 days")
    return start, end


def _instant(text: str, *, last: bool) -> int:
    try:
        day = civil.parse_date(text)
    except ValueError:
        return civil.parse_time(text, civil.SHANGHAI)
    return civil.day_end(day) if last else civil.day_start(day)


def span(kind: str, body: Body, registry: Registry) -> Span:
    """What a dust period or a person's mark says."""
    start, end = instants(body)
    if kind == DUST:
        return Span(places(str(body["scope"]), registry), start, end, PARTICLES, "X")
    known = MARKED.get(registry.kind_of(str(body["source"])) or "", AIR)
    items = tuple(item for item in body.get("items") or known if item in known)
    return Span(places(str(body["source"]), registry), start, end, items, str(body["flag"]))


def cells(body: Body) -> Iterator[Cell]:
    """Values of one reviewed site-day; the cells of an hourly review name their hour 1…24."""
    day, width = civil.parse_date(str(body["date"])), int(body["span"])
    for hour, item, text, flag in body["cells"]:
        time = civil.day_start(day) + (civil.HOUR_S * int(hour) if width == civil.HOUR_S else civil.DAY_S)
        counts = text is not None and flag in COUNTED
        yield Cell(str(body["site"]), time, width, item, max(fixed.from_text(text), 0) if counts else fixed.MISSING, flag)


def period(text: str) -> Period:
    """Calendar period of ``2025``, ``2025-06``, ``2025Q2`` or ``2025-06-03``; ValueError otherwise.

    >>> period("2024-02").last - period("2024-02").first, period("2025Q2").kind
    (28, 'quarter')
    """
    parts = _PERIOD.fullmatch(text.strip())
    if not parts:
        raise ValueError(f"not a period: {text[:40]!r}")
    year = int(parts[1])
    if parts[4]:
        day = civil.parse_date(text.strip())
        return Period("day", day, day)
    first_month, months, kind = (int(parts[3]), 1, "month") if parts[3] else (3 * int(parts[2]) - 2, 3, "quarter") if parts[2] else (1, 12, "year")
    first = civil.day_number(date(year, first_month, 1))
    after = date(year + (first_month + months > 12), (first_month + months - 1) % 12 + 1, 1)
    return Period(kind, first, civil.day_number(after) - 1)


def figure(name: str, kind: str) -> str | None:
    """Stored figure that an official ``item`` names; the bare item of a month or year is its mean or percentile.

    >>> figure("pm25", "year"), figure("pm25", "day"), figure("good_ratio", "month")
    ('pm25_mean', 'pm25', 'good_ratio')
    """
    if kind == "day":
        return name if name in {"aqi", *DAILY} else None
    long = {"co": "co_p95", "o3": "o3_p90", "o3_8h": "o3_p90", **{item: f"{item}_mean" for item in ("pm25", "pm10", "so2", "no2")}}.get(name, name)
    return long if long in FIGURES and long not in {"aqi", "water_class", "pm25_24h"} else None


def cause(entry: Entry) -> str:
    """Words for a restatement: the cause's code, and by which document or reason."""
    code = "dust" if entry.body.get("flag") == "X" else CODES[entry.kind]
    return f"{code}: {str(entry.body.get('document') or entry.body.get('reason') or entry.body.get('file') or entry.id).replace(';', ',')[:80]}"


def touched(kind: str, body: Body, registry: Registry) -> dict[int, set[str]]:
    """Civil days and air places whose figures an entry may change; what cannot be read touches nothing."""
    if fault(kind, body):
        return {}
    if kind in {OFFICIAL, PUBLISHED}:
        return {period(str(body["period" if kind == OFFICIAL else "date"])).last: set()}
    if kind == REVIEWED:
        return {civil.parse_date(str(body["date"])): {str(body["site"])}}
    one = span(kind, body, registry)
    return {day: set(one.sites) for day in range(civil.day_of(one.start + 1), civil.day_of(one.end) + 1)}


def fault(kind: str, body: Body) -> str | None:
    """Why an entry of one of these kinds cannot be used; None if it can."""
    try:
        return _CHECKS[kind](body)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return f"without {error.args[0]}" if isinstance(error, KeyError) else str(error)


def _dust_fault(body: Body) -> str | None:
    instants(body)
    return lacking(body, "scope", "document")


def _mark_fault(body: Body) -> str | None:
    instants(body)
    items = body.get("items") or AIR
    strange = [item for item in items if not any(item in known for known in MARKED.values())]
    if body.get("flag") not in MARKS or strange:
        return f"no mark: flag {body.get('flag')!r}, items {', '.join(map(str, items))}"
    return lacking(body, "source", "reason")


def _reviewed_fault(body: Body) -> str | None:
    civil.parse_date(str(body["date"]))
    names: Sequence[str] = AIR if body["span"] == civil.HOUR_S else DAILY
    if body["span"] not in {civil.HOUR_S, civil.DAY_S}:
        return f"no span of a review: {body['span']!r}"
    for hour, item, text, flag in body["cells"]:
        if not 1 <= int(hour) <= 24 or item not in names:
            return f"no cell of a review: hour {hour}, item {item!r}"
        wrong = cell_fault(item, text, flag)
        if wrong:
            return wrong
    return lacking(body, "site", "document")


def cell_fault(item: str, text: str | None, flag: str) -> str | None:
    """Why a reviewed value cannot be used: no number, outside the item's hard range, an unknown flag, or nothing without a reason."""
    if flag not in FLAGS or flag == "W":
        return f"no flag: {flag[:8]!r}"
    if text is None:
        return "a value that was taken out needs the flag that says why" if flag in COUNTED else None
    known = ITEMS["air", item]
    try:
        value = fixed.from_text(text)
    except ValueError as error:
        return str(error)
    low, high = ((edge * fixed.SCALE) for edge in (known.low - known.tiny, known.high))
    return None if low <= value <= high else f"{text} is outside {known.low:g} … {known.high:g} {known.unit}"


def _official_fault(body: Body) -> str | None:
    kind = period(str(body["period"])).kind
    if figure(str(body["item"]), kind) is None:
        return f"no figure of a {kind}: {str(body['item'])[:40]!r}"
    if fixed.from_text(str(body["value"])) < 0:
        return f"below zero: {body['value']}"
    rank = str(body.get("rank") or "1")
    return lacking(body, "scope", "document") if rank.isascii() and rank.isdigit() and int(rank) else f"no rank: {rank[:20]!r}"


def _published_fault(body: Body) -> str | None:
    if body["figure"] != "aqi" or body["period"] != "day" or not 0 < float(body["value"]) <= _HIGHEST:
        return f"no published index: {str(body['figure'])[:40]} {str(body['value'])[:40]}"
    civil.parse_date(str(body["date"]))
    return lacking(body, "scope")


_CHECKS: Final[Mapping[str, Callable[[Body], str | None]]] = MappingProxyType(
    {DUST: _dust_fault, MARK: _mark_fault, REVIEWED: _reviewed_fault, OFFICIAL: _official_fault, PUBLISHED: _published_fault},
)

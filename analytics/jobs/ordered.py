"""Orders of heavy-pollution warnings, enterprise by enterprise: rows by hour, one event an order that waits for its receipt, and breaches as clues."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from analytics.energy import orders
from analytics.energy.orders import Hour, Loads
from analytics.jobs import clues
from domain import civil, energy, statements
from domain.indicators import Event, Indicator
from domain.places import Registry
from domain.readings import Entry
from domain.verdicts import Word

FIGURE: Final = "order_load"
EVENT: Final = "order"
BREACH: Final = "breach"
NO_RULES: Final = "none"


class Order(NamedTuple):
    """An order in force from ``begin`` to ``end`` [s]."""

    level: str
    begin: int
    end: int
    document: str

    @property
    def rank(self) -> int:
        """Yellow 1 … red 3."""
        return statements.LEVELS[self.level][1]


class Listed(NamedTuple):
    """A row of the reduction list: what of the usual load [0…1] may still run under a level."""

    line: str
    measure: str
    share: float
    meters: tuple[str, ...]


class Receipt(NamedTuple):
    """An enterprise confirmed an order."""

    said: int
    user: str


class Around(NamedTuple):
    """What an enterprise is judged with.

    Attributes
    ----------
    loads : callable
        Load of some meters around an order; None where one of them has no register.
    told : mapping of source to words on its clues
    confirmed : mapping of time to receipt
    now : int [s]
        Hours behind it have not ended.
    """

    registry: Registry
    loads: Callable[[Sequence[str], Order], Loads | None]
    told: Mapping[str, Sequence[Word]]
    confirmed: Mapping[int, Receipt]
    now: int


@dataclass
class Verdicts:
    """Figures and events of one enterprise."""

    rows: list[Indicator] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def given(entries: Iterable[Entry]) -> list[Order]:
    """Orders by their begin; of two with one begin the one received later stands."""
    found: dict[int, Order] = {}
    for entry in sorted(entries, key=lambda one: one.received_ns):
        if statements.fault(statements.ORDERS, entry.body) is None:
            body = entry.body
            one = Order(str(body["level"]), statements.instant(body["from"]), statements.until(body["to"]), str(body["document"]))
            found[one.begin] = one
    return [found[begin] for begin in sorted(found)]


def listed(entries: Iterable[Entry], owner: str, order: Order, registry: Registry) -> list[Listed]:
    """What the season's list asks of an enterprise: the newest file that names it before the order began, else the first behind."""
    own = [entry for entry in entries if entry.body.get("enterprise") == owner and statements.fault(statements.LIST, entry.body) is None]
    before = [entry for entry in own if entry.received_ns // 10**9 <= order.begin]
    chosen = max(before, key=lambda one: one.received_ns, default=None) or min(own, key=lambda one: one.received_ns, default=None)
    found: dict[str, Listed] = {}
    for entry in own:
        body = entry.body
        if chosen is not None and body.get("file") == chosen.body.get("file") and body["level"] == order.level:
            line = str(body.get("line") or "")
            share = float(statements.number(body["share"])) / 100
            found[line] = Listed(line, str(body["measure"]), share, _meters(registry, owner, line, str(body.get("meters") or "")))
    return [found[line] for line in sorted(found)]


def _meters(registry: Registry, owner: str, line: str, named: str) -> tuple[str, ...]:
    """Electricity meters that show a row: those it names, else the line's, else what the enterprise buys."""
    own = {name: one for name, one in registry.meters.items() if one.enterprise == owner and one.medium == energy.ELECTRICITY}
    asked = named.split() or (registry.lines[line].meters if line in registry.lines else ())
    if asked or line:
        return tuple(name for name in asked if name in own)
    return tuple(name for name, one in own.items() if one.role.newest == "main" and one.flow == "purchased")


def receipts(entries: Iterable[Entry], owner: str) -> dict[int, Receipt]:
    """Confirmed orders of an enterprise by the time that they name; the first word counts."""
    found: dict[int, Receipt] = {}
    for entry in sorted(entries, key=lambda one: one.received_ns):
        if entry.body.get("enterprise") == owner and statements.fault(statements.RECEIPT, entry.body) is None:
            found.setdefault(statements.instant(entry.body["from"]), Receipt(entry.received_ns // 10**9, str(entry.body["user"])))
    return found


def judged(owner: str, asked: Sequence[tuple[Order, Sequence[Listed]]], around: Around) -> Verdicts:
    """Verdicts on an enterprise under its orders; an hour under two of them is judged by the severer one.

    Parameters
    ----------
    asked : sequence of (Order, rows of the list for its level)
    """
    out = Verdicts()
    for order, rows in asked:
        if not rows:
            continue
        severer = [other for other, some in asked if some and other.rank > order.rank and other.begin < order.end and order.begin < other.end]
        hours: dict[str, list[Hour]] = {}
        for row in rows:
            known = around.loads(row.meters, order) if row.meters else None
            found = _hours(known, row, order, around)
            hours[row.line] = [one for one in found if not any(other.begin < one.time <= other.end for other in severer)]
            out.rows += [_row(row.line, one, order, row) for one in hours[row.line] if row.line]
            if known is not None:
                out.events += _breaches(owner, row, order, (known, hours[row.line]), around)
        out.rows += _together(owner, hours, order, rows)
        out.events.append(_order(owner, order, rows, hours, around.confirmed))
    return out


def _hours(known: Loads | None, row: Listed, order: Order, around: Around) -> list[Hour]:
    if known is not None:
        return list(orders.judge(known, order.begin, min(order.end, around.now), row.share, around.registry.electricity))
    why = orders.NO_DATA if row.meters else orders.NO_METER
    first, last = -(-order.begin // 3_600), min(order.end, around.now) // 3_600
    nothing = (float("nan"),) * 4
    return [Hour(3_600 * (place + 1), *nothing, orders.CANNOT_TELL, why) for place in range(first, last)]


def _row(scope: str, one: Hour, order: Order, row: Listed) -> Indicator:
    def shown(value: float) -> float | None:
        return None if np.isnan(value) else float(f"{value:.6g}")

    text: dict[str, Any] = {
        "level": order.level,
        "order": civil.iso(order.begin),
        "document": order.document,
        "share": None if np.isnan(row.share) else 100 * row.share,
    }
    text |= {"measure": row.measure, "why": one.why}
    load, usual = shown(one.load), shown(one.usual)
    margin = None if load is None or usual is None else float(f"{usual - load:.6g}")
    return Indicator(
        FIGURE, "hour", scope, NO_RULES, one.time, load, valid=float(load is not None), expected=1.0, target=usual, margin=margin,
        low90=shown(one.low), high90=shown(one.high), status=one.state, text=json.dumps(text, ensure_ascii=False),
    )  # fmt: skip


def _together(owner: str, hours: Mapping[str, Sequence[Hour]], order: Order, rows: Sequence[Listed]) -> Iterator[Indicator]:
    """The enterprise by hour: one row of the list as it is; of several the worst verdict, without a baseline of its own."""
    if len(rows) == 1:
        yield from (_row(owner, one, order, rows[0]) for one in hours[rows[0].line])
        return
    by_time: dict[int, list[Hour]] = {}
    for some in hours.values():
        for one in some:
            by_time.setdefault(one.time, []).append(one)
    nan = float("nan")
    graver = (orders.NOT_OBEYED, orders.CANNOT_TELL, orders.OBEYED)
    for time, some in sorted(by_time.items()):
        worst = min(some, key=lambda one: graver.index(one.state))
        load = sum(one.load for one in some)
        measure = "; ".join(f"{row.line or owner}: {row.measure}" for row in rows)
        yield _row(owner, Hour(time, load, nan, nan, nan, worst.state, worst.why), order, rows[0]._replace(measure=measure, share=nan))


def _order(owner: str, order: Order, rows: Sequence[Listed], hours: Mapping[str, Sequence[Hour]], confirmed: Mapping[int, Receipt]) -> Event:
    receipt = next((one for time, one in sorted(confirmed.items()) if order.begin <= time < order.end), None)
    said = Counter(one.state for some in hours.values() for one in some)
    why = Counter(one.why for some in hours.values() for one in some if one.why)
    body: dict[str, Any] = {
        "level": order.level, "zh": statements.LEVELS[order.level][0], "from": civil.iso(order.begin), "to": civil.iso(order.end), "document": order.document,
        "measures": [{"line": row.line, "measure": row.measure, "share": 100 * row.share, "meters": list(row.meters)} for row in rows],
        "receipt": None if receipt is None else {"time": civil.iso(receipt.said), "user": receipt.user},
        "hours": {state: said[state] for state in orders.STATES}, "why": dict(sorted(why.items())),
    }  # fmt: skip
    return Event(EVENT, owner, order.begin, float(receipt is None), json.dumps(body, ensure_ascii=False))


def _breaches(owner: str, row: Listed, order: Order, shown: tuple[Loads, Sequence[Hour]], around: Around) -> Iterator[Event]:
    """Hours in a row that were not obeyed, as a clue (E4) about the meter if it is one, else about line or enterprise."""
    known, hours = shown
    source = row.meters[0] if len(row.meters) == 1 else row.line or owner
    run: list[Hour] = []
    for one in [*hours, None]:
        if one is not None and one.state == orders.NOT_OBEYED and (not run or one.time == run[-1].time + 3_600):
            run.append(one)
            continue
        if len(run) >= orders.IN_A_ROW:
            yield _breach(source, row, order, (known, run), around)
        run = [one] if one is not None and one.state == orders.NOT_OBEYED else []


def _breach(source: str, row: Listed, order: Order, shown: tuple[Loads, list[Hour]], around: Around) -> Event:
    known, run = shown
    begin, end = run[0].time - 3_600, run[-1].time
    low, high = (begin - known.start) // 3_600 - 24, (end - known.start) // 3_600
    load = [None if np.isnan(one) else float(f"{one:.5g}") for one in known.load[max(low, 0) : high].tolist()]
    body = {
        "rule": "E4", "source": source, "from": civil.iso(begin), "to": civil.iso(end), "minutes": 60 * len(run),
        "level": order.level, "document": order.document, "share": 100 * row.share, "measure": row.measure,
        "load_kwh": [float(f"{one.load:.5g}") for one in run], "allowed_kwh": [float(f"{one.usual:.5g}") for one in run],
        "allowed_high_kwh": [float(f"{one.high:.5g}") for one in run],
        "curves": {"from": civil.iso(known.start + 3_600 * max(low, 0)), "step": 3_600, "production": load},
    }  # fmt: skip
    return clues.stated(BREACH, around.registry.meters[row.meters[0]], (begin, end), body, around.told.get(source, ()))

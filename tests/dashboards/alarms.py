"""Faults as figures, simulated time, and the table: per rule its fault, time to fire, time to recover.

`python -m tests.dashboards.alarms` fills a store and prints it; with ``docs/grafana.md`` it replaces the one on that page.
"""

from __future__ import annotations

import re
import sys
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.rules import alerting
from dashboards.stored import Need
from dashboards.watchlist import Watched, watchlist
from domain import civil
from domain.indicators import Event, Indicator
from tests.dashboards.asking import expanded, series
from tests.dashboards.evaluator import Evaluator, Found, Labels, seconds
from tests.dashboards.filled import Filled, filled, small
from tests.dashboards.sample import sample

GRID_S = 300
"""Evaluation of the groups."""
COARSE_S = 3_600
"""Evaluation of daily figures here: they change once a day."""
LATE_S = {"hour": 300, "day": 25 * civil.HOUR_S, "ytd": 25 * civil.HOUR_S}
"""How long after its own time a figure is written: a closed day an hour after its end."""
RUNNING = {"lost_hours", "sensor_alarms", "water_level_state"}
"""Figures of a day that are written while it runs."""
PACE_S = {"hour": civil.HOUR_S, "day": civil.DAY_S, "ytd": civil.DAY_S}
FREE = civil.parse_time("2027-01-04T00:00:00+08:00")
"""Simulated time of planted faults: no history lies there."""
EVENTS = "event"
BEGIN, END = "<!-- python -m tests.dashboards.alarms docs/grafana.md -->", "<!-- end -->"
"""Between these the table stands on the page."""


@dataclass(frozen=True)
class Planted:
    """A rule, the figures that tell its fault, and when an alert is due.

    Attributes
    ----------
    begun, over : int [s]
        When the first faulty and the first healthy figure afterwards are written.
    patience, recovery : int [s]
        How long after these it may take.
    """

    rule: dict[str, Any]
    question: Watched
    healthy: float
    faulty: float
    begun: int
    over: int
    patience: int
    recovery: int
    labels: Labels
    scope: str

    @property
    def period(self) -> str:
        """Period of the judged figure."""
        return self.question.ask.needs[0].period if self.question.ask.needs else EVENTS

    @property
    def grid(self) -> int:
        """Between two evaluations."""
        return GRID_S if self.period in {"hour", EVENTS} else COARSE_S


def plant(uid: str) -> Planted:
    """The fault of a rule: three healthy figures, four faulty ones, healthy ones until it must be over."""
    bureau = sample()
    rule = next(rule for group in alerting(bureau)["groups"] for rule in group["rules"] if rule["uid"] == uid)
    question = next(one for one in watchlist(bureau) if one.uid == uid)
    sign = 1 if question.above else -1
    healthy, faulty = question.recover - sign, question.fire + sign
    period = question.ask.needs[0].period if question.ask.needs else EVENTS
    pace, late = PACE_S.get(period, civil.HOUR_S), lateness(question)
    begun = FREE + (3 * pace if period != EVENTS else civil.HOUR_S) + late
    over = begun + 4 * pace
    grid = GRID_S if period in {"hour", EVENTS} else COARSE_S
    scope = bureau.scope
    kind = kinds(question)[0] if period == EVENTS else ""
    labels = (("source", scope),) if kind and len(kinds(question)) == 1 else (("kind", kind), ("source", scope)) if kind else _labels(question, scope)
    if period == EVENTS or uid == "air-warning-met":
        # Where nothing is wrong there is no row: it is over when the last one has left the reach.
        over = begun + (3 * pace if uid == "air-warning-met" else 0) + question.reach - late
        recovery = 4 * grid + late
    else:
        recovery = seconds(rule["keepFiringFor"]) + 2 * grid
    return Planted(rule, question, healthy, faulty, begun, over, seconds(rule["for"]) + 2 * grid, recovery, labels, scope)


def _labels(question: Watched, scope: str) -> Labels:
    """Labels that a figure of a scope gets."""
    figure = (("figure", question.ask.needs[0].figure),) if '"figure", "scope"' in question.ask.text else ()
    return *figure, ("scope", scope)


def kinds(question: Watched) -> list[str]:
    """Kinds of the events that a rule is about."""
    found = re.search(r'"kind" (?:= \'([^\']+)\'|=~ /\^\(([^)]+)\))', question.ask.text)
    assert found
    return (found.group(1) or found.group(2)).split("|")


def lateness(question: Watched) -> int:
    """How long after its own time a rule's figure is written [s]."""
    if not question.ask.needs:
        return 0
    (need, *_) = question.ask.needs
    return civil.HOUR_S if need.figure in RUNNING else LATE_S[need.period]


def simulated(county: Filled, planted: Planted) -> Evaluator:
    """Let time pass: figures are written when they would be, the rule is evaluated on its grid."""
    found = Evaluator(planted.rule, planted.grid)
    rows = _rows(planted)
    end = planted.over + planted.recovery + 6 * planted.grid
    try:
        for now in range(FREE + planted.grid, end + 1, planted.grid):
            due = [row for written, row in rows if now - planted.grid < written <= now]
            _put(county, due)
            found.step(now, lambda text, start, stop: asked(county, text, start, stop))
    finally:
        _clear(county)
    return found


def _rows(planted: Planted) -> list[tuple[int, Indicator | Event]]:
    """(when it is written, figure), from the beginning to the end."""
    question, period = planted.question, planted.period
    if period == EVENTS:
        return [(planted.begun, Event(kinds(question)[0], planted.scope, planted.begun, planted.faulty, ""))]
    pace, late = PACE_S[period], lateness(question)
    made: list[tuple[int, Indicator | Event]] = []
    sparse = planted.rule["uid"] == "air-warning-met"
    for number in range(3 + 4 + 200):
        time = FREE + number * pace
        faulty = 3 <= number < 7
        if time > planted.over + planted.recovery + 10 * planted.grid:
            break
        if faulty or not sparse:
            value = planted.faulty if faulty else planted.healthy
            made += [(time + late, _figure(planted, need, time, value, time + late)) for need in dict.fromkeys(question.needs)]
    return made


def _figure(planted: Planted, need: Need, time: int, value: float, written: int) -> Indicator:
    """A figure as the rule's statement asks for it: by value, or by the room that is left below a limit."""
    text = planted.question.ask.text
    rules, basis = (found[1] if (found := re.search(f"\"{tag}\" = '([^']+)'", text)) else "HJ633-2026" for tag in ("rule_set", "basis"))
    margin = value if text.startswith('SELECT "margin"') else None
    return Indicator(need.figure, need.period, planted.scope, rules, time, value, basis, margin=margin, computed=float(written))


def _put(county: Filled, rows: list[Indicator | Event]) -> None:
    figures = [row for row in rows if isinstance(row, Indicator)]
    events = [row for row in rows if isinstance(row, Event)]
    if figures:
        county.store.put(figures)
    if events:
        county.store.events(events)


def _clear(county: Filled) -> None:
    """Take planted rows out again: the next rule must not meet them."""
    from lanbi import influx_tables as tables
    from lanbi.influx_http import Influx

    db: Influx = county.store._db
    for table in (tables.INDICATOR, tables.EVENT):
        db.delete(table._replace(tags=()), (), FREE * 10**9, (FREE + 400 * civil.DAY_S) * 10**9)


def asked(county: Filled, text: str, start: int, end: int) -> Found:
    """A rule's statement, answered by the store."""
    return {tuple(sorted(one.labels.items())): [(row[0] // 1_000, row[1]) for row in one.rows] for one in series(county, expanded(text, (start, end), {}))}


class Recorded:
    """A rule's whole history, cut as the store would have answered at the time: nothing is seen before it is written."""

    def __init__(self, county: Filled, rule: dict[str, Any], question: Watched, span: tuple[int, int]) -> None:
        self.late = lateness(question)
        self.rows = asked(county, rule["data"][0]["model"]["query"], *span)
        self.times = {labels: [time for time, _ in points] for labels, points in self.rows.items()}

    def __call__(self, text: str, start: int, end: int) -> Found:
        """Answer of the store at an instant: the newest row of each series is all that a rule reduces to."""
        found: dict[Labels, list[tuple[int, float | None]]] = {}
        for labels, times in self.times.items():
            first, last = bisect_left(times, start), bisect_right(times, end - self.late)
            if first < last:
                found[labels] = [self.rows[labels][last - 1]]  # type: ignore[list-item]
        return found


def quiet(county: Filled) -> tuple[list[tuple[str, int]], float]:
    """Alerts of all rules outside of planted stretches of the filled county, and how many days that are."""
    span = county.first, county.planted
    alerts = []
    for group in alerting(sample())["groups"]:
        for rule in group["rules"]:
            question = next(one for one in watchlist(sample()) if one.uid == rule["uid"])
            if group["name"] == "system" or rule["uid"] in {"source-silent", "data-refused"}:
                continue  # the service's own figures were taken at the end only
            one, ask = Evaluator(rule, COARSE_S), Recorded(county, rule, question, span)
            for now in range(span[0] + COARSE_S, span[1], COARSE_S):
                one.step(now, ask)
            alerts += [(rule["uid"], change.time) for change in one.fired()]
    return alerts, (span[1] - span[0]) / civil.DAY_S


def recorded(county: Filled, uid: str) -> Evaluator:
    """A rule over what the filled county's readings led to, from before its first fault until two days after its end."""
    rule = next(rule for group in alerting(sample())["groups"] for rule in group["rules"] if rule["uid"] == uid)
    question = next(one for one in watchlist(sample()) if one.uid == uid)
    last = county.clock.now + 2 * civil.DAY_S
    one, ask = Evaluator(rule, COARSE_S), Recorded(county, rule, question, (county.first, last))
    for now in range(county.planted - 10 * civil.DAY_S, last, COARSE_S):
        one.step(now, ask)
    return one


def row(planted: Planted, found: Evaluator) -> str:
    """A rule's line of the table."""
    fired, resolved = found.fired(), found.resolved()
    times = [f"{(one[0].time - since) / 60:.0f} min" if one else "–" for one, since in ((fired, planted.begun), (resolved, planted.over))]
    fault = f"{planted.healthy:g} → {planted.faulty:g}"
    return f"| `{planted.rule['uid']}` | {planted.question.title} | {fault} | {times[0]} | {times[1]} | {len(fired)} |\n"


def table(county: Filled) -> Iterator[str]:
    """Every rule against its fault, then all of them in a county in which nothing is wrong."""
    yield "| rule | title | fault | fires after | recovers after | alerts |\n|---|---|---|---|---|---|\n"
    missed, uids = [], [rule["uid"] for group in alerting(sample())["groups"] for rule in group["rules"]]
    for uid in uids:
        planted = plant(uid)
        found = simulated(county, planted)
        missed += [] if found.fired() else [uid]
        yield row(planted, found)
    alerts, days = quiet(county)
    told = ", ".join(f"`{uid}` on {civil.iso(time)[:10]}" for uid, time in alerts) or "none"
    yield f"\nplanted: {len(uids)}, missed: {len(missed)} {missed or ''}".rstrip() + f"; quiet: {len(alerts)} alert(s) in {days:.0f} days ({told})\n"


def main(page: Path | None) -> int:
    """Fill a store, let every rule meet its fault, print the table and put it into a page."""
    with tempfile.TemporaryDirectory() as folder, filled(Path(folder), small(sample().registry)) as county:
        lines = []
        for line in table(county):
            sys.stdout.write(line)
            lines.append(line)
    if page is not None:
        before, _, rest = page.read_text().partition(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{''.join(lines)}{END}{rest.partition(END)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else None))

"""A small county as its processes would have stored it: real store, real state, a clock turned by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from api.sources import Health, Sources
from domain.air import level_of
from domain.civil import DAY_S, HOUR_S, date_of, day_number, parse_date, parse_time, period_stamp
from domain.indicators import Indicator, Restatement
from domain.readings import Entry, Key, Reading
from ingest.newest import Newest
from ingest.ports import Batch, Refused, Version
from lanbi.embedded import EmbeddedStore
from lanbi.plans import load as load_plan
from lanbi.registry import load as load_registry
from lanbi.state import State, StateView

PLANS = Path(__file__).resolve().parents[2] / "plans"
NOW = parse_time("2025-10-15T10:20:00+08:00")
FIRST_DAY = day_number(date_of(0).replace(2025, 1, 1))
TODAY = day_number(date_of(0).replace(2025, 10, 15))
RULES = ("HJ633-2012", "HJ633-2026")
SILENT = "sc-a02"
LATE = "sc-w02"
SILENT_METERS = ("m-0001", "m-0002", "m-0003")
LETTERS = 30
NS = 1_000_000_000


@dataclass
class Hand:
    """A clock that stands until it is moved."""

    now: int = NOW
    passed: float = 0.0

    def now_ns(self) -> int:
        """Where it stands."""
        return self.now * NS

    def monotonic(self) -> float:
        """Moves a millisecond a look."""
        self.passed += 0.001
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Pass time."""
        self.passed += seconds


@dataclass
class County:
    """The sources of a seeded county, and its hands to turn."""

    data: Path
    clock: Hand = field(default_factory=Hand)
    health: dict[str, Health] = field(default_factory=dict)

    def sources(self) -> Sources:
        """Seed at the first call and hand out."""
        fresh = not (self.data / "store.db").exists()
        store = EmbeddedStore(self.data / "store.db")
        if fresh:
            seed_store(store)
            seed_state(self.data)
        registry = load_registry(PLANS / "sample-county.toml")
        plans = (load_plan(PLANS / "chiping.toml"),)
        return Sources(lambda: registry, plans, store, store, store, StateView(self.data), self.clock, lambda: self.health, lambda: "lanbi_up 1\n", 60.0)


def seed_store(store: EmbeddedStore) -> None:
    """Readings, figures, restatements and reported values."""
    store.write([*_hours(), *_records()])
    store.put([*_hour_figures(), *_day_figures(), *_year_figures(), *_attainments(), *_ledgers(), *_beside()])
    store.restate(_restatements())
    body = {"target": "water.national.good_ratio", "period": "2025", "value": "100", "document": "市局通报〔2025〕9号", "person": "李工"}
    month = {"month": "2025-09", "action": "confirm", "document": "示环〔2025〕31号"}
    store.enter([Entry("reported", "person/1", NOW * NS - NS, "李工", body), Entry("confirmation", "person/3", (NOW - 86_400) * NS, "王工", month)])


def _hours() -> Iterator[Reading]:
    for hour in range(72):
        time = NOW // HOUR_S * HOUR_S - hour * HOUR_S
        values = {"pm25": 20.0 + hour % 24, "pm10": 61.0, "so2": 7.0, "no2": 22.0, "co": 0.5, "o3": 80.0}
        yield Reading("air", "sc-a01", HOUR_S, time, values, {"co": "M"} if hour == 3 else {}, 72 - hour)


def _records() -> Iterator[Reading]:
    for number in range(30):
        values = {"ph": 8.1, "do": 7.9, "codmn": 4.4, "nh3n": 0.21, "tp": 0.068, "tn": 3.9}
        yield Reading("water", "sc-w01", 14_400, NOW // 14_400 * 14_400 - number * 14_400, values, {}, 30 - number)


def _hour_figures() -> Iterator[Indicator]:
    for hour in range(72):
        time = NOW // HOUR_S * HOUR_S - hour * HOUR_S
        for number, site in enumerate(("sc-a01", "sc-a03", "sc-a04", "sc-a05", "sc-a06")):
            aqi = 40 + 70 * number + hour % 5
            yield Indicator("aqi", "hour", site, RULES[0], time, float(aqi), status=str(level_of(aqi)), text="pm25+o3" if aqi > 50 else "")
            yield Indicator("pm25_24h", "hour", site, RULES[0], time, 33.0)


def _aqi(day: int) -> int:
    return 30 + (day * 37) % 290


def _day_figures() -> Iterator[Indicator]:
    for day in range(FIRST_DAY, TODAY):
        for rules in RULES:
            aqi = _aqi(day)
            yield Indicator("aqi", "day", "sc", rules, period_stamp(day), float(aqi), status=str(level_of(aqi)), text="pm25" if aqi > 50 else "", valid=24.0)
            yield Indicator("pm25", "day", "sc", rules, period_stamp(day), float(20 + day % 60), valid=24.0)
            # What else stands beside them in a real county, and on none of the pages of days.
            for other in ("aqi_yoy", "aqi_mom", "aqi_rank", "pm25_yoy", "pm25_mom", "pm25_rank", "o3_8h_yoy", "o3_8h_mom", "o3_8h_rank", "lost"):
                yield Indicator(other, "day", "sc", rules, period_stamp(day), 1.0)


def _year_figures() -> Iterator[Indicator]:
    for day in range(FIRST_DAY, TODAY):
        elapsed = float(day - FIRST_DAY + 1)
        yield Indicator("pm25_mean", "ytd", "sc", RULES[0], period_stamp(day), 45 - elapsed / 100, valid=elapsed, expected=elapsed)
    for scope in ("sc", "sc-a01", SILENT):
        stamp = period_stamp(TODAY - 1)
        yield Indicator("valid_days", "ytd", scope, RULES[0], stamp, 280.0, expected=287.0)
        yield Indicator("data_capture", "ytd", scope, RULES[0], stamp, 97.6)


def _ledgers() -> Iterator[Indicator]:
    six = ("pm25", "pm10", "so2", "no2", "co", "o3")
    gap = {"items": list(six), "from": 7, "to": 24, "hours": 18, "reason": "silent", "detail": "2025-10-13T06:00:00+08:00"}
    flag = {"items": ["co"], "from": 3, "to": 3, "hours": 1, "reason": "flag", "detail": "M"}
    dawn = {**gap, "from": 1, "to": 9, "hours": 9, "detail": "2025-10-14T04:00:00+08:00"}
    for back, lost, status, chance in ((3, [], "valid", None), (2, [flag, gap], "invalid", "late"), (0, [dawn], "open", "late")):
        body = {"hours": dict.fromkeys(six, 24 - 18 * bool(lost)), "lost": lost, "chances": dict.fromkeys(six, chance) if chance else {}}
        stamp = period_stamp(TODAY - back)
        yield Indicator("lost_hours", "day", SILENT, "none", stamp, 19.0 * bool(lost), valid=5.0, expected=24.0, status=status, text=json.dumps(body))
    days = {"items": list(six), "from": "2025-10-13", "to": "2025-10-13", "days": 1, "reason": "silent"}
    body = {"items": {item: {"valid": 280, "needed": 324, "to_come": 78} for item in six}, "lost": [days], "chances": dict.fromkeys(six, "late"), "more": 2}
    for period, date in (("month", "2025-10-31"), ("year", "2025-12-31")):
        yield Indicator(
            "lost_days", period, SILENT, "none", period_stamp(parse_date(date)), 7.0, valid=280.0, expected=365.0, status="open", text=json.dumps(body)
        )


def _beside() -> Iterator[Indicator]:
    yesterday, month = period_stamp(TODAY - 1), period_stamp(parse_date("2025-09-30"))
    yield Indicator("pm25_mean_yoy", "ytd", "sc", RULES[0], yesterday, -3.3, valid=280.0, target=45.4, margin=-7.3)
    yield Indicator("heavy_days_yoy", "ytd", "sc", RULES[0], yesterday, 2.0, valid=280.0, target=4.0, margin=50.0, status="last-incomplete")
    text = json.dumps({"ours": 38.4, "document": "月报9"})
    yield Indicator("pm25_mean_official", "month", "sc", RULES[0], month, 0.3, "official", target=38.1, margin=0.8, status="review", text=text)
    yield Indicator("pm25_mean_rank", "month", "sc", RULES[0], month, 5.0, "official", valid=8.0, expected=8.0)
    for cap, limit, value, status in ((100, 75.0, None, "lost"), (200, 150.0, 111.0, "open")):
        text = json.dumps({"hours_left": 14})
        yield Indicator(
            f"pm25_allowance_{cap}", "day", "sc", RULES[0], period_stamp(TODAY), value, valid=10.0, expected=24.0, target=limit, status=status, text=text
        )


def _attainments() -> Iterator[Indicator]:
    def row(name: str, value: float, target: float, margin: float, status: str, rules: str = RULES[0], **more: object) -> Indicator:
        text = json.dumps({"remaining_budget": None, "required_rest": None, "rounding": False, "note_zh": "", "note_en": "", **more})
        return Indicator(name, "ytd", "sc", rules, period_stamp(TODAY - 1), value, target=target, margin=margin, status=status, text=text, valid=280.0)

    more = {"value": 42.5, "margin": -0.477, "remaining_budget": None, "required_rest": 40.1, "status": "at-risk"}
    yield row("air.pm25.annual_mean", 42.1, 42.0, -0.1, "at-risk", required_rest=41.6, rounding=True, burn_rate=1.002, one_more=more)
    yield row("air.aqi.good_day_ratio", 68.2, 65.3, 2.9, "on-course", remaining_budget=37, required_rest=55.0, burn_rate=0.916)
    yield row("air.aqi.good_day_ratio", 61.4, 65.3, -3.9, "at-risk", RULES[1], remaining_budget=12)
    yield row("air.aqi.heavy_days", 6.0, 5.0, -1.0, "missed", remaining_budget=-1, burn_rate=1.564)


def _restatements() -> list[Restatement]:
    made = NOW - 3 * HOUR_S
    names = (("pm25", "sc-a01", 42.0, 45.0, "", ""), ("aqi", "sc-a01", 97.0, 103.0, "2", "3"))
    early = [
        Restatement(figure, "day", scope, RULES[0], "raw", period_stamp(TODAY - 20), 2, old, new, a, b, made, "late: sc-a01 pm25 2025-09-25T10:00")
        for figure, scope, old, new, a, b in names
    ]
    same = [
        Restatement(
            "pm25", "day", "sc", RULES[0], "raw", period_stamp(FIRST_DAY + day), 2, 40.0, 41.0, "", "", made - DAY_S, "correction: sc-a02 pm25 2025-01-01T10:00"
        )
        for day in range(25)
    ]
    return [*early, *same]


def seed_state(data: Path) -> None:
    """The forwarder's memory: newest readings, refusals and totals."""
    state = State(data)
    batch = Batch("mqtt", 0, 0)
    for latest in _latest():
        batch.latest[latest.source, latest.span] = latest
    for number in range(LETTERS):
        reason, item = ("unknown-source", None) if number % 3 else ("value-out-of-range", "pm25")
        batch.refused.append(
            Refused(
                "deadletter",
                reason,
                "<b>ghost</b> is not registered",
                item,
                "d-ghost",
                "ghost",
                0,
                number,
                "mqtt",
                number,
                0,
                (NOW - 60 * number) * NS,
                "t",
                b"x" * 16,
            ),
        )
        batch.count("deadletter", reason)
    batch.count("decoded_more", by=LETTERS)
    state.commit(batch, "1")
    state.intend("mqtt", 9, list(_versions()))
    state.commit(Batch("mqtt", 7, 0), "1")
    state.close()


def _versions() -> Iterator[Version]:
    """An hour that was said three times, corrected last; another that was withdrawn; and one of a batch that never finished."""
    hour = NOW // HOUR_S * HOUR_S - 5 * HOUR_S

    def word(time: int, rev: int, value: float | None, flag: str, record: tuple[str, int]) -> Version:
        received = NOW * NS - (10 - record[1]) * NS if record[0] else 0
        return Version(Key("air", "sc-a01", HOUR_S, time), "pm25", rev, value, flag, False, received, "d-a01" if record[0] else "", *record)

    yield from (word(hour, 1, 35.0, "N", ("", 0)), word(hour, 2, 95.0, "N", ("mqtt", 3)), word(hour, 3, 36.0, "N", ("mqtt", 4)))
    yield from (word(hour + HOUR_S, 1, 40.0, "N", ("", 0)), word(hour + HOUR_S, 4, None, "W", ("mqtt", 6)))
    yield word(hour + 2 * HOUR_S, 9, 1.0, "N", ("mqtt", 9))


def _latest() -> Iterator[Newest]:
    air = {"pm25": 23.0, "pm10": 61.0, "so2": 7.0, "no2": 22.0, "co": 0.5, "o3": None}
    water = {"ph": 8.1, "do": 7.9, "codmn": 4.4, "nh3n": 0.21, "tp": 0.068, "tn": 3.9}
    hour = NOW // HOUR_S * HOUR_S
    for number in range(1, 7):
        name = f"sc-a0{number}"
        yield Newest(name, HOUR_S, "air", hour - (30 * HOUR_S if name == SILENT else 0), 1, NOW * NS, f"d-{name}", air, {"co": "M", "o3": "W"})
    for number in range(1, 6):
        name = f"sc-w0{number}"
        yield Newest(name, 14_400, "water", NOW // 14_400 * 14_400 - (4 * HOUR_S if name == LATE else 0), 1, NOW * NS, f"d-{name}", water, {})
    for number in range(1, 31):
        name = f"m-{number:04d}"
        yield Newest(name, 0, "meter", hour - (9 * DAY_S if name in SILENT_METERS else 0), 1, NOW * NS, "d", {"register": 385_053.19}, {})

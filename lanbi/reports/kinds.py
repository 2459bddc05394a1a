"""The reports, one function each: which parts a reader of it needs, in the order in which they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from api.freshness import STATES, survey
from api.schemas_targets import TargetAnswer
from api.shaping import printed
from api.sources import Sources
from domain import marks
from domain.air import HEAVY_MIN
from domain.alarms import ALARMS
from domain.civil import HOUR_S, date_of, day_end, day_of, iso, month_of_day, period_stamp, year_of_day
from domain.codes import EVENTS, PERIODS, REPORTS, both, medium_words, state_words
from domain.errors import InputError
from domain.indicators import Query
from domain.items import BY_REALM, ITEMS
from domain.places import Meter
from domain.readings import Reading
from domain.statements import LEVELS, ORDERS
from domain.targets import KINDS as TARGET_KINDS
from domain.targets import STATUSES
from domain.water import CLASSES
from lanbi.reports import gather, happened
from lanbi.reports.gather import Gathered
from lanbi.reports.method import AIR, METERS, WATER, method
from lanbi.reports.page import Cell, Chart, Column, Page, Part, Series, Table, Words
from lanbi.reports.writing import FORMATS

MEANS: Final = ("pm25_mean", "pm10_mean", "so2_mean", "no2_mean", "co_p95", "o3_p90", "good_days", "good_ratio", "heavy_days", "valid_days", "composite")
PLAN: Final = (
    "条款 clause", "目标 target", "性质 kind", "牵头部门 departments", "目标值 goal", "文件 document", "本平台 ours", "公布或填报 official or reported",
    "依据 its document", "状态 state", "年底预计 projected", "说明 note",
)  # fmt: skip
MOST: Final = 100_000
WEEK: Final = 7


def day(sources: Sources, asked: marks.Period, _about: str) -> Page:
    """One page to paste: yesterday or any day."""
    return _brief(sources, asked, both(REPORTS["day"]))


def week(sources: Sources, asked: marks.Period, _about: str) -> Page:
    """One page to paste: seven days up to the one named."""
    return _brief(sources, asked._replace(first=asked.last - WEEK + 1), both(REPORTS["week"]))


def _brief(sources: Sources, asked: marks.Period, title: str) -> Page:
    found = Gathered(sources)
    table, _ = gather.days(found, found.county, asked.first, asked.last, "区县 county")
    parts: list[Part] = [
        Words("空气 air", list(_day_lines(table))),
        Words("目标 targets", list(_target_lines(found, asked.last))),
        Words("数据 data", list(_data_lines(found, asked))),
    ]
    return _page(found, title, asked, parts)


def _day_lines(table: Table) -> Iterator[str]:
    for date, pm25, *rest, aqi, level, primary in table.rows:
        ozone = rest[-1]
        if aqi is None:
            yield f"{date} 无 AQI（数据不足）no AQI"
            continue
        said = f"，首要污染物 {primary}" if primary else ""
        yield f"{date} AQI {_text(aqi)} {level}{said}；PM2.5 {_text(pm25)} µg/m³，O3-8h {_text(ozone)} µg/m³"


def _text(value: str | float | None) -> str:
    return printed(value, 0) or "–" if not isinstance(value, str) else value


def _target_lines(found: Gathered, last: int) -> Iterator[str]:
    for row in gather.targets(found, year_of_day(last)):
        if row.value_text and row.target_text:
            rest = (
                f"，余下须 {row.required_rest_text}"
                if row.required_rest_text
                else f"，剩余额度 {printed(row.remaining_budget, 0)}"
                if row.remaining_budget is not None
                else ""
            )
            yield f"{row.name_zh}：{row.value_text} {gather.unit(row.unit)}（目标 {gather.sign(row)} {row.target_text}），{STATUSES[row.status][0]}{rest}（截至 {(row.time or '')[:10] or row.year}）"


def _data_lines(found: Gathered, asked: marks.Period) -> Iterator[str]:
    now = found.sources.now()
    mute = [one for one in survey(found.sources, now) if one.state in {"silent", "never"} and not one.trial]
    shown = "、".join(f"{found.name(one.source)}（{STATES[one.state][0]}）" for one in mute[:9])
    yield f"无数据 silent：{shown or '无 none'}{f' 等 {len(mute)} 个' if len(mute) > 9 else ''}"
    span = day_end(asked.first - 1), day_end(asked.last)
    alarms = [row for row in found.sources.figures.event_rows(*span, MOST) if row.kind in ALARMS and not happened.gone(row)]
    for row in alarms[:9]:
        yield f"告警 alarm：{iso(row.time)[:16]} {found.name(row.source)} {ALARMS[row.kind].zh}"
    yield f"告警合计 alarms: {len(alarms)}"
    yield f"期内数值更正 restatements: {len(gather.restated(found, asked.first, asked.last).rows)}"


def month(sources: Sources, asked: marks.Period, _about: str) -> Page:
    """The month for leaders and files."""
    return _period(sources, asked, both(REPORTS["month"]))


def year(sources: Sources, asked: marks.Period, _about: str) -> Page:
    """The year."""
    return _period(sources, asked, both(REPORTS["year"]))


def _period(sources: Sources, asked: marks.Period, title: str) -> Page:
    found = Gathered(sources)
    last = max(asked.first, min(asked.last, day_of(sources.now()) - 1))
    table, chart = gather.days(found, found.county, asked.first, last, "逐日 days")
    months = dict.fromkeys(month_of_day(one) for one in range(asked.first, asked.last + 1))
    parts: list[Part] = [
        gather.figures(found, found.county, asked.kind, asked.last, "全区指标 county figures"),
        gather.stations(found, asked.kind, asked.last, MEANS, "各站点 stations"),
        chart,
        *_course(found, asked.first, last),
        gather.target_table((row for row in gather.targets(found, year_of_day(asked.last)) if row.value_text), "规划目标 targets of the plan"),
        table,
        Words("确认 confirmation", list(gather.confirmed_line(found, months))),
        gather.restated(found, asked.first, asked.last),
        method(AIR, WATER),
    ]
    return _page(found, title, asked, parts)


def _course(found: Gathered, first: int, last: int) -> Iterator[Part]:
    """PM2.5 so far, day by day, against the plan's goal."""
    goal = next((row for row in gather.targets(found, year_of_day(last)) if row.figure == "pm25_mean"), None)
    rules = goal.rule_set if goal and goal.rule_set else None
    rows = found.rows(Query("pm25_mean", found.county, "ytd", rules, start=day_end(first - 1) - 1, end=day_end(last), limit=MOST))
    by_day = {day_of(row.time + 1): row.value for row in rows}
    lines = [(f"目标 {gather.sign(goal)} {goal.target_text}", goal.target)] if goal and goal.target is not None else []
    if by_day:
        span = range(first, last + 1)
        yield Chart(
            "PM2.5 今年累计均值 mean so far", "µg/m³", [f"{date_of(one):%m-%d}" for one in span], [Series("PM2.5", [by_day.get(one) for one in span])], lines
        )


def plan(sources: Sources, asked: marks.Period, _about: str) -> Page:
    """The sheet of the plan's targets: clause, departments, our and the official value, document, state, projection."""
    found = Gathered(sources)
    rows = [_plan_row(row) for row in gather.targets(found, year_of_day(asked.last))]
    return _page(found, both(REPORTS["plan"]), asked, [Table("目标 targets", tuple(map(Column, PLAN)), rows), method(AIR, WATER)])


def _plan_row(row: TargetAnswer) -> list[Cell]:
    goal = f"{gather.sign(row)} {row.target_text} {gather.unit(row.unit)}" if row.target_text else "目标值待下达"
    ours = f"{row.value_text} {gather.unit(row.unit)}（{(row.time or '')[:10]}）" if row.value_text and row.value_source == "measured" else ""
    known = f"{printed(row.median, 1)}（90 %：{printed(row.low90, 1)} – {printed(row.high90, 1)}）未达概率 {printed(row.p_miss, 2)}"
    ahead = "" if row.median is None else known
    state = STATUSES[row.status][0]
    return [
        row.clause,
        row.name_zh,
        both(TARGET_KINDS[row.kind]),
        "、".join(row.departments),
        goal,
        row.document,
        ours,
        *_theirs(row),
        state,
        ahead,
        row.note_zh,
    ]


def _theirs(row: TargetAnswer) -> tuple[str, str]:
    """The official value, else the reported one, and its document."""
    if row.official:
        return printed(row.official.value, 1), row.official.document
    if row.reported:
        newest = row.reported[0]
        return f"{printed(newest.value, 1)}（{newest.period} 填报 reported）", newest.document
    return "", ""


def station(sources: Sources, asked: marks.Period, about: str) -> Page:
    """One air station over a month or year."""
    found = Gathered(sources)
    _registered(about, {**sources.registry().air_stations, **sources.registry().cities}, "air station or city")
    table, chart = gather.days(found, about, asked.first, asked.last, "逐日 days")
    losses = _losses(found, about, asked)
    parts: list[Part] = [
        gather.figures(found, about, asked.kind, asked.last, "指标 figures"),
        chart,
        table,
        losses,
        gather.restated(found, asked.first, asked.last, frozenset({about})),
        method(AIR),
    ]
    return _page(found, f"{both(REPORTS['station'])} {found.name(about)}", asked, parts)


def _losses(found: Gathered, scope: str, asked: marks.Period) -> Table:
    rows = found.rows(Query("lost_hours", scope, "day", basis="raw", start=period_stamp(asked.first) - 1, end=period_stamp(asked.last), limit=MOST))
    table: list[list[Cell]] = [[date_of(day_of(row.time + 1)).isoformat(), row.value, both(state_words(row.figure, row.status))] for row in rows if row.value]
    return Table("缺失小时 lost hours", (Column("日期 date"), Column("小时 hours"), Column("状态 state")), table)


def section(sources: Sources, asked: marks.Period, about: str) -> Page:
    """One water section over a month or year: records with their class."""
    found = Gathered(sources)
    _registered(about, sources.registry().water_sections, "water section")
    start, end = day_end(asked.first - 1), day_end(asked.last)
    classes = {row.time: row.value for row in found.rows(Query("water_class", about, "hour", basis="raw", start=start, end=end, limit=MOST))}
    records = sorted(sources.readings.rows("water", [about], start, end), key=lambda row: (row.time, row.span))
    items = [name for name in BY_REALM["water"] if any(row.values.get(name) is not None for row in records)]
    columns = (
        Column("时间 time"),
        *(Column(f"{ITEMS['water', name].zh} [{ITEMS['water', name].unit}]", ITEMS["water", name].digits) for name in items),
        Column("类别 class"),
    )
    rows: list[list[Cell]] = [[iso(row.time), *(row.values.get(name) for name in items), _class(classes.get(row.time))] for row in records]
    parts: list[Part] = [gather.figures(found, about, asked.kind, asked.last, "指标 figures"), *_levels(records, classes, items)]
    parts += [Table("记录 records", columns, rows), gather.restated(found, asked.first, asked.last, frozenset({about})), method(WATER)]
    return _page(found, f"{both(REPORTS['section'])} {found.name(about)}", asked, parts)


def _class(value: float | None) -> str:
    return "" if value is None else CLASSES[int(value) - 1]


def _levels(records: list[Reading], classes: Mapping[int, float | None], items: list[str]) -> Iterator[Part]:
    labels = [iso(row.time)[5:16].replace("T", " ") for row in records]
    if records:
        yield Chart("水质类别 class", "", labels, [Series("class", [classes.get(row.time) for row in records])], [("Ⅲ", 3.0)])
    for name in ("nh3n", "tp", "codmn"):
        if name in items:
            one = ITEMS["water", name]
            yield Chart(one.zh, one.unit, labels, [Series(name, [row.values.get(name) for row in records])])


def enterprise(sources: Sources, asked: marks.Period, about: str) -> Page:
    """One enterprise over a month or year: its sums, its meters, what happened."""
    found, registry = Gathered(sources), sources.registry()
    _registered(about, registry.enterprises, "enterprise")
    own = [meter for meter in registry.meters.values() if meter.enterprise == about]
    parts: list[Part] = [gather.figures(found, about, asked.kind, asked.last, "企业合计 enterprise")]
    parts += [gather.figures(found, meter.id, asked.kind, asked.last, _meter(meter)) for meter in own]
    names = {about, *(meter.id for meter in own)}
    events = [row for row in sources.figures.event_rows(day_end(asked.first - 1), day_end(asked.last), MOST) if row.source in names]
    table: list[list[Cell]] = [[iso(row.time), row.source, _event(row.kind), happened.words(row)] for row in events]
    parts += [Table("事件 events", tuple(map(Column, ("时间 time", "对象 source", "类型 kind", "说明 text"))), table)]
    parts += [gather.restated(found, asked.first, asked.last, frozenset(names)), method(METERS)]
    return _page(found, f"{both(REPORTS['enterprise'])} {found.name(about)}", asked, parts)


def _meter(meter: Meter) -> str:
    """A meter with what it counts, in words."""
    return f"计量表 meter {meter.id}（{both(medium_words(meter.medium))}，{gather.unit(meter.unit)}）"


def _event(kind: str) -> str:
    """Words of what happened to a meter or an enterprise."""
    known = ALARMS.get(kind)
    return both((known.zh, known.en) if known else EVENTS.get(kind, (kind, kind)))


def episode(sources: Sources, asked: marks.Period, _about: str) -> Page:
    """A heavy-pollution episode: course, warning levels that what happened met, orders, stations."""
    found = Gathered(sources)
    table, chart = gather.days(found, found.county, asked.first, asked.last, "逐日 days")
    start, end = day_end(asked.first - 1), day_end(asked.last)
    warnings = found.rows(Query("warning", found.county, None, basis="raw", start=start, end=end, limit=MOST))
    met: list[list[Cell]] = [[iso(row.time), both(PERIODS[row.period]), row.value, row.rule_set, row.text[:120]] for row in warnings if row.value]
    orders = [
        [str(one.body.get(name, "")) for name in ("level", "from", "to", "document")] for one in sources.entries.entered(ORDERS) if _touches(one.body, asked)
    ]
    said = [[LEVELS[level][0] if level in LEVELS else level, *rest] for level, *rest in orders]
    parts: list[Part] = [
        table, chart, _hours(found, start, end),
        Table("达到的预警条件（已发生部分）warning levels met", tuple(map(Column, ("时间 time", "期间 period", "级别 level", "依据 rule", "说明 text"))), met),
        Table("指令 orders", tuple(map(Column, ("级别 level", "起 from", "止 to", "文件 document"))), said),
        gather.restated(found, asked.first, asked.last), method(AIR),
    ]  # fmt: skip
    return _page(found, both(REPORTS["episode"]), asked, parts)


def _hours(found: Gathered, start: int, end: int) -> Chart:
    """Hours of the assessed stations side by side, each at its own time."""
    times, lines = range(start + HOUR_S, end + 1, HOUR_S), []
    for name in found.sources.registry().assessment(day_of(end)):
        rows = {row.time: row.value for row in found.rows(Query("aqi", name, "hour", basis="raw", start=start, end=end, limit=MOST))}
        lines.append(Series(found.name(name), [rows.get(time) for time in times]))
    return Chart(
        "评价点小时 AQI hourly AQI of assessed stations",
        "",
        [iso(time)[5:13].replace("T", " ") for time in times],
        lines,
        [(f"{HEAVY_MIN - 1}", HEAVY_MIN - 1.0)],
    )


def _touches(body: Mapping[str, object], asked: marks.Period) -> bool:
    first, last = (str(body.get(name) or "")[:10] for name in ("from", "to"))
    return first <= date_of(asked.last).isoformat() and (not last or last >= date_of(asked.first).isoformat())


def _registered(name: str, places: Mapping[str, object], what: str) -> None:
    if name not in places:
        raise InputError(f"no such {what}: {name[:80]!r}", "ID", "write a registered id")


def _page(found: Gathered, title: str, asked: marks.Period, parts: Sequence[Part]) -> Page:
    registry = found.sources.registry()
    first, last = date_of(asked.first), date_of(asked.last)
    running = "" if last + timedelta(1) <= date_of(day_of(found.sources.now())) else "，期间未结束 the period still runs"
    about = [f"{registry.county.name} {registry.county.id}", f"{first} – {last}{running}", f"登记册 registry {registry.version}"]
    return Page(title, about, found.made, parts)


KINDS: Final[Mapping[str, Callable[[Sources, marks.Period, str], Page]]] = MappingProxyType(
    {
        "day": day,
        "week": week,
        "month": month,
        "year": year,
        "plan": plan,
        "episode": episode,
        "section": section,
        "enterprise": enterprise,
        "station": station,
    },
)


def written(sources: Sources, kind: str, asked: marks.Period, about: str, form: str) -> bytes:
    """Bytes of a report."""
    return b"".join(FORMATS[form](KINDS[kind](sources, asked, about)))

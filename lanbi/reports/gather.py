"""Stored rows become tables. Nothing is computed: what stands beside a figure was stored beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from api.attainments import all_targets
from api.schemas_targets import TargetAnswer
from api.shaping import in_force, printed
from api.sources import Sources
from domain.air import LEVELS
from domain.civil import date_of, day_of, iso, period_stamp
from domain.codes import BASES, both, state_words
from domain.indicators import FIGURES, Indicator, Query
from domain.items import DAILY, ITEMS
from domain.restating import CAUSES as RESTATED
from domain.restating import CONFIRMATION, Confirmations, causes_of, confirmations, period_text, with_names
from domain.targets import SIGNS, STATUSES, UNITS
from lanbi.reports.page import Cell, Chart, Column, Series, Table

FIGURE_COLUMNS: Final = tuple(
    map(
        Column,
        ("指标 figure", "数值 value", "单位 unit", "有效/应有 valid", "同比 on last year", "公布值 official", "规则集 rule set", "口径 basis", "状态 state"),
    )
)
MOST: Final = 100_000
NO_RULES: Final = "none"
REGISTERED: Final = "registered unit"
ROLES: Final = {"assessment": "评价点", "township": "乡镇站", "micro": "微站", "site": "工地", "background": "对照点"}
FIGURE_UNITS: Final = {"day": "天 day", "class": "类 class", "level": "级 level"}
SOURCES: Final = {"measured": "实测", "official": "公布", "reported": "填报"}


@dataclass
class Gathered:
    """The sources, and the newest moment at which something shown was computed."""

    sources: Sources
    made: int = 0
    _confirmed: Confirmations | None = field(default=None, repr=False)

    @property
    def county(self) -> str:
        """Its id."""
        return self.sources.registry().county.id

    @property
    def confirmed(self) -> Confirmations:
        """Which months the bureau confirmed."""
        if self._confirmed is None:
            self._confirmed = confirmations(self.sources.entries.entered(CONFIRMATION))
        return self._confirmed

    def rows(self, query: Query) -> list[Indicator]:
        """Stored figures; the newest of them dates the report."""
        found = self.sources.figures.series(query)
        self.made = max([self.made, *(int(row.computed) for row in found if row.computed)])
        return found

    def name(self, scope: str) -> str:
        """The name a person knows, with the id."""
        registry = self.sources.registry()
        name = registry.name_of(scope)
        return scope if name == scope else f"{name} {scope}"


def figures(found: Gathered, scope: str, period: str, day: int, title: str) -> Table:
    """Every figure of a scope for one period, each with what stands beside it."""
    stamp = period_stamp(day)
    rows = found.rows(Query(None, scope, period, basis=None, start=stamp - 1, end=stamp, limit=MOST))
    beside = {(row.figure, row.rule_set, row.basis): row for row in rows}
    order, bases = ({name: number for number, name in enumerate(names)} for names in (FIGURES, BASES))
    plain = sorted((row for row in rows if row.figure in FIGURES), key=lambda row: (order[row.figure], row.rule_set, bases[row.basis]))
    return Table(title, FIGURE_COLUMNS, [_figure(found, row, beside) for row in plain if "_allowance_" not in row.figure])


def _figure(found: Gathered, row: Indicator, beside: dict[tuple[str, str, str], Indicator]) -> list[str | float | None]:
    known = FIGURES[row.figure]
    last = beside.get((f"{row.figure}_yoy", row.rule_set, row.basis))
    official = beside.get((f"{row.figure}_official", row.rule_set, "official"))
    change = (
        f"{printed(last.target, known.digits)}（{'+' if (last.value or 0) > 0 else ''}{printed(last.value, known.digits)}）"
        if last and last.value is not None
        else ""
    )
    counts = f"{printed(row.valid, 0)}/{printed(row.expected, 0)}" if row.valid is not None and row.expected is not None else printed(row.valid, 0)
    state = "已确认 confirmed" if found.confirmed.covers(row.period, row.time) else "暂定 provisional"
    version = f", 第 {int(row.version)} 版" if row.version > 1 else ""
    words = both(state_words(row.figure, row.status))
    more = f"，{words}" if words else ""
    return [
        known.zh, printed(row.value, known.digits), _unit(found, row), counts, change, printed(official.target, known.digits) if official else "", _rules(row.rule_set), both(BASES[row.basis]),
        f"{state}{version}{more}",
    ]  # fmt: skip


def _rules(name: str) -> str:
    """A rule set by its name; what is judged by none has none."""
    return "" if name == NO_RULES else name


def _unit(found: Gathered, row: Indicator) -> str:
    """A figure's unit; of what a meter counted, the meter's own."""
    meter, own = found.sources.registry().meters.get(row.scope), FIGURES[row.figure].unit
    return unit(meter.unit) if meter and own == REGISTERED else FIGURE_UNITS.get(own, own)


def days(found: Gathered, scope: str, first: int, last: int, title: str) -> tuple[Table, Chart]:
    """Days of a place: daily values, AQI and class, and their picture."""
    query = Query(None, scope, "day", start=period_stamp(first) - 1, end=period_stamp(last), limit=MOST)
    by_day: dict[int, dict[str, Indicator]] = {}
    for name in (*DAILY, "aqi"):
        for row in found.rows(replace(query, figure=name)):
            if row.rule_set in {in_force(_day(row)), "none"}:
                by_day.setdefault(_day(row), {})[row.figure] = row
    columns = (
        Column("日期 date"),
        *(Column(f"{FIGURES[name].zh} [{FIGURES[name].unit}]", FIGURES[name].digits) for name in DAILY),
        Column("AQI"),
        Column("类别 class"),
        Column("首要污染物 primary"),
    )
    table = [_day_row(day, by_day.get(day, {})) for day in range(first, last + 1)]
    labels = [f"{date_of(day):%m-%d}" for day in range(first, last + 1)]
    indexes = [by_day.get(day, {}).get("aqi") for day in range(first, last + 1)]
    bars = Series("AQI", [row.value if row else None for row in indexes], [_colour(row) for row in indexes])
    bounds = [("100", 100.0), ("200", 200.0)]
    return Table(title, columns, table), Chart(f"{title}：AQI", "", labels, [bars], bounds)


def _colour(row: Indicator | None) -> str:
    """Colour of the class, as HJ 633 prints it."""
    return LEVELS[int(row.status) - 1].colour if row and row.status.isdigit() else "#999999"


def _day(row: Indicator) -> int:
    return day_of(row.time + 1)


def _day_row(day: int, rows: dict[str, Indicator]) -> list[str | float | None]:
    aqi = rows.get("aqi")
    level = LEVELS[int(aqi.status) - 1].zh if aqi and aqi.status.isdigit() else ""
    values: list[str | float | None] = [rows[name].value if name in rows else None for name in DAILY]
    return [date_of(day).isoformat(), *values, aqi.value if aqi else None, level, _primary(aqi)]


def _primary(row: Indicator | None) -> str:
    """Primary pollutants as people write them."""
    items = (ITEMS.get(("air", name)) for name in (row.text if row else "").split("+"))
    return "、".join(item.en.partition(" ")[0] for item in items if item)


def stations(found: Gathered, period: str, day: int, names: Sequence[str], title: str) -> Table:
    """One row a station: the named figures of one period."""
    stamp, rules = period_stamp(day), in_force(day)
    table: list[list[Cell]] = []
    for station in found.sources.registry().air_stations.values():
        rows = {
            row.figure: row
            for row in found.rows(Query(None, station.id, period, basis="raw", start=stamp - 1, end=stamp, limit=MOST))
            if row.rule_set in {rules, "none"}
        }
        table.append([found.name(station.id), ROLES.get(station.role.on(day) or "", ""), *(rows[name].value if name in rows else None for name in names)])
    units = {name: FIGURE_UNITS.get(FIGURES[name].unit, FIGURES[name].unit) for name in names}
    heads = (Column(f"{FIGURES[name].zh} [{unit}]" if unit else FIGURES[name].zh, FIGURES[name].digits) for name, unit in units.items())
    return Table(title, (Column("站点 station"), Column("角色 role"), *heads), table)


def targets(found: Gathered, year: int) -> list[TargetAnswer]:
    """The plan's targets as the API tells them."""
    return all_targets(found.sources, year, None)


def target_table(rows: Iterable[TargetAnswer], title: str) -> Table:
    """Targets with value, state and what the rest must keep, for those that have a value or are judged."""
    columns = tuple(
        map(
            Column,
            (
                "条款 clause",
                "目标 target",
                "目标值 goal",
                "现值 now",
                "来源 source",
                "状态 state",
                "余量 margin",
                "余下须 rest",
                "未达概率 p(miss)",
                "截至 as of",
            ),
        )
    )
    table = [
        [
            row.clause, row.name_zh, _goal(row), f"{row.value_text} {unit(row.unit)}".strip() if row.value_text else "", SOURCES.get(row.value_source or "", ""), STATUSES[row.status][0],
            row.margin_text, row.required_rest_text, "" if row.p_miss is None else f"{row.p_miss:.2f}", (row.time or "")[:10],
        ]
        for row in rows
    ]  # fmt: skip
    return Table(title, columns, table)


def _goal(row: TargetAnswer) -> str:
    return f"{sign(row)} {row.target_text} {unit(row.unit)}".strip() if row.target_text else "目标值待下达 not set"


def sign(row: TargetAnswer) -> str:
    """How a target compares, as it is printed."""
    return SIGNS.get(row.op, "")


def unit(name: str) -> str:
    """The unit of a target or a meter, as it is printed."""
    return UNITS[name][0] if name in UNITS else name


def restated(found: Gathered, first: int, last: int, scopes: frozenset[str] | None = None) -> Table:
    """Closed figures of these days that changed since, newest change first."""
    start, end = period_stamp(first), period_stamp(last)
    rows = [
        row for row in found.sources.figures.restatements(start, found.sources.now(), MOST)
        if start <= row.time <= end and (scopes is None or row.scope in scopes)
    ]  # fmt: skip
    found.made = max([found.made, *(row.made for row in rows)])
    columns = tuple(
        map(Column, ("更正于 made", "指标 figure", "对象 scope", "期间 period", "原值 old", "新值 new", "规则集 rule set", "原因 cause", "已确认 confirmed"))
    )
    table = [
        [
            iso(row.made), _zh(row.figure), found.name(row.scope), period_text(row.period, row.time), _short(row.old), _short(row.new), "，".join(filter(None, (_rules(row.rule_set), both(BASES[row.basis])))),
            f"{'、'.join(RESTATED[code][0] for code in causes_of(row.cause))} {with_names(row.cause, found.sources.registry().name_of)}".strip(), "是 yes" if found.confirmed.covers(row.period, row.time, row.made) else "",
        ]
        for row in rows
    ]  # fmt: skip
    return Table("更正记录 restatements", columns, table, "期内数值未被更正 no figure of the period was restated")


def _zh(name: str) -> str:
    return FIGURES[name].zh if name in FIGURES else name


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.10g}"


def confirmed_line(found: Gathered, months: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Who confirmed which month by which document."""
    for year, month in months:
        step = found.confirmed.standing((year, month))
        words = f"已确认 confirmed：{step.person}，{step.document}，{iso(step.time)}" if step else "未确认，数值为暂定 not confirmed: figures are provisional"
        yield f"{year}-{month:02d} {words}"

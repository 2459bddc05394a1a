"""Figures: the closed list of what analytics stores and everything else shows.

A figure is computed once, stored with the rule set that made it, and read by API, board, reports and Grafana alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import repeat, starmap
from types import MappingProxyType
from typing import Any, Final, NamedTuple

PERIODS: Final = ("hour", "day", "month", "quarter", "year", "ytd")
BASES: Final = ("raw", "reviewed", "dust-excluded", "published", "official")

AT_ONCE: Final = frozenset({("water_class", "hour")})
"""Figures and periods that are closed as soon as they are there: a water record is published with its class."""


class Figure(NamedTuple):
    """Unit, displayed digits and words of a figure."""

    unit: str
    digits: int
    zh: str
    en: str


FIGURES: Final = MappingProxyType(
    {
        "aqi": Figure("", 0, "空气质量指数", "AQI"),
        "pm25": Figure("µg/m³", 0, "细颗粒物 PM2.5", "PM2.5"),
        "pm10": Figure("µg/m³", 0, "可吸入颗粒物 PM10", "PM10"),
        "so2": Figure("µg/m³", 0, "二氧化硫 SO2", "SO2"),
        "no2": Figure("µg/m³", 0, "二氧化氮 NO2", "NO2"),
        "co": Figure("mg/m³", 1, "一氧化碳 CO", "CO"),
        "o3": Figure("µg/m³", 0, "臭氧 O3", "O3"),
        "o3_8h": Figure("µg/m³", 0, "臭氧日最大8小时 O3", "O3 daily max 8 h"),
        "pm25_24h": Figure("µg/m³", 0, "PM2.5 24小时滑动均值", "PM2.5 rolling 24 h"),
        "warning": Figure("level", 0, "重污染天气预警条件（已发生部分）", "heavy-pollution warning level that what has happened meets"),
        "pm25_mean": Figure("µg/m³", 1, "PM2.5 均值", "PM2.5 mean"),
        "pm10_mean": Figure("µg/m³", 1, "PM10 均值", "PM10 mean"),
        "so2_mean": Figure("µg/m³", 1, "SO2 均值", "SO2 mean"),
        "no2_mean": Figure("µg/m³", 1, "NO2 均值", "NO2 mean"),
        "co_p95": Figure("mg/m³", 2, "CO 第95百分位数", "CO 95th percentile"),
        "o3_p90": Figure("µg/m³", 1, "O3 日最大8小时第90百分位数", "O3 daily max 8 h, 90th percentile"),
        "pm25_p95": Figure("µg/m³", 1, "PM2.5 第95百分位数", "PM2.5 95th percentile"),
        "pm10_p95": Figure("µg/m³", 1, "PM10 第95百分位数", "PM10 95th percentile"),
        "so2_p98": Figure("µg/m³", 1, "SO2 第98百分位数", "SO2 98th percentile"),
        "no2_p98": Figure("µg/m³", 1, "NO2 第98百分位数", "NO2 98th percentile"),
        "pm25_rate": Figure("%", 1, "PM2.5 达标率", "PM2.5 compliance rate"),
        "pm10_rate": Figure("%", 1, "PM10 达标率", "PM10 compliance rate"),
        "so2_rate": Figure("%", 1, "SO2 达标率", "SO2 compliance rate"),
        "no2_rate": Figure("%", 1, "NO2 达标率", "NO2 compliance rate"),
        "co_rate": Figure("%", 1, "CO 达标率", "CO compliance rate"),
        "o3_rate": Figure("%", 1, "O3 达标率", "O3 compliance rate"),
        "standard": Figure("", 2, "年评价超标倍数", "annual compliance: largest exceedance multiple"),
        "good_days": Figure("day", 0, "优良天数", "good days"),
        "good_ratio": Figure("%", 1, "优良天数比率", "good-day ratio"),
        "heavy_days": Figure("day", 0, "重污染天数", "heavy-pollution days"),
        "valid_days": Figure("day", 0, "有效天数", "valid days"),
        "data_capture": Figure("%", 1, "数据有效率", "data capture"),
        "composite": Figure("", 2, "环境空气质量综合指数", "composite index"),
        "pm25_allowance_100": Figure("µg/m³", 1, "PM2.5 今日余下小时均值上限（AQI≤100）", "PM2.5 left for today, AQI ≤ 100"),
        "pm25_allowance_150": Figure("µg/m³", 1, "PM2.5 今日余下小时均值上限（AQI≤150）", "PM2.5 left for today, AQI ≤ 150"),
        "pm25_allowance_200": Figure("µg/m³", 1, "PM2.5 今日余下小时均值上限（AQI≤200）", "PM2.5 left for today, AQI ≤ 200"),
        "pm10_allowance_100": Figure("µg/m³", 1, "PM10 今日余下小时均值上限（AQI≤100）", "PM10 left for today, AQI ≤ 100"),
        "pm10_allowance_150": Figure("µg/m³", 1, "PM10 今日余下小时均值上限（AQI≤150）", "PM10 left for today, AQI ≤ 150"),
        "pm10_allowance_200": Figure("µg/m³", 1, "PM10 今日余下小时均值上限（AQI≤200）", "PM10 left for today, AQI ≤ 200"),
        "o3_8h_allowance_100": Figure("µg/m³", 1, "O3 今日余下小时上限（AQI≤100）", "O3 left for today, AQI ≤ 100"),
        "o3_8h_allowance_150": Figure("µg/m³", 1, "O3 今日余下小时上限（AQI≤150）", "O3 left for today, AQI ≤ 150"),
        "o3_8h_allowance_200": Figure("µg/m³", 1, "O3 今日余下小时上限（AQI≤200）", "O3 left for today, AQI ≤ 200"),
        "lost_hours": Figure("h", 0, "缺失小时数", "lost hours"),
        "lost_days": Figure("day", 0, "无效天数", "days that are not valid"),
        "water_class": Figure("class", 0, "水质类别", "water class"),
        "do_mean": Figure("mg/L", 1, "溶解氧均值", "dissolved oxygen, mean"),
        "codmn_mean": Figure("mg/L", 1, "高锰酸盐指数均值", "permanganate index, mean"),
        "nh3n_mean": Figure("mg/L", 2, "氨氮均值", "ammonia nitrogen, mean"),
        "tp_mean": Figure("mg/L", 3, "总磷均值", "total phosphorus, mean"),
        "tn_mean": Figure("mg/L", 2, "总氮均值", "total nitrogen, mean"),
        "tn_ratio": Figure("%", 1, "总氮与2020年之比", "total nitrogen as a share of 2020"),
        "water_exceedance": Figure("", 1, "超标倍数（超Ⅲ类）", "multiple over the limits of class III"),
        "water_quality": Figure("", 0, "水质状况", "state of the county's waters, 1 excellent to 5 heavily polluted"),
        "water_good_ratio": Figure("%", 1, "优良水体比例", "share of sections at class I to III"),
        "water_capture": Figure("%", 1, "断面数据完整率", "records of a section with a class, of those due"),
        "water_level": Figure("m", 2, "水位均值", "water level, mean"),
        "water_level_state": Figure("", 0, "水位状态", "state of level and flow: 0 normal, 1 warning, low or rising fast, 2 guarantee"),
        "point_over_hours": Figure("h", 0, "超标小时数", "hours over a permit limit"),
        "point_over_days": Figure("day", 0, "日均值超标天数", "days whose mean is over a permit limit"),
        "point_multiple": Figure("", 2, "最大超标倍数（许可限值）", "largest multiple over a permit limit"),
        "point_capture": Figure("%", 1, "排口数据完整率", "hours of a permit point that came or were marked"),
        "point_marked_hours": Figure("h", 0, "企业标记无效小时数", "hours marked invalid with a reason"),
        "point_supervision": Figure("%", 1, "排口监管率", "permit points under supervision"),
        "sensor_alarms": Figure("", 0, "未了结的传感器告警", "alarms of a sensor that nobody has settled"),
        "freshness": Figure("", 0, "缺报次数", "readings overdue"),
        "ingest_received": Figure("", 0, "收到的读数", "readings received"),
        "ingest_stored": Figure("", 0, "已存储的读数", "readings stored"),
        "ingest_duplicate": Figure("", 0, "重复的读数", "duplicate readings"),
        "ingest_deadletter": Figure("", 0, "死信", "dead letters"),
        "ingest_quarantined": Figure("", 0, "待审的读数", "readings held for a person"),
        "ingest_pending": Figure("", 0, "等待写入的读数", "readings that wait for the store"),
        "ingest_refused": Figure("", 0, "过去一小时拒收和待审", "refused or held in the last hour"),
        "ingest_unaccounted": Figure("", 0, "未入账读数", "readings that the conservation law misses"),
        "ingest_waiting": Figure("s", 0, "最久等待", "age of the oldest record that waits for the store"),
        "store_up": Figure("", 0, "存储可用", "the store takes what it is given"),
        "broker_up": Figure("", 0, "MQTT 服务器已连接", "ingest has its session at the broker"),
        "broker_silence": Figure("s", 0, "MQTT 服务器静默", "seconds since the broker was last heard"),
        "journal_days": Figure("day", 0, "日志可用天数", "days until the journal is full"),
        "meter_use": Figure("registered unit", 3, "计量表用量", "what a meter counted"),
        "meter_capture": Figure("%", 1, "计量数据完整率", "readings of a meter that came"),
        "electricity_bought": Figure("kWh", 2, "外购电量", "electricity bought"),
        "electricity_sold": Figure("kWh", 2, "外供电量", "electricity sold"),
        "electricity_own": Figure("kWh", 2, "自发电量", "electricity made"),
        "water_use": Figure("m³", 2, "用水量", "water use"),
        "energy_tce": Figure("tce", 3, "综合能耗（当量值）", "energy, equivalent value (当量)"),
        "energy_equal": Figure("tce", 3, "综合能耗（等价值）", "energy, equal value (等价)"),
        "energy_net": Figure("tce", 3, "综合能耗（当量值，扣除绿电和原料用能）", "energy without green power and feedstock"),
        "energy_fuel": Figure("tce", 3, "燃料消费量", "fuel"),
        "energy_green": Figure("tce", 3, "绿电", "green power"),
        "energy_feedstock": Figure("tce", 3, "原料用能", "feedstock"),
        "co2": Figure("t", 3, "二氧化碳排放量（能源活动）", "CO2 of energy use"),
        "meter_bill": Figure("registered unit", 3, "账单用量", "what the bill says"),
        "energy_intensity": Figure("tce/10⁴ CNY", 4, "单位增加值能耗", "energy for value added"),
        "water_intensity": Figure("m³/10⁴ CNY", 3, "单位增加值用水量", "water for value added"),
        "co2_intensity": Figure("t/10⁴ CNY", 4, "单位增加值碳排放", "CO2 for value added"),
        "line_consumption": Figure("kgce/t", 2, "产品单耗", "unit consumption of a line"),
        "line_water": Figure("m³/t", 3, "产品用水单耗", "water use of a line"),
        "line_rank": Figure("", 0, "能效排名（领跑者）", "efficiency rank among lines of a product"),
        "two_high_share": Figure("%", 1, "达到标杆水平的产能比例", "two-high capacity at benchmark level"),
        "lines_live": Figure("%", 1, "在线监管的两高生产线比例", "two-high lines with a live meter"),
        "energy_metered_share": Figure("%", 1, "计量部分占官方总量", "metered part of the official total"),
        "electricity_loss": Figure("%", 1, "用电平衡差", "electricity between main meter and those behind it"),
        "water_loss": Figure("%", 1, "用水平衡差", "water between main meter and those behind it"),
        "meter_loss": Figure("%", 1, "分表平衡差", "between a meter and those behind it"),
        "meter_repair": Figure("day", 0, "数据修复已用工作日", "working days that the repair clock has run"),
        "order_load": Figure("kWh", 2, "管控时段用电量", "load in an hour of an order"),
        "co2_net": Figure("t", 3, "二氧化碳排放量（扣除绿电和原料用能）", "CO2 without green power and feedstock"),
    },
)
"""Figure names with unit, digits, zh, en. Besides these, a plan target's id is the figure of its attainment."""

ALLOWANCES: Final = MappingProxyType(
    {
        "open": ("未定", "open: the value is what is left"),
        "kept": ("已保住", "kept, whatever may still come"),
        "lost": ("已超出", "lost: even zero is too much"),
        "void": ("当日无效", "the day cannot become valid"),
    },
)
"""Status of today's allowances (zh, en)."""

COMPARISONS: Final = MappingProxyType(
    {
        "yoy": ("同比", "change on last year"),
        "mom": ("环比", "change on the month before"),
        "rank": ("排名", "rank"),
        "official": ("与公布值之差", "difference to the official figure"),
    },
)
"""Suffixes that make a compared figure out of a figure: ``pm25_mean_yoy``."""

DIFFERENCES: Final = MappingProxyType(
    {
        "equal": ("一致", "equal"),
        "review": ("审核", "review"),
        "dust": ("沙尘剔除", "dust exclusion"),
        "station-set": ("站点范围", "another set of stations"),
        "missing-hours": ("缺测", "days or hours that we lack"),
        "unknown": ("不明", "not known"),
    },
)
"""Likely cause of a difference to an official figure (zh, en)."""


def figure(name: str) -> Figure | None:
    """What a figure is, also a compared one; None for a target's id or an unknown name.

    >>> figure("pm25_mean_yoy").zh, figure("composite_rank").digits, figure("nothing_yoy")
    ('PM2.5 均值同比', 0, None)
    """
    if name in FIGURES:
        return FIGURES[name]
    base, _, suffix = name.rpartition("_")
    if base not in FIGURES or suffix not in COMPARISONS:
        return None
    known, (zh, en) = FIGURES[base], COMPARISONS[suffix]
    ranked = suffix == "rank"
    return Figure("" if ranked else known.unit, 0 if ranked else known.digits, f"{known.zh}{zh}", f"{known.en}, {en}")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One stored figure.

    ``time`` [s]: an hour or water record has its own end label, all others 00:00 +08:00 of the period's last day. ``valid`` and
    ``expected`` count what the value was made of. ``status`` is a code (level 1…6 for AQI, a target's state), ``text`` what
    belongs to it (primary pollutants joined by ``+``; JSON of a target's details).
    """

    figure: str
    period: str
    scope: str
    rule_set: str
    time: int
    value: float | None = None
    basis: str = "raw"
    valid: float | None = None
    expected: float | None = None
    target: float | None = None
    margin: float | None = None
    low90: float | None = None
    high90: float | None = None
    computed: float | None = None
    version: float = 1.0
    status: str = ""
    text: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, str, int]:
        """Identity of the row: figure, period, scope, rule set, basis, time."""
        return self.figure, self.period, self.scope, self.rule_set, self.basis, self.time


COLUMNS: Final = tuple(one.name for one in fields(Indicator))
"""What a stored figure consists of, in order."""


class Block(NamedTuple):
    """Figures of one kind side by side, a list a column, for where one object a figure would cost too much.

    ``target``, ``margin``, ``low90`` and ``high90`` are None where no figure has one; so is every column that was not asked for.
    ``computed`` is that of all.
    """

    figure: str
    period: str
    scope: str
    rule_set: str
    basis: str
    computed: float | None
    time: Sequence[int]
    value: Sequence[float | None]
    valid: Sequence[float | None]
    expected: Sequence[float | None] | None
    version: Sequence[float]
    status: Sequence[str]
    text: Sequence[str]
    target: Sequence[float | None] | None = None
    margin: Sequence[float | None] | None = None
    low90: Sequence[float | None] | None = None
    high90: Sequence[float | None] | None = None

    def columns(self) -> list[Iterable[object]]:
        """The columns of :data:`COLUMNS`, each as long as the others."""
        rows = len(self.time)
        return [repeat(own, rows) if own is None or isinstance(own, (str, float)) else own for own in (getattr(self, name) for name in COLUMNS)]

    def rows(self) -> Iterator[Indicator]:
        """The same figures one by one."""
        columns: Any = self.columns()
        return starmap(Indicator, zip(*columns, strict=True))


FIELDS: Final = Block._fields[Block._fields.index("value") :]
"""Columns of a block behind its time."""


def side_by_side(rows: Iterable[Indicator]) -> Iterator[Block]:
    """Figures in order of time as blocks, by what they are."""
    groups: dict[tuple[str, ...], list[Indicator]] = {}
    for row in rows:
        groups.setdefault(row.key[:5], []).append(row)
    for tag, some in groups.items():
        yield Block._make([*tag, None, *([getattr(row, name) for row in some] for name in Block._fields[6:])])


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions of a series of figures; None = any; start < time ≤ end; ``after`` is the last row's key."""

    figure: str | None = None
    scope: str | None = None
    period: str | None = None
    rule_set: str | None = None
    basis: str | None = "raw"
    start: int = -(2**62)
    end: int = 2**62
    after: tuple[object, ...] | None = None
    limit: int = 100_000


class Restatement(NamedTuple):
    """A closed figure changed: what it was, what it is, when and why."""

    figure: str
    period: str
    scope: str
    rule_set: str
    basis: str
    time: int
    version: int
    old: float | None
    new: float | None
    old_status: str
    new_status: str
    made: int
    cause: str


class Event(NamedTuple):
    """Something happened to a source or a figure."""

    kind: str
    source: str
    time: int
    value: float | None
    text: str

"""空气: county and stations: classes over time, calendar, the year against its target, the day's allowance, good and heavy days."""

from __future__ import annotations

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.county import Bureau
from dashboards.parts import AIR
from dashboards.queries import BASIS, HOURLY, Ask
from domain.air import LEVELS
from domain.indicators import FIGURES
from domain.warning import LEVELS as WARNINGS

SHORT = {"pm25_mean": "PM2.5", "pm10_mean": "PM10", "so2_mean": "SO2", "no2_mean": "NO2", "o3_p90": "O3-90", "good_ratio": "优良率 %"}
LEFT = tuple(name for name in FIGURES if "_allowance_" in name)
RANKS = ("pm25_mean_rank", "pm10_mean_rank", "o3_p90_rank", "good_ratio_rank", "composite_rank")
MICRO = parts.unit("µg/m³")
STATION = "$station"


def air(bureau: Bureau) -> Board:
    """County and stations of ambient air."""
    names = {bureau.scope: bureau.registry.county.name, **{one.id: one.name for one in bureau.registry.air_stations.values()}}
    bands = (
        Band(9, (_states(names),), title="近 7 天"),
        Band(8, (_hours(names), _warning(bureau))),
        Band(8, (_left(bureau),), title="今日余量"),
        Band(8, (_calendar(names),), title="日历 · 近 31 天"),
        Band(9, (_days(bureau), _year(bureau)), title="全年"),
        Band(7, (*_counts(bureau),)),
        Band(9, (_heat(names),), title="昼夜规律"),
        Band(9, (_stations(names), _ranks(bureau)), title="站点和乡镇"),
    )
    return Board(AIR, "空气", _note(bureau), bands, (*parts.station(bureau), parts.rules(bureau), parts.basis()))


def _note(bureau: Bureau) -> str:
    stations = len(bureau.registry.air_stations)
    return "\n".join(
        [
            f"环境空气：全区和 {stations} 个站点的小时、日、月、年指标。",
            "",
            "- **来源**：站点小时值；全区为评价点位均值（75% 点位有效）。",
            "- **方法**：HJ 633-2012 与 HJ 633-2026 均计算，用变量「评价标准」切换；小时只按当日生效的标准评价。年均值为日均值的均值（HJ 663）。",
            f"- **分级**：{'、'.join(level.zh for level in LEVELS)}，颜色为标准规定的 RGB，文字与颜色并列。",
            "- **责任单位**：生态环境主管部门。",
        ],
    )


def _states(names: dict[str, str]) -> Card:
    ask = Ask("aqi", "hour", STATION, HOURLY)
    note = "各站点每小时 AQI 的级别（HJ 633），文字写在色带上。"
    look = style.states(style.level_words(), overrides=style.titled(names))
    return Card(10, "AQI 级别", note, look, (queries.series(ask, ("status",)),), span="7d")


def _hours(names: dict[str, str]) -> Card:
    ask = Ask("pm25_24h", "hour", STATION, HOURLY)
    note = "以每个整点结束的 24 小时滑动均值，至少 20 个有效小时。"
    return Card(11, "PM2.5 24 小时滑动均值", note, style.lines(MICRO, overrides=style.coloured(names)), (queries.series(ask),), 3, span="7d")


def _warning(bureau: Bureau) -> Card:
    colours = style.WARNING_COLOURS
    mapping = style.words({str(level): (f"达到{zh}条件", colour) for level, ((_, zh, _), colour) in enumerate(zip(WARNINGS[1:], colours, strict=True), 1)})
    note = "已发生的小时满足的重污染天气预警条件（方案见设置 analyse.warning）；预警由市里按预报发布，此处不预报。没有点即未满足。"
    # Bounds between the levels: a dot is painted by its height.
    look = style.marks(style.steps(*zip((None, 1.5, 2.5, 3.5), colours, strict=True)), mapping, top=len(colours))
    ask = Ask("warning", "hour", bureau.scope, HOURLY)
    return Card(12, "重污染预警条件（已发生）", note, look, (queries.series(ask, alias="预警条件"),), 2, span="31d")


def _left(bureau: Bureau) -> Card:
    heads = {"figure": "指标", "value": "余下小时均值上限", "target": "限值", "status": "状态"}
    looks = [
        parts.coded("指标", parts.figure_words(), width=330),
        parts.coded("状态", parts.allowance_words(), coloured=True),
        parts.number("余下小时均值上限", MICRO, 1),
        parts.number("限值", "none", 0),
    ]
    note = "今天剩余小时平均不得超过的浓度，才能使当日 AQI 不超过 100、150、200；每小时更新。"
    chosen = queries.newest(Ask(LEFT, "day", bureau.scope, bureau.rules, by="figure"), ("value", "target", "status"))
    return Card(13, "全区今日余量", note, style.table(looks), (chosen,), span="30h", transformations=(parts.renamed(heads, ("Time",)),))


def _calendar(names: dict[str, str]) -> Card:
    ask = Ask("aqi", "day", STATION, basis=BASIS)
    note = "每日 AQI，一行一个站点；格内为 AQI，颜色为级别。"
    look = style.history([], style.aqi_steps(), overrides=style.titled(names))
    return Card(14, "日 AQI 日历", note, look, (queries.series(ask),), span="31d")


def _days(bureau: Bureau) -> Card:
    ask = Ask("aqi", "day", bureau.scope, basis=BASIS)
    note = "全区每日 AQI，颜色为级别。"
    return Card(15, "全区日 AQI", note, style.columns("none", style.aqi_steps()), (queries.series(ask, alias="AQI"),))


def _year(bureau: Bureau) -> Card:
    day = queries.series(Ask("pm25", "day", bureau.scope, basis=BASIS), alias="日均值")
    mean = queries.series(Ask("pm25_mean", "ytd", bureau.scope, basis=BASIS), alias="年初至今均值")
    goals = [target for target in bureau.followed if bureau.judged[target.id] == "pm25_mean"]
    bands = [queries.series(Ask(target.id, "ytd", bureau.scope, by=""), ("target", "low90", "high90"), "$col") for target in goals]
    overrides = [
        style.override("日均值", ("custom.drawStyle", "bars"), ("custom.fillOpacity", 60), ("custom.lineWidth", 0), ("color", style.fixed(style.FAIR))),
        style.override("年初至今均值", ("custom.lineWidth", 3), ("color", style.fixed(style.GOOD))),
        style.override("target", ("displayName", "目标"), ("color", style.fixed(style.BAD)), ("custom.lineStyle", {"fill": "dash", "dash": [10, 6]})),
        style.override("low90", ("displayName", "预测下限"), ("color", style.fixed(style.UNKNOWN)), ("custom.lineWidth", 1)),
        style.override(
            "high90", ("displayName", "预测上限"), ("color", style.fixed(style.UNKNOWN)), ("custom.lineWidth", 1), ("custom.fillBelowTo", "预测下限")
        ),
    ]
    note = "日均值、年初至今均值、目标和年底预测 90% 区间。均值只由有效日（至少 20 小时）构成。"
    return Card(16, "PM2.5 年度进程", note, style.lines(MICRO, overrides=overrides), (day, mean, *bands))


def _counts(bureau: Bureau) -> tuple[Card, ...]:
    def one(number: int, title: str, figure: str, note: str) -> Card:
        known = FIGURES[figure]
        ask = Ask(figure, "ytd", bureau.scope, basis=BASIS)
        return Card(
            number,
            title,
            note,
            style.stat(parts.unit(known.unit.replace("day", "天")), style.PLAIN, decimals=known.digits),
            (queries.series(ask, alias=title),),
        )

    months = tuple(queries.series(Ask(figure, "month", bureau.scope, basis=BASIS), alias=FIGURES[figure].zh) for figure in ("good_days", "heavy_days"))
    overrides = [
        style.override(FIGURES["good_days"].zh, ("color", style.fixed(style.GOOD))),
        style.override(FIGURES["heavy_days"].zh, ("color", style.fixed(style.BAD))),
    ]
    look = style.lines("suffix: 天", overrides=overrides, drawStyle="bars", fillOpacity=80, lineWidth=1, showPoints="never")
    return (
        one(17, "优良天数", "good_days", "年初至今 AQI ≤ 100 的天数。"),
        one(18, "优良天数比率", "good_ratio", "优良天数除以有效天数。"),
        one(19, "重污染天数", "heavy_days", "年初至今 AQI > 200 的天数。"),
        one(20, "综合指数", "composite", "六项浓度与二级标准之比的和（环办〔2014〕64 号）。"),
        Card(21, "逐月优良与重污染天数", "每月结束后的天数，时间为当月最后一天。", look, months, 4, span="400d"),
    )


def _heat(names: dict[str, str]) -> Card:
    ask = Ask("aqi", "hour", STATION, HOURLY)
    note = "逐小时 AQI 的热力图：一行一个站点，横向为时间；每天同一位置的深浅显示昼夜规律。"
    look = style.heat("none", low=0, high=LEVELS[4].top)
    return Card(22, "小时 AQI 热力图", note, look, (queries.series(ask),), span="7d", transformations=parts.called(names))


def _stations(names: dict[str, str]) -> Card:
    shown = tuple(SHORT)
    asks = [queries.newest(Ask(figure, "ytd", STATION, basis=BASIS), ("value",), figure) for figure in shown]
    heads = {"scope": "站点", **SHORT}
    looks = [parts.coded("站点", parts.place_words(names), width=150), parts.linked("站点", "只看此站", AIR, "station")]
    looks += [parts.wide(head, 95) for head in SHORT.values()]
    note = "各站点年初至今的均值（µg/m³）、臭氧日最大 8 小时第 90 百分位数和优良天数比率。"
    return Card(23, "站点年初至今", note, style.table(looks), tuple(asks), 3, transformations=(*parts.joined("scope", shown), parts.renamed(heads)))


def _ranks(bureau: Bureau) -> Card:
    names = {one.id: one.name for one in bureau.registry.air_stations.values()}
    ask = Ask(RANKS, "ytd", basis=BASIS, by="figure")
    heads = {"scope": "乡镇站", "figure": "指标", "value": "名次", "expected": "参评数"}
    looks = [
        parts.coded("乡镇站", parts.place_words(names)),
        parts.coded("指标", parts.figure_words(), width=250),
        parts.wide("名次", 60),
        parts.wide("参评数", 70),
    ]
    note = "乡镇站年初至今排名，1 为最清洁；显示值相同的并列。"
    chosen = queries.rows(ask, ("scope", "figure", "value", "expected"), 5 * max(1, len(names)))
    return Card(24, "乡镇排名", note, style.table(looks), (chosen,), 2, span="49h", transformations=(parts.renamed(heads, ("Time",)),))

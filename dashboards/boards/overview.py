"""总览: one look at the county: targets, what fires, who is silent, what was restated, last year beside."""

from __future__ import annotations

from typing import Any

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.county import Bureau
from dashboards.parts import AIR, OVERVIEW, QUALITY
from dashboards.parts import WATER as WATER_BOARD
from dashboards.queries import HOURLY, NO_RULES, Ask
from dashboards.stored import WATER, rule_set
from domain.indicators import FIGURES
from domain.targets import Target
from domain.water import CLASSES, RULE_SET

FIRST_TARGET = 20
ROW = 4
COMPARED = ("pm25_mean_yoy", "pm10_mean_yoy", "o3_p90_yoy", "good_ratio_yoy", "good_days_yoy", "heavy_days_yoy", "composite_yoy")
TARGET_FIELDS = ("value", "target", "margin", "low90", "high90", "status")
LAST_YEAR = {"figure": "指标", "value": "变化", "target": "去年同期", "margin": "变化 %"}
SILENT = {"scope": "来源", "status": "状态", "value": "缺报次数", "Time": "时间"}
RESTATED = {
    "Time": "数值日期",
    "scope": "对象",
    "figure": "指标",
    "period": "周期",
    "rule_set": "标准",
    "basis": "口径",
    "old": "原值",
    "new": "现值",
    "cause": "原因",
}


def overview(bureau: Bureau) -> Board:
    """The operators' first screen."""
    bands = (
        Band(4, (*_now(bureau), *_left(bureau))),
        *_goals(bureau),
        Band(8, (_targets(bureau),)),
        Band(9, (firing(), _silent(bureau)), title="正在告警与静默"),
        Band(8, (_last_year(bureau),), title="同期与更正"),
        Band(9, (restated(bureau, 40),)),
    )
    return Board(OVERVIEW, "总览", _note(bureau), bands, (parts.rules(bureau), parts.basis()))


def _goals(bureau: Bureau) -> list[Band]:
    """Figures of the targets, four side by side."""
    cards = [_target(bureau, target, FIRST_TARGET + number) for number, target in enumerate(bureau.followed)]
    return [Band(6, tuple(cards[place : place + ROW]), title="" if place else "规划目标 · 年初至今") for place in range(0, len(cards), ROW)]


def _note(bureau: Bureau) -> str:
    plans = "、".join(plan.name_zh for plan in bureau.plans) or "无规划"
    owners = "、".join(dict.fromkeys(name for target in bureau.followed for name in target.departments)) or "未指定"
    return "\n".join(
        [
            f"{bureau.registry.county.name}环境监测总览。",
            "",
            f"- **来源**：lanbi 计算并存储的指标，看板不做任何计算。规划：{plans}。",
            "- **方法**：年均值为日均值的均值；优良天 AQI ≤ 100，重污染天 AQI > 200（HJ 633）；状态按未修约值判定；预测给出 90% 区间。",
            f"- **责任单位**：{owners}。",
            "- **电视模式**：地址后加 `?kiosk`，每 5 分钟刷新。",
        ],
    )


def _now(bureau: Bureau) -> tuple[Card, ...]:
    county = Ask("aqi", "hour", bureau.scope, HOURLY)
    pm25 = Ask("pm25_24h", "hour", bureau.scope, HOURLY)
    return (
        Card(
            10, "全区空气质量 AQI", "最近一小时全区 AQI（HJ 633 实时报），评价点位小时均值计算；颜色为官方分级色。",
            style.stat("none", style.aqi_steps(), decimals=0), (queries.series(county, alias="AQI"),), 2, span="24h", links=(("空气", AIR),),
        ),
        Card(
            11, "空气质量级别", "最近一小时全区 AQI 的级别。",
            style.stat("none", style.aqi_steps(), mappings=style.aqi_words(), text="value"), (queries.series(county, alias="级别"),), 2, span="24h",
        ),
        Card(
            12, "PM2.5 24 小时均值", "以最近整点结束的 24 小时滑动均值，至少 20 个有效小时。",
            style.stat(parts.unit(FIGURES["pm25_24h"].unit), style.PLAIN, decimals=0), (queries.series(pm25, alias="PM2.5"),), 2, span="48h", links=(("空气", AIR),),
        ),
    )  # fmt: skip


def _left(bureau: Bureau) -> tuple[Card, ...]:
    asks = [
        queries.series(Ask(f"{target.id}.left", "ytd", bureau.scope, bureau.rules), alias=target.name_zh)
        for target in bureau.followed
        if bureau.judged[target.id] == "heavy_days"
    ]
    edges = style.steps((None, style.BAD), (1, style.WARN), (2, style.GOOD))
    note = "规划允许的重污染天数减去已发生天数，由计算服务存储。"
    return (Card(13, "重污染天数余额", note, style.stat("suffix: 天", edges, decimals=0), tuple(asks), 2),) if asks else ()


def _target(bureau: Bureau, target: Target, number: int) -> Card:
    """Figure of one target with its course, aim and band."""
    ask = Ask(target.id, "ytd", bureau.scope, rule_set(bureau.judged[target.id], bureau))
    note = f"{target.clause}：{target.name_zh} {parts.goal(target)}（{target.last.year if target.last else '未定'}年）。阴影为年底预测 90% 区间。责任单位：{'、'.join(target.departments) or '未指定'}。"
    overrides = [
        style.override("value", ("displayName", "实际"), ("custom.lineWidth", 3), ("color", _fixed(style.GOOD))),
        style.override("target", ("displayName", "目标"), ("color", _fixed(style.BAD)), ("custom.lineStyle", {"fill": "dash", "dash": [10, 6]})),
        style.override("low90", ("displayName", "预测下限"), ("color", _fixed(style.UNKNOWN)), ("custom.lineWidth", 0)),
        style.override("high90", ("displayName", "预测上限"), ("color", _fixed(style.UNKNOWN)), ("custom.lineWidth", 0), ("custom.fillBelowTo", "预测下限")),
    ]
    steady: dict[str, Any] = (
        {"lineInterpolation": "stepAfter", "valueDecimals": 0, "axisSoftMin": 1, "axisSoftMax": len(CLASSES)} if target.unit == "class" else {}
    )
    look = style.lines(parts.unit(target.unit), overrides=overrides, **steady)
    select = queries.series(ask._replace(by=""), ("value", "target", "low90", "high90"), "$col")
    return Card(number, f"{target.name_zh} {parts.goal(target)}", note, look, (select,), 4, links=(_board_of(bureau, target),))


def _board_of(bureau: Bureau, target: Target) -> tuple[str, str]:
    return ("水", WATER_BOARD) if bureau.judged[target.id] in WATER else ("空气", AIR)


def _fixed(colour: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": colour}


def _targets(bureau: Bureau) -> Card:
    """All targets with a state, as a table."""
    names = style.words({target.id: (f"{target.name_zh} {parts.goal(target)}", None) for target in bureau.followed})
    heads = {
        "figure": "目标",
        "status": "状态",
        "value": "实际",
        "target": "目标值",
        "margin": "余量",
        "low90": "预测下限",
        "high90": "预测上限",
        "Time": "截至",
    }
    ask = Ask(tuple(bureau.judged) or ("*",), "ytd", bureau.scope, f"/^({RULE_SET}|{bureau.rules})$/", by="figure")
    columns = [parts.wide(head, 110) for head in ("实际", "目标值", "预测下限", "预测上限")]
    columns.append(style.override("截至", ("unit", "time:YYYY-MM-DD"), ("custom.width", 120)))
    looks = [
        parts.coded("目标", names, width=400),
        parts.coded("状态", style.state_words(), coloured=True, width=130),
        parts.number("余量", decimals=2, width=90),
        *columns,
    ]
    note = "规划目标：最新实际值、当年目标值、余量（正数为有利方向）、年底预测 90% 区间和状态。没有目标值的显示「目标值待下达」。"
    return Card(14, "规划目标状态", note, style.table(looks), (queries.newest(ask, TARGET_FIELDS),), transformations=(parts.renamed(heads),))


def firing() -> Card:
    """Alerts that fire or wait."""
    return Card(15, "正在告警", "触发中、等待中、无数据和出错的告警，重要的在前。处置办法见每条告警的说明。", style.firing("环境告警"))


def _silent(bureau: Bureau) -> Card:
    """Sources that lack readings."""
    ask = Ask("freshness", "hour", rules=NO_RULES)
    over = {
        "id": "filterByValue",
        "options": {"type": "include", "match": "all", "filters": [{"fieldName": "value", "config": {"id": "greater", "options": {"value": 0}}}]},
    }
    looks = [
        parts.coded("来源", parts.place_words(bureau.names), width=200),
        parts.coded("状态", fresh_words(), coloured=True),
        parts.number("缺报次数", decimals=0, width=100),
        parts.when("时间"),
    ]
    note = "缺报至少一次的来源：预期时间过后仍未收到读数。一次为迟到，两次及以上为静默。表为空时全部正常。"
    return Card(
        16, "静默和迟到的来源", note, style.table(looks, sort="-缺报次数", empty="全部正常"), (queries.newest(ask, ("value", "status")),), span="26h",
        transformations=(over, parts.renamed(SILENT)), links=(("数据质量", QUALITY),),
    )  # fmt: skip


FRESH = (
    ("on-time", "正常", style.GOOD),
    ("late", "迟到", style.WARN),
    ("silent", "静默", style.BAD),
    ("never", "从未上报", style.BAD),
    ("no-device", "未配设备", style.UNKNOWN),
)


def fresh_words() -> list[dict[str, object]]:
    """States of a source in words."""
    return style.words({code: (text, colour) for code, text, colour in FRESH})


def _last_year(bureau: Bureau) -> Card:
    ask = Ask(COMPARED, "ytd", bureau.scope, bureau.rules, by="figure")
    looks = [
        parts.coded("指标", parts.figure_words(), width=330),
        parts.number("变化", decimals=2),
        parts.number("去年同期", decimals=2),
        parts.number("变化 %", "percent", 1),
    ]
    note = "年初至今与去年同期相比：显示值相减（整数运算），百分比为变化除以去年同期。"
    chosen = queries.newest(ask, ("value", "target", "margin"))
    return Card(17, "与去年同期相比", note, style.table(looks), (chosen,), transformations=(parts.renamed(LAST_YEAR, ("Time",)),))


def restated(bureau: Bureau, limit: int, figures: tuple[str, ...] = ()) -> Card:
    """Closed figures that changed."""
    made = {"mode": "binary", "alias": "更正时间", "replaceFields": False, "binary": {"left": "made", "operator": "*", "right": "1000"}}
    looks = [
        parts.coded("指标", parts.figure_words(), width=230), parts.coded("周期", parts.period_words(), width=90), parts.coded("口径", parts.basis_words(), width=90),
        parts.coded("对象", parts.place_words(bureau.names), width=150), parts.wide("原值", 80), parts.wide("现值", 80), parts.wide("标准", 120),
        parts.number("更正时间", "dateTimeAsIso", width=170), parts.wide("数值日期", 110),
        style.override("数值日期", ("unit", "time:YYYY-MM-DD")),
    ]  # fmt: skip
    note = "周期已结束的数值发生变化：原值、现值、原因（迟到数据、更正、审核、沙尘、标准或登记册变更）。"
    steps = ({"id": "calculateField", "options": made}, parts.renamed(RESTATED, ("made",)))
    return Card(18, "更正记录", note, style.table(looks), (queries.restated(limit, figures),), transformations=steps)

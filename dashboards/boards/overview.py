"""总览: one look at the county: targets, what fires, who is silent, what was restated, last year beside."""

from __future__ import annotations

from typing import Any

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.county import Bureau
from dashboards.parts import AIR, ENERGY, FIRST_TARGET, OVERVIEW, QUALITY, REPORTED_PANEL
from dashboards.parts import WATER as WATER_BOARD
from dashboards.queries import HOURLY, NO_RULES, Ask
from dashboards.stored import WATER, rule_set
from domain.indicators import FIGURES
from domain.restating import CAUSES
from domain.targets import Target
from domain.water import CLASSES, RULE_SET

ROW = 4
COMPARED = ("pm25_mean_yoy", "pm10_mean_yoy", "o3_p90_yoy", "good_ratio_yoy", "good_days_yoy", "heavy_days_yoy", "composite_yoy")
TARGET_FIELDS = ("value", "margin", "low90", "high90", "status")
LAST_YEAR = {"figure": "指标", "value": "变化", "target": "去年同期", "margin": "变化 %"}
TOLD = {"figure": "目标", "status": "状态", "value": "填报累计", "target": "目标值", "margin": "余量", "Time": "截至"}
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

AUDITED = ("rule_set", "basis", "period")


def overview(bureau: Bureau) -> Board:
    """The operators' first screen: what fires, which target is in danger, who is silent and what changed fit on it without scrolling."""
    bands = (
        Band(4, (*_now(bureau), *_left(bureau))),
        Band(8, (_targets(bureau), firing())),
        Band(7, (_silent(bureau), restated(bureau, 40, brief=True))),
        *_goals(bureau),
        Band(6, _reported(bureau)),
        Band(8, (_last_year(bureau),), title="与去年同期相比"),
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
    left = [style.override("status", ("mappings", parts.allowance_words()))]
    rest = Ask("pm25_allowance_100", "day", bureau.scope, bureau.rules)
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
        Card(
            8, "今日 PM2.5 余量（保优良）", "今天余下小时的 PM2.5 均值不超过此值，当日 AQI 才不超过 100；已定局时没有数值，只有状态。",
            style.stat(parts.unit(FIGURES["pm25_allowance_100"].unit), style.PLAIN, decimals=0, text="value", fields="/^(value|status)$/", overrides=left),
            (queries.series(rest, ("value", "status"), "$col"),), 2, span="30h", links=(("空气", AIR),),
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
        style.override("value", ("displayName", "实际"), ("custom.lineWidth", 3), ("color", style.fixed(style.GOOD))),
        style.override("target", ("displayName", "目标"), ("color", style.fixed(style.BAD)), ("custom.lineStyle", {"fill": "dash", "dash": [10, 6]})),
        style.override("low90", ("displayName", "预测下限"), ("color", style.fixed(style.UNKNOWN)), ("custom.lineWidth", 0)),
        style.override(
            "high90", ("displayName", "预测上限"), ("color", style.fixed(style.UNKNOWN)), ("custom.lineWidth", 0), ("custom.fillBelowTo", "预测下限")
        ),
    ]
    steady: dict[str, Any] = (
        {"lineInterpolation": "stepAfter", "valueDecimals": 0, "axisSoftMin": 1, "axisSoftMax": len(CLASSES)} if target.unit == "class" else {}
    )
    look = style.lines(parts.unit(target.unit), overrides=overrides, **steady)
    select = queries.series(ask._replace(by=""), ("value", "target", "low90", "high90"), "$col")
    return Card(number, f"{target.name_zh} {parts.goal(target)}", note, look, (select,), 4, links=(_board_of(bureau, target),))


def _board_of(bureau: Bureau, target: Target) -> tuple[str, str]:
    return ("水", WATER_BOARD) if bureau.judged[target.id] in WATER else ("空气", AIR)


def _targets(bureau: Bureau) -> Card:
    """All targets with a state, as a table."""
    names = style.words({target.id: (f"{target.name_zh} {parts.goal(target)}", None) for target in bureau.followed})
    heads = {
        "figure": "目标",
        "status": "状态",
        "value": "实际",
        "margin": "余量",
        "low90": "预测下限",
        "high90": "预测上限",
        "Time": "截至",
    }
    ask = Ask(tuple(bureau.judged) or ("*",), "ytd", bureau.scope, f"/^({RULE_SET}|{bureau.rules})$/", by="figure")
    columns = [parts.wide(head, 80) for head in ("实际", "预测下限", "预测上限")]
    columns.append(style.override("截至", ("unit", "time:MM-DD"), ("custom.width", 65)))
    looks = [
        parts.coded("目标", names),
        parts.coded("状态", style.state_words(), coloured=True, width=105),
        parts.number("余量", decimals=2, width=75),
        *columns,
    ]
    note = "规划目标：最新实际值、余量（正数为有利方向）、年底预测 90% 区间和状态；当年目标值在名称中，没有的显示「目标值待下达」。"
    chosen = queries.newest(ask, TARGET_FIELDS)
    return Card(14, "规划目标状态", note, style.table(looks), (chosen,), 3, transformations=(parts.renamed(heads),))


def _reported(bureau: Bureau) -> tuple[Card, ...]:
    """Targets judged on what an authority reports: how much of the year's budget is used up."""
    if not bureau.told:
        return ()
    names = style.words({target.id: (f"{target.name_zh} {parts.goal(target)}", None) for target in bureau.told})
    looks = [
        parts.coded("目标", names, width=400),
        parts.coded("状态", style.state_words(), coloured=True, width=130),
        parts.number("填报累计", decimals=2),
        parts.number("目标值", decimals=2),
        parts.number("余量", decimals=2),
        style.override("截至", ("unit", "time:YYYY-MM-DD"), ("custom.width", 120)),
    ]
    note = "能耗、碳排放和用水双控：按填报值判定，不用计量之和。用掉的比例高于已填报时段的比例为有风险；强度只由全年值判定。"
    ask = Ask(tuple(bureau.reported), "ytd", bureau.scope, NO_RULES, "official", by="figure")
    chosen = queries.newest(ask, ("value", "target", "margin", "status"))
    return (Card(REPORTED_PANEL, "双控目标（填报）", note, style.table(looks, empty="今年尚未填报"), (chosen,), transformations=(parts.renamed(TOLD),), links=(("能源", ENERGY),)),)  # fmt: skip


def firing() -> Card:
    """Alerts that fire or wait."""
    return Card(15, "正在告警", "触发中、等待中、无数据和出错的告警，重要的在前。处置办法见每条告警的说明。", style.firing("环境告警"), width=2)


def _silent(bureau: Bureau) -> Card:
    """Sources that lack readings."""
    ask = Ask("freshness", "hour", rules=NO_RULES)
    over = {
        "id": "filterByValue",
        "options": {"type": "include", "match": "all", "filters": [{"fieldName": "value", "config": {"id": "greater", "options": {"value": 0}}}]},
    }
    looks = [
        parts.coded("来源", parts.place_words(bureau.names)),
        parts.coded("状态", fresh_words(), coloured=True, width=100),
        parts.number("缺报次数", decimals=0, width=90),
        parts.when("时间"),
    ]
    note = "缺报至少一次的来源：预期时间过后仍未收到读数。一次为迟到，两次及以上为静默。表为空时全部正常。"
    return Card(
        16, "静默和迟到的来源", note, style.table(looks, sort="-缺报次数", empty="没有静默或迟到的来源"), (queries.newest(ask, ("value", "status")),), span="26h",
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


def restated(bureau: Bureau, limit: int, figures: tuple[str, ...] = (), *, brief: bool = False) -> Card:
    """Closed figures that changed; in brief without what only an auditor asks for."""
    made = {"mode": "binary", "alias": "更正时间", "replaceFields": False, "binary": {"left": "made", "operator": "*", "right": "1000"}}
    figure, place, value, instant = (170, 105, 62, 110) if brief else (230, 150, 80, 150)
    looks = [
        parts.coded("指标", parts.figure_words(), width=figure), parts.coded("周期", parts.period_words(), width=90), parts.coded("口径", parts.basis_words(), width=90),
        parts.coded("对象", parts.place_words(bureau.names), width=place), parts.coded("原因", style.heads({code: zh for code, (zh, _) in CAUSES.items()})), parts.wide("原值", value), parts.wide("现值", value), parts.wide("标准", 120),
        style.override("更正时间", ("unit", "time:MM-DD HH:mm" if brief else "time:YYYY-MM-DD HH:mm"), ("custom.width", instant)),
        style.override("数值日期", ("unit", "time:YYYY-MM-DD"), ("custom.width", 100)),
    ]  # fmt: skip
    known = "、".join(f"{code} {zh}" for code, (zh, _) in CAUSES.items())
    note = f"周期已结束的数值发生变化：原值、现值、原因。原值与现值相同时，变的是有效小时数。原因代码：{known}。"
    steps = ({"id": "calculateField", "options": made}, parts.renamed(RESTATED, ("made", *(AUDITED if brief else ()))))
    return Card(18, "更正记录", note, style.table(looks, sort="-更正时间", empty="没有更正"), (queries.restated(limit, figures),), 1, transformations=steps)

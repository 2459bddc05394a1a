"""能源: the metered part of the county and its enterprises: energy both ways, carbon, water, completeness of the meters."""

from __future__ import annotations

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.county import Bureau
from dashboards.parts import ENERGY, ENTERPRISE, LOSSES
from dashboards.queries import NO_RULES, Ask
from domain.energy import SHARE
from domain.indicators import FIGURES

SHOWN = {"energy_tce": "当量值 tce", "energy_equal": "等价值 tce", "co2": "CO2 t", "electricity_bought": "外购电 kWh", "water_use": "用水 m³"}
QUOTA = (
    ("line_consumption", "产品单耗", "各两高生产线年初至今的单位产品综合能耗，至最近一个有产量的月份；劣于登记的基准水平即告警。", "suffix: kgce/t"),
    ("line_rank", "能效领跑者", "同一产品各生产线的单耗排名，1 为领跑者。", "none"),
    ("line_water", "产品用水单耗", "年初至今单位产品用水量；超出登记的用水定额即告警。", "suffix: m³/t"),
)
"""Figures of two-high lines, of the year so far; left out where no line is registered."""


def energy(bureau: Bureau) -> Board:
    """Energy, carbon and water of the county's metered part."""
    firms = {one.id: one.name for one in bureau.registry.enterprises.values()}
    bands = (
        Band(5, _county(bureau), title="全区计量部分 · 今年"),
        Band(9, (_firms(firms),), title="企业 · 今年"),
        Band(9, (_months(firms, 13, "逐月综合能耗（当量值）", "energy_tce"), _months(firms, 14, "逐月碳排放（能源活动）", "co2"))),
        Band(8, (_days(firms, 15, "逐日综合能耗（当量值）", "energy_tce"), _days(firms, 17, "逐日用水", "water_use"))),
        Band(9, (_complete(bureau), _loss(bureau)), title="完整性与平衡"),
        Band(8, _quota(bureau), title="两高生产线"),
    )
    return Board(ENERGY, "能源", _note(bureau), bands, parts.enterprise(bureau), since="now/y")


def _note(bureau: Bureau) -> str:
    return "\n".join(
        [
            f"能耗、用水与碳排放：{len(bureau.registry.enterprises)} 家企业、{len(bureau.registry.meters)} 块表。",
            "",
            "- **来源**：企业总表读数之差乘倍率；分表不重复相加。",
            "- **方法**：综合能耗 = 购入 + 燃料 − 外供（GB/T 2589-2020）；当量值与等价值并列；CO2 用标明年份和来源的因子，不计过程排放。",
            "- **注意**：全区之和是**计量部分**，不是官方总量；总量以上报的官方数为准。",
            f"- **完整性**：15 分钟数据，日完整率低于 {SHARE}% 记为不完整（重点用能单位能耗在线监测）。",
            "- **责任单位**：发展和改革、工业和信息化、水利主管部门。",
        ],
    )


def _county(bureau: Bureau) -> tuple[Card, ...]:
    def one(number: int, title: str, figure: str, note: str) -> Card:
        ask = Ask(figure, "ytd", bureau.scope, NO_RULES)
        look = style.stat(parts.unit(FIGURES[figure].unit), style.PLAIN, decimals=0)
        return Card(number, title, note, look, (queries.series(ask, alias=title),), span="400d")

    return (
        one(10, "能耗（当量）", "energy_tce", "综合能耗：购入 + 燃料 − 外供，电按 0.1229 kgce/kWh。"),
        one(11, "能耗（等价）", "energy_equal", "综合能耗：电按当年供电煤耗折算。"),
        one(12, "碳排放", "co2", "能源活动的 CO2，因子注明年份。"),
        one(18, "外购电量", "electricity_bought", "企业总表外购电量之和。"),
        one(19, "用水量", "water_use", "企业水表之和。"),
    )


def _firms(firms: dict[str, str]) -> Card:
    asks = tuple(queries.newest(Ask(figure, "ytd", tuple(firms), NO_RULES), ("value",), figure) for figure in SHOWN)
    heads = {"scope": "企业", **SHOWN}
    looks = [
        parts.coded("企业", parts.place_words(firms), width=200), parts.linked("企业", "打开企业", ENTERPRISE, "enterprise"),
        *(parts.number(head, "none", 0) for head in SHOWN.values()),
    ]  # fmt: skip
    note = "各企业今年以来，至最近一个完整日；点企业名打开企业板。"
    steps = (*parts.joined("scope", tuple(SHOWN)), parts.renamed(heads))
    return Card(20, "企业能耗、碳排放与用水", note, style.table(looks, sort="-当量值 tce"), asks, span="400d", transformations=steps)


def _months(firms: dict[str, str], number: int, title: str, figure: str) -> Card:
    ask = Ask(figure, "month", tuple(firms), NO_RULES)
    look = style.lines(parts.unit(FIGURES[figure].unit), overrides=style.coloured(firms), drawStyle="bars", fillOpacity=80, lineWidth=1, showPoints="never")
    return Card(number, title, f"各企业每月{FIGURES[figure].zh}，时间为当月最后一天。", look, (queries.series(ask),), span="400d")


def _days(firms: dict[str, str], number: int, title: str, figure: str) -> Card:
    ask = Ask(figure, "day", tuple(firms), NO_RULES)
    look = style.lines(parts.unit(FIGURES[figure].unit), overrides=style.coloured(firms))
    return Card(number, title, f"各企业每日{FIGURES[figure].zh}。", look, (queries.series(ask),), span="62d")


def _complete(bureau: Bureau) -> Card:
    ask = Ask("meter_capture", "day", rules=NO_RULES)
    edges = style.steps((None, style.BAD), (SHARE, style.GOOD))
    look = style.bars("percent", edges, high=100, overrides=style.titled(bureau.names))
    return Card(
        16,
        "昨日计量数据完整率",
        f"最近一个完整日各表收到的读数占应到的比例；低于 {SHARE}% 不完整，三个工作日内修复补传。",
        look,
        (queries.series(ask),),
        span="49h",
    )


def _quota(bureau: Bureau) -> tuple[Card, ...]:
    """Efficiency leaders and quotas of two-high lines."""
    names = {one.id: f"{bureau.registry.name_of(one.enterprise)} {one.product}" for one in bureau.registry.lines.values()}
    return tuple(
        Card(
            30 + number,
            title,
            note,
            style.bars(unit, style.PLAIN, overrides=style.titled(names)),
            (queries.series(Ask(figure, "ytd", rules=NO_RULES)),),
            span="400d",
        )
        for number, (figure, title, note, unit) in enumerate(QUOTA)
    )


def _loss(bureau: Bureau) -> Card:
    known = bureau.registry
    names = {f"{figure} {one.id}": f"{one.name} {LOSSES[figure]}" for one in known.enterprises.values() for figure in ("electricity_loss", "water_loss")}
    names |= {f"meter_loss {one.behind}": f"{bureau.names[one.behind]} {LOSSES['meter_loss']}" for one in known.meters.values() if one.behind}
    look = style.lines("percent", overrides=style.coloured(names))
    note = "总表与其后各分表之差占总表的比例；持续过大是漏计或损耗，为负是倍率或接线有误。登记了允许范围（loss_low、loss_high）的企业，连续两日超出即告警。"
    return Card(34, "逐日平衡差（电、水、分表）", note, look, (parts.losses(),), span="62d")

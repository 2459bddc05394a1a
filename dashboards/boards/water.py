"""水: sections and the county's waters: class over time, parameters against their limits, nitrogen against 2020, breaches, corrections."""

from __future__ import annotations

from itertools import chain, permutations

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.boards.overview import restated
from dashboards.county import Bureau
from dashboards.parts import WATER
from dashboards.queries import NO_RULES, Ask
from dashboards.stored import WATER as FIGURES_OF_WATER
from domain.indicators import FIGURES
from domain.items import ITEMS
from domain.water import CLASSES, DECIDING, GRADES, MAIN_ITEMS, RULE_SET, RUNGS, TABLE

SECTION = "$section"
GRADE_COLOURS = (style.GOOD, style.FAIR, style.WARN, style.BAD, style.BAD)
BREACH = "class-breach"
MEANS = {f"{item}_mean": item for item in DECIDING}
BASELINE = 100
"""Per cent: as much as in 2020."""
POINT_OVER = "point-over"
LEVEL = {"scope": "断面或井", "status": "状态", "value": "等级"}
LEVEL_COLOURS = (style.GOOD, style.WARN, style.BAD)
OVER = {"source": "排口", "Time": "首次超标", "value": "最大倍数", "item": "项目", "average": "口径", "limit": "限值", "worst": "最大值", "hours": "小时数"}
EVENT = {"Time": "开始", "source": "断面", "value": "最差类别", "to": "结束", "item": "项目", "multiple": "超标倍数", "records": "记录数"}


def water(bureau: Bureau) -> Board:
    """Sections of rivers and lakes, and the county's waters."""
    names = {one.id: one.name for one in bureau.registry.water_sections.values()}
    bands = (
        Band(5, _county(bureau), title="全区水体"),
        Band(8, (_classes(names),), title="断面类别"),
        Band(8, (_months(names),)),
        Band(9, (_means(names), _breaches(names)), title="参数与超标"),
        Band(8, (_nitrogen(names), _exceedance(names)), title="总氮与主要污染"),
        Band(8, (*_levels(bureau), *_points(bureau)), title="水位与排口"),
        Band(8, (restated(bureau, 200, tuple(FIGURES_OF_WATER)),), title="更正"),
    )
    return Board(WATER, "水", _note(bureau), bands, parts.section(bureau), since="now-90d")


def _note(bureau: Bureau) -> str:
    return "\n".join(
        [
            f"地表水：{len(bureau.registry.water_sections)} 个断面的类别、参数、总氮和更正。",
            "",
            "- **来源**：自动站每 4 小时一条记录；每条的类别由显示值判定。",
            "- **方法**：溶解氧、高锰酸盐指数、氨氮、总磷中最差者（GB 3838-2002 表 1）；总氮和 pH 不参与判定；湖库总磷限值更严。",
            "- **时段**：月均值为有效值的均值，季、年为各月均值的均值；一月有效不足 20 天记为不完整。",
            f"- **状况**：{'、'.join(zh for zh, _ in GRADES.values())}；不足 5 个断面时按均值判定（环办〔2011〕22 号）。",
            "- **责任单位**：生态环境主管部门；水利主管部门。",
        ],
    )


def _county(bureau: Bureau) -> tuple[Card, ...]:
    def one(number: int, title: str, figure: str, note: str, look: style.Look) -> Card:
        return Card(number, title, note, look, (queries.series(Ask(figure, "ytd", bureau.scope, RULE_SET), alias=title),), span="400d")

    grades = style.words({str(number): (zh, colour) for number, ((zh, _), colour) in enumerate(zip(GRADES.values(), GRADE_COLOURS, strict=True), 1)})
    return (
        one(10, "优良水体比例", "water_good_ratio", "年初至今均值为Ⅰ至Ⅲ类的断面占有类别断面的比例。", style.stat("percent", style.PLAIN, decimals=1)),
        one(11, "水质状况", "water_quality", "全区水体状况，年初至今。", style.stat("none", style.PLAIN, mappings=grades, text="value")),
    )


def _classes(names: dict[str, str]) -> Card:
    ask = Ask("water_class", "hour", SECTION, RULE_SET)
    note = "各断面每条记录的类别；补全营养盐后可能被修正。"
    return Card(12, "断面类别（每 4 小时）", note, style.states(style.water_words(), overrides=style.titled(names)), (queries.series(ask),), span="14d")


def _months(names: dict[str, str]) -> Card:
    ask = Ask("water_class", "month", SECTION, RULE_SET)
    look = style.history(style.water_words(), style.PLAIN, overrides=style.titled(names))
    return Card(13, "断面类别（逐月）", "各月均值的类别，时间为当月最后一天。", look, (queries.series(ask),), span="400d")


def _means(names: dict[str, str]) -> Card:
    shown = (*MEANS, "tn_mean", "water_class")
    asks = tuple(queries.newest(Ask(figure, "ytd", SECTION, RULE_SET), ("value",), figure) for figure in shown)
    heads = {"scope": "断面", "water_class": "类别", **{figure: FIGURES[figure].zh.removesuffix("均值") for figure in (*MEANS, "tn_mean")}}
    limits = [
        style.override(
            heads[figure], ("custom.cellOptions", {"type": "color-background", "mode": "basic"}), ("decimals", FIGURES[figure].digits),
            ("color", {"mode": "thresholds"}), ("thresholds", {"mode": "absolute", "steps": class_steps(item)}),
        )
        for figure, item in MEANS.items()
    ]  # fmt: skip
    looks = [parts.coded("断面", parts.place_words(names), width=140), parts.coded("类别", style.water_words(), coloured=True, width=90), *limits]
    note = "年初至今均值，mg/L；底色为该参数单项所达类别（河流限值，湖库总磷更严，以类别列为准）。总氮不参与判定。"
    return Card(
        14, "断面参数与限值（年初至今）", note, style.table(looks), asks, 1, span="400d", transformations=(*parts.joined("scope", shown), parts.renamed(heads))
    )


def class_steps(item: str) -> style.Steps:
    """Colours of the classes at one item's limits; oxygen is better the more there is."""
    bounds = [float(limit) for limit in TABLE[item]]
    colours = style.WATER_COLOURS
    if item == "do":
        return style.steps((None, colours[-1]), *zip(reversed(bounds), reversed(colours[:-1]), strict=True))
    return style.steps((None, colours[0]), *zip(bounds, colours[1:], strict=True))


def _breaches(names: dict[str, str]) -> Card:
    classes = style.words({str(number): (f"{name}类", None) for number, name in enumerate(CLASSES, 1)})
    looks = [
        parts.coded("断面", parts.place_words(names), width=140),
        parts.coded("最差类别", classes, width=90),
        parts.when("开始"),
        parts.when("结束"),
        parts.coded("项目", parts.item_words("water"), width=130),
        parts.wide("超标倍数", 80),
    ]
    note = "断面低于规划类别底线的每一次：开始、最差类别、结束、项目、倍数、记录数。"
    chosen = queries.events((BREACH,), 100, ("source", "value", "text"))
    return Card(
        15,
        "超类别记录",
        note,
        style.table(looks, empty="没有超类别"),
        (chosen,),
        1,
        span="400d",
        transformations=(parts.EXTRACTED, parts.instants("to"), parts.renamed(EVENT, ("text",))),
    )


def _levels(bureau: Bureau) -> tuple[Card, ...]:
    """State of levels and flows at the newest record of each section and well."""
    ask = Ask("water_level_state", "day", rules=NO_RULES)
    words = style.words({code: (zh, LEVEL_COLOURS[grade]) for code, (grade, zh, _) in RUNGS.items()})
    looks = [parts.coded("断面或井", parts.place_words(bureau.names), width=160), parts.coded("状态", words, coloured=True, width=110)]
    note = "各断面和地下水井最新记录的水位、流量状态：警戒值、保证值、涨速、最低水位均取自登记册。"
    chosen = queries.newest(ask, ("value", "status"))
    return (Card(19, "水位状态", note, style.table(looks, sort="-等级"), (chosen,), span="50h", transformations=(parts.renamed(LEVEL),)),)


def _points(bureau: Bureau) -> tuple[Card, ...]:
    """Permit points: who was over a limit, and how many are supervised."""
    if not bureau.registry.points:
        return ()
    looks = [
        parts.coded("排口", parts.place_words(bureau.names), width=160),
        parts.when("首次超标"),
        parts.number("最大倍数", decimals=2, width=90),
        parts.coded("项目", parts.item_words("point"), width=120),
        parts.coded("口径", parts.period_words(), width=70),
        *(parts.wide(head, 80) for head in ("限值", "最大值", "小时数")),
    ]
    note = "许可限值的每一次超标，按排口、项目和日；企业标记无效并说明原因的小时不计入。"
    chosen = queries.events((POINT_OVER,), 100, ("source", "value", "text"))
    steps = (parts.EXTRACTED, parts.renamed(OVER, ("text", "unit", "at", "from", "multiple")))
    share = queries.series(Ask("point_supervision", "day", bureau.scope, NO_RULES), alias="排口监管率")
    edges = style.steps((None, style.BAD), (100, style.GOOD))
    why = "数据完整（近 30 日 90% 以上）且排污许可有效的排口，占登记排口的比例。"
    return (
        Card(20, "排口超标", note, style.table(looks, empty="没有超标"), (chosen,), 2, span="400d", transformations=steps),
        Card(21, "排口监管率", why, style.stat("percent", edges, decimals=1), (share,), span="30d"),
    )


def _nitrogen(names: dict[str, str]) -> Card:
    ask = Ask("tn_ratio", "ytd", SECTION, RULE_SET)
    edges = style.steps((None, style.GOOD), (BASELINE, style.BAD))
    look = style.lines("percent", edges, overrides=style.coloured(names), thresholdsStyleMode="line")
    return Card(
        16, "总氮与 2020 年之比", "年初至今总氮均值占 2020 年均值的百分比；高于 100% 为增长（规划要求负增长）。", look, (queries.series(ask),), span="400d"
    )


def _exceedance(names: dict[str, str]) -> Card:
    ask = Ask("water_exceedance", "month", SECTION, RULE_SET)
    heads = {"Time": "月份", "scope": "断面", "value": "超Ⅲ类倍数", "text": "主要污染指标"}
    looks = [
        parts.coded("断面", parts.place_words(names)),
        style.override("月份", ("unit", "time:YYYY-MM")),
        parts.number("超Ⅲ类倍数", decimals=1),
        parts.coded("主要污染指标", _main_words()),
    ]
    chosen = queries.rows(ask, ("scope", "value", "text"), 100)
    return Card(
        17, "主要污染指标（逐月）", "各月超Ⅲ类的最大倍数和主要污染指标。", style.table(looks), (chosen,), span="400d", transformations=(parts.renamed(heads),)
    )


def _main_words() -> list[dict[str, object]]:
    """Main items with their multiples, ``tp(0.6)+do``, in words: a mapping replaces whole texts, so there is one for each order of items."""
    found: list[dict[str, object]] = []
    for some in chain.from_iterable(permutations(DECIDING, count) for count in range(1, MAIN_ITEMS + 1)):
        pattern = "\\+".join(f"{name}(\\([0-9.]+\\))?" for name in some)
        text = "、".join(f"{ITEMS['water', name].zh}${place}" for place, name in enumerate(some, 1))
        found.append({"type": "regex", "options": {"pattern": f"/^{pattern}$/", "result": {"index": len(found), "text": text}}})
    return found

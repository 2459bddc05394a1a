"""企业: one firm: its energy, its meters hour by hour, their events, treatment beside production."""

from __future__ import annotations

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.county import Bureau
from dashboards.parts import CLUES, ENTERPRISE, ORDER
from dashboards.queries import NO_RULES, Ask
from domain.codes import METER_EVENTS
from domain.energy import SHARE
from domain.indicators import FIGURES

FIRM = "$enterprise"
METER = "$meter"
EVENT = {"Time": "时间", "kind": "事件", "source": "计量表", "value": "有效", "text": "内容"}

NOTE = (
    "一家企业：能耗、计量表、事件、生产与治污。",
    "",
    "- **来源**：计量表累计读数；小时用量由相邻读数之差按时间分摊，缺口的总量已知、分时为估算。",
    "- **方法**：能量守恒：区间之和等于末读数减首读数（加翻转和换表）；有疑义的读数由人判断，不猜测。",
    "- **事件**：归零、翻转、换表、缺口、停走、倒走、尖峰、超功率、待判断；「有效」为 0 表示被后来的读数解释并撤销。",
    "- **生产与治污**：曲线并列只是线索，不是结论；15 分钟数据看不到几分钟的停运。",
    "- **责任单位**：企业与运维；监管由生态环境、工业和信息化主管部门负责。",
)


def enterprise(bureau: Bureau) -> Board:
    """One enterprise at a time."""
    electric = tuple(name for name, one in bureau.registry.meters.items() if one.medium == "electricity")
    others = tuple(name for name in bureau.registry.meters if name not in electric)
    bands = (
        Band(5, _year(), title="所选企业 · 今年"),
        Band(8, (_months(),)),
        Band(9, _use(bureau, electric, others), title="所选计量表"),
        Band(9, _pairs(bureau), title="生产与治污"),
        Band(9, (_clues(bureau), _orders(bureau)), title="用电监控线索与预警管控"),
        Band(8, (_ordered(),)),
        Band(9, (_events(bureau), _capture(bureau)), title="事件与完整性"),
    )
    return Board(ENTERPRISE, "企业", _note(), bands, parts.enterprise(bureau), since="now-62d")


def _note() -> str:
    return "\n".join(NOTE)


def _year() -> tuple[Card, ...]:
    def one(number: int, title: str, figure: str) -> Card:
        look = style.stat(parts.unit(FIGURES[figure].unit), style.PLAIN, decimals=0)
        return Card(
            number,
            title,
            f"所选企业今年以来的{FIGURES[figure].zh}，至最近一个完整日。",
            look,
            (queries.series(Ask(figure, "ytd", FIRM, NO_RULES), alias=title),),
            span="400d",
        )

    return one(10, "综合能耗（当量值）", "energy_tce"), one(11, "综合能耗（等价值）", "energy_equal"), one(12, "碳排放", "co2"), one(13, "用水量", "water_use")


def _months() -> Card:
    asks = tuple(queries.series(Ask(figure, "month", FIRM, NO_RULES), alias=FIGURES[figure].zh) for figure in ("energy_equal", "energy_tce"))
    overrides = [
        style.override(FIGURES[figure].zh, ("color", style.fixed(colour))) for figure, colour in (("energy_equal", style.FAIR), ("energy_tce", style.GOOD))
    ]
    look = style.lines(parts.unit("tce"), overrides=overrides, drawStyle="bars", fillOpacity=80, lineWidth=1, showPoints="never")
    return Card(20, "逐月综合能耗", "当量值与等价值并列，时间为当月最后一天。", look, asks, span="400d")


def _use(bureau: Bureau, electric: tuple[str, ...], others: tuple[str, ...]) -> tuple[Card, ...]:
    def one(number: int, title: str, meters: tuple[str, ...], unit: str) -> Card:
        ask = Ask("meter_use", "hour", METER, NO_RULES, within=meters)
        return Card(number, title, "所选计量表每小时用量（登记单位）。", style.lines(unit, overrides=_own(bureau, meters)), (queries.series(ask),), span="7d")

    found = [one(21, "每小时用电", electric, "kwatth")] if electric else []
    return (*found, *([one(22, "每小时用水、用气、用热（登记单位）", others, "none")] if others else []))


def _own(bureau: Bureau, meters: tuple[str, ...]) -> list[dict[str, object]]:
    """Names and colours of meters; each enterprise begins with the first colour, for the board shows one."""
    firms = dict.fromkeys(bureau.registry.meters[name].enterprise for name in meters)
    groups = [{name: bureau.names[name] for name in meters if bureau.registry.meters[name].enterprise == firm} for firm in firms]
    return [one for group in groups for one in style.coloured(group)]


def _pairs(bureau: Bureau) -> tuple[Card, ...]:
    """Each treatment meter beside the production meter that it belongs to."""
    pairs = {name: one.treats for name, one in bureau.registry.meters.items() if one.treats}
    both = tuple(dict.fromkeys(name for pair in pairs.items() for name in pair if name))
    if not both:
        return ()
    ask = Ask("meter_use", "hour", METER, NO_RULES, within=both)
    roles = {name: f"{bureau.names[name]}（{'治污' if name in pairs else '生产'}）" for name in both}
    note = "所选计量表中成对的生产与治污用电；生产在用而治污长时间为零是线索，须现场核实。"
    return (Card(23, "生产与治污用电", note, style.lines("kwatth", overrides=style.coloured(roles)), (queries.series(ask),), span="7d"),)


def _events(bureau: Bureau) -> Card:
    words = style.words({kind: (zh, None) for kind, (zh, _) in METER_EVENTS.items()})
    looks = [
        parts.coded("计量表", parts.place_words(bureau.names), width=170),
        parts.coded("事件", words, width=120),
        parts.when("时间"),
        parts.wide("有效", 60),
    ]
    note = "所选计量表的事件，新的在前。"
    chosen = queries.events(tuple(METER_EVENTS), 300, source=METER)
    return Card(14, "计量表事件", note, style.table(looks, empty="没有事件"), (chosen,), 3, span="400d", transformations=(parts.renamed(EVENT),))


def _answered(title: str) -> list[dict[str, object]]:
    return [parts.when("时间"), parts.coded(title, style.words({"1": ("待答复", None), "0": ("已答复", None)}), width=80)]


def _clues(bureau: Bureau) -> Card:
    """Clues of all enterprises, newest first; a click on the list of the API or ``lanbi clues list`` gives curves and trail."""
    looks = [
        parts.coded("对象", parts.place_words(bureau.names), width=170),
        parts.coded("线索", style.words({kind: (zh, None) for kind, zh in CLUES.items()}), width=260),
        *_answered("状态"),
    ]
    heads = {"Time": "时间", "kind": "线索", "source": "对象", "value": "状态"}
    note = "用电监控线索（E1–E5），新的在前；只是线索，不是结论，须现场核实后用 lanbi clues 说明或核实。"
    chosen = queries.events(tuple(CLUES), 300, ("kind", "source", "value"))
    return Card(25, "用电监控线索", note, style.table(looks, empty="没有线索"), (chosen,), 2, span="92d", transformations=(parts.renamed(heads),))


def _orders(bureau: Bureau) -> Card:
    looks = [parts.coded("企业", parts.place_words(bureau.names), width=170), *_answered("回执")]
    heads = {"Time": "时间", "source": "企业", "value": "回执"}
    chosen = queries.events((ORDER,), 300, ("source", "value"))
    return Card(
        26,
        "管控指令与回执",
        "每条指令每家企业一行，企业确认后为已答复。",
        style.table(looks, empty="没有指令"),
        (chosen,),
        span="92d",
        transformations=(parts.renamed(heads),),
    )


def _ordered() -> Card:
    """Load under orders beside what was allowed."""
    ask = Ask("order_load", "hour", FIRM, NO_RULES)
    asks = (queries.series(ask, alias="用电量"), queries.series(ask, ("target",), alias="允许负荷"))
    note = "管控时段每小时用电量与允许负荷（平时同小时中位数 × 允许比例）；是否违反看线索，不凭单个小时。"
    return Card(27, "管控时段用电量", note, style.lines("kwatth", overrides=style.named("用电量", "允许负荷")), asks, span="92d")


def _capture(bureau: Bureau) -> Card:
    ask = Ask("meter_capture", "month", METER, NO_RULES)
    edges = style.steps((None, style.BAD), (SHARE, style.GOOD))
    look = style.bars("percent", edges, high=100, overrides=style.titled(bureau.names))
    return Card(24, "计量数据完整率（最近一月）", f"收到的读数占应到的比例；低于 {SHARE}% 不完整。", look, (queries.series(ask),), 2, span="62d")

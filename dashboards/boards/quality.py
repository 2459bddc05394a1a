"""数据质量: can these numbers be trusted: who is late, which hours count, what was refused, what was changed afterwards."""

from __future__ import annotations

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.boards.overview import SILENT, fresh_words, restated
from dashboards.county import Bureau
from dashboards.parts import QUALITY
from dashboards.queries import BASIS, NO_RULES, Ask
from domain.air import DAY_HOURS
from domain.alarms import ALARMS, DRIFTS
from domain.ledger import STATES
from domain.restating import ANNOUNCED, CONFIRMED, WITHDRAWN

EVENT = {"Time": "时间", "kind": "事件", "source": "对象", "value": "个数", "text": "内容"}
SENSOR = {"scope": "对象", "value": "未了结"}
ALARM = {"Time": "时间", "kind": "事件", "source": "对象", "item": "项目", "amount": "大小", "unit": "单位", "onset": "起始"}
AUDITED = ("text", "size", "detected", "beside", "effect", "from", "to", "hours", "value", "per_day", "numbers")
"""What only an auditor asks for; the API has it."""
SENSOR_KINDS = (*DRIFTS, "stuck", "probe-drift", "probe-shift")
LOST_HOURS = 24 - DAY_HOURS
SHOWN = (("ingest_refused", "过去一小时"), ("ingest_deadletter", "死信（累计）"), ("ingest_quarantined", "待审（累计）"))


def quality(bureau: Bureau) -> Board:
    """Freshness, validity, refusals and corrections."""
    stations = {bureau.scope: bureau.registry.county.name, **{one.id: one.name for one in bureau.registry.air_stations.values()}}
    bands = (
        Band(10, (_fresh(bureau), _timeline(bureau)), title="新鲜度：谁没有按时上报"),
        Band(8, (_lost(stations), _capture(stations)), title="有效性"),
        Band(8, (_days(stations), _refused(bureau)), title="完整性台账与拒收"),
        Band(8, (_sensors(bureau), _alarms(bureau)), title="传感器告警"),
        Band(9, (restated(bureau, 200),), title="更正与确认"),
        Band(8, (_said(bureau),)),
    )
    return Board(QUALITY, "数据质量", _note(bureau), bands, (*parts.station(bureau), parts.rules(bureau), parts.basis()), since="now-31d")


def _note(bureau: Bureau) -> str:
    return "\n".join(
        [
            f"{bureau.registry.county.name}的数据质量：新鲜度、有效小时、拒收、更正。",
            "",
            "- **来源**：接收进程的最新读数（新鲜度）、完整性台账、更正记录。",
            "- **方法**：读数应到而未到，宽限为间隔的四分之一、至少 10 分钟；缺一次为迟到，缺两次为静默。",
            f"- **依据**：日均值至少 {DAY_HOURS} 个有效小时（GB 3095、HJ 663）；年评价至少 324 个有效日。",
            "- **责任单位**：监测站；设备由运维单位负责。",
        ],
    )


def _fresh(bureau: Bureau) -> Card:
    ask = Ask("freshness", "hour", rules=NO_RULES)
    looks = [
        parts.coded("来源", parts.place_words(bureau.names), width=180),
        parts.coded("状态", fresh_words(), coloured=True),
        parts.number("缺报次数", decimals=0, width=90),
        style.override("时间", ("unit", "time:MM-DD HH:mm"), ("custom.width", 110)),
    ]
    note = "所有登记来源的状态，缺报多的在前。"
    return Card(
        10, "各来源状态", note, style.table(looks, sort="-缺报次数"), (queries.newest(ask, ("value", "status")),), 2, span="26h", transformations=(parts.renamed(SILENT),)
    )  # fmt: skip


def _timeline(bureau: Bureau) -> Card:
    places = tuple(name for name in bureau.registry.kinds if name not in bureau.registry.meters)
    ask = Ask("freshness", "hour", places, rules=NO_RULES)
    look = style.states(fresh_words(), overrides=style.titled(bureau.names))
    return Card(11, "状态变化（站点、断面、排口、井）", "各来源何时迟到、静默、恢复；计量表见左表。", look, (queries.series(ask, ("status",)),), 3, span="7d")


def _lost(names: dict[str, str]) -> Card:
    ask = Ask("lost_hours", "day", "$station", NO_RULES)
    edges = style.steps((None, style.GOOD), (1, style.FAIR), (LOST_HOURS + 1, style.BAD))
    note = f"每日缺失的小时数；超过 {LOST_HOURS} 个小时，当日该项均值无效。"
    return Card(12, "每日缺失小时", note, style.history([], edges, overrides=style.titled(names)), (queries.series(ask),), 3, span="31d")


def _capture(names: dict[str, str]) -> Card:
    ask = Ask("data_capture", "ytd", "$station", basis=BASIS)
    edges = style.steps((None, style.BAD), (90, style.GOOD))
    note = "年初至今有 AQI 的天数占日历天数的比例。"
    return Card(13, "数据有效率", note, style.bars("percent", edges, high=100, overrides=style.titled(names)), (queries.series(ask),), 2, span="400d")


def _days(names: dict[str, str]) -> Card:
    ask = Ask("lost_days", "month", "$station", NO_RULES)
    words = style.words({code: (text[0], None) for code, text in STATES.items()})
    heads = {"scope": "站点", "Time": "月份（月末）", "value": "无效天数", "status": "状态"}
    looks = [parts.coded("站点", parts.place_words(names), width=160), parts.coded("状态", words), style.override("月份（月末）", ("unit", "time:YYYY-MM"))]
    note = "各月无效天数和该月是否仍可有效（完整性台账）。"
    chosen = queries.rows(ask, ("scope", "value", "status"), 200)
    return Card(14, "逐月无效天数", note, style.table(looks), (chosen,), span="400d", transformations=(parts.renamed(heads),))


def _refused(bureau: Bureau) -> Card:
    asks = tuple(queries.series(Ask(figure, "hour", bureau.scope, NO_RULES), alias=title) for figure, title in SHOWN)
    note = "被拒收（死信）和待人工判断的读数：过去一小时的和累计的；原因和重放见接口 /api/v1/deadletters 或 lanbi deadletters。"
    return Card(15, "拒收与待审", note, style.lines("none", overrides=style.named(*(title for _, title in SHOWN))), asks)


def _sensors(bureau: Bureau) -> Card:
    """How many alarms of each place nobody has settled."""
    ask = Ask("sensor_alarms", "day", rules=NO_RULES)
    looks = [parts.coded("对象", parts.place_words(bureau.names), width=180), parts.number("未了结", decimals=0)]
    note = "近 14 天的漂移、突跳、停滞告警，尚未判为误报或已知作业的个数。"
    chosen = queries.newest(ask, ("value",))
    return Card(17, "未了结的告警", note, style.table(looks, sort="-未了结"), (chosen,), span="26h", transformations=(parts.renamed(SENSOR, ("Time",)),))


def _alarms(bureau: Bureau) -> Card:
    """What the watches of sensors told."""
    words = style.words({kind: (ALARMS[kind].zh, style.WARN) for kind in SENSOR_KINDS})
    looks = [
        parts.coded("事件", words, coloured=True, width=180),
        parts.coded("对象", parts.place_words(bureau.names), width=130),
        parts.coded("项目", parts.item_words("air", "water"), width=150),
        parts.number("大小", width=70),
        parts.wide("单位", 60),
        parts.when("起始"),
        parts.when("时间"),
    ]
    note = "漂移、突跳、停滞、采样口受干扰：何时发现、项目、大小（停滞为小时数）、自何时起；判定用 lanbi alarms judge 或接口 /api/v1/desk/verdicts。"
    chosen = queries.events(SENSOR_KINDS, 100, called="amount")
    steps = (parts.EXTRACTED, parts.instants("onset"), parts.renamed(ALARM, AUDITED))
    return Card(19, "传感器告警", note, style.table(looks), (chosen,), 2, span="400d", transformations=steps)


def _said(bureau: Bureau) -> Card:
    kinds = (ANNOUNCED, CONFIRMED, WITHDRAWN)
    words = style.words({ANNOUNCED: ("已确认数值被更正", style.BAD), CONFIRMED: ("确认", style.GOOD), WITHDRAWN: ("撤回确认", style.WARN)})
    looks = [
        parts.coded("事件", words, coloured=True, width=180),
        parts.coded("对象", parts.place_words(bureau.names), width=150),
        parts.wide("个数", 70),
        parts.when("时间"),
    ]
    note = "每月数值的确认、撤回，以及已确认数值的更正公告。"
    return Card(16, "确认与公告", note, style.table(looks), (queries.events(kinds, 100),), span="400d", transformations=(parts.renamed(EVENT),))

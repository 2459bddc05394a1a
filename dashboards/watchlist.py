"""What raises an alert: one row a question, many instances by scope. Limits come from the plans, the law's tables and the settings.

The text of a rule says what happened, since when, against which threshold, and what to do: who is woken at night reads nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dashboards import queries
from dashboards.county import Bureau
from dashboards.parts import AIR, CLUES, ENERGY, ENTERPRISE, FIRST_TARGET, METER_FAULTS, ORDER, OVERVIEW, QUALITY, REPORTED_PANEL, SYSTEM, goal, losses
from dashboards.parts import WATER as WATER_BOARD
from dashboards.queries import HOURLY, NO_RULES, Ask, Select
from dashboards.stored import WATER, Need, rule_set
from domain.air import DAY_HOURS, LEVELS
from domain.energy import SHARE as METER_SHARE
from domain.restating import ANNOUNCED
from domain.targets import ASPIRATION, GRAVITY, Target
from domain.water import CLASSES, RULE_SET
from domain.wellness import REFUSED, ROOM_DAYS, WAITING_S

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
REPORTS_S: Final = 200 * DAY_S
"""A quarter's report stands under its last day and comes weeks after it: the one before may be half a year old by then."""
OUTPUTS_S: Final = 100 * DAY_S
"""Output of a line is stated month by month, weeks after its end."""
DAILY_S: Final = 3 * DAY_S
"""A figure of a closed day stands at its beginning and comes an hour after its end: 49 h old before the next one is there."""
PLATFORM: Final = "platform"
STATION: Final = "station"
BUREAU: Final = "bureau"
TEAMS_ZH: Final = MappingProxyType({PLATFORM: "平台运维", STATION: "监测站", BUREAU: "生态环境主管部门"})
"""Teams that are no departments of the plan, in words."""
RISKY: Final = GRAVITY["undecidable"]
"""A state graver than this is at risk or missed; on New Year's Day it is undecidable again."""


@dataclass(frozen=True)
class Watched:
    """A question that is asked every few minutes.

    Attributes
    ----------
    above : bool
        Fires above ``fire`` and recovers below ``recover``; False: the other way round.
    lasting, keep : str
        How long it must last before it fires, and how long it must be over before it is.
    reach : int [s]
        How far back the statement looks: further than the longest regular gap between two rows.
    no_data : str
        What it means that nothing is there at all.
    shown : Select or None
        A second statement with the same labels, whose value the text shows instead of the judged one.
    todo : str
        What to do, in Chinese.
    """

    uid: str
    title: str
    ask: Select
    fire: float
    recover: float
    severity: str
    domain: str
    team: str
    board: str
    panel: int
    summary: str
    todo: str
    above: bool = True
    lasting: str = "0s"
    keep: str = "1h"
    reach: int = 3 * HOUR_S
    no_data: str = "OK"
    shown: Select | None = None
    limits: tuple[str, str] = ("", "")
    """Words for firing and recovering, where the numbers say nothing to a person."""

    @property
    def words(self) -> tuple[str, str]:
        """When it fires and when it recovers, for people."""
        over, under = ("高于", "低于") if self.above else ("低于", "高于")
        fire, recover = self.limits
        return fire or f"{over} {self.fire:g}", recover or f"{under} {self.recover:g}"

    @property
    def owner(self) -> str:
        """Whose task it is, for people."""
        return TEAMS_ZH.get(self.team, self.team)

    @property
    def needs(self) -> tuple[Need, ...]:
        """What must be stored."""
        return (*self.ask.needs, *(self.shown.needs if self.shown else ()))


def watchlist(bureau: Bureau) -> list[Watched]:
    """All questions for a county, also those whose figures are not stored yet."""
    targets = [_target(bureau, target, number) for number, target in enumerate(bureau.followed) if target.kind != ASPIRATION]
    return [
        *targets,
        *_quotas(bureau),
        *_risks(bureau),
        *_budgets(bureau),
        *_air(bureau),
        *_data(bureau),
        *_sensors(),
        *_water(bureau),
        *_meters(bureau),
        *_service(bureau),
    ]


def _slug(target: Target) -> str:
    return target.id.replace(".", "-").replace("_", "-")


def _team(target: Target) -> str:
    return target.departments[0] if target.departments else BUREAU


def _target(bureau: Bureau, target: Target, number: int) -> Watched:
    ask = Ask(f"{target.id}.state", "ytd", bureau.scope, rule_set(bureau.judged[target.id], bureau))
    return Watched(
        f"target-{_slug(target)}", f"目标有风险：{target.name_zh}", queries.series(ask), RISKY, RISKY + 1, "warning", target.id.split(".")[0], _team(target), OVERVIEW,
        FIRST_TARGET + number, f"{target.name_zh}年初至今为 {{{{ $values.W.Value }}}}，目标 {goal(target)}，状态为有风险或未完成",
        "在总览核对实际值、预测区间和余下要求；查是否有更正；按方案部署强化措施并报告责任单位负责人。",
        lasting="30m", keep="72h", reach=DAILY_S, shown=queries.series(ask._replace(figure=target.id)),
        limits=("状态为有风险或未完成", "状态不再是有风险或未完成"),
    )  # fmt: skip


def _quotas(bureau: Bureau) -> Iterator[Watched]:
    """Totals and intensities under the double control, judged on what the authority reports."""
    for target in bureau.told:
        ask = Ask(f"{target.id}.state", "ytd", bureau.scope, NO_RULES, "official")
        yield Watched(
            f"quota-{_slug(target)}", f"双控有风险：{target.name_zh}", queries.series(ask), RISKY, RISKY + 1, "warning", "energy", _team(target), OVERVIEW,
            REPORTED_PANEL, f"{target.name_zh}填报累计为 {{{{ $values.W.Value }}}}，目标 {goal(target)}，用量超前于时间进度或已超出",
            "核对填报值和文件；看能源板各企业用量和逐月变化；与发展改革、水利部门会商，安排重点企业压减或调整计划。",
            lasting="30m", keep="24h", reach=REPORTS_S, shown=queries.series(ask._replace(figure=target.id)),
            limits=("用掉的比例高于已填报时段的比例，或已超出", "用掉的比例回到时间进度以内"),
        )  # fmt: skip


def _risks(bureau: Bureau) -> Iterator[Watched]:
    """The forecast of the year's end; it recovers half-way between the two cuts of the settings."""
    for number, target in enumerate(bureau.followed):
        if bureau.judged[target.id] == "heavy_days" or bureau.judged[target.id] in WATER:
            continue
        ask = Ask(f"{target.id}.risk", "ytd", bureau.scope, bureau.rules)
        yield Watched(
            f"risk-{_slug(target)}", f"预测不达标：{target.name_zh}", queries.series(ask), bureau.at_risk, (bureau.at_risk + bureau.on_course) / 2, "warning",
            target.id.split(".")[0], _team(target), OVERVIEW, FIRST_TARGET + number,
            f"按目前进程，{target.name_zh}年底不达标（{goal(target)}）的概率为 {{{{ $values.B.Value }}}}%",
            "看总览的预测区间和「余下要求」；评估能否通过管控补回；预测只供参考，以实际值为准。",
            lasting="30m", keep="24h", reach=DAILY_S,
        )  # fmt: skip


def _budgets(bureau: Bureau) -> Iterator[Watched]:
    """Days that may still be heavy: 1 or none left; it grows at New Year only."""
    for target in bureau.followed:
        if bureau.judged[target.id] == "heavy_days":
            ask = Ask(f"{target.id}.left", "ytd", bureau.scope, bureau.rules)
            yield Watched(
                f"budget-{_slug(target)}", f"余额将尽：{target.name_zh}", queries.series(ask), 2, 1, "warning", target.id.split(".")[0], _team(target), OVERVIEW, 13,
                f"今年还可发生 {{{{ $values.B.Value }}}} 天，目标 {goal(target)}",
                "进入重污染应对准备：核对预报，预通知减排清单企业，值班加密。", above=False, keep="24h", reach=DAILY_S,
            )  # fmt: skip


def _air(bureau: Bureau) -> list[Watched]:
    heavy, medium = LEVELS[3].top, LEVELS[2].top
    aqi = queries.series(Ask("aqi", "hour", rules=HOURLY))
    allowed = 24 - DAY_HOURS
    return [
        Watched(
            "air-heavy-hour", "重度污染小时", aqi, heavy, medium, "critical", "air", STATION, AIR, 10,
            f"{{{{ $labels.scope }}}} 小时 AQI 为 {{{{ $values.B.Value }}}}，高于 {heavy}（重度污染）",
            "核对相邻站点排除单站异常；查看 24 小时均值和今日余量；按应急预案会商，通知减排清单企业。", lasting="15m", keep="3h",
        ),
        Watched(
            "air-warning-met", "达到重污染预警条件", queries.series(Ask("warning", "hour", bureau.scope, HOURLY)), 1, 1, "critical", "air", BUREAU, AIR, 12,
            "已发生的小时达到 {{ $values.B.Value }} 级预警条件（2 黄、3 橙、4 红）", "预警由市里发布：立即核实是否已收到预警，准备启动相应响应。", keep="6h",
        ),
        Watched(
            "air-day-at-risk", "当日有效性受威胁", queries.series(Ask("lost_hours", "day", rules=NO_RULES)), allowed, allowed, "warning", "quality", STATION, QUALITY, 12,
            f"{{{{ $labels.scope }}}} 当日已缺失 {{{{ $values.B.Value }}}} 小时，超过 {allowed} 小时则日均值无效",
            "在完整性台账看缺失原因；能补传的立即补传；不能补的登记设备故障单。", lasting="10m", keep="0s", reach=30 * HOUR_S,
        ),
        Watched(
            "data-restated-confirmed", "已确认数值被更正", queries.event_series(ANNOUNCED), 0, 1, "warning", "quality", BUREAU, QUALITY, 16,
            "{{ $labels.source }} 有 {{ $values.B.Value }} 个已确认的数值被更正", "在数据质量板查看原值、现值和原因；已上报的报表需补发更正说明。", keep="24h", reach=DAY_S,
        ),
    ]  # fmt: skip


def _data(bureau: Bureau) -> list[Watched]:
    return [
        Watched(
            "source-silent", "来源静默", queries.series(Ask("freshness", "hour", rules=NO_RULES)), 1, 1, "warning", "quality", STATION, OVERVIEW, 16,
            "{{ $labels.scope }} 已缺报 {{ $values.B.Value }} 次", "查供电、网络、采集器；三个工作日内修复并补传；当天缺失超过 4 小时会使日均值无效。", keep="0s", reach=26 * HOUR_S,
        ),
        Watched(
            "data-refused", "大量读数被拒收", queries.series(Ask("ingest_refused", "hour", bureau.scope, NO_RULES)), REFUSED, REFUSED / 4, "warning", "quality", PLATFORM, QUALITY, 15,
            "过去一小时有 {{ $values.B.Value }} 条读数进入死信或待审", "lanbi deadletters list 看原因；多为单位、时区、未登记设备；修复后 lanbi deadletters replay。", keep="2h",
        ),
    ]  # fmt: skip


def _sensors() -> list[Watched]:
    return [
        Watched(
            "sensor-drift", "传感器漂移或停滞", queries.series(Ask("sensor_alarms", "day", rules=NO_RULES)), 0, 1, "warning", "quality", STATION, QUALITY, 17,
            "{{ $labels.scope }} 有 {{ $values.B.Value }} 个传感器告警尚未了结", "看告警的起始、大小和相邻站；现场核查或校准；用 lanbi alarms judge 判定，确有问题的数据请标记。",
            reach=30 * HOUR_S, limits=("有未了结的告警", "全部判定、撤销或满十四天"),
        ),
    ]  # fmt: skip


def _water(bureau: Bureau) -> Iterator[Watched]:
    """Section worse than the class to be kept, levels at their lines, permit points over a limit."""
    state = queries.series(Ask("water_level_state", "day", rules=NO_RULES))
    for grade, uid, title, severity in (
        (0, "water-level-warning", "水位达到警戒或涨速过快", "warning"),
        (1, "water-level-guarantee", "水位达到保证值", "critical"),
    ):
        yield Watched(
            uid, title, state, grade, grade + 1, severity, "water", BUREAU, WATER_BOARD, 19, "{{ $labels.scope }} 水位状态为 {{ $values.B.Value }}（1 警戒、涨速过快或低于最低水位，2 保证）",
            "核对现场水位和流量，排除仪器误差；按防汛或取水管理预案处置，通知水利部门。", keep="0s", reach=50 * HOUR_S,
            limits=("达到登记的警戒、保证或涨速值", "最新记录回到限值以下"),
        )  # fmt: skip
    for limit in _class_limits(bureau):
        yield Watched(
            "water-class-breach", "断面超出规划类别", queries.series(Ask("water_class", "hour", rules=RULE_SET)), limit, limit + 1, "warning", "water", BUREAU, WATER_BOARD, 12,
            f"{{{{ $labels.scope }}}} 最新水质类别为 {{{{ $values.B.Value }}}} 类（1 至 6 为Ⅰ至劣Ⅴ），规划要求不劣于{CLASSES[limit - 1]}类",
            "核对数据是否待补全；查上游排口和来水；安排人工采样，排查污染源。", lasting="2h", keep="8h", reach=26 * HOUR_S,
        )  # fmt: skip
    if bureau.registry.points:
        yield Watched(
            "point-over-limit", "排口超许可限值", queries.event_series("point-over"), 0, 1, "warning", "water", BUREAU, WATER_BOARD, 20,
            "{{ $labels.source }} 超出许可限值，最大超标倍数 {{ $values.B.Value }}", "通知企业说明原因；核对是否应标记；现场检查并留样；涉嫌违法的移交执法。", keep="1h", reach=DAY_S,
            limits=("当日有小时或日均值超限", "一天内没有新的超限，或已标记、更正"),
        )  # fmt: skip


def _class_limits(bureau: Bureau) -> Iterator[int]:
    """The class that every section must keep, by the plan."""
    known = (target.last for target in bureau.followed if bureau.judged[target.id] == "water_class" and target.kind != ASPIRATION)
    yield from [int(value.value) for value in known if value is not None and value.value is not None][:1]


def _meters(bureau: Bureau) -> list[Watched]:
    if not bureau.registry.meters:
        return []
    # A kind of event may be told of a probe too: a standing sensor is the matter of another rule.
    others = sorted({*bureau.registry.air_stations, *bureau.registry.water_sections, *bureau.registry.points, *bureau.registry.wells})
    return [
        *_limits(),
        Watched(
            "meter-incomplete", "计量数据不完整", queries.series(Ask("meter_capture", "day", rules=NO_RULES)), METER_SHARE, METER_SHARE, "warning", "energy", STATION,
            ENERGY, 16, f"{{{{ $labels.scope }}}} 当日数据完整率为 {{{{ $values.B.Value }}}}%，低于 {METER_SHARE}%",
            "通知企业和运维检查采集器；三个工作日内修复并补传，否则当月不完整。", above=False, lasting="6h", keep="0s", reach=DAILY_S,
        ),
        Watched(
            "meter-fault", "计量表异常", queries.event_series(*METER_FAULTS, but=others), 0, 1, "warning", "energy", STATION, ENTERPRISE, 14,
            "{{ $labels.source }} 出现异常：{{ $labels.kind }}", "在企业板看事件明细；换表须补换表单；待人工判断的读数不会自动入账。", keep="1h", reach=3 * DAY_S,
            limits=("出现一条异常事件", "事件被撤销，或三天内没有新的"),
        ),
        Watched(
            "clue-open", "用电监控线索待核实", queries.event_series(*CLUES), 0, 1, "warning", "energy", BUREAU, ENTERPRISE, 25,
            "{{ $labels.source }} 有待核实的线索：{{ $labels.kind }}", "在企业板和 lanbi clues list 看两条曲线；先向企业核实检修、停产，再安排现场检查；用 lanbi clues explain 或 confirm 记录结果。线索不是结论。",
            keep="1h", reach=7 * DAY_S, limits=("出现一条未答复的线索", "线索已说明、已核实或被撤销，或七天内没有新的"),
        ),
        Watched(
            "order-receipt", "管控指令未回执", queries.event_series(ORDER), 0, 1, "critical", "energy", BUREAU, ENTERPRISE, 26,
            "{{ $labels.source }} 尚未确认收到管控指令", "立即电话通知企业负责人；确认后用 lanbi clues receipt 记录。", lasting="30m", keep="0s", reach=3 * DAY_S,
            limits=("指令下达而企业未确认", "企业已确认，或指令已过三天"),
        ),
    ]  # fmt: skip


def _limits() -> list[Watched]:
    """Room below a registered limit, which differs from place to place: a rule has one threshold, so analytics stores the distance."""
    room = ("margin",)
    line, water = Ask("line_consumption", "ytd", rules=NO_RULES), Ask("line_water", "ytd", rules=NO_RULES)
    return [
        Watched(
            "meter-balance", "计量平衡超出允许范围", losses(room), 0, 0, "warning", "energy", STATION, ENERGY, 34,
            "{{ $labels.scope }} 总表与分表的平衡差为 {{ $values.W.Value }}%，超出登记的允许范围", "先查漏计、倍率、接线和换表；再查总表后新增的未计量用能；结果记入企业档案。",
            above=False, lasting="25h", keep="0s", reach=DAILY_S, shown=losses(),
            limits=("连续两日超出登记的 loss_low、loss_high", "最近一日回到允许范围"),
        ),
        Watched(
            "line-baseline", "产品单耗劣于基准水平", queries.series(line, room), 0, 0, "warning", "energy", BUREAU, ENERGY, 30,
            "{{ $labels.scope }} 年初至今产品单耗为 {{ $values.W.Value }} kgce/t，劣于基准水平", "核对产量和计量；通知企业限期改造，按规定执行差别电价或限产；报发展改革部门。",
            above=False, keep="24h", reach=OUTPUTS_S, shown=queries.series(line), limits=("高于登记的基准水平", "不高于基准水平"),
        ),
        Watched(
            "line-water-quota", "产品用水超定额", queries.series(water, room), 0, 0, "warning", "energy", BUREAU, ENERGY, 32,
            "{{ $labels.scope }} 年初至今产品用水单耗为 {{ $values.W.Value }} m³/t，超出用水定额", "核对产量和水表；查漏损和回用；按超定额用水规定处理并报水利部门。",
            above=False, keep="24h", reach=OUTPUTS_S, shown=queries.series(water), limits=("高于登记的用水定额", "不高于用水定额"),
        ),
    ]  # fmt: skip


def _service(bureau: Bureau) -> list[Watched]:
    def ask(figure: str) -> Select:
        return queries.series(Ask(figure, "hour", bureau.scope, NO_RULES))

    return [
        Watched(
            "service-store", "存储不接受写入", ask("store_up"), 1, 0, "critical", "system", PLATFORM, SYSTEM, 11, "接收进程无法写入存储，读数暂存于日志",
            "读数没有丢失；lanbi check --live 看原因（断开、令牌、磁盘）；恢复后自动补写。", above=False, lasting="5m", keep="10m", no_data="NoData", reach=2 * HOUR_S,
        ),
        Watched(
            "service-broker", "MQTT 连接断开", ask("broker_up"), 1, 0, "critical", "system", PLATFORM, SYSTEM, 10, "接收进程未连接 MQTT 服务器，或接收进程已停止",
            "检查 Mosquitto 与接收进程；设备会自行缓存并重发。", above=False, lasting="5m", keep="10m", no_data="NoData", reach=2 * HOUR_S,
        ),
        Watched(
            "service-waiting", "写入积压", ask("ingest_waiting"), WAITING_S, WAITING_S / 2, "warning", "system", PLATFORM, SYSTEM, 13, "最早一条未写入的记录已等待 {{ $values.B.Value }} 秒",
            "看存储状态与写入耗时；积压不丢数据，但看板会滞后。", lasting="5m", keep="30m", no_data="NoData", reach=2 * HOUR_S,
        ),
        Watched(
            "service-law", "守恒律不成立", ask("ingest_unaccounted"), 0, 1, "critical", "system", PLATFORM, SYSTEM, 12, "有 {{ $values.B.Value }} 条读数未入账",
            "立即保存日志文件夹和 state.db 的副本，运行 lanbi reconcile 并报告开发者。", keep="1h", no_data="NoData", reach=2 * HOUR_S,
        ),
        Watched(
            "service-journal", "日志空间不足", ask("journal_days"), ROOM_DAYS, ROOM_DAYS + 10, "warning", "system", PLATFORM, SYSTEM, 14,
            f"按当前增长，日志 {{{{ $values.B.Value }}}} 天后写满（低于 {ROOM_DAYS} 天）", "封存并归档旧日志（lanbi journal archive）或扩容；写满后将停止确认设备消息。",
            above=False, lasting="30m", keep="1h", no_data="NoData", reach=2 * HOUR_S,
        ),
    ]  # fmt: skip

"""系统: is the service itself well: broker, journal, store, and the law that no reading is lost."""

from __future__ import annotations

from dashboards import parts, queries, style
from dashboards.board import Band, Board, Card
from dashboards.county import Bureau
from dashboards.parts import SYSTEM
from dashboards.queries import NO_RULES, Ask
from domain.indicators import FIGURES
from domain.wellness import ROOM_DAYS, SILENCE_S, WAITING_S

LAW = ("ingest_stored", "ingest_duplicate", "ingest_deadletter", "ingest_quarantined", "ingest_pending")
NOTE = (
    "lanbi 自身的运行：接收、日志、存储。",
    "",
    "- **来源**：接收进程的持久累计值和状态文件，由计算进程每小时、状态变化时立即写入。更细的指标见 /metrics。",
    "- **守恒律**：收到 = 存储 + 重复 + 死信 + 待审 + 等待，每次记录都成立。",
    "- **责任单位**：平台运维。存储不可达时，本板与全部告警显示出错，而不是“一切正常”。",
)


def system(bureau: Bureau) -> Board:
    """Ingest, journal, store and the conservation law."""

    def stat(number: int, title: str, figure: str, note: str, look: style.Look) -> Card:
        return Card(number, title, note, look, (queries.series(Ask(figure, "hour", bureau.scope, NO_RULES), alias=title),))

    up = style.words({"1": ("正常", style.GOOD), "0": ("断开", style.BAD)})
    broken = style.steps((None, style.BAD), (1, style.GOOD))
    zero = style.steps((None, style.GOOD), (1, style.BAD))
    bands = (
        Band(
            5,
            (
                stat(10, "MQTT 服务器", "broker_up", "接收进程与 MQTT 服务器的连接。", style.stat("none", broken, mappings=up, text="value")),
                stat(11, "存储", "store_up", "存储是否接受写入。", style.stat("none", broken, mappings=up, text="value")),
                stat(12, "未入账读数", "ingest_unaccounted", "守恒律：收到 − 存储 − 重复 − 死信 − 待审 − 等待，必须为 0。", style.stat("none", zero, decimals=0)),
                stat(13, "最久等待", "ingest_waiting", "最早一条尚未写入存储的记录已等待的时间。", style.stat("s", style.steps((None, style.GOOD), (WAITING_S, style.BAD)))),
                stat(14, "日志可用天数", "journal_days", "按当前增长，日志写满前的天数。", style.stat("suffix: 天", style.steps((None, style.BAD), (ROOM_DAYS, style.GOOD)))),
                stat(15, "服务器静默", "broker_silence", "距上次收到 MQTT 服务器任何报文的时间。", style.stat("s", style.steps((None, style.GOOD), (SILENCE_S, style.BAD)))),
            ),
            title="运行状态",
        ),
        Band(9, (_law(bureau), _received(bureau)), title="守恒律"),
        Band(8, (_line(bureau, 18, "等待写入的读数", "ingest_pending", "已落日志、尚未写入存储的读数。"), _line(bureau, 19, "最久等待", "ingest_waiting", "存储中断时上升，恢复后回零。"))),
    )  # fmt: skip
    return Board(SYSTEM, "系统", _note(), bands, since="now-48h", refresh="1m")


def _note() -> str:
    return "\n".join(NOTE)


def _law(bureau: Bureau) -> Card:
    asks = tuple(queries.series(Ask(figure, "hour", bureau.scope, NO_RULES), alias=FIGURES[figure].zh) for figure in LAW)
    note = "守恒律右侧各项，自日志开始以来的累计读数。"
    return Card(16, "读数的去向（累计）", note, style.lines("none", overrides=style.named(*(FIGURES[figure].zh for figure in LAW))), asks)


def _received(bureau: Bureau) -> Card:
    ask = Ask("ingest_received", "hour", bureau.scope, NO_RULES)
    return Card(
        17,
        "收到的读数（累计）",
        "自日志开始以来收到的读数；斜率为接收速度，变平即停收。",
        style.lines("none", overrides=style.named("收到")),
        (queries.series(ask, alias="收到"),),
    )


def _line(bureau: Bureau, number: int, title: str, figure: str, note: str) -> Card:
    known = FIGURES[figure]
    ask = Ask(figure, "hour", bureau.scope, NO_RULES)
    look = style.lines(parts.unit(known.unit) if known.unit != "s" else "s", overrides=style.named(known.zh))
    return Card(number, title, note, look, (queries.series(ask, alias=known.zh),))

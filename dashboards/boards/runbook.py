"""处置手册: what each alert means and what to do, inside Grafana, so that it opens without any other server."""

from __future__ import annotations

from dashboards import style
from dashboards.board import Band, Board, Card
from dashboards.county import Bureau
from dashboards.rules import RUNBOOK, watched
from dashboards.watchlist import Watched

FIRST = 10
SEVERITY_ZH = {"critical": "紧急", "warning": "警告"}


def runbook(bureau: Bureau) -> Board:
    """One panel an alert rule."""
    kept, left = watched(bureau)
    cards = [Card(FIRST + number, one.title, f"规则 {one.uid}", style.text(_page(one))) for number, one in enumerate(kept)]
    bands = tuple(Band(6, tuple(cards[place : place + 2])) for place in range(0, len(cards), 2))
    note = [
        "每条告警的含义、阈值和处置办法。",
        "",
        "- 告警规则、通知渠道和本手册由 `lanbi dashboards` 生成，不在界面里改；界面里手工加的通知策略会被覆盖。",
        "- 数据源出错或无数据（DatasourceError、DatasourceNoData）发给平台运维，不代表“一切正常”。",
    ]
    missing = [f"- {one.title}：尚未存储 {'、'.join(f'`{need.figure}`' for need in needs)}" for one, needs in left]
    return Board(RUNBOOK, "处置手册", "\n".join([*note, *(["", "未启用的规则：", *missing] if missing else [])]), bands, refresh="")


def _page(one: Watched) -> str:
    return "\n".join(
        [
            f"**{SEVERITY_ZH[one.severity]}** · 责任 {one.owner} · 规则 `{one.uid}`",
            "",
            f"- **触发**：{one.words[0]}，持续 {one.lasting}",
            f"- **解除**：{one.words[1]}，保持 {one.keep}",
            f"- **处置**：{one.todo}",
            f"- [打开相关面板](/d/{one.board}?viewPanel={one.panel})",
        ],
    )

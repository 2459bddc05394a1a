"""A board: bands of cards that flow over 24 columns, variables, links, and a 说明 that tells what is left out and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import grafanalib.core as G  # noqa: N812  as its documentation writes it
from grafanalib.influxdb import InfluxDBTarget

from dashboards import style
from dashboards.county import Bureau
from dashboards.queries import Select
from dashboards.stored import Need, lacking

SOURCE: Final = {"type": "influxdb", "uid": "influxdb-env"}
COLUMNS: Final = 24
NOTE_ID: Final = 1
"""Panel id of the 说明 on every board."""
TAG: Final = "lanbi"
ZONE: Final = "Asia/Shanghai"


class Card(NamedTuple):
    """A panel before it has a place.

    Attributes
    ----------
    id : int
        Number of the panel, by hand: alert rules link to it.
    note : str
        What it shows: source, method, clause.
    width : int
        Its share of the band.
    span : str
        A range of its own (``7d``) instead of the board's.
    links : sequence
        Where a click leads: (title, path behind ``/d/``).
    """

    id: int
    title: str
    note: str
    look: style.Look
    asks: tuple[Select, ...] = ()
    width: int = 1
    span: str = ""
    links: tuple[tuple[str, str], ...] = ()
    transformations: tuple[dict[str, Any], ...] = ()

    @property
    def needs(self) -> list[Need]:
        """What must be stored for it."""
        return [need for ask in self.asks for need in ask.needs]


class Band(NamedTuple):
    """Cards side by side, of one height; with a title it begins a section."""

    height: int
    cards: tuple[Card, ...]
    title: str = ""


class Board(NamedTuple):
    """A board before it is written.

    Attributes
    ----------
    note : str
        Source, method, standard and owner, in Markdown.
    since : str
        Where its time range begins.
    """

    uid: str
    title: str
    note: str
    bands: tuple[Band, ...]
    variables: tuple[Any, ...] = ()
    since: str = "now/y"
    refresh: str = "5m"


def built(board: Board, bureau: Bureau) -> Any:
    """The board as grafanalib's Dashboard, without the cards whose figures are not stored."""
    panels: list[Any] = []
    left: list[tuple[Card, list[Need]]] = []
    top = 0
    for number, band in enumerate(board.bands):
        kept = [card for card in band.cards if not lacking(card.needs, bureau)]
        left += [(card, lacking(card.needs, bureau)) for card in band.cards if card not in kept]
        if not kept:
            continue
        if band.title:
            panels.append(G.RowPanel(title=band.title, id=1000 + number, gridPos=G.GridPos(h=1, w=COLUMNS, x=0, y=top), collapsed=False))
            top += 1
        panels += _placed(kept, band.height, top)
        top += band.height
    note = _note(board, left)
    panels.append(style.text(note)(**_common("说明", "来源、方法、依据、责任单位"), id=NOTE_ID, gridPos=G.GridPos(h=_lines(note), w=COLUMNS, x=0, y=top)))
    return G.Dashboard(
        title=board.title, uid=board.uid, description=board.note.splitlines()[0], panels=panels, tags=[TAG], timezone=ZONE, refresh=board.refresh, editable=False,
        schemaVersion=42, time=G.Time(board.since, "now"), templating=G.Templating(list=[*board.variables]), graphTooltip=G.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        links=[G.DashboardLink(type="dashboards", tags=[TAG], title="看板", includeVars=True, keepTime=True)],
        timePicker=G.TimePicker(refreshIntervals=["1m", "5m", "15m", "1h"], timeOptions=[]),
    )  # fmt: skip


def _placed(cards: Sequence[Card], height: int, top: int) -> list[Any]:
    """Panels of a band; who stays shares the room of who is left out."""
    total, edge, done, found = sum(card.width for card in cards), 0, 0, []
    for card in cards:
        done += card.width
        end = round(COLUMNS * done / total)
        found.append(_panel(card, G.GridPos(h=height, w=end - edge, x=edge, y=top)))
        edge = end
    return found


def _panel(card: Card, place: Any) -> Any:
    targets = [
        InfluxDBTarget(query=ask.text, alias=ask.alias, format="table" if ask.table else "time_series", datasource=SOURCE, refId=chr(ord("A") + number))
        for number, ask in enumerate(card.asks)
    ]
    links = [{"title": title, "url": f"/d/{path}", "targetBlank": False} for title, path in card.links]
    more = {"timeFrom": card.span} if card.span else {}
    own = {"dataSource": SOURCE, "targets": targets} if card.asks else {}
    return card.look(
        **_common(card.title, card.note), **own, **more, id=card.id, gridPos=place, links=links, maxDataPoints=style.POINTS, transformations=[*card.transformations]
    )  # fmt: skip


def _common(title: str, note: str) -> dict[str, Any]:
    return {"title": title, "description": note}


def _note(board: Board, left: Iterable[tuple[Card, list[Need]]]) -> str:
    missing = [f"- **{card.title}**：{'、'.join(dict.fromkeys(f'`{need.figure}`({need.period})' for need in needs))}" for card, needs in left]
    if not missing:
        return board.note
    head = "未显示的面板：本服务尚未存储下列指标，或本区县没有登记相应对象。 Left out, because these figures are not stored:"
    return "\n".join([board.note, "", head, "", *missing])


def _lines(note: str) -> int:
    """Height of a text: a unit of the grid holds about one line and a half."""
    return max(4, 2 + (2 * len(note.splitlines())) // 3)


def choice(name: str, label: str, options: Sequence[tuple[str, str]], *, every: bool = True) -> Any:
    """A variable over registered ids, shown by their names."""
    said = [{"selected": False, "text": text, "value": value} for value, text in options]
    if every:
        current: dict[str, Any] = {"selected": True, "text": ["全部"], "value": ["$__all"]}
        said = [{"selected": True, "text": "全部", "value": "$__all"}, *said]
    else:
        said[0]["selected"] = True
        current = {**said[0]}
    query = ",".join(f"{_plain(text)} : {value}" for value, text in options)
    return _Chosen(name=name, label=label, query=query, type="custom", options=said, includeAll=every, multi=every, refresh=0, current=current)


def _plain(text: str) -> str:
    """A name without what separates options."""
    return text.replace(",", "，").replace(":", "：")


def asked(name: str, label: str, query: Select, current: str) -> Any:
    """A variable whose values the store knows."""
    said = {"selected": True, "text": current, "value": current}
    return _Chosen(name=name, label=label, query=query.text, dataSource=SOURCE, refresh=1, current=said)


class _Chosen(G.Template):  # type: ignore[misc]  # grafanalib has no types
    """A variable whose choice is said outright: grafanalib puts one text into text and value."""

    def __init__(self, current: dict[str, Any], **more: Any) -> None:
        super().__init__(**more)
        self._current = current

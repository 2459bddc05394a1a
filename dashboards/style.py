"""House style: one function a kind of panel, and every colour.

grafanalib 0.7.1 emits several kinds in shapes that Grafana has given up; those are classes of our own here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import grafanalib.core as G  # noqa: N812  as its documentation writes it

from domain.air import LEVELS
from domain.targets import STATUSES
from domain.water import CLASSES

GOOD: Final = "#0072B2"
FAIR: Final = "#56B4E9"
WARN: Final = "#E69F00"
BAD: Final = "#D55E00"
UNKNOWN: Final = "#8E8E8E"
SERIES: Final = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2", "#FFFFFF")
"""Okabe and Ito's palette: blue is well, orange is not, told apart by every eye."""
STATE_COLOURS: Final = {"met": GOOD, "on-course": FAIR, "at-risk": WARN, "missed": BAD, "undecidable": UNKNOWN, "no-target": UNKNOWN}
WARNING_COLOURS: Final = (GOOD, "#F0E442", WARN, BAD)
"""Blue, yellow, orange, red, as warnings are called, in colours that every eye tells apart."""
WATER_COLOURS: Final = (GOOD, GOOD, FAIR, WARN, BAD, "#7A3803")
NO_VALUE: Final = "—"
POINTS: Final = 1_100
"""Points of a panel: three years of days."""

NOTHING: Final = [{"type": "special", "options": {"match": "null", "result": {"text": NO_VALUE, "index": 0}}}]
"""An empty cell is a dash and not the word null."""

Look = Callable[..., Any]
Steps = list[dict[str, object]]


def steps(*edges: tuple[float | None, str]) -> Steps:
    """Thresholds; the first edge is None, below everything."""
    return [{"color": colour, "value": value} for value, colour in edges]


PLAIN: Final = steps((None, FAIR))
"""A figure that is not judged; the darker blue is hard to read on the dark theme."""


def fixed(colour: str) -> dict[str, str]:
    """One colour, whatever the value."""
    return {"mode": "fixed", "fixedColor": colour}


def aqi_steps() -> Steps:
    """Official colours of the AQI (HJ 633) by its class bounds."""
    bounds = [None, *(float(level.top + 1) for level in LEVELS[:-1])]
    return steps(*zip(bounds, (level.colour for level in LEVELS), strict=True))


def words(table: Mapping[str, tuple[str, str | None]]) -> list[dict[str, object]]:
    """Value mapping: code → (text, colour)."""
    options = {code: {"index": index, "text": text, **({"color": colour} if colour else {})} for index, (code, (text, colour)) in enumerate(table.items())}
    return [{"type": "value", "options": options}]


def heads(table: Mapping[str, str]) -> list[dict[str, object]]:
    """A text that begins with a code and a colon begins with words instead; what follows stays."""
    options = [{"pattern": f"/^{code}: /", "result": {"index": index, "text": f"{text}："}} for index, (code, text) in enumerate(table.items())]
    return [{"type": "regex", "options": one} for one in options]


def aqi_words() -> list[dict[str, object]]:
    """Class text on the value itself, so that nobody depends on the colour."""
    low = 0
    found: list[dict[str, object]] = []
    for index, level in enumerate(LEVELS):
        found.append({"type": "range", "options": {"from": low, "to": level.top, "result": {"color": level.colour, "index": index, "text": level.zh}}})
        low = level.top + 1
    return found


def silence(text: str = "无数据") -> list[dict[str, object]]:
    """A state without a code."""
    return [
        {"type": "special", "options": {"match": match, "result": {"text": text, "color": UNKNOWN, "index": 90 + index}}}
        for index, match in enumerate(("empty", "null"))
    ]


def level_words() -> list[dict[str, object]]:
    """Class of the AQI by its number, as the status of a row has it."""
    return [*words({str(number): (level.zh, level.colour) for number, level in enumerate(LEVELS, 1)}), *silence()]


def water_words() -> list[dict[str, object]]:
    """Class of surface water (GB 3838) by its number."""
    return words({str(number): (f"{name}类", colour) for number, (name, colour) in enumerate(zip(CLASSES, WATER_COLOURS, strict=True), 1)})


def state_words() -> list[dict[str, object]]:
    """State of a target by its code."""
    return words({code: (zh, STATE_COLOURS[code]) for code, (zh, _) in STATUSES.items()})


def override(name: str, *properties: tuple[str, object]) -> dict[str, object]:
    """What is different about one field; a name between slashes is a pattern."""
    matcher = {"id": "byRegexp" if name.startswith("/") else "byName", "options": name}
    return {"matcher": matcher, "properties": [{"id": key, "value": value} for key, value in properties]}


def titled(names: Mapping[str, str]) -> list[dict[str, object]]:
    """Series that carry an id are shown under the name that people use."""
    return [override(name, ("displayName", text)) for name, text in names.items() if name != text]


def named(*names: str) -> list[dict[str, object]]:
    """Series that carry their own name, in colours that every eye tells apart."""
    return coloured({name: name for name in names})


def coloured(names: Mapping[str, str]) -> list[dict[str, object]]:
    """The same with colours that every eye tells apart; a second round of them is dashed."""
    found = []
    for place, (name, text) in enumerate(names.items()):
        colour = ("color", fixed(SERIES[place % len(SERIES)]))
        dashed = [("custom.lineStyle", {"fill": "dash", "dash": [8, 5]})] if place >= len(SERIES) else []
        found.append(override(name, ("displayName", text), colour, *dashed))
    return found


def stat(
    unit: str,
    thresholds: Steps,
    *,
    mappings: Sequence[Any] = (),
    decimals: int | None = None,
    text: str = "auto",
    fields: str = "",
    overrides: Sequence[Any] = (),
) -> Look:
    """One figure, large, with its course behind it."""
    return partial(
        G.Stat, format=unit, thresholds=thresholds, mappings=list(mappings), decimals=decimals, noValue=NO_VALUE, reduceCalc="lastNotNull",
        graphMode="area" if text == "auto" else "none", colorMode="value", textMode=text, color={"mode": "thresholds"}, fields=fields, overrides=list(overrides),
    )  # fmt: skip


def lines(unit: str, thresholds: Steps = PLAIN, *, overrides: Sequence[Any] = (), **more: Any) -> Look:
    """Values over time; ``more`` goes to grafanalib's TimeSeries."""
    extra = {"options": {"legend": {"showLegend": True}}}
    # A bar that does not begin at zero lies about its size.
    zero = {"axisSoftMin": 0} if more.get("drawStyle") == "bars" else {}
    chosen = {"showPoints": "never", "lineWidth": 2, "tooltipMode": "multi", **zero, **more}
    return partial(G.TimeSeries, unit=unit, thresholds=thresholds, overrides=list(overrides), extraJson=extra, **chosen)


def marks(thresholds: Steps, mappings: Sequence[Any], top: float) -> Look:
    """Levels over time as dots: a bar would show the colours of the lower levels too."""
    more: dict[str, Any] = {"drawStyle": "points", "pointSize": 9, "showPoints": "always", "colorMode": "thresholds", "gradientMode": "scheme"}
    return lines("none", thresholds, mappings=list(mappings), valueDecimals=0, axisSoftMin=0, axisSoftMax=top, **more)


def columns(unit: str, thresholds: Steps, *, mappings: Sequence[Any] = ()) -> Look:
    """Values over time as bars, coloured by class, with the class bounds as lines."""
    more: dict[str, Any] = {
        "drawStyle": "bars",
        "fillOpacity": 90,
        "lineWidth": 0,
        "colorMode": "thresholds",
        "thresholdsStyleMode": "line",
        "mappings": list(mappings),
        "gradientMode": "scheme",
    }
    return lines(unit, thresholds, **more)


def states(mappings: Sequence[Any], thresholds: Steps = PLAIN, *, overrides: Sequence[Any] = (), unit: str = "") -> Look:
    """Stretches of one state after the other, each with its words."""
    extra = {"options": {"legend": {"showLegend": True}}, "fieldConfig": {"defaults": {"unit": unit}}}
    # Coloured by thresholds a timeline would show the bounds instead of the words.
    return partial(G.StateTimeline, colorMode="palette-classic", mappings=list(mappings), thresholds=thresholds, overrides=list(overrides), extraJson=extra)


def text(content: str) -> Look:
    """Words."""
    return partial(G.Text, content=content, mode="markdown")


class Own(G.Panel):  # type: ignore[misc]  # grafanalib has no types
    """A panel in a shape that grafanalib does not know."""

    def __init__(self, *, kind: str, options: Mapping[str, Any], defaults: Mapping[str, Any], overrides: Sequence[Any], **common: Any) -> None:
        super().__init__(**common)
        self.kind, self.options, self.defaults, self.overrides = kind, options, defaults, overrides

    def to_json_data(self) -> Any:
        """JSON of the panel."""
        config = {"defaults": {**self.defaults}, "overrides": [*self.overrides]}
        return self.panel_json({"type": self.kind, "options": {**self.options}, "fieldConfig": config})


REDUCED: Final = {"calcs": ["lastNotNull"], "fields": "", "values": False}
LEGEND: Final = {"displayMode": "list", "placement": "bottom", "showLegend": True}


def bars(unit: str, thresholds: Steps, *, low: float | None = 0, high: float | None = None, overrides: Sequence[Any] = ()) -> Look:
    """One horizontal bar a series: how much of what there is."""
    defaults: dict[str, object] = {"unit": unit, "noValue": NO_VALUE, "color": {"mode": "thresholds"}, "mappings": [], "min": low, "max": high}
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": REDUCED,
        "showUnfilled": True,
        "valueMode": "color",
        "minVizHeight": 16,
        "minVizWidth": 8,
    }
    return partial(Own, kind="bargauge", options=options, defaults=defaults, overrides=list(overrides), thresholds=thresholds)


UNSURE: Final = "（左上角有红色标记时是查询失败）"
"""Grafana shows the text of an empty table also when the statement failed: an unreachable store must not read as "all is well"."""


def table(overrides: Sequence[Any] = (), *, sort: str = "", unit: str = "none", empty: str = NO_VALUE) -> Look:
    """Rows and columns; what a column looks like stands in the overrides."""
    empty = empty if empty == NO_VALUE else f"{empty}{UNSURE}"
    defaults = {"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False}, "mappings": NOTHING, "noValue": empty, "unit": unit}
    options = {"cellHeight": "sm", "showHeader": True}
    options["sortBy"] = [{"displayName": sort.lstrip("-"), "desc": sort.startswith("-")}] if sort else []
    return partial(Own, kind="table", options=options, defaults=defaults, overrides=list(overrides), thresholds=PLAIN)


def history(mappings: Sequence[Any], thresholds: Steps, *, overrides: Sequence[Any] = (), unit: str = "") -> Look:
    """A calendar: one cell a point, one row a series."""
    custom = {"lineWidth": 1, "fillOpacity": 85}
    defaults = {"custom": custom, "color": {"mode": "thresholds"}, "mappings": list(mappings), "unit": unit}
    options = {
        "colWidth": 0.95,
        "rowHeight": 0.9,
        "showValue": "auto",
        "legend": {**LEGEND, "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return partial(Own, kind="status-history", options=options, defaults=defaults, overrides=list(overrides), thresholds=thresholds)


def heat(unit: str, *, low: float, high: float) -> Look:
    """A row a series, time from left to right, the value as colour on a scale that every eye reads."""
    colour = {
        "mode": "scheme",
        "scheme": "Viridis",
        "steps": 64,
        "reverse": False,
        "exponent": 0.5,
        "fill": "dark-orange",
        "scale": "exponential",
        "min": low,
        "max": high,
    }
    options = {
        "calculate": False, "color": colour, "cellGap": 1, "cellValues": {"unit": unit}, "rowsFrame": {"layout": "auto", "value": unit},
        "showValue": "never", "legend": {"show": True}, "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": True},
        "yAxis": {"axisPlacement": "left", "reverse": True}, "filterValues": {"le": 1e-9}, "exemplars": {"color": BAD},
    }  # fmt: skip
    defaults = {"unit": unit, "custom": {"hideFrom": {"legend": False, "tooltip": False, "viz": False}, "scaleDistribution": {"type": "linear"}}}
    return partial(Own, kind="heatmap", options=options, defaults=defaults, overrides=[], thresholds=PLAIN)


def firing(folder: str) -> Look:
    """Alerts that fire or wait, most important first."""
    options = {
        "alertInstanceLabelFilter": "", "alertName": "", "dashboardAlerts": False, "folder": {"title": folder, "uid": FOLDER_UIDS[folder]}, "groupBy": [],
        "groupMode": "default", "maxItems": 30, "showInstances": False, "sortOrder": 3, "viewMode": "list",
        "stateFilter": {"error": True, "firing": True, "noData": True, "normal": False, "pending": True, "recovering": True},
    }  # fmt: skip
    return partial(Own, kind="alertlist", options=options, defaults={}, overrides=[], thresholds=PLAIN)


FOLDER_UIDS: Final = {"环境监测": "lanbi-boards", "环境告警": "lanbi-alerts"}

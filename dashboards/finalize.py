"""What grafanalib emits becomes a JSON that a current Grafana takes without migration and without warning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from grafanalib._gen import DashboardEncoder

from domain.errors import LanbiError

PLUGIN_VERSION: Final = "13.2.2"
"""Without it the migrations of every panel since Grafana 6.1 would run."""
DASHBOARD_DROPS: Final = ("__inputs", "rows", "style", "hideControls", "sharedCrosshair", "gnetId", "id", "version")
PANEL_DROPS: Final = (
    "editable",
    "error",
    "cacheTimeout",
    "height",
    "hideTimeOverride",
    "minSpan",
    "span",
    "repeatDirection",
    "maxPerRow",
    "repeat",
    "interval",
)
ROW_KEYS: Final = ("collapsed", "gridPos", "id", "panels", "title", "type")
VARIABLE_DROPS: Final = ("useTags", "tagsQuery", "tagValuesQuery", "auto", "auto_min", "auto_count")
TARGET_DROPS: Final = ("measurement",)


def finalize(board: Any) -> dict[str, Any]:
    """JSON of a grafanalib Dashboard, checked.

    Raises
    ------
    LanbiError
        Panels that overlap, leave the grid or share an id: a fault of the board's code.
    """
    made: dict[str, Any] = json.loads(json.dumps(board, cls=DashboardEncoder, sort_keys=True))
    _drop(made, DASHBOARD_DROPS)
    made["weekStart"] = "monday"
    made["liveNow"] = False
    made["fiscalYearStartMonth"] = 0
    _drop(made["timepicker"], ("time_options", "nowDelay"))
    for variable in made["templating"]["list"]:
        _drop(variable, VARIABLE_DROPS)
    made["panels"] = [_panel(panel) for panel in made["panels"]]
    found: dict[str, Any] = _without_none(made, "")
    check(found)
    return found


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    if panel["type"] == "row":
        return {key: panel[key] for key in ROW_KEYS}
    _drop(panel, PANEL_DROPS)
    panel["pluginVersion"] = PLUGIN_VERSION
    if panel["type"] == "stat" and panel.get("timeFrom"):
        # The note of the range would lie over the title of a narrow panel.
        panel["hideTimeOverride"] = True
    for target in panel["targets"]:
        _drop(target, TARGET_DROPS)
    if not panel["targets"]:
        _drop(panel, ("targets", "datasource", "maxDataPoints"))
    if not panel.get("description"):
        _drop(panel, ("description",))
    return panel


def _drop(where: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        where.pop(name, None)


def _without_none(value: Any, inside: str) -> Any:
    """Null says nothing, except in the base step of thresholds, where it means below everything."""
    if isinstance(value, dict):
        return {key: _without_none(one, key) for key, one in value.items() if one is not None or (inside == "steps" and key == "value")}
    if isinstance(value, list):
        return [_without_none(one, inside) for one in value]
    return value


def check(board: dict[str, Any]) -> None:
    """Ids are unique, panels lie inside 24 columns and on no other panel, statements have a name of their own."""
    faults = list(_faults(board["panels"]))
    if faults:
        raise LanbiError("; ".join(faults), board["uid"], "mend the board in dashboards/boards")


def _faults(panels: list[dict[str, Any]]) -> Iterator[str]:
    taken: dict[tuple[int, int], int] = {}
    ids = [panel["id"] for panel in panels]
    yield from (f"panel id {one} is used twice" for one in sorted({one for one in ids if ids.count(one) > 1}))
    for panel in panels:
        place, refs = panel["gridPos"], [target["refId"] for target in panel.get("targets", [])]
        if len(set(refs)) < len(refs) or not all(refs):
            yield f"panel {panel['id']}: statements without a name of their own"
        cells = [(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
        if not cells or place["x"] + place["w"] > 24:
            yield f"panel {panel['id']} leaves the grid"
        yield from (f"panels {taken[cell]} and {panel['id']} overlap" for cell in [one for one in cells if one in taken][:1])
        taken.update(dict.fromkeys(cells, panel["id"]))


def written(value: object) -> str:
    """JSON as it is kept: sorted, Chinese as it is, the same bytes every time."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

"""Pieces that several boards share: columns of tables, names, variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards import style
from dashboards.board import asked, choice
from dashboards.county import Bureau
from dashboards.queries import NO_RULES, VALUE, Ask, Select, series, values_of
from dashboards.stored import STORED, Need
from domain.clues import RULES
from domain.codes import BASES, PERIODS
from domain.indicators import ALLOWANCES, FIGURES, figure
from domain.items import ITEMS
from domain.targets import Target

EXTRACTED: Final = {"id": "extractFields", "options": {"source": "text", "format": "json", "replace": False, "keepTime": False}}
"""Columns out of a text that is JSON."""
METER_FAULTS: Final = ("stuck", "negative", "spike", "over-power", "held")
"""Those that somebody must look at; the others explain themselves."""
CLUES: Final = {kind: f"{rule.number} {rule.zh}" for kind, rule in RULES.items()}
"""Kinds of clues of electricity monitoring."""
ORDER: Final = "order"
LOSSES: Final = {"electricity_loss": "用电", "water_loss": "用水", "meter_loss": "分表"}
"""Balances between a main meter and those behind it; which of them a county has depends on its meters."""
FIRST_TARGET: Final = 20
"""Panel of the first target on the overview; the others follow."""
REPORTED_PANEL: Final = 19
UNITS: Final = {
    "µg/m³": "conμgm3", "mg/m³": "conmgm3", "%": "percent", "ug/m3": "conμgm3", "": "none", "class": "none", "day": "suffix: 天", "tce": "suffix: tce", "t": "suffix: t", "m³": "suffix: m³", "kWh": "kwatth", "% vs 2020": "percent",
}  # fmt: skip
"""Units as Grafana calls them; any other is written behind the number."""
SAID: Final = {"ug/m3": " µg/m³", "day": " 天", "class": " 类", "% vs 2020": "%"}
"""Units of targets in words."""
OVERVIEW: Final = "env-overview"
AIR: Final = "env-air"
WATER: Final = "env-water"
ENERGY: Final = "env-energy"
ENTERPRISE: Final = "env-enterprise"
QUALITY: Final = "env-quality"
SYSTEM: Final = "env-system"


def losses(names: Sequence[str] = VALUE) -> Select:
    """Balances by day; one of them is enough to ask for."""
    chosen = series(Ask(tuple(LOSSES), "day", rules=NO_RULES, by=("figure", "scope")), names)
    return chosen._replace(needs=(Need("electricity_loss", "day"),))


def unit(name: str) -> str:
    """A unit of ours in Grafana's words."""
    return UNITS.get(name, f"suffix: {name}")


def goal(target: Target) -> str:
    """A target's aim in words; 目标值待下达 without one."""
    last = target.last
    if last is None or last.value is None:
        return "目标值待下达"
    sign = {"<=": "≤", ">=": "≥", "<": "＜"}.get(target.op, "")
    return f"{sign} {last.value}{SAID.get(target.unit, target.unit)}"


def allowance_words() -> list[dict[str, object]]:
    """States of what today may still bring."""
    colours = {"open": None, "kept": style.GOOD, "lost": style.BAD, "void": style.UNKNOWN}
    return style.words({code: (zh, colours[code]) for code, (zh, _) in ALLOWANCES.items()})


def figure_words() -> list[dict[str, object]]:
    """Figures by their Chinese names; a correction may be of one that no board asks for."""
    return style.words({name: (known.zh, None) for name in sorted({*STORED, *FIGURES}) if (known := figure(name))})


def item_words(*realms: str) -> list[dict[str, object]]:
    """Items of some realms by their Chinese names; one that means two things is shown with both."""
    found: dict[str, list[str]] = {}
    for (realm, name), one in ITEMS.items():
        if realm in realms and one.zh not in found.setdefault(name, []):
            found[name].append(one.zh)
    return style.words({name: ("／".join(texts), None) for name, texts in found.items()})


def instants(*names: str) -> dict[str, Any]:
    """Columns that came out of a text become instants; without the format their offset is passed over, and the browser's zone decides."""
    conversions = [{"targetField": name, "destinationType": "time", "dateFormat": "YYYY-MM-DDTHH:mm:ssZ"} for name in names]
    return {"id": "convertFieldType", "options": {"conversions": conversions, "fields": {}}}


def place_words(names: Mapping[str, str]) -> list[dict[str, object]]:
    """Ids by the names that people use."""
    return style.words({name: (text, None) for name, text in names.items()})


def renamed(columns: Mapping[str, str], hidden: Sequence[str] = ()) -> dict[str, Any]:
    """Columns in a fixed order under Chinese heads: the data source gives tags in any order."""
    order = {name: index for index, name in enumerate(columns)}
    return {"id": "organize", "options": {"excludeByName": dict.fromkeys(hidden, True), "indexByName": order, "renameByName": {**columns}}}


def called(names: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Series under their names, for panels whose rows are no fields: an override does not reach them."""
    return tuple({"id": "renameByRegex", "options": {"regex": f"^{name}$", "renamePattern": text}} for name, text in names.items() if name != text)


def joined(key: str, columns: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Tables of several statements as one, a row a key."""
    kept = {"id": "filterFieldsByName", "options": {"include": {"names": [key, *columns]}}}
    return kept, {"id": "joinByField", "options": {"byField": key, "mode": "outer"}}


def coded(column: str, mappings: Sequence[Any], *, coloured: bool = False, width: int | None = None) -> dict[str, object]:
    """A column whose codes are shown as words, coloured as a whole cell where colour says something."""
    more: list[tuple[str, object]] = [("custom.cellOptions", {"type": "color-background", "mode": "basic"})] if coloured else []
    return style.override(column, ("mappings", [*mappings]), *more, *([("custom.width", width)] if width else []))


def number(column: str, unit_of: str = "none", decimals: int | None = None, width: int | None = None) -> dict[str, object]:
    """A column of numbers."""
    more: list[tuple[str, object]] = [("decimals", decimals)] if decimals is not None else []
    return style.override(column, ("unit", unit_of), ("mappings", style.NOTHING), *more, *([("custom.width", width)] if width else []))


def wide(column: str, width: int) -> dict[str, object]:
    """A column of a width."""
    return style.override(column, ("custom.width", width))


def when(column: str) -> dict[str, object]:
    """A column of instants, to the minute."""
    return style.override(column, ("unit", "time:YYYY-MM-DD HH:mm"), ("custom.width", 150))


def linked(column: str, title: str, path: str, variable: str) -> dict[str, object]:
    """A column that leads to a board, with the row's value as its variable and the time range kept."""
    url = f"/d/{path}?var-{variable}=${{__value.raw}}&${{__url_time_range}}"
    return style.override(column, ("links", [{"title": title, "url": url, "targetBlank": False}]))


def rules(bureau: Bureau) -> Any:
    """Variable: rule set of the AQI; by default the one that decides the plan."""
    return asked("rules", "评价标准", values_of("rule_set", "aqi", "day"), bureau.rules)


def basis() -> Any:
    """Variable: the basis of figures."""
    return asked("basis", "口径", values_of("basis", "aqi", "day"), next(iter(BASES)))


def section(bureau: Bureau) -> tuple[Any, ...]:
    """Variable: water sections by name; none for a county without any."""
    known = [(one.id, one.name) for one in bureau.registry.water_sections.values()]
    return (choice("section", "断面", known),) if known else ()


def enterprise(bureau: Bureau) -> tuple[Any, ...]:
    """Variables: enterprises and their meters by name; none for a county without any."""
    firms = [(one.id, one.name) for one in bureau.registry.enterprises.values()]
    meters = [(name, bureau.names[name]) for name in bureau.registry.meters]
    return (choice("enterprise", "企业", firms, every=False), choice("meter", "计量表", meters)) if firms and meters else ()


def station(bureau: Bureau) -> tuple[Any, ...]:
    """Variable: air stations by name; none for a county without any."""
    known = [(one.id, one.name) for one in bureau.registry.air_stations.values()]
    return (choice("station", "站点", known),) if known else ()


def basis_words() -> list[dict[str, object]]:
    """Bases in Chinese."""
    return style.words({name: (zh, None) for name, (zh, _) in BASES.items()})


def period_words() -> list[dict[str, object]]:
    """Periods in Chinese."""
    return style.words({name: (zh, None) for name, (zh, _) in PERIODS.items()})

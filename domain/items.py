"""Items: what can be measured, in which unit, with how many displayed digits and within which hard range.

Ranges refuse instrument nonsense, not bad days: PM10 of 951 and turbidity of 3,753 are real. Display digits: HJ 663-2013
practice for air, the national page for water (proven on its published values).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

INF: Final = float("inf")
CODES: Final = frozenset({9_999.0})
"""What instruments of air stations say instead of a value; within the hard range of PM10."""
MICRO: Final = ("pm25", "pm10", "so2", "no2", "o3")
"""Items in µg/m³ of which, together, air never holds less than 1: such a reading is in mg/m³."""
MICRO_FEW: Final = 3
"""So many of them below 1 and above 0, and none above, are no chance."""


@dataclass(frozen=True, slots=True)
class Item:
    """One measurable item of a realm.

    ``low`` and ``high`` are the hard range in ``unit``, both allowed; ``tiny`` is how far below zero an instrument's noise
    may reach before the value is refused (stored as flag Z).
    """

    name: str
    realm: str
    unit: str
    digits: int
    low: float
    high: float
    zh: str
    en: str
    tiny: float = 0.0


REALMS: Final = ("air", "water", "point", "meter")
AIR: Final = ("pm25", "pm10", "so2", "no2", "co", "o3")
"""The six assessed pollutants, in the order in which primary pollutants are listed."""
DAILY: Final = (*AIR[:-1], "o3_8h")
"""The items of a day, in the same order: ozone by its largest 8 h mean."""

_ROWS: Final = (
    Item("pm25", "air", "µg/m³", 0, 0, 2_000, "细颗粒物 PM2.5", "PM2.5", 10),
    Item("pm10", "air", "µg/m³", 0, 0, 10_000, "可吸入颗粒物 PM10", "PM10", 10),
    Item("so2", "air", "µg/m³", 0, 0, 3_000, "二氧化硫 SO2", "SO2", 10),
    Item("no2", "air", "µg/m³", 0, 0, 4_000, "二氧化氮 NO2", "NO2", 10),
    Item("co", "air", "mg/m³", 1, 0, 200, "一氧化碳 CO", "CO", 1),
    Item("o3", "air", "µg/m³", 0, 0, 1_500, "臭氧 O3", "O3", 10),
    Item("o3_8h", "air", "µg/m³", 0, 0, 1_500, "臭氧日最大8小时 O3", "O3 daily max 8 h", 10),
    Item("temp", "air", "°C", 1, -60, 60, "气温", "temperature"),
    Item("rh", "air", "%", 0, 0, 100, "相对湿度", "relative humidity"),
    Item("pressure", "air", "hPa", 1, 500, 1_100, "气压", "pressure"),
    Item("wind_speed", "air", "m/s", 1, 0, 100, "风速", "wind speed"),
    Item("wind_dir", "air", "°", 0, 0, 360, "风向", "wind direction"),
    Item("temp", "water", "°C", 1, -5, 50, "水温", "water temperature"),
    Item("ph", "water", "", 0, 0, 14, "pH", "pH"),
    Item("do", "water", "mg/L", 1, 0, 60, "溶解氧", "dissolved oxygen"),
    Item("codmn", "water", "mg/L", 1, 0, 1_000, "高锰酸盐指数", "permanganate index"),
    Item("nh3n", "water", "mg/L", 2, 0, 500, "氨氮", "ammonia nitrogen"),
    Item("tp", "water", "mg/L", 3, 0, 100, "总磷", "total phosphorus"),
    Item("tn", "water", "mg/L", 2, 0, 1_000, "总氮", "total nitrogen"),
    Item("cond", "water", "µS/cm", 1, 0, 100_000, "电导率", "conductivity"),
    Item("turb", "water", "NTU", 1, 0, 10_000, "浊度", "turbidity"),
    Item("chla", "water", "mg/L", 3, 0, 1_000, "叶绿素α", "chlorophyll α"),
    Item("flow", "water", "m³/s", 2, -INF, INF, "流量", "flow"),
    Item("level", "water", "m", 2, -INF, INF, "水位", "water level"),
    Item("cod", "point", "mg/L", 1, 0, 100_000, "化学需氧量", "chemical oxygen demand"),
    Item("ss", "point", "mg/L", 1, 0, 100_000, "悬浮物", "suspended solids"),
    Item("nh3n", "point", "mg/L", 2, 0, 10_000, "氨氮", "ammonia nitrogen"),
    Item("tp", "point", "mg/L", 2, 0, 10_000, "总磷", "total phosphorus"),
    Item("tn", "point", "mg/L", 2, 0, 10_000, "总氮", "total nitrogen"),
    Item("nmhc", "point", "registered", 2, 0, 100_000, "非甲烷总烃", "non-methane hydrocarbons"),
    Item("tsp", "point", "registered", 2, 0, 100_000, "总悬浮颗粒物", "total suspended particles"),
    Item("nox", "point", "registered", 1, 0, 100_000, "氮氧化物", "nitrogen oxides"),
    Item("so2", "point", "registered", 1, 0, 100_000, "二氧化硫", "sulphur dioxide"),
    Item("soot", "point", "registered", 1, 0, 100_000, "烟尘", "soot"),
    Item("o2_content", "point", "%", 1, 0, 100, "含氧量", "oxygen content"),
    Item("register", "meter", "registered", 3, 0, INF, "表底数", "register"),
    Item("power", "meter", "kW", 3, -INF, INF, "功率", "power"),
    Item("voltage", "meter", "V", 1, 0, INF, "电压", "voltage"),
    Item("current", "meter", "A", 2, -INF, INF, "电流", "current"),
    Item("pf", "meter", "", 3, -1, 1, "功率因数", "power factor"),
    Item("flow", "meter", "m³/h", 3, -INF, INF, "瞬时流量", "flow"),
)

ITEMS: Final = MappingProxyType({(row.realm, row.name): row for row in _ROWS})
BY_REALM: Final = MappingProxyType({realm: tuple(row.name for row in _ROWS if row.realm == realm) for realm in REALMS})


def item(realm: str, name: str) -> Item | None:
    """The item of a realm by name, or None: the same name means different things in air, water and at a permit point."""
    return ITEMS.get((realm, name))

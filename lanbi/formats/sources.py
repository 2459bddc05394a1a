"""The formats: which table each source writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Final

from domain.errors import FileError, InputError
from domain.items import BY_REALM
from domain.statements import QUANTITY
from lanbi.formats.files import sheet
from lanbi.formats.renaming import NONE, Renames
from lanbi.formats.rows import Fault, Row, Said, day, day_and_hour, hour, instant, thousandth
from lanbi.formats.sections import ITEMS as SECTION_ITEMS
from lanbi.formats.sections import Sections
from lanbi.formats.shapes import DAILY_ZERO, DAY_S, Shape
from lanbi.formats.sheet import Sheet
from lanbi.formats.statements import STATEMENTS, Statement
from lanbi.toml_lines import nearest

AUTO: Final = "auto"
METERS: Final = "meter-csv"
"""Registers, or quantities of stretches of time."""
_POINTS: Final = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


def compass(text: str) -> float:
    """Degrees of one of the 16 points of the compass.

    >>> compass("SSE")
    157.5
    """
    if text.upper() not in _POINTS:
        words = f"no point of the compass: {text[:40]!r}"
        raise ValueError(words)
    return 22.5 * _POINTS.index(text.upper())


def parts(year: str, month: str, of_month: str, of_day: str) -> int:
    """End label from four columns."""
    return day_and_hour(f"{year}-{month}-{of_month}", of_day)


def _own(*names: str) -> Mapping[str, tuple[str, ...]]:
    return {name: (name,) for name in names}


_AIR_ITEMS: Final = tuple(BY_REALM["air"])
_FEED_ITEMS: Final = {
    "pm25": ("pm2_5",), "pm10": ("pm10",), "so2": ("so2",), "no2": ("no2",), "co": ("co",),
    # The feed's names are swapped: O3_24h is the current hour, O3 a maximum over past hours (that of 4,316 published AQIs agrees with O3_24h).
    "o3": ("feed_o3_24h", "o3_24h"),
}  # fmt: skip
_FEED: Final = Shape(
    kind="air_station", places=("stationcode", "positionname"), times=("timepoint",), when=hour, items=_FEED_ITEMS, area="area",
    missing=frozenset({"-", "-;", "—", "—;", "--"}),
    ignored=frozenset({
        "longitude", "latitude", "aqi", "quality", "primarypollutant", "pm2_5_24h", "pm10_24h", "so2_24h", "no2_24h", "co_24h", "feed_o3", "feed_o3_8h",
        "feed_o3_8h_24h", "o3", "o3_8h", "o3_8h_24h", "snap", "citycode", "ispublish", "measure", "openaccessgenerated", "orderid", "provinceid", "unheathful",
    }),
)  # fmt: skip
_CITY_ITEMS: Final = {"pm25": ("pm2.5",), "pm10": ("pm10",), "so2": ("so2",), "no2": ("no2",), "co": ("co",), "o3": ("o3",)}
_DAILY_ITEMS: Final = {"pm25": ("pm25", "pm2.5"), "pm10": ("pm10",), "so2": ("so2",), "co": ("co",), "no2": ("no2",), "o3_8h": ("o3_8h", "o3")}
_MET: Final = {"temp": ("temp",), "pressure": ("pres",), "wind_speed": ("wspm",), "wind_dir": ("wd",)}


def _prsa(*times: str) -> Shape:
    return Shape(
        kind="air_station", places=("station",), times=times, when=parts if len(times) > 1 else hour, items={**_CITY_ITEMS, **_MET},
        optional=frozenset(_MET), missing=frozenset({"NA", "NaN", "nan"}), readers={"co": thousandth, "wind_dir": compass},
        ignored=frozenset({"no", "dewp", "rain"}),
    )  # fmt: skip


_SECTIONS: Final = Sections(
    kind="water_section", places=("station", "province", "city", "river"), times=("snap", "obs"), when=instant, items=_own(*SECTION_ITEMS), span=0,
    ignored=frozenset({"basin", "wclass", "status", "algae", "algae_raw", *(f"{item}_raw" for item in SECTION_ITEMS)}),
)  # fmt: skip

TABLES: Final[Mapping[str, tuple[Shape, ...]]] = {
    "lanbi-csv": (
        Shape("air_station", ("site",), ("time",), hour, _own(*(name for name in _AIR_ITEMS if name != "o3_8h")), any_item=True),
        Shape("air_station", ("site",), ("date",), day, _own(*_AIR_ITEMS), span=DAY_S, zero_missing=DAILY_ZERO, any_item=True),
        Shape("water_section", ("section",), ("time",), instant, _own(*BY_REALM["water"]), span=0, any_item=True, ignored=frozenset({"type"})),
        Shape("meter", ("meter",), ("time",), instant, _own(*BY_REALM["meter"]), span=0, any_item=True),
    ),
    "meter-csv": (Shape("meter", ("meter",), ("time",), instant, _own("register"), span=0),),
    "pm25in-csv": (
        Shape(
            "air_station", ("watchpoint",), ("date", "hour"), day_and_hour,
            {"pm25": ("pm2.5",), "pm10": ("pm10",), "co": ("co",), "no2": ("no2",), "o3": ("o3_1h",), "so2": ("so2",)},
            missing=frozenset({"NaN", "—", "-", "_"}), ignored=frozenset({"aqi", "level", "primarypollution", "o3_8h"}),
        ),
    ),
    "cnemc-live": (_FEED,),
    "cnemc-xml": (_FEED,),
    "city-daily": (
        Shape(
            "city", ("city",), ("date",), day, _DAILY_ITEMS, span=DAY_S, missing=frozenset({"—", "-", "无", "NaN"}), zero_missing=DAILY_ZERO,
            published=("aqi", "level"), ignored=frozenset({"aqi_range", "rank"}),
        ),
    ),
    "city-hourly": (
        Shape("city", ("city",), ("time",), hour, _CITY_ITEMS, missing=frozenset({"—", "-", "NaN"}), ignored=frozenset({"aqi", "main_pollution"})),
    ),
    "cnemc-water-html": (_SECTIONS,),
    "cnemc-water-csv": (_SECTIONS,),
    "prsa": (_prsa("t"), _prsa("time"), _prsa("year", "month", "day", "hour")),
}  # fmt: skip
"""Formats of readings, each with the tables it may come as."""
ONLY: Final = {"xml": "cnemc-xml", "html": "cnemc-water-html"}
"""Formats that are no tables, by what their bytes are."""
GROUP: Final = "lanbi.importers"
"""Entry points of other packages: name of the format → a tuple of :class:`Shape`."""


@lru_cache(1)
def tables() -> Mapping[str, tuple[Shape, ...]]:
    """All formats of readings; what another package adds may not take the name of one of ours."""
    ours = {AUTO, *TABLES, *STATEMENTS}
    added = {one.name: one.load() for one in entry_points(group=GROUP) if one.name not in ours}
    shapes = {name: found for name, found in added.items() if isinstance(found, tuple) and found and all(isinstance(one, Shape) for one in found)}
    return {**TABLES, **shapes}


def formats() -> tuple[str, ...]:
    """Names of all formats."""
    return (*tables(), *STATEMENTS)


@dataclass
class Source:
    """A file with the format that reads it."""

    sheet: Sheet
    format: str
    shape: Shape | Statement

    @property
    def notices(self) -> list[str]:
        """What a person should know although nothing is wrong."""
        unknown = self.shape.unknown(self.sheet.columns)
        words = f"{self.sheet.name}: 未用的列 columns not used: {', '.join(unknown)}"
        return [*self.sheet.notices, *([words] if unknown else [])]

    def rows(self) -> Iterator[Row | Said | Fault]:
        """Rows and faults, once."""
        return self.shape.rows(self.sheet)

    def where(self, fault: Fault) -> str:
        """File, line and column of a fault."""
        column = f", column {fault.column}" if fault.column else ""
        return f"{self.sheet.name}, {self.sheet.unit} {fault.line}{column}"


def known(name: str) -> str:
    """The name, if it is that of a format.

    Raises
    ------
    InputError
        It is not.
    """
    if name != AUTO and name not in formats():
        raise InputError(f"unknown format '{name}'{nearest(name, [*formats(), AUTO])}", "--format", f"one of {', '.join((AUTO, *formats()))}")
    return name


def columns() -> frozenset[str]:
    """All columns that any format knows, in lower case."""
    shapes = [shape for found in tables().values() for shape in found]
    known = {name for shape in shapes for names in (shape.places, shape.times, *shape.items.values()) for name in names}
    known |= {name for shape in shapes for name in (*shape.ignored, shape.area, *(shape.published or ())) if name}
    return frozenset(known | {name for one in STATEMENTS.values() for name in one.columns})


def open_source(name: str, wanted: str = AUTO, renames: Renames = NONE) -> Source:
    """Open a file in a format, or in that which its header tells, once its columns have our names.

    Raises
    ------
    FileError
        Missing, unreadable, or not of that format.
    """
    table = sheet(name)
    renames.apply(table)
    chosen = _recognised(table) if known(wanted) == AUTO else wanted
    wrong = next((shape for shape, only in ONLY.items() if (chosen == only) != (table.shape == shape)), None)
    if wrong:
        raise FileError(
            f"{'no' if chosen == ONLY[wrong] else 'an'} {wrong.upper()} file, which {chosen} does not fit", name, "choose another --format, or auto"
        )
    if chosen == METERS and not STATEMENTS[QUANTITY].lacking(table.columns):
        chosen = QUANTITY
    if chosen in STATEMENTS:
        return Source(table, chosen, STATEMENTS[chosen])
    shapes = tables()[chosen]
    best = min(shapes, key=lambda shape: len(shape.lacking(table.columns)))
    return Source(table, chosen, best)


def _recognised(table: Sheet) -> str:
    if table.shape in ONLY:
        return ONLY[table.shape]
    fitting = [
        (len(shape.needed), name) for name, shapes in tables().items() for shape in shapes if name not in ONLY.values() and not shape.lacking(table.columns)
    ]
    fitting += [(len(one.needed), one.name) for one in STATEMENTS.values() if not one.lacking(table.columns)]
    if not fitting:
        columns = ", ".join(table.columns)[:300]
        raise FileError(f"the header fits no format: {columns}", f"{table.name}, {table.unit} 1", f"{_nearly(table)}the formats are {', '.join(formats())}")
    return max(fitting)[1]


def _nearly(table: Sheet) -> str:
    """What the format that comes nearest misses, if it comes near."""
    lacks = [(shape.lacking(table.columns), name, len(shape.needed)) for name, shapes in tables().items() for shape in shapes if name not in ONLY.values()]
    lacking, name, needed = min(lacks, key=lambda one: len(one[0]) / one[2])
    return f"{name} would need also {', '.join(lacking)}; " if len(lacking) < needed else ""

"""The one Python module that stays as it is (docs/stability.md): AQI, water classes and meter intervals on plain arrays.

Every rule is that of the service: this file checks shapes and ranges and hands on. Floats stand for the decimal that they print as;
what is rounded or compared is a whole number. Nothing is read, written or kept, and no input is changed.

>>> import numpy as np
>>> air_quality(np.array([[61, 121, 8, 30, 0.6, 158]]), "HJ633-2026").aqi
array([101], dtype=int16)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import counting, filling, meters
from analytics.air import hours
from analytics.water import records
from domain import air, water
from domain.errors import InputError
from domain.items import AIR, ITEMS
from domain.places import BODIES
from lanbi import figure_inputs as checked
from lanbi.registers import readings_of

ITEMS_OF_AIR: Final = AIR
"""Columns of :func:`air_quality`."""
RULE_SETS: Final = tuple(air.BY_NAME)
FLAGS: Final = counting.FLAGS
"""Flags of a meter's intervals; everything but ``held`` counts."""
AVERAGES: Final = ("day", "hour")
METHODS: Final = ("auto", "manual")
NONE: Final = -1


class AirQuality(NamedTuple):
    """Verdicts of n rows.

    Attributes
    ----------
    aqi : (n,) int16
        0…500; -1 = none may be published.
    level : (n,) int8
        1…6; -1 without AQI.
    primary : (n, 6) bool
        Primary pollutants: those of the largest IAQI, ties included, above AQI 50.
    iaqi : (n, 6) int16
        -1 = missing, or none by the rule set.
    shown : (n, 6) int32
        Concentrations as they are displayed, in units of the last digit (1 µg/m³, CO 0.1 mg/m³); -1 = missing.
    """

    aqi: npt.NDArray[np.int16]
    level: npt.NDArray[np.int8]
    primary: npt.NDArray[np.bool_]
    iaqi: npt.NDArray[np.int16]
    shown: npt.NDArray[np.int32]


class WaterClasses(NamedTuple):
    """Classes of n records.

    Attributes
    ----------
    number : (n,) int8
        1…5 = Ⅰ…Ⅴ, 6 = 劣Ⅴ; -1 = none.
    items : tuple of str
        The k items that may decide, in the order of table 1.
    deciding : (n, k) bool
        Items at the class of the record.
    """

    number: npt.NDArray[np.int8]
    items: tuple[str, ...]
    deciding: npt.NDArray[np.bool_]


class MeterFacts(NamedTuple):
    """What must be known of a meter; decimals are texts.

    Attributes
    ----------
    resolution : str
        One step of the register. Registers that show finer steps are counted in those.
    multiplier : str, or steps of (first day, decimal)
        Transformer ratio; before its first day the first holds.
    modulus : str or None
        Where the register starts again from zero.
    max_power, max_rate : str or None
        Most that can turn in an hour: of the energy (kW), or of the register itself (other media).
    reset : str
        ``never``, ``allowed``, or the time of day (``00:00``) at which the register is set to zero.
    """

    resolution: str = "1"
    multiplier: str | Sequence[tuple[str, str]] = "1"
    modulus: str | None = None
    max_power: str | None = None
    max_rate: str | None = None
    reset: str = "never"


class Intervals(NamedTuple):
    """What turned between two accepted readings of a meter: m intervals in order of time.

    Attributes
    ----------
    begin, end : (m,) int64 [s since 1970]
    amount : (m,) int64 [unit]
        Register difference times the multiplier of its day, exact.
    unit : Decimal
        Value of one ``amount``, in the unit of the register.
    flag : (m,) uint8
        Position in :data:`FLAGS`; ``held`` is kept apart and is no part of :attr:`energy`.
    events : tuple of (kind, time [s], detail)
        What was out of the ordinary, in order of time.
    """

    begin: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    amount: npt.NDArray[np.int64]
    unit: Decimal
    flag: npt.NDArray[np.uint8]
    events: tuple[tuple[str, int, str], ...]

    @property
    def energy(self) -> Decimal:
        """Sum of what counts."""
        turned: int = sum(self.amount[self.flag != counting.HELD].tolist())
        return turned * self.unit


def air_quality(values: npt.ArrayLike, rules: str, *, average: str = "day") -> AirQuality:
    """AQI, level and primary pollutants of concentrations (HJ 633-2012 and HJ 633-2026, 4.2 and 5.3.1).

    Concentrations are rounded half to even to displayed units first (HJ 633-2026 4.2.2). Under HJ 633-2026 a row with a missing item
    has an AQI only above 100. Daily values need PM2.5 or PM10.

    Parameters
    ----------
    values : (n, 6) float [µg/m³; CO mg/m³]
        Columns :data:`ITEMS_OF_AIR`; NaN = missing. Daily values are 24 h means, O3 the largest 8 h mean (MDA8); hours are 1 h means.
    rules : str
        One of :data:`RULE_SETS`.
    average : str
        ``day`` or ``hour``.

    Raises
    ------
    InputError
        Another shape, rule set or average; an infinite value, or one outside the item's hard range. Nothing is computed then.

    Examples
    --------
    >>> air_quality([[np.nan, 0, np.nan, np.nan, np.nan, 87]], "HJ633-2012", average="hour").aqi
    array([28], dtype=int16)
    """
    checked.one_of(rules, RULE_SETS, "rules")
    checked.one_of(average, AVERAGES, "average")
    table = checked.floats(values, "values")
    if table.ndim != 2 or table.shape[1] != len(AIR):
        raise InputError(f"shape (n, {len(AIR)}) is needed, not {table.shape}", "values", f"one column each: {', '.join(AIR)}")
    for place, name in enumerate(AIR):
        checked.in_range(table[:, place], ITEMS["air", name], f"values, column {name}")
    rule = np.full(len(table), RULE_SETS.index(rules), np.uint8)
    thousandths = filling.laid(table.T)
    found = hours.judge(hours.shown(thousandths), rule, daily=average == "day")
    primary = (found.primary[:, None] >> np.arange(len(AIR), dtype=np.uint8)) & 1
    return AirQuality(found.aqi, found.level, primary.astype(bool), found.iaqi, found.shown)


def water_classes(values: Mapping[str, npt.ArrayLike], body: str, *, method: str = "auto", below: Mapping[str, npt.ArrayLike] | None = None) -> WaterClasses:
    """Classes of surface-water records (GB 3838-2002 table 1).

    ``auto``: the worst of DO, CODMn, NH3-N and TP on displayed values, and no class unless all four are there, as the national
    platform does it. ``manual``: the worst of those of the 21 items that are there, on the values as measured (环办〔2011〕22号);
    oxygen of class I also from 90 % of saturation where ``temp`` is given. TN decides in neither.

    Parameters
    ----------
    values : mapping of item to (n,) float [mg/L; pH; temp °C]
        NaN = missing. Items by their names in docs/glossary.md.
    body : str
        ``river`` or ``lake``: total phosphorus has other limits in lakes.
    method : str
        ``auto`` or ``manual``.
    below : mapping of item to (n,) bool, optional
        Where a manual result is below the detection limit, which is then the value.

    Raises
    ------
    InputError
        An unknown item, body or method; arrays of different length; a value that is infinite or outside the item's hard range.

    Examples
    --------
    >>> record = {"do": [8.1, 4.4], "codmn": [4.6, 5.9], "nh3n": [0.32, 0.99], "tp": [0.12, 0.20]}
    >>> water_classes(record, "river").number
    array([3, 4], dtype=int8)
    """
    checked.one_of(body, BODIES, "body")
    checked.one_of(method, METHODS, "method")
    columns = checked.water_columns(values)
    under = checked.masks(below or {}, columns)
    items = water.DECIDING if method == "auto" else water.MANUAL
    judged = [_judged(row, columns, body, under if method == "manual" else None) for row in range(len(next(iter(columns.values()), ())))]
    number = np.array([worst or NONE for worst, _ in judged], np.int8)
    deciding = np.array([[item in at for item in items] for _, at in judged], bool).reshape(-1, len(items))
    return WaterClasses(number, items, deciding)


def _judged(row: int, columns: Mapping[str, checked.Floats], body: str, under: Mapping[str, checked.Bools] | None) -> tuple[int | None, list[str]]:
    """Class of one record and the items at it: automatic without masks, manual with them."""
    there = {item: float(column[row]) for item, column in columns.items() if not np.isnan(column[row])}
    if under is None:
        return water.judge({item: records.thousandths(there[item], item) for item in water.DECIDING if item in there}, body)
    exact = {item: Decimal(repr(value)) for item, value in there.items()}
    results = {item: water.Measured(exact[item], item in under and bool(under[item][row])) for item in water.MANUAL if item in exact}
    return water.manual(results, body, exact.get("temp"))


def meter_intervals(
    times: npt.ArrayLike, registers: npt.ArrayLike, meter: MeterFacts, *, interval: int, exchanges: Sequence[tuple[int, str, str]] = ()
) -> Intervals:
    """Intervals and events of one meter from its registers (docs/meters.md); energy is conserved whatever is missing.

    Parameters
    ----------
    times : (n,) int [s since 1970]
        Ascending, each once.
    registers : (n,) float [the meter's unit]
        Read as the decimals that they print as; NaN, or below zero = no reading.
    meter : MeterFacts
    interval : int [s]
        How often readings are expected; a longer step is a ``gap``.
    exchanges : sequence of (time [s], last, first)
        Exchange forms: last reading of the old meter, first of the new one, decimals.

    Raises
    ------
    InputError
        Arrays of different length, times that do not ascend, a fact that the registry would refuse.

    Examples
    --------
    >>> found = meter_intervals([0, 3600], [999984.0, 20.0], MeterFacts(modulus="1000000", max_power="100"), interval=3600)
    >>> found.energy, [FLAGS[flag] for flag in found.flag]
    (Decimal('36'), ['rollover'])
    """
    moments, shown = checked.registers(times, registers, interval)
    of = checked.meter(meter._asdict())
    readings = readings_of(of, moments, shown)
    counted = counting.count(of, readings, interval, checked.forms(exchanges))
    told = tuple((one.kind, one.time, one.detail) for one in meters.events(readings, counted))
    return Intervals(counted.begin, counted.end, counted.amount, counted.unit, counted.flag, told)

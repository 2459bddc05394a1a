"""The account of one meter as a page: every register, what was counted between two of them and why, and the sum, to be checked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from analytics import counting, meters
from analytics.counting import Counted, Readings
from analytics.energy.worth import worth
from domain import civil, energy
from domain.codes import METER_EVENTS, both, medium_words
from domain.places import Meter, Registry
from lanbi.metering import Source, forms_of, said_about_meters, stated_of
from lanbi.registers import Desk

WORDS: Final = {
    "normal": "正常 normal", "gap": "缺数，合计已知 gap, the sum is known", "rollover": "翻转 roll-over", "reset": "归零，下限 reset, a lower bound",
    "exchange": "换表 exchange", "estimated": "倍率变更，按时间分摊 multiplier changed, shared by time", "held": "待核实，不计 held, not counted",
}  # fmt: skip


def page(source: Source, registry: Registry, name: str, span: tuple[int, int]) -> Iterator[str]:
    """Lines of the page.

    Parameters
    ----------
    span : (int, int) [s]
        Intervals between these two instants are listed and added up.
    """
    meter = registry.meters[name]
    said = said_about_meters(source)
    forms, stated = forms_of(said, name), stated_of(said).get(name, [])
    known = Desk(source, registry, lambda _: forms, lambda _: stated).between(name, *span)
    year = civil.year_of_day(civil.day_of(span[1]))
    yield from _head(registry, meter, span)
    if known is None:
        yield "无读数 no registers"
        return
    readings, counted = known.readings, known.counted
    yield from _intervals(meter, readings, counted, span)
    yield from _across(counted, span, meter.unit)
    yield from _events(meters.events(readings, counted), span)
    for form in forms:
        if span[0] < form.time <= span[1]:
            yield f"换表单 exchange form {civil.iso(form.time)}: 旧表止码 last {form.last}, 新表起码 first {form.first}"
    yield from _factors(meter, registry, year)


def _head(registry: Registry, meter: Meter, span: tuple[int, int]) -> Iterator[str]:
    yield f"表 meter {meter.id} · {registry.name_of(meter.enterprise)} · {both(medium_words(meter.medium))} [{meter.unit}] · {registry.county.name}"
    yield f"自 from {civil.iso(span[0])} 至 to {civil.iso(span[1])}"
    ratios = ", ".join(value if day < -(2**30) else f"{value} 自 since {civil.date_of(day)}" for day, value in meter.multiplier.steps)
    limit = meter.max_power or meter.max_rate or "–"
    yield f"倍率 multiplier {ratios} · 分辨率 resolution {meter.resolution} · 翻转 modulus {meter.modulus or '–'} · 上限 most {limit} · 登记册 registry {registry.version}"
    yield ""


def _intervals(meter: Meter, readings: Readings, counted: Counted, span: tuple[int, int]) -> Iterator[str]:
    shown = dict(zip(readings.times.tolist(), readings.units.tolist(), strict=True))
    total, apart = Decimal(0), Decimal(0)
    yield "起 from | 止 to | 起码 register | 止码 register | 倍率 multiplier | 用量 counted | 说明 why"
    inside = np.flatnonzero((counted.begin >= span[0]) & (counted.end <= span[1]))
    for place in inside.tolist():
        begin, end, flag = int(counted.begin[place]), int(counted.end[place]), counting.FLAGS[counted.flag[place]]
        amount = int(counted.amount[place]) * counted.unit
        total, apart = (total, apart + amount) if flag == "held" else (total + amount, apart)
        before, after = (_register(shown, time, readings) for time in (begin, end))
        stated = "" if begin in shown and end in shown else "，文件所报 stated by a file"
        yield f"{civil.iso(begin)} | {civil.iso(end)} | {before} | {after} | {counting.ratio_on(meter, end)} | {amount} | {WORDS[flag]}{stated}"
    yield ""
    if len(inside):
        first, last = int(counted.begin[inside[0]]), int(counted.end[inside[-1]])
        yield f"首末读数 first and last register: {_register(shown, first, readings)} ({civil.iso(first)}) → {_register(shown, last, readings)} ({civil.iso(last)})"
    yield f"合计 sum {total} {meter.unit}; 待核实，未计入 held, not in the sum: {apart} {meter.unit}"


def _register(shown: Mapping[int, int], time: int, readings: Readings) -> str:
    """What the register showed; a dash where a file stated a quantity instead."""
    return str(shown[time] * readings.resolution) if time in shown else "–"


def _across(counted: Counted, span: tuple[int, int], unit: str) -> Iterator[str]:
    """Intervals that lie across one of the two instants: figures share them by time, a page that is added up by hand cannot."""
    across = (counted.begin < span[1]) & (counted.end > span[0]) & ((counted.begin < span[0]) | (counted.end > span[1]))
    for place in np.flatnonzero(across).tolist():
        begin, end = (civil.iso(int(times[place])) for times in (counted.begin, counted.end))
        amount = int(counted.amount[place]) * counted.unit
        yield f"跨起止，未计入 across the bounds, not in the sum: {begin} | {end} | {amount} {unit} | {WORDS[counting.FLAGS[counted.flag[place]]]}"


def _events(found: Sequence[meters.Event], span: tuple[int, int]) -> Iterator[str]:
    for one in found:
        if span[0] < one.time <= span[1]:
            yield f"事件 event {both(METER_EVENTS.get(one.kind, (one.kind, one.kind)))} {civil.iso(one.time)}: {one.detail}"


def _factors(meter: Meter, registry: Registry, year: int) -> Iterator[str]:
    if meter.medium not in energy.FUELS:
        return
    for kind, words in ((energy.COAL, "当量 kgce"), (energy.EQUAL, "等价 kgce"), (energy.CARBON, "CO2 kg")):
        for step in worth(meter, kind, registry, year):
            shown = "无 none" if step.value is None else f"{step.value}/{energy.FUELS[meter.medium].unit}"
            yield f"系数 factor {words}: {shown} 自 since {civil.date_of(step.day)} ({step.source or '–'})"

"""Charts as SVG: bars and lines over common labels, with level lines.

Written by hand and not by a plotting library: the reader's own fonts draw the Chinese words, the file is small, prints sharp, and the
same values make the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final

from lanbi.reports.page import Chart, Series

WIDE: Final = 900
HIGH: Final = 260
LEFT: Final = 52
RIGHT: Final = 40
"""Room for the names of level lines, where no bar stands."""
TOP: Final = 26
"""Room for the unit above the highest number."""
BOTTOM: Final = 40
INKS: Final = ("#1f5fa8", "#b3501e", "#2f7d4f", "#7a4fa0", "#8a6d00", "#006d77", "#9d2449", "#555555")
TICKS: Final = 5
MOST_LABELS: Final = 16
LETTER: Final = 6.6
"""Width of a digit, as wide as fonts make it."""
BETWEEN: Final = 10


def svg(chart: Chart) -> str:
    """The picture; empty charts say so."""
    values = [value for one in chart.series for value in one.values if value is not None] + [value for _, value in chart.lines]
    if not chart.labels or len(values) == len(chart.lines):
        return "<p>无数据 no data</p>"
    low, high, step = _scale(values)
    parts = [*_grid(low, high, step, chart.unit), *_labels(chart.labels)]
    for number, one in enumerate(chart.series):
        parts += _bars(one, low, high) if one.colours else _line(one, INKS[number % len(INKS)], low, high)
    parts += _bounds(chart.lines, low, high)
    legend = list(_legend(chart.series)) if len(chart.series) > 1 else []
    tall = HIGH + 18 * len(legend)
    return f'<svg viewBox="0 0 {WIDE} {tall}" role="img" aria-label="{escape(chart.title)}">{"".join(parts + legend)}</svg>'


def _scale(values: Sequence[float]) -> tuple[float, float, float]:
    """Bounds and step of the axis: round numbers around the values, from zero where they are near it."""
    low, high = min(0.0, *values), max(values)
    rough = max(high - low, 1e-9) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if power * one >= rough)
    return floor(low / step) * step, max(ceil(high / step), 1) * step, step


def _y(value: float, low: float, high: float) -> float:
    return round(TOP + (HIGH - TOP - BOTTOM) * (1 - (value - low) / (high - low)), 1)


def _x(place: int, count: int) -> float:
    return round(LEFT + (WIDE - LEFT - RIGHT) * (place + 0.5) / count, 1)


def _grid(low: float, high: float, step: float, unit: str) -> Iterator[str]:
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        y = _y(value, low, high)
        yield f'<line class="g" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y}" y2="{y}"/><text class="r" x="{LEFT - 6}" y="{y + 4}">{value:g}</text>'
    yield f'<text x="4" y="{TOP - 14}">{escape(unit)}</text>'


def _labels(labels: Sequence[str]) -> Iterator[str]:
    room = (WIDE - LEFT - RIGHT) / (LETTER * max(map(len, labels)) + BETWEEN)
    every = ceil(len(labels) / max(1, min(MOST_LABELS, floor(room))))
    for place in range(0, len(labels), every):
        yield f'<text class="m" x="{_x(place, len(labels))}" y="{HIGH - BOTTOM + 16}">{escape(labels[place])}</text>'


def _bars(one: Series, low: float, high: float) -> Iterator[str]:
    count = len(one.values)
    wide = max(1.0, round((WIDE - LEFT - RIGHT) / count * 0.75, 1))
    for place, (value, colour) in enumerate(zip(one.values, one.colours, strict=True)):
        if value is not None:
            y = _y(value, low, high)
            x = round(_x(place, count) - wide / 2, 1)
            yield f'<rect x="{x}" y="{y}" width="{wide}" height="{round(_y(max(low, 0.0), low, high) - y, 1)}" fill="{colour}" stroke="#444" stroke-width=".4"/>'


def _line(one: Series, ink: str, low: float, high: float) -> Iterator[str]:
    """A line that breaks where a value is missing; a value between two gaps is a dot."""
    run: list[str] = []
    for place, value in enumerate([*one.values, None]):
        if value is not None:
            run.append(f"{_x(place, len(one.values))},{_y(value, low, high)}")
            continue
        if len(run) == 1:
            x, _, y = run[0].partition(",")
            yield f'<circle cx="{x}" cy="{y}" r="2" fill="{ink}"/>'
        elif run:
            yield f'<polyline points="{" ".join(run)}" fill="none" stroke="{ink}" stroke-width="1.6"/>'
        run = []


def _bounds(lines: Sequence[tuple[str, float]], low: float, high: float) -> Iterator[str]:
    for name, value in lines:
        y = _y(value, low, high)
        yield f'<line x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y}" y2="{y}" stroke="#c00" stroke-dasharray="5 4"/><text fill="#c00" x="{WIDE - RIGHT + 4}" y="{round(y + 4, 1)}">{escape(name)}</text>'


def _legend(series: Sequence[Series]) -> Iterator[str]:
    for number, one in enumerate(series):
        y = HIGH + 18 * number + 6
        yield f'<rect x="{LEFT}" y="{y - 9}" width="14" height="4" fill="{INKS[number % len(INKS)]}"/><text x="{LEFT + 20}" y="{y - 3}">{escape(one.name)}</text>'

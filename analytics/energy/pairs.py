"""A treatment meter beside its production meter: what the treatment usually draws at each load, and the stretches in which it did not.

Everything is learnt from the pair itself. What counts as *production on* is the load from which the treatment usually runs, so a furnace
that is only kept warm asks for no filter; what counts as *off* and *idle* is a share of what the treatment usually draws at that load.
Samples that lie in a clue are not learnt from: a plant that stays off does not become usual, unless a person has explained it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.counting import HELD, Counted
from analytics.kernels import spreading
from domain.civil import DAY_S, HOUR_S, OFFSET_S
from domain.clues import Electricity

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
STEPS: Final = (60, 120, 300, 600, 900, 1_800, 3_600)
"""Widths of a sample [s]; a pair that is read more rarely is not judged."""
LEAST_UNITS: Final = 20
"""Register units that a running treatment must turn in a sample, or off and idle could not be told apart."""
EDGES: Final = 0.02 * 1.25 ** np.arange(19)
"""Bounds of load, as shares of the production's usual top: each a quarter above the last, from 2 % to 111 %."""
TOP: Final = 95
"""Percentile that is the usual top."""
RUNS: Final = 0.1
"""A treatment that usually draws less than this share of its top at some load does not run at it."""
LEARN_WEEKS: Final = 4
"""So many weeks are learnt from: the last ones in which production ran and was hardly ever in a clue."""
LEAST_ON_S: Final = DAY_S
MOST_TOLD: Final = 0.35
"""Share of a week's production in a clue above which nothing is learnt from that week."""
LEAST_DAYS: Final = 7
"""Known days before anything is judged."""
WEEK_DAYS: Final = 7
BAND: Final = 10
"""Percentile that is the lower edge of the usual band: at one load a treatment may run in two ways, as after an order that cut production only."""
LEAST_BIN_S: Final = HOUR_S
"""Known time between two bounds of load before it has its own usual draw."""
BRIDGE_S: Final = 1_800
"""Two stretches that are so near are one."""
APART_S: Final = 2 * HOUR_S
"""The same for idling and for missing data."""


class Curves(NamedTuple):
    """Mean power of a pair on equal samples.

    Attributes
    ----------
    start : int [s]
        Beginning of the first sample.
    step : int [s]
    production, treatment : (n,) float64 [kW]
        NaN = not known.
    """

    start: int
    step: int
    production: Floats
    treatment: Floats
    silent: Bools | None = None
    """(n,) where a meter says nothing at all, which is more than that its readings are too far apart; None = wherever one is not known."""


class Limits(NamedTuple):
    """Set on-powers of a pair [kW]; None = learnt."""

    production: float | None
    treatment: float | None


class Stretch(NamedTuple):
    """A stretch that a rule tells: samples [start, stop) of the curves."""

    kind: str
    start: int
    stop: int


class Judged(NamedTuple):
    """What was found on a pair's curves.

    Attributes
    ----------
    usual : (n,) float64 [kW]
        What the treatment usually draws at the production's load of each sample; NaN = nothing learnt yet, or production off.
    level : (n,) float64 [kW]
        Below it the treatment is off.
    """

    stretches: list[Stretch]
    usual: Floats
    level: Floats


def power(counted: Counted, start: int, step: int, count: int, to_kwh: float, *, longest: int = 0) -> Floats:
    """Mean power of a meter on equal samples.

    An interval longer than two samples does not say what ran when: NaN, as where nothing was counted or something is held.

    Parameters
    ----------
    to_kwh : float
        Kilowatt-hours of the registered unit.
    longest : int [s]
        Longest interval that is taken, if that is more than two samples.

    Returns
    -------
    (count,) float64 [kW]
    """
    short = (counted.end - counted.begin <= max(2 * step, longest)) & (counted.flag != HELD)
    sums, covered, marks = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.uint8)
    begin, end, amount, flag = (column[short] for column in (counted.begin, counted.end, counted.amount, counted.flag))
    spreading.spread(begin, end, amount, flag, HELD, start, step, sums, covered, marks)
    return np.where(covered == step, sums * (float(counted.unit) * to_kwh * HOUR_S / step), np.nan)


def width(intervals: tuple[int, int], unit_kwh: float, top_kw: float) -> int | None:
    """Sample width [s] that both meters' readings and the register's resolution carry; None = the pair cannot be judged."""
    fine = [step for step in STEPS if step >= max(intervals) and top_kw * step / HOUR_S >= LEAST_UNITS * unit_kwh]
    return fine[0] if fine else None


def judge(curves: Curves, limits: Limits, rules: Electricity, excused: Callable[[str, int, int], bool]) -> Judged:
    """Learn week by week from four weeks before, and find what is not as usual.

    Parameters
    ----------
    excused : callable
        Whether a person explained a stretch (kind, begin [s], end [s]): what was explained is learnt from.
    """
    count = len(curves.production)
    usual, level = np.full(count, np.nan), np.full(count, np.nan)
    off, idle = np.zeros(count, bool), np.zeros(count, bool)
    hours = _hourly(curves)
    normal = ~np.isnan(curves.production) & ~np.isnan(curves.treatment)
    learnt: list[Places] = []
    for low, high in _weeks(curves):
        week, own = slice(low, high), np.concatenate([np.zeros(0, np.int64), *learnt[-LEARN_WEEKS:]])
        if len(own) * curves.step >= LEAST_DAYS * DAY_S:
            usual[week], level[week] = _expected(curves, own, week, limits, rules)
        with np.errstate(invalid="ignore"):
            off[week] = curves.treatment[week] < level[week]
        idle[week] = _idle(hours, own, (usual, off), week, float(rules.idle_share))
        for kind, found in (("treatment-off", off), ("idling", idle)):
            for start, stop in _runs(found[week]):
                begin_s, end_s = (curves.start + curves.step * (low + place) for place in (start, stop))
                normal[low + start : low + stop] &= excused(kind, begin_s, end_s)
        on = ~np.isnan(usual[week])
        told = int((on & (off[week] | idle[week]) & ~normal[week]).sum())
        if not learnt or np.isnan(usual[:low]).all() or (on.sum() * curves.step >= LEAST_ON_S and told <= MOST_TOLD * on.sum()):
            learnt.append(low + np.flatnonzero(normal[week]))
    return Judged(sorted(_stretches(curves, usual, off, idle, rules), key=lambda one: one.start), usual, level)


def _hourly(curves: Curves) -> Curves:
    """Means over the hour that ends with each sample; NaN where any of it is not known."""
    each = max(1, HOUR_S // curves.step)
    shown = []
    for column in (curves.production, curves.treatment):
        padded = np.concatenate([np.full(each - 1, np.nan), column])
        shown.append(np.convolve(padded, np.full(each, 1 / each), "valid"))
    return Curves(curves.start, curves.step, *shown)


def _weeks(curves: Curves) -> Iterator[tuple[int, int]]:
    """Samples [low, high) of each week, by the calendar: the same weeks whichever year they are looked at from."""
    count, each = len(curves.production), WEEK_DAYS * DAY_S // curves.step
    behind = (curves.start + OFFSET_S) % (WEEK_DAYS * DAY_S) // curves.step
    for low in range(-behind, count, each):
        yield max(low, 0), min(low + each, count)


def _expected(curves: Curves, own: Places, week: slice, limits: Limits, rules: Electricity) -> tuple[Floats, Floats]:
    """Usual draw of the treatment and its off-level at each sample of a week."""
    made, treated = curves.production[own], curves.treatment[own]
    top, full = float(np.percentile(made, TOP)), float(np.percentile(treated, TOP))
    if top <= 0 or full <= 0:
        return np.full(week.stop - week.start, np.nan), np.full(week.stop - week.start, np.nan)
    now = curves.production[week]
    drawn = _usual(made, treated, now, curves.step)
    if limits.production is not None:
        # A set on-power says that the treatment must run there, whatever was usual.
        drawn = np.where(np.nan_to_num(now) >= limits.production, np.maximum(np.nan_to_num(drawn), full * RUNS), np.nan)
    else:
        drawn = np.where(drawn >= RUNS * full, drawn, np.nan)
    drawn = np.where(np.isnan(now), np.nan, drawn)
    level = drawn * float(rules.off_share) if limits.treatment is None else np.where(np.isnan(drawn), np.nan, limits.treatment)
    return drawn, level


def _usual(made: Floats, treated: Floats, now: Floats, step: int, percentile: float = 50) -> Floats:
    """Usual draw at some loads: the median (or another percentile) by bounds of load, a straight line between known ones and to nothing at no load.

    Parameters
    ----------
    made, treated : (k,) float64 [kW]
        What is learnt from; no NaN.
    now : (n,) float64 [kW]

    Returns
    -------
    (n,) float64 [kW]
        NaN where ``now`` is, and everywhere where no bound is known.
    """
    place = np.searchsorted(EDGES * np.percentile(made, TOP), made)
    known = [place == one for one in range(len(EDGES) + 1)]
    known = [one for one in known if one.sum() * step >= LEAST_BIN_S]
    if not known:
        return np.full(len(now), np.nan)
    loads, draws = [float(np.median(made[one])) for one in known], [float(np.percentile(treated[one], percentile)) for one in known]
    return np.where(np.isnan(now), np.nan, np.interp(np.nan_to_num(now), [0.0, *loads], [0.0, *draws]))


def _idle(hours: Curves, own: Places, running: tuple[Floats, Bools], week: slice, share: float) -> Bools:
    """Samples of whole hours in which production ran, the treatment was never off, and drew less than a share of the usual band.

    By the hour, not by the sample: a furnace that dips for a quarter of an hour says little about how hard its filter has to work.

    Parameters
    ----------
    own : (k,) int64
        Samples that are learnt from.
    running : ((n,) float64, (n,) bool)
        Usual draw by the sample, NaN = production off; whether the treatment was off.
    """
    each = max(1, HOUR_S // hours.step)
    whole = slice(max(0, week.start - each + 1), week.stop)
    usual, off = (column[whole] for column in running)
    found = np.zeros(whole.stop - whole.start, bool)
    known = own[~np.isnan(hours.production[own]) & ~np.isnan(hours.treatment[own])]
    if not len(known) or len(found) < each:
        return found[week.start - whole.start :]
    drawn = _usual(hours.production[known], hours.treatment[known], hours.production[whole], hours.step, BAND)
    with np.errstate(invalid="ignore"):
        low = hours.treatment[whole] < share * drawn
    counts: Bools = np.logical_not(np.isnan(usual) | off)
    there = np.convolve(counts.astype(np.float64), np.ones(each), "valid") > each - 0.5
    for place in np.flatnonzero(low[each - 1 :] & there).tolist():
        found[place : place + each] = True
    return found[week.start - whole.start :]


def _stretches(curves: Curves, usual: Floats, off: Bools, idle: Bools, rules: Electricity) -> Iterator[Stretch]:
    least = max(2, -(-int(rules.off_minutes) * 60 // curves.step))
    on = ~np.isnan(usual)
    for start, stop in _joined(off, BRIDGE_S // curves.step):
        one = _at_edges(curves, on, start, stop, rules)
        if off[start:stop].sum() >= least and (one.kind == "treatment-off" or (stop - start) * curves.step > int(rules.lag_minutes) * 60):
            yield one
    blind_s = int(rules.blind_minutes) * 60
    silent = np.isnan(curves.production) | np.isnan(curves.treatment) if curves.silent is None else curves.silent
    full = np.nanmax(usual) if on.any() else np.nan
    with np.errstate(invalid="ignore"):
        flat = (curves.production == 0) & (curves.treatment > full * RUNS)
    for kind, mask, least_s in (("idling", idle, int(rules.idle_minutes) * 60), ("blind", silent, blind_s), ("flat", flat, blind_s)):
        for start, stop in _joined(mask, APART_S // curves.step if kind == "idling" else 0):
            if (stop - start) * curves.step >= least_s:
                yield Stretch(kind, start, stop)


def _at_edges(curves: Curves, on: Bools, start: int, stop: int, rules: Electricity) -> Stretch:
    """E1, or E2 where the stretch lies at one edge of a run of production and is longer than the tolerance."""
    lag = int(rules.lag_minutes) * 60 // curves.step
    near = max(1, lag)
    known = ~np.isnan(curves.production)
    before, behind = slice(max(0, start - near), start), slice(stop, stop + near)
    first = start > 0 and not on[before].any() and bool(known[before].all())
    last = stop < len(on) and not on[behind].any() and bool(known[behind].all())
    if first == last:
        return Stretch("treatment-off", start, stop)
    return Stretch("late-start" if first else "early-stop", start, stop)


def _runs(mask: Bools) -> Iterator[tuple[int, int]]:
    edges = np.diff(np.concatenate([[0], mask, [0]]).astype(np.int8))
    yield from zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)


def _joined(mask: Bools, gap: int) -> Iterator[tuple[int, int]]:
    """Runs, those that are less than ``gap`` samples apart as one."""
    held: tuple[int, int] | None = None
    for start, stop in _runs(mask):
        if held is not None and start - held[1] < gap:
            held = held[0], stop
            continue
        if held is not None:
            yield held
        held = start, stop
    if held is not None:
        yield held

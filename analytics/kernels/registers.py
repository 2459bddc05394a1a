"""One pass over a meter's registers: what each reading means, and how far the register turned. Whole register units only.

The order of the questions is what counts. Wherever a roll-over is plausible a reset is too, so the roll-over is asked first;
and a rejected reading never becomes the base of the next interval, or one spurious zero would count the whole register again.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import NONE, Whole

Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

FIRST: Final = 0
NORMAL: Final = 1
ROLLOVER: Final = 2
RESET: Final = 3
EXCHANGE: Final = 4
OVER_POWER: Final = 5
HELD: Final = 6
SPIKE: Final = 7
NEGATIVE: Final = 8
OPEN: Final = 9
"""Higher than the meter can have run, and no later reading to decide between spike and over-power yet."""
GAP: Final = 16
"""Added to a meaning when readings are missing before this one."""

NEVER: Final = -1
ANY_TIME: Final = -2
DAY_S: Final = 86_400
OFFSET_S: Final = 28_800
UNBOUNDED: Final = 2**62


@njit(cache=True, nogil=True, error_model="numpy")
def _cap(slope: Longs, i: Whole, span: Whole) -> Whole:
    """Most units that can have turned in ``span`` seconds before reading ``i``."""
    if slope[i, 0] < 0:
        return UNBOUNDED
    return slope[i, 0] * span // slope[i, 1]


@njit(cache=True, nogil=True, error_model="numpy")
def _follows(times: Longs, units: Longs, slope: Longs, i: Whole, j: Whole) -> Whole:
    """Whether reading ``j`` is plausible with reading ``i`` as its base."""
    turned = units[j] - units[i]
    return 0 <= turned <= _cap(slope, j, times[j] - times[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _next(units: Longs, i: Whole) -> Whole:
    """The next reading that is a register at all; ``NONE`` if there is none."""
    for j in range(i + 1, len(units)):
        if units[j] >= 0:
            return j
    return NONE


@njit(cache=True, nogil=True, error_model="numpy")
def _resets(times: Longs, base: Whole, i: Whole, reset: Whole) -> Whole:
    """Whether the registry allows a reset between the base and reading ``i``."""
    if reset < 0:
        return reset == ANY_TIME
    # Both ends count: some meters show 0 at the label itself, others still the whole day.
    before = (times[base] + OFFSET_S - reset - 1) // DAY_S
    return (times[i] + OFFSET_S - reset) // DAY_S > before


@njit(cache=True, nogil=True, error_model="numpy")
def _settled_lower(times: Longs, units: Longs, slope: Longs, base: Whole, i: Whole) -> Whole:
    """Whether the register fell far and then counts on from there: another meter hangs there and nobody said so.

    Three readings in a row must agree; fewer are a dip, which the next good reading heals.
    """
    far = _cap(slope, i, times[i] - times[base])
    fell = units[base] - units[i]
    if (far < UNBOUNDED and fell <= far) or (far == UNBOUNDED and 2 * units[i] >= units[base]):
        return False
    second = _next(units, i)
    third = _next(units, second) if second != NONE else NONE
    if third == NONE or units[third] >= units[base]:
        return False
    return _follows(times, units, slope, i, second) and _follows(times, units, slope, second, third)


@njit(cache=True, nogil=True, error_model="numpy")
def _rise(times: Longs, units: Longs, slope: Longs, base: Whole, i: Whole) -> Whole:
    """Meaning of a reading at or above its base."""
    if units[i] - units[base] <= _cap(slope, i, times[i] - times[base]):
        return NORMAL
    after = _next(units, i)
    if after == NONE:
        return OPEN
    if not _follows(times, units, slope, base, after) and _follows(times, units, slope, i, after):
        return OVER_POWER
    return SPIKE


@njit(cache=True, nogil=True, error_model="numpy")
def _fall(times: Longs, units: Longs, slope: Longs, base: Whole, i: Whole, rules: Longs) -> Whole:
    """Meaning of a reading below its base."""
    modulus, reset, short = rules[0], rules[1], rules[3]
    span = times[i] - times[base]
    cap = _cap(slope, i, span)
    # After a long silence everything is plausible, so nothing is believed.
    brief = span <= short or (modulus > 0 and 2 * cap < modulus)
    if modulus > 0 and units[i] - units[base] + modulus <= cap:
        return ROLLOVER if brief else HELD
    if _resets(times, base, i, reset) and units[i] <= cap:
        if not brief:
            return HELD
        after = _next(units, i)
        undone = after != NONE and _follows(times, units, slope, base, after) and not _follows(times, units, slope, i, after)
        return SPIKE if undone else RESET
    return HELD if _settled_lower(times, units, slope, base, i) else NEGATIVE


@njit(cache=True, nogil=True, error_model="numpy")
def classify(times: Longs, units: Longs, slope: Longs, exchanges: Longs, rules: Longs, meaning: Bytes, base: Longs, before: Longs, after: Longs) -> None:
    """Give every reading of a meter its meaning.

    Parameters
    ----------
    times : (n,) int64 [s]
        Ascending, each once.
    units : (n,) int64 [register units]
        Negative = no register (not finite, or below zero).
    slope : (n, 2) int64
        Most units a second at each reading as a fraction; numerator ``NONE`` = unbounded.
    exchanges : (e, 3) int64
        Time [s], last reading of the old meter, first of the new one [units]; ascending.
    rules : (4,) int64
        Modulus [units] (0 = none); reset: ``NEVER``, ``ANY_TIME`` or second of the local day; expected interval [s]; longest
        silence [s] after which a roll-over or reset is still believed.
    meaning : (n,) int8
        Written: one of the constants of this module, plus ``GAP``.
    base : (n,) int64
        Written: reading that the interval begins at; ``NONE`` = no interval.
    before, after : (n,) int64 [units]
        Written: turned up to an exchange (or in all, without one), and after it.
    """
    last = seen = NONE
    for i in range(len(times)):
        meaning[i], base[i], before[i], after[i] = NEGATIVE, NONE, 0, 0
        silent = seen != NONE and 2 * (times[i] - times[seen]) > 3 * rules[2]
        seen = i
        if units[i] >= 0:
            said = _meaning(times, units, slope, exchanges, rules, last, i, before, after)
            meaning[i] = said + (GAP if silent and said < SPIKE else 0)
            if said < SPIKE:
                base[i], last = last, i


@njit(cache=True, nogil=True, error_model="numpy")
def _meaning(times: Longs, units: Longs, slope: Longs, exchanges: Longs, rules: Longs, last: Whole, i: Whole, before: Longs, after: Longs) -> Whole:
    """Meaning of a register with ``last`` as its base; writes what turned."""
    if last == NONE:
        return FIRST
    said = _exchanged(times, units, slope, exchanges, last, i, before, after)
    if said != NONE:
        return said
    said = _rise(times, units, slope, last, i) if units[i] >= units[last] else _fall(times, units, slope, last, i, rules)
    if said == RESET:
        before[i] = units[i]
    elif said < SPIKE and said != HELD:
        before[i] = units[i] - units[last] + (rules[0] if said == ROLLOVER else 0)
    return said


@njit(cache=True, nogil=True, error_model="numpy")
def _exchanged(times: Longs, units: Longs, slope: Longs, exchanges: Longs, last: Whole, i: Whole, before: Longs, after: Longs) -> Whole:
    """An exchange between base and reading, and what turned on both sides of it; ``NONE`` if there was none."""
    found, count = 0, 0
    for e in range(len(exchanges)):
        if times[last] < exchanges[e, 0] <= times[i]:
            found, count = e, count + 1
    if count == 0:
        return NONE
    old, new = exchanges[found, 1] - units[last], units[i] - exchanges[found, 2]
    # Another transformer may have come with the meter, so the larger of both caps counts.
    span = times[i] - times[last]
    cap = max(_cap(slope, i, span), _cap(slope, last, span))
    if count > 1 or old < 0 or new < 0 or old + new > cap:
        return HELD  # two exchanges, or a form that does not fit the readings, as one dated too early: a person must look
    before[i], after[i] = old, new
    return EXCHANGE

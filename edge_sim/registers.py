"""What happens to a register: pure, in units that only grow and never roll over; the display comes afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from edge_sim.faults import Fault
from edge_sim.meters import MeterSignal
from edge_sim.noise import Floats, Ints

Change = Callable[[Ints, int, float, int], Ints]
"""(units behind the onset, units at the onset, size, size in units) → units that the register counts from now on."""

CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "register-reset": lambda units, base, _, __: units - base,
        "exchange": lambda units, base, _, first: units - base + first,
        "exchange-silent": lambda units, base, _, first: units - base + first,
        "multiplier": lambda units, base, ratio, _: base + np.floor((units - base) * ratio).astype(np.int64),
        "step-back": lambda units, _, __, fallen: units - fallen,
    },
)
ROLL_OVER: Final = "roll-over"
"""The one kind that shifts the register all the time, so that nothing jumps before it rolls over."""


def counted(signal: MeterSignal, faults: Sequence[Fault], times: Ints) -> Ints:
    """Units that the register has counted, not yet rolled over.

    Parameters
    ----------
    faults : sequence of Fault
        What happened to this register, in any order; other kinds are passed over.
    times : (n,) int64 [s]

    Returns
    -------
    (n,) int64
    """
    known = sorted((one for one in faults if one.kind in CHANGES), key=lambda one: one.begin)
    shift = sum(_rolled(signal, one) for one in faults if one.kind == ROLL_OVER)
    return _after(signal, known, times, shift)


def _after(signal: MeterSignal, faults: Sequence[Fault], times: Ints, shift: int) -> Ints:
    units = signal.turned(times) + shift
    for number, fault in enumerate(faults):
        base = _after(signal, faults[:number], np.array([fault.begin], np.int64), shift)
        changed = CHANGES[fault.kind](units, int(base[0]), fault.size, _units(signal, fault.size))
        units = np.where(times > fault.begin, changed, units)
    return units


def _units(signal: MeterSignal, size: float) -> int:
    return round(size / float(signal.resolution))


def _rolled(signal: MeterSignal, fault: Fault) -> int:
    """Units to add so that the register passes its modulus right behind the onset."""
    length = signal.length
    if not length:
        return 0
    return int(length - 1 - signal.turned(np.array([fault.begin], np.int64))[0]) % length


def displayed(signal: MeterSignal, faults: Sequence[Fault], times: Ints) -> Floats:
    """What the register shows, in the registered unit: (n,) int64 [s] to (n,) float64."""
    return signal.display(counted(signal, faults, times))


def exchange_event(signal: MeterSignal, fault: Fault, faults: Sequence[Fault]) -> dict[str, object]:
    """What an honest device says of an exchange: last reading of the old register, first of the new one, in the registered unit."""
    before = [one for one in faults if one.begin < fault.begin or one.kind == ROLL_OVER]
    last = displayed(signal, before, np.array([fault.begin], np.int64))
    return {"type": "exchange", "source": fault.target, "last": float(last[0]), "first": fault.size}

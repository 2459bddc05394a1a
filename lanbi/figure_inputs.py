"""What :mod:`lanbi.figures` is handed, checked: arrays by shape and range, parameters as the registry would read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics import counting
from domain import water
from domain.errors import InputError
from domain.items import ITEMS, Item
from domain.places import Dated, Meter
from lanbi.assess.water import MOST
from lanbi.registers import LARGEST
from lanbi.registry_values import Reader, day_of, number, positive, reset
from lanbi.registry_values import whole as of_whole

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def registers(times: npt.ArrayLike, values: npt.ArrayLike, interval: object) -> tuple[Longs, Floats]:
    """Ascending times and their registers; what is not finite is -1, no reading."""
    moments, shown = whole(times, "times"), floats(values, "registers", finite=False)
    if moments.ndim != 1 or moments.shape != shown.shape:
        raise InputError(f"two columns of one length are needed, not {moments.shape} and {shown.shape}", "times, registers")
    if bool((np.diff(moments) <= 0).any()):
        raise InputError("times must ascend, each once", "times", "sort them; of two registers at one time keep one")
    read(of_whole, interval, "interval")
    return moments, np.where(np.isfinite(shown), shown, -1.0)


def meter(facts: Mapping[str, Any]) -> Meter:
    """A meter of the registry out of its facts."""
    limits: dict[str, Any] = {name: maybe(facts[name], name) for name in ("modulus", "max_power", "max_rate")}
    own: dict[str, Any] = {"resolution": read(positive, facts["resolution"], "resolution"), "reset": read(reset, facts["reset"], "reset")}
    return Meter("meter", "", "", Dated.always(""), "", steps(facts["multiplier"]), **own, **limits)


def steps(multiplier: str | Sequence[tuple[str, str]]) -> Dated[str]:
    """Multipliers with the civil days from which they hold."""
    if isinstance(multiplier, str):
        return Dated.always(read(positive, multiplier, "multiplier"))
    pairs = [(day_of(first), read(positive, value, "multiplier")) for first, value in multiplier]
    steps = tuple((day, value) for day, value in pairs if day is not None)
    if not steps or len(steps) < len(pairs) or any(later[0] <= earlier[0] for earlier, later in pairwise(steps)):
        raise InputError(f"steps of (date, decimal) whose dates grow are needed, not {multiplier!r}", "multiplier")
    return Dated(steps)


def forms(exchanges: Iterable[tuple[int, str, str]]) -> list[counting.Exchange]:
    """Exchange forms in order of time."""
    forms = [counting.Exchange(int(time), register(last), register(first)) for time, last, first in exchanges]
    return sorted(forms)


def register(value: str) -> Decimal:
    """A register of a form."""
    found = Decimal(read(number, value, "exchanges"))
    if not 0 <= found < LARGEST:
        raise InputError(f"no register: {value!r}", "exchanges", f"write a decimal from 0 to {LARGEST:,}")
    return found


def read(reader: Reader, value: object, where: str) -> Any:
    """A parameter as the registry would read it."""
    fault, found = reader(value)
    if fault:
        raise InputError(fault, where)
    return found


def maybe(value: str | None, where: str) -> str | None:
    """A number above zero, or none."""
    return None if value is None else str(read(positive, value, where))


def water_columns(values: Mapping[str, npt.ArrayLike]) -> dict[str, Floats]:
    """Columns of one length, each within its item's range."""
    known = {**dict.fromkeys(water.MANUAL), **{item: one for (realm, item), one in ITEMS.items() if realm == "water"}}
    columns: dict[str, Floats] = {}
    for name, column in values.items():
        one_of(name, tuple(known), "values")
        columns[name] = floats(column, name)
        if columns[name].ndim != 1 or len({len(one) for one in columns.values()}) > 1:
            raise InputError(f"columns of one length are needed, not {columns[name].shape}", name)
        in_range(columns[name], known[name] or Item(name, "water", "mg/L", 0, 0, MOST, name, name), name)
    return columns


def masks(below: Mapping[str, npt.ArrayLike], columns: Mapping[str, Floats]) -> dict[str, Bools]:
    """Masks that fit their columns."""
    masks = {name: np.asarray(mask, bool) for name, mask in below.items()}
    for name, mask in masks.items():
        if name not in columns or mask.shape != columns[name].shape:
            raise InputError(f"'{name}' has no column of values of this length", "below")
    return masks


def one_of(word: str, words: Sequence[str], where: str) -> None:
    """Refuse a word that is none of some."""
    if word not in words:
        raise InputError(f"{word!r} is none of {', '.join(words)}", where)


def floats(values: npt.ArrayLike, where: str, *, finite: bool = True) -> Floats:
    """An array of its own, so that nothing of the caller's can change."""
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"numbers are needed: {error}", where, "NaN stands for what is missing") from None
    if finite and bool(np.isinf(found).any()):
        raise InputError("an infinite value", where, "NaN stands for what is missing")
    return found


def whole(values: npt.ArrayLike, where: str) -> Longs:
    """Whole seconds."""
    found = np.asarray(values)
    if found.size and found.dtype.kind not in "iu":
        raise InputError(f"whole seconds are needed, not {found.dtype}", where)
    return found.astype(np.int64)


def in_range(column: Floats, item: Item, where: str) -> None:
    """Refuse what is no value of the item, with its row."""
    out = (column < item.low) | (column > item.high)
    if bool(out.any()):
        row = int(out.argmax())
        raise InputError(f"outside the range {item.low:g}…{item.high:g} {item.unit}: {column[row]:g}", f"{where}, row {row}", "check the unit; NaN = missing")

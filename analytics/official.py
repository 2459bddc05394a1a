"""Official figures beside ours: the difference, and its likely cause.

A guess and called one: of the other ways in which the figure could have been made (reviewed data, without dust, from other stations)
the one that gives the official figure is named, else the review or the dust list if it comes clearly nearer to it (of the many sets of
stations one always comes nearer by chance); else the days that we lack, if we lack any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

NEARER: Final = 2
"""A way is named if it brings the difference down to one part of so many."""
SETS: Final = "station-set"
WAYS: Final = ("review", "dust", SETS)
"""Ways in the order of their plausibility: an authority reviews first."""


class Ours(NamedTuple):
    """Our figure in units of its last displayed digit, and the days behind it of those that there are."""

    value: int
    valid: float
    expected: float


def cause(official: int, ours: Ours, ways: Mapping[str, Sequence[int]]) -> str:
    """Code of the likely cause of a difference.

    Parameters
    ----------
    official : int
        In units of the last displayed digit.
    ours : Ours
    ways : mapping of str to sequence of int
        For each of :data:`WAYS` the figures that it gives.

    Examples
    --------
    >>> cause(417, Ours(423, 30, 30), {"review": [417], "dust": [417]}), cause(417, Ours(423, 27, 30), {})
    ('review', 'missing-hours')
    """
    gap = abs(ours.value - official)
    if not gap:
        return "equal"
    nearest = {way: min(abs(value - official) for value in ways[way]) for way in WAYS if ways.get(way)}
    exact = next((way for way in WAYS if nearest.get(way) == 0), "")
    if exact:
        return exact
    near = [way for way in nearest if way != SETS and nearest[way] * NEARER <= gap]
    if near:
        return min(near, key=lambda way: (nearest[way], WAYS.index(way)))
    return "missing-hours" if ours.valid < ours.expected else "unknown"


def station_sets(values: Mapping[str, float], assessed: Sequence[str]) -> list[float]:
    """Means over other sets of stations: all but one, one alone, and all that there are.

    Parameters
    ----------
    values : mapping of str to float
        A mean of each station that has one.
    assessed : sequence of str
        The stations that make the county's figure.
    """
    own = [values[name] for name in assessed if name in values]
    sets = [own[:place] + own[place + 1 :] for place in range(len(own))] + [[one] for one in own]
    if len(values) > len(own):
        sets.append(list(values.values()))
    return [sum(one) / len(one) for one in sets if one]

"""Pressed arrays: what is looked at once an hour or once a year is kept small in between.

A year of two years' stations would fill the machine if every hour of them lay open; most bits of an hour say nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.cube import SiteYear

_LEVEL: Final = 1
"""A higher one takes three times as long for a tenth less."""
Arrays = Sequence[npt.NDArray[Any]]


class Pressed(NamedTuple):
    """Arrays as compressed bytes, with what is needed to open them."""

    data: bytes
    forms: tuple[tuple[np.dtype[Any], tuple[int, ...]], ...]


def press(arrays: Arrays) -> Pressed:
    """Compressed arrays; byte after byte of equal weight, for neighbours differ in the low ones only."""
    planes = [np.ascontiguousarray(one).reshape(-1).view(np.uint8).reshape(one.size, one.itemsize).T for one in arrays]
    return Pressed(zlib.compress(b"".join(plane.tobytes() for plane in planes), _LEVEL), tuple((one.dtype, one.shape) for one in arrays))


def opened(pressed: Pressed) -> list[npt.NDArray[Any]]:
    """The arrays again, each its own and writable."""
    data, at, found = np.frombuffer(zlib.decompress(pressed.data), np.uint8), 0, []
    for dtype, shape in pressed.forms:
        size = int(np.prod(shape)) * dtype.itemsize
        plane = data[at : at + size].reshape(dtype.itemsize, -1)
        found.append(np.ascontiguousarray(plane.T).reshape(-1).view(dtype).reshape(shape))
        at += size
    return found


class Cubes(MutableMapping[str, SiteYear]):
    """Site-years by name, each pressed; one that was changed has to be put back."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Pressed]] = {}

    def __getitem__(self, name: str) -> SiteYear:
        first, pressed = self._kept[name]
        hours, built, days, lost = opened(pressed)
        return SiteYear(first, hours, built, days, lost)

    def __setitem__(self, name: str, site: SiteYear) -> None:
        self._kept[name] = site.first, press((site.hours, site.built, site.days, site.lost))

    def __delitem__(self, name: str) -> None:
        del self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

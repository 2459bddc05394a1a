"""Midnights that a source labels 00:00 of the day that ends instead of the day that begins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

from domain.civil import DAY_S, day_start


def repaired(times: Sequence[int]) -> tuple[list[int], int]:
    """Times of a meter's rows in the order of the file, with mislabelled midnights a day later, and how many there were.

    A row is one only if it leaves no other reading: it says 00:00, the row before it is the last step of that same day, and the
    row behind it, if there is one, is the first step of the next day. So nothing else that goes backward is touched.

    >>> repaired([57_600 - 900, 57_600 - 86_400, 57_600 + 900, 57_600 + 1_800])
    ([56700, 57600, 58500, 59400], 1)
    """
    steps = [after - before for before, after in pairwise(times) if after > before]
    step = median_low(steps) if steps else DAY_S
    if step >= DAY_S:
        return list(times), 0
    found = list(times)
    for place in range(1, len(times)):
        time = times[place]
        after = times[place + 1] if place + 1 < len(times) else time + DAY_S + step
        midnight = (time - day_start(0)) % DAY_S == 0
        if midnight and times[place - 1] == time + DAY_S - step and after == time + DAY_S + step:
            found[place] = time + DAY_S
    return found, sum(new != old for new, old in zip(found, times, strict=True))

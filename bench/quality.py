"""All quality rules together on hours: cost a value, beside a straightforward numpy of the same rules with equal flags.

Input: simulated stations' years of hours with planted spikes, standing runs, copied stretches and PM2.5 above PM10.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads

fix_threads(1)

import numpy as np

from analytics import quality
from domain import quality as rules
from domain.fixed import MISSING, SCALE
from domain.items import AIR


def hours(seed: int, count: int) -> quality.Ints:
    """(count, 6) hours in thousandths with 2 % gaps and planted faults."""
    chance = np.random.default_rng(seed)
    base = np.array([45, 80, 12, 30, 0.8, 70])
    level = np.exp(np.cumsum(chance.normal(0, 0.05, (count, 6)), axis=0) % 1.0)
    units = np.array([1, 1, 1, 1, 0.1, 1])
    values = np.rint(base * level / units) * units
    for start in chance.integers(100, count - 100, 40).tolist():
        values[start : start + 30, start % 6] = values[start, start % 6] + 40 * units[start % 6]
        values[start + 50, (start + 1) % 6] *= 9
    out = np.rint(values * SCALE).astype(np.int32)
    out[chance.random(out.shape) < 0.02] = MISSING
    return out


def plain(own: quality.Ints, others: dict[str, quality.Ints]) -> quality.Bytes:
    """The same rules with numpy, a rule at a time."""
    out = np.zeros(own.shape, np.uint8)
    for place, item in enumerate(AIR):
        _one(own[:, place].astype(np.int64), rules.AIR[item], out[:, place])
    part, whole, factor, least = rules.RELATION
    one, two = own[:, AIR.index(part)].astype(np.int64), own[:, AIR.index(whole)].astype(np.int64)
    bad = (one != MISSING) & (two != MISSING) & (one > factor * two) & (one - two > least * SCALE)
    out[:, [AIR.index(part), AIR.index(whole)]] |= (16 * bad).astype(np.uint8)[:, None]
    for other in others.values():
        there = (own != MISSING) & (other != MISSING)
        same = (there & (own == other)).sum(axis=1) >= rules.COPY_ITEMS
        same &= ~(there & (own != other)).any(axis=1)
        for begin, end in _runs(same):
            if end - begin >= rules.COPY_HOURS:
                out[begin:end] |= np.where(own[begin:end] != MISSING, np.uint8(32), np.uint8(0))
    return out


def _one(value: np.ndarray, one: rules.Numbers, out: np.ndarray) -> None:
    there = value != MISSING
    out |= (1 * (there & ((value < one.low * SCALE) | (value > one.high * SCALE)))).astype(np.uint8)
    seen = np.flatnonzero(there)
    equal = np.concatenate([[False], (value[seen[1:]] == value[seen[:-1]]) & (value[seen[1:]] > one.floor * SCALE)])
    for begin, end in _runs(equal):
        if end - begin + 1 >= one.stuck:
            out[seen[begin - 1 : end]] |= np.uint8(4)
    jump = np.where(there[1:] & there[:-1], value[1:] - value[:-1], 0)
    limit = np.maximum(one.rate * SCALE, one.share * np.maximum(value[1:], value[:-1]))
    big = np.concatenate([[False], np.abs(jump) > limit])
    jump, limit = np.concatenate([[0], jump]), np.concatenate([[0.0], limit])
    for t in np.flatnonzero(big).tolist():
        before = jump[t - 1]
        if before and abs(before) > limit[t] and (before > 0) != (jump[t] > 0):
            out[t - 1] = (out[t - 1] & np.uint8(255 - 2)) | np.uint8(8)
        else:
            out[t] |= np.uint8(2)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def main() -> int:
    """Compare the flags, then print the table and write its rows."""
    bench = Bench.start("quality")
    years = 1 if bench.quick else 5
    own = hours(1, 8_760 * years)
    other = hours(2, 8_760 * years)
    other[500:540] = own[500:540]
    beside = {"a": other, "b": hours(3, 8_760 * years)}
    found = quality.flags(own, beside)
    if not np.array_equal(found, plain(own, beside)):
        sys.exit("the two sides flag differently: nothing is timed")
    told = ", ".join(f"{rule.name} {int(((found & rule.bit) != 0).sum())}" for rule in rules.RULES.values())
    print(f"flagged of {own.size} values: {told}")
    ours, peer = bench.race(lambda: quality.flags(own, beside), lambda: plain(own, beside))
    bench.add("all rules, two neighbours", 1e9 * ours / own.size, "ns/value", peer=1e9 * peer / own.size, peer_name="numpy")
    alone, plainly = bench.race(lambda: quality.flags(own, {}), lambda: plain(own, {}))
    bench.add("without neighbours", 1e9 * alone / own.size, "ns/value", peer=1e9 * plainly / own.size, peer_name="numpy")
    bench.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Blocks of time on several threads: the kernels hold no lock of the interpreter, so each thread computes rows of its own.

Time is split and never series: neighbouring series lie in one line of memory, and a thread that reads every n-th stretch of each
row loses the processor's read-ahead. Threads begin and end with the call; nothing is left running.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

SHARES: Final = 4
"""Blocks a thread, so that one that is held up leaves its share to the others."""


def spread(rows: int, threads: int, work: Callable[[int, int], None]) -> None:
    """Call ``work(start, stop)`` for blocks of rows that together are all of them, each row once.

    Parameters
    ----------
    rows : int
    threads : int
        1 calls ``work`` once, here.
    work : callable
        Computes the rows from start up to stop, and writes no others; what it raises is raised.
    """
    if threads <= 1 or rows <= 1:
        work(0, rows)
        return
    count = min(SHARES * threads, rows)
    edges = [rows * place // count for place in range(count + 1)]
    turn = itertools.count()

    def hand() -> None:
        while (place := next(turn)) < count:
            work(edges[place], edges[place + 1])

    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(hand) for _ in range(threads - 1)]
        # The calling thread takes blocks too: where no other core is free, it takes them all and nothing is lost.
        hand()
        for other in others:
            other.result()

"""Standing sensors of a table, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from analytics import stuck
from domain import civil
from lanbi.assess import series

HEADER: Final = ("site", "item", "from", "to", "hours", "value")


def answer(name: str) -> Iterator[bytes]:
    """CSV of site, item, first and last standing reading, hours that its readings stand for, and the value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for site, one in series.read(name).items():
        for run in stuck.find(one.times, one.items):
            writer.writerow([site, run.item, civil.iso(run.begin), civil.iso(run.end), f"{run.seconds / stuck.HOUR_S:g}", f"{run.value:g}"])
    yield out.getvalue().encode()

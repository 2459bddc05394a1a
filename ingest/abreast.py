"""Messages of one form judged side by side, for what nearly all of them are: numbered readings of one place a device, of one day. Pure.

What :mod:`ingest.express` asks of each message is asked here of all at once: of the oldest and the newest, of the set of days, of the list
of places. Where one answer is not the usual one, none of the messages is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, repeat

from domain.readings import Reading
from domain.reasons import FUTURE_S
from domain.wires import Heard
from ingest.accept import NS, RETAINED
from ingest.easy import NO_FLAGS, Easy
from ingest.ports import Record
from ingest.talkers import Talker

Instant = Callable[[Talker, str | int], int]


def abreast(records: Sequence[Record], talkers: Sequence[Talker | None], heard: Heard, instant: Instant) -> Easy | None:
    """Messages that are all easy; None if they must be looked at one by one.

    Parameters
    ----------
    talkers : sequence of Talker
        Who speaks in each message; all are known, and have the same zone and unit of time.
    heard : Heard
        What they say, bare.
    instant : callable
        ``instant(talker, time)``: instant of a time [s] that was not met before, and from then on is; 0 if it needs a closer look.
    """
    lead, known, wires = talkers[0], [talker for talker in talkers if talker], heard.bare
    if lead is None or len({talker.since for talker in known}) != 1 or any(flags & RETAINED for flags in {record.flags for record in records}):
        return None
    lists = len(wires) > len(records)
    counts = [len(some or ()) for some in heard.messages] if lists else []
    speakers = [talker for talker, count in zip(known, counts, strict=True) for _ in range(count)] if lists else known
    places = [talker.lone.id for talker in speakers if talker.lone and talker.lone.ranges is None]
    times = _times(lead, heard, records, instant)
    if len(places) != len(wires) or not times:
        return None
    base, numbers = lead.first[1], [wire.seq for wire in wires]
    spans, values, revisions = [wire.span for wire in wires], [wire.values for wire in wires], [base + number for number in numbers]
    rows = list(map(Reading, repeat(lead.realm), places, spans, times, values, repeat(NO_FLAGS), revisions))
    starts = list(accumulate(counts[:-1], initial=0)) if lists else list(range(len(records)))
    return Easy(records, [talker.first[0] for talker in known], starts, numbers, rows)


def _times(lead: Talker, heard: Heard, records: Sequence[Record], instant: Instant) -> list[int]:
    """Instants of all readings, if all are known, of one day, and neither too old nor in the future at their receipt; else none."""
    texts = [wire.time for wire in heard.bare]
    times = [time for time in map(lead.times.get, texts) if time]
    if len(times) < len(texts):
        times = [time for time in [lead.times.get(text) or instant(lead, text) for text in texts] if time]
    if len(times) < len(texts) or lead.lone is None:
        return []
    received = [record.received_ns for record in records]
    first, last = min(times), max(times)
    sound = lead.since < first and last <= lead.until and max(received) // NS - first <= lead.lone.oldest and min(received) // NS - last >= -FUTURE_S
    return times if sound else []

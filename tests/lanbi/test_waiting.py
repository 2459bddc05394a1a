"""How long readings wait is read from journal and cursor, whoever runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from domain.message import Message, encode
from lanbi.clock import SystemClock
from lanbi.metrics import collect
from lanbi.state import StateView
from lanbi.waiting import oldest_ns
from tests.ingest.county import NOW
from tests.ingest.machine import Machine

NS = 10**9
HOUR = NOW // 3600 * 3600


def air(seq: int) -> bytes:
    """A message of the air device."""
    return encode(Message(HOUR - 3600 * seq, 3600, {"pm25": 5.0}, 0, seq))


def waiting(data: Path) -> int:
    """Seconds since NOW at which the oldest waiting record came, or -1."""
    view = StateView(data)
    found = oldest_ns(data, view)
    view.close()
    return found // NS - NOW if found else -1


def test_the_oldest_record_behind_no_cursor_counts(tmp_path: Path) -> None:
    """Nothing waits in an empty house; then the first record does, until it is forwarded, and then the first one after it."""
    one = Machine(tmp_path)
    empty = waiting(tmp_path)
    one.journal([air(1), air(2)], now=NOW + 10)
    one.journal([b"{}"], writer="person", topic="lanbi/v1/~person/mark", now=NOW + 5)
    first = waiting(tmp_path)
    one.forward()
    done = waiting(tmp_path)
    one.journal([air(3), air(4)], now=NOW + 20)

    assert (-1, 5, -1, 20) == (empty, first, done, waiting(tmp_path))


def test_metric_tells_the_age_without_any_ingest(tmp_path: Path) -> None:
    """The age of the oldest waiting record is a metric, also while nobody forwards and no status was ever written."""

    @dataclass
    class Later(SystemClock):
        def now_ns(self) -> int:
            return (NOW + 100) * NS

    Machine(tmp_path).journal([air(1)], now=NOW + 40)
    found = {metric.name: metric.samples[0][1] for metric in collect(tmp_path, Later()) if len(metric.samples) == 1}

    assert (60.0, 1.0) == (found["lanbi_journal_oldest_seconds"], found["lanbi_journal_pending_readings"])

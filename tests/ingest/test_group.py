"""Messages that are taken at once end as those that are taken one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.group import KEPT, Group
from ingest.link import Health
from lanbi.clock import SystemClock
from lanbi.journal import JournalWriter

NOW_NS = 1_795_392_030 * 10**9
TOPICS = st.sampled_from([b"lanbi/v1/air1/data"] * 6 + [b"lanbi/v1/gate/data", b"lanbi/v1/air1/event", b"lanbi/v1/air1/state", b"foreign/x", b"\xff", b"$"])
PAYLOADS = st.one_of(
    st.integers(0, 2**40).map(lambda seq: b'{"seq":%d,"time":1,"span":60,"values":{"co":1}}' % seq),
    st.sampled_from([
        b'{"run":7,"seq":5}', b'{"seq":null}', b"{}", b'{"seq":1,"seq":2}', b'{"seq":6,"values":{"co":NaN}}', b"{", b"", b"rubbish", b'[{"seq":4},{"seq":5}]',
        b" {}", b"##0004QN=1", b'{"seq":-1}', b'{"seq":9}' + b" " * KEPT,
    ]),
)  # fmt: skip
PACKETS = st.lists(st.tuples(TOPICS, st.integers(1, 9), st.sampled_from([0x30, 0x32, 0x32, 0x32, 0x33, 0x3A]), PAYLOADS), min_size=1, max_size=9)


def end_of(folder: Path, reads: list[list[tuple[bytes, int, int, bytes]]]) -> dict[str, Any]:
    """Whatever can be known of a group that took some reads."""
    folder.mkdir()
    writer, health, clock = JournalWriter(folder, "mqtt"), Health(), SystemClock()
    with patch.object(clock, "now_ns", lambda: NOW_NS):
        group = Group(writer, clock, health)
        for connection, packets in enumerate(reads):
            group.take(connection, packets)
    found = {"group": list(writer._group), "messages": group.messages, "size": group.size, "unkept": group.unkept, "health": vars(health)}
    owed = group.settle()
    writer.commit()
    writer.close()
    return {**found, "acks": owed.acks, "numbers": {device: sorted(said) for device, said in owed.numbers.items()}, "readings": writer.committed.readings}


@settings(deadline=None)
@given(st.lists(PACKETS, min_size=1, max_size=4))
def test_at_once_as_one_by_one(reads: list[list[tuple[bytes, int, int, bytes]]]) -> None:
    """Records, counts, acknowledgements and numbers are the same, whatever stands beside a message."""
    with tempfile.TemporaryDirectory() as name:
        one = end_of(Path(name) / "one", reads)
        with patch("ingest.group.singles", lambda _: None):
            assert one == end_of(Path(name) / "other", reads)


def test_usual_messages_are_taken_at_once(tmp_path: Path) -> None:
    """Else nobody would notice that none is; their topics were met before."""
    writer = JournalWriter(tmp_path, "mqtt")
    group = Group(writer, SystemClock(), Health())
    packets = [(b"lanbi/v1/air1/data", seq + 1, 0x32, b'{"seq":%d,"values":{}}' % seq) for seq in range(20)]
    group.take(1, packets[:1])
    with patch.object(writer, "append", side_effect=AssertionError("one by one")):
        group.take(1, packets[1:])
    owed = group.settle()
    assert [(1, [1]), (1, [*range(2, 21)])] == owed.acks
    assert {"air1": [(0, seq) for seq in range(20)]} == owed.numbers
    assert [*range(1, 21)] == [record.seq for record in writer._group]
    writer.close()


@pytest.mark.parametrize("many", [1, 7])
def test_a_journal_that_takes_none_of_many_takes_what_it_can(tmp_path: Path, many: int) -> None:
    """A fault of one costs its acknowledgement alone, also among messages that would have been taken at once."""
    writer = JournalWriter(tmp_path, "mqtt")
    group = Group(writer, SystemClock(), Health())
    packets = [(b"lanbi/v1/air1/data", seq + 1, 0x32, b'{"seq":%d}' % seq) for seq in range(many + 1)]
    append = writer.append

    def fragile(topic: str, payload: bytes, **more: int) -> int:
        if payload == packets[1][3]:
            raise RuntimeError("injected")
        return append(topic, payload, **more)

    group.take(1, packets[:1])
    with patch.object(writer, "extend", side_effect=RuntimeError("injected")), patch.object(writer, "append", fragile):
        group.take(1, packets[1:])
    assert group.unkept
    assert [1, *range(3, many + 2)] == [mid for _, mids in group.settle().acks for mid in mids]
    writer.close()

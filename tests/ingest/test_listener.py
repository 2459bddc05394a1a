"""The listener: durable before acknowledged, also when the journal cannot be written and when the broker changes meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.errors import JournalError
from ingest.link import Broker
from ingest.listener import GATHER_S, Listener
from lanbi.clock import SystemClock
from lanbi.frames import Trailer
from lanbi.journal import JournalReader, JournalWriter, files
from lanbi.journal_examine import Examination
from lanbi.processes import free
from tests.lanbi.ingest_house import Gadget, iotcore_broker, until

MESSAGE = b'{"seq": %d, "time": 1795392000, "span": 3600, "values": {"pm25": 5}}'


class FullDisk(JournalWriter):
    """A journal whose disk can be full."""

    full = False

    def commit(self) -> Trailer:
        """Commit, or say that the disk is full."""
        if self.full:
            raise JournalError("No space left on device", str(self.folder), "free space")
        return super().commit()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """The listener's thread for a while."""
    over = threading.Event()
    thread = threading.Thread(target=listener.run, args=(over.is_set,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


Make = Callable[..., Listener]
"""The fixture of conftest.py."""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[FullDisk]:
    """A journal that can be filled up."""
    one = FullDisk(tmp_path, "mqtt")
    yield one
    one.close()


def payloads(folder: Path) -> list[bytes]:
    """What is durable."""
    return [record.payload for record in JournalReader(folder, "mqtt").read()]


def test_a_full_disk_stops_acknowledging_says_so_and_goes_on(make: Make, writer: FullDisk, tmp_path: Path) -> None:
    """While the journal cannot be written no receipt goes out; afterwards everything is there once."""
    port = free()
    with iotcore_broker(port, tmp_path):
        listener = make(Broker("127.0.0.1", port, "lanbi-test", queue_bytes=10**9), writer, SystemClock())
        with listening(listener):
            until(lambda: listener.health.subscribed, "subscribed")
            device = Gadget("air1", port)
            device.say(MESSAGE % 99)
            until(lambda: device.receipts, "the first is confirmed")
            device.receipts.clear()
            writer.full = True
            for seq in range(50):
                device.say(MESSAGE % seq)
            until(lambda: listener.health.journal_fault, "the fault is noticed")
            (reason,) = listener.health.reasons()
            assert [True, True, []] == ["No space left" in reason, "the broker's queue lasts about" in reason, device.receipts]
            writer.full = False
            until(lambda: device.durable() >= set(range(50)), "all are confirmed")
            assert [] == listener.health.reasons()
            device.close()
    assert sorted(MESSAGE % seq for seq in (*range(50), 99)) == sorted(payloads(tmp_path))


def test_acknowledgements_of_a_lost_connection_are_thrown_away(make: Make, writer: FullDisk, tmp_path: Path) -> None:
    """Packet ids are used again by a broker that lost its memory: what came on the old connection confirms nothing on the new one."""
    port = free()
    listener = make(Broker("127.0.0.1", port, "lanbi-test"), writer, SystemClock())
    with iotcore_broker(port, tmp_path), listening(listener):
        until(lambda: listener.health.subscribed, "subscribed")
        device = Gadget("air1", port)
        writer.full = True
        device.say(MESSAGE % 1)
        until(lambda: listener.health.journal_fault, "the message is held")
        listener.connection += 1  # as a new socket does
        writer.full = False
        until(lambda: device.durable() == {1}, "durable and told")
        device.close()
    assert 1 == listener.health.stale_acks


def test_a_fault_in_a_callback_costs_one_acknowledgement_and_no_thread(make: Make, writer: FullDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception while a message is taken leaves the thread alive and the next message is journalled."""
    port = free()
    append = writer.append

    def fragile(topic: str, payload: bytes, **more: int) -> int:
        if payload == MESSAGE % 1:
            raise RuntimeError("injected")
        return append(topic, payload, **more)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(writer, "append", fragile)
    monkeypatch.setattr(writer, "extend", broken)
    with iotcore_broker(port, tmp_path):
        listener = make(Broker("127.0.0.1", port, "lanbi-test"), writer, SystemClock())
        with listening(listener):
            until(lambda: listener.health.subscribed, "subscribed")
            device = Gadget("air1", port)
            for seq in (1, 2):
                device.say(MESSAGE % seq)
            until(lambda: device.durable() == {2}, "the second is confirmed")
            device.close()
    # A broker may send again what follows a gap in the acknowledgements; a repetition does no harm.
    assert {MESSAGE % 2} == set(payloads(tmp_path))
    assert listener.health.faults >= 1


def test_a_clock_that_went_back_is_told(make: Make, writer: FullDisk, tmp_path: Path) -> None:
    """Receive times far behind the journal's last one are journalled and make ingest unready."""
    port = free()
    with iotcore_broker(port, tmp_path):
        listener = make(Broker("127.0.0.1", port, "lanbi-test"), writer, SystemClock(), newest_ns=2**62)
        with listening(listener):
            until(lambda: listener.health.subscribed, "subscribed")
            device = Gadget("air1", port)
            device.say(MESSAGE % 1)
            until(lambda: device.durable() == {1}, "confirmed")
            device.close()
    assert "clock" in listener.health.reasons()[-1]


def test_a_quiet_stream_is_gathered(make: Make, writer: FullDisk, tmp_path: Path) -> None:
    """Messages some milliseconds apart share commits, as many as come in a moment; nothing waits for a neighbour that does not come."""
    port = free()
    with iotcore_broker(port, tmp_path):
        listener = make(Broker("127.0.0.1", port, "lanbi-test"), writer, SystemClock())
        with listening(listener):
            until(lambda: listener.health.subscribed, "subscribed")
            device = Gadget("air1", port)
            for seq in range(12):
                device.say(MESSAGE % seq)
                SystemClock().sleep(0.004)
            until(lambda: device.durable() == set(range(12)), "all are confirmed")
            device.say(MESSAGE % 99)
            until(lambda: 99 in device.durable(), "the single one is confirmed")
            device.close()
    (path,) = files(tmp_path, "mqtt")
    first, *_, last, _ = [record.received_ns for record in JournalReader(tmp_path, "mqtt").read()]
    # On a busy machine they come so far apart that each commit has few of them.
    moments = (last - first) / 10**9 / GATHER_S
    assert 2 <= sum(1 for _ in Examination(path, None).commits()) <= 4 + 2 * moments

"""The listener before a real Mosquitto: whatever is raised inside it, and whatever the link does, nothing acknowledged is lost."""

from __future__ import annotations

import errno
import signal
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.errors import JournalError
from ingest.link import Broker
from ingest.listener import GROUP_BYTES
from lanbi.clock import SystemClock
from lanbi.journal import JournalReader, JournalWriter
from tests.ingest.test_listener import FullDisk, Make, listening
from tests.lanbi.ingest_house import Gadget, until
from tests.lanbi.real_broker import Mosquitto, real

pytestmark = real
MESSAGE = b'{"seq": %d, "time": 1795392000, "span": 3600, "values": {"pm25": 5}}'
OPEN = ["listener {port} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0"]
FOREIGN = [
    ValueError("v"),
    OSError(errno.EIO, "io"),
    MemoryError(),
    RecursionError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    KeyError("k"),
    AssertionError(),
    struct.error("s"),
    JournalError("j"),
    TimeoutError(),
    ssl.SSLError(1, "x"),
    StopIteration(),
    msgspec.DecodeError("m"),
    ZeroDivisionError(),
    AttributeError("a"),
    TypeError("t"),
]
"""What libraries and the machine may throw into a callback."""
KEEPALIVE_S = 10
"""Long enough that a busy machine answers a ping in half of it."""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[FullDisk]:
    """A journal that can be filled up."""
    one = FullDisk(tmp_path / "journal", "mqtt")
    yield one
    one.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that lets anybody in."""
    with Mosquitto(tmp_path / "broker", OPEN) as one:
        yield one


def seqs(folder: Path) -> list[int]:
    """Numbers that are durable, in journal order."""
    return [msgspec.json.decode(record.payload)["seq"] for record in JournalReader(folder / "journal", "mqtt").read()]


def once(call: Callable[..., Any], errors: list[Exception]) -> Callable[..., Any]:
    """The call, which first raises each of the errors."""

    def fragile(*args: Any, **more: Any) -> Any:
        if errors:
            raise errors.pop()
        return call(*args, **more)

    return fragile


def broken(*_: object, **__: object) -> None:
    """Messages must be taken one by one."""
    raise RuntimeError("injected")


def told(device: Gadget, seq: int) -> bool:
    """Whether a reading is confirmed; if not, it is sent again, as devices do."""
    device.say(MESSAGE % seq)
    time.sleep(0.3)
    return seq in device.durable()


def test_every_foreign_exception_costs_one_delivery_and_no_message(
    make: Make, writer: JournalWriter, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message whose taking failed is not acknowledged and is asked for again at once, not at the next restart."""
    listener = make(Broker("127.0.0.1", broker.port, "lanbi-test"), writer, SystemClock())
    with listening(listener):
        until(lambda: not listener.health.reasons(), "ready")
        device = Gadget("air1", broker.port)
        monkeypatch.setattr(writer, "append", once(writer.append, list(FOREIGN)))
        monkeypatch.setattr(writer, "extend", broken)
        for seq in range(len(FOREIGN) + 5):
            device.say(MESSAGE % seq)
        until(lambda: device.durable() == set(range(len(FOREIGN) + 5)), f"all are confirmed: {listener.health}")
        until(lambda: not listener.health.reasons(), "ready again")
        device.close()
    assert set(range(len(FOREIGN) + 5)) == set(seqs(tmp_path))
    assert listener.health.faults >= len(FOREIGN)


STAGES = {
    "counting": ("ingest.listener.scan", None),
    "taking many": ("writer", "extend"),
    "appending": ("writer", "append"),
    "committing": ("writer", "commit"),
    "acknowledging": ("client", "ack"),
    "receipts": ("receipts", "due"),
    "publishing": ("client", "publish"),
    "the clock": ("clock", "now_ns"),
    "reading": ("client", "loop_read"),
    "housekeeping": ("client", "loop_misc"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_raise_at_any_stage_leaves_the_thread_and_every_message(
    make: Make, writer: JournalWriter, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Once injected, and then all is well again by itself: each message durable, the device told, the thread alive."""
    clock = SystemClock()
    listener = make(Broker("127.0.0.1", broker.port, "lanbi-test"), writer, clock)
    where: dict[str, Any] = {"writer": writer, "client": listener._client, "receipts": listener.outbox.receipts, "clock": clock}
    with listening(listener):
        until(lambda: not listener.health.reasons(), "ready")
        device = Gadget("air1", broker.port)
        device.say(MESSAGE % 0)
        until(lambda: device.durable() == {0}, "the first")
        name, attribute = STAGES[stage]
        if attribute is None:
            import ingest.glance as module

            monkeypatch.setattr("ingest.group.singles", lambda _: None)
            monkeypatch.setattr(module, "scan", once(module.scan, [RuntimeError("injected")]))
        else:
            monkeypatch.setattr(where[name], attribute, once(getattr(where[name], attribute), [RuntimeError("injected")]))
            if attribute == "append":
                monkeypatch.setattr(writer, "extend", broken)
        for seq in range(1, 20):
            device.say(MESSAGE % seq)
        until(lambda: set(seqs(tmp_path)) == set(range(20)), f"all are durable: {listener.health}")
        until(lambda: not listener.health.reasons() and told(device, 20), f"well again: {listener.health}")
        device.close()


def test_a_silent_broker_is_noticed_and_dialled_again(make: Make, writer: JournalWriter, tmp_path: Path) -> None:
    """A broker that stands still keeps its sockets open: within the keep-alive it is unready, and then goes on in the same session."""
    with Mosquitto(tmp_path / "broker", OPEN) as broker:
        listener = make(Broker("127.0.0.1", broker.port, "lanbi-test", keepalive=KEEPALIVE_S), writer, SystemClock())
        with listening(listener):
            until(lambda: not listener.health.reasons(), "ready")
            device = Gadget("air1", broker.port)
            assert broker.process
            broker.process.send_signal(signal.SIGSTOP)
            until(lambda: "the link is dead" in str(listener.health.reasons()), f"noticed: {listener.health}")
            silent = time.monotonic() - listener.health.last_packet
            broker.process.send_signal(signal.SIGCONT)
            until(lambda: not listener.health.reasons(), "ready again")
            device.say(MESSAGE % 1)
            until(lambda: device.durable() == {1}, "and it hears")
            device.close()
            assert (1, 0) == (listener.health.reconnects, listener.health.sessions_lost)
    # No upper bound in seconds, for this machine may be busy; but a library that only looks at its socket would never notice.
    assert silent >= KEEPALIVE_S


def test_an_idle_link_is_kept(make: Make, writer: JournalWriter, broker: Mosquitto) -> None:
    """Silence alone ends nothing: the broker answers the pings."""
    listener = make(Broker("127.0.0.1", broker.port, "lanbi-test", keepalive=KEEPALIVE_S), writer, SystemClock())
    with listening(listener):
        until(lambda: not listener.health.reasons(), "ready")
        until(lambda: broker.log().count("Received PINGREQ from lanbi-test") >= 3, "three pings")
        assert 0 == listener.health.reconnects


def test_what_a_forgetful_broker_sends_under_old_numbers_is_not_confirmed_by_old_acknowledgements(make: Make, writer: FullDisk, tmp_path: Path) -> None:
    """The journal is full, the broker dies and forgets, and its new messages bear the packet ids of the old ones: all are kept."""
    broker = Mosquitto(tmp_path / "broker", OPEN).start()
    listener = make(Broker("127.0.0.1", broker.port, "lanbi-test"), writer, SystemClock())
    with listening(listener):
        until(lambda: not listener.health.reasons(), "ready")
        device = Gadget("air1", broker.port)
        writer.full = True
        for seq in range(10):
            device.say(MESSAGE % seq).wait_for_publish(30)
        until(lambda: listener.health.journal_fault, "held")
        broker.kill()
        with broker.start():
            until(device.client.is_connected, "the device is back")
            for seq in range(10, 20):
                device.say(MESSAGE % seq).wait_for_publish(30)
            writer.full = False
            # With room again it may call itself ready for a moment on the dead link, of which it has not read: only the next one counts.
            until(lambda: listener.health.sessions_lost and not listener.health.reasons(), f"ready again: {listener.health}")
            for seq in range(20):  # what the broker took along, or had nobody to keep for: the device sends again, as without a receipt
                device.say(MESSAGE % seq)
            until(lambda: set(range(20)) <= set(seqs(tmp_path)), "all are durable")
            device.close()
    assert 1 == listener.health.sessions_lost


def test_two_listeners_under_one_name_are_told(make: Make, tmp_path: Path, broker: Mosquitto) -> None:
    """They throw each other out; both slow down and say what that may mean."""
    writers = [JournalWriter(tmp_path / str(number), "mqtt") for number in range(2)]
    one, two = (make(Broker("127.0.0.1", broker.port, "lanbi-test"), writer, SystemClock()) for writer in writers)
    with listening(one), listening(two):
        until(lambda: "same client id" in one.health.cause + two.health.cause, f"told: {one.health.cause} {two.health.cause}")
    for writer in writers:
        writer.close()
    assert one.health.reconnects + two.health.reconnects < 30


def test_what_cannot_be_kept_is_not_read(make: Make, writer: FullDisk, broker: Mosquitto, tmp_path: Path) -> None:
    """Mosquitto 2.0 sends on beyond its window: while the journal is full the group in memory stays within its bound, and nothing is lost."""
    listener = make(Broker("127.0.0.1", broker.port, "lanbi-test"), writer, SystemClock())
    with listening(listener):
        until(lambda: not listener.health.reasons(), "ready")
        device = Gadget("air1", broker.port)
        writer.full = True
        filler = b" " * 60_000
        infos = [device.say(MESSAGE % seq + filler) for seq in range(300)]
        for info in infos:
            info.wait_for_publish(30)
        until(lambda: listener.health.journal_fault, "held")
        assert 0 < listener._group.size < GROUP_BYTES + 2 * len(filler)
        assert listener._group.messages < 300
        writer.full = False
        until(lambda: device.durable() == set(range(300)), "all are confirmed")
        device.close()
    assert set(range(300)) == set(seqs(tmp_path))

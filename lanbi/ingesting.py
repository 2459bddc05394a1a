"""The ingest process: a listener, a forwarder and a glimpse thread, and a status file every second.

The listener never waits for the store, and the forwarder never for the broker: the journal lies between them. A thread that
dies ends the process, for a supervisor starts it again in a second and nothing is lost by it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final
from zlib import crc32

from domain.places import Registry
from domain.ports import Clock
from ingest.listener import TOPICS, Listener
from lanbi import wiring
from lanbi.broker_access import broker_of
from lanbi.forwarding import IDLE_S, Forwarding
from lanbi.glimpsing import Glimpsing
from lanbi.journal import JournalWriter
from lanbi.metrics import write_status
from lanbi.settings import Settings

NS: Final = 1_000_000_000
STATUS_S: Final = 1.0
STOP_S: Final = 2.0


def topics_of(instance: str, registry: Registry) -> tuple[str, ...]:
    """What this ingest subscribes: everything, or its own devices where several ingests share them."""
    mine, _, count = instance.partition("/")
    if count == "1":
        return TOPICS
    own = [device for device in registry.devices if crc32(device.encode()) % int(count) == int(mine) - 1]
    return tuple(topic.replace("+", device) for device in own for topic in TOPICS)


def run(settings: Settings, stop: Callable[[], bool]) -> int:
    """Run the process until ``stop``.

    Raises
    ------
    DataFolderBusy
        Another ingest listens for this data folder.
    """
    clock = wiring.clock(settings)
    registry = wiring.registry(settings)
    writer = JournalWriter(settings.data / "journal", "mqtt")
    listener = Listener(broker_of(settings), writer, clock, topics_of(settings.ingest.instance, registry), newest_ns=writer.committed.committed_ns)
    forwarding = Forwarding(settings, clock, listener, registry)
    threads = {
        "listener": threading.Thread(target=listener.run, args=(stop,), name="listener", daemon=True),
        "forwarder": threading.Thread(target=forwarding.run, args=(stop,), name="forwarder", daemon=True),
        "glimpse": threading.Thread(target=Glimpsing(settings, clock, forwarding).run, args=(stop,), name="glimpse", daemon=True),
    }
    for thread in threads.values():
        thread.start()
    path = settings.data / "run" / "ingest.json"
    while not stop() and all(thread.is_alive() for thread in threads.values()):
        write_status(path, status(listener, forwarding, clock))
        _nap(clock, stop)
    dead = [name for name, thread in threads.items() if not thread.is_alive() and not stop()]
    until = clock.monotonic() + STOP_S
    for thread in threads.values():
        thread.join(max(0.0, until - clock.monotonic()))
    write_status(path, {**status(listener, forwarding, clock), "ready": False, "reasons": [f"{name} thread ended" for name in dead] or ["stopped"]})
    return 1 if dead else 0


def _nap(clock: Clock, stop: Callable[[], bool]) -> None:
    until = clock.monotonic() + STATUS_S
    while not stop() and clock.monotonic() < until:
        clock.sleep(IDLE_S)


def status(listener: Listener, forwarding: Forwarding, clock: Clock) -> dict[str, Any]:
    """What the process says of itself; the store is reported and never makes it unready."""
    health = listener.health
    reasons = health.reasons()
    now = clock.monotonic()
    return {
        "pid": os.getpid(),
        "heartbeat": clock.now_ns() / NS,
        "ready": not reasons,
        "reasons": reasons,
        "connected": health.connected,
        "subscribed": health.subscribed,
        "packet_age_s": round(now - health.last_packet, 3) if health.last_packet else None,
        "messages": health.messages,
        "readings": health.readings,
        "reconnects": health.reconnects,
        "stale_acks": health.stale_acks,
        "faults": health.faults,
        "last_fault": health.last_fault,
        "sessions_lost": health.sessions_lost,
        "unsaid": health.unsaid + listener.outbox.dropped,
        "store": forwarding.store,
        "store_retries": dict(forwarding.retries),
        "write_s": round(forwarding.write_s, 6),
        "waiting_ns": forwarding.waiting_ns,
        "registry": forwarding.registry.version,
    }

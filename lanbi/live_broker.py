"""Live check of the broker: whether it answers, whether it is safe, whether it dropped messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingest.probe import Look
from lanbi.broker import EMBEDDED
from lanbi.broker_access import probe_of
from lanbi.clock import SystemClock
from lanbi.guarding import in_clear
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.settings import Settings

PART: Final = "broker"


def look(settings: Settings) -> Iterator[Finding]:
    """One finding a try; what is unsafe is a fault, by whichever address lanbi reaches the broker: devices come in by another.

    Raises
    ------
    BrokerAway
        Nobody answers.
    """
    if settings.broker.url == EMBEDDED or settings.clock == "simulated":
        yield Finding(PART, NOTE, "演示用内置服务器：不设登录", "the demo's own broker knows no logins; it is for the demo only")
        return
    probe = probe_of(settings, SystemClock())
    looks = probe.look()
    yield Finding(PART, OK, f"{probe.broker.address} 有应答", f"{probe.broker.address} answers")
    yield from (_of(one) for one in looks)
    if in_clear(probe.broker):
        yield Finding(PART, FAULT, "密码和读数明文传输", "passwords and readings travel in clear", "use mqtts:// (deploy/mosquitto)")
    dropped = probe.dropped() if probe.login else None
    if dropped:
        yield Finding(
            PART, FAULT, f"服务器启动以来丢弃了 {dropped} 条消息", f"the broker dropped {dropped} messages since it started", "look at its queue limits"
        )


def _of(one: Look) -> Finding:
    if one.safe:
        return Finding(PART, OK, one.zh, one.en)
    return Finding(PART, NOTE if one.safe is None else FAULT, one.zh, one.en, "docs/broker.md")

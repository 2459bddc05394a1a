"""Is the broker safe? Asked when ingest starts and once a day; what is unsafe is told, and outside this machine it is an alarm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.errors import BrokerAway
from domain.ports import Clock
from ingest.link import Broker
from ingest.probe import Look
from lanbi.broker import EMBEDDED
from lanbi.broker_access import HERE, probe_of
from lanbi.settings import Settings

AGAIN_S: Final = 10.0
EVERY_S: Final = 86_400.0
IDLE_S: Final = 0.2


def on_this_machine(broker: Broker) -> bool:
    """Whether only this machine reaches the broker by the address that the settings name."""
    return broker.host.startswith(HERE)


def in_clear(broker: Broker) -> bool:
    """Whether passwords and readings travel unencrypted between machines."""
    return broker.tls is None and not on_this_machine(broker)


@dataclass
class Guarding:
    """The self-test's thread. A broker that is away is asked again; the demo's own broker is known to be open, and not asked.

    Attributes
    ----------
    looks : sequence of Look
        Of the last time.
    """

    settings: Settings
    clock: Clock
    say: Callable[[str], None]
    looks: Sequence[Look] = field(default_factory=list)
    fault: str = ""

    def __post_init__(self) -> None:
        self._probe = probe_of(self.settings, self.clock)
        self._strict = not on_this_machine(self._probe.broker)

    def run(self, stop: Callable[[], bool]) -> None:
        """Look, and look again a day later, until told to stop."""
        while not stop():
            pause = EVERY_S if self._asked() and self._look() else AGAIN_S
            until = self.clock.monotonic() + (pause if self._asked() else EVERY_S)
            while not stop() and self.clock.monotonic() < until:
                self.clock.sleep(IDLE_S)

    def _asked(self) -> bool:
        return self.settings.broker.url != EMBEDDED and self.settings.clock == "system"

    def _look(self) -> bool:
        """Whether there was an answer."""
        try:
            looks = self._probe.look()
            self.fault = ""
        except BrokerAway:
            return False  # the listener says so already
        except Exception as error:  # noqa: BLE001  no fault of the self-test may end ingest; it is told, and tried again
            self.fault = repr(error)[:200]
            return False
        if looks != self.looks:
            self.looks = looks
            for word in self.warnings():
                self.say(f"MQTT 服务器自检 self-test of the broker: {word}")
        return True

    def warnings(self) -> list[str]:
        """What is unsafe or could not be told, and a connection in clear."""
        words = [f"{look.zh} {look.en}" for look in self.looks if not look.safe]
        if in_clear(self._probe.broker):
            words.append("密码和读数明文传输 passwords and readings travel in clear: use mqtts://")
        return words + ([f"自检出错 the self-test failed: {self.fault}"] if self.fault else [])

    def reasons(self) -> list[str]:
        """What makes ingest unready: a broker that others can reach and that lets anybody be anybody."""
        return [f"security: {look.zh} {look.en}" for look in self.looks if look.safe is False] if self._strict else []

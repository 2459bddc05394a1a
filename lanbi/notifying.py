"""Channels of other packages: what is new in the duty log is told to each, by a thread of its own, so that none waits for another.

An entry point ``lanbi.notifiers`` is a function of alerts. What it raises is said in the log and tried again; the duty log keeps every line meanwhile.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Final

from api.desk import Alert
from lanbi import logs

GROUP: Final = "lanbi.notifiers"
AGAIN_S: Final = (5.0, 60.0, 600.0)
"""Pauses before further tries."""
MOST: Final = 1_000
"""Deliveries that wait for a channel; beyond, the newest stand in the duty log only, which is said."""
Notifier = Callable[[Sequence[Alert]], None]


def notifiers() -> dict[str, Notifier]:
    """Channels that installed packages bring, by name; a package that cannot be loaded is said and costs the others nothing."""
    found: dict[str, Notifier] = {}
    for one in entry_points(group=GROUP):
        try:
            found[one.name] = one.load()
        except Exception as error:  # noqa: BLE001  somebody else's package
            logs.tell("notifier.unloadable", f"通知渠道 notifier {one.name}: 无法加载 cannot be loaded: {error!r}"[:300])
    return found


class Channels:
    """Tells every channel; :meth:`close` lets what was taken be told for a moment."""

    def __init__(self, channels: Mapping[str, Notifier]) -> None:
        self.counts: Counter[str] = Counter()
        self._over = threading.Event()
        self._queues: dict[str, queue.Queue[Sequence[Alert] | None]] = {name: queue.Queue(MOST) for name in channels}
        self._threads = [threading.Thread(target=self._work, args=(name, tell), name=f"notify {name}", daemon=True) for name, tell in channels.items()]
        for thread in self._threads:
            thread.start()

    def __call__(self, alerts: Sequence[Alert]) -> None:
        """Take alerts for every channel; never waits."""
        for name, waiting in self._queues.items():
            try:
                waiting.put_nowait(alerts)
            except queue.Full:
                self._lost(name, alerts, "渠道堵塞 the channel is stuck")

    def _work(self, name: str, tell: Notifier) -> None:
        while (alerts := self._queues[name].get()) is not None:
            self._tell(name, tell, alerts)

    def _tell(self, name: str, tell: Notifier, alerts: Sequence[Alert]) -> None:
        for pause in (*AGAIN_S, None):
            try:
                tell(alerts)
            except Exception as error:  # noqa: BLE001  somebody else's code: said, counted, tried again
                self.counts[f"{name}: failed"] += 1
                if pause is None or self._over.is_set():
                    self._lost(name, alerts, repr(error))
                    return
                logs.tell("notifier.again", f"通知渠道 notifier {name}: {error!r}"[:250] + f"; {pause:g} 秒后重试 tried again then")
                self._over.wait(pause)
            else:
                self.counts[f"{name}: told"] += len(alerts)
                return

    def _lost(self, name: str, alerts: Sequence[Alert], why: str) -> None:
        self.counts[f"{name}: lost"] += len(alerts)
        names = ", ".join(alert.name for alert in alerts[:5])
        logs.tell("notifier.lost", f"通知渠道 notifier {name}: {why}"[:250] + f"; 仅存于值班日志 stands in the duty log only: {names}")

    def close(self, patience_s: float = 5.0) -> None:
        """End every channel."""
        self._over.set()
        for waiting in self._queues.values():
            with suppress(queue.Full):  # it is stuck, and its thread ends with the process
                waiting.put_nowait(None)
        for thread in self._threads:
            thread.join(patience_s)

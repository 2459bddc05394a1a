"""Edge nodes of Sparkplug that are asked for their births, each seldom: a node that cannot answer must not be asked for ever. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from ingest.decoders.sparkplug import Node, rebirth

AGAIN_S: Final = 60.0
"""Between two requests to one node."""
FRESH_S: Final = 60
"""What was received longer ago, as in a backlog or a replay, shows nothing about the node of now."""
MOST: Final = 1_000
"""Nodes that are remembered, and asked at once."""


@dataclass
class Rebirths:
    """Which nodes to ask, and when.

    Attributes
    ----------
    asked : int
        Requests so far.
    """

    asked: int = 0
    _wanted: dict[Node, int] = field(default_factory=dict)
    _last: dict[Node, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def want(self, nodes: Mapping[Node, int]) -> None:
        """Nodes with the receive time [s] of what showed that a birth is missing; from any thread."""
        with self._lock:
            self._wanted.update(list(nodes.items())[: MOST - len(self._wanted)])

    def due(self, now: float, time: int) -> Iterator[tuple[str, bytes]]:
        """Topic and payload of each request that is to be made now: monotonic ``now`` [s] paces, ``time`` [s] stands in it."""
        if not self._wanted:
            return
        with self._lock:
            wanted, self._wanted = self._wanted, {}
        for node, received in wanted.items():
            if time - received > FRESH_S or now - self._last.get(node, -AGAIN_S) < AGAIN_S:
                continue
            if len(self._last) >= MOST:
                self._last = {one: at for one, at in self._last.items() if now - at < AGAIN_S}
            if len(self._last) < MOST:
                self._last[node] = now
                self.asked += 1
                yield node.command, rebirth(time * 1_000)

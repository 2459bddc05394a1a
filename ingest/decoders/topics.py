"""Foreign topics: which device owns one, by the filters of the registry. Pure."""

from __future__ import annotations

from typing import Final

from domain.places import Registry

MANY: Final = 20_000


def matches(filter_: str, topic: str) -> bool:
    """Whether an MQTT filter matches a topic (MQTT 3.1.1 §4.7); wildcards do not reach ``$`` topics.

    >>> matches("tele/+/SENSOR", "tele/plug/SENSOR"), matches("#", "$sys/x"), matches("$sys/#", "$sys/x")
    (True, False, True)
    """
    wanted, levels = filter_.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] != levels[0]:
        return False
    for place, one in enumerate(wanted):
        if one == "#":
            return True
        if place >= len(levels) or one not in {"+", levels[place]}:
            return False
    return len(wanted) == len(levels)


def overlap(one: str, other: str) -> bool:
    """Whether a topic may exist that both filters match.

    >>> overlap("a/+", "a/b"), overlap("a/#", "a"), overlap("a/b", "a/c")
    (True, True, False)
    """
    mine, theirs = one.split("/"), other.split("/")
    for left, right in zip(mine, theirs, strict=False):
        if "#" in {left, right}:
            return True
        if left != right and "+" not in {left, right}:
            return False
    longer = mine[len(theirs) :] or theirs[len(mine) :]
    return not longer or longer == ["#"]


def plain(topic: str) -> str:
    """A topic without what Huawei's devices put behind it (``?request_id=…``)."""
    return topic.partition("?")[0]


class Owners:
    """Devices by their foreign topics."""

    def __init__(self, registry: Registry) -> None:
        self._filters = [(filter_, device.id) for device in registry.devices.values() for filter_ in device.topics]
        self._known: dict[str, str] = {}

    def of(self, topic: str) -> str:
        """The device whose topic it is; empty if it is nobody's, or two devices claim it."""
        if not self._filters:
            return ""
        found = self._known.get(topic)
        if found is None:
            owners = {device for filter_, device in self._filters if matches(filter_, plain(topic))}
            found = owners.pop() if len(owners) == 1 else ""
            if len(self._known) < MANY:
                self._known[topic] = found
        return found

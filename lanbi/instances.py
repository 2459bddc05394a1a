"""Which ingest takes which device, where several share them: one rule, asked by everybody who has to know.

Devices are split, never messages: a device's numbers, runs and newest readings are then known in one place. What belongs to no
device (files, what people enter) belongs to the first ingest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from domain.errors import InputError, SettingsError
from domain.places import Registry
from ingest.listener import TOPICS
from lanbi.settings import Settings
from lanbi.state import StateView


class Share(NamedTuple):
    """Ingest ``number`` of ``total``.

    >>> [Share.of(f"{number}/3").owns("d-001") for number in (1, 2, 3)]
    [False, True, False]
    """

    number: int
    total: int

    @classmethod
    def of(cls, text: str) -> Share:
        """The share that a setting names."""
        number, _, count = text.partition("/")
        return cls(int(number), int(count))

    @property
    def alone(self) -> bool:
        """Whether one ingest takes everything."""
        return self.total == 1

    def owns(self, device: str) -> bool:
        """Whether a device's messages are this ingest's; nobody's are the first one's."""
        return (crc32(device.encode()) % self.total if device else 0) == self.number - 1

    def topics(self, registry: Registry) -> tuple[str, ...]:
        """What this ingest subscribes: everything, or its own devices' topics."""
        return (
            tuple(dict.fromkeys((*TOPICS, *_foreign(registry, registry.devices)))) if self.alone else own_topics(registry, filter(self.owns, registry.devices))
        )

    def others(self, registry: Registry) -> tuple[str, ...]:
        """Filters that a session of this ingest may still have from another share and must give up."""
        if self.alone:
            return ()
        return (*TOPICS, *own_topics(registry, (device for device in registry.devices if not self.owns(device))))

    def stranger(self, registry: Registry, sources: Iterable[str]) -> str:
        """The first of these places that belongs to another ingest, or nothing."""
        return next((name for name in sources if not self.owns(speaker(registry, name))), "")


def own_topics(registry: Registry, devices: Iterable[str]) -> tuple[str, ...]:
    """Topics of some devices, foreign ones too."""
    some = tuple(devices)
    return tuple(dict.fromkeys((*(topic.replace("+", device) for device in some for topic in TOPICS), *_foreign(registry, some))))


def _foreign(registry: Registry, devices: Iterable[str]) -> tuple[str, ...]:
    return tuple(topic for device in devices for topic in registry.devices[device].topics)


def speaker(registry: Registry, source: str) -> str:
    """The device that speaks for a place, of several the one that was given it last; empty if none does."""
    given = ((day, device.id) for device in registry.devices.values() for day, names in device.sources.steps if source in (names or ()))
    return max(given, default=(0, ""))[1]


def spoken_by(registry: Registry, device: str) -> tuple[str, ...]:
    """Places that a device ever speaks for."""
    known = registry.devices.get(device)
    return tuple(dict.fromkeys(name for _, names in known.sources.steps for name in names or ())) if known else ()


def share_of(settings: Settings) -> Share:
    """The share that the settings name."""
    return Share.of(settings.ingest.instance)


def check_same(settings: Settings, view: StateView) -> None:
    """Refuse a data folder that was another share's: what its devices said last is known elsewhere, or here of others.

    Raises
    ------
    SettingsError
        The number of ingests, or this one's place among them, was changed without `lanbi instances change`.
    """
    was = view.share()
    if was and was != settings.ingest.instance:
        what = f"this data folder belongs to ingest {was}{' (all given up)' if was == GIVEN_UP else ''}, the settings say {settings.ingest.instance}"
        todo = "restore the setting, or stop all ingests and run: lanbi instances change FILE… (see docs/scaling.md)"
        raise SettingsError(what, f"ingest.instance, {settings.data}", todo)


def check_folder(settings: Settings) -> None:
    """The same, of a folder that nobody has opened yet."""
    view = StateView(settings.data)
    try:
        check_same(settings, view)
    finally:
        view.close()


def check_import(settings: Settings, registry: Registry, sources: Iterable[str]) -> None:
    """Refuse files that speak for places of another ingest, which alone knows what stands of them.

    Raises
    ------
    InputError
        Nothing was journalled.
    """
    share = share_of(settings)
    name = share.stranger(registry, sources)
    if not name:
        return
    number = next(one for one in range(1, share.total + 1) if Share(one, share.total).owns(speaker(registry, name)))
    what = f"'{name}' belongs to ingest {number}/{share.total}, these settings are of {share.number}/{share.total}"
    raise InputError(what, "ingest.instance", "run the import with the settings of that ingest, a file for each; nothing was imported")


GIVEN_UP = "0/0"
"""Share of a data folder whose devices were all handed to others."""

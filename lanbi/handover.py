"""Devices change their ingest: ``lanbi instances change``, while every ingest stands still.

In this order, so that at every moment some session of the broker holds what a device says, and each part may be done again after a
crash: the new ingest's session subscribes, the old one's gives up; what the old session still holds is journalled where the earlier
bytes are and forwarded; what the forwarder knows of the device moves; at last the folders remember their new shares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from domain.errors import BrokerAway, InputError, WorkError
from domain.places import Registry
from domain.ports import Clock
from ingest.accept import device_of
from ingest.asking import Asking
from ingest.decoders.topics import Owners
from ingest.listener import Listener
from lanbi.broker_access import broker_of
from lanbi.forwarding import forward
from lanbi.instances import GIVEN_UP, Share, share_of, speaker, spoken_by
from lanbi.journal import JournalWriter
from lanbi.settings import Settings
from lanbi.state import StateView
from lanbi.state_moving import MovableState

WRITER: Final = "mqtt"
PATIENCE_S: Final = 60.0
QUIET_S: Final = 1.0
FLOW: Final = 1_000
"""Messages a second above which a session is still giving out what had waited."""


@dataclass(frozen=True)
class Place:
    """One ingest of the change: its settings, and its share from now on (None: it gives everything up)."""

    settings: Settings
    share: Share | None

    @property
    def name(self) -> str:
        """For people: the data folder and the share."""
        return f"{self.settings.data} {'→ 交出 given up' if self.share is None else f'→ {self.share.number}/{self.share.total}'}"

    def owns(self, device: str) -> bool:
        """Whether a device is this ingest's from now on."""
        return self.share is not None and self.share.owns(device)


def places_of(all_settings: Sequence[Settings]) -> list[Place]:
    """Who stays and who gives up: one number of ingests must be complete among the files.

    Raises
    ------
    InputError
        None is, or two are, or two files name one data folder.
    """
    shares = [share_of(one) for one in all_settings]
    whole = [count for count in sorted({share.total for share in shares}) if sorted(s.number for s in shares if s.total == count) == list(range(1, count + 1))]
    if len({one.data.resolve() for one in all_settings}) < len(all_settings):
        raise InputError("two files name the same data folder", "data", "each ingest has a data folder of its own")
    if len(whole) != 1:
        told = ", ".join(f"{share.number}/{share.total}" for share in shares)
        raise InputError(f"the files make no whole set of ingests 1/N … N/N: {told}", "ingest.instance", "name every ingest's settings, also of those that end")
    return [Place(one, share if share.total == whole[0] else None) for one, share in zip(all_settings, shares, strict=True)]


def change(places: Sequence[Place], registry: Registry, clock: Clock, say: Callable[[str], None]) -> int:
    """Hand every device to the ingest that takes it from now on; returns how many devices moved.

    Raises
    ------
    DataFolderBusy
        An ingest or an import still runs.
    BrokerAway, StoreAway
        Call again; nothing was lost.
    WorkError
        Something is left to do in a folder, and is named.
    """
    with ExitStack() as held:
        writers = [_held(held, place) for place in places]
        for place in places:
            forward(_as_before(place.settings), registry, WRITER)
        for place, writer in zip(places, writers, strict=True):
            if place.share is not None:
                _session(_listener(place, writer, registry, clock), place)
                say(f"{place.name}: 已订阅 subscribed")
        for place, writer in zip(places, writers, strict=True):
            taken = _take(place, writer, registry, clock)
            say(f"{place.name}: 旧会话余下 {taken} 条已入日志 messages of the old session journalled")
        for place in places:
            forward(_as_before(place.settings), registry, WRITER, closing=True)
            _nothing_open(place)
        return _move(places, registry, say)


def _as_before(settings: Settings) -> Settings:
    """Settings with the share that the folder had until now: under it, what waits in it is judged."""
    view = StateView(settings.data)
    try:
        was = view.share()
    finally:
        view.close()
    return replace(settings, ingest=replace(settings.ingest, instance=was if was not in {"", GIVEN_UP} else settings.ingest.instance))


def _held(held: ExitStack, place: Place) -> JournalWriter:
    writer = JournalWriter(place.settings.data / "journal", WRITER, place.settings.journal.quota)
    held.callback(writer.close)
    return writer


def _listener(place: Place, writer: JournalWriter, registry: Registry, clock: Clock) -> Listener:
    """A listener with the ingest's own session that leaves every message to the broker."""
    topics = () if place.share is None else place.share.topics(registry)
    return Listener(broker_of(place.settings), writer, clock, topics, newest_ns=writer.committed.committed_ns, leave=lambda _: True)


def _session(listener: Listener, place: Place, done: Callable[[], bool] = lambda: True) -> None:
    """Run a listener until it has subscribed and is done."""
    end = listener.clock.monotonic() + PATIENCE_S
    listener.run(lambda: (listener.health.subscribed and done()) or listener.clock.monotonic() > end)
    if listener.clock.monotonic() > end:
        cause = listener.health.journal_fault or listener.health.cause or "the session does not come to rest"
        raise BrokerAway(cause, f"{place.name}, {listener.broker.address}", "mend it and run the same command again; nothing was lost")


def _take(place: Place, writer: JournalWriter, registry: Registry, clock: Clock) -> int:
    """Give up in the session what is another's by now, and journal what it still holds of it; what is new here waits there."""
    listener, owners = _listener(place, writer, registry, clock), Owners(registry)
    known = {device for device, _ in _known(place.settings.data)}
    listener.asking = Asking(forgo=_foregone(place, registry))
    left = Left(known, place.owns, lambda topic: device_of(topic) or owners.of(topic), clock)
    listener.leave = left.leave
    _session(listener, place, lambda: left.rests(listener.health.messages))
    return listener.health.messages


def _foregone(place: Place, registry: Registry) -> tuple[str, ...]:
    return (*Share(1, 1).topics(registry), *Share(1, 1).others(registry)) if place.share is None else place.share.others(registry)


@dataclass
class Left:
    """What a session under change gives out, and when it has given out what it held before."""

    known: set[str]
    """Devices that spoke here before."""
    owns: Callable[[str], bool]
    device: Callable[[str], str]
    clock: Clock
    seen: bool = False
    """A message of a device that is new here came: all that waited before it has come."""
    _moved: float = 0.0
    _looked: tuple[float, int] = (0.0, -FLOW)

    def leave(self, topic: str) -> bool:
        """Whether the message waits at the broker: its device comes from another ingest, where what it said before is."""
        device = self.device(topic)
        if device in self.known or not self.owns(device):
            if not self.owns(device):
                self._moved = self.clock.monotonic()
            return False
        self.seen = True
        return True

    def rests(self, messages: int) -> bool:
        """Whether nothing of a device that goes away has come for a while, and what comes is no backlog."""
        now = self.clock.monotonic()
        at, before = self._looked
        if now - at < QUIET_S:
            return False
        self._looked = now, messages
        return (self.seen or messages - before < FLOW) and at > 0 and now - self._moved >= QUIET_S


def _known(data: Path) -> set[tuple[str, int]]:
    view = StateView(data)
    try:
        return set(view.sequences()) | {(one.device, 0) for one in view.latest()}
    finally:
        view.close()


def _nothing_open(place: Place) -> None:
    view = StateView(place.settings.data)
    try:
        pending, jobs = view.conservation()["pending"], [job.id for job in view.open_jobs()]
    finally:
        view.close()
    if pending or jobs:
        what = f"{pending} readings wait, open jobs: {', '.join(jobs) or 'none'}"
        raise WorkError(what, place.name, "run the same command again; `lanbi replay --help` tells how to look at jobs")


def _move(places: Sequence[Place], registry: Registry, say: Callable[[str], None]) -> int:
    moved: set[str] = set()
    with ExitStack() as opened:
        states = [MovableState(place.settings.data) for place in places]
        for state in states:
            opened.callback(state.close)
        everyone = list(zip(places, states, strict=True))
        for place, state in everyone:
            for device, target in _leaving(state, everyone):
                spoken = [name for name in spoken_by(registry, device) if speaker(registry, name) == device]
                target.learn(state.told_of(device, spoken, str(share_of(place.settings).number)))
                state.forget(device, spoken)
                moved.add(device)
        for place, state in zip(places, states, strict=True):
            state.belong(GIVEN_UP if place.share is None else place.settings.ingest.instance)
            say(place.name)
    return len(moved)


def _leaving(state: MovableState, everyone: Sequence[tuple[Place, MovableState]]) -> list[tuple[str, MovableState]]:
    """Devices known in a folder that another one takes from now on, and that one's state."""
    owners = ((device, next((there for place, there in everyone if place.owns(device)), state)) for device in sorted(state.devices()))
    return [(device, target) for device, target in owners if target is not state]

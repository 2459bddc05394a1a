"""A forwarder on real journal, state and store in a folder; and parts of it that stop working on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.errors import StoreAway
from domain.message import scan
from domain.places import Registry
from domain.readings import Entry, Key, Reading
from ingest.deadletters import Answer
from ingest.forwarder import Forwarder
from lanbi.embedded import EmbeddedStore
from lanbi.journal import JournalReader, JournalWriter
from lanbi.state import State
from tests.ingest.county import NOW, county

REGISTRY = county()


@dataclass
class Fuse:
    """Lets a number of calls through and fails at the next, before or after doing its work."""

    left: int
    after: bool = False

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call behind the fuse."""

        def guarded(*args: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise StoreAway("cut before")
            answer = call(*args)
            if self.left == 0:
                raise StoreAway("cut after")
            return answer

        return guarded


@dataclass
class Machine:
    """Journal, state, store and forwarder of one data folder."""

    data: Path
    registry: Registry = REGISTRY
    told: list[Answer] = field(default_factory=list)
    reload: Callable[[Entry], Registry | None] = lambda _: None

    def journal(self, payloads: Sequence[bytes], topic: str = "lanbi/v1/air1/data", writer: str = "mqtt", now: int = NOW) -> None:
        """Journal messages, a commit each."""
        out = JournalWriter(self.data / "journal", writer)
        for number, payload in enumerate(payloads):
            readings = 0 if writer == "person" or topic.endswith(("event", "state")) else scan(payload)[0]
            out.append(topic, payload, received_ns=now * 10**9 + number * 10**7, readings=readings, flags=1)
            out.commit()
        out.close()

    def forward(self, limit: int = 5_000, fuse: Fuse | None = None) -> None:
        """Forward until nothing is pending, as a process of its own would; a blown fuse is a kill."""
        state, store = State(self.data), EmbeddedStore(self.data / "store.db")
        if fuse:
            for part, name in ((state, "intend"), (store, "write"), (store, "changes"), (state, "commit")):
                setattr(part, name, fuse.wrap(getattr(part, name)))
        one = Forwarder(
            lambda writer, after: JournalReader(self.data / "journal", writer, after), state, store, self.registry, "1", self.reload, self.told.extend
        )  # fmt: skip
        try:
            while one.step(limit):
                pass
        finally:
            store.close()
            state.close()

    def rows(self) -> dict[Key, Reading]:
        """Everything in the store."""
        store = EmbeddedStore(self.data / "store.db")
        found = {row.key: row for kind in ("air", "water", "point", "meter") for row in store.rows(kind, None, -(2**62), 2**62)}
        store.close()
        return found

    def law(self) -> dict[str, int]:
        """The terms of the conservation law; that they add up is checked here."""
        state = State(self.data)
        law = state.conservation()
        state.close()
        assert law["received"] == sum(count for name, count in law.items() if name != "received"), law
        return law

    def totals(self) -> dict[tuple[str, str], int]:
        """Durable totals."""
        state = State(self.data)
        totals = state.totals()
        state.close()
        return totals

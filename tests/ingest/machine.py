"""A forwarder on real journal, state and store in a folder; and parts of it that stop working on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.civil import iso
from domain.errors import StoreAway
from domain.message import scan
from domain.places import Registry
from domain.readings import Entry, Key, Reading
from domain.reasons import OUTCOMES
from ingest.deadletters import Answer
from ingest.forwarder import Forwarder
from ingest.jobs import Job
from lanbi.embedded import EmbeddedStore
from lanbi.journal import JournalWriter
from lanbi.journal_view import JournalView
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
    pool: Executor | None = None
    open: Callable[[Path], Any] = lambda data: EmbeddedStore(data / "store.db")

    def journal(self, payloads: Sequence[bytes], topic: str = "lanbi/v1/air1/data", writer: str = "mqtt", now: int = NOW) -> None:
        """Journal messages, a commit each."""
        out = JournalWriter(self.data / "journal", writer)
        for number, payload in enumerate(payloads):
            readings = 0 if writer == "person" or topic.endswith(("event", "state")) else scan(payload)[0]
            out.append(topic, payload, received_ns=now * 10**9 + number * 10**7, readings=readings, flags=1)
            out.commit()
        out.close()

    @contextmanager
    def forwarder(self, fuse: Fuse | None = None) -> Iterator[Forwarder]:
        """A forwarder as a process of its own would have it."""
        state, store = State(self.data), self.open(self.data)
        if fuse:
            for part, name in ((state, "intend"), (state, "begin"), (store, "write"), (store, "changes"), (state, "commit")):
                setattr(part, name, fuse.wrap(getattr(part, name)))
        journal = JournalView(self.data / "journal", lambda: REGISTRY)
        try:
            yield Forwarder(journal, state, store, self.registry, reload=self.reload, tell=self.told.extend, pool=self.pool)
        finally:
            store.close()
            state.close()

    def forward(self, limit: int = 5_000, fuse: Fuse | None = None) -> None:
        """Forward until nothing is pending and no job open; a blown fuse is a kill."""
        with self.forwarder(fuse) as one:
            while one.step(limit) or one.idle():
                pass

    def ask(self, what: str, now: int = NOW, **more: Any) -> str:
        """Journal a person's request; returns the name of the job that it will be."""
        out = JournalWriter(self.data / "journal", "person")
        body = {"user": "li", "time": iso(now), "what": what, **more}
        seq = out.append("lanbi/v1/~person/replay", json.dumps(body).encode(), received_ns=now * 10**9, readings=0)
        out.commit()
        out.close()
        return f"person/{seq}"

    def job(self, name: str) -> Job:
        """A job as the state knows it."""
        state = State(self.data)
        found = state.job(name)
        state.close()
        assert found
        if found.what != "reconcile":
            assert found.counts.get("read", 0) == sum(found.counts.get(name, 0) for name in OUTCOMES)
        return found

    def refused(self, *, resolved: bool = False) -> list[tuple[str, str | None, int]]:
        """What is refused: reason, item, journal record."""
        state = State(self.data)
        found = [(row.reason, row.item, row.seq) for _, row in state.refused(resolved=resolved)]
        state.close()
        return found

    def rows(self) -> dict[Key, Reading]:
        """Everything in the store."""
        store = EmbeddedStore(self.data / "store.db")
        found = {row.key: row for kind in ("air", "water", "point", "meter") for row in store.rows(kind, None, -(2**62), 2**62)}
        store.close()
        return found

    def announced(self) -> set[tuple[int, str]]:
        """Days and sites that changes named."""
        store = EmbeddedStore(self.data / "store.db")
        found = {(change.day, site) for change in store.changes_after({}) for site in change.sites}
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

"""The forwarder's thread: it repeats for ever what may pass, holds what a person must mend, says why, and goes on by itself."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import pytest

from domain.errors import StoreAway
from domain.message import Message, encode
from domain.ports import Clock
from ingest.listener import Listener
from ingest.memory import Memory
from ingest.mending import recheck
from ingest.outbox import Outbox
from ingest.ports import Batch
from lanbi import forwarding, memory
from lanbi.clock import SystemClock
from lanbi.forwarding import LONGEST_S, RETRY_S, Forwarding, forward
from lanbi.journal import JournalReader
from lanbi.settings import load
from lanbi.state import State, StateView
from tests.contract.stand_in import StandIn, standing_in
from tests.ingest.county import NOW
from tests.ingest.machine import REGISTRY, Machine

HOUR = NOW // 3600 * 3600
TEN = tuple(encode(Message(HOUR - 3600 * n, 3600, {"pm25": 5.0}, 0, n)) for n in range(10))


@dataclass
class Ticks:
    """A clock that moves only while somebody sleeps; ``then`` is called at each moment."""

    now: float = 1_000.0
    then: Callable[[float], object] = lambda _: None

    def now_ns(self) -> int:
        """Wall time."""
        return NOW * 10**9

    def monotonic(self) -> float:
        """Seconds slept."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds
        self.then(self.now - 1_000.0)


@dataclass
class Bench:
    """A journal with readings, ten if not said otherwise, a store that is a stand-in, and the thread's work done here and now."""

    folder: Path
    server: StandIn
    payloads: Sequence[bytes] = TEN
    clock: Ticks = field(default_factory=Ticks)

    def __post_init__(self) -> None:
        Machine(self.folder).journal(self.payloads)
        secrets = self.folder / "secrets"
        secrets.mkdir(mode=0o700)
        self.token("right")
        text = f'data = {json.dumps(str(self.folder))}\n[store]\nkind = "influx"\nurl = "{self.server.url}"\nbucket = "p"\n'
        text += f"token_file = {json.dumps(str(secrets / 'write'))}\nread_token_file = {json.dumps(str(secrets / 'write'))}\n"
        (self.folder / "lanbi.toml").write_text(text)
        listener = cast("Listener", SimpleNamespace(health=SimpleNamespace(clock_back=False), tell=lambda _: None, outbox=Outbox()))
        settings = load(str(self.folder / "lanbi.toml"), {})
        self.forwarding = Forwarding(settings, cast("Clock", self.clock), listener, REGISTRY)

    def token(self, token: str) -> None:
        """Write the token's file."""
        path = self.folder / "secrets" / "write"
        path.write_text(token)
        path.chmod(0o600)

    def law(self) -> dict[str, int]:
        """Terms of the conservation law."""
        view = StateView(self.folder)
        law = view.conservation()
        view.close()
        return law

    def run(self, patience_s: float = 10_000.0) -> float:
        """Work until nothing is pending; the seconds slept."""
        begun = self.clock.now
        self.forwarding.run(lambda: self.law()["pending"] == 0 or self.clock.now - begun > patience_s)
        return self.clock.now - begun


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench with a stand-in that is well; what other tests left in memory is out of the collector's sight, as in a young process."""
    gc.collect()
    gc.freeze()
    try:
        with standing_in(StandIn(token="right")) as server:
            yield Bench(tmp_path, server)
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "7"}, {"Retry-After": "Thu, 26 Nov 2026 23:26:42 GMT", "Date": "Thu, 26 Nov 2026 23:26:35 GMT"}],
)
@pytest.mark.parametrize("status", [429, 503])
def test_what_the_store_asks_for_is_honoured(bench: Bench, status: int, headers: dict[str, str]) -> None:
    """As many seconds as Retry-After says, as a number or as a date, and a little more, pass before the next attempt."""
    bench.server.statuses = [(status, headers)]
    slept = bench.run()

    assert 7.0 <= slept <= 7.0 * 1.1 + 0.2
    assert {str(status): 1} == bench.forwarding.retries
    assert ("ok", 10) == (bench.forwarding.store, bench.law()["stored"])


def test_a_store_that_asks_for_years_is_asked_again(bench: Bench) -> None:
    """Nobody is believed who asks to be left alone for ever."""
    bench.server.statuses = [(503, {"Retry-After": "999999999"})]

    assert LONGEST_S <= bench.run() <= LONGEST_S * 1.1 + 0.2


def test_what_may_pass_is_repeated_for_ever(bench: Bench) -> None:
    """Hundred failures later the readings are stored; the pauses grow up to their cap and are never in step."""
    bench.server.statuses = [(500, {})] * 99 + [(502, {})]
    slept = bench.run()

    assert {"500": 99, "502": 1} == bench.forwarding.retries
    assert 60 * RETRY_S[1] < slept < 100 * (RETRY_S[1] + 0.2)
    assert {"received": 10, "stored": 10, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0} == bench.law()
    pauses = set()
    for failures in range(20):
        bench.forwarding._failures = min(failures, 10)
        bench.forwarding.retries["500"] += 1
        pauses.add(bench.forwarding._patience(StoreAway("away")))
    assert len(pauses) > 15
    assert max(pauses) <= RETRY_S[1]


def test_memory_is_given_back_from_time_to_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after each batch, and while the store is away too."""
    given: list[float] = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(bench.clock.now))
    bench.server.statuses = [(500, {})] * 99
    slept = bench.run()

    assert slept > 2 * forwarding.GIVE_S
    assert 2 <= len(given) <= 1 + slept / forwarding.GIVE_S
    assert all(after - before >= forwarding.GIVE_S for before, after in pairwise(given))


def test_failures_leave_nothing_behind(bench: Bench) -> None:
    """In a day without a store thousands of attempts fail, and the collector hardly ever comes by itself in this process."""
    bench.server.statuses = [(503, {})] * 100
    kept: list[int] = []

    def count(second: float) -> None:
        if second > 5 * len(kept):
            kept.append(sum(isinstance(one, Memory) for one in gc.get_objects()))

    bench.clock.then = count
    gc.disable()
    try:
        bench.run(60)
    finally:
        gc.enable()

    assert bench.forwarding.retries.total() > 10
    assert len(kept) > 10
    assert max(kept) <= 3


def test_a_backlog_is_not_gathered(tmp_path: Path) -> None:
    """Full batches follow each other at once, also when a message brings ten readings; behind the last one nothing waits, so there it is gathered."""
    messages = [[Message(HOUR - 3600 * (10 * n + one), 3600, {"pm25": 5.0}, 0, 10 * n + one) for one in range(10)] for n in range(12)]
    with standing_in(StandIn(token="right")) as server, patch.object(forwarding, "MANY", 40):
        bench = Bench(tmp_path, server, [encode(one) for one in messages])
        slept = bench.run()

    assert 120 == bench.law()["stored"]
    assert forwarding.GATHER_S == slept


def test_a_wrong_token_is_said_and_mended_without_a_restart(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused token holds everything and names itself, Chinese first; another token in the file is enough."""
    bench.token("wrong")
    seen: list[str] = []

    def mend(second: float) -> None:
        if second > 30 and not seen:
            seen.append(bench.forwarding.store)
            bench.token("right")

    bench.clock.then = mend
    bench.run()

    assert ["refused"] == [store.partition(":")[0] for store in seen]
    assert "令牌无效 the store does not accept the token" in seen[0]
    assert "wrong" not in seen[0]
    assert ("ok", 10, 0) == (bench.forwarding.store, bench.law()["stored"], bench.law()["quarantined"])
    assert ["401"] == list(bench.forwarding.retries)
    told = [line.partition("存储 store: ")[2] for line in capsys.readouterr().err.splitlines() if "存储 store: " in line]
    assert ["refused", "ok"] == [line.split()[0].strip(":") for line in told]


def test_a_missing_bucket_is_said_and_mended_without_a_restart(bench: Bench) -> None:
    """Readings wait until the bucket is there."""
    bench.server.buckets = False
    bench.run(60)
    assert (10, 0) == (bench.law()["pending"], bench.law()["quarantined"])
    assert bench.forwarding.store.startswith("refused: ")
    assert "没有该桶或组织 the store has no such bucket" in bench.forwarding.store
    assert "lanbi store init" in bench.forwarding.store
    bench.server.buckets = True
    bench.run()

    assert ("ok", 10) == (bench.forwarding.store, bench.law()["stored"])


def test_a_missing_token_file_is_said_and_waited_for(bench: Bench) -> None:
    """Settings that cannot work yet hold the readings and are looked at again."""
    path = bench.folder / "secrets" / "write"
    path.unlink()
    bench.run(60)
    assert 10 == bench.law()["pending"]
    assert "store.token_file" in bench.forwarding.store
    bench.token("right")
    bench.run()

    assert 10 == bench.law()["stored"]


def test_nobody_at_the_address_is_down(bench: Bench) -> None:
    """A closed port counts as a connection that failed, and everything waits."""
    away: Any = SimpleNamespace(port=bench.server.url.rpartition(":")[2])
    text = (bench.folder / "lanbi.toml").read_text().replace(away.port, "9")
    (bench.folder / "lanbi.toml").write_text(text)
    bench.forwarding.settings = load(str(bench.folder / "lanbi.toml"), {})
    bench.run(60)

    assert ["connection"] == list(bench.forwarding.retries)
    assert bench.forwarding.store.startswith("down: http://127.0.0.1:9: 存储无应答 the store does not answer")
    assert 10 == bench.law()["pending"]


def test_a_second_look_that_is_not_due_is_left_to_the_next_ingest(tmp_path: Path) -> None:
    """A command that forwards for itself, just after an ingest has ended, must not look before what it looks for has arrived."""
    machine = Machine(tmp_path)
    machine.journal(TEN)
    (tmp_path / "lanbi.toml").write_text(f'data = {json.dumps(str(tmp_path))}\nclock = "system"\n')
    settings = load(str(tmp_path / "lanbi.toml"), {})
    now = SystemClock().now_ns()
    jobs = [recheck(JournalReader(tmp_path / "journal", "mqtt").read(), number, now, wait * 10**9) for number, wait in ((1, -5), (2, 3_600))]
    state = State(tmp_path)
    state.commit(Batch("", 0, 0, jobs=jobs), "1")
    state.close()
    forward(settings, REGISTRY, "mqtt")

    assert [False, True] == [machine.job(job.id).open for job in jobs]


def test_a_clock_behind_what_loggers_sent_is_not_believed(bench: Bench) -> None:
    """Their door is another process and MQTT may be silent: nothing is decoded by receive times that cannot be, until the clock is right again."""
    ours = bench.forwarding
    ours.settings = replace(ours.settings, ingest=replace(ours.settings.ingest, hj212="127.0.0.1:5212"))
    Machine(bench.folder).journal([b"##"], "lanbi/v1/logger/data", "hj212", now=NOW + 3_600)
    Machine(bench.folder).journal([b"##"], "lanbi/v1/logger/data", "hj212", now=NOW + 3_000)
    bench.run(20.0)
    held, told = bench.law()["pending"], ours.clock_back
    bench.clock.now_ns = lambda: (NOW + 3_500) * 10**9  # type: ignore[method-assign]
    bench.run(20.0)

    assert (12, True) == (held, told)
    assert (0, False) == (bench.law()["pending"], ours.clock_back)

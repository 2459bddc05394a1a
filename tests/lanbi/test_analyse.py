"""The analytics process: its status, its way through a store that comes late, and a registry that changes."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from domain import civil
from domain.errors import ServiceError, StoreAway
from domain.readings import Change, Reading
from ingest.ports import Batch
from lanbi import analyse, question, wiring
from lanbi.clock import SystemClock
from lanbi.embedded import EmbeddedStore
from lanbi.metrics import read_status
from lanbi.plans import folder
from lanbi.question import Ear, ask
from lanbi.registry import load
from lanbi.state import State
from lanbi.status import Status, lively
from tests.faults.parts.house import until


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings of the sample county on an empty data folder."""
    text = (
        f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\ntargets = ["{folder() / "chiping.toml"}"]\n[store]\nkind = "embedded"\n'
    )
    path = tmp_path / "lanbi.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def looks(number: int) -> Any:
    """A question that is answered with no so many times."""
    left = iter([False] * number)
    return lambda: next(left, True)


def test_the_process_computes_says_so_and_stops(config: str) -> None:
    """What is in the store when it starts becomes figures; the status file says ready, and at the end stopped."""
    settings = wiring.settings(config)
    now = wiring.clock(settings).now_ns() // 10**9
    day = civil.day_of(now) - 3
    store = EmbeddedStore(settings.data / "store.db")
    store.write([Reading("air", "sc-a01", 3_600, civil.day_start(day) + 3_600 * hour, {"pm25": 42.0, "co": 0.5}, {}, hour) for hour in range(1, 25)])
    store.changes([Change("i", 1, day, ("sc-a01",))])
    seen: list[bool] = []
    path = settings.data / "run" / "analyse.json"
    stop = looks(2)
    analyse.run(settings, lambda: seen.append(read_status(path)["ready"]) or stop())

    figure = store.latest("pm25", "sc-a01", "day", "HJ633-2012", now)
    store.close()
    assert figure is not None
    assert (42.0, 24.0) == (figure.value, figure.valid)
    assert [False, True, True] == seen
    assert ["stopped"] == read_status(path)["reasons"]


def test_a_store_that_is_away_is_waited_for(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that fails while the year is read is told as a reason; the next look starts anew."""
    settings = wiring.settings(config)
    monkeypatch.setattr(analyse, "RETRY_S", 0.0)
    fails = iter([True])
    whole = EmbeddedStore.changes_after

    def sometimes(self: EmbeddedStore, seen: dict[str, int]) -> list[Change]:
        if next(fails, False):
            raise StoreAway("away")
        return whole(self, seen)

    monkeypatch.setattr(EmbeddedStore, "changes_after", sometimes)
    told: list[tuple[bool, list[str]]] = []
    path = settings.data / "run" / "analyse.json"
    stop = looks(2)

    def look() -> bool:
        status = read_status(path)
        told.append((status["ready"], status["reasons"]))
        return bool(stop())

    analyse.run(settings, look)

    assert [(False, ["starting"]), (False, ["away"]), (True, [])] == told


def test_a_forwarder_is_heard_before_the_next_look(tmp_path: Path) -> None:
    """Each batch that it commits to its state is heard once, and waiting ends with it; without a state nothing is heard."""
    stirred = analyse.Stirred(tmp_path)
    assert not stirred()
    state = State(tmp_path)
    stirred()
    heard = []
    for seq in (1, 2):
        state.commit(Batch("mqtt", seq, seq), "1")
        heard += [stirred(), stirred()]
    state.close()

    assert [True, False, True, False] == heard


def test_waiting_ends_when_somebody_calls(tmp_path: Path) -> None:
    """A wait of minutes is over as soon as it is called."""
    ear = Ear(tmp_path, SystemClock(), lambda _: {})
    asked: list[int] = []
    ear.wait(600.0, lambda: bool(asked.append(1)) or len(asked) > 2)
    ear.close()

    assert 3 == len(asked)


def test_who_asks_again_at_once_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that has answered takes a moment to end; only one that is still at work turns others away."""
    monkeypatch.setattr(question, "PATIENCE_S", 60.0)
    monkeypatch.setattr(question, "END_S", 30.0)  # the moment, on a machine that has others to serve
    ear = Ear(tmp_path, SystemClock(), lambda _: {"heard": True})
    told: list[object] = []

    def asks(seconds: float) -> None:
        ear._copy = os.fork()
        if not ear._copy:
            time.sleep(seconds)
            os._exit(0)
        caller = threading.Thread(target=lambda: told.append(asked(tmp_path)))
        caller.start()
        ear.wait(90.0, lambda: not caller.is_alive())

    def asked(data: Path) -> object:
        try:
            return ask(data, {}, SystemClock())
        except ServiceError as error:
            return str(error)

    asks(0.1)
    monkeypatch.setattr(question, "END_S", 0.25)
    asks(600.0)
    assert ear._copy > 0
    os.kill(ear._copy, signal.SIGKILL)
    ear.wait(60.0, ear._gone)
    ear.close()

    assert {"heard": True} == told[0]
    assert "another question is being answered" in str(told[1])


def test_one_long_call_gives_signs_too(tmp_path: Path) -> None:
    """While kernels compile the status is written anew each second, so that nobody takes the process for dead; then it is left alone."""
    path = tmp_path / "run" / "analyse.json"
    with lively(Status(path, SystemClock()), "compiling"):
        beats = {until(lambda: read_status(path).get("heartbeat"), "a sign")}
        beats.add(until(lambda: (beat := read_status(path)["heartbeat"]) not in beats and beat, "another one"))
        assert (False, ["compiling"]) == (read_status(path)["ready"], read_status(path)["reasons"])

    assert 2 == len(beats)
    assert "signs" not in [thread.name for thread in threading.enumerate()]


def test_whoever_compiles_for_ever_falls_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that hangs must not look alive for ever: then the supervisor would never start it again."""
    monkeypatch.setattr("lanbi.status.WARM_S", 0.0)
    with lively(Status(tmp_path / "run" / "analyse.json", SystemClock()), "compiling"):
        until(lambda: "signs" not in [thread.name for thread in threading.enumerate()], "its thread has ended")

    assert not (tmp_path / "run" / "analyse.json").exists()


def test_the_registry_behind_the_figures_is_named_once(config: str) -> None:
    """From each change on, an event says which registry's version figures are computed with."""
    settings = wiring.settings(config)
    store = EmbeddedStore(settings.data / "store.db")
    old = wiring.registry(settings)
    new = load(folder() / "sample-county-b.toml")
    for registry, now in ((old, 100), (old, 200), (new, 300)):
        analyse.name_registry(store, registry, now)
    said = [(event.time, event.text) for event in store.event_rows(0, 1_000, 10)]
    store.close()

    assert [(300, new.version), (100, old.version)] == said

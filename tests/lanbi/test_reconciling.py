"""``lanbi reconcile`` on a data folder, and the run that an ingest plans for itself each night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain.civil import parse_time
from domain.readings import Key
from ingest.forwarder import Forwarder
from lanbi import metrics, wiring
from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.embedded import EmbeddedStore
from lanbi.forwarding import forwarder
from lanbi.nightly import Nights, night_job
from lanbi.state import State, StateView
from tests.lanbi.ingest_house import House, iotcore_broker
from tests.lanbi.test_replaying import NOW, config, digest, filled, house, said

__all__ = ["house"]


def spoil(house: House) -> tuple[int, str]:
    """A store that lost a row, altered one and doubled one; its hash before."""
    before = digest(house)
    store = EmbeddedStore(house.data / "store.db")
    keys = [Key("air", "tc-a01", 3_600, NOW - 3_600 * n) for n in (1, 2, 3)]
    rows = store.cells(keys)
    store.remove(keys[:1])
    store.write([replace(rows[keys[1]], values={"pm25": 77.0}), replace(rows[keys[2]], source="tc-a02")])
    store.close()
    assert before != digest(house)
    return before


def test_alone(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not as the journal says is named and ends with 1; repaired and removed, the store hashes as before and it ends with 0."""
    with iotcore_broker(house.port, house.data):
        filled(house, 20)
        house.stop()
    before = spoil(house)

    assert 1 == main(["reconcile", "--json", *config(house)])
    answer = said(capsys)
    assert {"missing": 1, "different": 1, "extra": 1, "remaining": 3} == {name: answer[name] for name in ("missing", "different", "extra", "remaining")}
    assert [("different", 77.0), ("missing", None), ("extra", 5.0)] == [
        (one["what"], one["found"] and one["found"]["values"]["pm25"]) for one in answer["items"]
    ]
    assert 1 == main(["reconcile", "--repair", *config(house)])
    assert "已修复 repaired 2" in capsys.readouterr().out
    assert 0 == main(["reconcile", "--remove", *config(house)])
    assert "已移除 removed 1" in capsys.readouterr().out
    assert before == digest(house)
    assert 0 == main(["reconcile", "--json", "--since", "2d", *config(house)])
    answer = said(capsys)
    assert (20, 0) == (answer["rows"], answer["remaining"])


def test_beside_a_running_ingest(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The running ingest compares and repairs between its live batches; its metrics tell the outcome."""
    with iotcore_broker(house.port, house.data):
        filled(house, 20)
        before = spoil(house)
        assert 0 == main(["reconcile", "--repair", "--remove", "--json", *config(house)])
        answer = said(capsys)
        assert (2, 1, 0) == tuple(answer[name] for name in ("repaired", "removed", "remaining"))
        house.stop()
    assert before == digest(house)
    scraped = metrics.text(metrics.collect(house.data, SystemClock()))
    assert 'lanbi_reconcile_rows{result="repaired"} 2\n' in scraped
    assert "lanbi_reconcile_timestamp_seconds 0\n" not in scraped


@pytest.mark.parametrize("words", [["--since", "soon"], ["--to", "2026-02-30"], ["--job", "night/1999-01-01"]])
def test_wrong_arguments_change_nothing(house: House, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """They end with 2 and say what to write."""
    assert 2 == main(["reconcile", *words, *config(house)])
    assert "处理 do:" in capsys.readouterr().err


class Ticks:
    """A clock of the test's own."""

    def __init__(self, text: str) -> None:
        self.now = parse_time(text)
        self.passed = 0.0

    def now_ns(self) -> int:
        """Wall time."""
        return self.now * 10**9

    def monotonic(self) -> float:
        """Seconds."""
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Nobody waits here."""

    def go_on(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds
        self.passed += seconds


def test_nights() -> None:
    """Each night is planned once, when its time has come and the process has settled; also the last one if it was slept through."""
    clock = Ticks("2026-11-23T03:15:00+08:00")
    nights = Nights("03:20", clock)
    assert nights.due() is None
    clock.go_on(599)
    assert nights.due() is None
    clock.go_on(1)
    job = nights.due()
    assert job and ("night/2026-11-23", True, True, 96 * 3_600 * 10**9) == (job.id, job.gentle, job.repair, job.to_ns - job.since_ns)
    nights.planned(job)
    assert nights.due() is None
    clock.go_on(86_400)
    assert "night/2026-11-24" == getattr(nights.due(), "id", "")
    assert Nights("off", clock).due() is None is night_job("23:59", clock.now_ns())


@pytest.fixture
def working(house: House) -> Iterator[Forwarder]:
    """A forwarder on a folder with readings, as the ingest process has it."""
    with iotcore_broker(house.port, house.data):
        filled(house, 20)
        house.stop()
    settings = wiring.settings(config(house)[1])
    state, store = State(settings.data), wiring.store(settings)
    yield forwarder(settings, state, store, wiring.registry(settings))
    store.close()
    state.close()


def test_the_night_makes_way(house: House, working: Forwarder, tmp_path: Path) -> None:
    """Its work is no part of a step: only who has nothing else to do does a little of it; planned twice it is done once."""
    before = spoil(house)
    job = night_job("00:00", SystemClock().now_ns())
    assert job
    working.plan(job)
    working.plan(job)
    assert 0 == working.step()
    steps = 0
    while working.idle():
        steps += 1
    found = StateView(house.data).job(job.id)
    assert found and steps >= 2
    assert ("done", 2, 1, 1) == (found.state, found.counts["repaired"], found.counts["extra"], found.counts["remaining"])
    store = EmbeddedStore(house.data / "store.db")
    store.remove([Key("air", "tc-a02", 3_600, NOW - 3_600 * 3)])
    store.close()
    assert before == digest(house)


def test_old_nights_are_forgotten(working: Forwarder) -> None:
    """The outcomes of the last weeks are kept; what a person asked for is kept for good."""
    now = SystemClock().now_ns()
    for days in (50, 20, 0):
        job = night_job("00:00", now - days * 86_400 * 10**9)
        assert job
        working.plan(job)

    assert 2 == len(working.state.open_jobs())

"""What a registered device may invent, and what it costs: runs, days and kinds of rubbish without end take a bounded room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.civil import DAY_S, day_of, iso
from ingest import accept, sequences, talkers
from ingest.accept import Acceptor
from ingest.express import Express
from ingest.sequences import Runs
from lanbi.state import State
from tests.ingest.county import NOW, Message, county
from tests.ingest.decoders.foreign_house import HOUR as NINE
from tests.ingest.decoders.foreign_house import device, house
from tests.ingest.decoders.test_hj212_read import FRAMES, MN
from tests.ingest.machine import Machine

HOUR = NOW // 3_600 * 3_600 - 3_600
ITEM = {"span": 3_600, "values": {"co": 0.5}}


def test_runs_without_end_take_a_bounded_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that takes another run for each message is refused where no run fits any more; its numbers must not pile up for ever."""
    monkeypatch.setattr(sequences, "LAST", sequences.SMALL + 250)
    one = Machine(tmp_path)
    runs = [*range(900), *(1_700_000_000 + 997 * number for number in range(900))]
    one.journal([json.dumps({"run": run, "seq": 1, "time": iso(HOUR - 60 * place), **ITEM}).encode() for place, run in enumerate(runs)])
    one.journal([json.dumps({"type": "lost", "run": 5_000_000 + number, "from": 1, "to": 2}).encode() for number in range(900)], "lanbi/v1/air1/event")
    one.journal([json.dumps({"run": 3, "seq": 4, "time": iso(HOUR + 60), **ITEM}).encode()])
    one.forward()
    state = State(tmp_path)
    kept = state.sequences()
    state.close()

    assert sequences.LAST + 1 == len(kept)
    assert 4 == kept["air1", 3]
    assert 2 == one.totals()["gaps", ""]
    assert len(runs) + 1 == one.law()["received"]


def test_days_without_end_take_a_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that runs wild names another day in each message; the days that it may speak of are read on."""
    monkeypatch.setattr(talkers, "DAYS", 20)
    express = Express(Acceptor(county(), {}))

    def heard(time: int) -> bool:
        text = json.dumps({"seq": 1, "time": time, **ITEM}).encode()
        return express.easy([Message(text)], Runs())[0] is not None

    found = [heard(HOUR - DAY_S * number) for number in range(100)] + [heard(HOUR + DAY_S * number) for number in range(1, 400)] + [heard(HOUR)]
    (talker,) = [one for one in express._talkers.values() if one]

    assert [True] * 100 + [False] * 399 + [True] == found
    assert len(talker.days) <= 20


def refused(one: Machine) -> list[tuple[str, int]]:
    """Reason and element of all dead letters."""
    state = State(one.data)
    found = [(row.reason, row.element) for _, row in state.refused(limit=20_000)]
    state.close()
    return found


def test_a_message_of_rubbish_makes_few_dead_letters(tmp_path: Path) -> None:
    """Also where its first element is of another kind; good readings between are stored, and every element stands in the account."""
    one = Machine(tmp_path)
    good = [json.dumps({"seq": number, "time": iso(HOUR + 60 * number), **ITEM}) for number in range(2)]
    parts = ['{"values": {"co": NaN}}', good[0], *["1"] * 9_000, good[1], '{"time": "2026-11-23T08:00:00", "span": 0, "values": {"co": 1}}']
    one.journal([f"[{','.join(parts)}]".encode()])
    one.forward()
    law = one.law()

    assert (len(parts), 2) == (law["received"], law["stored"])
    assert len(parts) - 2 == law["deadletter"]
    assert accept.MANY < len(refused(one)) <= accept.MANY + 1


def test_a_heap_of_rubbish_is_judged_again_alike(tmp_path: Path) -> None:
    """Nothing of it counts twice, and nothing is forgotten."""
    one = Machine(tmp_path)
    one.journal([f"[{','.join(['1', '{}'] * 900)}]".encode()])
    one.forward()
    before, law = refused(one), one.law()
    one.ask("replay")
    one.ask("deadletters")
    one.forward()

    assert before == refused(one)
    assert (1_800, 1_800) == (law["received"], law["deadletter"])
    assert law["deadletter"] == one.law()["deadletter"]


def test_readers_of_past_days_are_forgotten() -> None:
    """What was learned of a logger's messages on a day serves that day and those beside it; in a process that runs for months nothing of it piles up."""
    acceptor = Acceptor(house(device('["a1"]', f'format = "hj212"\nnames = {{"{MN}" = "a1"}}\n')))

    def kept(*days: int) -> list[int]:
        for day in days:
            assert acceptor.judge(Message(FRAMES["V7"], "lanbi/v1/d1/data", received_ns=(NINE + DAY_S * day) * 10**9))[0].sight
        return sorted(day - day_of(NINE) for readers in acceptor.foreign._readers.values() for day in readers)

    assert [98, 99] == kept(*range(100))
    assert [50, 51] == kept(50, 49, 51, 50)

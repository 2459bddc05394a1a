"""The campaign of treatment plants in small, and that it would see rules that are deaf or cry wolf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from analytics.jobs import clues
from domain.civil import DAY_S
from domain.clues import Electricity
from domain.indicators import Event
from edge_sim.loads import LOADS
from tests.faults.treatment import BEGIN, DAYS, Judge, judge, named

PLACES = [list(LOADS).index(name) for name in ("steel", "foundry", "food")]


def judged(seed: int = 5, interval: int = 900) -> Judge:
    """Three enterprises: one that never stops, one that stands at night, one of shifts."""
    found = Judge(interval)
    for number in PLACES:
        judge(number, seed, DAYS, found)
    return found


def test_what_was_done_is_told_and_nothing_else() -> None:
    """Every fault that quarter hours can show, no clue for nothing; minutes show the short ones too."""
    quarters, minutes = judged(), judged(interval=60)

    assert (1.0, 0.0, 1.0, 0.0) == (quarters.recall, quarters.rate, minutes.recall, minutes.rate)
    assert {"treatment-off", "late-start", "idling", "gap", "breach"} <= set(quarters.planted)
    assert minutes.told["off-under-30-min"] == minutes.planted["off-under-30-min"] > 0 == quarters.told["off-under-30-min"]


def test_deaf_rules_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that tell nothing have no recall but for the orders."""
    monkeypatch.setattr(clues, "found", lambda *_: iter(()))
    found = judged()

    assert 0 == found.told["treatment-off"] + found.told["idling"] + found.told["gap"] < found.planted["treatment-off"]
    assert found.recall < 0.5


def test_rules_that_cry_wolf_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clue a day where nothing was done counts as one for nothing."""
    real: Any = clues.found

    def wolf(pair: clues.Pair, shown: Any, rules: Electricity, told: Sequence[Any]) -> Iterator[Event]:
        yield from real(pair, shown, rules, told)
        for day in range(20):
            begin = BEGIN + day * DAY_S
            yield Event("idling", pair.treatment.id, begin, 1.0, f'{{"to": "{clues.civil.iso(begin + 3_600)}"}}')

    monkeypatch.setattr(clues, "found", wolf)
    found = judged()

    assert 60 <= found.false["idling"] and found.rate > 1


def test_an_off_of_half_an_hour_is_no_short_one() -> None:
    """Only what two quarter hours cannot hold is left out of their recall."""
    from edge_sim.faults import Fault

    assert ["off-under-30-min", "treatment-off", "idling"] == [
        named(Fault(kind, "t", 0, length, 0)) for kind, length in (("treatment-off", 1_799), ("treatment-off", 1_800), ("idling", 900))
    ]

"""Frames of a form that was met before are read as if none had been met."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.accept import Acceptor, Verdict
from ingest.decoders.hj212 import frame
from ingest.decoders.hj212_forms import MOST, Forms
from tests.ingest.decoders.foreign_house import Message, house, stored
from tests.ingest.decoders.test_hj212_read import FRAMES, MN, speaking

RULE = '[[mapping]]\nid = "r"\nformat = "hj212"\nUNFLAGGEDsentinels = [-99]\nunits = {so2 = "mg/m3"}\nignore = ["LA"]\n'
COUNTIES = [house(speaking("a1", more='mapping = "r"\n') + RULE.replace("UNFLAGGED", said)) for said in ("", 'unflagged = "N"\n')]
NUMBERS = st.sampled_from(["58", "+58.50", "-0", "0.010", ".5", "7.", "-99", "1e1", "NaN", "", "--", "5 ", "９", "9" * 400, "1_0", "58,x=1"])
MARKS = st.sampled_from(["N", "M", "D", "P", "3", "d", "hd", "", "N "])
TIMES = st.sampled_from(["20261123080000", "20261123080000123", "20261323080000", "2026", "20261123070000"])


def sent(number: str = "58", mark: str = "N", other: str = "0.009", time: str = "20261123080000", *, between: str = ";", more: str = "") -> bytes:
    """An hour with a value in another unit, one without a mark, one that does not count, one that is not wanted."""
    data = f"DataTime={time};a34004-Avg={number},a34004-Flag={mark}{between}a21026-Avg={other},a21026-Flag=N;a21005-Avg=0.9;a34002-Min=3;LA-Avg=1"
    return frame(f"QN=20261123090000001;ST=22;CN=2061;PW=123456;MN={MN};Flag=9{more};CP=&&{data}&&".encode())


def learned(number: int, more: str = "") -> Acceptor:
    """An acceptor that has met the form twice."""
    acceptor = Acceptor(COUNTIES[number])
    for value in ("58", "59"):
        acceptor.judge(Message(sent(value, more=more)))
    return acceptor


def judge_apart(acceptor: Acceptor, payload: bytes) -> list[Verdict]:
    """Verdicts where no packet may be taken apart: what remains is the form alone."""
    with patch("ingest.decoders.hj212_read.parse", side_effect=AssertionError("the long way")):
        return acceptor.judge(Message(payload))


ACCEPTORS = {(number, more): learned(number, more) for number in (0, 1) for more in ("", ";RF=1")}


@given(st.sampled_from(sorted(ACCEPTORS)), NUMBERS, MARKS, NUMBERS, TIMES, st.sampled_from([";", ",", "==", ";;"]))
def test_what_was_met_before_changes_no_verdict(chosen: tuple[int, str], number: str, mark: str, other: str, time: str, between: str) -> None:
    """Numbers that are none, sentinels, marks of every kind, times that cannot be, another form: as by one who never met the form."""
    payload = sent(number, mark, other, time, between=between, more=chosen[1])

    assert Acceptor(COUNTIES[chosen[0]]).judge(Message(payload)) == ACCEPTORS[chosen].judge(Message(payload))


def test_a_form_that_was_met_twice_goes_the_short_way() -> None:
    """Else nobody would notice that it is never taken: other numbers, marks and hours, a unit, a missing mark, back-filling."""
    plain = judge_apart(learned(1), sent("61.5", "M", "0.02", "20261123070000"))
    late = judge_apart(learned(0, ";RF=1"), sent("61.5", "M", "0.02", more=";RF=1"))

    assert [("a1", -3600, 3600, {"pm25": 61.5, "so2": 20.0, "co": 0.9}, {"pm25": "M"})] == stored(plain)
    assert [{"pm25": "M", "so2": "P", "co": "D"}] == [one[4] for one in stored(late)]


@pytest.mark.parametrize("first", [sent("--"), sent("-99"), sent(between=",x-Avg=1;"), sent(mark="N", between=";a34004-Avg=58;")])
def test_what_needs_a_closer_look_is_no_form(first: bytes) -> None:
    """A missing value, a sentinel, an unknown factor, an item twice: never remembered."""
    acceptor = Acceptor(COUNTIES[0])
    for _ in range(4):
        acceptor.judge(Message(first))

    verdicts = judge_apart(acceptor, first)
    assert ["internal"] == [one.reason for verdict in verdicts for one in verdict.refused]


def test_learning_is_bounded() -> None:
    """A logger that never says the same twice costs no memory, and one that says too much is read the long way."""
    acceptor, seen = Acceptor(COUNTIES[0]), []
    with patch.object(Forms, "learn", autospec=True, side_effect=Forms.learn) as learn:
        for number in range(MOST + 20):
            for _ in range(2):
                seen += acceptor.judge(Message(sent(between=f";{number}-Min=1;")))
    forms = learn.call_args.args[0]

    assert MOST + 20 == len(seen) // 2 == len(stored(seen)) // 2
    assert MOST >= sum(map(len, forms._forms.values()))


def test_the_vectors_say_the_same_the_third_time() -> None:
    """Each sound frame of the standard and of the field, whoever has heard it before."""
    for name, payload in FRAMES.items():
        acceptor = Acceptor(COUNTIES[0])
        first, _, third = (acceptor.judge(Message(payload)) for _ in range(3))
        assert first == third, name

"""Faults of messages and of the line: when and in what words the same readings go out, and what the truth log says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.civil import parse_time
from domain.message import Refusal, decode
from domain.reasons import MAX_MESSAGE
from edge_sim.devices import payloads
from edge_sim.faults import KINDS, LINK
from edge_sim.malformed import CLASSES
from edge_sim.wire import Word
from tests.edge_sim.shown_faults import HOUR, ONSET, Shown, county_registry, during, fault, heard, logged, readings


def marked(shown: Shown) -> list[Word]:
    """Words that the wire has touched."""
    return [word for word in shown.said if word.fault == shown.fault.kind]


def wire(kind: str, **changes: Any) -> Shown:
    """A fault of one station's messages."""
    return Shown(fault(kind, "d-a-1")._replace(**changes), "d-a-1")


def test_backfill_comes_in_a_burst() -> None:
    """What was measured while the line was down comes at once behind it, flagged P, under its own times and numbers."""
    shown = wire("backfill")
    late = marked(shown)

    assert len(late) > 4 and min(word.at for word in late) >= shown.fault.end
    assert max(word.at for word in late) - min(word.at for word in late) < 120
    assert {"P"} == {letter for word in late for letter in word.row["flags"].values()}
    assert [word.slot for word in late] == [parse_time(word.row["time"]) for word in late]


def test_duplicates_are_the_same_bytes() -> None:
    """Each message goes out twice, under one number, with one content."""
    shown = wire("duplicate")
    sent = [payload for word in marked(shown) for payload, _ in payloads([word])]

    assert len(sent) == 2 * len(set(sent)) > 4


def test_reordered_words_arrive_out_of_order() -> None:
    """Numbers do not grow on the way, and none is missing."""
    shown = wire("reorder", size=4 * HOUR)
    numbers = [word.row["seq"] for word in shown.said]

    assert sorted(numbers) != numbers
    assert list(range(len(numbers))) == sorted(numbers)


def test_late_words_are_days_late() -> None:
    """They go out days behind their slot, not flagged."""
    late = marked(wire("late"))

    assert late and all(word.at - word.slot >= 3 * 86_400 and "flags" not in word.row for word in late)


def test_retained_words_go_alone() -> None:
    """A retained reading has a message of its own, with the flag set."""
    shown = wire("retained")
    retained = [part for _, part in payloads(shown.said) if any(word.retain for word in part)]

    assert retained and all(len(part) == 1 for part in retained)
    assert len(retained) == len(marked(shown))


@pytest.mark.parametrize(("kind", "shift"), [("clock-skew", 900), ("wrong-zone", 28_800), ("start-label", -HOUR)])
def test_wrong_clocks_move_the_label(kind: str, shift: int, tmp_path: Path) -> None:
    """The label is off by what is wrong with the clock; the log has the true time beside it."""
    shown = wire(kind)
    log = logged(shown.scene, shown.said, tmp_path)
    moved = [row for row in log["readings-air"] if row["wire"] == kind]

    assert moved and {shift} == {parse_time(row["label"]) - row["time"] for row in moved}
    assert {shift} == {parse_time(word.row["time"]) - word.slot for word in marked(shown)}


def test_milliseconds_are_no_seconds(tmp_path: Path) -> None:
    """A decoder refuses them, each under its number."""
    shown = wire("milliseconds")
    refused = [one for _, one in heard(shown.said) if isinstance(one, Refusal)]

    assert len(marked(shown)) == len(refused) > 0
    assert {"bad-schema"} == {one.reason for one in refused}
    assert [word.row["seq"] for word in marked(shown)] == [one.seq for one in refused]


def test_forgeries_name_another_place() -> None:
    """The device speaks for a place that is registered to another one."""
    shown = wire("forged")
    own = set(county_registry().devices["d-a-1"].sources.newest)

    assert marked(shown) and all(word.row["source"] in county_registry().kinds and word.row["source"] not in own for word in marked(shown))


@pytest.mark.parametrize("name", list(CLASSES))
def test_malformed_messages_are_refused_and_cost_no_neighbour(name: str) -> None:
    """Nothing of a malformed message is a reading that lanbi could store as it stands; the good one beside it is unharmed."""
    shown = wire("malformed", partner=name)
    bodies = [word.body for word in shown.said if word.body or word.fault == "malformed"]
    good = [word for word in shown.said if word.held]
    allowed = {"unknown-item", "unknown-source", "unknown-flag", "injection", "no-values"}

    assert len(bodies) == sum(during(shown.fault, word.slot) for word in good) > 0
    assert all(isinstance(one, Refusal) for body in bodies for one in decode(body)) or name in allowed
    assert [word.row for word in shown.clean] == [word.row for word in good]


def test_all_classes_come_together() -> None:
    """Without a class all of them go out beside each reading."""
    shown = wire("malformed")

    assert len(CLASSES) == len(marked(shown)) / sum(during(shown.fault, word.slot) for word in shown.clean)


def test_oversize_is_beyond_the_limit() -> None:
    """A message of the asked size, above what lanbi takes."""
    assert {70_000} == {len(word.body) for word in marked(wire("oversize"))}
    assert MAX_MESSAGE < 70_000


def test_strangers_say_false_values_under_higher_numbers(tmp_path: Path) -> None:
    """A stolen login repeats each reading with false values, under a run above the device's, on a connection of its own; the log has the truth."""
    shown = wire("stolen")
    false = marked(shown)
    log = logged(shown.scene, shown.said, tmp_path)

    assert false and all(not word.own and word.number > (0, word.row["seq"]) for word in false)
    assert all(
        word.row["values"]["no2"] == pytest.approx(0.3 * readings(shown.clean, "no2")[word.slot], abs=0.01) for word in false if "no2" in word.row["values"]
    )
    assert len(false) == sum(not row["own"] for row in log["beside"])


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.bites == LINK])
def test_link_faults_are_in_the_log(kind: str, tmp_path: Path) -> None:
    """What happens to connections leaves words alone and stands in the log with its span; the fleet's tests show it on the wire."""
    shown = wire(kind)
    log = logged(shown.scene, shown.said, tmp_path)

    assert shown.clean == shown.said
    assert [(kind, "d-a-1", ONSET, shown.fault.end)] == [tuple(row[name] for name in ("kind", "target", "begin", "end")) for row in log["faults"]]

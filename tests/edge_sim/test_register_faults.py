"""Faults of a meter's register and of the load behind it: what the register shows, and what energy the truth log says was used."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.civil import iso
from edge_sim.faults import KINDS
from tests.edge_sim.shown_faults import HOUR, ONSET, REGISTERS, START, Shown, during, fault, hourly, logged, readings, scene, words


def registers_of(shown: Shown) -> tuple[list[float], list[float]]:
    """Registers of the production meter with and without the fault, in order of time."""
    now, then = (readings(said, "register", "m-1") for said in (shown.said, shown.clean))
    assert now.keys() == then.keys()
    return [now[time] for time in sorted(now)], [then[time] for time in sorted(then)]


def behind(times_before: int) -> int:
    """Place of the first reading behind the onset."""
    return (ONSET - START) // 900 - 1 + times_before


@pytest.mark.parametrize("kind", sorted(REGISTERS))
def test_register_faults_move_the_register_and_no_energy(kind: str, tmp_path: Path) -> None:
    """The register jumps at the onset as its kind says; before it nothing differs; the true energy in the log is the undisturbed one."""
    size = 3.0 if kind.startswith("exchange") else KINDS[kind].size
    shown = Shown(fault(kind, "m-1")._replace(size=size), "d-e-1")
    now, then = registers_of(shown)
    at = behind(1)
    log, clean = logged(shown.scene, shown.said, tmp_path / "a"), logged(scene(), shown.clean, tmp_path / "b")

    assert now[:at] == then[:at]
    assert REGISTERS[kind](now, then, at)
    assert clean["meters"] == log["meters"]
    assert {0} == {row["mark"] for row in log["readings-meter"] if row["source"] == "m-1" and during(shown.fault, row["time"])}


def test_exchange_has_a_form(tmp_path: Path) -> None:
    """With a form the device says both readings; without one it says nothing."""
    shown, silent = Shown(fault("exchange", "m-1")._replace(size=3.0), "d-e-1"), Shown(fault("exchange-silent", "m-1"), "d-e-1")
    form = next(word.row for word in shown.said if word.stream == "event")
    before = readings(shown.clean, "register", "m-1")[ONSET]

    assert ("exchange", "m-1", before, 3.0, iso(ONSET)) == tuple(form[name] for name in ("type", "source", "last", "first", "time"))
    assert [] == [word for word in silent.said if word.stream == "event"]


def test_roll_over_comes_behind_the_onset() -> None:
    """The register passes its modulus with one of the next readings, and increases are the undisturbed ones all the time."""
    shown = Shown(fault("roll-over", "m-1"), "d-e-1")
    now, then = registers_of(shown)
    at = behind(1)
    falls = [place for place in range(1, len(now)) if now[place] < now[place - 1]]
    steps = [(round(b - a, 2) % 10_000, round(d - c, 2) % 10_000) for a, b, c, d in zip(now, now[1:], then, then[1:], strict=False)]

    assert at in falls
    assert all(one == pytest.approx(other, abs=0.011) for one, other in steps)


def test_faults_of_one_register_add_up() -> None:
    """A reset behind an exchange begins at zero again, and a roll-over shifts both."""
    first = fault("exchange-silent", "m-1")._replace(size=3.0)
    second = fault("register-reset", "m-1")._replace(begin=ONSET + HOUR, end=ONSET + HOUR + 900)
    said = words(scene(fault("roll-over", "m-1")._replace(begin=START + 86_400), first, second), "d-e-1")
    table, step = readings(said, "register", "m-1"), hourly(words(scene(), "d-e-1"), "m-1")

    assert table[ONSET + 900] == pytest.approx(3 + step[ONSET + 900], abs=0.011)
    assert table[ONSET + HOUR + 900] == pytest.approx(step[ONSET + HOUR + 900], abs=0.011)


@pytest.mark.parametrize(("kind", "target", "share"), [("treatment-off", "m-2", 0.0), ("idling", "m-2", 0.2), ("curtailed", "m-1", 0.5)])
def test_loads_fall_while_the_act_lasts(kind: str, target: str, share: float, tmp_path: Path) -> None:
    """Truth itself has the reduced load: register and logged energy agree, the other meter of the pair runs on."""
    shown = Shown(fault(kind, target), "d-e-1")
    now, then = hourly(shown.said, target), hourly(shown.clean, target)
    inside = [time for time in now if during(shown.fault, time - 1) and during(shown.fault, time)]
    other = "m-1" if target == "m-2" else "m-2"
    log, clean = logged(shown.scene, shown.said, tmp_path / "a"), logged(scene(), shown.clean, tmp_path / "b")
    energy = {name: sum(float(row["energy"]) for row in one["meters"] if row["meter"] == target) for name, one in (("now", log), ("then", clean))}
    lost = 40 * sum(then[time] - now[time] for time in now)

    assert sum(now[time] for time in inside) == pytest.approx(share * sum(then[time] for time in inside), abs=0.05)
    assert all(now[time] == pytest.approx(then[time], abs=0.011) for time in now if not during(shown.fault, time))
    assert hourly(shown.said, other) == hourly(shown.clean, other)
    assert energy["then"] - energy["now"] == pytest.approx(lost, rel=0.01) and lost > 0


def test_late_start_stands_each_morning() -> None:
    """Treatment stands for hours behind six o'clock and runs afterwards."""
    shown = Shown(fault("late-start", "m-2")._replace(end=ONSET + 86_400), "d-e-1")
    now, then = hourly(shown.said, "m-2"), hourly(shown.clean, "m-2")
    morning = [ONSET + 6 * HOUR + 900 * n for n in range(1, 13)]

    assert [0] * 12 == [round(now[time], 2) for time in morning]
    assert all(then[time] > 0 for time in morning)
    assert now[ONSET + 12 * HOUR] == pytest.approx(then[ONSET + 12 * HOUR], abs=0.011)


def test_breach_is_logged_and_changes_nothing(tmp_path: Path) -> None:
    """An order that is not kept shows in no register: only the log knows of the order."""
    shown = Shown(fault("breach", "m-1"), "d-e-1")
    log = logged(shown.scene, shown.said, tmp_path)

    assert shown.clean == [word._replace(mark=-1) for word in shown.said]
    assert {"breach"} == {row["kind"] for row in log["faults"]}
    assert {0} == {row["mark"] for row in log["readings-meter"] if row["source"] == "m-1" and during(shown.fault, row["time"])}

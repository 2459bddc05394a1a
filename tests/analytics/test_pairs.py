"""Rules on a pair of meters, on curves drawn by hand: five weeks of shifts from 08:00 to 20:00, treatment beside them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.energy import pairs
from analytics.energy.pairs import Curves, Limits
from analytics.jobs import clues
from domain import civil
from domain.clues import Electricity, Maintenance
from domain.places import Dated, Meter
from domain.verdicts import Word

START = civil.parse_time("2025-03-03T00:00:00+08:00")
RULES = Electricity()
LEARNT = Limits(None, None)
ALWAYS = Dated.always
PAIR = clues.Pair(
    Meter("p", "e", "electricity", ALWAYS("production"), "kWh", ALWAYS("1")), Meter("t", "e", "electricity", ALWAYS("treatment"), "kWh", ALWAYS("1"), treats="p")
)  # fmt: skip


def shifts(step: int, days: int = 35) -> Curves:
    """1,000 kW by day and 30 kW at night; 100 kW of treatment with it, 1 kW without."""
    hour = (np.arange(days * civil.DAY_S // step) * step % civil.DAY_S) / 3_600
    on = (hour >= 8) & (hour < 20)
    return Curves(START, step, np.where(on, 1_000.0, 30.0), np.where(on, 100.0, 1.0))


def at(curves: Curves, day: int, begin: str, end: str) -> slice:
    """Samples of a day from one clock time to another."""
    first, last = (int(text[:2]) * 3_600 + int(text[3:]) * 60 for text in (begin, end))
    return slice((day * civil.DAY_S + first) // curves.step, (day * civil.DAY_S + last) // curves.step)


def found(curves: Curves, limits: Limits = LEARNT) -> list[tuple[str, str, str]]:
    """Kind, begin and end of what is told."""
    judged = pairs.judge(curves, limits, RULES, lambda *_: False)
    return [(one.kind, *(civil.iso(START + curves.step * place)[5:16] for place in (one.start, one.stop))) for one in judged.stretches]


@pytest.mark.parametrize("step", [60, 900])
def test_as_usual_nothing_is_told(step: int) -> None:
    """Shifts, nights and a machine kept warm are no clue, at either interval."""
    assert [] == found(shifts(step))


@pytest.mark.parametrize("step", [60, 900])
@pytest.mark.parametrize(
    ("begin", "end", "kind"), [("12:00", "14:00", "treatment-off"), ("08:00", "09:00", "late-start"), ("18:00", "20:00", "early-stop"), ("08:00", "20:00", "treatment-off")]
)  # fmt: skip
def test_treatment_that_stands_is_told(step: int, begin: str, end: str, kind: str) -> None:
    """Off in the middle of a shift or all of it is E1, at one of its edges E2."""
    curves = shifts(step)
    curves.treatment[at(curves, 30, begin, end)] = 0.0

    assert [(kind, f"04-02T{begin}", f"04-02T{end}")] == found(curves)


@pytest.mark.parametrize(("step", "end", "told"), [(900, "08:30", 0), (900, "08:45", 1), (60, "08:30", 0), (60, "08:31", 1)])
def test_a_start_within_the_tolerance_is_none(step: int, end: str, told: int) -> None:
    """Treatment may start half an hour behind production."""
    curves = shifts(step)
    curves.treatment[at(curves, 30, "08:00", end)] = 0.0

    assert told == len(found(curves))


def test_what_a_quarter_of_an_hour_cannot_see() -> None:
    """Twenty minutes off are told by readings every minute; every 15 min they are two samples that are only low."""
    minutes, quarters = shifts(60), shifts(900)
    minutes.treatment[at(minutes, 30, "12:05", "12:25")] = 0.0
    quarters.treatment[at(quarters, 30, "12:00", "12:30")] = 100 / 3

    assert [("treatment-off", "04-02T12:05", "04-02T12:25")] == found(minutes)
    assert [] == found(quarters)


@pytest.mark.parametrize("step", [60, 900])
@pytest.mark.parametrize(("draw", "told"), [(40.0, ["idling"]), (60.0, [])])
def test_treatment_that_idles_is_told(step: int, draw: float, told: list[str]) -> None:
    """Below half of what it usually draws at this load, for an hour."""
    curves = shifts(step)
    curves.treatment[at(curves, 30, "10:00", "13:00")] = draw

    assert told == [kind for kind, _, _ in found(curves)]


def test_missing_data_and_a_standing_production_register_are_data_faults() -> None:
    """E5: two hours of which nothing is known; and a production that reads 0 while its treatment runs."""
    curves = shifts(900)
    curves.production[at(curves, 29, "09:00", "12:00")] = np.nan
    curves.production[at(curves, 31, "09:00", "12:00")] = 0.0

    assert [("blind", "04-01T09:00", "04-01T12:00"), ("flat", "04-03T09:00", "04-03T12:00")] == found(curves)


def test_nothing_is_judged_before_a_week_is_known() -> None:
    """What is usual must first be seen."""
    curves = shifts(900, 6)
    curves.treatment[at(curves, 5, "12:00", "14:00")] = 0.0

    assert [] == found(curves)


def test_a_plant_that_stays_off_does_not_become_usual() -> None:
    """Ten weeks off are one clue a shift to the last day; explained, the new way becomes the usual one."""
    curves = shifts(900, 100)
    curves.treatment[at(curves, 30, "08:00", "12:00").start :] = 1.0
    judged = pairs.judge(curves, LEARNT, RULES, lambda *_: False)
    excused = pairs.judge(curves, LEARNT, RULES, lambda *_: True)

    assert 70 == len(judged.stretches)
    assert 0 < len(excused.stretches) < 35


def test_set_on_powers_count_before_what_was_learnt() -> None:
    """A registered on-power of the production asks for treatment where it never ran; one of the treatment says what is off."""
    curves = shifts(900)
    night = found(curves, Limits(20.0, 10.0))

    assert {"treatment-off", "early-stop", "late-start"} >= {kind for kind, _, _ in night} and len(night) >= 14


def event(curves: Curves, told: tuple[Word, ...] = (), windows: tuple[Maintenance, ...] = ()) -> dict[str, object]:
    """The one clue on the curves, as its event says it."""
    (found_,) = clues.found(PAIR._replace(treatment=replace(PAIR.treatment, maintenance=windows)), curves, RULES, told)
    return {"kind": found_.kind, "source": found_.source, "time": found_.time, "value": found_.value, **json.loads(found_.text)}


def test_a_clue_has_both_curves_its_numbers_and_a_trail() -> None:
    """What was drawn, what is usual, two hours on both sides; open until somebody answers; the last word stands and none is lost."""
    curves = shifts(900)
    curves.treatment[at(curves, 30, "12:00", "14:00")] = 0.0
    noon = civil.parse_time("2025-04-02T12:00:00+08:00")
    said = (
        Word("E1", "t", noon + 3_600, "explained", "换滤袋", "李工", noon + 9_000),
        Word("treatment-off", "t", noon, "confirmed", "现场核实", "王工", noon + 99_000),
    )
    first, answered = event(curves), event(curves, said)
    shown = first["curves"]

    assert ("treatment-off", "t", noon, 1.0, "E1", "open", 120) == tuple(
        first[name] for name in ("kind", "source", "time", "value", "rule", "state", "minutes")
    )
    assert (1000.0, 0.0, 100.0, 10.0) == tuple(first[name] for name in ("production_kw", "treatment_kw", "usual_kw", "off_below_kw"))
    assert isinstance(shown, dict) and (24, 24, "2025-04-02T10:00:00+08:00") == (len(shown["production"]), len(shown["treatment"]), shown["from"])
    assert [100.0] * 8 + [0.0] * 8 + [100.0] * 8 == shown["treatment"]
    assert ("confirmed", 0.0, ["open", "explained", "confirmed"]) == (answered["state"], answered["value"], [one["state"] for one in answered["trail"]])  # type: ignore[attr-defined]


def test_announced_maintenance_explains_a_clue_that_it_covers() -> None:
    """The clue is there all the same, with the document; one that goes beyond the window is open."""
    curves = shifts(900)
    curves.treatment[at(curves, 30, "12:00", "14:00")] = 0.0
    noon = civil.parse_time("2025-04-02T12:00:00+08:00")
    inside, beyond = (event(curves, (), (Maintenance(noon - 3_600, end, "检修批复3号"),)) for end in (noon + 7_200, noon + 3_600))

    assert ("explained", 0.0) == (inside["state"], inside["value"]) and "检修批复3号" in str(inside["trail"])
    assert ("open", 1.0) == (beyond["state"], beyond["value"])


def test_inputs_are_not_changed() -> None:
    """Curves stay as they were."""
    curves = shifts(900)
    before = curves.production.copy(), curves.treatment.copy()
    pairs.judge(curves, LEARNT, RULES, lambda *_: False)

    assert np.array_equal(before[0], curves.production) and np.array_equal(before[1], curves.treatment)


def test_a_pair_that_is_read_too_rarely_is_not_judged() -> None:
    """Slower than an hour, or so coarse that a running treatment turns no 20 units in one."""
    assert (900, 60, 3_600, None, None) == (
        pairs.width((900, 60), 0.1, 100), pairs.width((60, 60), 0.01, 100), pairs.width((60, 60), 4, 100),
        pairs.width((7_200, 60), 0.1, 100), pairs.width((60, 60), 10, 100),
    )  # fmt: skip

"""The campaign's judge itself: it must see what is missing and what is altered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from domain.readings import Key, Reading
from tests.edge_sim.small_county import registry
from tests.faults.demo_kill import Number, Report, _judge, _log

SAID: dict[str, Any] = {"said": "d-a-1", "run": 0, "seq": 4, "source": None, "span": 3600, "time": 7200, "values": {"pm25": 41.5}}
NUMBER: Number = ("d-a-1", 0, 4)
STORED = Reading("air", "a-1", 3600, 7200, {"pm25": 41.5})
GOOD = {"received": 1, "stored": 1, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0}


def judged(found: dict[Key, Reading], said: dict[str, Any] | None = SAID) -> Report:
    """The verdict on one confirmed number."""
    report = Report(1, confirmed=1, rows=1, totals=dict(GOOD))
    _judge({NUMBER: said} if said else {}, {NUMBER}, found, registry(), report)
    return report


def test_stored_reading_is_sound() -> None:
    """A confirmed reading that stands in the store with its values is sound."""
    assert judged({STORED.key: STORED}).sound


def test_loss_is_seen() -> None:
    """A confirmed reading without a row is a loss, and so is a confirmation of something never said."""
    assert 1 == len(judged({}).missing)
    assert 1 == len(judged({STORED.key: STORED}, None).missing)
    assert not judged({}).sound


def test_alteration_is_seen() -> None:
    """Another value under the same key is an alteration."""
    assert 1 == len(judged({STORED.key: replace(STORED, values={"pm25": 41.0})}).altered)


def test_a_revision_may_stand_over_its_first_reading() -> None:
    """What a later number says of the same hour may stand instead, what an earlier one says may not."""
    again = {**SAID, "seq": 5, "values": {"pm25": 42.0}}
    both, numbers = {NUMBER: SAID, ("d-a-1", 0, 5): again}, {NUMBER, ("d-a-1", 0, 5)}
    newer, older = Report(1, confirmed=2, rows=1, totals={**GOOD, "received": 2, "stored": 2}), Report(1, confirmed=2, rows=1, totals=dict(GOOD))
    _judge(both, numbers, {STORED.key: replace(STORED, values={"pm25": 42.0})}, registry(), newer)
    _judge(both, numbers, {STORED.key: STORED}, registry(), older)

    assert newer.sound
    assert ["d-a-1/0/5"] == [name.split(":")[0] for name in older.altered]


def test_what_still_waits_after_forwarding_is_not_sound() -> None:
    """A reading left in the journal when nobody is busy any more is no loss yet, and no soundness either."""
    report = judged({STORED.key: STORED})
    report.totals["received"] += 1
    report.totals["pending"] += 1

    assert report.balanced
    assert not report.sound


@pytest.mark.parametrize(("term", "by"), [("pending", 1), ("stored", -1), ("received", 1)])
def test_unbalanced_account_is_not_sound(term: str, by: int) -> None:
    """An account that does not add up, or more stored readings than rows, is not sound."""
    report = judged({STORED.key: STORED})
    report.totals[term] += by

    assert not report.sound


def test_torn_line_is_passed_over(tmp_path: Path) -> None:
    """A log line cut by a kill does not stop the judge."""
    path = tmp_path / "log"
    path.write_text('{"said": "d", "ru{"confirmed": "d"}\n{"confirmed": "d"}\n{"sa')

    assert [{"confirmed": "d"}] == list(_log(path))

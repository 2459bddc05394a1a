"""The campaign of malformed messages would see the faults that it is there to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest import accept
from ingest.deciding import Desk
from ingest.decoders import native as decoders
from tests.faults.malformed import Part, decoded, whole
from tests.faults.parts.fuzz import CrashError, _own


def test_a_sound_service_shows_no_fault(tmp_path: Path) -> None:
    """Some hundred garbled messages of each way leave nothing to complain of, and most of them are malformed."""
    for count in (whole(Part(5, 400, str(tmp_path))), decoded(Part(6, 400, ""))):
        assert ({}, 400) == (dict(count.faults), count.messages)
        assert count.malformed > 300
        assert count.good > 20


def test_a_line_that_is_not_kept_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forwarder that counts refusals and keeps none is found out."""
    monkeypatch.setattr(Desk, "_keep", lambda *_: [])

    assert whole(Part(5, 100, str(tmp_path))).faults["line"] > 50


def test_a_good_neighbour_that_is_lost_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that gives up a whole list for one bad element is found out."""
    real = accept.read

    def strict(*args: Any) -> list[decoders.Part]:
        parts = real(*args)
        bad = [part for part in parts if not isinstance(part.what, decoders.Message)]
        return [decoders.Part(bad[0].what)] * len(parts) if bad else parts

    monkeypatch.setattr(accept, "read", strict)
    assert decoded(Part(6, 400, "")).faults["neighbour"] > 5


def test_a_crash_is_named_by_campaign_and_fuzzer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that stumbles over a seldom branch is found out by both."""

    def stumble(*_: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(decoders, "_short", stumble)
    assert decoded(Part(6, 400, "")).faults["crash"] > 5
    with pytest.raises((CrashError, ZeroDivisionError)):
        _own(3, 500)


def test_the_fuzzer_reaches_lines_that_its_seeds_do_not() -> None:
    """Guided by coverage, a thousand runs go further than the known classes."""
    found = _own(3, 1_500)

    assert found["lines"] > found["lines_at_first"]

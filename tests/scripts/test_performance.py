"""The page of what was measured: every case with its peer's version, and where a peer is faster."""

from __future__ import annotations

from typing import Any

from scripts import performance


def line(case: str, ours: float, peer: float | None, version: str = "1.6.0", bench: str = "analytics") -> dict[str, Any]:
    """What a bench notes of a case."""
    ratio = None if peer is None else peer / ours
    name = "" if peer is None else "bottleneck"
    return {"bench": bench, "case": case, "ours": ours, "peer": peer, "peer_name": name, "peer_version": version, "unit": "ns", "ratio": ratio, "threads": 1}


def test_the_page_names_what_is_slower() -> None:
    """A library that is faster stands in a list of its own; our own threads and cases without a peer do not."""
    lines = [line("many", 0.5, 2.5), line("one series", 4.0, 1.0), line("two threads", 2.0, 1.0, version=""), line("memory", 7.0, None, version="")]

    assert ["* one series: bottleneck 1.6.0 is 4.0 times as fast"] == performance.slower(lines)
    assert "Nowhere in this run." in performance.page(lines[:1], "here", short=False)


def test_the_page_has_every_case() -> None:
    """Each bench is a table of its own, with ratio and version beside each case, and the short form says so."""
    text = performance.page([line("many", 0.5, 2.5), line("meters", 1.0, 3.0, bench="meters")], "2026-11-27, two cores", short=True)

    assert "| many | 0.5 | 2.5 | ns | bottleneck 1.6.0 | 5.00 | 1 |" in text
    assert [2, 1] == [text.count(word) for word in ("| case |", "## meters")]
    assert "Short form" in text and "2026-11-27, two cores" in text

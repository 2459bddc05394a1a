"""The page of what was measured: every case with its peer's version, and where a peer is better."""

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

    assert ["* one series: bottleneck 1.6.0 is 4.0 times as good"] == performance.slower(lines)
    assert "Nowhere in these runs." in performance.page(performance.runs_of(lines[:1], "here", short=False))


def test_the_page_has_every_case() -> None:
    """Each bench is a table of its own, with ratio and version beside each case, with where it ran, and the short form says so."""
    lines = [line("many", 0.5, 2.5), line("meters", 1.0, 3.0, bench="meters")]
    text = performance.page(performance.runs_of(lines, "2026-11-27, two cores", short=True))

    assert "| many | 0.5 | 2.5 | ns | bottleneck 1.6.0 | 5.00 | 1 |" in text
    assert [2, 1] == [text.count(word) for word in ("| case |", "## meters")]
    assert [2, 2] == [text.count(word) for word in ("Short form", "2026-11-27, two cores")]


def test_a_new_run_replaces_that_of_its_bench_alone() -> None:
    """A bench that did not run again keeps its figures, with the day on which they were measured."""
    old = performance.runs_of([line("many", 0.5, 2.5), line("meters", 1.0, 3.0, bench="meters")], "then", short=False)
    new = performance.runs_of([line("many", 0.4, 2.5)], "now", short=False)

    assert [("analytics", "now"), ("meters", "then")] == [(run["bench"], run["where"]) for run in performance.newest(old, new)]


def test_the_readme_tells_headlines_and_losses() -> None:
    """Chosen cases against peers with a version stand between the marks; what a peer does better is said below them; the rest of the text stays."""
    lines = [line("running 24 h mean, from the cube", 0.5, 2.5), line("running 24 h mean, one series", 4.0, 1.0), line("memory", 7.0, None, version="")]
    told = performance.headlines(performance.runs_of(lines, "here", short=False))
    text = performance.placed(f"before\n{performance.BEGIN}old\n{performance.END}\nafter\n", told)

    assert [1, 2, 0, 0] == [text.count(word) for word in ("| running 24 h mean, from the cube |", "one series", "memory", "old")]
    assert text.startswith("before\n") and text.endswith("after\n")


def test_page_and_readmes_show_what_is_kept() -> None:
    """They are those that the kept runs give; otherwise run python -m scripts.performance."""
    runs = performance.read(performance.KEPT)

    assert performance.page(runs) == performance.PAGE.read_text(encoding="utf-8")
    for readme in performance.READMES:
        text = readme.read_text(encoding="utf-8")
        assert performance.placed(text, performance.headlines(runs)) == text

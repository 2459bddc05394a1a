"""How long a broker's queue lasts is said from what came in before."""

from __future__ import annotations

from ingest.intake import Intake


def steady(queue_bytes: int | None, rate: int = 1_000) -> Intake:
    """Half an hour of a steady stream [B/s], one commit a second, until second 1,800."""
    intake = Intake(queue_bytes)
    for second in range(1_800):
        intake.took(float(second), rate)
    return intake


def test_the_rate_is_that_of_the_last_quarter_of_an_hour() -> None:
    """A steady stream has its rate; what came long ago does not count; nothing gives nothing."""
    intake = steady(None)
    assert 990 < intake.rate(1_800.0) < 1_010
    assert intake.rate(3_000.0) == Intake().rate(5.0) == 0.0


def test_the_rest_of_the_queue_is_told_and_shrinks() -> None:
    """At 1 kB/s a queue of 36 MB lasts ten hours from the stop; later less; when it must be full, that is said; a commit begins anew."""
    intake = steady(36_000_000)
    for hours, words in ((0.0, "about 10.0 h more"), (5.0, "about 5.0 h more"), (9.5, "about 30 min more"), (11.0, "probably full")):
        assert words in intake.stopped(1_800.0 + hours * 3_600)
    for second in range(60_000, 61_800):
        intake.took(float(second), 2_000)
    assert "about 5.0 h more" in intake.stopped(61_800.0)


def test_what_is_not_known_is_said() -> None:
    """Without the broker's limit, or without anything received, no figure is made up."""
    assert "set broker.queue_bytes" in steady(None).stopped(1_800.0)
    assert "nothing was coming in" in Intake(10**9).stopped(5.0)

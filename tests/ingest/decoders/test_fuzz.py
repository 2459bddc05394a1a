"""A short fuzz of every decoder; the long one is ``python -m tests.faults.dialects``."""

from __future__ import annotations

import pytest

from tests.ingest.decoders import fuzz


@pytest.mark.parametrize("seed", [1, 2])
def test_frames_are_taken_apart(seed: int) -> None:
    """Every byte is accounted for, whatever was changed; sound ones and each kind of fault occur."""
    told = fuzz.frames(5_000, seed)

    assert {"packet", "crc", "length", "noise", "grammar", "packet over a link"} <= told.keys()


@pytest.mark.parametrize("name", fuzz.NAMES)
def test_messages_end_in_verdicts(name: str) -> None:
    """No exception, no fault of ours, no exception's name in what the sender is told; some are accepted, some refused."""
    told = fuzz.messages(name, 1_500, 3)

    assert told["accepted"] > 0
    assert told["refused"] > 0

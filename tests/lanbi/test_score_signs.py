"""Signs of the score: each refusal is about the reading that it names, the device's first one too."""

from __future__ import annotations

import numpy as np

from ingest.ports import Refused
from lanbi.score.signs import of_refusals
from lanbi.score.truth import Said

HOUR = 3_600


def test_the_first_number_of_a_device_is_a_number() -> None:
    """A refused reading 0 is told at its own time, and not as something about the whole scene, which any fault would explain."""
    slots = np.arange(1, 25) * HOUR
    numbers, nothing = np.arange(24), np.zeros((24, 1))
    said = Said("a", "air", "d", HOUR, slots, slots, np.zeros(24, np.int64), numbers, nothing, nothing, np.full(24, None, object))
    refused = [Refused("deadletter", "value-out-of-range", "", None, "d", "a", 0, number, "mqtt", 1, 0, 0, "t", b"") for number in (0, 3)]

    assert [HOUR, 4 * HOUR] == [sign.time for sign in of_refusals(refused, [said])]

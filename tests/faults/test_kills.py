"""The kill campaign would see the fault that it is there to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.kills import Size, storm_over
from tests.faults.parts.house import PartMissingError, influxd, mosquitto

PLANTED = ("-m", "tests.faults.parts.early_ack", "ingest")


@pytest.mark.services
def test_acknowledgement_before_the_journal_is_reported_as_loss(tmp_path: Path) -> None:
    """With receipts sent before the journal is written, a handful of kills is enough for the campaign to name lost readings."""
    try:
        mosquitto(), influxd()
    except PartMissingError as missing:
        pytest.skip(str(missing))
    size = Size(kills=4, outages=0, readings=2_000, scale=1.0, devices=20, second_look=2, rate=400.0, patient=True)
    found = storm_over(tmp_path, 5, size, PLANTED)

    assert not found["sound"]
    assert found["faults"]["lost"] > 0
    assert found["digest"] != found["digest_expected"]

"""The API against its own description: schemathesis, all checks, stateful, thousands of cases over a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.cases import tried

CASES = 2_000


@pytest.mark.timeout(900)
def test_every_answer_fits_the_description(tmp_path: Path) -> None:
    """At least 2,000 cases by an administrator's key: no 5xx, no answer that the description does not foresee, no wrong data taken."""
    found = tried(tmp_path, 10, 35)

    assert 0 == found.code, found.words[-7_000:]
    assert found.cases >= CASES, found.words[-2_000:]
    assert "Stateful" in found.words
    assert "not applicable" not in found.words

"""The API against its own description: schemathesis, all checks, stateful, thousands of cases over a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import create_app
from tests.api.house import House
from tests.api.seeded import Hand
from tests.api.served import served

FOLDER = Path(__file__).parent
CASES = 2_000


class Quick(Hand):
    """A clock on which a second passes at each look, so that the pace of one caller is never reached."""

    def monotonic(self) -> float:
        """A second later."""
        self.passed += 1
        return self.passed


@pytest.mark.timeout(900)
def test_every_answer_fits_the_description(tmp_path: Path) -> None:
    """At least 2,000 cases by an administrator's key: no 5xx, no answer that the description does not foresee, no wrong data taken."""
    house = House(tmp_path / "county")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml"), "run"]
    options = ["--checks", "all", "--max-examples", "35", "--seed", "10", "--no-shrink", "--no-color", "--warnings", "off"]
    options += ["--generation-database", "none", "--header", f"Authorization: {house.bearer('admin')['Authorization']}"]
    with served(create_app(replace(house.sources(), clock=Quick()))) as client:
        address = f"http://127.0.0.1:{client.port}/api/v1/openapi.json"
        answer = subprocess.run([*command, address, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    counted = re.search(r"([\d,]+) generated", answer.stdout)

    assert 0 == answer.returncode, answer.stdout[-6_000:] + answer.stderr[-1_000:]
    assert counted, answer.stdout[-2_000:]
    assert int(counted[1].replace(",", "")) >= CASES
    assert "Stateful" in answer.stdout
    assert "not applicable" not in answer.stdout

"""The API against its own description: schemathesis, all checks, stateful, thousands of cases over a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.served import Client

FOLDER = Path(__file__).parent
CASES = 2_000


@pytest.mark.timeout(600)
def test_every_answer_fits_the_description(client: Client, tmp_path: Path) -> None:
    """At least 2,000 cases: no 5xx, no answer that the description does not foresee, no wrong data taken."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml"), "run"]
    options = [
        "--checks",
        "all",
        "--max-examples",
        "60",
        "--workers",
        "2",
        "--seed",
        "10",
        "--no-shrink",
        "--no-color",
        "--warnings",
        "off",
        "--generation-database",
        "none",
    ]
    address = f"http://127.0.0.1:{client.port}/api/v1/openapi.json"
    answer = subprocess.run([*command, address, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    counted = re.search(r"([\d,]+) generated", answer.stdout)

    assert 0 == answer.returncode, answer.stdout[-4_000:] + answer.stderr[-1_000:]
    assert counted, answer.stdout[-2_000:]
    sys.stdout.write(answer.stdout[-900:])
    assert int(counted[1].replace(",", "")) >= CASES
    assert "Stateful" in answer.stdout
    assert "not applicable" not in answer.stdout

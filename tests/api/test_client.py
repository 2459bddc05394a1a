"""The client that users copy, run as they run it, against a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from api.app import create_app
from examples.client import client as example
from tests.api.house import House
from tests.api.seeded import County
from tests.api.served import Client, served

ROOT = Path(__file__).resolve().parents[2]


def said(*words: str) -> tuple[int, list[list[str]], str]:
    """Exit code, lines in columns and complaint of the command in docs/api.md, with an address and key of the test."""
    (shown,) = re.findall(r"^python (examples/\S+) http://127.0.0.1:8080$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    answer = subprocess.run([sys.executable, shown, *words], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    return answer.returncode, [line.split("\t") for line in answer.stdout.splitlines()], answer.stderr


def test_targets_days_and_a_poll(client: Client) -> None:
    """Every target, every day of the year over several pages, and a second poll without a body."""
    code, lines, complaint = said(f"http://127.0.0.1:{client.port}")
    days = client.get("/api/v1/indicators?figure=pm25&scope=sc&from=2025-01-01&limit=1000").json()["items"]
    targets = client.get("/api/v1/targets").json()["items"]

    assert (0, "") == (code, complaint)
    assert [[str(one[name]) for name in ("id", "value", "target", "status")] for one in targets] == lines[: len(targets)]
    assert [[str(one[name]) for name in ("time", "value", "unit", "status")] for one in days] == lines[len(targets) : -1]
    assert len(days) > 2 * 100
    assert ["no news"] == lines[-1]


def test_news_are_seen(tmp_path: Path) -> None:
    """The same question gives the kept answer until the county's clock has moved what it says."""
    county = County(tmp_path)
    with served(create_app(county.sources())) as server:
        lanbi = example.Lanbi(f"http://127.0.0.1:{server.port}")
        before = lanbi.get("freshness")

        assert before is lanbi.get("freshness")

        county.clock.now += 40 * 86_400

        assert before != lanbi.get("freshness")


def test_a_refusal_is_a_sentence(tmp_path: Path) -> None:
    """Without a key where logins are on: the API's own sentence and no traceback; with one it works."""
    house = House(tmp_path / "county")
    with served(create_app(house.sources())) as server:
        address = f"http://127.0.0.1:{server.port}"
        code, lines, complaint = said(address)

        assert (1, []) == (code, lines)
        assert complaint.startswith("401: ")
        assert 1 == len(complaint.splitlines())
        assert 0 == said(address, house.keys["reader"])[0]


def test_nobody_there_is_a_sentence() -> None:
    """A wrong address is named, without a traceback."""
    code, lines, complaint = said("http://127.0.0.1:9")

    assert (1, []) == (code, lines)
    assert complaint.startswith("http://127.0.0.1:9/api/v1: ")

"""docs/own-county.md and docs/operators-day.md: all their commands, typed in their order by one shell, in one county that runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lanbi.metrics import read_status
from lanbi.processes import free
from tests.faults.parts.house import until
from tests.lanbi.ingest_house import ROOT


def blocks(name: str) -> list[str]:
    """What a page says to type."""
    return re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


BLOCKS = blocks("own-county.md")
STARTS = next(i for i, block in enumerate(BLOCKS) if "lanbi run" in block)


class Desk:
    """A shell on a machine of its own ports, where `lanbi` is this clone's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, {"1883": str(free()), "8080": str(free())}
        (folder / "bin").mkdir()
        lanbi = folder / "bin" / "lanbi"
        lanbi.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lanbi "$@"\n', encoding="utf-8")
        lanbi.chmod(0o755)
        self.env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    @property
    def county(self) -> Path:
        """The page's folder."""
        return self.folder / "my-county"

    def type(self, block: str) -> str:
        """One block; every command of it must succeed. Returns what was said."""
        here = self.county if self.county.exists() else self.folder
        words = "\n".join(re.sub(r"\b(1883|8080)\b", lambda found: self.ports[found[0]], line) for line in block.splitlines())
        answer = subprocess.run(["bash", "-ec", words], cwd=here, env=self.env, capture_output=True, text=True, check=False, timeout=300)
        assert 0 == answer.returncode, f"{words}\n{answer.stdout}{answer.stderr}"
        return answer.stdout + answer.stderr


pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None, reason="mosquitto is not installed"),
]


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """A county after the commands before its start, and what they said; whatever was started ends with the tests."""
    desk = Desk(tmp_path_factory.mktemp("own"))
    desk.env["PATH"] += ":/usr/sbin"
    try:
        yield desk, "\n".join(desk.type(block) for block in BLOCKS[:STARTS])
    finally:
        for pid in (desk.county / "run.pid", desk.county / "var" / "mosquitto" / "mosquitto.pid"):
            if pid.exists():
                with suppress(ProcessLookupError):
                    os.kill(int(pid.read_text(encoding="ascii")), signal.SIGTERM)


def test_the_page_as_it_is_typed(typed: tuple[Desk, str]) -> None:
    """Up to the start: all is well, the broker starts, and the whole history is stored."""
    _, whole = typed

    assert "一切正常 all is well" in whole
    assert "读取 read 7 = 入库 stored 7 + 重复 duplicate 0 + 死信 dead-letter 0 + 待审 quarantined 0 + 空行 empty 0" in whole


def test_the_rest_of_the_page_and_an_operators_day(typed: tuple[Desk, str]) -> None:
    """Start, first device, look; then every command of docs/operators-day.md in the same county; then stop. Each succeeds."""
    desk, _ = typed
    start, *rest, stop = BLOCKS[STARTS:]
    desk.type(start)
    status = desk.county / "var" / "run" / "analyse.json"
    until(lambda: read_status(status).get("ready"), f"figures are up to date; see {desk.county / 'run.log'}", 300)
    said = [desk.type(block) for block in rest]
    day = [desk.type(block) for block in blocks("operators-day.md")]
    desk.type(stop)

    assert "sent 3，回执 receipts 3，拒收 refused 0，无回执 without receipt 0" in said[0]
    assert "故障 fault" not in said[-1] + day[0]
    assert "2026-11-20" in said[-1].partition("backup")[2]
    assert {"day.xlsx", "month.html"} <= {path.name for path in desk.county.iterdir()}
    until(lambda: read_status(status).get("reasons") == ["stopped"], "analytics has stopped")

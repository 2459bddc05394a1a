"""`lanbi run` with a settings file of one's own, on the embedded broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from lanbi.demo import COUNTY, PLAN, sample
from lanbi.processes import free
from tests.system.demo_family import wait_for


def settings(folder: Path) -> tuple[Path, str]:
    """A settings file and the board's address."""
    http = f"127.0.0.1:{free()}"
    path = folder / "lanbi.toml"
    path.write_text(
        f'data = "{folder}/var"\ncounty = "{sample(COUNTY)}"\ntargets = ["{sample(PLAN)}"]\n'
        f'[broker]\nurl = "embedded"\n[http]\nlisten = "{http}"\n'
        f'[ingest]\nhealth = "127.0.0.1:{free()}"\n[analyse]\nhealth = "127.0.0.1:{free()}"\n',
    )
    return path, http


def ready(http: str) -> bool:
    """Whether everything says that it is well."""
    try:
        with urllib.request.urlopen(f"http://{http}/readyz", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_run_comes_up_and_stops(tmp_path: Path) -> None:
    """Three processes and the embedded broker come up ready, a second run is refused, SIGTERM ends all with 0."""
    path, http = settings(tmp_path)
    command = [sys.executable, "-m", "lanbi", "run", "--config", str(path)]
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        assert wait_for(lambda: ready(http), 300), log.read_text()

        second = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

        assert 1 == second.returncode
        assert "another lanbi" in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(100)


def test_wrong_settings_start_nothing(tmp_path: Path) -> None:
    """A wrong setting ends with exit 2 before anything is started."""
    path, _ = settings(tmp_path)
    wrong = {**os.environ, "LANBI_BROKER_URL": "embeded"}
    command = [sys.executable, "-m", "lanbi", "run", "--config", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, env=wrong, timeout=100, check=False)

    assert 2 == ended.returncode
    assert "broker.url" in ended.stderr
    assert not (tmp_path / "var").exists()

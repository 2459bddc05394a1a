"""The wheel holds all of ours and nothing else, and runs in an environment of its own outside the clone.

The empty environment borrows the libraries of this one by a path file, so that the test needs no package index. A path file
inside a borrowed folder is not followed, so the clone itself stays out of reach.
"""

import os
import signal
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from lanbi.processes import free

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("domain", "ingest", "analytics", "api", "dashboards", "edge_sim", "lanbi")

pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the clone without an index."""
    pytest.importorskip("hatchling", reason="hatchling is not installed (make test installs it)")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return next(folder.glob("lanbi-*.whl"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``lanbi``, installed by pip into an empty environment."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "lanbi"


def run(program: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """One call of the installed program, far from the clone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LANBI_", "PYTHON"))}
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, cwd=cwd, env=clean, timeout=240)


def tracked(pattern: str) -> set[str]:
    """Files of the rooms as they lie in the clone."""
    files = {path for room in ROOMS for path in (ROOT / room).rglob(pattern) if path.is_file()}
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_wheel_holds_the_rooms_the_plans_and_the_templates(wheel: Path) -> None:
    """Every module and data file of the rooms every plan and what `lanbi init` fills in are in the wheel, and nothing of tests, benches or documents."""
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    plans = {f"plans/{path.name}" for path in (ROOT / "plans").glob("*.toml")}
    templates = {path.relative_to(ROOT).as_posix() for name in ("init", "mosquitto") for path in (ROOT / "deploy" / name).iterdir()}

    assert tracked("*") | plans | templates == held


def test_installed_program_is_the_wheels(program: Path, tmp_path: Path) -> None:
    """The installed program answers from its own environment, not from the clone."""
    python = program.parent / "python"
    command = [str(python), "-c", "import lanbi, domain; print(lanbi.__file__); print(domain.__file__)"]
    places = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.split()

    assert {str(program.parent.parent)} == {place.split("/lib/")[0] for place in places}
    assert 0 == run(program, "--help", cwd=tmp_path).returncode


def test_installed_calculator_works(program: Path, tmp_path: Path) -> None:
    """`lanbi assess` of the wheel gives the AQI of a day."""
    (tmp_path / "day.csv").write_text("site,date,pm25,pm10,so2,no2,co,o3_8h\na,2016-01-01,230,300,50,80,2.1,20\n")

    answer = run(program, "assess", "air-daily", "day.csv", "--from", "daily", cwd=tmp_path)

    assert (0, "") == (answer.returncode, answer.stderr)
    assert "a,2016-01-01,230,300,50,80,2.1,20,280,5,pm25" in answer.stdout


def answers(url: str) -> bool:
    """Whether an address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=30) as page:
            return bool(page.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for(fact: Callable[[], bool], seconds: float) -> bool:
    """Whether a fact comes true in time."""
    end = monotonic() + seconds
    while monotonic() < end:
        if fact():
            return True
        sleep(0.2)
    return False


def test_installed_demo_shows_its_board(program: Path, tmp_path: Path) -> None:
    """`lanbi demo` of the wheel brings up the board with the plans that lie in the wheel, and Ctrl-C ends it in order."""
    port = free()
    command = [str(program), "demo", "--http", f"127.0.0.1:{port}", "--data", str(tmp_path / "var"), "--history", "2"]
    with (tmp_path / "log").open("w") as log:
        demo = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    try:
        shown = wait_for(lambda: demo.poll() is not None or answers(f"http://127.0.0.1:{port}/api/v1/targets"), 300) and demo.poll() is None
        demo.send_signal(signal.SIGINT)
        code = demo.wait(120)
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)

    assert shown, (tmp_path / "log").read_text()[-2000:]
    assert code in {0, 130}

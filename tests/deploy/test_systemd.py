"""The systemd units: valid where systemd can say so, hardened, and with commands that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lanbi.cli import PROGRAMS

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed: apt-get install systemd")
EXPOSURE = 2.5
"""Most exposure that a unit may have (0 = sealed, 10 = open); a service that is reached by the network cannot be below 1 or so."""


def lines(unit: Path) -> list[str]:
    """Settings of a unit."""
    return [line for line in unit.read_text().splitlines() if re.match(r"[A-Z]\w*=", line)]


def analyzed(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says."""
    assert ANALYZE
    return subprocess.run([ANALYZE, *map(str, words)], capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "LC_ALL": "C"})


def copied(unit: Path, folder: Path) -> Path:
    """The unit with a program and a user that this machine has: only their absence would be told."""
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
    path = folder / unit.name
    path.write_text(re.sub(r"^(User|Group)=\w+", r"\1=root", text, flags=re.MULTILINE))
    return path


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_understood(unit: Path, tmp_path: Path) -> None:
    """systemd knows every section, key and value."""
    answer = analyzed("verify", "--man=no", "--recursive-errors=no", copied(unit, tmp_path))

    assert (0, "") == (answer.returncode, answer.stderr.strip())


@needs_systemd
def test_verify_tells_a_typing_error(tmp_path: Path) -> None:
    """The yardstick itself: a key that systemd does not know is told."""
    path = copied(ROOT / "deploy" / "systemd" / "lanbi.service", tmp_path)
    path.write_text(path.read_text().replace("PrivateTmp=", "PrivatTmp="))

    assert "PrivatTmp" in analyzed("verify", "--man=no", "--recursive-errors=no", path).stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_hardened(unit: Path) -> None:
    """By systemd's own measure its exposure is low."""
    answer = analyzed("security", "--offline=true", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer.stdout)

    assert found, answer.stderr
    assert float(found[1]) <= EXPOSURE, answer.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_what_there_is_as_nobody_special(unit: Path) -> None:
    """A program of the command line, a user of its own, no right to change the system, and restarts that end where settings are wrong."""
    text = lines(unit)
    programs = [line.split()[1] for line in text if line.startswith("ExecStart=/opt/lanbi/bin/lanbi ")]

    assert set() == set(programs) - set(PROGRAMS)
    assert programs or unit.name == "influxd.service"
    assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="} <= set(text)
    assert "User=root" not in text and any(line.startswith("User=") for line in text)
    if "Restart=always" in text and programs:
        assert "RestartPreventExitStatus=2" in text


def test_the_broker_starts_after_a_boot() -> None:
    """/run is empty then: systemd does not start a unit that may write to what is not there, so it must make it."""
    text = lines(ROOT / "deploy" / "systemd" / "mosquitto-lanbi.conf")
    written = [path for line in text if line.startswith("ReadWritePaths=") for path in line.partition("=")[2].split()]
    made = [f"/run/{name}" for line in text if line.startswith("RuntimeDirectory=") for name in line.partition("=")[2].split()]
    config = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text()
    pid_file = Path(re.findall(r"^pid_file (\S+)", config, re.MULTILINE)[0])

    assert [] == [path for path in written if path.startswith("/run")]
    assert str(pid_file.parent) in made

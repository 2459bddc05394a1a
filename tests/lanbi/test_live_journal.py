"""The journal in ``lanbi check``, ``lanbi check --live`` and the metrics: room, seals, damage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.journal import files
from lanbi.keeping import STATUS
from lanbi.live import FAULT, NOTE, OK
from lanbi.live_journal import look
from lanbi.metrics import collect, write_status
from lanbi.settings import load
from lanbi.state import State
from tests.lanbi.sealed_house import journalled, seal_all


def config(tmp_path: Path, journal: str = "") -> str:
    """Settings with some keys of the journal."""
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path}"\n[journal]\n{journal}\n', encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("quota", "soon", "state"), [("9MB", False, OK), ("90kB", True, NOTE), ("16kB", True, FAULT)])
def test_the_days_until_full_are_told_and_alarm_below_90(tmp_path: Path, capsys: pytest.CaptureFixture[str], quota: str, soon: bool, state: str) -> None:  # noqa: FBT001
    """As a line of the check, as a note when they are few, and live as note or fault."""
    journalled(tmp_path / "journal", 9)
    seal_all(tmp_path / "journal")
    file = config(tmp_path, f'quota = "{quota}"\nanchor_mail = ["a@example.cn"]')

    assert 0 == main(["check", "--config", file, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert 1 == sum("days until full" in line for line in found["checked"])
    assert soon == any("then nothing more is acknowledged" in hint for hint in found["hints"])
    assert [state] == [finding.state for finding in look(load(file, {}))]


def test_what_the_keeper_could_not_do_is_a_live_fault(tmp_path: Path) -> None:
    """With its words; missing addresses and torn ends are notes; without a journal there is nothing to judge."""
    assert [NOTE] == [finding.state for finding in look(load(config(tmp_path), {}))]
    journalled(tmp_path / "journal", 1)
    write_status(tmp_path / STATUS, {"faults": ["3 seals wait: refused"]})
    (tmp_path / "journal" / "mqtt" / "x.torn").write_bytes(b"xx")
    found = list(look(load(config(tmp_path), {})))

    assert [OK, FAULT, NOTE, NOTE] == [finding.state for finding in found]
    assert "3 seals wait: refused" in found[1].en
    assert "2 B" in found[3].en


def test_metrics_tell_room_seals_and_damage(tmp_path: Path) -> None:
    """The quota that the keeper was given counts, also where nobody reads the settings."""
    journalled(tmp_path / "journal", 9)
    State(tmp_path).close()

    def values() -> dict[str, float]:
        return {metric.name: sum(value for _, value in metric.samples) for metric in collect(tmp_path, SystemClock())}

    before = values()
    assert (8, 0, 0) == (before["lanbi_journal_unsealed_files"], before["lanbi_journal_unanchored_seals"], before["lanbi_journal_keeper_faults"])
    seal_all(tmp_path / "journal")
    (tmp_path / "journal" / "mqtt" / "x.torn").write_bytes(b"xxx")
    write_status(tmp_path / STATUS, {"faults": ["f"], "unanchored": 7, "quota": 5})
    after = values()
    names = ("unsealed_files", "unanchored_seals", "keeper_faults", "days_until_full", "set_aside_bytes")
    assert [0, 7, 1, 0, 3] == [after[f"lanbi_journal_{name}"] for name in names]
    sizes = sum(path.stat().st_size for path in (tmp_path / "journal" / "mqtt").iterdir())
    assert sizes == after["lanbi_journal_bytes"]
    assert 9 == len(files(tmp_path / "journal", "mqtt"))

"""The written files: the same bytes every time, fresh in the repository, whole or not at all; and what is left out is told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dashboards.board import Board, built
from dashboards.boards.overview import overview
from dashboards.boards.runbook import runbook
from dashboards.files import files, variables
from dashboards.finalize import check, finalize
from domain.errors import InputError, LanbiError
from domain.targets import YearValue
from lanbi.cli import main
from tests.dashboards.sample import COMMITTED, ROOT, boards, sample

AGAIN = "run: .venv/bin/lanbi dashboards --out deploy/grafana"


def test_two_runs_give_the_same_bytes() -> None:
    """Nothing of the machine, the moment or the order of a set stands in the files."""
    assert files(sample()) == files(replace(sample()))


def test_what_is_checked_in_is_what_is_generated() -> None:
    """The files under deploy/grafana are those of the sample county."""
    there = {path.relative_to(COMMITTED).as_posix(): path.read_text() for part in ("dashboards", "provisioning") for path in (COMMITTED / part).rglob("*.*")}
    fresh = files(sample())

    assert sorted(fresh) == sorted(there), AGAIN
    assert [] == [name for name in fresh if fresh[name] != there[name]], AGAIN


def test_check_tells_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``--check`` is quiet about its own work and names each file that was changed, lost or added, with exit code 1."""
    monkeypatch.chdir(ROOT)
    assert 0 == main(["dashboards", "--out", str(tmp_path)])
    assert 0 == main(["dashboards", "--check", str(tmp_path)])
    (tmp_path / "dashboards" / "env-air.json").write_text("{}")
    (tmp_path / "provisioning" / "alerting" / "rules.yaml").unlink()
    (tmp_path / "dashboards" / "env-old.json").write_text("{}")
    (tmp_path / "dashboards" / "env-water.json").write_bytes(b"\xff\xfe")
    (tmp_path / "provisioning" / "alerting" / "README.md").write_text("somebody else's")
    capsys.readouterr()

    assert 1 == main(["dashboards", "--check", str(tmp_path)])
    said = capsys.readouterr().err
    assert all(word in said for word in ("env-air.json: 不同", "env-water.json: 不同", "rules.yaml: 缺少", "env-old.json: 多余"))
    assert "README.md" not in said


def test_writing_again_removes_what_is_no_longer_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact point of a channel that was given up would go on sending; no draft is left behind."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LANBI_GRAFANA_URL", "free")
    assert 0 == main(["dashboards", "--out", str(tmp_path)])
    old = tmp_path / "provisioning" / "alerting" / "contact-wecom.yaml"
    old.write_text("{}")
    assert 0 == main(["dashboards", "--out", str(tmp_path)])

    assert not old.exists()
    assert [] == list(tmp_path.rglob("*.new"))


def test_other_peoples_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that somebody else keeps files in, such as Grafana's own, loses none of them."""
    monkeypatch.chdir(ROOT)
    theirs = [
        tmp_path / name for name in ("dashboards/sales.json", "dashboards/__init__.py", "provisioning/datasources/mysql.yaml", "provisioning/plugins/app.yaml")
    ]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")

    assert 0 == main(["dashboards", "--out", str(tmp_path)])
    assert ["theirs"] * len(theirs) == [path.read_text() for path in theirs if path.exists()]
    assert 0 == main(["dashboards", "--check", str(tmp_path)])


def test_a_file_that_cannot_be_replaced_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the file, and Grafana finds no half-written one beside it."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "dashboards" / "env-air.json").mkdir(parents=True)

    assert 1 == main(["dashboards", "--out", str(tmp_path)])
    assert "env-air.json" in capsys.readouterr().err
    assert [] == list(tmp_path.rglob("*.new"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where the folder should be ends with exit code 1 and the place, not with a traceback."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "taken").write_text("")

    assert 1 == main(["dashboards", "--out", str(tmp_path / "taken")])
    assert str(tmp_path / "taken") in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--out", "a", "--check", "b"]])
def test_where_must_be_said_once(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither or both of --out and --check is a wrong call."""
    monkeypatch.chdir(ROOT)

    assert 2 == main(["dashboards", *words])


def test_a_target_without_value_shows_its_course() -> None:
    """The panel stays, with 目标值待下达 in its title; the value that was set stands there otherwise."""
    bureau = sample()
    plan = bureau.plans[0]
    waiting = replace(bureau.followed[0], values=(YearValue(2025, None),))
    other = replace(bureau, plans=(replace(plan, targets=(waiting, *[one for one in plan.targets if one.id != waiting.id])),))
    titles = [panel["title"] for panel in finalize(built(overview(other), other))["panels"]]

    assert any(waiting.name_zh in title and "目标值待下达" in title for title in titles)
    assert any(str(bureau.followed[1].last.value) in title for title in titles)  # type: ignore[union-attr]


def test_a_county_without_plan_has_no_empty_panel() -> None:
    """Without targets their panels are left out, and the 说明 names them."""
    bureau = replace(sample(), plans=(), judged={})
    board = finalize(built(overview(bureau), bureau))
    note = next(panel["options"]["content"] for panel in board["panels"] if panel["title"] == "说明")

    assert "规划目标状态" in note
    assert [] == [panel["title"] for panel in board["panels"] if panel["type"] not in {"row", "text", "alertlist"} and not panel["targets"]]
    assert "目标有风险" not in str(finalize(built(runbook(bureau), bureau)))


def test_a_county_without_stations_is_refused() -> None:
    """Boards that would be empty are not written; the error says what to do."""
    bureau = sample()
    with pytest.raises(InputError, match="no air station"):
        files(replace(bureau, registry=replace(bureau.registry, air_stations={})))


def test_overlapping_panels_are_a_fault() -> None:
    """Two panels on one place, an id used twice, a panel off the grid: each is named."""
    board = boards()["env-air"]
    panels = [{**panel, "gridPos": {"h": 2, "w": 30, "x": 0, "y": 0}, "id": 7} for panel in board["panels"][1:3]]
    with pytest.raises(LanbiError, match=r"used twice.*leaves the grid.*overlap"):
        check({**board, "panels": panels})


@pytest.mark.parametrize("path", sorted((ROOT / "dashboards").rglob("*.py")), ids=lambda path: path.stem)
def test_colours_and_limits_stand_in_tables(path: Path) -> None:
    """A colour is written in the house style only; bands, classes and targets come from domain and plans."""
    found = re.findall(r"#[0-9A-Fa-f]{6}\b", path.read_text())

    assert path.name == "style.py" or [] == found
    assert Board.__doc__


def test_the_packaged_server_gets_every_variable() -> None:
    """The compose file sets what the provisioned files of the sample county refer to, and holds no secret itself."""
    compose = (COMMITTED / "compose.yaml").read_text()

    assert [] == [name for name in variables(files(sample())) if f"{name}:" not in compose]
    assert "://" not in compose.replace("http://127.0.0.1:8086", "")
    assert all(":?" in line for line in compose.splitlines() if "TOKEN:" in line or "SECRET:" in line)


def test_nothing_is_left_out_but_what_waits_for_its_figures() -> None:
    """The sample county has everything registered: no panel is missing for want of a figure."""
    notes = [panel["options"]["content"] for board in boards().values() for panel in board["panels"] if panel["title"] == "说明"]
    told = [note.partition("：本服务尚未存储")[2] + note.partition("未启用的规则")[2] for note in notes]
    missing = {name for note in told for name in re.findall(r"^- (?:\*\*)?([^*：]+)(?:\*\*)?：.*`", note, re.MULTILINE)}

    assert set() == missing

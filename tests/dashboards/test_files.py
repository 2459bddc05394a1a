"""The written files: the same bytes every time, fresh in the repository, whole or not at all; and what is left out is told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from dashboards import queries, style
from dashboards.board import Band, Board, Card, built
from dashboards.boards.overview import overview
from dashboards.boards.runbook import runbook
from dashboards.county import Bureau
from dashboards.files import files, variables
from dashboards.finalize import check, finalize
from dashboards.queries import Ask
from domain.errors import InputError, LanbiError
from domain.restating import CAUSES
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


def bare() -> Bureau:
    """A county that watches its air and has no section, well, point, enterprise, meter or line."""
    none = dict.fromkeys(("water_sections", "wells", "points", "enterprises", "meters", "lines"), MappingProxyType({}))
    return replace(sample(), registry=replace(sample().registry, **none))  # type: ignore[arg-type]


def test_a_county_without_wells_or_enterprises_gets_no_empty_panel() -> None:
    """What has nobody to show is left out and named in the 说明 of its board; no variable without a choice and no rule without a scope is written."""
    texts = files(bare())
    found = {board["uid"]: board for board in (json.loads(text) for name, text in texts.items() if name.startswith("dashboards/"))}
    notes = {uid: next(panel["options"]["content"] for panel in board["panels"] if panel["title"] == "说明") for uid, board in found.items()}
    silent = {"row", "text", "alertlist"}

    assert [] == [(uid, panel["title"]) for uid, board in found.items() for panel in board["panels"] if panel["type"] not in silent and not panel["targets"]]
    assert [] == [(uid, one["name"]) for uid, board in found.items() for one in board["templating"]["list"] if one["type"] == "custom" and not one["query"]]
    assert [] == [(uid, row["title"]) for uid, board in found.items() for row, after in _rows(board) if after == "row"]
    assert all(title in notes["env-energy"] for title in ("企业能耗、碳排放与用水", "逐日平衡差", "产品单耗"))
    assert all(title in notes["env-water"] for title in ("断面类别", "水位状态"))
    assert "/^()$/" not in "".join(texts.values())
    for uid in ("meter-balance", "meter-incomplete", "point-over-limit", "water-level-warning", "line-water-quota"):
        assert f'"uid": "{uid}"' not in texts["provisioning/alerting/rules.yaml"]


def _rows(board: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Each heading with the kind of the panel below it; 说明 ends a board."""
    panels = board["panels"]
    return [(one, after["type"]) for one, after in pairwise(panels) if one["type"] == "row"]


def test_a_figure_that_nobody_stores_is_named() -> None:
    """A board that asks for a figure under a wrong name is written without that panel, and its 说明 says which name was not found."""
    bureau = sample()
    card = Card(10, "误名", "n", style.lines("none"), (queries.series(Ask("pm25_meen", "day", bureau.scope)),))
    board = finalize(built(Board("env-test", "板", "n", (Band(5, (card,), title="空的一节"),)), bureau))

    assert [("text", "说明")] == [(panel["type"], panel["title"]) for panel in board["panels"]]
    assert "**误名**：`pm25_meen`(day)" in board["panels"][0]["options"]["content"]


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


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_a_cause_begins_with_words(code: str) -> None:
    """The text of a cause begins with a code; an operator reads words, and what follows stays."""
    overrides = next(panel for panel in boards()["env-overview"]["panels"] if panel["title"] == "更正记录")["fieldConfig"]["overrides"]
    (shown,) = [rule["value"] for one in overrides if one["matcher"]["options"] == "原因" for rule in one["properties"] if rule["id"] == "mappings"]
    said = f"{code}: s1 pm25; late: s2 o3"
    found = [re.sub(rule["options"]["pattern"].strip("/"), rule["options"]["result"]["text"], said) for rule in shown]

    assert [f"{CAUSES[code][0]}：s1 pm25; late: s2 o3"] == [one for one in found if one != said]


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

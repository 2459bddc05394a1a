"""``lanbi check --live``: the frame in which each part of a running lanbi is looked at."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from domain.errors import StoreAway
from lanbi import live, live_processes
from lanbi.cli import main
from lanbi.live import FAULT, NOTE, OK, Finding, findings
from lanbi.metrics import write_status
from lanbi.settings import Settings, load


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings whose data folder is empty."""
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path / "var"}"\n', encoding="utf-8")
    return str(path)


def part(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception | None) -> str:
    """A part that finds one thing well and then fails, if there is an error."""

    def look(_settings: Settings) -> Iterator[Finding]:
        yield Finding(name, OK, "好", "well")
        if error:
            raise error

    module = ModuleType(f"part_{name}")
    module.look = look  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


def test_a_part_that_fails_is_a_fault_and_hides_no_other(monkeypatch: pytest.MonkeyPatch, config: str) -> None:
    """Plain words of an error of ours, the bare error of any other, and the next part is still looked at."""
    errors = {"away": StoreAway("it does not answer", "http://x", "start it"), "bug": ZeroDivisionError("oops"), "good": None}
    parts = {name: part(monkeypatch, name, error) for name, error in errors.items()}

    found = list(findings(load(config, {}), parts))

    assert [("away", OK), ("away", FAULT), ("bug", OK), ("bug", FAULT), ("good", OK)] == [(one.part, one.state) for one in found]
    assert "http://x: it does not answer" in found[1].en
    assert "start it" == found[1].todo
    assert "oops" in found[3].en


def test_parts_are_told_to_people_and_machines(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that says it is not ready is a fault with its reason, exit code 1; one that never ran is only a note."""
    monkeypatch.setattr(live, "findings", lambda settings: findings(settings, {"processes": live.PARTS["processes"]}))
    assert 0 == main(["check", "--live", "--config", config])
    assert "never ran" in capsys.readouterr().out
    write_status(tmp_path / "var" / "run" / "ingest.json", {"ready": False, "reasons": ["broker: 未连接 gone"], "store": "down: x"})
    write_status(tmp_path / "var" / "run" / "serve.json", {"ready": True, "reasons": []})

    assert 1 == main(["check", "--live", "--config", config])
    said = capsys.readouterr()
    assert "故障 fault" in said.out and "broker: 未连接 gone" in said.out
    assert "接收未就绪：MQTT 服务器：未连接 gone · ingest is not ready" in said.out and "等待：不可用：x · the store takes nothing" in said.out
    assert "处理 do: 请启动它，或查看 ingest 的日志 · start it, or look into the log of ingest" in said.out
    assert "2 处运行故障 faults in what runs" in said.err
    assert 1 == main(["check", "--live", "--json", "--config", config])
    answer = json.loads(capsys.readouterr().out)
    assert [False, ["fault", "fault", "note", "ok"]] == [answer["ok"], [row["state"] for row in answer["live"]]]
    assert {"part", "state", "zh", "en", "do"} == set(answer["live"][0])
    assert "请启动它，或查看 ingest 的日志 · start it, or look into the log of ingest" == answer["live"][0]["do"]


def test_a_process_at_work_is_no_fault(config: str) -> None:
    """While analytics compiles or computes that is a note; the same of a process that gives no signs any more is a fault."""
    settings = load(config, {})
    path = settings.data / "run" / "analyse.json"

    def seen() -> str:
        return next(one.state for one in live_processes.look(settings) if "analyse" in one.en)

    states = []
    for reason in ("starting", "compiling", "computing", "the store is away"):
        write_status(path, {"pid": 1, "heartbeat": 0, "ready": False, "reasons": [reason]})
        states.append(seen())
    write_status(path, {"pid": 1, "heartbeat": 0, "ready": False, "reasons": ["computing"]})
    os.utime(path, (1, 1))

    assert [NOTE, NOTE, NOTE, FAULT] == states
    assert FAULT == seen()


def test_faults_of_the_files_come_first(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With wrong settings nothing live is looked at: exit code 2."""
    Path(config).write_text('dta = "x"\n', encoding="utf-8")

    assert 2 == main(["check", "--live", "--json", "--config", config])
    assert "live" not in json.loads(capsys.readouterr().out)

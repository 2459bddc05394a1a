"""``lanbi explain``: each step in words, for messages that pass and for those that do not, and a mapping tried on the dead letters."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from domain.civil import parse_time
from lanbi import wiring
from lanbi.cli import main
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter
from lanbi.settings import load
from lanbi.state import StateView
from tests.ingest.decoders.foreign_house import HOUR, NS, PLACES, device
from tests.ingest.decoders.test_hj212_read import FRAMES, speaking
from tests.lanbi.ingest_house import ROOT

RULE = '[[mapping]]\nid = "air"\nformat = "json"\ntime = "t"\nitems = [{item = "pm25", name = "pm"}]\n'
COUNTY = PLACES + speaking("a1") + device('["a2"]', 'mapping = "air"\ntopics = ["yard/air"]', "yard") + RULE


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The folder of a county with a logger and a yard's sensor."""
    (tmp_path / "county.toml").write_text(COUNTY, encoding="utf-8")
    lines = (f"data = {json.dumps(str(tmp_path / 'var'))}", f"county = {json.dumps(str(tmp_path / 'county.toml'))}")
    (tmp_path / "lanbi.toml").write_text("\n".join((*lines, f"targets = [{json.dumps(str(ROOT / 'plans' / 'chiping.toml'))}]")), encoding="utf-8")
    return tmp_path


def explain(house: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    code = main(["explain", *words, "--config", str(house / "lanbi.toml")])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_a_frame_is_explained_step_by_step(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recognised as, rule, time, label, what was said, what it became; the password is not shown."""
    (house / "v7").write_bytes(FRAMES["V7"])
    code, told = explain(house, capsys, str(house / "v7"), "--device", "d1", "--received", "2026-11-23T09:01:00+08:00")

    assert 0 == code
    for words in ("识别 looks like: hj212", "规则 rule: 格式 format hj212", "标签 label 起始 start", "zone Asia/Shanghai", "PW=******", "CN 2061"):
        assert words in told
    assert "接受 accepted: a1 (一号站), 至 until 2026-11-23T09:00:00+08:00, 时长 span 3600 s" in told
    assert "co (一氧化碳 CO) = 0.9 mg/m³, 标记 flag M 维护 maintenance" in told
    assert "接受 accepted 1, 拒绝 refused 0" in told
    assert "PW=123456" not in told


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (FRAMES["V7"].replace(b"=58,", b"=59,"), "bad-encoding"),
        (FRAMES["V1"].replace(b"1C80", b"0759"), 'crc = "modbus"'),
        (FRAMES["V16"], "已理解，不含读数"),
        (FRAMES["V10"], "MN 'LD130133000015' 未登记"),
        (b'{"pm":1}', "looks like: 没有特征"),
        (b"\xff\x00", "bad-encoding"),
        (b"", "空报文"),
    ],
)
def test_a_refusal_says_why(house: Path, capsys: pytest.CaptureFixture[str], payload: bytes, words: str) -> None:
    """For whatever bytes, with exit code 0: explaining has not failed."""
    (house / "m").write_bytes(payload)
    code, told = explain(house, capsys, str(house / "m"), "--device", "d1")

    assert 0 == code
    assert words in told


def test_a_capture_is_explained_message_by_message(house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON lines from standard input, machine-readable too."""
    rows = [{"topic": "yard/air", "payload": {"t": at, "pm": 12}, "received": "2026-11-23T09:01:00+08:00"} for at in (HOUR, HOUR * 1000)]
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    code, told = explain(house, capsys, "-", "--json")
    first, second = (json.loads(line)["steps"] for line in told.splitlines())

    assert 0 == code
    assert "规则 rule: 映射 mapping air v1, 格式 format json" in first
    assert any(line.startswith("接受 accepted: a2") for line in first)
    assert any("像是 ms" in line for line in second)


def test_a_mapping_is_tried_on_the_dead_letters(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many would pass whole, in part, or not; nothing is stored by it."""
    settings = load(str(house / "lanbi.toml"), {})
    writer = JournalWriter(settings.data / "journal", "mqtt")
    for payload in (b'{"t":%d,"pm":7}' % (HOUR * 1000), b'{"t":%d,"pm":8}' % (HOUR * 1000 + 60_000), b"rubbish", b'{"t":%d,"pm":9}' % HOUR):
        writer.append("yard/air", payload, received_ns=parse_time("2026-11-23T09:02:00+08:00") * NS)
    writer.commit()
    writer.close()
    forward(settings, wiring.registry(settings), "mqtt")
    trial = house / "trial.toml"
    trial.write_text(RULE.replace('time = "t"', 'time = "t"\ntime_format = "ms"\nversion = 2'), encoding="utf-8")
    code, told = explain(house, capsys, "--try", str(trial), "--json")
    view = StateView(settings.data)
    law = view.conservation()
    view.close()

    assert 0 == code
    assert {"messages": 3, "whole": 2, "partly": 0, "lost": 0, "reasons": {"bad-json": 1}} == json.loads(told)
    assert (4, 1, 3) == (law["received"], law["stored"], law["deadletter"])
    assert "would pass whole: 2" in explain(house, capsys, "--try", str(trial))[1]
    assert "messages\n试用后全部通过 would pass whole: 0" in explain(house, capsys, "--try", str(trial), "--device", "d1")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "what shall be explained"),
        (("/nowhere",), "cannot be read"),
        (("-", "--device", "nobody"), "no device 'nobody'"),
        (("--try", "/nowhere"), "no such file"),
        (("/dev/null", "--received", "yesterday"), "not a time"),
    ],
)
def test_wrong_words_end_in_plain_words(house: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    """Exit code 2, what, where, what to do."""
    code, told = explain(house, capsys, *words)

    assert 2 == code
    assert said in told
    assert "处理 do:" in told


def test_a_mistake_in_a_mapping_is_told_at_its_line(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line of the file that its author has open."""
    trial = house / "trial.toml"
    trial.write_text("# mine\n[[mapping]]\nid = 3", encoding="utf-8")

    code, told = explain(house, capsys, "--try", str(trial))

    assert 2 == code
    assert f"where: {trial}:3\n" in told
    assert f"{trial}:2: mapping '3' has no format" in told

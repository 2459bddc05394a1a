"""``lanbi explain``: each step in words, for messages that pass and for those that do not, and a mapping tried on the dead letters."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.civil import parse_time
from ingest.decoders.hj212 import Packet, packets
from lanbi import wiring
from lanbi.captures import frames
from lanbi.cli import main
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter
from lanbi.settings import load
from lanbi.state import StateView
from tests.ingest.decoders.foreign_house import HOUR, NS, PLACES, device
from tests.ingest.decoders.test_hj212_read import FRAMES, speaking
from tests.ingest.decoders.test_hj212_sm4 import KEY, SEALED
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


ONE, OTHER = (json.dumps({"t": at, "pm": 12}) for at in (HOUR, HOUR - 60))
FRAME = FRAMES["V7"]
CAPTURES = {
    "frames behind each other, one broken, the end cut off": (
        FRAME + b"\r\n" + FRAME.replace(b"=58,", b"=59,") + FRAMES["V15"] + FRAME[:90], ("--device", "d1"), 4, "accepted 2, 拒绝 refused 2",
    ),
    "mosquitto_sub -v": (f"yard/air {ONE}\nyard/air {OTHER}\nlanbi/v1/nobody/data 7\nnew thing/x {ONE}\n".encode(), (), 4, "accepted 2, 拒绝 refused 2"),
    "lines of JSON": (f"{ONE}\n\n{OTHER}\n".encode(), ("--topic", "yard/air"), 2, "accepted 2, 拒绝 refused 0"),
    "hexadecimal, and mosquitto's own time": (
        json.dumps({"topic": "lanbi/v1/d1/data", "payload": FRAME.hex(), "hex": True, "tst": "2026-11-23T09:01:00.512+0800"}).encode(), (), 1, "accepted 1, 拒绝 refused 0",
    ),
    "JSON of several lines is one message": (b'{"t": %d,\n "pm": 12}\n' % HOUR, ("--topic", "yard/air"), 1, "accepted 1, 拒绝 refused 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_split_into_its_messages(house: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """In the forms in which captures are made; each byte belongs to one message."""
    data, words, number, outcome = CAPTURES[name]
    (house / "c").write_bytes(data)
    code, told = explain(house, capsys, str(house / "c"), *words, "--received", "2026-11-23T09:01:00+08:00")

    assert 0 == code
    assert f"共 {number} 条报文 messages: 接受 {outcome}" in told
    assert number == told.count("──\n")


@given(st.lists(st.sampled_from([FRAME, FRAMES["V15"], FRAME[:50], b"##", b"#", b"\r\n", b"noise", FRAME.replace(b"=58,", b"=59,")])))
def test_frames_of_a_capture_lose_no_byte(pieces: list[bytes]) -> None:
    """What was cut gives the capture again; every sound frame is a message of its own, with blanks at most."""
    data = b"".join(pieces)
    found = list(frames(data))

    assert data == b"".join(found)
    assert all(sum(isinstance(one, Packet) for one in packets(part)) <= 1 for part in found)


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


def test_encrypted_hours_are_replayed_once_their_key_is_there(house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead letter with its reason; after `lanbi device key` the explanation shows the values, and the replay stores them. No key is printed."""
    settings = load(str(house / "lanbi.toml"), {})
    writer = JournalWriter(settings.data / "journal", "mqtt")
    writer.append("lanbi/v1/d1/data", SEALED["V7"][1], received_ns=parse_time("2026-11-23T09:01:00+08:00") * NS, readings=1)
    writer.commit()
    writer.close()
    forward(settings, wiring.registry(settings), "mqtt")
    (house / "v7").write_bytes(SEALED["V7"][1])
    asked = (str(house / "v7"), "--device", "d1", "--received", "2026-11-23T09:01:00+08:00")
    _, before = explain(house, capsys, *asked)
    monkeypatch.setattr(sys, "stdin", io.StringIO(KEY.hex() + "\n"))
    assert 0 == main(["device", "key", "d1", "--from", "2026-10-01", "--config", str(house / "lanbi.toml")])
    given = capsys.readouterr().out
    _, after = explain(house, capsys, *asked)
    assert 0 == main(["deadletters", "replay", "--device", "d1", "--config", str(house / "lanbi.toml")])
    view = StateView(settings.data)
    law, standing = view.conservation(), view.refused(limit=10)
    view.close()

    assert "encrypted" in before
    assert "no key is registered" in before
    assert "2026-12-30" in given
    assert "SM4" in after
    assert "pm25 (细颗粒物 PM2.5) = 58.0" in after
    assert KEY.hex() not in given + after
    assert (1, 0, []) == (law["stored"], law["pending"], list(standing))


def test_states_of_equipment_become_evidence(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An entry of the device in the store, no reading; explain names each unit."""
    settings = load(str(house / "lanbi.toml"), {})
    writer = JournalWriter(settings.data / "journal", "mqtt")
    writer.append("lanbi/v1/d1/data", FRAMES["V13"], received_ns=parse_time("2026-11-23T09:01:00+08:00") * NS, readings=0)
    writer.commit()
    writer.close()
    forward(settings, wiring.registry(settings), "mqtt")
    store = wiring.store(settings)
    (entry,) = store.entered("event")
    store.close()
    (house / "v13").write_bytes(FRAMES["V13"])
    code, told = explain(house, capsys, str(house / "v13"), "--device", "d1")

    assert ("mqtt/1#0", "d1", "equipment") == (entry.id, entry.user, entry.body["type"])
    assert 0 == code
    assert "事件 event: equipment, 2016-08-01T08:58:57+08:00: SB1 运行 running, SB2 停运 off" in told

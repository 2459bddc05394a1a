"""``lanbi clues`` as an operator uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Event
from domain.readings import Entry
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.plans import folder

BEGIN = civil.parse_time("2025-06-03T12:00:00+08:00")
CLUE = {"state": "open", "rule": "E1", "from": "2025-06-03T12:00:00+08:00", "to": "2025-06-03T15:00:00+08:00", "minutes": 180, "treatment_kw": 0.0, "trail": []}
ORDER = {
    "level": "orange", "zh": "橙色", "from": "2025-06-03T12:00:00+08:00", "to": "2025-06-04T12:00:00+08:00", "document": "某指办1号", "measures": [],
    "receipt": None, "hours": {"obeyed": 20, "not-obeyed": 0, "cannot-tell": 4}, "why": {},
}  # fmt: skip
SIGNED = ("--person", "王工", "--document", "检查单12号")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """The sample county with one clue that stands, one that was taken back, and an order."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\n', encoding="utf-8")
    store = EmbeddedStore(tmp_path / "data" / "store.db")
    store.events(
        [
            Event("treatment-off", "m-0003", BEGIN, 1.0, json.dumps(CLUE)),
            Event("breach", "m-0002", BEGIN - 40 * 86_400, 1.0, json.dumps({**CLUE, "rule": "E4", "load_kwh": [12.0, 15.5], "allowed_kwh": [6.0, 7.0]})),
            Event("idling", "m-0006", BEGIN, None, '{"withdrawn": true}'),
            Event("order", "e-001", BEGIN, 1.0, json.dumps(ORDER, ensure_ascii=False)),
        ]
    )
    store.close()
    return str(path)


def entered(tmp_path: Path, kind: str) -> list[dict[str, object]]:
    """What stands in the store."""
    store = EmbeddedStore(tmp_path / "data" / "store.db")
    found = [dict(entry.body) for entry in store.entered(kind)]
    store.close()
    return found


def test_clues_and_orders_are_listed(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, in words; as JSON with everything; what was taken back is not among them."""
    assert 0 == main(["--config", config, "clues", "list", "--since", "2025-06-01"])
    text = capsys.readouterr().out
    assert "m-0003  E1 生产在用而治污停运  180 min  待核实  治污 kW 0" in text and "1 条 shown" in text and "m-0006" not in text
    assert 0 == main(["--config", config, "clues", "list", "--since", "2025-04-01"])
    assert "实际 kWh/h 12…15.5, 允许 kWh/h 6…7" in capsys.readouterr().out
    assert 0 == main(["--config", config, "clues", "orders", "--since", "2025-06-01"])
    assert "橙色 某指办1号" in (text := capsys.readouterr().out) and "未回执 no receipt yet" in text and "cannot-tell 4 h" in text
    assert 0 == main(["--config", config, "clues", "list", "--since", "2025-06-01", "--json"])
    assert {**CLUE, "kind": "treatment-off", "source": "m-0003"} == json.loads(capsys.readouterr().out)


UNIT = {"unit": "SB1", "meter": "m-0003"}
OFF, ON = {"state": 0, "zh": "停运", "en": "off"}, {"state": 1, "zh": "运行", "en": "running"}
"""What a logger says of a unit; of SB1 it is known which meter measures it."""


def running(day: int, hours: float) -> dict[str, object]:
    """Running hours of a day in June."""
    begin, end = (f"2025-06-{number:02}T00:00:00+08:00" for number in (day, day + 1))
    return {"type": "running-time", "day": f"2025-06-{day:02}", "time": begin, "to": end, "units": [{**UNIT, "hours": hours}]}


def told_by_a_logger(tmp_path: Path) -> None:
    """States before, within and behind the clue, of this unit and of another one, hours of two days, and what nobody can use."""
    said: list[dict[str, object]] = [
        {"type": "equipment", "time": "2025-06-03T12:05:00+08:00", "units": [{**UNIT, **OFF}, {"unit": "SB2", **ON}]},
        {"type": "equipment", "time": "2025-06-03T11:00:00+08:00", "units": [{**UNIT, **ON}]},
        {"type": "equipment", "time": "2025-06-03T09:00:00+08:00", "units": [{**UNIT, **OFF}]},
        {"type": "equipment", "time": "2025-06-03T16:00:00+08:00", "units": [{**UNIT, **ON}]},
        running(3, 20.5),
        running(1, 24.0),
        {"type": "equipment", "time": "soon", "units": [{**UNIT, **OFF}]},
        {"type": "equipment", "time": 7, "units": "SB1"},
        {"type": "maintenance"},
    ]
    store = EmbeddedStore(tmp_path / "data" / "store.db")
    store.enter([Entry("event", f"mqtt/{number}#0", number, "logger", body) for number, body in enumerate(said)])
    store.close()


def test_what_a_logger_says_stands_beside_the_clue(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """States within it and the last one before, running hours of its day, of this meter's unit; another unit's, others' events and other days' never."""
    told_by_a_logger(tmp_path)
    assert 0 == main(["--config", config, "clues", "list", "--since", "2025-06-01"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if "logger" in line]
    assert 0 == main(["--config", config, "clues", "list", "--since", "2025-06-01", "--json"])
    beside = json.loads(capsys.readouterr().out)["logger"]

    head = "数采仪自报 its logger says:"
    assert [
        f"{head} running-time, 2025-06-03: SB1 (m-0003) 20.5 h",
        f"{head} equipment, 2025-06-03T11:00:00+08:00: SB1 (m-0003) 运行 running",
        f"{head} equipment, 2025-06-03T12:05:00+08:00: SB1 (m-0003) 停运 off",
    ] == lines
    assert [[{**UNIT, "hours": 20.5}], [{**UNIT, **ON}], [{**UNIT, **OFF}]] == [one["units"] for one in beside]


@pytest.mark.parametrize(("word", "state"), [("explain", "explained"), ("confirm", "confirmed"), ("reopen", "open")])
def test_an_answer_is_evidence(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, state: str) -> None:
    """Rule, time, state, reason, person and document stand in the person's journal and in the store."""
    assert 0 == main(["--config", config, "clues", word, "m-0003", "2025-06-03 13:00", "--rule", "E1", "--reason", "更换滤袋", *SIGNED])
    assert "m-0003" in capsys.readouterr().out
    (body,) = entered(tmp_path, "clue")

    assert {
        "source": "m-0003", "time": "2025-06-03T13:00:00+08:00", "rule": "E1", "state": state, "reason": "更换滤袋", "user": "王工", "document": "检查单12号",
    } == body  # fmt: skip


def test_an_enterprise_confirms_an_order(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The receipt names the order's begin and its document."""
    assert 0 == main(["--config", config, "clues", "receipt", "e-001", "--from", "2025-06-03 12:00", "--person", "张经理"])
    assert "已回执 receipt entered: e-001" in capsys.readouterr().out
    assert [{"enterprise": "e-001", "from": "2025-06-03T12:00:00+08:00", "user": "张经理", "document": "某指办1号"}] == entered(tmp_path, "order-receipt")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "m-0003", "2025-06-03 16:00", "--rule", "E1", "--reason", "x", *SIGNED), "no clue E1 about m-0003"),
        (("explain", "m-0003", "2025-06-03 13:00", "--rule", "E3", "--reason", "x", *SIGNED), "no clue E3"),
        (("explain", "m-0003", "2025-06-03 13:00", "--rule", "E9", "--reason", "x", *SIGNED), "no rule of a clue: 'E9'"),
        (("explain", "m-0006", "2025-06-03 12:00", "--rule", "E3", "--reason", "x", *SIGNED), "no clue E3 about m-0006"),
        (("explain", "m-0003", "gestern", "--rule", "E1", "--reason", "x", *SIGNED), "gestern"),
        (("explain", "m-0003", "2025-06-03 13:00", "--rule", "E1", "--reason", " ", *SIGNED), "without reason"),
        (("receipt", "e-002", "--from", "2025-06-03 12:00", "--person", "x"), "no order that began"),
        (("receipt", "e-001", "--from", "2025-06-03 13:00", "--person", "x"), "no order that began"),
        (("receipt", "e-001", "--from", "soon", "--person", "x"), "soon"),
        (("list", "--since", "soon"), "soon"),
    ],
)
def test_what_is_not_there_is_refused(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    """With the reason, exit code 2, and nothing entered."""
    assert 2 == main(["--config", config, "clues", *words])
    assert said in capsys.readouterr().err
    assert [] == entered(tmp_path, "clue") + entered(tmp_path, "order-receipt")

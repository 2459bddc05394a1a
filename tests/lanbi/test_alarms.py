"""``lanbi alarms`` as an operator uses it: a list, a verdict that is evidence, and what cannot be judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Event
from domain.judgements import VERDICT, Alarm, judged
from domain.readings import Entry
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.journal import JournalReader
from lanbi.plans import folder

TIME = civil.parse_time("2026-10-15T00:00:00+08:00")
STEP = Alarm("step", "sc-a01", TIME)
SIGNED = ("--reason", "更换切割器", "--person", "王工", "--document", "检查单12号")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings of the sample county on a data folder in which a step was told, and a standing sensor that was taken back."""
    (tmp_path / "data").mkdir()
    store = EmbeddedStore(tmp_path / "data" / "store.db")
    store.events(
        [Event("step", "sc-a01", TIME, 38.0, "{}"), Event("stuck", "sc-a03", TIME - 60, 0.0, '{"withdrawn": true}'), Event("registry", "sc", TIME, None, "v")]
    )
    store.close()
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\n', encoding="utf-8")
    return str(path)


def listed(config: str, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    """Lines of the list."""
    assert 0 == main(["--config", config, "alarms", "list", "--since", "2026-10-01", *more])
    return capsys.readouterr().out.splitlines()


def test_a_verdict_is_evidence_and_shown_and_the_last_word_stands(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """True, then known work: both stand in the person's journal, the list shows the second."""
    first, second, count = listed(config, capsys)
    assert (STEP.name, "2 条 shown") == (first.split()[0], count)
    assert "withdrawn" in second and "区政府" in first

    for verdict in ("true", "known-work"):
        assert 0 == main(["--config", config, "alarms", "judge", STEP.name, verdict, *SIGNED])
    assert "judged known-work" in capsys.readouterr().out
    assert "已知作业 known-work (王工: 更换切割器)" in listed(config, capsys)[0]
    row = json.loads(listed(config, capsys, "--json")[0])
    assert ("known-work", "检查单12号") == (row["verdict"]["verdict"], row["verdict"]["document"])
    bodies = [json.loads(record.payload) for record in JournalReader(tmp_path / "data" / "journal", "person").read()]
    assert [("true", STEP.name), ("known-work", STEP.name)] == [(one["verdict"], one["alarm"]) for one in bodies]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["step@sc-a01@2026-10-16T00:00:00+08:00", "true", *SIGNED], "no alarm of this name was told"),
        (["step/sc-a01", "true", *SIGNED], "no name of an alarm"),
        (["registry@sc@2026-10-15T00:00:00+08:00", "true", *SIGNED], "no name of an alarm"),
        ([STEP.name, "true", "--reason", " ", *SIGNED[2:]], "needs its reason"),
        ([STEP.name, "true", *SIGNED[:2], "--person", "", "--document", "d"], "needs the person"),
    ],
)
def test_what_cannot_be_judged_changes_nothing(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """An alarm that was never told, no alarm at all, no reason, nobody: exit code 2 and an empty journal."""
    assert 2 == main(["--config", config, "alarms", "judge", *words])
    assert said in capsys.readouterr().err
    assert [] == list(JournalReader(tmp_path / "data" / "journal", "person").read())


def test_words_that_cannot_be_read_are_passed_over() -> None:
    """A verdict of no kind, of no alarm, without a reason; the latest by receipt stands, whatever the order."""
    body = {"alarm": STEP.name, "verdict": "false", "reason": "r"}
    bad = [{**body, "verdict": "maybe"}, {**body, "alarm": "x"}, {**body, "reason": ""}]
    entries = [Entry(VERDICT, f"person/{place}", 10 + place, "u", one) for place, one in enumerate(bad)]
    good = [Entry(VERDICT, "person/8", 8, "u", {**body, "verdict": "true"}), Entry(VERDICT, "person/7", 7, "u", body)]

    assert {STEP: "true"} == {about: word.verdict for about, word in judged([*entries, *good]).items()}

"""``lanbi confirm`` and ``lanbi restatements`` as an operator uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Restatement
from domain.restating import CONFIRMATION, confirmations
from lanbi import wiring
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.journal import JournalReader
from lanbi.plans import folder
from lanbi.state import State

SIGNED = ("--person", "王工", "--document", "某环〔2025〕12号")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings of the sample county on an empty data folder."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\n', encoding="utf-8")
    return str(path)


def confirmed(tmp_path: Path, date: str) -> bool:
    """Whether the store knows the day's figures as confirmed."""
    store = EmbeddedStore(tmp_path / "data" / "store.db")
    found = confirmations(store.entered(CONFIRMATION)).covers("day", civil.period_stamp(civil.parse_date(date)))
    store.close()
    return found


def test_confirming_is_evidence_and_may_be_taken_back(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A confirmation stands in the person's journal with person and document and is in force at once; a second word takes it back."""
    assert 0 == main(["--config", config, "confirm", "2025-06", *SIGNED])
    assert "已确认 confirmed: 2025-06" in capsys.readouterr().out
    assert (True, False) == (confirmed(tmp_path, "2025-06-30"), confirmed(tmp_path, "2025-07-01"))

    assert 0 == main(["--config", config, "confirm", "2025-06", *SIGNED, "--withdraw"])
    assert "withdrawn: 2025-06" in capsys.readouterr().out
    assert not confirmed(tmp_path, "2025-06-30")
    bodies = [json.loads(record.payload) for record in JournalReader(tmp_path / "data" / "journal", "person").read()]
    assert [("王工", "某环〔2025〕12号", "confirm"), ("王工", "某环〔2025〕12号", "withdraw")] == [
        (one["user"], one["document"], one["action"]) for one in bodies
    ]


def test_a_running_ingest_brings_it_into_the_store(config: str, tmp_path: Path) -> None:
    """While another process forwards, the confirmation is journalled and left to it."""
    state = State(tmp_path / "data")
    assert 0 == main(["--config", config, "confirm", "2025-06", *SIGNED])
    state.close()

    assert not confirmed(tmp_path, "2025-06-30")
    assert 1 == len(list(JournalReader(tmp_path / "data" / "journal", "person").read()))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["2025-13", *SIGNED], "not a month: '2025-13'"),
        (["June", *SIGNED], "not a month: 'June'"),
        (["2099-01", *SIGNED], "2099-01 is not over yet"),
        (["2025-06", "--person", " ", "--document", "d"], "needs the person"),
        (["2025-06", "--person", "p", "--document", ""], "needs the person"),
    ],
)
def test_what_cannot_be_confirmed_changes_nothing(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """A month that is none or not over, or nobody to answer for it, ends with exit code 2 and an empty journal."""
    assert 2 == main(["--config", config, "confirm", *words])
    assert said in capsys.readouterr().err
    assert [] == list(JournalReader(tmp_path / "data" / "journal", "person").read())


def test_a_store_that_is_away_keeps_the_confirmation_waiting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With InfluxDB away the confirmation is durable, and the operator is told that it waits."""
    (tmp_path / "data").mkdir()
    token = tmp_path / "token"
    token.write_text("a token of nobody")
    token.chmod(0o600)
    path = tmp_path / "lanbi.toml"
    text = f'[store]\nkind = "influx"\nurl = "http://127.0.0.1:1"\ntoken_file = "{token}"\nread_token_file = "{token}"\n'
    path.write_text(f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\n{text}', encoding="utf-8")

    assert 0 == main(["--config", str(path), "confirm", "2025-06", *SIGNED])
    assert "it reaches the store when that answers" in capsys.readouterr().err
    assert 1 == len(list(JournalReader(tmp_path / "data" / "journal", "person").read()))


def restate(config: str) -> int:
    """Two restatements: a day of a station, a week later a month of the county; returns when the first was made."""
    settings = wiring.settings(config)
    made = wiring.clock(settings).now_ns() // 10**9 - 10 * civil.DAY_S
    stamp = civil.period_stamp(civil.parse_date("2025-06-30"))
    store = EmbeddedStore(settings.data / "store.db")
    store.restate(
        [
            Restatement("aqi", "day", "sc-a01", "HJ633-2012", "raw", stamp, 2, 97.0, 103.0, "2", "3", made, "late: sc-a01 pm25 2025-06-30T10:00"),
            Restatement("pm25_mean", "month", "sc", "HJ633-2012", "raw", stamp, 3, 41.9, None, "", "incomplete", made + 7 * civil.DAY_S, "registry: a → b"),
        ]
    )
    store.close()
    return made


def test_restatements_are_told_newest_first(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line says when, where, which figure, old → new, whether it was confirmed, and why, the names of places first."""
    made = restate(config)
    assert 0 == main(["--config", config, "restatements"])
    first, second, end = capsys.readouterr().out.splitlines()

    assert (
        f"{civil.iso(made)}  区政府 空气质量指数 aqi 2025-06-30 (HJ633-2012, raw): 97 [2] → 103 [3]  暂定 provisional  late: 区政府 sc-a01 pm25 2025-06-30T10:00"
        == second
    )
    assert "示例区 PM2.5 均值 pm25_mean 2025-06 (HJ633-2012, raw): 41.9 → – [incomplete]  暂定 provisional  registry: a → b" in first
    assert end.startswith("2 条")


def test_restatements_for_a_machine(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line, with the codes of the causes; since and scope choose, and a confirmed figure is marked."""
    made = restate(config)
    main(["--config", config, "confirm", "2025-06", *SIGNED])
    capsys.readouterr()

    assert 0 == main(["--config", config, "restatements", "--json", "--since", civil.iso(made + 1)])
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert ("sc", "pm25_mean", 41.9, None, "incomplete", ["registry"], False) == tuple(
        row[key] for key in ("scope", "figure", "old", "new", "new_status", "causes", "confirmed")
    )
    assert 0 == main(["--config", config, "restatements", "--json", "--scope", "sc-a01"])
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert ("sc-a01", 97.0, 103.0, civil.iso(made)) == tuple(row[key] for key in ("scope", "old", "new", "made"))


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--scope", "nowhere"], "no such place: nowhere"), (["--since", "yesterday"], "not a time"), (["--limit", "0"], "at least one line")],
)
def test_a_wrong_question_is_told(config: str, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """An unknown place, a time that is none, and a limit below one end with exit code 2."""
    assert 2 == main(["--config", config, "restatements", *words])
    assert said in capsys.readouterr().err

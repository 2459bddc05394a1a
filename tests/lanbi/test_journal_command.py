"""``lanbi journal``: what people and machines are told, and the exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lanbi.cli import main
from lanbi.journal import files, record
from lanbi.journal_bytes import parity_path, sealed_path
from lanbi.seals import seal_path
from tests.lanbi.sealed_house import NOON_NS, everything, flip, journalled, seal_all
from tests.lanbi.test_keeping import forwarded


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings with a journal of four days, three of them sealed and all forwarded."""
    journalled(tmp_path / "var" / "journal", 4)
    seal_all(tmp_path / "var" / "journal")
    forwarded(tmp_path / "var", 10**6)
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path / "var"}"\n[journal]\nquota = "1MB"\narchive = "{tmp_path / "archive"}"\nkeep_days = 4\n')
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """Standard output of a run."""
    assert code == main(["journal", *words]), capsys.readouterr()
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    """The same as JSON."""
    found: dict[str, Any] = json.loads(said(capsys, *words, "--json", code=code))
    return found


def folder(config: str) -> Path:
    """The journal."""
    return Path(config).parent / "var" / "journal"


def test_info_tells_sizes_seals_and_days(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In words and as JSON the same figures; a torn end set aside is counted."""
    (folder(config) / "mqtt" / "2025-10-12-000000000019-886-0.torn").write_bytes(b"x" * 77)
    found = told(capsys, "info", "--config", config)
    (one,) = found["writers"]

    assert ("mqtt", 24, 48, 4, 3, 0, 0, 77, 0) == tuple(
        one[name] for name in ("writer", "records", "readings", "files", "sealed", "archived", "removed", "set_aside", "lost")
    )
    assert one["sealed_bytes"] / 36 == one["bytes_a_sealed_reading"]
    assert one["bytes"] / 12 == one["bytes_an_open_reading"]
    assert ("", 3) == (one["anchored"], one["unanchored"])
    assert 10**6 - found["used"] == found["free"]
    assert 0 < found["days_until_full"] < 1_000
    words = said(capsys, "info", "--config", config)
    assert [] == [
        part for part in ("读数 readings 48", "残尾 torn ends set aside 77 B", "days until full", "journal.anchor_mail is empty") if part not in words
    ]


def test_seals_are_printed_for_paper(config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What is printed proves the record as well as a mail does."""
    page = said(capsys, "info", "--seals", "--config", config)
    (tmp_path / "page.txt").write_text(page)
    assert 3 == page.count("lanbi-seal 1 ")
    assert 18 == told(capsys, "verify", "--anchors", str(tmp_path / "page.txt"), "--config", config)["writers"][0]["proven"]


def test_verify_says_what_is_proven_and_what_is_not(config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit 0 when sound, 1 when broken; the first broken record is named; a file without seals is wrong input."""
    found = told(capsys, "verify", "--config", config)
    assert (True, 24, 24, 0) == (found["sound"], found["writers"][0]["records"], found["writers"][0]["unproven"], found["writers"][0]["proven"])
    assert "未证实 unproven: 24" in said(capsys, "verify", "--config", config)
    (tmp_path / "none.txt").write_text("nothing")
    assert 2 == main(["journal", "verify", "--anchors", str(tmp_path / "none.txt"), "--config", config])
    capsys.readouterr()
    path = files(folder(config), "mqtt")[3]
    hit = record(folder(config), "mqtt", 21)
    assert hit
    flip(path, path.read_bytes().index(hit.payload))
    broken = said(capsys, "verify", "--config", config, code=1)
    assert "首条损坏 first broken record: mqtt/21" in broken
    assert "不完好 NOT SOUND" in broken


def test_an_anchor_of_a_journal_that_vanished_is_contradicted(config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Removing a writer's folder whole does not make its seals true."""
    (tmp_path / "page.txt").write_text(said(capsys, "info", "--seals", "--config", config))
    shutil.rmtree(folder(config) / "mqtt")
    found = told(capsys, "verify", "--anchors", str(tmp_path / "page.txt"), "--config", config, code=1)
    assert ["the journal has nothing of it"] * 3 == [words.partition(": ")[2] for words in found["writers"][0]["contradictions"]]


def test_export_gives_every_byte_back(config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Records of a range as JSON lines, text as text and bytes as base64; to a file whole or not at all."""
    import base64

    made = everything(folder(config))
    rows = [json.loads(line) for line in said(capsys, "export", "--config", config).splitlines()]
    payloads = [row["payload"].encode() if "payload" in row else base64.b64decode(row["payload_base64"]) for row in rows]
    assert [(one.reference, one.received_ns, one.topic, one.payload) for one in made] == [
        (row["record"], row["received_ns"], row["topic"], payload) for row, payload in zip(rows, payloads, strict=True)
    ]
    assert ["qos1"] == rows[0]["flags"]
    target = tmp_path / "day.jsonl"
    assert "" == said(capsys, "export", "--since", "2025-10-10", "--to", "2025-10-12T00:00:00+08:00", "-o", str(target), "--config", config)
    assert [*range(7, 19)] == [int(json.loads(line)["record"].partition("/")[2]) for line in target.read_text().splitlines()]
    assert [3, 4, 5] == [
        json.loads(line)["received_ns"] - NOON_NS + 1 for line in said(capsys, "export", "--first", "3", "--last", "5", "--config", config).splitlines()
    ]
    for wrong in (("--since", "yesterday"), ("--since", "2025-10-12", "--to", "2025-10-11"), ("--first", "9", "--last", "8")):
        assert 2 == main(["journal", "export", *wrong, "--config", config])
    assert 2 == main(["journal", "export", "-o", str(tmp_path / "none" / "x"), "--config", config])
    assert not list(tmp_path.glob("*.new"))


def test_export_says_what_it_could_not_read(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Damage is told beside the answer, and the exit code is 1."""
    path = files(folder(config), "mqtt")[3]
    flip(path, path.read_bytes().index(everything(folder(config))[20].payload))
    assert 1 == main(["journal", "export", "--config", config])
    out, err = capsys.readouterr()
    assert 23 == len(out.splitlines())
    assert "1 条记录不可读" in err


def test_archived_days_are_read_as_if_they_were_here(config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Moved to the archive with parity and seal; room is free here, the record is whole, and a second run moves nothing."""
    made = everything(folder(config))
    before = told(capsys, "info", "--config", config)["used"]
    found = told(capsys, "archive", "--older-than", "31", "--config", config)
    info = told(capsys, "info", "--config", config)

    assert (3, 0, []) == (found["archived"], found["linked_again"], found["lost"])
    assert before - found["freed"] == info["used"]
    assert (3, 3) == (info["writers"][0]["sealed"], info["writers"][0]["archived"])
    assert made == everything(folder(config))
    assert 9 == len(list((tmp_path / "archive" / "mqtt").iterdir()))
    assert told(capsys, "verify", "--config", config)["sound"]
    assert 0 == told(capsys, "archive", "--config", config)["archived"]


def test_an_archive_that_is_away_is_told_and_found_again_elsewhere(config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Reading says what to mount; under its new place the archive is linked again with one command."""
    made = everything(folder(config))
    told(capsys, "archive", "--config", config)
    (tmp_path / "archive").rename(tmp_path / "moved")
    assert 1 == main(["journal", "export", "--config", config])
    assert "which is not there" in (away := capsys.readouterr().err)
    assert "mount the archive" in away
    assert 3 == len(told(capsys, "archive", "--config", config, code=1)["lost"])
    assert 3 == told(capsys, "archive", "--to", str(tmp_path / "moved"), "--config", config)["linked_again"]
    assert made == everything(folder(config))


def test_prune_removes_only_with_yes_and_a_person(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --yes it is only told; removed days leave seal and record, archived ones too."""
    told(capsys, "archive", "--config", config)
    assert 3 == len(told(capsys, "prune", "--config", config)["removable"])
    assert 24 == len(everything(folder(config)))
    assert 2 == main(["journal", "prune", "--yes", "--config", config])
    capsys.readouterr()
    found = told(capsys, "prune", "--yes", "--person", "王芳", "--config", config)

    assert 3 == len(found["removed"])
    assert [*range(19, 25)] == [one.seq for one in everything(folder(config))]
    assert ["王芳"] * 3 == [json.loads(one.payload)["user"] for one in everything(folder(config), "person")]
    assert 3 == told(capsys, "info", "--config", config)["writers"][0]["removed"]
    assert told(capsys, "verify", "--config", config)["sound"]
    assert not list((Path(config).parent / "archive" / "mqtt").glob("*.gz"))


def test_keep_seals_now(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand what ingest does by itself; a fault of it is told with exit code 1."""
    assert (1, []) == ((found := told(capsys, "keep", "--config", config))["sealed"], found["faults"])
    path = files(folder(config), "mqtt")[3]
    assert all(one.exists() for one in (sealed_path(path), parity_path(path), seal_path(path)))
    with Path(config).open("a") as file:
        file.write('anchor_mail = ["a@example.cn"]\n[mail]\nurl = "smtp://127.0.0.1:9"\n')
    assert "未成 failed" in said(capsys, "keep", "--config", config, code=1)


def test_a_wrong_folder_is_wrong_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped path does not read as an empty journal."""
    (tmp_path / "lanbi.toml").write_text(f'data = "{tmp_path / "none"}"\n')
    for verb in ("info", "verify", "export", "archive", "prune", "keep"):
        assert 2 == main(["journal", verb, "--config", str(tmp_path / "lanbi.toml")])
        assert "no such data folder" in capsys.readouterr().err


def test_a_bar_shows_on_a_terminal_only(config: str) -> None:
    """Verify is silent on standard error in a pipe."""
    command = [sys.executable, "-m", "lanbi", "journal", "verify", "--config", config]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert (0, "") == (done.returncode, done.stderr)
    assert "完好 sound" in done.stdout

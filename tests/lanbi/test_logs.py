"""Logs: an id an event, text or JSON, few lines a minute and the rest counted, no secret in any of them."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import SettingsError
from lanbi import logs
from lanbi.logs import EVENTS, Log
from lanbi.processes import free
from lanbi.secret import HIDDEN, read_secret
from lanbi.settings import load
from tests.lanbi.figures_house import Hand

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_790_000_000
SEEDED = "s33ded/secret+0815"


def log(form: str = "json", lines: int = 20) -> tuple[Log, io.StringIO, Hand]:
    """A log into memory, with a clock in the hand."""
    out, clock = io.StringIO(), Hand(NOW)
    return Log(clock, lambda: out, form, "ingest", lines), out, clock


def rows(out: io.StringIO) -> list[dict[str, object]]:
    """What came out, as objects."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_json_line_is_one_object_with_its_id() -> None:
    """Time with offset, level, event, program, process, text and the event's own fields; line ends stay inside."""
    one, out, _ = log()
    one.tell("store.down", "存储 store: down:\nno answer", state="down")

    (row,) = rows(out)
    assert ["2026-09-21T22:13:20+08:00", "warning", "store.down", "ingest", os.getpid(), "存储 store: down:\nno answer", "down"] == list(row.values())
    assert ["time", "level", "event", "program", "pid", "text", "state"] == list(row)


def test_a_text_line_names_time_program_and_event() -> None:
    """The same event for people."""
    one, out, _ = log("text")
    one.tell("ingest.ready", "就绪 ready")

    assert "2026-09-21T22:13:20+08:00 ingest ingest.ready: 就绪 ready\n" == out.getvalue()


def test_what_a_minute_holds_back_is_counted_and_said() -> None:
    """Three of ten lines come out; another event is not held back with it; the count follows when the minute is over, once."""
    one, out, clock = log(lines=3)
    for number in range(10):
        one.tell("notifier.again", str(number))
    one.tell("store.down", "down")
    assert ["0", "1", "2", "down"] == [row["text"] for row in rows(out)]

    clock.sleep(logs.MINUTE_S)
    one.tell("notifier.again", "10")

    *_, held, last = rows(out)
    assert ("log.held", "notifier.again", 7) == (held["event"], held["of"], held["held"])
    assert "10" == last["text"]
    clock.sleep(logs.MINUTE_S)
    one.turn()
    assert 1 == sum(row["event"] == "log.held" for row in rows(out))


def test_the_end_of_a_program_says_what_is_still_held_back() -> None:
    """Nothing is dropped without a count, also where no minute goes by."""
    one, out, _ = log(lines=1)
    for _ in range(5):
        one.tell("store.up", "ok")
    one.turn(over=True)

    assert 4 == rows(out)[-1]["held"]


def test_an_event_without_an_id_is_a_defect() -> None:
    """Every line can be counted on."""
    with pytest.raises(KeyError):
        log()[0].tell("something.else", "x")


@pytest.mark.parametrize("form", logs.FORMATS)
def test_no_secret_comes_out(tmp_path: Path, form: str) -> None:
    """What was read from a secret's file is masked in text and fields, plain and as an address spells it."""
    file = tmp_path / "token"
    file.write_text(f"{SEEDED}\n", encoding="utf-8")
    read_secret(file, "store.token_file")
    one, out, _ = log(form)
    one.tell("library.said", f"GET /?u=a&p=s33ded%2Fsecret%2B0815 -> 401 for {SEEDED}", header=f"Token {SEEDED}")

    assert "s33ded" not in out.getvalue()
    assert HIDDEN in out.getvalue()


def test_the_page_has_every_event() -> None:
    """docs/logs.md lists ids, levels and words as the code has them."""
    page = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")

    assert [f"| `{name}` | {one.level} | {one.zh} | {one.en} |" for name, one in EVENTS.items()] == re.findall(r"^\| `[a-z0-9.]+`.*$", page, re.MULTILINE)


def test_every_event_is_told_somewhere_and_has_words() -> None:
    """No id without a line of code that says it, none said that is not listed."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lanbi").rglob("*.py") if path.name != "logs.py")
    own = (ROOT / "lanbi" / "logs.py").read_text(encoding="utf-8").partition("class _Minute")[2]
    written = set(re.findall(r'"([a-z0-9]+\.[a-z]+)"', code + own))
    told = set(re.findall(r'tell(?:\(|, )"([a-z0-9]+\.[a-z]+)"', code + own))

    assert set(EVENTS) == written & set(EVENTS)
    assert told <= set(EVENTS)
    assert all(one.zh and one.en and one.level in logs.PRIORITY for one in EVENTS.values())


@pytest.mark.parametrize("text", ['format = "xml"', "lines = 0", "rate = 3"])
def test_wrong_settings_are_told(tmp_path: Path, text: str) -> None:
    """Another format, no lines, an unknown key."""
    (tmp_path / "lanbi.toml").write_text(f"[log]\n{text}\n")
    with pytest.raises(SettingsError, match=r"log\.|unknown key 'rate'"):
        load(str(tmp_path / "lanbi.toml"), {})


def settings(folder: Path) -> Path:
    """A service without a broker to reach."""
    file, secret = folder / "lanbi.toml", folder / "broker-password"
    secret.write_text(SEEDED)
    secret.chmod(0o600)
    text = f'data = "{folder / "var"}"\n[broker]\nurl = "mqtt://127.0.0.1:{free()}"\npassword_file = "{secret}"\n'
    file.write_text(f'{text}[ingest]\nhealth = "127.0.0.1:{free()}"\n[log]\nformat = "json"\n')
    return file


def test_a_real_ingest_speaks_json_and_no_secret(tmp_path: Path) -> None:
    """Every line of the process is an object with a listed event; an unreachable broker is told, its password is not."""
    process = subprocess.Popen([sys.executable, "-m", "lanbi", "ingest", "--no-health", "--config", str(settings(tmp_path))], stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        first = json.loads(process.stderr.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)

    assert ("ingest.unready", "ingest", process.pid) == (first["event"], first["program"], first["pid"])
    assert all(json.loads(line)["event"] in EVENTS for line in rest.splitlines())
    assert SEEDED not in json.dumps(first) + rest


def test_why_a_program_ends_is_an_event_too(tmp_path: Path) -> None:
    """The last line of an ingest that another one shuts out is `program.failed` with what to do."""
    file = settings(tmp_path)
    code = (
        "import sys; from lanbi import logs; from lanbi.cli import main; from pathlib import Path; from lanbi.journal import JournalWriter;"
        f"w = JournalWriter(Path({str(tmp_path / 'var' / 'journal')!r}), 'mqtt'); sys.exit(main(['ingest', '--no-health', '--config', {str(file)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    last = json.loads(done.stderr.splitlines()[-1])
    assert ("program.failed", "error", True) == (last["event"], last["level"], bool(last["do"]))
    assert 0 != done.returncode


def test_a_defect_is_told_with_where_it_stood() -> None:
    """An exception that nobody expected, in the main thread or another, is one event with its stack."""
    code = (
        "import logging, threading\nfrom lanbi import logs\nfrom lanbi.settings_sections import LogSettings\n"
        "with logs.speaking(LogSettings('json', 20), 'x'):\n"
        "    t = threading.Thread(target=lambda: 1 / 0)\n    t.start()\n    t.join()\n    logging.getLogger('lib').warning('hm %s', 3)\n    {}['no']\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert 1 == done.returncode
    assert ["program.crashed", "library.said", "program.crashed"] == [row["event"] for row in found]
    assert "ZeroDivisionError" in found[0]["stack"] and "lib: hm 3" == found[1]["text"] and "KeyError" in found[2]["stack"]


def test_under_systemd_a_line_begins_with_its_priority(tmp_path: Path) -> None:
    """Only where standard error is the stream that systemd names: anywhere else the mark would stand in the line."""
    code = "from lanbi import logs; logs.tell('store.down', 'x')"
    with (tmp_path / "log").open("wb") as out:
        about = os.fstat(out.fileno())
        for named in (f"{about.st_dev}:{about.st_ino}", "1:2"):
            subprocess.run([sys.executable, "-c", code], stderr=out, env=os.environ | {"JOURNAL_STREAM": named}, check=True, timeout=60)

    marked, plain = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert marked.startswith("<4>2") and plain.startswith("2")

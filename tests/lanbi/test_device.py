"""``lanbi device``: registered on trial, looked at, accepted, given a new password, retired."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.civil import date_of, day_of, iso, parse_date
from domain.errors import InputError
from lanbi import wiring
from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.device_text import with_state
from lanbi.device_trial import Trial
from lanbi.journal import JournalWriter
from lanbi.registry import loads
from lanbi.settings import load
from tests.ingest.decoders.foreign_house import HOUR, NS, PLACES, Message, device, house
from tests.lanbi.ingest_house import ROOT

PLATE = 'unit = "kWh"\nmax_power = "500"'
COUNTY = "# 注释留下 a remark that stays\n" + PLACES.replace('unit = "kWh"', PLATE) + device('["a2"]', "", "old")


class Desk:
    """A folder with settings, and the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config, self.capsys, self.folder = folder / "lanbi.toml", capsys, folder
        (folder / "county.toml").write_text(COUNTY, encoding="utf-8")
        lines = [f"data = {json.dumps(str(folder / 'var'))}", f"county = {json.dumps(str(folder / 'county.toml'))}"]
        lines += [f"targets = [{json.dumps(str(ROOT / 'plans' / 'chiping.toml'))}]", "[broker]", f"folder = {json.dumps(str(folder / 'broker'))}"]
        self.config.write_text("\n".join(lines), encoding="utf-8")

    def __call__(self, *words: str) -> tuple[int, str]:
        """Exit code and what was said."""
        code = main(["device", *words, "--config", str(self.config)])
        said = self.capsys.readouterr()
        return code, said.out + said.err

    @property
    def text(self) -> str:
        """The registry in force."""
        return (self.folder / "var" / "registry" / "current.toml").read_text(encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A desk."""
    return Desk(tmp_path, capsys)


ADD = ("add", "logger", "--source", "o1", "--interval", "3600", "--format", "hj212", "--name", "88888880000001=o1", "--peer", "10.8.0.0/16")


def test_a_device_is_added_on_trial(desk: Desk) -> None:
    """In the registry with all else as it was, with a password of its own and its line in the access list."""
    code, said = desk(*ADD, "--person", "王工", "--no-reload")
    registry = wiring.registry(load(str(desk.config), {}))
    logger = registry.devices["logger"]

    assert 0 == code
    assert ("trial", {"88888880000001": "o1"}, ("10.8.0.0/16",)) == (logger.state.newest, logger.names, logger.peers)
    assert desk.text.startswith(COUNTY.rstrip())
    assert "topic write lanbi/v1/logger/data" in (desk.folder / "broker" / "acl").read_text()
    secret = desk.folder / "var" / "secrets" / "devices" / "logger"
    assert len(secret.read_text().strip()) > 20
    assert str(secret) in said
    assert "lanbi device test logger" in said


def test_accepted_and_retired_from_a_day_on(desk: Desk) -> None:
    """What was before that day stays, and every change is a journal record with its person."""
    desk(*ADD, "--person", "王工", "--no-reload")
    days = [day_of(SystemClock().now_ns() // NS) + ahead for ahead in (3, 200)]
    first, last = (date_of(day).isoformat() for day in days)
    assert 0 == desk("accept", "logger", "--from", first, "--person", "王工", "--document", "验收单 7")[0]
    code, said = desk("retire", "logger", "--from", last, "--person", "李工")
    logger = wiring.registry(load(str(desk.config), {})).devices["logger"]

    assert (0, True) == (code, f"（{last} 当天）on that day: lanbi broker acl" in said)
    assert ["trial", "accepted", "retired"] == [word for _, word in logger.state.steps]
    assert days == [first for first, _ in logger.state.steps[1:]]
    assert "# 注释留下" in desk.text
    assert 'id = "old"\nsources = ["a2"]\ninterval = 3600\nstate = "accepted"' in desk.text


def test_a_device_takes_the_place_of_a_retired_one(desk: Desk) -> None:
    """From a day on; without it both would speak for the place in the past, which is refused with what to do."""
    new = ("add", "new", "--source", "a2", "--interval", "3600", "--person", "王工", "--no-reload")
    desk("retire", "old", "--from", "2026-12-01", "--person", "王工")

    assert (2, True) == ((told := desk(*new))[0], "both speak for 'a2'" in told[1])
    assert 0 == desk(*new, "--from", "2026-12-01")[0]
    sources = wiring.registry(load(str(desk.config), {})).devices["new"].sources
    assert [None, ["a2"]] == [list(found) if (found := sources.on(parse_date(day))) else None for day in ("2026-11-30", "2026-12-01")]


def test_a_new_password_is_another_one(desk: Desk) -> None:
    """And the hash that the broker knows changes with it."""
    desk(*ADD, "--person", "王工", "--no-reload")
    path, hashes = desk.folder / "var" / "secrets" / "devices" / "logger", desk.folder / "broker" / "passwd"
    before = path.read_text(), hashes.read_text()
    assert 0 == desk("rotate", "logger", "--no-reload")[0]

    assert path.read_text() != before[0]
    assert hashes.read_text() != before[1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("accept", "nobody", "--person", "x"), 2, "no device 'nobody'"),
        (("accept", "old", "--person", "x", "--from", "soon"), 2, "not a date"),
        (("add", "old", "--source", "a1", "--interval", "60", "--person", "x"), 2, "registered already"),
        (("add", "new", "--source", "zz", "--interval", "60", "--person", "x"), 2, "not registered"),
        (("add", "new", "--source", "a1", "--interval", "60", "--person", "x", "--name", "alone"), 2, "not FOREIGN=ID"),
        (("add", "new", "--source", "a1", "--interval", "60", "--person", "x", "--format", "senml"), 2, "did you mean"),
        (("test", "old", "--hours", "0"), 2, "at least one hour"),
        (("test", "old"), 2, ""),
    ],
)
def test_wrong_words_change_nothing(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    """Exit code 2 and plain words; no registry is in force afterwards."""
    got, told = desk(*words)

    assert code == got
    assert said in told
    assert not (desk.folder / "var" / "registry" / "current.toml").exists()


def test_a_state_that_is_no_line_of_its_own_is_left_alone() -> None:
    """Rather than guessed at."""
    text = '[[device]]\nid = "d"\nsources = ["a1"]\ninterval = 60\nstate = [\n{from = "2026-01-01", value = "trial"}]\n'
    with pytest.raises(InputError, match="no line of its own"):
        with_state(text, house(device(name="d")).devices["d"], 21_000, "accepted")


# ---- the checks


def native(at: int, values: dict[str, float], *, seq: int | None = None, span: int = 3600) -> bytes:
    """A native message."""
    body = {"time": iso(at), "span": span, "values": values, **({} if seq is None else {"seq": seq})}
    return json.dumps(body).encode()


def trial(messages: list[tuple[bytes, int]], sources: str = '["a1"]', more: str = "") -> dict[str, tuple[bool | None, str]]:
    """Checks by their English names, of (payload, receive time)."""
    registry = loads(PLACES.replace('unit = "kWh"', PLATE) + device(sources, more), "trial.toml")
    one = Trial(registry, registry.devices["d1"])
    for payload, received in messages:
        one.see(Message(payload, received_ns=received * NS))
        one.see(Message(payload, "lanbi/v1/other/data", received * NS))
    return {check.en: (check.good, check.seen) for check in one.checks()}


def hours(change: Callable[[int], tuple[dict[str, float], int, int | None]], count: int = 12) -> list[tuple[bytes, int]]:
    """Hour messages: of each its values, its delay [s] and its number."""
    found = []
    for number in range(count):
        values, delay, seq = change(number)
        found.append((native(HOUR + 3600 * number, values, seq=seq), HOUR + 3600 * number + delay))
    return found


def test_a_good_device_passes() -> None:
    """Numbers without a hole, on time, one hour sent again after a cut."""
    good = hours(lambda number: ({"pm25": 40.0 + number, "co": 0.8}, 30, number))
    checks = trial([*good, (good[3][0], good[3][1] + 7_300)])

    assert {} == {name: found for name, found in checks.items() if found[0] is not True}
    assert "12" in checks["received"][1] or "13" in checks["received"][1]


@pytest.mark.parametrize(
    ("check", "messages", "more", "words"),
    [
        ("clock and zone", hours(lambda _: ({"pm25": 40.0}, 8 * 3600 + 20, None)), "", "off by 8 h"),
        ("label", hours(lambda _: ({"pm25": 40.0}, 3_620, None)), "", "labels of the start"),
        ("unit", hours(lambda number: ({"pm25": 0.04 + number / 1000}, 30, None)), "", "mg/m³?"),
        ("sequence and receipts", hours(lambda number: ({"pm25": 40.0}, 30, number * 2)), "", "missing 11"),
        ("content", hours(lambda _: ({"pm25": 40.0, "xx": 1.0}, 30, None)), "", "unknown-item 12"),
        ("identity", [(native(HOUR, {"pm25": 1.0})[:-1] + b',"source":"w1"}', HOUR)], "", "1 条被拒"),
    ],
)
def test_what_is_wrong_is_told(check: str, messages: list[tuple[bytes, int]], more: str, words: str) -> None:
    """Each by its own check, in words that say what to look at."""
    good, seen = trial(messages, more=more)[check]

    assert good is False
    assert words in seen


@pytest.mark.parametrize(("step", "good"), [(100.0, True), (600.0, False), (-1.0, False)])
def test_registers_are_held_against_the_nameplate(step: float, good: bool) -> None:  # noqa: FBT001
    """500 kW at most, and never downwards."""
    messages = [(native(HOUR + 3600 * number, {"register": 10_000 + step * number}, span=0), HOUR + 3600 * number + 5) for number in range(4)]

    assert good is trial(messages, '["m1"]')["register m1"][0]


def test_without_messages_nothing_is_claimed() -> None:
    """Unknown is neither good nor bad."""
    assert {None} == {good for good, _ in trial([]).values()}


def test_the_command_reads_the_journal(desk: Desk) -> None:
    """Exit code 0 if it is ready, 1 if not; machine-readable too."""
    settings = load(str(desk.config), {})
    now = wiring.clock(settings).now_ns()
    writer = JournalWriter(settings.data / "journal", "mqtt")
    writer.append("lanbi/v1/old/data", native(now // NS - 10, {"pm25": 33.0}, seq=1, span=0), received_ns=now - NS)
    writer.commit()
    code, said = desk("test", "old", "--json")
    writer.append("lanbi/v1/old/data", b"rubbish", received_ns=now - NS)
    writer.commit()
    writer.close()

    assert (0, True) == (code, json.loads(said)["ready"])
    assert (1, "不通过 BAD  内容 content: bad-json 1") == (
        desk("test", "old")[0],
        next(line for line in desk("test", "old")[1].splitlines() if "content" in line),
    )

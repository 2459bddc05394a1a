"""`lanbi import`: from files through journal and forwarder to the store, with an account that adds up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from domain.civil import parse_time
from domain.errors import WorkError
from lanbi import wiring
from lanbi.clock import SystemClock
from lanbi.formats.survey import survey
from lanbi.journal import JournalWriter, newest_trailer
from lanbi.settings import load
from lanbi.state import State, StateView
from tests.lanbi.import_house import COUNTY, DAILY, HOURLY, ROOT, House, build


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house with one city and one station."""
    return build(tmp_path, monkeypatch, capsys)


def test_the_account_adds_up_and_a_second_import_changes_nothing(house: House) -> None:
    """Rows are stored once, repeated rows and a repeated file are duplicates, empty rows are no readings."""
    file = house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n1001A,2020-01-01 02:00,0,\ns1,2020-01-01 01:00,35,51\ns1,2020-01-01 03:00,,\n")

    assert [4, 2, 1, 0, 0, 1] == house.terms(file)
    assert [4, 0, 3, 0, 0, 1] == house.terms(file)
    assert {"pm25": 35.0, "o3": 51.0} == house.values("s1", "2020-01-01T01:00:00+08:00")
    assert {"pm25": 0.0} == house.values("s1", "2020-01-01T02:00:00+08:00")


def test_the_account_in_words_says_the_same(house: House) -> None:
    """Chinese first, one line that can be checked by adding."""
    code, out, _ = house.run(house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n甲站,2020-01-01 01:00,35,51\n"))

    assert 0 == code
    assert "读取 read 2 = 入库 stored 1 + 重复 duplicate 0 + 死信 dead-letter 1 + 待审 quarantined 0 + 空行 empty 0" in out
    assert "unknown-source 1" in out and "--propose" in out


def test_what_the_registry_did_not_know_is_stored_once_it_does(house: House) -> None:
    """A name is no key (other cities have the same): dead letter, duplicate when repeated, stored after registration."""
    file = house.file(HOURLY + "甲站,2020-01-01 01:00,35,51\n乙站,2020-01-01 01:00,36,52\n")

    first = house.account(file)
    assert (2, {"deadletter:unknown-source": 2}, ["甲站", "乙站"]) == (first["deadletter"], first["reasons"], first["unknown"])
    assert [2, 0, 2, 0, 0, 0] == house.terms(file)
    (house.folder / "county.toml").write_text(COUNTY.replace('"1001A"', '"1001A", "乙站"'), encoding="utf-8")
    assert [2, 1, 1, 0, 0, 0] == house.terms(file)
    assert {"pm25": 36.0, "o3": 52.0} == house.values("s1", "2020-01-01T01:00:00+08:00")


def test_of_two_values_in_one_file_the_later_stands_for_good(house: House) -> None:
    """The earlier stays as history; importing the file again neither stores nor flips anything."""
    file = house.file(HOURLY + "s1,2020-01-01 01:00,35,51\ns1,2020-01-01 01:00,36,51\n")

    assert [2, 2, 0, 0, 0, 0] == house.terms(file)
    assert [2, 0, 2, 0, 0, 0] == house.terms(file)
    assert {"pm25": 36.0, "o3": 51.0} == house.values("s1", "2020-01-01T01:00:00+08:00")


def test_an_older_file_imported_again_takes_nothing_back(house: House) -> None:
    """A correction in a newer file stands, whatever is repeated after it, also under another name."""
    old, new = HOURLY + "s1,2020-01-01 01:00,35,51\n", HOURLY + "s1,2020-01-01 01:00,40,51\n"
    assert [1, 1, 0, 0, 0, 0] == house.terms(house.file(old, "old.csv"))
    assert [1, 1, 0, 0, 0, 0] == house.terms(house.file(new, "new.csv"))

    assert [1, 0, 1, 0, 0, 0] == house.terms(house.file(old, "copy.csv"))
    assert {"pm25": 40.0, "o3": 51.0} == house.values("s1", "2020-01-01T01:00:00+08:00")


class Back(SystemClock):
    """A clock that was set back by a day."""

    def now_ns(self) -> int:
        """Yesterday."""
        return super().now_ns() - 86_400 * 10**9


def test_a_later_file_stands_also_after_the_clock_was_set_back(house: House) -> None:
    """Whose number is its receipt must not rank below what was imported before; nor may two later ones share a number."""
    house.account(house.file(HOURLY + "s1,2020-01-01 01:00,35,51\ns1,2020-01-01 01:00,36,51\n", "first.csv"))
    for value in (40, 41):
        account = house.importer(Back()).run(survey([house.file(HOURLY + f"s1,2020-01-01 01:00,{value},51\n", f"{value}.csv")]))
        assert (1, {"pm25": float(value), "o3": 51.0}) == (account.outcomes["stored"], house.values("s1", "2020-01-01T01:00:00+08:00"))


def test_values_out_of_range_and_of_the_future_are_told_apart(house: House) -> None:
    """An impossible item costs only itself, an impossible row is a dead letter, a future one waits for a person."""
    text = "s1,2020-01-01 01:00,35,9999\ns1,2020-01-01 02:00,99999,\ns1,2098-01-01 01:00,35,51\n"
    found = house.account(house.file(HOURLY + text))

    assert (1, 1, 1) == (found["stored"], found["deadletter"], found["quarantined"])
    refused = {"deadletter:value-out-of-range": 1, "quarantined:future-time": 1, "items_refused:value-out-of-range": 2}
    assert refused == found["reasons"]
    assert {"pm25": 35.0} == house.values("s1", "2020-01-01T01:00:00+08:00")


def test_a_section_s_row_is_not_stored_at_a_station_of_that_name(house: House) -> None:
    """A place of another kind is not the row's, however alike the names are."""
    found = house.account(house.file("section,time,temp,ph,do,codmn,nh3n,tp,tn\ns1,2020-01-01T08:00:00,21,7,8,3,0.2,0.1,1\n"))

    assert {"deadletter:unknown-source": 1} == found["reasons"]


def test_a_daily_row_keeps_the_published_index_beside_it_once(house: House) -> None:
    """The reading stands for the whole day; the AQI is evidence of its own and never doubled."""
    file = house.file(DAILY + "济南,2017-05-05,222,重度污染,0,0,12,0.7,43,110\n")

    assert 1 == house.account(file)["published"]
    assert 0 == house.account(file)["published"]
    assert {"so2": 12.0, "co": 0.7, "no2": 43.0, "o3_8h": 110.0} == house.values("jn", "2017-05-06T00:00:00+08:00", 86_400)
    (body,) = house.entries("published")
    assert ("jn", "aqi", "day", "2017-05-05", 222, "重度污染") == tuple(body[name] for name in ("scope", "figure", "period", "date", "value", "level"))


def test_rows_that_contradict_each_other_are_told(house: House) -> None:
    """An hour twice with two values: the later row stands, the earlier is history, and the account says so."""
    file = house.file(HOURLY + "s1,2020-01-01 01:00,35,51\ns1,2020-01-01 01:00,36,51\ns1,2020-01-01 02:00,40,\n")

    assert 1 == house.account(file)["contradicting"]
    assert {"pm25": 36.0, "o3": 51.0} == house.values("s1", "2020-01-01T01:00:00+08:00")
    assert "contradict an earlier one of their file: 1" in house.run(file)[1]


def test_units_and_codes_are_refused_with_a_reason(house: House) -> None:
    """A row in mg/m³ is a dead letter, a 9999 costs its item; both reasons stand in the account, and the neighbours count."""
    header = "site,time,pm25,pm10,so2,no2,o3\n"
    found = house.account(house.file(header + "s1,2020-01-01 01:00,0.035,0.06,0.008,0.03,0.09\ns1,2020-01-01 02:00,35,9999,8,30,90\n"))

    assert (1, 1) == (found["stored"], found["deadletter"])
    assert {"deadletter:unit-mismatch": 1, "items_refused:value-out-of-range": 1} == found["reasons"]
    assert "pm10" not in house.values("s1", "2020-01-01T02:00:00+08:00")


def test_reported_values_are_entered_with_who_answers_for_them(house: House) -> None:
    """Once, and only for targets of the plans."""
    target = wiring.plans(load(None, house.env))[0].targets[0].id
    text = f"target,period,value,document,person\n{target},2024,12.5,文件1,王工\n"
    file = house.file(text, "r.csv")

    assert [1, 1, 0, 0, 0, 0] == house.terms(file)
    assert [1, 0, 1, 0, 0, 0] == house.terms(file)
    (body,) = house.entries("reported")
    assert (target, "2024", "12.5", "文件1", "王工") == tuple(body[name] for name in ("target", "period", "value", "document", "user"))
    code, _, err = house.run(house.file(text.replace(target, "no-such-target"), "bad.csv"))
    assert 2 == code and "line 2, column target" in err


def test_formats_may_be_mixed_in_one_run(house: House) -> None:
    """Each file is recognised by its own header."""
    found = house.account(
        house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n", "h.csv"), house.file(DAILY + "济南,2016-01-01,144,,110,172,49,1.2,40,81\n", "d.csv")
    )

    assert ["lanbi-csv", "city-daily"] == [file["format"] for file in found["files"]]
    assert 2 == found["stored"]


def test_a_proposal_makes_every_place_importable_and_stores_nothing(house: House) -> None:
    """It begins with the registry in force, grows with the next file, and is the same when repeated."""
    names = "区政府\u3000,2020-01-01 01:00,1\n跑马山(对照点),2020-01-01 01:00,2\n二轻机（已停运）,2020-01-01 01:00,\ns1,2020-01-01 01:00,3\n"
    file = house.file("site,time,pm25\n" + names)
    other = house.file(DAILY + "聊城,2016-01-01,144,,110,172,49,1.2,40,81\n", "d.csv")
    new = house.folder / "new.toml"

    assert 0 == house.run(file, "--propose", str(new))[0]
    assert 0 == house.run(other, "--propose", str(new))[0]
    text = new.read_text(encoding="utf-8")
    assert 0 == house.run(file, other, "--propose", str(new))[0]
    assert text == new.read_text(encoding="utf-8")
    assert not (house.folder / "var").exists()
    assert text.startswith(COUNTY.rstrip("\n"))
    assert (3, 1) == (text.count("请核对 review"), text.count('role = "background"'))
    new.replace(house.folder / "county.toml")
    assert [5, 4, 0, 0, 0, 1] == house.terms(file, other)


def test_without_any_registry_a_proposal_is_where_one_begins(house: House) -> None:
    """A new county has no registry; an invalid one is told and left alone."""
    (house.folder / "county.toml").unlink()
    file = house.file(HOURLY + "1625A,2020-01-01 01:00,35,51\n")
    assert 0 == house.run(file, "--propose", "county.toml")[0]
    assert [1, 1, 0, 0, 0, 0] == house.terms(file)

    house.file("[[air_station]]\nid = 'x'\n", "bad.toml")
    code, _, err = house.run(file, "--propose", "bad.toml")
    assert 2 == code and "bad.toml" in err
    (house.folder / "bytes.toml").write_bytes(b"\xff\xfe")
    (house.folder / "folder.toml").mkdir()
    for name in ("bytes.toml", "folder.toml"):
        code, _, err = house.run(file, "--propose", name)
        assert 2 == code and name in err
    assert "[[air_station]]\nid = 'x'\n" == (house.folder / "bad.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ((), HOURLY + "s1,2020-01-01 01:00,x,51\n", "line 2, column pm25"),
        ((), HOURLY + "s1,2020-01-01,1,51\ns1,20,1,5\n", "line 3, column time"),
        ((), "a,b\n1,2\n", "fits no format"),
        (("--format", "prsa"), HOURLY, "no column"),
        (("--format", "nonsense"), HOURLY, "unknown format"),
        (("missing.csv",), HOURLY, "no such file"),
    ],
)
def test_wrong_input_is_one_message_and_changes_nothing(house: House, words: tuple[str, ...], text: str, said: str) -> None:
    """Exit 2, no traceback, no data folder, also where other files were good."""
    good = house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n", "good.csv")
    code, out, err = house.run(good, house.file(text), *words)

    assert (2, "") == (code, out)
    assert said in err and "Traceback" not in err
    assert not (house.folder / "var").exists()


def test_an_unreadable_registry_is_told(house: House) -> None:
    """Exit 2 with the registry's line."""
    (house.folder / "county.toml").write_text("[county\n", encoding="utf-8")
    code, _, err = house.run(house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n"))

    assert 2 == code and "county.toml:1" in err


def test_a_second_import_beside_a_running_one_is_refused(house: House) -> None:
    """Exit 1 and a word on who is in the way."""
    writer = JournalWriter(house.folder / "var" / "journal", "import")
    try:
        code, _, err = house.run(house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n"))
    finally:
        writer.close()

    assert 1 == code and "another lanbi" in err


class Held(SystemClock):
    """Another process forwards; it gives up after a few of our pauses, or never."""

    def __init__(self, state: State | None) -> None:
        self.state = state
        self.pauses = 0

    def sleep(self, seconds: float) -> None:
        """A pause in which the other process may end."""
        self.pauses += 1
        if self.state is not None and self.pauses == 3:
            self.state.close()

    def monotonic(self) -> float:
        """Half a minute a pause."""
        return 30.0 * self.pauses if self.state is None else 0.0


def test_while_an_ingest_runs_the_import_waits_for_it(house: House) -> None:
    """The readings are journalled; whoever holds the state forwards them."""
    found = survey([house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n")])
    clock = Held(State(house.folder / "var"))
    account = house.importer(clock).run(found)

    assert (3, 1, True) == (clock.pauses, account.outcomes["stored"], account.balanced)


def test_an_ingest_that_stands_still_is_told_and_nothing_is_lost(house: House) -> None:
    """After a minute without progress the import ends; its readings follow later."""
    file = house.file(HOURLY + "s1,2020-01-01 01:00,35,51\n")
    state = State(house.folder / "var")
    try:
        with pytest.raises(WorkError, match="safe in the journal"):
            house.importer(Held(None)).run(survey([file]))
    finally:
        state.close()

    assert [1, 0, 1, 0, 0, 0] == house.terms(file)
    assert {"pm25": 35.0, "o3": 51.0} == house.values("s1", "2020-01-01T01:00:00+08:00")


def many(house: House, rows: int) -> str:
    """A file of many hours."""
    start = parse_time("2005-01-01T00:00:00+08:00")
    lines = (f"s1,{file_time(start + 3600 * number)},{number % 500},{number % 300}" for number in range(rows))
    return house.file(HOURLY + "\n".join(lines) + "\n", "many.csv")


def file_time(instant: int) -> str:
    """A time as files write it."""
    from domain.civil import iso

    return iso(instant)[:16]


@pytest.mark.parametrize("patience", [0, 7, 13, 16])
def test_an_interruption_anywhere_leaves_whole_groups_and_can_be_gone_on_with(house: House, patience: int) -> None:
    """Whatever was journalled is whole; the same command again stores the rest, and the law of conservation holds."""
    found = survey([many(house, 12_000)])
    importer, left = house.importer(), [patience]

    def stop() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    importer.stop = stop
    with pytest.raises(KeyboardInterrupt):
        importer.run(found)
    account = house.importer().run(found)

    assert account.balanced
    view = StateView(house.folder / "var")
    law = view.conservation()
    view.close()
    assert (12_000, 0) == (law["stored"], law["pending"])
    assert law["received"] == law["stored"] + law["duplicate"]


def test_ctrl_c_ends_with_130_and_a_word_on_how_to_go_on(house: House) -> None:
    """The real program, interrupted once its journal has begun."""
    file = many(house, 60_000)
    begun = subprocess.Popen([sys.executable, "-m", "lanbi", "import", file], env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    journal = house.folder / "var" / "journal"
    while begun.poll() is None and not newest_trailer(journal, "import").records:
        pass
    begun.send_signal(signal.SIGINT)
    _, err = begun.communicate(timeout=60)

    assert 130 == begun.returncode
    assert "Run the same command again" in err and "Traceback" not in err
    assert 60_000 == house.account(file)["read"]


def test_names_of_any_length_make_no_record_too_large(house: House) -> None:
    """A record is split before it becomes a message that accept would refuse as oversize."""
    text = "".join(f"{'名' * 400}{number},2020-01-01 01:00,1,\n" for number in range(120))
    found = house.account(house.file(HOURLY + text))

    assert {"deadletter:unknown-source": 120} == found["reasons"]

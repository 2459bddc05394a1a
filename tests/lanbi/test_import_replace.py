"""`lanbi import --replace`: readings that a person lets stand above those of devices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.civil import parse_time
from domain.message import Message, encode
from domain.readings import RANK_REPLACE, revision
from lanbi import wiring
from lanbi.clock import SystemClock
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter
from lanbi.settings import load
from tests.lanbi.import_house import COUNTY, HOURLY, House, build

AT = "2026-01-01T01:00:00+08:00"
DEVICE = '[[device]]\nid = "d1"\nsources = ["s1"]\nformat = "lanbi-json"\ninterval = 3600\nstate = "accepted"\n'
WHO = ("--person", "王五", "--document", "审核单 12 号")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house whose station has a device."""
    found = build(tmp_path, monkeypatch, capsys)
    (tmp_path / "county.toml").write_text(COUNTY + DEVICE, encoding="utf-8")
    return found


def says(house: House, seq: int, **values: float) -> None:
    """The device says this of the hour, and it is forwarded."""
    settings = load(None, house.env)
    writer = JournalWriter(settings.data / "journal", "mqtt")
    payload = encode(Message(parse_time(AT), 3600, values, seq=seq))
    writer.append("lanbi/v1/d1/data", payload, received_ns=(parse_time(AT) + 60 + seq) * 10**9, readings=1)
    writer.commit()
    writer.close()
    forward(settings, wiring.registry(settings), "mqtt")


def stored(house: House) -> tuple[dict[str, float | None], int]:
    """Values and revision of the hour."""
    store = wiring.store(load(None, house.env))
    try:
        (row,) = store.rows("air", ["s1"], parse_time(AT) - 1, parse_time(AT), 3600)
        return dict(row.values), row.rev
    finally:
        store.close()


def test_an_import_is_history_and_a_replacement_stands(house: House) -> None:
    """A device's value gives way to a person's word only, and no later word of the device takes that back."""
    says(house, 1, pm25=35.0, o3=50.0)
    file = house.file(HOURLY + f"s1,{AT},40,\n")

    assert [1, 1, 0, 0, 0, 0] == house.terms(file)
    assert {"pm25": 35.0, "o3": 50.0} == stored(house)[0]
    assert [1, 1, 0, 0, 0, 0] == house.terms("--replace", *WHO, file)
    assert {"pm25": 40.0, "o3": 50.0} == stored(house)[0]
    assert stored(house)[1] >= revision(RANK_REPLACE, 0, 0)
    says(house, 2, pm25=36.0, o3=52.0)
    assert {"pm25": 40.0, "o3": 52.0} == stored(house)[0]


def test_a_replacement_comes_once_and_says_who_answers(house: House) -> None:
    """The same file again is a duplicate, and its entry stands once, with person, document and file."""
    says(house, 1, pm25=35.0)
    file = house.file(HOURLY + f"s1,{AT},40,\n", "audit.csv")
    words = ("--replace", *WHO, "--as-of", "2026-01-02T08:00", file)

    assert [1, 1, 0, 0, 0, 0] == house.terms(*words)
    assert [1, 0, 1, 0, 0, 0] == house.terms(*words)
    (entry,) = house.entries("replacement")
    assert ("王五", "审核单 12 号", "2026-01-02T08:00:00+08:00") == (entry["user"], entry["document"], entry["as_of"])
    assert str(entry["file"]).endswith("audit.csv")


@pytest.mark.parametrize("order", [("2026-01-02", "2026-01-03"), ("2026-01-03", "2026-01-02")])
def test_of_two_replacements_the_one_known_later_stands(house: House, order: tuple[str, str]) -> None:
    """``--as-of`` decides, not the order in which they are imported."""
    says(house, 1, pm25=35.0)
    for day in order:
        assert [1, 1, 0, 0, 0, 0] == house.terms("--replace", *WHO, "--as-of", day, house.file(HOURLY + f"s1,{AT},{day[-2:]},\n", f"{day}.csv"))

    assert {"pm25": 3.0} == stored(house)[0]


def test_a_replacement_of_what_nobody_sent_stands_when_the_device_wakes(house: House) -> None:
    """Also where it came first: the later word of a device is history."""
    assert [1, 1, 0, 0, 0, 0] == house.terms("--replace", *WHO, house.file(HOURLY + f"s1,{AT},40,\n"))
    says(house, 1, pm25=35.0)

    assert {"pm25": 40.0} == stored(house)[0]


def test_a_replaced_register_is_no_conflict(house: House) -> None:
    """Two values of a register are held for a person; here the person has spoken."""
    meter = '[[enterprise]]\nid = "e1"\nname = "某厂"\n[[meter]]\nid = "m1"\nenterprise = "e1"\nmedium = "electricity"\nrole = "main"\nunit = "kWh"\n'
    (house.folder / "county.toml").write_text(COUNTY + meter + DEVICE.replace('"s1"', '"m1"'), encoding="utf-8")
    settings = load(None, house.env)
    writer = JournalWriter(settings.data / "journal", "mqtt")
    writer.append("lanbi/v1/d1/data", encode(Message(parse_time(AT), 0, {"register": 100.0}, seq=1)), received_ns=(parse_time(AT) + 60) * 10**9, readings=1)
    writer.commit()
    writer.close()
    forward(settings, wiring.registry(settings), "mqtt")

    assert [1, 1, 0, 0, 0, 0] == house.terms("--replace", *WHO, house.file(f"meter,time,register\nm1,{AT},90\n"))
    assert [1, 0, 1, 0, 0, 0] == house.terms("--replace", *WHO, house.file(f"meter,time,register\nm1,{AT},90\n"))


def test_reconciliation_finds_a_replacement_in_order(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The journal's word about the row is the store's."""
    from lanbi import cli

    says(house, 1, pm25=35.0, o3=50.0)
    house.account("--replace", *WHO, house.file(HOURLY + f"s1,{AT},40,\n"))
    capsys.readouterr()

    assert 0 == cli.main(["reconcile", "--since", "2000-01-01", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (0, 0) == (found["missing"], found["different"])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--replace",), "a replacement needs somebody"),
        (("--replace", "--person", "王五"), "a replacement needs somebody"),
        (("--replace", "--person", " ", "--document", "x"), "a replacement needs somebody"),
        (("--person", "王五"), "belong to --replace"),
        (("--as-of", "2026-01-01"), "belong to --replace"),
        (("--replace", *WHO, "--as-of", "soon"), "--as-of"),
        (("--replace", *WHO, "--as-of", "2099-01-01"), "lies ahead"),
        (("--replace", *WHO, "--propose", "x.toml"), "--propose stores nothing"),
    ],
)
def test_nobody_replaces_by_accident(house: House, words: tuple[str, ...], why: str) -> None:
    """Exit code 2, and nothing has changed."""
    code, out, err = house.run(*words, house.file(HOURLY + f"s1,{AT},40,\n"))

    assert (2, "") == (code, out)
    assert why in err
    assert not (house.folder / "var" / "journal").exists()


def test_statements_are_not_replaced(house: House) -> None:
    """What people say otherwise is said again; it has no rank."""
    code, _, err = house.run("--replace", *WHO, house.file("scope,from,to,document\nx,2026-01-01,2026-01-02,通知\n"))

    assert 2 == code
    assert "dust: only readings are replaced" in err


def test_the_default_time_is_the_first_import(house: House) -> None:
    """Without ``--as-of`` a newer replacement stands, and an older file imported again takes nothing back."""
    old, new = house.file(HOURLY + f"s1,{AT},40,\n", "old.csv"), house.file(HOURLY + f"s1,{AT},41,\n", "new.csv")
    house.account("--replace", *WHO, old)
    SystemClock().sleep(0.02)
    house.account("--replace", *WHO, new)

    assert [1, 0, 1, 0, 0, 0] == house.terms("--replace", *WHO, old)
    assert {"pm25": 41.0} == stored(house)[0]

"""A device's mapping mended from the desk: seen as it was typed, tried on the dead letters, put in force, and the registry around it untouched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.civil import parse_time
from domain.errors import InputError
from lanbi import wiring
from lanbi.desk import PersonDesk
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter
from lanbi.registry_edit import dated, put_table, set_key, table_text
from lanbi.settings import Settings, load
from tests.ingest.decoders.foreign_house import HOUR, NS
from tests.lanbi.test_explain import COUNTY, RULE, house

__all__ = ["house"]
MENDED = RULE.replace('name = "pm"', 'name = "PM"').replace("[[mapping]]", "[[mapping]]\n# as the maker writes it")


@pytest.fixture
def settings(house: Path) -> Settings:
    """The yard's sensor has sent two messages that its mapping does not understand."""
    found = load(str(house / "lanbi.toml"), {})
    writer = JournalWriter(found.data / "journal", "mqtt")
    for time in (HOUR - 3_600, HOUR):
        writer.append("yard/air", json.dumps({"t": time, "PM": 38}).encode(), received_ns=parse_time("2026-11-23T09:02:00+08:00") * NS, readings=1)
    writer.commit()
    writer.close()
    forward(found, wiring.registry(found), "mqtt")
    return found


def test_a_mapping_is_tried_and_put_in_force(settings: Settings) -> None:
    """The old one is shown, the mended one would pass whole, nothing changes by the trial, and once in force the registry has it and no more."""
    desk = PersonDesk(settings)
    before = wiring.registry(settings)

    assert RULE.strip() == desk.mapping("yard").strip()
    assert (2, 0) == tuple(desk.try_mapping("yard", RULE)[name] for name in ("messages", "whole"))
    assert (2, 2) == tuple(desk.try_mapping("yard", MENDED)[name] for name in ("messages", "whole"))
    assert before.version == wiring.registry(settings).version
    assert desk.map("yard", MENDED, "wang", "单5") == wiring.registry(settings).version
    assert MENDED.strip() == desk.mapping("yard").strip()
    assert (before.devices, before.air_stations) == (wiring.registry(settings).devices, wiring.registry(settings).air_stations)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[mapping", "not TOML"),
        ('[[device]]\nid = "x"\n', r"one \[\[mapping\]\]"),
        (RULE + RULE.replace('"air"', '"b"'), r"one \[\[mapping\]\]"),
        (RULE.replace('"json"', '"jsn"'), "jsn"),
        (RULE + "scale = " + "1" * 5_000, "not TOML"),
        ("a = " + "[" * 10_000, "not TOML"),
        ("mapping = [1]", r"one \[\[mapping\]\]"),
    ],
)
def test_what_is_no_mapping_is_told(settings: Settings, text: str, said: str) -> None:
    """On trial and in force alike, and nothing changes."""
    desk, before = PersonDesk(settings), wiring.registry(settings).version
    with pytest.raises(InputError, match=said):
        desk.try_mapping("yard", text)
    with pytest.raises(InputError, match=said):
        desk.map("yard", text, "wang", "单5")

    assert before == wiring.registry(settings).version


def test_one_value_is_changed_in_the_text() -> None:
    """Comments and everything else stay; a value of several lines is replaced whole; a new key is added to its entry."""
    text = '# top\n[[meter]]\nid = "a"\nmultiplier = [\n  {from = "2023-01-01", value = "40"}, # old\n]\nunit = "kWh" # kilo\n\n[[meter]]\nid = "b"\n'
    changed = set_key(text, "meter", "a", "multiplier", dated([{"from": "2023-01-01", "value": "40"}], "2026-01-01", "60"))

    assert (
        '# top\n[[meter]]\nid = "a"\nmultiplier = [{from = "2023-01-01", value = "40"}, {from = "2026-01-01", value = "60"}]\nunit = "kWh" # kilo\n' in changed
    )
    assert '[[meter]]\nmultiplier = "5"\nid = "b"\n' in set_key(text, "meter", "b", "multiplier", "5")
    with pytest.raises(InputError, match="no meter c"):
        set_key(text, "meter", "c", "unit", "t")


def test_a_whole_entry_is_changed_in_the_text() -> None:
    """Between its neighbours, or at the end where there was none."""
    new = '[[mapping]]\nid = "new"\nformat = "json"\n'

    with pytest.raises(InputError, match="cannot be changed here"):
        put_table('[[device]]\nid = "d"\nmapping = "a"\n', "mapping", "b", 'mapping = [{id = "b"}]\n')
    assert COUNTY.strip() in put_table(COUNTY, "mapping", "new", new)
    assert put_table(COUNTY, "mapping", "new", new).endswith(new)
    assert "" == table_text(COUNTY, "mapping", "new")
    assert RULE.strip() == table_text(put_table(COUNTY, "mapping", "new", new), "mapping", "air").strip()

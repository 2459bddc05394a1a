"""Foreign topics on a real Mosquitto with the generated access list: the device that owns one is heard, nobody else may write there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import RegistryError
from lanbi import mosquitto
from lanbi.embedded import EmbeddedStore
from lanbi.instances import Share
from lanbi.mosquitto import Logins
from lanbi.registry import loads
from lanbi.state import StateView
from tests.ingest.decoders.foreign_house import PLACES, device, house
from tests.lanbi.broker_house import Yard
from tests.lanbi.ingest_house import until
from tests.lanbi.real_broker import MOSQUITTO
from tests.lanbi.test_identity import REFUSED, ingesting

TOPIC = "zigbee2mqtt/pump house"
RULE = '[[mapping]]\nid = "z"\nformat = "json"\ntime = "t"\nitems = [{item = "power", name = "power", unit = "W"}]\n'
COUNTY = PLACES + device('["m1"]', f'mapping = "z"\ntopics = ["{TOPIC}"]', "plug") + device('["m2"]', "", "other") + RULE


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """A broker with the generated files."""
    one = Yard(tmp_path, COUNTY)
    one.prepare()
    with one.broker:
        yield one


@pytest.mark.services
@pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto: make services")
def test_a_foreign_topic_is_its_devices_own(yard: Yard) -> None:
    """Stored under the meter; a neighbour's forgery is refused by the broker; a broken message is answered on lanbi's own topic."""
    now = int(time.time())
    with ingesting(yard):
        plug = yard.client("plug")
        plug.subscribe("lanbi/v1/plug/error")
        assert 0x80 > plug.publish(TOPIC, json.dumps({"t": now, "power": 500}).encode())
        assert 0x80 > plug.publish(TOPIC, json.dumps({"t": now * 1000, "power": 500}).encode())
        other = yard.client("other")
        assert REFUSED == other.publish(TOPIC, json.dumps({"t": now, "power": 1}).encode())
        until(lambda: plug.heard, "the word about the broken message")
        for one in (plug, other):
            one.close()
    store = EmbeddedStore(yard.settings.data / "store.db")
    rows = [(row.source, row.time, dict(row.values)) for row in store.rows("meter", None, -(2**62), 2**62)]
    store.close()
    view = StateView(yard.settings.data)
    law = view.conservation()
    view.close()

    assert [("m1", now, {"power": 0.5})] == rows
    assert "bad-schema" == json.loads(plug.heard[0][1])["reason"]
    assert "ms" in json.loads(plug.heard[0][1])["detail"]
    assert (2, 1, 1) == (law["received"], law["stored"], law["deadletter"])


def test_the_access_list_grants_a_foreign_topic_to_its_device_alone() -> None:
    """One line for the device, one for each ingest."""
    text = mosquitto.access_list(Logins(("in",), "probe"), ["other", "plug"], "v", {"plug": (TOPIC,)})

    assert 1 == text.count(f"topic write {TOPIC}\n")
    assert 1 == text.count(f"topic read {TOPIC}\n")
    assert f"topic write {TOPIC}" in text.split("user plug\n")[1]


def test_ingest_subscribes_its_own_devices_foreign_topics() -> None:
    """All of them, or those of its share."""
    registry = house(device('["m1"]', f'mapping = "z"\ntopics = ["{TOPIC}"]', "plug") + RULE)
    shares = [Share(one, 2).topics(registry) for one in (1, 2)]

    assert TOPIC in Share(1, 1).topics(registry)
    assert 1 == sum(TOPIC in share for share in shares)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('topics = ["#"]', "no foreign topic"),
        ('topics = ["lanbi/v1/other/data"]', "no foreign topic"),
        ('topics = ["+/x"]', "no foreign topic"),
        ('topics = ["a\\nuser root"]', "no foreign topic"),
        ('topics = ["a/b#"]', "no foreign topic"),
        ('topics = ["tele/+/SENSOR"]', "also belongs to device 'first'"),
        ('mapping = "nobody"', "is not registered"),
        ('names = {x = "m1"}', "none of the device's sources"),
        ('format = "senml"', "did you mean 'senml-json'"),
    ],
)
def test_the_registry_refuses_what_would_open_a_door(more: str, words: str) -> None:
    """With the line, before anything is in force."""
    with pytest.raises(RegistryError, match=words):
        loads(PLACES + device('["m1"]', 'topics = ["tele/a/SENSOR"]', "first") + device('["m2"]', more, "second"), "f.toml")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('format = "json"\nitems = [{item = "pm25", name = "a..b"}]', "JMESPath"),
        ('format = "json"', "names no items"),
        ('format = "json"\nitems = [{item = "pm26", name = "a"}]', "did you mean 'pm25'"),
        ('format = "json"\nitems = [{item = "pm25", name = "a", unit = "mgm3"}]', "unknown unit"),
        ('format = "json"\nitems = [{item = "pm25", name = "a", scale = "0"}]', "scale of pm25 is 0"),
        ('format = "json"\nitems = [{item = "pm25", name = "a", scale = "x"}]', "a number is needed"),
        ('format = "json"\nitems = [{item = "pm25", name = "a", sum = "x"}]', "none of register, integral"),
        ('format = "alink"\ntime_format = "h"\nitems = [{item = "pm25", name = "a"}]', "time_format"),
        ('format = "hj212"\nminutes = 7', "none of 1"),
        ('format = "hj212"\nflags = {Z = "Q"}', "no letter"),
        ('format = "hj212"\nunits = {pm25 = "mg"}', "unknown unit"),
        ('format = "hj212"\nsentinels = ["x"]', "a number is needed"),
        ('format = "lanbi-json"', "needs no mapping"),
    ],
)
def test_the_registry_refuses_rules_that_cannot_be_meant(rule: str, words: str) -> None:
    """Each with words that say what is wrong."""
    with pytest.raises(RegistryError, match=words):
        loads(PLACES + f'[[mapping]]\nid = "r"\n{rule}\n', "f.toml")

"""Several ingests: which takes what, what is refused, and what moves when their number changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from threading import Thread

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from domain.errors import InputError, SettingsError
from domain.readings import Key
from ingest.listener import Listener
from ingest.newest import Newest
from ingest.ports import Batch, Version
from lanbi.broker_access import broker_of
from lanbi.clock import SystemClock
from lanbi.handover import FLOW, Left, Place, places_of
from lanbi.ingesting import _made
from lanbi.instances import Share, check_import, check_same, speaker
from lanbi.journal import JournalReader, JournalWriter
from lanbi.processes import free
from lanbi.registry import loads
from lanbi.settings import Settings, load
from lanbi.state import StateView
from lanbi.state_moving import MovableState
from tests.faults.parts.truth import County
from tests.lanbi.ingest_house import MOSQUITTO, leave, mosquitto_broker, until

COUNTY = County(1, 30, 1_700_000_000)
REGISTRY = loads(COUNTY.registry(), "test")


def settings(folder: Path, share: str) -> Settings:
    """Settings of one ingest."""
    file = folder / f"{share.replace('/', '-')}.toml"
    file.write_text(f'data = "{folder / share[0]}"\n[store]\nkind = "influx"\n[ingest]\ninstance = "{share}"\n')
    return load(str(file), {})


@pytest.mark.parametrize("total", [1, 2, 3, 7])
def test_every_device_is_taken_once(total: int) -> None:
    """Whatever the number of ingests, each device's topics are subscribed by exactly one of them, and its number never depends on the others."""
    shares = [Share(number, total) for number in range(1, total + 1)]
    taken = [share.topics(REGISTRY) for share in shares]

    if total == 1:
        assert ("lanbi/v1/+/data", "lanbi/v1/+/event", "lanbi/v1/+/state") == taken[0]
        return
    assert sorted(f"lanbi/v1/{name}/{stream}" for name in REGISTRY.devices for stream in ("data", "event", "state")) == sorted(sum(taken, ()))
    assert all(set(share.others(REGISTRY)).isdisjoint(own) for share, own in zip(shares, taken, strict=True))


def test_a_folder_keeps_to_its_share(tmp_path: Path) -> None:
    """A data folder from which something was forwarded refuses another share, and says how to change it; a fresh one takes any."""
    one, other = settings(tmp_path, "1/3"), settings(tmp_path, "1/2")
    check_same(one, StateView(one.data))
    state = MovableState(one.data)
    state.belong("1/3")
    check_same(one, state)

    with pytest.raises(SettingsError, match="belongs to ingest 1/3, the settings say 1/2") as refused:
        check_same(other, state)
    assert "lanbi instances change" in refused.value.todo
    state.close()


def test_a_folder_from_before_there_were_shares_took_everything(tmp_path: Path) -> None:
    """What was forwarded without a remembered share was forwarded by the only ingest."""
    state = MovableState(tmp_path)
    state.commit(Batch("mqtt", 5, 5), "1")

    assert "1/1" == state.share()
    state.close()


def test_a_file_is_imported_where_its_device_is(tmp_path: Path) -> None:
    """An import for a place of another ingest is refused with that ingest's name; places without a device belong to the first."""
    places = [COUNTY.source(number) for number in range(COUNTY.count)]
    first = Share(1, 3)
    mine = [name for name in places if first.owns(speaker(REGISTRY, name))]
    other = next(name for name in places if name not in mine)

    check_import(settings(tmp_path, "1/3"), REGISTRY, [*mine, "a-city-without-a-device"])
    with pytest.raises(InputError, match=f"'{other}' belongs to ingest [23]/3"):
        check_import(settings(tmp_path, "1/3"), REGISTRY, [*mine, other])
    with pytest.raises(InputError, match="'a-city-without-a-device' belongs to ingest 1/3"):
        check_import(settings(tmp_path, "2/3"), REGISTRY, ["a-city-without-a-device"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[ingest]\ninstance = "1/2"\n', "a store that they share"),
        ('[store]\nkind = "influx"\n[ingest]\ninstance = "1/2"\nhj212 = "127.0.0.1:8212"\n', "loggers dial one ingest"),
    ],
)
def test_what_cannot_be_shared_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """Several ingests with a store each, or with a door that no device chooses, are refused before anything starts."""
    (tmp_path / "a.toml").write_text(text)

    with pytest.raises(SettingsError, match=words):
        load(str(tmp_path / "a.toml"), {})


def test_a_change_needs_every_ingest(tmp_path: Path) -> None:
    """The files must make one whole set; whoever is in no whole set gives everything up."""
    some = [settings(tmp_path, share) for share in ("1/2", "2/2", "3/3")]
    found = places_of(some)

    assert [Share(1, 2), Share(2, 2), None] == [place.share for place in found]
    with pytest.raises(InputError, match=r"no whole set of ingests 1/N … N/N: 1/2, 3/3"):
        places_of([some[0], some[2]])
    with pytest.raises(InputError, match="the same data folder"):
        places_of([some[0], some[0]])


def test_what_is_known_of_a_device_moves_and_nothing_else(tmp_path: Path) -> None:
    """Newest reading, versions, runs and numbers go over whole; versions keep the name of the journal that they stand in."""
    old, new = MovableState(tmp_path / "old"), MovableState(tmp_path / "new")
    key = Key("air", "a", 60, 1_000)
    version = Version(key, "pm25", 7, 3.0, "N", False, 5, "d-1", "mqtt", 40)
    for device, source in (("d-1", "a"), ("d-2", "b")):
        batch = Batch("mqtt", 50, 50)
        batch.latest[source, 60] = Newest(source, 60, "air", 1_000, 7, 5, device, {"pm25": 3.0}, {})
        batch.runs[device, 0] = 1
        batch.sequences[device, 0] = 9
        old.commit(batch, "1")
    old.intend("mqtt", 50, [version, version._replace(key=key._replace(source="b"))])

    for _ in range(2):  # a change that was interrupted is done again
        new.learn(old.told_of("d-1", ["a"], "1"))
    old.forget("d-1", ["a"])

    assert ({"d-2"}, {"d-1"}) == (old.devices(), new.devices())
    assert [("a", 60)] == [(one.source, one.span) for one in new.latest()]
    assert {("d-1", 0): 1} == new.runs()
    assert {("d-1", 0): 9} == new.sequences()
    assert {key: [version._replace(writer="mqtt@1")]} == new.versions([key])
    assert {} == old.versions([key])
    # The new folder's own journal is far behind number 40: a moved version counts as finished all the same.
    assert [40] == [one.seq for one in new.spoken("a", (0, 2_000), (0, 0, "", 0), 10)]
    old.close()
    new.close()


@dataclasses.dataclass
class Hand:
    """A clock that is turned by hand."""

    now: float = 100.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now


def test_a_session_under_change_rests_when_it_has_given_out_what_it_held() -> None:
    """Devices that are new here wait at the broker; it rests once nothing of those that go away came for a second, and no backlog comes."""
    clock = Hand()
    left = Left({"stays", "goes"}, {"stays", "comes"}.__contains__, lambda topic: topic, clock)  # type: ignore[arg-type]

    assert [False, False, True] == [left.leave(name) for name in ("stays", "goes", "comes")]
    assert not left.rests(0)
    clock.now += 1.5
    left.leave("goes")
    assert not left.rests(10)
    clock.now += 1.5
    assert left.rests(20)

    busy = Left(set(), lambda _: True, lambda topic: topic, clock)  # type: ignore[arg-type]
    assert not busy.rests(0)
    clock.now += 1.5
    assert not busy.rests(5 * FLOW)


def test_who_gives_up_owns_nothing(tmp_path: Path) -> None:
    """An ingest that ends hands over every device."""
    place = Place(settings(tmp_path, "3/3"), None)

    assert [] == [name for name in REGISTRY.devices if place.owns(name)]


@pytest.mark.services
@pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto: make services")
def test_a_fresh_folder_gives_up_what_its_session_took_before(tmp_path: Path) -> None:
    """The broker knows ingest's session from when it was the only one; one of two now hears its own devices alone, and sends the list once."""
    port, clock = free(), SystemClock()
    mine, other = (next(name for name in sorted(REGISTRY.devices) if Share(1, 2).owns(name) is owns) for owns in (True, False))
    one = settings(tmp_path, "1/2")
    county = tmp_path / "county.toml"
    county.write_text(COUNTY.registry())
    one = dataclasses.replace(one, county=county, broker=dataclasses.replace(one.broker, url=f"mqtt://127.0.0.1:{port}"))
    with mosquitto_broker(port, tmp_path):
        before = Listener(broker_of(one), JournalWriter(tmp_path / "old", "mqtt"), clock)
        end = clock.monotonic() + 60
        before.run(lambda: before.health.subscribed or clock.monotonic() > end)
        listener = _made(one, clock)[0]
        thread = Thread(target=listener.run, args=(lambda: listener.health.messages > 0,))
        thread.start()
        until(lambda: listener.health.subscribed, "it has subscribed")
        device = mqtt.Client(CallbackAPIVersion.VERSION2)
        device.connect("127.0.0.1", port)
        device.loop_start()
        for name in (other, mine):
            device.publish(f"lanbi/v1/{name}/data", b"{}", qos=1).wait_for_publish(60)
        thread.join(60)
        leave(device)
    assert [f"lanbi/v1/{mine}/data"] == [record.topic for record in JournalReader(one.data / "journal", "mqtt").read()]
    assert () == listener.asking.forgo

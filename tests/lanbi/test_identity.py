"""Who may be whom: every login against foreign topics, payload ids and client ids, on a real Mosquitto with the generated files."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from domain.message import Message, encode
from lanbi import wiring
from lanbi.metrics import read_status
from lanbi.state import StateView
from tests.lanbi.broker_house import Client, Yard
from tests.lanbi.ingest_house import ROOT, leave, until
from tests.lanbi.real_broker import real

pytestmark = real
DEVICES = 200
INGEST, PROBE = "lanbi-ingest", "lanbi-ingest-probe"
REFUSED = 0x87
HEAD = '[county]\nid = "c"\nname = "c"\n'
STATION = '[[air_station]]\nid = "s{0}"\nname = "s{0}"\nrole = "assessment"\n'
DEVICE = '[[device]]\nid = "d{0}"\nsources = ["s{0}"]\ninterval = 3600\nstate = "accepted"\n'
COUNTY = HEAD + "".join(form.format(number) for form in (STATION, DEVICE) for number in range(DEVICES))


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """A broker for 200 devices, whose files were generated."""
    one = Yard(tmp_path_factory.mktemp("yard"), COUNTY)
    one.prepare()
    with one.broker:
        yield one


def foreign_topics(me: str, other: str) -> list[str]:
    """Topics on which a device has no business: another's, its own answers, lanbi's, the broker's, and forms that look alike."""
    theirs = [f"lanbi/v1/{whom}/{stream}" for whom, stream in product((other, INGEST, PROBE), ("data", "event", "state", "receipt", "error", "probe"))]
    own = [f"lanbi/v1/{me}/{stream}" for stream in ("receipt", "error", "probe", "data/x", "Data", "")]
    alike = [f"lanbi/v1/{me}", f"lanbi/v1/{me.upper()}/data", f"lanbi/v2/{me}/data", f"/lanbi/v1/{me}/data", f"lanbi/v1//{me}/data", f"lanbi/v1/{me} /data"]
    return [*theirs, *own, *alike, "lanbi/v1/~person/mark", "$SYS/broker/uptime", "$CONTROL/dynamic-security/v1", "x"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_device_writes_on_its_own_topics_and_on_no_other(yard: Yard, seed: int) -> None:
    """Sampled devices try everything; each try is refused by its reason code, and nobody hears any of it."""
    chance = np.random.default_rng(seed)
    ear = yard.client(INGEST)
    ear.subscribe("lanbi/v1/+/data", "lanbi/v1/+/event", "lanbi/v1/+/state")
    own, refused, tries = [], 0, 0
    for me, other in chance.choice(DEVICES, (6, 2), replace=False):
        name = f"d{me}"
        for topic in foreign_topics(name, f"d{other}"):
            device = yard.client(name)  # Mosquitto cuts off whoever it refused
            code = device.publish(topic, f"forged by {name}".encode())
            tries += 1
            refused += code == REFUSED
            device.close()
            assert REFUSED == code, f"{name} on {topic!r}"
        device = yard.client(name)
        for stream in ("data", "event", "state"):
            assert 0 == device.publish(f"lanbi/v1/{name}/{stream}", b"own")
            own.append(f"lanbi/v1/{name}/{stream}")
        device.close()
    until(lambda: len(ear.heard) >= len(own), "their own are heard")
    ear.close()

    assert sorted((topic, b"own") for topic in own) == sorted(ear.heard)
    assert (tries, tries) == (refused, 6 * len(foreign_topics("a", "b")))


@pytest.mark.parametrize("seed", [3])
def test_what_an_old_protocol_calls_success_is_dropped_too(yard: Yard, seed: int) -> None:
    """MQTT 3.1.1 has no word for 'refused': the forger is told success, and nothing arrives."""
    chance = np.random.default_rng(seed)
    ear = yard.client(INGEST)
    ear.subscribe("lanbi/v1/+/data")
    for me, other in chance.choice(DEVICES, (5, 2), replace=False):
        device = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"d{other}", reconnect_on_failure=False)
        device.username_pw_set(f"d{me}", yard.password(f"d{me}"))
        device.connect("127.0.0.1", yard.broker.port)
        device.loop_start()
        device.publish(f"lanbi/v1/d{other}/data", b"forged", qos=1).wait_for_publish(60)
        leave(device)
    last = yard.client("d0")
    last.publish("lanbi/v1/d0/data", b"own")
    until(lambda: ear.heard, "what was sent last")
    for one in (ear, last):
        one.close()

    assert [("lanbi/v1/d0/data", b"own")] == ear.heard


@pytest.mark.parametrize("seed", [4])
def test_a_device_hears_its_own_answers_and_nobody_elses(yard: Yard, seed: int) -> None:
    """Whatever it subscribes to; lanbi itself may say receipts and errors, and nothing else."""
    chance = np.random.default_rng(seed)
    lanbi = yard.client(INGEST)
    pairs = chance.choice(DEVICES, (8, 2), replace=False)
    spies = [yard.client(f"d{me}") for me, _ in pairs]
    for spy, (_, other) in zip(spies, pairs, strict=True):
        spy.subscribe("#", "lanbi/#", "+/+/+/+", f"lanbi/v1/d{other}/receipt", f"lanbi/v1/d{other}/data", "$SYS/#")
    for me, other in pairs:
        victim = yard.client(f"d{other}")
        assert 0x80 > max(victim.publish(f"lanbi/v1/d{other}/event", b"secret"), victim.publish(f"lanbi/v1/d{other}/state", b"{}", retain=True))
        victim.close()
        assert 0x80 > max(lanbi.publish(f"lanbi/v1/d{whom}/{kind}", b"word") for whom in (me, other) for kind in ("receipt", "error"))
    for spy, (me, _) in zip(spies, pairs, strict=True):
        until(lambda spy=spy: len(spy.heard) >= 2, "its own answers")
        assert {f"lanbi/v1/d{me}/receipt", f"lanbi/v1/d{me}/error"} == {topic for topic, _ in spy.heard}
        spy.close()
    for _, other in pairs:
        victim = yard.client(f"d{other}")
        victim.publish(f"lanbi/v1/d{other}/state", b"", retain=True)
        victim.close()
    lanbi.close()
    for stream in ("data", "event", "state", "x"):
        ours = yard.client(INGEST)
        assert REFUSED == ours.publish(f"lanbi/v1/d0/{stream}")
        ours.close()


@pytest.mark.parametrize("seed", [5])
def test_no_client_id_takes_another_ones_place(yard: Yard, seed: int) -> None:
    """Under the id of a device, of ingest or of the self-test a login is only itself: nobody is thrown out."""
    chance = np.random.default_rng(seed)
    names = [f"d{number}" for number in chance.choice(DEVICES, 9, replace=False)]
    victims = {name: yard.client(name) for name in (*names[:3], INGEST, PROBE)}
    for thief, victim in product(names[3:], victims):
        one = Client(yard.broker.port, thief, yard.password(thief), victim)
        assert 0 == one.code
        assert REFUSED == one.publish(f"lanbi/v1/{victim}/data")
        one.close()
    for name, victim in victims.items():
        assert (0, True) == (victim.ended, victim.mqtt.is_connected()), name
        victim.close()
    stranger = Client(yard.broker.port, None, None, INGEST)
    wrong = Client(yard.broker.port, names[0], yard.password(names[1]), names[0])

    assert (REFUSED, REFUSED) == (stranger.code, wrong.code)
    for one in (stranger, wrong):
        one.close()


@pytest.mark.parametrize(("bound", "kept"), [(True, 500), (False, 0)], ids=["shipped", "control"])
def test_what_waits_for_ingest_is_not_wiped_by_a_device_under_its_name(tmp_path: Path, *, bound: bool, kept: int) -> None:
    """500 messages wait for ingest, a meter connects with ingest's client id and a clean session. The control shows what that does elsewhere."""
    yard = Yard(tmp_path, HEAD + STATION.format(0) + DEVICE.format(0))
    yard.prepare()
    if not bound:
        yard.broker.lines = [line for line in yard.broker.lines if not line.startswith("use_username_as_clientid")]
    with yard.broker:
        ingest = Client(yard.broker.port, INGEST, yard.password(INGEST), INGEST, keep=True)
        ingest.subscribe("lanbi/v1/+/data")
        ingest.close()
        meter = yard.client("d0")
        for number in range(500):
            meter.publish("lanbi/v1/d0/data", b"%d" % number)
        meter.close()
        thief = Client(yard.broker.port, "d0", yard.password("d0"), INGEST)
        thief.close()
        ingest = Client(yard.broker.port, INGEST, yard.password(INGEST), INGEST, keep=True)
        ingest.subscribe("lanbi/v1/+/data")
        meter = yard.client("d0")
        meter.publish("lanbi/v1/d0/data", b"last")
        until(lambda: (("lanbi/v1/d0/data", b"last")) in ingest.heard, "what came last")
        for one in (meter, ingest):
            one.close()

    assert kept == len(ingest.heard) - 1


@contextmanager
def ingesting(yard: Yard) -> Iterator[None]:
    """`lanbi ingest` at this broker, with its own login."""
    with (yard.folder / "ingest.log").open("ab") as log:
        command = [sys.executable, "-m", "lanbi", "ingest", "--no-health", "--config", str(yard.config)]
        with subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as process:
            try:
                path = yard.settings.data / "run" / "ingest.json"
                until(lambda: read_status(path).get("ready"), f"ready: {read_status(path)}")
                yield
            finally:
                process.terminate()


def test_a_payload_chooses_only_among_its_devices_own_places(yard: Yard) -> None:
    """Readings under another's id end in the dead letters as identity-mismatch, with the true sender; nothing is stored under the victim."""
    hour = int(time.time()) // 3600 * 3600
    chance = np.random.default_rng(6)
    pairs = [(int(me), int(other)) for me, other in chance.choice(DEVICES, (20, 2), replace=False)]
    data = yard.settings.data
    with ingesting(yard):
        assert [] == read_status(data / "run" / "ingest.json")["warnings"]
        for me, other in pairs:
            device = yard.client(f"d{me}")
            messages = [Message(hour, 3600, {"pm25": 5.0}, 0, 0, f"s{other}"), Message(hour, 3600, {"pm25": 6.0}, 0, 1, f"s{me}")]
            assert 0 == device.publish(f"lanbi/v1/d{me}/data", encode(messages))
            device.close()
        until(lambda: law(data)["received"] >= 40 and law(data)["pending"] == 0, "decided")
    view = StateView(data)
    refused = [row for _, row in view.refused(reason=None, after=0, limit=100)]
    view.close()
    store = wiring.store(yard.settings)
    rows = list(store.rows("air", None, 0, 2**40))
    store.close()

    assert {(f"d{me}", "identity-mismatch", f"s{other}") for me, other in pairs} == {(row.device, row.reason, row.source) for row in refused}
    assert sorted((f"s{me}", 6.0) for me, _ in pairs) == sorted((row.source, row.values["pm25"]) for row in rows)


def law(data: Path) -> dict[str, int]:
    """The account of now."""
    view = StateView(data)
    try:
        return view.conservation()
    finally:
        view.close()


def test_a_revoked_device_is_out_while_it_speaks(yard: Yard) -> None:
    """Three devices publish without pause; each is cut off by its revocation and stays out, the fourth goes on."""
    names = ["d11", "d22", "d33"]
    speaking = {name: yard.client(name) for name in (*names, "d44")}
    passwords = {name: yard.password(name) for name in names}
    for name in names:
        assert 0 == yard.lanbi("broker", "revoke", name)
        until(lambda name=name: speaking[name].ended, f"{name} is cut off")
        again = Client(yard.broker.port, name, passwords[name], name)
        assert REFUSED == again.code
        again.close()
    assert 0x80 > speaking["d44"].publish("lanbi/v1/d44/data")
    assert 0 == speaking["d44"].ended
    for one in speaking.values():
        one.close()

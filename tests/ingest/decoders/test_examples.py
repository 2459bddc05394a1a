"""The examples of the repository: mappings without code, a plug-in, and bytes that producers of others made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ingest.decoders.foreign_house import device, house, judge, reasons, stored

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
MAPPINGS = {path.stem: path for path in sorted((EXAMPLES / "mappings").glob("*.toml"))}
EXPECTED = {
    "airgradient": [("a1", 60, {"pm25": 7.0, "pm10": 8.0, "temp": 24.47, "rh": 49.0})],
    "emonhub": [("m1", 50, {"power": 0.01, "voltage": 230.1, "register": 48.211})],
    "qingping": [("a1", -900, {"pm25": 12.0}), ("a1", 0, {"pm25": 14.0, "temp": 6.5})],
    "sensor-community": [("a1", 60, {"pm10": 35.67, "pm25": 17.0, "pressure": 1005.3597})],
    "shelly-gen1": [("m1", 60, {"power": 0.03312}), ("m1", 60, {"register": 5.7149})],
    "shelly-gen2": [("m2", 45, {"power": 0.5018, "voltage": 234.9}), ("m1", 50, {"register": 1234.5678})],
    "tasmota": [("m1", 45, {"register": 9098.245, "power": 0.17, "voltage": 227.0, "current": 1.0, "pf": 0.99})],
    "the-things-stack": [("a1", 30, {"temp": 5.3, "rh": 61.5})],
    "zigbee2mqtt": [("m1", 10, {"register": 12.75, "power": 0.033, "pf": 0.49})],
}
BIRTH = (
    "0885fdaaafa03412220a0c456e657267792f546f74616c10011880fdaaafa034200a6933333333b353b64012180a05506f77657210021880fdaaafa034200350a2fbffff0f"
    "12190a07566f6c7461676510031880fdaaafa0342009656666654312230a1150726f706572746965732f53657269616c10041880fdaaafa034200c7a03534e3112160a0743"
    "757272656e7410051880fdaaafa034200938011801"
)
DATA = "08e5d1aeafa0341212100118e0d1aeafa03469333333333354b640120f100218e0d1aeafa03450f4ffffff0f121010031880a0cfada034280165008067431802"
"""Device birth and data as pysparkplug 0.6.1 encodes them, kept for the fuzz; test_producers.py makes them live."""
SENML_JSON = (
    '[{"n": "pm25", "v": 38.5, "u": "ug/m3", "bn": "urn:dev:mac:0024befffe804ff1:", "bt": 1795395600}, {"n": "co", "v": 0.9, "u": "mg/m3"}, '
    '{"n": "pm25", "v": 36, "t": -60, "u": "ug/m3"}]'
)
SENML_CBOR = (
    "83a50064706d323502fb4043400000000000016575672f6d3321781d75726e3a6465763a6d61633a303032346265666666653830346666313a221a6b039010a30062636f02fb"
    "3feccccccccccccd01656d672f6d33a40064706d323502182406383b016575672f6d33"
)
"""The same pack as kpn-senml 1.0.1 writes it; its successor writes live in test_producers.py."""


def messages(name: str) -> list[tuple[str, str]]:
    """(topic, payload) of an example's captured messages."""
    rows = [json.loads(line) for line in (EXAMPLES / "mappings" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(row["topic"], row["payload"] if isinstance(row["payload"], str) else json.dumps(row["payload"])) for row in rows]


@pytest.mark.parametrize("name", MAPPINGS)
def test_mapping_examples_are_understood(name: str) -> None:
    """Every captured message of an example becomes the readings that its document means, and nothing is refused."""
    county = house(MAPPINGS[name].read_text(encoding="utf-8"))
    verdicts = [verdict for topic, payload in messages(name) for verdict in judge(county, payload, topic)]

    assert EXPECTED[name] == [(source, at, values) for source, at, _, values, _ in stored(verdicts)]
    assert [] == reasons(verdicts)


def test_another_plugs_message_is_refused() -> None:
    """A citizen's sensor may not speak under another's serial number."""
    county = house(MAPPINGS["airgradient"].read_text(encoding="utf-8"))
    topic, payload = messages("airgradient")[0]

    assert [("unknown-source", None)] == reasons(judge(county, payload.replace("ecda3b1eaaaf", "ecda3b1eaaae"), topic))


SPARKPLUG = device('["m1"]', 'mapping = "spb"\ntopics = ["spBv1.0/plant/+/edge/press"]\nnames = {press = "m1"}') + (
    '[[mapping]]\nid = "spb"\nformat = "sparkplug-b"\nignore = ["Current"]\n'
    'items = [{item = "register", name = "Energy/Total"}, {item = "power", name = "Power", unit = "W"}, {item = "voltage", name = "Voltage"}]\n'
)


def test_sparkplug_of_a_real_producer() -> None:
    """Birth, then data by alias: types of the birth, signed integers, a back-filled value, a null that is none."""
    from ingest.accept import Acceptor
    from tests.ingest.decoders.foreign_house import HOUR, NS, Message

    acceptor = Acceptor(house(SPARKPLUG))
    late = (HOUR + 120) * NS
    early = acceptor.judge(Message(bytes.fromhex(DATA), "spBv1.0/plant/DDATA/edge/press", late))
    birth = acceptor.judge(Message(bytes.fromhex(BIRTH), "spBv1.0/plant/DBIRTH/edge/press", late))
    data = acceptor.judge(Message(bytes.fromhex(DATA), "spBv1.0/plant/DDATA/edge/press", late))

    assert ([], {"unknown-item"}) == (stored(early), {reason for reason, _ in reasons(early)})
    assert [("m1", 0, 0, {"register": 5715.7, "power": -0.606, "voltage": 229.4}, {})] == stored(birth)
    assert [("m1", 60, 0, {"register": 5716.2, "power": -0.012}, {}), ("m1", -3600, 0, {"voltage": 231.5}, {"voltage": "P"})] == stored(data)
    assert [] == acceptor.judge(Message(b"", "spBv1.0/plant/DDEATH/edge/press", late))


def test_an_alias_may_stand_in_the_registry() -> None:
    """Then a birth that was never heard costs only what cannot be read without its type: a number that may be a negative one."""
    county = house(SPARKPLUG.replace('"Voltage"', '"#3"').replace('name = "Power"', 'name = "#2"').replace("Energy/Total", "#1"))

    verdicts = judge(county, bytes.fromhex(DATA), "spBv1.0/plant/DDATA/edge/press", 1795395720)

    assert [{"register": 5716.2}, {"voltage": 231.5}] == [one[3] for one in stored(verdicts)]
    assert [("bad-schema", "power")] == reasons(verdicts)


@pytest.mark.parametrize(("format_", "payload", "second"), [("senml-json", SENML_JSON.encode(), -60), ("senml-cbor", bytes.fromhex(SENML_CBOR), -60)])
def test_senml_of_a_real_producer(format_: str, payload: bytes, second: int) -> None:
    """kpn-senml's packs, both forms."""
    rule = f'[[mapping]]\nid = "r"\nformat = "{format_}"\nitems = [{{item = "pm25", name = "pm25"}}, {{item = "co", name = "co"}}]\n'
    county = house(device('["a1"]', 'mapping = "r"\nnames = {"urn:dev:mac:0024befffe804ff1:" = "a1"}') + rule)

    assert [(0, {"pm25": 38.5, "co": 0.9}), (second, {"pm25": 36.0})] == [(at, values) for _, at, _, values, _ in stored(judge(county, payload))]


PROGRAM = """
from tests.ingest.decoders.foreign_house import device, house, judge, stored
rule = '[[mapping]]\\nid = "r"\\nformat = "acme"\\nitems = [{item = "pm25", name = "pm25"}, {item = "co", name = "co"}]\\n'
from lanbi.formats.sources import open_source
with open("acme.csv", "w") as file:
    file.write("acme_site,acme_time,fine,co\\n9001A,2026-11-23 08:00,38,0.9\\n")
source = open_source("acme.csv")
print(source.format, [row.values for row in source.rows()])
print(stored(judge(house(device('["a1"]', 'mapping = "r"') + rule), "ACME;2026-11-23T01:00:00Z;pm25=38;co=0.9")))
"""


def test_a_plug_in_of_thirty_lines_is_found(tmp_path: Path) -> None:
    """Beside lanbi in the path with its entry point, as an installer leaves it; nothing of lanbi is changed."""
    code = (EXAMPLES / "plugin" / "lanbi_acme.py").read_text(encoding="utf-8")
    (tmp_path / "lanbi_acme.py").write_text(code)
    info = tmp_path / "lanbi_acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lanbi-acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lanbi.decoders]\nacme = lanbi_acme:DIALECT\n[lanbi.importers]\nacme-csv = lanbi_acme:TABLES\n")
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=tmp_path, env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "PATH": ""}
    )

    assert ("acme-csv [{'pm25': 38.0, 'co': 0.9}]\n[('a1', 0, 0, {'pm25': 38.0, 'co': 0.9}, {})]\n", "") == (answer.stdout, answer.stderr[-2000:])
    assert len(code.splitlines()) <= 30
    assert 'acme = "lanbi_acme:DIALECT"' in (EXAMPLES / "plugin" / "pyproject.toml").read_text()

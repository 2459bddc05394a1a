"""Live producers of others: what well-kept packages encode at this moment is understood, whatever the values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from senml import SenmlPack, SenmlRecord

from ingest.accept import Acceptor
from tests.ingest.decoders.foreign_house import HOUR, NS, Message, device, house, judge, reasons, stored
from tests.ingest.decoders.test_examples import SPARKPLUG

PRODUCER = Path(__file__).resolve().parents[3] / ".services" / "sparkplug"
NAME = "urn:dev:mac:0024befffe804ff1:"
SENML = "".join(
    device(f'["a{number}"]', f'mapping = "r-{form}"\nnames = {{"{NAME}" = "a{number}"}}', form)
    + f'[[mapping]]\nid = "r-{form}"\nformat = "senml-{form}"\nitems = [{{item = "pm25", name = "pm25"}}, {{item = "co", name = "co"}}]\n'
    for number, form in enumerate(("json", "cbor"), 1)
)
COUNTY = house(SENML)
NUMBERS = st.decimals(1, 150, places=3).map(float)


@given(st.sampled_from(["json", "cbor"]), NUMBERS, NUMBERS, NUMBERS)
def test_senml_as_micropython_writes_it(form: str, pm25: float, co: float, before: float) -> None:
    """A pack with base name, base time and a value of a minute ago, in both forms."""
    pack = SenmlPack(NAME)
    pack.base_time = HOUR
    pack.add(SenmlRecord("pm25", value=pm25, unit="ug/m3", time=HOUR))
    pack.add(SenmlRecord("co", value=co, unit="mg/m3", time=HOUR))
    pack.add(SenmlRecord("pm25", value=before, unit="ug/m3", time=HOUR - 60))
    verdicts = judge(COUNTY, pack.to_json() if form == "json" else pack.to_cbor(), f"lanbi/v1/{form}/data")

    assert [] == reasons(verdicts)
    assert [(0, {"pm25": pm25, "co": co}), (-60, {"pm25": before})] == [(at, values) for _, at, _, values, _ in stored(verdicts)]


PROGRAM = """
import json, sys
from pysparkplug import DBirth, DData, DataType, Metric
for said in json.load(sys.stdin):
    metrics = tuple(Metric(**{**one, "datatype": DataType[one["datatype"]]}) for one in said["metrics"])
    kind = DBirth if said["birth"] else DData
    print(kind(timestamp=said["time"], seq=1, metrics=metrics).encode(include_dtypes=said["birth"]).hex())
"""


def produced(messages: list[dict[str, Any]]) -> list[bytes]:
    """Messages as pysparkplug encodes them, in a process of its own, with the libraries that it asks for."""
    paths = {**os.environ, "PYTHONPATH": str(PRODUCER)}
    answer = subprocess.run([sys.executable, "-c", PROGRAM], input=json.dumps(messages), capture_output=True, text=True, check=False, env=paths)
    assert answer.returncode == 0, answer.stderr
    return [bytes.fromhex(line) for line in answer.stdout.splitlines()]


def metric(name: str | None, datatype: str, value: float | None, alias: int, **more: Any) -> dict[str, Any]:
    """A metric of this moment."""
    return {"name": name, "datatype": datatype, "value": value, "alias": alias, "timestamp": HOUR * 1000, **more}


@pytest.mark.services
@pytest.mark.skipif(not (PRODUCER / "locked.txt").exists(), reason="no Sparkplug producer: make services")
def test_sparkplug_as_pysparkplug_writes_it() -> None:
    """Birth with names, types and aliases, then data by alias alone: double, signed integer, float, a back-filled value, a null."""
    birth = [metric("Energy/Total", "DOUBLE", 5715.7, 1), metric("Power", "INT32", -606, 2), metric("Voltage", "FLOAT", 229.4, 3)]
    data = [metric(None, "DOUBLE", 5716.2, 1), metric(None, "INT32", -12, 2), metric(None, "FLOAT", None, 3)]
    late = [metric(None, "FLOAT", 231.5, 3, is_historical=True)]
    said = [(True, birth), (False, data), (False, late)]
    payloads = produced([{"birth": first, "time": HOUR * 1000, "metrics": metrics} for first, metrics in said])
    acceptor = Acceptor(house(SPARKPLUG))
    kinds = ("DBIRTH", "DDATA", "DDATA")
    verdicts = [acceptor.judge(Message(payload, f"spBv1.0/plant/{kind}/edge/press", (HOUR + 60) * NS)) for kind, payload in zip(kinds, payloads, strict=True)]

    assert [[], [], []] == [reasons(one) for one in verdicts]
    assert [
        [("m1", 0, 0, {"register": 5715.7, "power": -0.606, "voltage": 229.4}, {})],
        [("m1", 0, 0, {"register": 5716.2, "power": -0.012}, {})],
        [("m1", 0, 0, {"voltage": 231.5}, {"voltage": "P"})],
    ] == [stored(one) for one in verdicts]

"""A write whose client was cut off may reach the database later than its successors; then an older row stands over a newer one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.civil import iso
from tests.faults.parts.house import House, PartMissingError, influxd, mosquitto, until
from tests.faults.parts.judge import FromInflux
from tests.faults.parts.proxy import LATE, Mode
from tests.faults.parts.truth import SPAN, County
from tests.lanbi.ingest_house import Gadget

COUNTY = County(1, 1, int(time.time()) // 86_400 * 86_400 - 120 * 86_400)
LATE_S = 100.0
LOOK_S = 40
"""Long enough that the late write is there by then, on a slow machine too."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house that looks again soon after a doubtful write."""
    try:
        mosquitto(), influxd()
    except PartMissingError as missing:
        pytest.skip(str(missing))
    with House(tmp_path / "house", COUNTY.registry(), store_more=f"second_look = {LOOK_S}") as one:
        yield one


def said(seq: int, **values: float | None) -> bytes:
    """A word of the device about one and the same time."""
    return json.dumps({"seq": seq, "time": iso(COUNTY.time(0)), "span": SPAN, "values": values}).encode()


def row(house: House) -> dict[str, Any]:
    """What stands in the database: revision and pm25, pm10 with their flags."""
    try:
        found = FromInflux(f"http://127.0.0.1:{house.influx_port}", house.secret("influx-write").read_text().strip())("air", COUNTY.source(0))
    except KeyError:  # the columns of a row come one by one, and the row is being written
        return {}
    if not len(found.times):
        return {}
    return {"seq": int(found.revs[0]) - 2**40, "pm25": float(found.values[0][0]), "pm10": (float(found.values[0][1]), chr(found.flags[0][1]))}


@pytest.mark.services
def test_late_write_is_found_and_put_right(house: House) -> None:
    """The old row arrives behind the correction and stands over it; the second look, and nothing else, puts the correction back."""
    device = Gadget(COUNTY.device(0), house.broker_port)
    house.proxy.set(Mode(LATE, seconds=LATE_S, path="/api/v2/write"))
    device.say(said(1, pm25=10.0, pm10=20.0))
    until(lambda: house.status().get("store_retries"), "the first write is cut off")
    house.proxy.set(Mode())
    device.say(said(2, pm25=11.0, pm10=21.0))
    until(lambda: row(house).get("seq") == 2, "the correction is stored")
    house.proxy.release()
    set_back = row(house)
    until(lambda: house.totals().get(("mended", "")), "the second look")
    device.close()

    assert {"seq": 1, "pm25": 10.0, "pm10": (20.0, "N")} == set_back
    assert {"seq": 2, "pm25": 11.0, "pm10": (21.0, "N")} == row(house)
    assert (2, 1) == (house.law()["stored"], house.totals()["mended", ""])

"""Golden messages of every dialect, written by hand after the public documents, through rule and accept to a reading."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from struct import pack
from typing import Any, NamedTuple

import cbor2
import pytest

from ingest.accept import Acceptor
from ingest.decoders.formats import DIALECTS
from tests.ingest.decoders.foreign_house import HOUR, Message, device, house, judge, reasons, stored

T = HOUR
AIR = '[{item = "pm25", name = "pm25"}, {item = "co", name = "co"}]'
METER = '[{item = "register", name = "Ep", unit = "kWh"}, {item = "power", name = "P", unit = "kW"}, {item = "pf", name = "PF", unit = "%"}]'


def rule(format_: str, items: str = AIR, more: str = "") -> str:
    """A mapping table."""
    return f'[[mapping]]\nid = "r"\nformat = "{format_}"\nitems = {items}\n{more}\n'


def speaker(format_: str, items: str = AIR, more: str = "", *, sources: str = '["a1"]', extra: str = "") -> str:
    """A device with its mapping."""
    return device(sources, f'mapping = "r"\n{extra}') + rule(format_, items, more)


def text(value: Any) -> str:
    """JSON of a value."""
    return json.dumps(value, ensure_ascii=False)


class Case(NamedTuple):
    """A message, who says it, and what it must become."""

    devices: str
    payload: bytes | str
    stored: list[tuple[str, int, int, dict[str, float], dict[str, str]]]
    reasons: list[tuple[str, str | None]] = []  # noqa: RUF012
    topic: str = "lanbi/v1/d1/data"


def reading(values: dict[str, float], at: int = 0, source: str = "a1", flags: dict[str, str] | None = None, span: int = 0) -> Any:
    """An expected reading."""
    return (source, at, span, values, flags or {})


def varint(value: int) -> bytes:
    """A number as protobuf writes it, seven bits a byte, the least first."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


TWO = 'names = {"27" = "m1", "28" = "m2"}\n'
SENML = [{"bn": "urn:dev:mac:0024befffe804ff1:", "bt": T, "bu": "ug/m3", "n": "pm25", "v": 38}, {"n": "co", "u": "ug/m3", "v": 900.5}]
SENML_NAMES = 'names = {"urn:dev:mac:0024befffe804ff1:" = "a1"}\n'
CBOR = [{-2: "urn:dev:mac:0024befffe804ff1:", -3: T, 0: "pm25", 1: "ug/m3", 2: 38}, {0: "co", 1: "mg/m3", 2: 0.9}]
REGISTER = '[{item = "register", name = "urn:dev:m1:kwh", unit = "SENT", sum = "MEANT"}]'
COUNTER = f'[{{"n":"urn:dev:m1:kwh","u":"UNIT","s":12345.6,"t":{T}}}]'
TS = T * 1000
ALINK = {
    "id": "123",
    "version": "1.0",
    "params": {"pm25": {"value": 23.6, "time": TS}, "co": {"value": 0.8, "time": TS}},
    "method": "thing.event.property.post",
}
IOTDA = {"services": [{"service_id": "air", "properties": {"pm25": 41, "co": 0.7}, "event_time": "20261123T010000Z"}]}
WIDE = '{"ID":"866714044841905","addr":27,"Ep":5715.7,"P":308.08,"PF":58.371}'
LISTED = {"version": "1.0", "ts ": T, "properties": [
    {"type": "AI", "key": "A相电流", "value": 0.25, "unit": "A", "timestamp": T - 259_200},
    {"type": "AI", "key": "正向有功总电能", "value": 5715.7, "unit": "kWh"},
]}  # fmt: skip

TASMOTA = {"Time": "2026-11-23T09:00:00", "ENERGY": {"TotalStartTime": "2026-01-01T00:00:00", "Total": 3.185, "Power": 12, "Factor": 0.58}}
"""https://tasmota.github.io/docs/Power-Monitoring-Calibration/, of a plug in China."""
METRIC = b"\x0a\x05Power\x18" + varint(TS) + b"\x20\x0a\x69" + pack("<d", 606.5)
SPARKPLUG = b"\x08" + varint(TS) + b"\x12" + bytes([len(METRIC)]) + METRIC + b"\x18\x07"
"""sparkplug_b.proto: timestamp = 1, metrics = 2 {name = 1, timestamp = 3, datatype = 4 (10: Double), double_value = 13}, seq = 3."""

CASES = {
    "sparkplug b, by name": Case(
        speaker("sparkplug-b", '[{item = "power", name = "Power", unit = "W"}]', sources='["m1"]', extra='topics = ["spBv1.0/p/+/e/x"]\nnames = {x = "m1"}\n'),
        SPARKPLUG, [reading({"power": 0.6065}, source="m1")], topic="spBv1.0/p/DDATA/e/x",
    ),
    "json by paths, naive local time": Case(
        speaker("json", '[{item = "register", name = "ENERGY.Total", unit = "kWh"}, {item = "power", name = "ENERGY.Power", unit = "W"}]',
                'time = "Time"\ntime_format = "rfc3339"', sources='["m1"]', extra='zone = "Asia/Shanghai"\n'),
        text(TASMOTA), [reading({"register": 3.185, "power": 0.012}, source="m1")],
    ),
    "senml json, resolved, base name is whose": Case(speaker("senml-json", extra=SENML_NAMES), text(SENML), [reading({"pm25": 38.0, "co": 0.9005})]),
    "senml json, relative time": Case(
        speaker("senml-json", '[{item = "pm25", name = "a1:pm25"}]'), '[{"n":"a1:pm25","u":"kg/m3","v":3.8e-8,"t":-60}]', [reading({"pm25": 38.0})]
    ),
    "senml json, base value": Case(
        speaker("senml-json", '[{item = "pm25", name = "x", unit = "ug/m3"}]'), text([{"n": "x", "bv": 20.1, "v": 0.2, "t": T}]), [reading({"pm25": 20.3})]
    ),
    "senml sum as the vendor's register": Case(
        speaker("senml-json", REGISTER.replace("SENT", "kWh").replace("MEANT", "register"), sources='["m1"]'),
        COUNTER.replace("UNIT", "kWh"), [reading({"register": 12345.6}, source="m1")],
    ),
    "senml sum as the standard's integral": Case(
        speaker("senml-json", REGISTER.replace("SENT", "W").replace("MEANT", "integral"), sources='["m1"]'),
        COUNTER.replace("UNIT", "W").replace("12345.6", "3600000"), [reading({"register": 1.0}, source="m1")],
    ),
    "senml sum without a word in the registry": Case(
        speaker("senml-json", REGISTER.replace(', sum = "MEANT"', "").replace("SENT", "kWh"), sources='["m1"]'),
        COUNTER.replace("UNIT", "kWh"), [], [("bad-schema", "register")],
    ),
    "senml must-understand field": Case(speaker("senml-json"), '[{"n":"pm25","v":1,"x_":2}]', [], [("bad-schema", None)]),
    "senml newer version": Case(speaker("senml-json"), '[{"bver":11,"n":"pm25","v":1}]', [], [("bad-schema", None)]),
    "senml name of another device": Case(
        speaker("senml-json", extra=SENML_NAMES), text([{"bn": "urn:dev:mac:ffff:", "bt": T, "n": "pm25", "v": 38}]), [], [("unknown-source", None)]
    ),
    "senml unit that cannot be": Case(
        speaker("senml-json", '[{item = "pm25", name = "x"}]'), text([{"n": "x", "u": "Cel", "v": 3, "t": T}]), [], [("unit-mismatch", "pm25")]
    ),
    "senml cbor": Case(speaker("senml-cbor", extra=SENML_NAMES), cbor2.dumps(CBOR), [reading({"pm25": 38.0, "co": 0.9})]),
    "senml cbor cut off": Case(speaker("senml-cbor", extra=SENML_NAMES), cbor2.dumps(CBOR)[:-3], [], [("bad-encoding", None)]),
    "senml json, a time of hundreds of digits": Case(
        speaker("senml-json", extra=SENML_NAMES), text([{**SENML[0], "bt": 0, "t": 10**350}, {**SENML[1], "t": T}]), [reading({"co": 0.9005})], [("bad-schema", None)]
    ),
    "senml cbor, a value that Python does not write": Case(
        speaker("senml-cbor", extra=SENML_NAMES), cbor2.dumps([{**CBOR[0], 2: 10**5_000}, CBOR[1]]), [reading({"co": 0.9})], [("bad-schema", "pm25")]
    ),
    "senml cbor, a time that Python does not write": Case(
        speaker("senml-cbor", extra=SENML_NAMES), cbor2.dumps([{**CBOR[0], 6: 10**5_000}, CBOR[1]]), [reading({"co": 0.9})], [("bad-schema", None)]
    ),
    "senml cbor, a time beyond every decimal": Case(
        speaker("senml-cbor", extra=SENML_NAMES), cbor2.dumps([{**CBOR[0], 6: Decimal("1e999999")}, {**CBOR[1], 6: Decimal("1e999999")}]), [], [("not-finite", None)]
    ),
    "line protocol": Case(
        speaker("line-protocol", more='source = "station"', extra='names = {"cp01" = "a1"}\n'),
        f"# comment\nair,station=cp01,qc=N pm25=38,co=0.9 {T}000000000\nair,station=cp01,qc=D pm25=81i {T - 60}000000000",
        [reading({"pm25": 38.0, "co": 0.9}), reading({"pm25": 81.0}, -60, flags={"pm25": "D"})],
    ),
    "line protocol without a time": Case(speaker("line-protocol"), "air pm25=38", [], [("bad-schema", None)]),
    "line protocol in seconds where nanoseconds are registered": Case(speaker("line-protocol"), f"air pm25=38 {T}", [], [("bad-schema", None)]),
    "line protocol in seconds, registered so": Case(speaker("line-protocol", more='time_format = "s"'), f"air pm25=38 {T}", [reading({"pm25": 38.0})]),
    "line protocol, text and truth are no numbers": Case(
        speaker("line-protocol"), f'air pm25="38",co=t {T}000000000', [], [("bad-schema", "pm25"), ("bad-schema", "co")]
    ),
    "line protocol, escapes": Case(
        speaker("line-protocol", '[{item = "pm25", name = "p m,25"}]', 'source = "st ation"', extra='names = {"c=1" = "a1"}\n'),
        rf"a\ ir,st\ ation=c\=1 p\ m\,25=3.5 {T}000000000", [reading({"pm25": 3.5})],
    ),
    "telegraf json": Case(
        speaker("telegraf-json", more='source = "station"', extra='names = {"cp01" = "a1"}\n'),
        text({"fields": {"pm25": 38, "co": 0.9}, "name": "air", "tags": {"station": "cp01"}, "timestamp": T}), [reading({"pm25": 38.0, "co": 0.9})],
    ),
    "telegraf json, batch": Case(
        speaker("telegraf-json"),
        text({"metrics": [{"fields": {"pm25": 38}, "name": "air", "tags": {}, "timestamp": at} for at in (T, T - 60)]}),
        [reading({"pm25": 38.0}), reading({"pm25": 38.0}, -60)],
    ),
    "telegraf json, a mark that is no text": Case(
        speaker("telegraf-json"), text({"fields": {"pm25": 38}, "name": "air", "tags": {"qc": [1], "": [2]}, "timestamp": T}),
        [reading({"pm25": 38.0}, flags={"pm25": "D"})],
    ),
    "iotda, a gateway's children": Case(
        speaker("iotda", sources='["a1", "a2"]', extra='names = {c1 = "a1", c2 = "a2"}\n'),
        text({"devices": [{"device_id": "c2", **IOTDA}, {"device_id": "c1", **IOTDA}]}),
        [reading({"pm25": 41.0, "co": 0.7}, source="a2"), reading({"pm25": 41.0, "co": 0.7})],
    ),
    "iotda, children that are none": Case(speaker("iotda"), text({"devices": [1]}), [], [("bad-schema", None)]),
    "thingsboard": Case(speaker("thingsboard"), text({"ts": TS + 512, "values": {"pm25": 42}}), [reading({"pm25": 42.0})]),
    "thingsboard in seconds": Case(speaker("thingsboard"), text({"ts": T, "values": {"pm25": 42}}), [], [("bad-schema", None)]),
    "thingsboard, bare, arrival not allowed": Case(speaker("thingsboard"), text({"pm25": 42}), [], [("bad-schema", None)]),
    "thingsboard, bare, arrival allowed": Case(speaker("thingsboard", more="arrival = true"), text({"pm25": 42}), [reading({"pm25": 42.0}, 60)]),
    "thingsboard, list": Case(
        speaker("thingsboard"), text([{"ts": TS, "values": {"pm25": 1}}, {"ts": TS - 60_000, "values": {"pm25": 2}}]),
        [reading({"pm25": 1.0}), reading({"pm25": 2.0}, -60)],
    ),
    "thingsboard, gateway": Case(
        speaker("thingsboard", sources='["a1", "a2"]', extra='names = {"Device A" = "a2"}\n'),
        text({"Device A": [{"ts": TS, "values": {"pm25": 42}}], "Device B": [{"ts": TS, "values": {"pm25": 43}}]}),
        [reading({"pm25": 42.0}, source="a2")], [("unknown-source", None)],
    ),
    "alink": Case(speaker("alink"), text(ALINK), [reading({"pm25": 23.6, "co": 0.8})]),
    "alink, bare values": Case(speaker("alink"), text({**ALINK, "params": {"pm25": 23.6}}), [], [("bad-schema", None)]),
    "alink, another method": Case(speaker("alink"), text({**ALINK, "method": "thing.service.x"}), [], [("bad-schema", None)]),
    "alink, unknown property": Case(
        speaker("alink"), text({**ALINK, "params": {"pm25": {"value": 1, "time": TS}, "x:y": {"value": 2, "time": TS}}}),
        [reading({"pm25": 1.0})], [("unknown-item", "x:y")],
    ),
    "onenet": Case(speaker("onenet"), text({"id": "123", "params": {"pm25": {"value": 23.6, "time": TS}}}), [reading({"pm25": 23.6})]),
    "iotda, compact": Case(
        speaker("iotda", extra='topics = ["$oc/devices/x1/sys/properties/+"]\n'), text(IOTDA), [reading({"pm25": 41.0, "co": 0.7})],
        topic="$oc/devices/x1/sys/properties/report?request_id=7",
    ),
    "iotda, milliseconds": Case(
        speaker("iotda"), text(IOTDA).replace("20261123T010000Z", "2026-11-23T01:00:00.250Z"), [reading({"pm25": 41.0, "co": 0.7})]
    ),
    "iotda, malformed time": Case(speaker("iotda"), text(IOTDA).replace("20261123T010000Z", "20261123 010000"), [], [("bad-schema", None)]),
    "jetlinks": Case(
        speaker("jetlinks", extra='topics = ["/prod/dev1/properties/report"]\n'), text({"properties": {"pm25": 12}, "timestamp": TS}),
        [reading({"pm25": 12.0})], topic="/prod/dev1/properties/report",
    ),
    "gateway, wide": Case(
        speaker("gateway-wide", METER, 'source = "addr"\narrival = true\nignore = ["ID"]', sources='["m1", "m2"]', extra=TWO), WIDE,
        [reading({"register": 5715.7, "power": 308.08, "pf": 0.58371}, 60, "m1")],
    ),
    "gateway, wide, a failed read leaves its key out": Case(
        speaker("gateway-wide", METER, 'source = "addr"\narrival = true\nignore = ["ID"]', sources='["m1", "m2"]', extra=TWO),
        '{"addr":"28","P":1}', [reading({"power": 1.0}, 60, "m2")],
    ),
    "gateway, wide, an address that nobody registered": Case(
        speaker("gateway-wide", METER, 'source = "addr"\narrival = true', sources='["m1", "m2"]', extra=TWO), '{"addr":29,"P":1}', [], [("unknown-source", None)]
    ),
    "gateway, list: the value's own time, keys with blanks, units of the message": Case(
        speaker("gateway-list", '[{item = "current", name = "A相电流"}, {item = "register", name = "正向有功总电能"}]', 'time = "ts "', sources='["m1"]'),
        text(LISTED), [reading({"current": 0.25}, -259_200, "m1"), reading({"register": 5715.7}, 0, "m1")],
    ),
    "gateway, array": Case(
        speaker("gateway-devices", METER, "arrival = true", sources='["m1", "m2"]', extra=TWO),
        text([{"i": "27", "c": "func", "v": {"Ep": 1, "P": 2}}, {"i": "28", "v": {"Ep": 3}}]),
        [reading({"register": 1.0, "power": 2.0}, 60, "m1"), reading({"register": 3.0}, 60, "m2")],
    ),
    "plain value": Case(
        speaker("plain", '[{item = "pm25", name = "pm25"}]', "arrival = true", extra='topics = ["yard/pm25"]\n'), "38\n", [reading({"pm25": 38.0}, 60)],
        topic="yard/pm25",
    ),
    "plain value, words": Case(
        speaker("plain", '[{item = "pm25", name = "pm25"}]', "arrival = true", extra='topics = ["yard/pm25"]\n'), "N/A", [], [("bad-schema", "pm25")],
        topic="yard/pm25",
    ),
    "sentinel before scaling": Case(
        speaker("gateway-wide", '[{item = "temp", name = "t", scale = "0.1"}, {item = "rh", name = "h"}]', "sentinels = [-9999, 65535]\narrival = true"),
        '{"t":-9999,"h":51}', [reading({"rh": 51.0}, 60)], [("value-out-of-range", "temp")],
    ),
    "a 32-bit misread does not pass": Case(
        speaker("gateway-wide", '[{item = "pf", name = "PF", unit = "%"}]', "arrival = true", sources='["m1"]'), '{"PF":42949066.16}', [],
        [("value-out-of-range", "pf")],
    ),
    "a key twice": Case(speaker("gateway-wide", more="arrival = true"), '{"pm25":1,"pm25":2}', [], [("bad-schema", None)]),
    "NaN": Case(speaker("gateway-wide", more="arrival = true"), '{"pm25":NaN,"co":1}', [reading({"co": 1.0}, 60)], [("not-finite", "pm25")]),
    "GBK": Case(speaker("gateway-wide", more="arrival = true"), '{"电":1}'.encode("gbk"), [], [("bad-encoding", None)]),
    "null is a failed read": Case(speaker("gateway-wide", more="arrival = true"), '{"pm25":null,"co":1}', [reading({"co": 1.0}, 60)]),
    "numbers as text": Case(speaker("gateway-wide", more="arrival = true"), '{"pm25":"35.67","co":true}', [reading({"pm25": 35.67}, 60)], [("bad-schema", "co")]),
}  # fmt: skip


def test_every_format_has_a_golden_message() -> None:
    """Written by hand and accepted; those of HJ 212 are the vectors of test_hj212.py."""
    accepted = {found[1] for case in CASES.values() if case.stored and (found := re.search(r'\nformat = "([\w-]+)"', case.devices))}

    assert set(DIALECTS) == accepted


@pytest.mark.parametrize("name", CASES)
def test_golden_messages(name: str) -> None:
    """What is understood becomes exactly this; what is not is refused for exactly this."""
    case = CASES[name]
    verdicts = judge(house(case.devices), case.payload, case.topic)

    assert case.stored == stored(verdicts)
    assert case.reasons == reasons(verdicts)


def test_a_rule_and_a_look_that_disagree_are_both_named() -> None:
    """The rule decides; the message says what it seems to be, so that the operator sees which of both is wrong."""
    (verdict,) = judge(house(speaker("alink")), text(SENML))

    assert "bad-schema" == verdict.refused[0].reason
    assert "senml-json" in verdict.refused[0].detail


def test_a_foreign_topic_belongs_to_its_device_alone() -> None:
    """Another topic is nobody's, and a retained copy is no reading."""
    county = house(speaker("plain", '[{item = "pm25", name = "pm25"}]', "arrival = true", extra='topics = ["yard/pm25"]\n'))

    retained = Acceptor(county).judge(Message(b"38", "yard/pm25", flags=3))

    assert [("unknown-device", None)] == reasons(judge(county, "38", "street/pm25"))
    assert ([("retained", None)], "d1") == (reasons(retained), retained[0].device)


def test_the_same_hour_of_three_tongues_is_one_cell() -> None:
    """Start-labelled HJ 212, end-labelled JSON of ours, naive local time of a Tasmota: one hour."""
    tasmota = rule("json", '[{item = "pm25", name = "PMS5003.\\"PM2.5\\""}]', 'time = "Time"\ntime_format = "rfc3339"\nspan = 3600')
    county = house(
        device('["a1"]', 'format = "hj212"\nnames = {"010000A8900016F000169DC0" = "a1"}', "h")
        + device('["a2"]', "", "n")
        + device('["w1"]', "", "unused")
        + device('["s1"]', 'mapping = "r"\nzone = "Asia/Shanghai"', "t").replace('["s1"]', '["c1"]')
        + '[[city]]\nid = "c1"\nname = "某市"\n'
        + tasmota
    )
    from tests.ingest.decoders.test_hj212 import VECTORS

    native = b'{"time":"2026-11-23T09:00:00+08:00","span":3600,"values":{"pm25":58}}'
    verdicts = [
        *judge(county, VECTORS["V7"].frame, "lanbi/v1/h/data"),
        *judge(county, native, "lanbi/v1/n/data"),
        *judge(county, '{"Time":"2026-11-23T09:00:00","PMS5003":{"PM2.5":58}}', "lanbi/v1/t/data"),
    ]

    assert [(0, 3600, 58.0)] * 3 == [(at, span, values["pm25"]) for _, at, span, values, _ in stored(verdicts)]


def test_naive_time_without_a_zone_is_refused() -> None:
    """A guess would move the value by hours."""
    county = house(speaker("json", '[{item = "pm25", name = "p"}]', 'time = "Time"\ntime_format = "rfc3339"'))

    assert [("naive-time", None)] == reasons(judge(county, '{"Time":"2026-11-23T09:00:00","p":1}'))

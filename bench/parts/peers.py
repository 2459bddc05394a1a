"""The tools that users would otherwise take: Telegraf, and the code of the tutorials.

As a program, ``python bench/parts/peers.py BROKER_PORT URL ORG BUCKET TOKEN`` is that code: paho-mqtt's loop, ``json.loads`` in its callback, a
``Point`` of influxdb-client, its batching ``WriteApi``. It ends in order when it is told to.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
BATCH: Final = 5_000
PREFIX: Final = "values_"
"""What Telegraf's JSON parser puts before the names of items that stand in an object of their own."""
ITEMS: Final = ("pm25", "pm10", "so2", "no2", "co", "o3", "temp", "rh", "pressure", "wind_speed", "wind_dir")
_TELEGRAF: Final = """[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 1000000
  omit_hostname = true
  quiet = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:BROKER"]
  topics = ["lanbi/v1/+/data"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "telegraf"
  max_undelivered_messages = 20000
  name_override = "air"
PARSER
[[outputs.influxdb_v2]]
  urls = ["URL"]
  token = "TOKEN"
  organization = "ORG"
  bucket = "BUCKET"
  content_encoding = "identity"
"""
"""Tuned for this work: acknowledged after the write, large batches and windows, no compression on the loopback."""
_TOPIC: Final = """
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "lanbi/v1/+/data"
    tags = "_/_/site/_"
"""
_JSON: Final = (
    """  data_format = "json"
  tag_keys = ["span"]
  json_time_key = "time"
  json_time_format = "2006-01-02T15:04:05Z07:00"
  fieldexclude = ["seq"]"""
    + _TOPIC
)
_RENAME: Final = "[[processors.rename]]\n" + "".join(f'  [[processors.rename.replace]]\n    field = "{PREFIX}{item}"\n    dest = "{item}"\n' for item in ITEMS)
_XPATH: Final = (
    """  data_format = "xpath_json"
  xpath_native_types = true"""
    + _TOPIC
    + """  [[inputs.mqtt_consumer.xpath]]
    metric_name = "'air'"
    metric_selection = "EACH"
    timestamp = "time"
    timestamp_format = "2006-01-02T15:04:05Z07:00"
    field_selection = "values/*"
    [inputs.mqtt_consumer.xpath.tags]
      span = "string(span)"
"""
)
CHEAPEST: Final = "telegraf, other names"
TELEGRAFS: Final = {CHEAPEST: (_JSON, ""), "telegraf": (_JSON, _RENAME), "telegraf, xpath_json": (_XPATH, "")}
"""Three ways to take our messages: how they are parsed, and what is done to them then.

Telegraf's JSON parser is the cheapest, but calls the fields of an object ``values_pm25``: what it stores are not lanbi's rows. With the names
put right behind it, it is the cheapest way to the same rows; that was found by trying all of them on 12,000 messages of one reading, 20,000
readings in tens and 40,000 in hundreds, in µs of its processor a reading: names as they come 28, 15.5, 13.8; ``processors.rename`` 31, 17.5,
14.8; ``processors.strings`` 31, 21.5, 15.8; ``processors.regex`` 37; the parser ``json_v2`` 38, 25, 23; ``xpath_json`` 58, 43, 35. The last is
what Telegraf's documentation sends its users to ("should be avoided in favor of the XPath parser", it says of json_v2; plugins/parsers/json_v2).
"""


class Target(NamedTuple):
    """Where a service writes: address, token, organisation, bucket."""

    url: str
    token: str
    org: str
    bucket: str


def configuration(name: str, broker: int, target: Target, *, many: bool) -> str:
    """Telegraf's settings for one of :data:`TELEGRAFS`; ``many``: messages are lists."""
    parser, processor = TELEGRAFS[name]
    places = {"BROKER": str(broker), "URL": target.url, "TOKEN": target.token, "ORG": target.org, "BUCKET": target.bucket, "EACH": "/*" if many else "/"}
    text = _TELEGRAF.replace("PARSER", parser) + processor
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def telegraf() -> str | None:
    """Telegraf, built by `make bench-peers` or on PATH."""
    built = ROOT / ".services" / "telegraf"
    return str(built) if built.exists() else shutil.which("telegraf")


def tutorial(broker: int, url: str, org: str, bucket: str, token: str) -> None:
    """What every tutorial writes, until SIGTERM."""
    import paho.mqtt.client as mqtt
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write.point import Point
    from influxdb_client.client.write_api import WriteOptions
    from paho.mqtt.enums import CallbackAPIVersion

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="tutorial", clean_session=False)
    with InfluxDBClient(url=url, token=token, org=org) as db, db.write_api(write_options=WriteOptions(batch_size=BATCH)) as api:

        def heard(_client: object, _user: object, message: Any) -> None:
            seen = json.loads(message.payload)
            site = message.topic.split("/")[2]
            for one in seen if isinstance(seen, list) else [seen]:
                point = Point("air").tag("site", site).tag("span", str(one["span"])).time(datetime.fromisoformat(one["time"]))
                for name, value in one["values"].items():
                    point.field(name, float(value))
                api.write(bucket=bucket, record=point)

        client.on_message = heard
        client.on_connect = lambda one, *_: one.subscribe("lanbi/v1/+/data", 1)
        client.on_subscribe = lambda *_: print("ready", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: client.disconnect())
        client.connect("127.0.0.1", broker)
        client.loop_forever()


if __name__ == "__main__":
    tutorial(int(sys.argv[1]), *sys.argv[2:6])

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
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
BATCH: Final = 5_000
TELEGRAF: Final = """[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = {batch}
  metric_buffer_limit = 1000000
  omit_hostname = true
  quiet = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{broker}"]
  topics = ["lanbi/v1/+/data"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "telegraf"
  max_undelivered_messages = 20000
  name_override = "air"
  data_format = "json"
  tag_keys = ["span"]
  json_time_key = "time"
  json_time_format = "2006-01-02T15:04:05Z07:00"
  fieldexclude = ["seq"]
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "lanbi/v1/+/data"
    tags = "_/_/site/_"
[[outputs.influxdb_v2]]
  urls = ["{url}"]
  token = "{token}"
  organization = "{org}"
  bucket = "{bucket}"
  content_encoding = "identity"
"""
"""Tuned for this work: acknowledged after the write, large batches and windows, the cheaper of its JSON parsers, no compression on the loopback."""


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

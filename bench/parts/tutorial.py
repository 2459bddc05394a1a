"""The tutorial's service: FastAPI over influxdb-client, as every first page of a search shows it. A peer for bench/api.py, run as a program."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from influxdb_client.client.influxdb_client import InfluxDBClient


def app(url: str, token: str, org: str) -> FastAPI:
    """One route: a figure of a scope by day."""
    made = FastAPI()
    client = InfluxDBClient(url=url, token=token, org=org)

    @made.get("/figures")
    def figures(figure: str, scope: str, start: str, stop: str) -> list[dict[str, object]]:
        flux = f"""from(bucket: "lanbi-figures") |> range(start: {start}, stop: {stop})
            |> filter(fn: (r) => r._measurement == "indicator" and r.figure == "{figure}" and r.scope == "{scope}" and r.period == "day" and r._field == "value")
            |> sort(columns: ["_time"])"""
        return [{"time": row.get_time().isoformat(), "value": row.get_value()} for table in client.query_api().query(flux) for row in table.records]

    return made


if __name__ == "__main__":
    uvicorn.run(app(sys.argv[1], sys.argv[2], "lanbi"), host="127.0.0.1", port=int(sys.argv[3]), log_level="error")

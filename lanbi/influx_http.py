"""Talking to InfluxDB 2.x: one body written, one answer read.

Writes go through influxdb-client's synchronous way only: its batching thread drops what it could not deliver.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

import pyarrow as pa
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.delete_predicate_request import DeletePredicateRequest
from influxdb_client.service.delete_service import DeleteService
from pyarrow import csv

from domain.errors import StoreAway, StoreRefused
from lanbi.influx_tables import Row, Table, rows_of
from lanbi.influx_words import ours, pause, refusal, statement_error
from lanbi.secret import Secret

WRITE_MS: Final = 30_000
DELETE_MS: Final = 10_000
DELETE_TRIES: Final = 3
CONNECT_S: Final = 5
READ_S: Final = urllib3.Timeout(connect=CONNECT_S, read=60)
LINES: Final = 5_000
"""Lines of one body at most: 0.1 µs a line at the client, and what one refused line may hold up stays small."""
FEW: Final = 250
"""Smaller bodies than this would not help a server that is too slow for them."""
PROOF: Final = "SHOW DATABASES"
PROVEN: Final = b"name,tags,name\ndatabases,"


class Place(NamedTuple):
    """A database: address, organisation, the prefix of its buckets, and how long a question may take [s]."""

    url: str
    org: str
    prefix: str
    patience_s: float = 60.0


class Influx:
    """One database with one token; many threads may read and write."""

    def __init__(self, place: Place, token: Secret) -> None:
        self.place = place
        self._token = token
        self._head = {"Authorization": f"Token {token.reveal()}"}
        self._client = InfluxDBClient(url=place.url, token=token.reveal(), org=place.org, timeout=WRITE_MS)
        self._writes = self._client.write_api(write_options=SYNCHRONOUS)
        self._deletes = DeleteService(self._client.api_client)  # type: ignore[no-untyped-call]  # the library has no types here
        self._pool = urllib3.PoolManager(retries=False, maxsize=8, timeout=urllib3.Timeout(connect=CONNECT_S, read=place.patience_s))
        self._largest = self._size = LINES

    def write(self, bucket: str, lines: Sequence[bytes]) -> None:
        """Send lines, as one body unless that has proved too large or too slow; back only when the server has them on disk."""
        done = 0
        while done < len(lines):
            part = lines[done : done + self._size]
            try:
                self._post(bucket, part)
            except StoreRefused as error:
                if error.status != "413" or len(part) == 1:
                    raise
                self._largest = self._size = len(part) // 2
                continue
            except StoreAway as error:
                if error.status == "timeout":
                    self._size = max(FEW, len(part) // 2)
                raise
            done += len(part)
            self._size = min(self._largest, 2 * self._size)

    def _post(self, bucket: str, lines: Sequence[bytes]) -> None:
        with ours(self.place.url):
            self._writes.write(self.place.prefix + bucket, self.place.org, b"\n".join(lines))

    def delete(self, table: Table, tags: tuple[str, ...], first: int, last: int) -> None:
        """Delete the rows of one series with first ≤ time ≤ last [ns]."""
        words = [f'_measurement="{table.name}"', *(f"{name}={json.dumps(value)}" for name, value in zip(table.tags, tags, strict=True))]
        asked = DeletePredicateRequest(_instant(first), _instant(last), " AND ".join(words))  # type: ignore[no-untyped-call]  # as above
        for tried in range(1, DELETE_TRIES + 1):
            try:
                with ours(self.place.url):
                    self._deletes.post_delete(asked, bucket=self.place.prefix + table.bucket, org=self.place.org, _request_timeout=DELETE_MS)  # type: ignore[no-untyped-call]
            except StoreAway as error:
                if error.status != "timeout" or tried == DELETE_TRIES:
                    raise
            else:
                return

    def retention(self, bucket: str) -> int:
        """How long a bucket keeps its rows [s]; 0 = for ever, or it cannot be seen."""
        address = f"{self.place.url.rstrip('/')}/api/v2/buckets?{urlencode({'org': self.place.org, 'name': self.place.prefix + bucket})}"
        with ours(self.place.url):
            answer = self._pool.request("GET", address, headers=self._head)
        if answer.status != 200:
            return 0
        try:
            (found,) = answer.json()["buckets"]
            return sum(int(rule["everySeconds"]) for rule in found["retentionRules"])
        except (ValueError, KeyError, TypeError):
            return 0

    def select(self, table: Table, *statements: str) -> list[Row]:
        """Rows of several SELECTs of the same table, in their order."""
        answer = self.table(table, *statements)
        with ours(self.place.url):
            return list(rows_of(table, answer)) if answer else []

    def table(self, table: Table, *statements: str) -> pa.Table | None:
        """The same rows as columns; None without any."""
        answer = self._csv(table.bucket, "; ".join(statements))
        with ours(self.place.url):
            return parsed(answer, table) if answer else None

    def series(self, table: Table, where: str = "") -> dict[tuple[str, ...], int]:
        """Every series of a table with the time [ns] of its newest row."""
        tags = ", ".join(f'"{name}"' for name in table.tags)
        answer = self._csv(table.bucket, f'SELECT last("{table.always}") AS "last", {tags} FROM "{table.name}"{where} GROUP BY {tags}')  # noqa: S608  our own names
        with ours(self.place.url):
            return {row.tags: row.time for row in rows_of(table._replace(floats=(), texts=()), parsed(answer, table))} if answer else {}

    def _csv(self, bucket: str, text: str) -> bytes:
        """Answer of statements, without the proof at its end.

        In CSV the server leaves the error of a statement out: a missing bucket would look like an empty one. It executes
        nothing behind an error, so a last statement that always has an answer proves that all before it were well.
        """
        answer, found, _ = self._ask(bucket, f"{text}; {PROOF}", "application/csv").rpartition(PROVEN)
        if not found:
            raise statement_error(self._ask(bucket, text, "application/json").decode(errors="replace"), self.place.url)
        return answer.strip(b"\n")

    def _ask(self, bucket: str, text: str, form: str) -> bytes:
        fields = {"db": self.place.prefix + bucket, "epoch": "ns", "q": text}
        address = f"{self.place.url.rstrip('/')}/query"
        with ours(self.place.url):
            answer = self._pool.request("POST", address, fields=fields, headers={**self._head, "Accept": form}, encode_multipart=False)
        if answer.status != 200:
            raise refusal(answer.status, answer.data.decode(errors="replace"), pause(answer.headers), self.place.url)
        return bytes(answer.data)

    def close(self) -> None:
        """Give connections back."""
        self._pool.clear()
        self._client.close()  # type: ignore[no-untyped-call]  # the library has no types here


def parsed(answer: bytes, table: Table) -> pa.Table:
    """The CSV of one or several statements with the same columns: numbers as float64, tags and texts as text."""
    head, _, rest = answer.partition(b"\n")
    data = head + b"\n" + rest.replace(b"\n\n" + head + b"\n", b"\n") + b"\n"
    types = {name: pa.float64() for name in table.floats} | {name: pa.string() for name in (*table.tags, *table.texts)} | {"time": pa.int64()}
    return csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True),
    )


def _instant(time: int) -> str:
    seconds, rest = divmod(time, 10**9)
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"

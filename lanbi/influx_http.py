"""Talking to InfluxDB 2.x: one body written, one answer read, and the server's words as ours.

Writes go through influxdb-client's synchronous way only: its batching thread drops what it could not deliver.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import pyarrow as pa
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from pyarrow import csv

from domain.errors import LanbiError, StoreAway, StoreRefused
from lanbi.influx_tables import Row, Table, rows_of
from lanbi.secret import Secret

WRITE_MS: Final = 30_000
READ_S: Final = urllib3.Timeout(connect=5, read=60)
BUSY: Final = (429, 503)
WAIT: Final = "see whether InfluxDB runs and store.url is right; readings wait in the journal"
NO_SUCH: Final = "`lanbi store init` makes the buckets; see store.org and store.bucket"
REFUSALS: Final = {
    401: ("the store does not accept the token", "store.token_file and store.read_token_file: `lanbi store init` writes new ones"),
    403: ("the token may not do this", "`lanbi store init` writes tokens with the right permissions"),
    404: ("the store has no such bucket or organisation", NO_SUCH),
    413: ("the store finds the request too large", "raise its limit of a request"),
}
PROOF: Final = "SHOW DATABASES"
PROVEN: Final = b"name,tags,name\ndatabases,"
CONFLICT: Final = ("field type conflict", "partial write", "unable to parse")


class Place(NamedTuple):
    """A database: address, organisation and the prefix of its buckets."""

    url: str
    org: str
    prefix: str


class Influx:
    """One database with one token; many threads may read and write."""

    def __init__(self, place: Place, token: Secret) -> None:
        self.place = place
        self._token = token
        self._client = InfluxDBClient(url=place.url, token=token.reveal(), org=place.org, timeout=WRITE_MS)
        self._writes = self._client.write_api(write_options=SYNCHRONOUS)
        self._deletes = self._client.delete_api()
        self._pool = urllib3.PoolManager(retries=False, maxsize=8)

    def write(self, bucket: str, lines: Sequence[str]) -> None:
        """Send lines as one body; back only when the server has them on disk."""
        with self._words():
            self._writes.write(self.place.prefix + bucket, self.place.org, "\n".join(lines).encode())

    def delete(self, table: Table, tags: tuple[str, ...], first: int, last: int) -> None:
        """Delete the rows of one series with first ≤ time ≤ last [ns]."""
        words = [f'_measurement="{table.name}"', *(f"{name}={json.dumps(value)}" for name, value in zip(table.tags, tags, strict=True))]
        with self._words():
            self._deletes.delete(_instant(first), _instant(last), " AND ".join(words), self.place.prefix + table.bucket, self.place.org)

    def select(self, table: Table, *statements: str) -> list[Row]:
        """Rows of several SELECTs of the same table, in their order."""
        answer = self._csv(table.bucket, "; ".join(statements))
        return list(rows_of(table, parsed(answer, table))) if answer else []

    def series(self, table: Table, where: str = "") -> dict[tuple[str, ...], int]:
        """Every series of a table with the time [ns] of its newest row."""
        tags = ", ".join(f'"{name}"' for name in table.tags)
        answer = self._csv(table.bucket, f'SELECT last("{table.always}") AS "last", {tags} FROM "{table.name}"{where} GROUP BY {tags}')  # noqa: S608  our own names
        return {row.tags: row.time for row in rows_of(table._replace(floats=(), texts=()), parsed(answer, table))} if answer else {}

    def _csv(self, bucket: str, text: str) -> bytes:
        """Answer of statements, without the proof at its end.

        In CSV the server leaves the error of a statement out: a missing bucket would look like an empty one. It executes
        nothing behind an error, so a last statement that always has an answer proves that all before it were well.
        """
        answer, found, _ = self._ask(bucket, f"{text}; {PROOF}", "application/csv").rpartition(PROVEN)
        if not found:
            raise _statement_error(self._ask(bucket, text, "application/json").decode(errors="replace"), self.place)
        return answer.strip(b"\n")

    def _ask(self, bucket: str, text: str, form: str) -> bytes:
        fields = {"db": self.place.prefix + bucket, "epoch": "ns", "q": text}
        head = {"Authorization": f"Token {self._token.reveal()}", "Accept": form}
        with self._words():
            answer = self._pool.request("POST", f"{self.place.url.rstrip('/')}/query", fields=fields, headers=head, encode_multipart=False, timeout=READ_S)
        if answer.status != 200:
            raise refusal(answer.status, answer.data.decode(errors="replace"), answer.headers.get("Retry-After"), self.place.url)
        return bytes(answer.data)

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise refusal(int(error.status or 0), str(error.body or error.reason), _retry_after(error), self.place.url) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreAway(f"the store does not answer: {_first_line(error)}", self.place.url, WAIT) from error

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


def refusal(status: int, body: str, retry_after: str | None, url: str) -> LanbiError:
    """What an answer means: away and worth repeating, or refused and worth a person.

    A type conflict is told by its words, not by its status: some versions answer 500 to it.
    """
    said = _message(body)
    if status in REFUSALS:
        what, todo = REFUSALS[status]
        return StoreRefused(f"{what} ({status}: {said})", url, todo)
    conflict = any(word in said for word in CONFLICT)
    if status in BUSY or (status >= 500 and not conflict) or status == 0:
        wait = f", asks for {retry_after} s" if retry_after else ""
        return StoreAway(f"the store cannot answer now ({status}: {said}{wait})", url, WAIT)
    return StoreRefused(f"the store refuses what was sent ({status}: {said})", url, "the rest of the batch may be stored; see the message for the line")


def _statement_error(body: str, place: Place) -> LanbiError:
    said = _message(body)
    if "not found" in said:
        return StoreRefused(f"the store has no such bucket, or the token may not read it ({said})", place.url, NO_SUCH)
    return StoreAway(f"the store did not answer the question ({said})", place.url, WAIT)


def _message(body: str) -> str:
    try:
        told: Any = json.loads(body)
    except ValueError:
        return body.strip()[:300]
    if not isinstance(told, dict):
        return body.strip()[:300]
    results = told.get("results") or [{}]
    failed = next((one["error"] for one in results if "error" in one), "")
    return str(told.get("message") or told.get("error") or failed or body)[:300]


def _retry_after(error: ApiException) -> str | None:
    return error.headers.get("Retry-After") if error.headers else None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _instant(time: int) -> str:
    seconds, rest = divmod(time, 10**9)
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"

"""The words of an InfluxDB, and of the libraries that talk to it, as ours: away and worth repeating, or refused and worth a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Final

import pyarrow as pa
import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.rest import ApiException

from domain.errors import LanbiError, StoreAway, StoreRefused

BUSY: Final = (429, 503)
WAIT: Final = "看 InfluxDB 是否运行、store.url 是否正确 see whether InfluxDB runs and store.url is right; readings wait in the journal"
NO_SUCH: Final = "`lanbi store init` 建桶 makes the buckets; see store.org and store.bucket"
REFUSALS: Final = {
    401: ("令牌无效 the store does not accept the token", "store.token_file, store.read_token_file: `lanbi store init` 写新令牌 writes new ones"),
    403: ("令牌无此权限 the token may not do this", "`lanbi store init` 写有权限的令牌 writes tokens with the right permissions"),
    404: ("没有该桶或组织 the store has no such bucket or organisation", NO_SUCH),
    413: ("请求过大 the store finds the request too large", "raise its limit of a request"),
}
CONFLICT: Final = ("field type conflict", "partial write", "unable to parse")
FOREIGN: Final = (InfluxDBError, urllib3.exceptions.HTTPError, HTTPException, OSError, UnicodeError, pa.lib.ArrowException)
"""Everything that the libraries raise when a server, a network or an answer is not as it should be."""


@contextmanager
def ours(url: str) -> Iterator[None]:
    """Foreign exceptions as errors of the store at ``url``."""
    try:
        yield
    except FOREIGN as error:
        raise translated(error, url) from error


def translated(error: Exception, url: str) -> LanbiError:
    """The error of ours for one of :data:`FOREIGN`."""
    if isinstance(error, ApiException) and error.status:
        return refusal(int(error.status), str(error.body or error.reason), pause(error.headers), url)
    away = StoreAway(f"存储无应答 the store does not answer: {_first_line(error)}", url, WAIT)
    away.status = _status(error)
    return away


def _status(error: Exception) -> str:
    """The label of a failure that has no status of HTTP."""
    if isinstance(error, (urllib3.exceptions.MaxRetryError, urllib3.exceptions.ProtocolError)):
        error = next((cause for cause in (getattr(error, "reason", None), *error.args) if isinstance(cause, Exception)), error)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "connection"
    return "timeout" if isinstance(error, (urllib3.exceptions.TimeoutError, TimeoutError)) else "connection"


def refusal(status: int, body: str, wait_s: float | None, url: str) -> LanbiError:
    """What an answer means.

    A type conflict is told by its words, not by its status: some versions answer 500 to it. Only an error whose ``said`` is set
    is about what was sent.
    """
    said = message(body)
    if status in REFUSALS:
        what, todo = REFUSALS[status]
        refused = StoreRefused(f"{what} ({status}: {said[:300]})", url, todo)
        refused.status = str(status)
        return refused
    conflict = any(word in said for word in CONFLICT)
    if status in BUSY or (status >= 500 and not conflict) or not 400 <= status < 600:
        wait = f", asks for {wait_s:g} s" if wait_s is not None else ""
        away = StoreAway(f"存储现在不能应答 the store cannot answer now ({status}: {said[:300]}{wait})", url, WAIT)
        away.status, away.wait_s = str(status), wait_s
        return away
    refused = StoreRefused(f"存储拒绝所送内容 the store refuses what was sent ({status}: {said[:300]})", url, "见 docs/store.md; readings wait in the journal")
    refused.status, refused.said = str(status), said
    return refused


def statement_error(body: str, url: str) -> LanbiError:
    """Why a question had no answer."""
    said = message(body)[:300]
    if "not found" in said:
        return StoreRefused(f"没有该桶，或令牌不可读 the store has no such bucket, or the token may not read it ({said})", url, NO_SUCH)
    return StoreAway(f"存储未回答 the store did not answer the question ({said})", url, WAIT)


def message(body: str) -> str:
    """The server's own words in an answer."""
    try:
        told: Any = json.loads(body)
    except ValueError:
        return body.strip()
    if not isinstance(told, dict):
        return body.strip()
    results = told.get("results")
    failed = next((one["error"] for one in results if isinstance(one, dict) and "error" in one), "") if isinstance(results, list) else ""
    return str(told.get("message") or told.get("error") or failed or body)


def pause(headers: Mapping[str, str] | None) -> float | None:
    """How long the server asks to be left alone [s], by ``Retry-After`` as seconds or as a date; None if it does not say.

    A date is taken against the server's own ``Date``: its clock need not be ours.

    >>> pause({"Retry-After": "7"}), pause({"Retry-After": "soon"}), pause({})
    (7.0, None, None)
    >>> pause({"Retry-After": "Thu, 26 Nov 2026 23:27:35 GMT", "Date": "Thu, 26 Nov 2026 23:26:35 GMT"})
    60.0
    """
    asked = (headers or {}).get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
        now = parsedate_to_datetime((headers or {}).get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

"""Live check of the store: whether it answers and is whole, and whether each token may do what it must and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode

import urllib3

from domain.errors import StoreAway
from lanbi.embedded_schema import SCHEMA, Connections
from lanbi.influx_setup import Grant, grants
from lanbi.influx_words import WAIT
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.secret import Secret, read_secret
from lanbi.settings import Settings

PART: Final = "store"
PATIENCE_S: Final = 10.0
REFUSED: Final = frozenset({401, 403, 404})
"""How a server says that a token may not: 404 where not even the bucket's name may be known."""
TODO: Final = "lanbi store init --renew"


class Answer(NamedTuple):
    """Status and body."""

    status: int
    text: str


def look(settings: Settings) -> Iterator[Finding]:
    """The file, or the server and its three tokens; nothing is written to either."""
    if settings.store.kind == "embedded":
        yield from _embedded(settings.data / "store.db")
        return
    url = settings.store.url.rstrip("/")
    health = _ask(url, "GET", "/health", None)
    if health.status != 200:
        yield Finding(PART, FAULT, f"InfluxDB 不健康（{health.status}）", f"InfluxDB says that it is not well ({health.status})", "look into its log")
        return
    yield Finding(PART, OK, f"{url} 有应答", f"{url} answers, version {_version(health.text)}")
    anonymous = _ask(url, "GET", "/api/v2/buckets", None)
    if anonymous.status == 200:
        yield Finding(PART, FAULT, "无令牌也可读取", "buckets can be read without a token", "this is no InfluxDB 2.9 with authorisation on")
    for grant in grants(settings):
        yield from _token(settings, url, grant)


def _embedded(path: Path) -> Iterator[Finding]:
    if not path.exists():
        yield Finding(PART, NOTE, "尚无存储文件", "there is no store yet", "start it: lanbi run, or lanbi ingest")
        return
    files = Connections(path, SCHEMA, what="embedded store", create=False)
    try:
        # The header and the tables' roots; every page of a store of years would take minutes: that is `lanbi reconcile`'s work.
        tables = {row[0] for row in files.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
        newest = files.all("SELECT max(time) FROM indicator")[0][0]
    finally:
        files.close()
    words = f"{len(tables)} tables, {path.stat().st_size / 1e6:.1f} MB" + ("" if newest else ", no figures yet")
    yield Finding(PART, OK, f"嵌入式存储可读：{path.stat().st_size / 1e6:.1f} MB", f"the embedded store can be read: {words}")


def _token(settings: Settings, url: str, grant: Grant) -> Iterator[Finding]:
    """What a token sees must be what it was given; the write that it may not do is tried with an empty body, which stores nothing."""
    purpose, file, reads, writes = grant
    if purpose == "grafana" and not file.exists():
        yield Finding(PART, NOTE, "没有 Grafana 令牌", "there is no token for Grafana", "lanbi store init")
        return
    token, prefix = read_secret(file, f"token {purpose}"), settings.store.bucket
    listed = _ask(url, "GET", "/api/v2/buckets", token, limit="100")
    if listed.status != 200:
        yield Finding(PART, FAULT, f"令牌无效（{purpose}）", f"the token is refused ({purpose}, {listed.status})", TODO)
        return
    seen = {str(one["name"]) for one in json.loads(listed.text)["buckets"]}
    wanted = {prefix + suffix for suffix in reads}
    more = [*sorted(seen - wanted), *_writable(settings, url, token, set(wanted) - {prefix + suffix for suffix in writes}), *_manages(url, token)]
    less = sorted(wanted - seen)
    if more:
        yield Finding(PART, FAULT, f"令牌权限过大（{purpose}）：{', '.join(more)}", f"the token may more than it must ({purpose}): {', '.join(more)}", TODO)
    if less:
        yield Finding(PART, FAULT, f"令牌权限不足（{purpose}）：{', '.join(less)}", f"the token cannot read ({purpose}): {', '.join(less)}", TODO)
    if not more and not less:
        rights = "reads and writes" if writes else "reads, and writes nothing"
        yield Finding(PART, OK, f"令牌权限恰当（{purpose}）", f"the token has least rights ({purpose}: {rights} {', '.join(sorted(wanted))})")


def _writable(settings: Settings, url: str, token: Secret, buckets: set[str]) -> Iterator[str]:
    for bucket in sorted(buckets):
        answer = _ask(url, "POST", "/api/v2/write", token, org=settings.store.org, bucket=bucket)
        if answer.status not in REFUSED:
            yield f"write {bucket}"


def _manages(url: str, token: Secret) -> Iterator[str]:
    """A token for buckets sees no other token."""
    answer = _ask(url, "GET", "/api/v2/authorizations", token)
    if answer.status == 200 and json.loads(answer.text).get("authorizations"):
        yield "manage tokens"


def _ask(url: str, method: str, path: str, token: Secret | None, **query: str) -> Answer:
    head = {"Authorization": f"Token {token.reveal()}"} if token else {}
    address = f"{url}{path}" + (f"?{urlencode(query)}" if query else "")
    try:
        with urllib3.PoolManager(retries=False) as http:
            answer = http.request(method, address, headers=head, timeout=PATIENCE_S)
    except urllib3.exceptions.HTTPError as error:
        raise StoreAway(f"the store does not answer: {error}", url, WAIT) from error
    return Answer(answer.status, answer.data.decode(errors="replace"))


def _version(text: str) -> str:
    try:
        return str(json.loads(text).get("version", "unknown"))
    except ValueError:
        return "unknown"

"""Preparing an InfluxDB 2.x: organisation, three buckets with their retention, and one token for each purpose.

Running it again changes nothing that is right. Tokens go from the server into files of mode 600 and are shown nowhere.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import urllib3

from domain.civil import DAY_S
from domain.errors import SettingsError, StoreAway, StoreRefused
from lanbi.influx_http import READ_S
from lanbi.influx_tables import BUCKETS, FIGURES
from lanbi.influx_words import WAIT, pause, refusal
from lanbi.secret import Secret, read_secret
from lanbi.settings import Settings

RAW_DAYS: Final = 1_826
"""Five years of raw readings, as long as the journal keeps them; figures are kept for ever."""
OPERATOR: Final = "influx-operator"
GRAFANA: Final = "influx-grafana"
USER: Final = "lanbi"


class Wish(NamedTuple):
    """What the operator asks for: retention of raw buckets [days] (None = leave as it is), the operator's token, new tokens."""

    days: int | None = None
    operator_file: Path | None = None
    renew: bool = False


class Grant(NamedTuple):
    """A token: its purpose, its file, and the bucket suffixes that it may read and write."""

    purpose: str
    file: Path
    reads: Sequence[str]
    writes: Sequence[str]


def grants(settings: Settings) -> list[Grant]:
    """Who may do what: the writer must also read, because a row that may exist is looked at before it is replaced."""
    chosen = settings.store
    return [
        Grant("write", chosen.token_file, BUCKETS, BUCKETS),
        Grant("read", chosen.read_token_file, BUCKETS, ()),
        Grant("grafana", chosen.token_file.parent / GRAFANA, (FIGURES,), ()),
    ]


def prepare(settings: Settings, wish: Wish) -> Iterator[str]:
    """Prepare the store; yields one line for what was made, changed or kept.

    Raises
    ------
    StoreAway
        The server does not answer.
    StoreRefused
        It says no, for example to the operator's token.
    SettingsError
        The server is set up already and nobody gave the operator's token.
    """
    url = settings.store.url.rstrip("/")
    own = settings.data / "secrets" / OPERATOR
    server = Server(url, None)
    if server.ask("GET", "/api/v2/setup")["allowed"] and wish.operator_file is None:
        _first_setup(server, settings, own)
        yield f"已初始化 set up: {url}; 管理令牌 operator token: {own}"
    elif wish.operator_file is None and not own.exists():
        raise SettingsError("this InfluxDB is set up already", "--operator-token-file", "name the file that holds its operator token")
    server = Server(url, read_secret(wish.operator_file or own, "--operator-token-file"))
    org = _org(server, settings.store.org)
    ids = {}
    for suffix in BUCKETS:
        ids[suffix], told = _bucket(server, org, settings.store.bucket + suffix, None if suffix == FIGURES else wish.days)
        yield told
    for grant in grants(settings):
        yield _token(server, settings, (org, ids), grant, renew=wish.renew)


class Server:
    """The management side of an InfluxDB."""

    def __init__(self, url: str, token: Secret | None) -> None:
        self.url = url
        self._head = {"Authorization": f"Token {token.reveal()}"} if token else {}

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """One request; its answer from JSON."""
        address = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body)
        try:
            with urllib3.PoolManager(retries=False) as http:
                answer = http.request(method, address, headers=self._head, timeout=READ_S, body=data)
        except urllib3.exceptions.HTTPError as error:
            raise StoreAway(f"the store does not answer: {error}", self.url, WAIT) from error
        text = answer.data.decode(errors="replace")
        if not 200 <= answer.status < 300:
            raise refusal(answer.status, text, pause(answer.headers), self.url)
        try:
            return json.loads(text) if text else {}
        except ValueError as error:
            raise StoreRefused("this is not an InfluxDB 2.x", self.url, "see store.url") from error


def _first_setup(server: Server, settings: Settings, own: Path) -> None:
    token = Secret(secrets.token_urlsafe(48))
    # On disk before the server knows it: a token that only the server knows is a locked door.
    write_secret(own, token)
    body = {"username": USER, "password": secrets.token_urlsafe(32), "org": settings.store.org, "bucket": settings.store.bucket, "token": token.reveal()}
    try:
        server.ask("POST", "/api/v2/setup", body | {"retentionPeriodSeconds": RAW_DAYS * DAY_S})
    except (StoreAway, StoreRefused):
        own.unlink()
        raise


def _org(server: Server, name: str) -> str:
    known = {str(org["name"]): str(org["id"]) for org in server.ask("GET", "/api/v2/orgs", limit="100")["orgs"]}
    return known[name] if name in known else str(server.ask("POST", "/api/v2/orgs", {"name": name})["id"])


def _bucket(server: Server, org: str, name: str, days: int | None) -> tuple[str, str]:
    """Make a bucket; the retention of one that is there changes only on an explicit wish, because less retention deletes."""
    # By a list: asked for by name, a bucket that is not there is an error 404.
    found = [one for one in server.ask("GET", "/api/v2/buckets", orgID=org, limit="100")["buckets"] if one["name"] == name]
    kept = days if days is not None else (0 if name.endswith(FIGURES) else RAW_DAYS)
    rules = [{"type": "expire", "everySeconds": kept * DAY_S}] if kept else []
    if not found:
        made = server.ask("POST", "/api/v2/buckets", {"orgID": org, "name": name, "retentionRules": rules})
        return str(made["id"]), f"已建桶 made bucket {name}: {_days(kept)}"
    there, now = found[0], sum(rule["everySeconds"] for rule in found[0]["retentionRules"]) // DAY_S
    if days is None or days == now:
        return str(there["id"]), f"已有桶 bucket {name}: {_days(now)}"
    # 0 must be said: a rule that is left out is left as it is.
    server.ask("PATCH", f"/api/v2/buckets/{there['id']}", {"retentionRules": [{"type": "expire", "everySeconds": kept * DAY_S}]})
    return str(there["id"]), f"已改桶 changed bucket {name}: {_days(now)} → {_days(kept)}"


def _days(days: int) -> str:
    return f"{days} 天 days" if days else "永久 for ever"


def _token(server: Server, settings: Settings, made: tuple[str, dict[str, str]], grant: Grant, *, renew: bool) -> str:
    if not renew and _works(server.url, grant.file):
        return f"令牌有效，保留 token kept ({grant.purpose}): {grant.file}"
    org, ids = made
    said = f"lanbi {settings.store.bucket} {grant.purpose}"
    old = [one["id"] for one in server.ask("GET", "/api/v2/authorizations", orgID=org)["authorizations"] if one.get("description") == said]
    allowed = [("read", suffix) for suffix in grant.reads] + [("write", suffix) for suffix in grant.writes]
    rights = [{"action": action, "resource": {"type": "buckets", "id": ids[suffix], "orgID": org}} for action, suffix in allowed]
    token = server.ask("POST", "/api/v2/authorizations", {"orgID": org, "description": said, "permissions": rights})["token"]
    write_secret(grant.file, Secret(token))
    for one in old:
        server.ask("DELETE", f"/api/v2/authorizations/{one}")
    return f"已写令牌 token written ({grant.purpose}): {grant.file}"


def _works(url: str, file: Path) -> bool:
    if not file.exists():
        return False
    try:
        Server(url, read_secret(file, "store.token_file")).ask("GET", "/api/v2/buckets", limit="1")
    except (StoreRefused, SettingsError):
        return False
    return True


def write_secret(path: Path, secret: Secret) -> None:
    """Write a secret's file whole, for its owner alone from the first moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret.reveal() + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)

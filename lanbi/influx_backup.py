"""Backup and restore of an InfluxDB by its own API over HTTP, as ``influx backup`` and ``influx restore --full`` speak it.

Metadata, buckets and tokens come back as they were, so the service needs no new tokens. The operator's token opens both ends;
influxd keeps only hashes of tokens, so whoever loses that file cannot restore.
"""

from __future__ import annotations

import email
import email.policy
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3

from domain.errors import StoreAway, StoreRefused
from lanbi.influx_words import WAIT, pause, refusal

BINARY: Final = {"Content-Type": "application/octet-stream"}
PATIENCE_S: Final = 600.0
PORTION: Final = 1 << 20
SHARD: Final = "shard-"


@dataclass(frozen=True)
class InfluxBackup:
    """One influxd and its operator's token."""

    url: str
    token: str

    def take(self, folder: Path) -> int:
        """Write a backup into a new folder while everything runs; its size [bytes].

        Raises
        ------
        StoreAway, StoreRefused
            The server does not answer, or says no.
        """
        folder.mkdir(parents=True)
        for name, data in self._metadata():
            (folder / name).write_bytes(data)
        for shard in _shards(json.loads((folder / "buckets").read_bytes())):
            self._shard(shard, folder / f"{SHARD}{shard}")
        return sum(path.stat().st_size for path in folder.iterdir())

    def give(self, folder: Path) -> None:
        """Fill an influxd that nobody has set up yet.

        Raises
        ------
        StoreRefused
            It is set up already: nothing of it was touched.
        """
        temporary = secrets.token_urlsafe(32)
        first = {"username": "restore", "password": secrets.token_urlsafe(24), "org": "restore", "bucket": "restore", "token": temporary}
        if not self.is_empty():
            raise StoreRefused("this InfluxDB is set up already", self.url, "restore needs an empty one: a new folder, or a new port")
        self._ask("POST", "/api/v2/setup", json.dumps(first).encode(), token="", allowed=(201,))
        self._ask("POST", "/api/v2/restore/kv", (folder / "kv").read_bytes(), token=temporary)
        self._ask("POST", "/api/v2/restore/sql", (folder / "sql").read_bytes())
        for path in sorted(folder.glob(f"{SHARD}*")):
            with path.open("rb") as body:
                self._ask("POST", f"/api/v2/restore/shards/{path.name.removeprefix(SHARD)}", body)

    def is_empty(self) -> bool:
        """Whether nobody has set the server up yet."""
        return bool(json.loads(self._ask("GET", "/api/v2/setup", token="")).get("allowed"))

    def _metadata(self) -> Iterator[tuple[str, bytes]]:
        answer = self._asked("GET", "/api/v2/backup/metadata", None, self.token)
        head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
        parts: Any = email.message_from_bytes(head + answer.data, policy=email.policy.HTTP)
        answer.release_conn()
        for part in parts.iter_parts():
            yield part.get_param("name", header="content-disposition"), part.get_payload(decode=True)

    def _shard(self, number: int, path: Path) -> None:
        """Copy one shard as it comes; one without rows has nothing to copy and is not found."""
        answer = self._asked("GET", f"/api/v2/backup/shards/{number}", None, self.token, (200, 404))
        if answer.status == 200:
            with path.open("wb") as out:
                shutil.copyfileobj(answer, out, PORTION)
        answer.drain_conn()
        answer.release_conn()

    def _ask(self, method: str, path: str, body: Any = None, token: str | None = None, allowed: tuple[int, ...] = (200,)) -> bytes:
        answer = self._asked(method, path, body, self.token if token is None else token, allowed)
        data = bytes(answer.data)
        answer.release_conn()
        return data

    def _asked(self, method: str, path: str, body: Any, token: str, allowed: tuple[int, ...] = (200,)) -> Any:
        """An answer whose body is still to be read."""
        head = {"Authorization": f"Token {token}"} if token else {}
        try:
            answer = _POOL.request(method, self.url + path, headers=head | BINARY, body=body or None, timeout=PATIENCE_S, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise StoreAway(f"the store does not answer: {error}", self.url, WAIT) from error
        if answer.status in allowed:
            return answer
        text = answer.data.decode(errors="replace")
        answer.release_conn()
        raise refusal(answer.status, text, pause(answer.headers), self.url)


_POOL: Final = urllib3.PoolManager(retries=False, maxsize=1)


def _shards(buckets: list[dict[str, Any]]) -> Iterator[int]:
    for bucket in buckets:
        for policy in bucket["retentionPolicies"]:
            for group in policy["shardGroups"]:
                yield from (shard["id"] for shard in group["shards"])

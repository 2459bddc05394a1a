"""Backups of a store, as an operator makes them: influxd's own backup over HTTP (what ``influx backup`` speaks), or SQLite's.

Restoring is the full form of ``influx restore --full``: metadata, buckets and tokens come back as they were, so the service needs no
new secrets. The operator's token opens both ends; influxd keeps only hashes of tokens, so whoever loses that file cannot restore.
"""

from __future__ import annotations

import email
import email.policy
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3

TEMPORARY: Final = "a-token-for-the-empty-server"
BINARY: Final = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class InfluxBackup:
    """Backup and restore of one influxd."""

    url: str
    token: str

    def take(self, folder: Path) -> int:
        """Write a backup into a folder; its size [bytes]."""
        folder.mkdir(parents=True)
        for name, data in self._metadata():
            (folder / name).write_bytes(data)
        for shard in _shards(json.loads((folder / "buckets").read_bytes())):
            # A shard without rows has nothing to copy and is not found.
            data = self._ask("GET", f"/api/v2/backup/shards/{shard}", allowed=(200, 404))
            if data is not None:
                (folder / f"shard-{shard}").write_bytes(data)
        return sum(path.stat().st_size for path in folder.iterdir())

    def give(self, folder: Path) -> None:
        """Fill an empty influxd from a backup."""
        self._ask("POST", "/api/v2/setup", json.dumps(_first_user()).encode(), token="", allowed=(201,))
        self._ask("POST", "/api/v2/restore/kv", (folder / "kv").read_bytes(), token=TEMPORARY)
        self._ask("POST", "/api/v2/restore/sql", (folder / "sql").read_bytes())
        for path in sorted(folder.glob("shard-*")):
            self._ask("POST", f"/api/v2/restore/shards/{path.name.removeprefix('shard-')}", path.read_bytes())

    def _metadata(self) -> Iterator[tuple[str, bytes]]:
        with urllib3.PoolManager() as http:
            answer = http.request("GET", f"{self.url}/api/v2/backup/metadata", headers={"Authorization": f"Token {self.token}"})
        assert answer.status == 200, answer.data
        head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
        parts: Any = email.message_from_bytes(head + answer.data, policy=email.policy.HTTP)
        for part in parts.iter_parts():
            yield part.get_param("name", header="content-disposition"), part.get_payload(decode=True)

    def _ask(self, method: str, path: str, body: bytes = b"", token: str | None = None, allowed: tuple[int, ...] = (200,)) -> bytes | None:
        """One request; its answer, None where what was asked for is not there."""
        head = {"Authorization": f"Token {self.token if token is None else token}"} if token != "" else {}
        with urllib3.PoolManager() as http:
            answer = http.request(method, self.url + path, headers=head | BINARY, body=body or None, timeout=600)
        assert answer.status in allowed, f"{method} {path}: {answer.status} {answer.data[:300]!r}"
        return None if answer.status == 404 else answer.data


def _first_user() -> dict[str, str]:
    return {"username": "restore", "password": "for-the-empty-server", "org": "restore", "bucket": "restore", "token": TEMPORARY}


def _shards(buckets: list[dict[str, Any]]) -> Iterator[int]:
    for bucket in buckets:
        for policy in bucket["retentionPolicies"]:
            for group in policy["shardGroups"]:
                yield from (shard["id"] for shard in group["shards"])


def copy_sqlite(source: Path, target: Path) -> int:
    """Copy a database that may be in use; the size of the copy [bytes]."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target.stat().st_size

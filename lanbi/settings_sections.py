"""The tables of ``lanbi.toml`` as values: what each part of the service is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the devices publish."""

    url: str
    username: str
    password_file: Path | None
    client_id: str | None
    keepalive: int
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None
    folder: Path
    pid_file: Path
    queue_bytes: int | None


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How long and how much of the record is kept, and where its seals go."""

    on_full: str
    quota: int | None
    keep_days: int
    archive: Path | None
    anchor_mail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server that takes mails from lanbi."""

    url: str
    username: str | None
    password_file: Path | None
    ca_file: Path | None
    sender: str


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where readings and figures are kept."""

    kind: str
    url: str
    org: str
    bucket: str
    token_file: Path
    read_token_file: Path
    second_look: int
    keep_hours: int


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where board and API listen, who may come in, and how."""

    listen: str
    login: str
    names: tuple[str, ...]
    cert_file: Path | None
    key_file: Path | None
    webhook_secret_file: Path | None


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """The ingest process: health address, share of the devices and others' folders, way of reading, hour of the comparison, door for loggers."""

    health: str
    instance: str
    receive: str
    reconcile: str
    hj212: str | None = None
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalyseSettings:
    """The analytics process: its health address, where a chance of missing [%] decides a target's state, when a day closes [min]."""

    health: str
    warning: str
    on_course: int
    closing: int
    at_risk: int


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How running programs say what happens: text or JSON lines, and how many of one event a minute."""

    format: str
    lines: int


@dataclass(frozen=True, slots=True)
class GrafanaSettings:
    """Where the alerts that Grafana raises go."""

    channels: tuple[str, ...]
    webhook: str

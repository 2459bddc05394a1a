"""Settings that are valid and must not be lived with: nothing starts with one of them, and ``lanbi check --live`` names each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import SettingsError
from lanbi import release, wiring
from lanbi.broker import EMBEDDED
from lanbi.checking import secrets_of
from lanbi.settings import Settings
from lanbi.settings_rules import beyond

FEWEST: Final = 12
"""Characters of a secret; what lanbi makes has 32 and more, so this is a word that somebody chose."""
OTHERS: Final = 0o007


class Unsafe(NamedTuple):
    """What is unsafe: the key, in both languages, and what to do."""

    where: str
    zh: str
    en: str
    todo: str


def unsafe(settings: Settings) -> Iterator[Unsafe]:
    """Everything unsafe in settings and files; the demo, which only this machine reaches, has no secrets to look at."""
    for key, path in secrets_of(settings):
        yield from _secret(key, path)
    data = settings.data
    if data.is_dir() and data.stat().st_mode & OTHERS & 0o002:
        yield Unsafe("data", "数据文件夹任何人可写", "any user of this machine may change the data folder", f"chmod o-w {data}")
    if settings.http.names and settings.http.login != "on" and settings.clock == "system":
        words = "http.names says that others reach the board, and http.login = off lets everybody read"
        yield Unsafe("http.login", "看板经代理对外开放却未启用登录", words, 'write login = "on"')
    for key, address in (("ingest.health", settings.ingest.health), ("analyse.health", settings.analyse.health)):
        if beyond(address):
            words = f"{key} = {address}: whoever reaches it reads everything there without a login"
            yield Unsafe(key, f"健康地址对外开放：{address}", words, "listen on 127.0.0.1, and let a proxy with a login in front")


def _secret(key: str, path: Path) -> Iterator[Unsafe]:
    try:
        mode, text = path.stat().st_mode, path.read_bytes()
    except OSError:
        return  # what cannot be read is told by `lanbi check`
    if mode & OTHERS:
        yield Unsafe(key, "任何用户可读的密码文件", "any user of this machine may read the secret", f"chmod 600 {path}, then give it out anew")
    if len(text.strip()) < FEWEST and b"BEGIN" not in text:
        yield Unsafe(
            key, f"密码短于 {FEWEST} 个字符", f"the secret has fewer than {FEWEST} characters", "let lanbi make it: lanbi broker passwd, lanbi store init"
        )


def refused(settings: Settings) -> None:
    """Start nothing that is unsafe.

    Raises
    ------
    SettingsError
        All of it.
    """
    found = list(unsafe(settings))
    if found and settings.broker.url != EMBEDDED:
        words = "; ".join(f"{one.where}: {one.zh} {one.en}" for one in found)
        raise SettingsError(f"unsafe, so nothing starts: {words}", str(settings.file or "settings"), "; ".join(dict.fromkeys(one.todo for one in found)))


def safe(config: str | None) -> Settings:
    """Settings for a program that serves others: with a secret that anybody reads, or an open address, it does not start."""
    chosen = wiring.settings(config)
    refused(chosen)
    release.admitted(chosen.data)
    return chosen


def as_root() -> bool:
    """Whether lanbi runs with all rights of the machine."""
    return os.geteuid() == 0

"""The serve process: API and board over what the others stored. It computes nothing and imports no numba."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from api.accounts import Doors
from api.app import create_app, described
from api.sources import Health, Sources
from lanbi import metrics, wiring
from lanbi.accounts import AccountFile
from lanbi.clock import SimClock, SystemClock
from lanbi.current_registry import CurrentRegistry
from lanbi.desk import PersonDesk
from lanbi.duty import DutyFile
from lanbi.guarded import Guarded
from lanbi.lingering import TOTAL, Watched
from lanbi.notifying import Channels, notifiers
from lanbi.processes import Told, address, free_port, share_interpreter
from lanbi.reports.kinds import written
from lanbi.secret import read_secret
from lanbi.seen import Seen
from lanbi.settings import Settings
from lanbi.settings_sections import HttpSettings
from lanbi.signs import metrics_of, sign_of
from lanbi.together import Together, folders

OTHERS: Final = ("ingest", "analyse")
"""Whom `/readyz` looks at."""
BEAT_S: Final = 1.0
LOOK_S: Final = 0.2
NS: Final = 1_000_000_000


def health(data: Path) -> Mapping[str, Health]:
    """How the other processes are, by their status files."""
    signs = {name: sign_of(data, name) for name in OTHERS}
    return {name: Health(ready=sign.ready, reasons=sign.reasons) for name, sign in signs.items()}


def sources(settings: Settings) -> Sources:
    """What the API reads from, out of settings."""
    signing = settings.http.webhook_secret_file
    secret = read_secret(signing, "http.webhook_secret_file") if signing else None
    clock, store = wiring.clock(settings), wiring.store(settings, write=False)
    asked = Guarded(store, clock) if settings.store.kind == "influx" else store
    found = Sources(
        registry=CurrentRegistry(settings),
        plans=wiring.plans(settings),
        figures=asked,
        readings=asked,
        entries=asked,
        state=Together([Seen(data) for data in folders(settings)]),
        clock=clock,
        health=lambda: health(settings.data),
        metrics=lambda: metrics.text([*metrics.collect(settings.data, clock), *metrics_of(settings.data)]),
        speed=clock.speed if isinstance(clock, SimClock) else None,
        doors=doors(settings),
        desk=PersonDesk(settings),
        duty=DutyFile(settings.data, SystemClock(), secret, Channels(notifiers())),
    )
    return replace(found, report=lambda kind, asked, about, form: written(found, kind, asked, about, form))


def doors(settings: Settings) -> Doors:
    """How callers come in; accounts are opened only where they are used: with logins, or where keys were made."""
    wanted = settings.http.login == "on" or (settings.data / "access.db").exists()
    accounts = AccountFile(settings.data, SystemClock()) if wanted else None
    names = frozenset(name.lower() for name in settings.http.names)
    return Doors(accounts, accounts, settings.http.login == "on", names, secure=settings.http.cert_file is not None)


class Server(uvicorn.Server):
    """A server whose signals are ours: it stops when it is told, and says every second how it is."""

    def __init__(self, config: uvicorn.Config, status: Path, told: Told) -> None:
        super().__init__(config)
        self.status = status
        self.told = told
        self._clock = SystemClock()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever started us."""
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        watch = asyncio.create_task(self._watch())
        try:
            await super().serve(sockets)
        finally:
            watch.cancel()
            self._say(ready=False, reasons=["stopped"])

    async def _watch(self) -> None:
        said = -BEAT_S
        while not self.told():
            now = self._clock.monotonic()
            if now - said >= BEAT_S:
                said = now
                self._say(ready=self.started, reasons=[] if self.started else ["starting"])
            await asyncio.sleep(LOOK_S)
        self.should_exit = True

    def _say(self, **words: Any) -> None:
        metrics.write_status(self.status, {"pid": os.getpid(), "heartbeat": self._clock.now_ns() / NS, **words})


def config(app: FastAPI, http: HttpSettings | None = None) -> uvicorn.Config:
    """How we serve: no access log, no name of the server, and limits on what a caller may hold open; with TLS where there is a certificate."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        http=Watched,
        loop="asyncio",
        limit_concurrency=TOTAL,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=16_384,
        proxy_headers=False,
        ssl_certfile=http.cert_file if http else None,
        ssl_keyfile=http.key_file if http else None,
    )


def run(settings: Settings, told: Told) -> int:
    """Serve API and board until told to stop.

    Raises
    ------
    PortTaken
        Somebody listens there already.
    """
    host, port = address(settings.http.listen)
    free_port(host, port)
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128) as listening:
        app = create_app(sources(settings))
        # All that stays for as long as we serve is made now: the first who asks does not wait for it, and the collector never walks through it.
        described(app)
        share_interpreter()
        asyncio.run(Server(config(app, settings.http), settings.data / "run" / "serve.json", told).serve([listening]))
    return 0

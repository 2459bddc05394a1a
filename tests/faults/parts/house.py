"""A whole house of real parts in one folder: Mosquitto, influxd 2.9, a fault proxy before it, ``lanbi ingest`` and ``lanbi serve``.

All on 127.0.0.1 and on free ports; each part may be killed and started again. Whoever owns a house enters it with ``with``: when
the campaign ends, and also when it is killed itself, no part is left running.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from lanbi.metrics import read_status
from lanbi.processes import answers, free
from lanbi.state import StateView
from tests.faults.parts.proxy import Proxy

ROOT: Final = Path(__file__).resolve().parents[3]
ORG: Final = "lanbi"
PATIENCE_S: Final = 100.0
"""For whatever takes a second where nothing else runs: it says that something never happens, not that it took long."""
PR_SET_PDEATHSIG: Final = 1
MOSQUITTO_CONF: Final = """listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 1000
{more}"""


class PartMissingError(Exception):
    """A program that the campaign needs is not on this machine."""


def until(happened: Callable[[], Any], what: str, patience: float = PATIENCE_S) -> Any:
    """Wait for something, and say what it was if it never comes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened within {patience:.0f} s: {what}")


def mosquitto() -> str:
    """The real Mosquitto."""
    return _program("mosquitto", shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin"))


def influxd() -> str:
    """The real influxd, built by `make services` or on PATH."""
    built = ROOT / ".services" / "influxd"
    return _program("influxd", str(built) if built.exists() else shutil.which("influxd"))


def influxd_command() -> list[str]:
    """The real influxd with the settings that are shipped."""
    lines = (ROOT / "deploy" / "influxd" / "influxd.env").read_text(encoding="utf-8").splitlines()
    return ["env", *(line for line in lines if line and not line.startswith("#")), influxd(), "run"]


def _program(name: str, found: str | None) -> str:
    if not found:
        raise PartMissingError(f"{name} is not there: run `make services`")
    return found


@dataclass
class Part:
    """One process that can be started, asked, killed and started again."""

    name: str
    command: list[str]
    log: Path
    ready: Callable[[], Any]
    starts: int = 0
    kills: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start it; with ``wait`` come back when it is ready. From the main thread only: the child dies with the thread."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=log, stderr=log, preexec_fn=_die_with_parent)  # noqa: PLW1509  one call
        self.starts += 1
        if wait:
            until(self.ready, f"{self.name} is ready; see {self.log}")

    @property
    def pid(self) -> int:
        """Process id."""
        assert self.process, self.name
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """``kill -9``."""
        if self.alive:
            assert self.process
            self.process.kill()
            self.process.wait()
            self.kills += 1

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        if not self.alive:
            return 0
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class House:
    """The folder and its parts. ``store`` is "influx" or "embedded"; ``serve`` starts the API as well.

    Attributes
    ----------
    listens : bool
        Whether its ingest is started.
    registry : str
        The county's text, as of :meth:`tests.faults.parts.truth.County.registry`.
    ingest_command : list of str
        What stands in for ``python -m lanbi ingest``, for the proof that a planted fault is seen.
    mosquitto_more : str
        Further lines of Mosquitto's configuration.
    ingest_more, store_more, more : str
        Further lines of ``lanbi.toml``: of its ingest, of its store, and at its end.
    direct : bool
        The service talks to influxd itself: the proxy shares its interpreter with the devices, and would be part of every measured rate.
    """

    folder: Path
    registry: str
    store: str = "influx"
    serve: bool = False
    listens: bool = True
    ingest_command: Iterable[str] = ("-m", "lanbi", "ingest")
    mosquitto_more: str = ""
    ingest_more: str = ""
    store_more: str = ""
    more: str = ""
    direct: bool = False
    data: Path = field(init=False)

    def __post_init__(self) -> None:
        self.data = self.folder / "data"
        self.data.mkdir(parents=True)
        self.broker_port, self.influx_port, self.http_port = free(), free(), free()
        self.health_port = free()
        self.proxy = Proxy(self.influx_port)
        (self.data / "county.toml").write_text(self.registry, encoding="utf-8")
        self.config = self.data / "lanbi.toml"
        self.config.write_text(self._settings(), encoding="utf-8")
        self.broker = self._broker()
        self.influx = self._influx()
        self.ingest = self._lanbi("ingest", list(self.ingest_command), self._ingest_ready)
        self.api = self._lanbi("serve", ["-m", "lanbi", "serve"], lambda: self.get("/livez") is not None)

    def __enter__(self) -> Self:
        """Start everything."""
        self.broker.start()
        if self.store == "influx":
            self.influx.start()
            self.proxy.start()
            self.init_store()
        if self.listens:
            self.ingest.start()
        if self.serve:
            self.api.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop everything, however it went."""
        for part in (self.api, self.ingest, self.influx, self.broker):
            part.kill()
        self.proxy.stop()

    def _settings(self) -> str:
        lines = [f"data = {_quoted(self.data)}", f"county = {_quoted(self.data / 'county.toml')}"]
        lines += [f"targets = [{_quoted(ROOT / 'plans' / 'chiping.toml')}]", "[broker]", f'url = "mqtt://127.0.0.1:{self.broker_port}"']
        lines += ["[http]", f'listen = "127.0.0.1:{self.http_port}"', "[ingest]", f'health = "127.0.0.1:{self.health_port}"', self.ingest_more]
        if self.store == "influx":
            lines += ["[store]", 'kind = "influx"', f'url = "http://127.0.0.1:{self.influx_port if self.direct else self.proxy.port}"', f'org = "{ORG}"']
            lines += [f"token_file = {_quoted(self.secret('influx-write'))}", f"read_token_file = {_quoted(self.secret('influx-read'))}"]
            lines.append(self.store_more)
        return "\n".join([*lines, self.more]) + "\n"

    def _broker(self) -> Part:
        config = self.folder / "mosquitto.conf"
        config.write_text(MOSQUITTO_CONF.format(port=self.broker_port, more=self.mosquitto_more), encoding="utf-8")
        return Part(
            "mosquitto", [*_or_name(lambda: [mosquitto()]), "-c", str(config)], self.folder / "mosquitto.log", lambda: answers("127.0.0.1", self.broker_port)
        )

    def _influx(self) -> Part:
        home = self.folder / "influxd"
        files = ["--bolt-path", str(home / "bolt"), "--engine-path", str(home / "engine"), "--sqlite-path", str(home / "sqlite")]
        address = ["--http-bind-address", f"127.0.0.1:{self.influx_port}", "--reporting-disabled", "--log-level", "error"]
        return Part("influxd", [*_or_name(influxd_command), *files, *address], self.folder / "influxd.log", self._influx_ready)

    def _lanbi(self, name: str, words: list[str], ready: Callable[[], Any]) -> Part:
        return Part(name, [sys.executable, *words, "--config", str(self.config)], self.folder / f"{name}.log", ready)

    def secret(self, name: str) -> Path:
        """File of a token."""
        return self.data / "secrets" / name

    def init_store(self, *words: str) -> None:
        """``lanbi store init``, straight to influxd: the proxy is for the service."""
        self.lanbi("store", "init", *words, LANBI_STORE_URL=f"http://127.0.0.1:{self.influx_port}")

    def lanbi(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a one-shot command of lanbi on this house; it must succeed."""
        return self.bare("--config", str(self.config), *words, **environment)

    def bare(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The same without settings."""
        command = [sys.executable, "-m", "lanbi", *words]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def status(self) -> dict[str, Any]:
        """What ingest says of itself."""
        return read_status(self.data / "run" / "ingest.json")

    def law(self) -> dict[str, int]:
        """The terms of the conservation law, read now."""
        view = StateView(self.data)
        try:
            return view.conservation()
        finally:
            view.close()

    def open_jobs(self) -> list[str]:
        """What the forwarder still has to do besides the backlog."""
        view = StateView(self.data)
        try:
            return [job.id for job in view.open_jobs()]
        finally:
            view.close()

    def totals(self) -> dict[tuple[str, str], int]:
        """All totals of the forwarder, by name and reason."""
        view = StateView(self.data)
        try:
            return view.totals()
        finally:
            view.close()

    def get(self, path: str, timeout: float = 5.0) -> Any:
        """JSON of the API (text where it is none), or None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=timeout) as answer:
                body = answer.read()
        except (OSError, urllib.error.URLError):
            return None
        try:
            return json.loads(body)
        except ValueError:
            return body.decode()

    def journal_bytes(self) -> int:
        """Size of the devices' journal, sealed files included."""
        return sum(path.stat().st_size for path in (self.data / "journal" / "mqtt").glob("*.lb*"))

    def _influx_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.influx_port}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _ingest_ready(self) -> bool:
        """Whether it hears: between connection and subscription a broker that knows no session of it keeps nothing for it."""
        status = self.status()
        return status.get("pid") == self.ingest.pid and bool(status.get("subscribed"))


def _quoted(path: Path) -> str:
    return json.dumps(str(path))


def _or_name(find: Callable[[], list[str]]) -> list[str]:
    """The beginning of a command, or its program's name where it is missing: only a campaign that starts it needs it."""
    try:
        return find()
    except PartMissingError as missing:
        return [str(missing)]

"""A real Grafana on 127.0.0.1 with our folder as its provisioning, and a receiver for what it sends to the duty log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import urllib3

from dashboards.files import files
from lanbi.clock import SystemClock
from lanbi.commands.dashboards import bureau
from lanbi.processes import free
from tests.dashboards.filled import Filled

CLOCK = SystemClock()
ADMIN = urllib3.make_headers(basic_auth="admin:admin")
SECRET = "a secret of the test"
QUICK = {"interval": "10s", "for": "20s", "keepFiringFor": "20s"}
"""The server's time is real: what lasts hours lasts seconds here."""


def home() -> Path | None:
    """Folder of a Grafana server with its pages: GRAFANA_HOME, or that of the packaged one."""
    named = os.environ.get("GRAFANA_HOME")
    known = [Path(named)] if named else [Path("/usr/share/grafana")]
    return next((path for path in known if _binary(path)), None)


def _binary(path: Path) -> str | None:
    found = path / "bin" / "grafana"
    return str(found) if found.exists() else shutil.which("grafana") if (path / "conf").is_dir() else None


@dataclass
class Grafana:
    """Where it listens, what it wrote to its log, and what the duty log got."""

    url: str
    folder: Path
    received: list[dict[str, Any]] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def ask(self, path: str, body: object = None) -> Any:
        """One request as the administrator; its answer from JSON."""
        answer = urllib3.request("GET" if body is None else "POST", f"{self.url}{path}", headers=ADMIN, json=body, timeout=60, retries=False)
        assert answer.status == 200, (path, answer.status, answer.data[:500])
        return answer.json()

    def log(self) -> list[str]:
        """Lines of its log."""
        return (self.folder / "log").read_text(errors="replace").splitlines()


def provisioned(county: Filled, folder: Path, webhook: str, *, quick: bool) -> dict[str, str]:
    """Write our folder for this county; ``quick`` shortens what a rule waits for. Returns the environment that Grafana needs."""
    from dataclasses import replace

    made = replace(bureau(county.settings), registry=county.registry, webhook=webhook)
    for name, text in files(made).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_quick(text) if quick and name.endswith("rules.yaml") else _soon(text) if quick and name.endswith("policies.yaml") else text)
    return {
        "LANBI_INFLUX_URL": county.url,
        "LANBI_GRAFANA_TOKEN": county.token,
        "LANBI_GRAFANA_DASHBOARDS": str(folder / "dashboards"),
        "LANBI_GRAFANA_WEBHOOK_SECRET": SECRET,
    }


def _quick(text: str) -> str:
    file = json.loads(text)
    for group in file["groups"]:
        group["interval"] = QUICK["interval"]
        for rule in group["rules"]:
            rule |= {key: QUICK[key] for key in ("for", "keepFiringFor")}
    return json.dumps(file, ensure_ascii=False)


def _soon(text: str) -> str:
    file = json.loads(text)
    file["policies"][0] |= {"group_wait": "1s", "group_interval": "10s"}
    for route in file["policies"][0]["routes"]:
        route |= {"group_wait": "1s", "group_interval": "10s"}
    return json.dumps(file, ensure_ascii=False)


@contextmanager
def grafana(folder: Path, environment: dict[str, str], *, provisioning: Path, wait_s: float = 90) -> Iterator[Grafana]:
    """Start it and wait until it is well; stop it afterwards.

    Raises
    ------
    RuntimeError
        It did not start: the last lines of its log.
    """
    where = home()
    assert where is not None
    port = free()
    for name in ("notifiers", "plugins"):  # as a package has them; their absence is logged as an error
        (provisioning / name).mkdir(exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "grafana.ini").write_text(_ini(folder, port, provisioning))
    program = _binary(where) or ""
    command = [program, "server", "--homepath", str(where), "--config", str(folder / "grafana.ini")]
    if not (folder / "data").exists():
        _settle(command, environment, folder, port, wait_s)
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment}) as process:
        one = Grafana(f"http://127.0.0.1:{port}", folder, process=process)
        try:
            _wait(one, process, wait_s)
            yield one
        finally:
            process.terminate()
            process.wait(30)


def _settle(command: list[str], environment: dict[str, str], folder: Path, port: int, wait_s: float) -> None:
    """A first start, ended again: 9.4 migrates secrets then and saves data sources without their database; the next start mends it."""
    with (folder / "first-log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment}) as process:
        try:
            _wait(Grafana(f"http://127.0.0.1:{port}", folder, process=process), process, wait_s)
        finally:
            process.terminate()
            process.wait(30)


def _wait(one: Grafana, process: subprocess.Popen[bytes], wait_s: float) -> None:
    end = CLOCK.monotonic() + wait_s
    while True:
        try:
            if urllib3.request("GET", f"{one.url}/api/health", timeout=2, retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        if process.poll() is not None or CLOCK.monotonic() > end:
            raise RuntimeError("\n".join(path.read_text(errors="replace")[-1_500:] for path in sorted(one.folder.glob("*log"))))
        CLOCK.sleep(0.5)


def _ini(folder: Path, port: int, provisioning: Path) -> str:
    return f"""[server]
http_addr = 127.0.0.1
http_port = {port}
[analytics]
reporting_enabled = false
check_for_updates = false
check_for_plugin_updates = false
[plugins]
preinstall_disabled = true
[database]
wal = true
[unified_alerting]
enabled = true
[alerting]
enabled = false
[news]
news_feed_enabled = false
[users]
default_theme = dark
[auth.anonymous]
enabled = true
org_role = Viewer
[paths]
data = {folder}/data
logs = {folder}/logs
plugins = {folder}/plugins
provisioning = {provisioning}
[log]
mode = console
level = info
"""


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Address of a duty log that takes everything, and what it took: headers and body."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append({"headers": dict(self.headers), "raw": body, "body": json.loads(body)})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/v1/alerts/grafana", taken
    finally:
        server.shutdown()
        server.server_close()

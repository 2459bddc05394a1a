"""What the tests of this folder share: every store in turn, and a real influxd on 127.0.0.1, with a folder of its own."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import urllib3

from lanbi.processes import free
from tests.contract.stores import Adapter, Store, embedded, influx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 100.0


@dataclass(frozen=True)
class Server:
    """Where the database listens, and the token that may do everything."""

    url: str
    token: str
    org: str = "lanbi"
    process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """End it as hard as possible."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def bucket(self, name: str, keeps_s: int = 0) -> None:
        """Make a bucket that keeps everything, or for so long; one that exists is left alone."""
        head = {"Authorization": f"Token {self.token}"}
        with urllib3.PoolManager() as http:
            org = http.request("GET", f"{self.url}/api/v2/orgs", headers=head).json()["orgs"][0]["id"]
            rules = [{"type": "expire", "everySeconds": keeps_s}] if keeps_s else []
            body = {"orgID": org, "name": name, "retentionRules": rules}
            status = http.request("POST", f"{self.url}/api/v2/buckets", headers=head, json=body).status
        assert status in {201, 422}


def find_influxd() -> str:
    """The program, from the services of the project or from PATH."""
    built = ROOT / ".services" / "influxd"
    found = str(built) if built.exists() else shutil.which("influxd")
    if not found:
        pytest.skip("influxd is not there: run `make services`")
    return found


@pytest.fixture(params=["embedded", pytest.param("influx", marks=pytest.mark.services)])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Every adapter in turn."""
    return embedded() if request.param == "embedded" else influx(request.getfixturevalue("influxd"))


@pytest.fixture
def store(adapter: Adapter, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    adapter.prepare(tmp_path)
    opened = adapter.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def bare_influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an influxd that nobody has set up yet."""
    with running(tmp_path_factory.mktemp("bare")) as (url, _):
        yield url


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An influxd with an organisation and a token for everything."""
    with running(tmp_path_factory.mktemp("influxd")) as (url, _):
        yield set_up(url)


@pytest.fixture
def influxd_in() -> Iterator[Callable[[Path], Server]]:
    """Starts influxd in a folder, set up, or again with what is there; whatever runs afterwards is stopped."""
    with ExitStack() as stack:

        def start(folder: Path) -> Server:
            known = folder / "token"
            url, process = stack.enter_context(running(folder))
            if known.exists():
                return Server(url, known.read_text(), process=process)
            server = set_up(url)
            known.write_text(server.token)
            return replace(server, process=process)

        yield start


def set_up(url: str) -> Server:
    """Make organisation, user and token of a bare server."""
    token = secrets.token_urlsafe(16)
    body = {"username": "test", "password": secrets.token_urlsafe(16), "org": "lanbi", "bucket": "unused", "token": token}
    with urllib3.PoolManager() as http:
        assert http.request("POST", f"{url}/api/v2/setup", json=body).status == 201
    return Server(url, token)


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start influxd in a folder, wait until it answers, and stop it afterwards."""
    port = free()
    files = ["--bolt-path", str(folder / "bolt"), "--engine-path", str(folder / "engine"), "--sqlite-path", str(folder / "sqlite")]
    command = [find_influxd(), "run", *files, "--http-bind-address", f"127.0.0.1:{port}", "--reporting-disabled", "--log-level", "error"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, server)
            yield url, server
        finally:
            server.terminate()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Ask until the server is well; one that is still starting may refuse, be silent, or say that it is not."""
    end = time.monotonic() + PATIENCE_S
    with urllib3.PoolManager(retries=False) as http:
        while server.poll() is None and time.monotonic() < end:
            try:
                if http.request("GET", f"{url}/health", timeout=10).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.1)
    pytest.fail(f"influxd ended with {server.poll()}, or did not start within {PATIENCE_S:.0f} s")

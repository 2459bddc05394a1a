"""Debian's Chromium, driven over its own debugging socket: nothing to download, no driver."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from lanbi.clock import SystemClock

CLOCK = SystemClock()
PATIENCE_S = 90.0
"""For whatever takes a second where nothing else runs."""
LEAVING = "navigated or closed"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*",
)  # fmt: skip


def program() -> str | None:
    """Where Chromium is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class LeavingError(Exception):
    """The page went away under the question."""


@dataclass
class Page:
    """One tab."""

    socket: ClientConnection
    number: int = 0

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """A command of the debugging protocol and its answer."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(timeout=PATIENCE_S))
            if answer.get("id") == self.number:
                if LEAVING in answer.get("error", {}).get("message", ""):
                    raise LeavingError
                assert "error" not in answer, answer["error"]
                found = answer["result"]
                assert isinstance(found, dict)
                return found

    def run(self, script: str) -> Any:
        """Value of a script in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def _true(self, script: str) -> bool:
        """Whether a script is true; on a page that is just being left nothing is."""
        try:
            return bool(self.run(script))
        except LeavingError:
            return False

    def wait(self, script: str, seconds: float = PATIENCE_S) -> None:
        """Until a script is true."""
        end = CLOCK.monotonic() + seconds
        while not self._true(script):
            assert CLOCK.monotonic() < end, f"never came true: {script}"
            CLOCK.sleep(0.1)

    def size(self, width: int, height: int) -> None:
        """Window size; narrow ones are phones."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def open(self, address: str) -> None:
        """Go there."""
        self.call("Page.enable")
        self.call("Page.navigate", url=address)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Save what is seen as PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def browser() -> Iterator[Page]:
    """A fresh Chromium with one tab; its profile goes away with it."""
    found = program()
    assert found
    folder = tempfile.mkdtemp(prefix="lanbi-chromium-")
    process = subprocess.Popen([found, *FLAGS, f"--user-data-dir={folder}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _port(Path(folder))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE_S) as answer:
            tabs = json.load(answer)
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        with connect(address, max_size=64 << 20, open_timeout=PATIENCE_S, ping_timeout=PATIENCE_S) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        shutil.rmtree(folder, ignore_errors=True)


def _port(folder: Path) -> int:
    file = folder / "DevToolsActivePort"
    end = CLOCK.monotonic() + PATIENCE_S
    while not (file.exists() and file.read_text().strip()):
        assert CLOCK.monotonic() < end, "Chromium did not start"
        CLOCK.sleep(0.1)
    return int(file.read_text().split()[0])

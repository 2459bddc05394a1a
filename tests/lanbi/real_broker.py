"""A real Mosquitto for tests, with whatever configuration, and certificates made on the spot."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from lanbi.processes import answers, free

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PASSWD = shutil.which("mosquitto_passwd")
OPENSSL = shutil.which("openssl")
PATIENCE_S = 60.0
real = [pytest.mark.services, pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto: make services")]
"""Marks of a test that needs it."""


@dataclass
class Mosquitto:
    """A broker of its own folder; lines of configuration come from the test, listener lines too."""

    folder: Path
    lines: list[str]
    port: int = field(default_factory=free)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it listens; its log is ``mosquitto.log``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "mosquitto.conf"
        # Started by root it would become another user, who may not read a test's folder.
        own = ["user root"] if os.geteuid() == 0 else []
        config.write_text("\n".join(line.format(port=self.port, folder=self.folder) for line in [*own, *self.lines]) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([str(MOSQUITTO), "-v", "-c", str(config)], stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        while not answers("127.0.0.1", self.port):
            assert self.process.poll() is None and time.monotonic() < end, self.log()
            time.sleep(0.02)
        return self

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def hup(self) -> None:
        """Make it read its files again."""
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it as hard as possible."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it; it saves what it holds if it was told to persist."""
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self.start() if self.process is None else self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _openssl(*words: str | Path) -> None:
    answer = subprocess.run([str(OPENSSL), *map(str, words)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def authority(folder: Path, name: str) -> Path:
    """A certificate authority; the path of its certificate (its key lies beside it)."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = folder / f"{name}.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl("req", "-x509", *curve, "-keyout", folder / f"{name}.key", "-out", certificate, "-days", "2", "-subj", f"/CN={name}")
    return certificate


def certificate(signer: Path, name: str, *, host: str = "IP:127.0.0.1", days: int = 2) -> Path:
    """A certificate for a host, signed by an authority; with ``days`` < 0 it has expired. Its key lies beside it."""
    folder = signer.parent
    request, out, extra = folder / f"{name}.csr", folder / f"{name}.pem", folder / f"{name}.ext"
    extra.write_text(f"subjectAltName={host}\n")
    _openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / f"{name}.key", "-out", request, "-subj", f"/CN={name}"
    )
    if days > 0:
        signing = ("-CA", signer, "-CAkey", signer.with_suffix(".key"), "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *signing, "-out", out, "-extfile", extra, "-days", str(days))
        return out
    index, ca = folder / "index.txt", folder / "ca.cnf"
    index.touch()
    ca.write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}\nnew_certs_dir={folder}\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n"
    )
    dates = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
    _openssl(
        "ca",
        "-batch",
        "-config",
        ca,
        "-cert",
        signer,
        "-keyfile",
        signer.with_suffix(".key"),
        "-in",
        request,
        "-out",
        out,
        "-extfile",
        extra,
        "-notext",
        *dates,
    )
    return out

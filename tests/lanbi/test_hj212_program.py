"""The door for HJ 212 loggers as the real program opens it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.civil import SHANGHAI
from ingest.decoders.hj212 import frame
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.metrics import read_status
from lanbi.processes import free
from tests.ingest.decoders.test_hj212_read import MN
from tests.lanbi.ingest_house import PATIENCE_S, ROOT, listens, until
from tests.lanbi.test_hj212_door import ANSWER, COUNTY, heard


def now_frame() -> tuple[bytes, int]:
    """The last hour as a logger sends it, and its end label."""
    end = datetime.now(SHANGHAI).replace(minute=0, second=0, microsecond=0)
    start = (end - timedelta(hours=1)).strftime("%Y%m%d%H%M%S")
    segment = f"QN={start}001;ST=22;CN=2061;PW=123456;MN={MN};Flag=5;CP=&&DataTime={start};a34004-Avg=58,a34004-Flag=N&&"
    return frame(segment.encode()), int(end.timestamp())


def test_a_wrong_address_is_told_where_it_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, before anything is started."""
    (tmp_path / "lanbi.toml").write_text("", encoding="utf-8")

    assert 2 == main(["ingest", "--hj212-listen", "rubbish", "--config", str(tmp_path / "lanbi.toml")])
    assert "--hj212-listen" in capsys.readouterr().err


def test_lanbi_ingest_opens_the_door(tmp_path: Path) -> None:
    """The real process: answered, stored; its door ends with it, even when it is killed."""
    port = free()
    (tmp_path / "county.toml").write_text(COUNTY, encoding="utf-8")
    lines = [f"data = {json.dumps(str(tmp_path / 'var'))}", f"county = {json.dumps(str(tmp_path / 'county.toml'))}"]
    lines += [f"targets = [{json.dumps(str(ROOT / 'plans' / 'chiping.toml'))}]", "[broker]", f'url = "mqtt://127.0.0.1:{free()}"']
    (tmp_path / "lanbi.toml").write_text("\n".join(lines), encoding="utf-8")
    words = ["ingest", "--no-health", "--hj212-listen", f"127.0.0.1:{port}", "--config", str(tmp_path / "lanbi.toml")]
    payload, end = now_frame()
    with (tmp_path / "log").open("ab") as log, subprocess.Popen([sys.executable, "-m", "lanbi", *words], cwd=ROOT, stdout=log, stderr=log) as process:
        try:
            logger = until(lambda: _dialled(port), "the door is open")
            logger.sendall(payload)
            assert ANSWER in heard(logger, 1)
            until(lambda: (end, {"pm25": 58.0}) in _stored(tmp_path / "var"), "it is stored")
            until(lambda: 1 == read_status(tmp_path / "var" / "run" / "hj212.json").get("packets"), "the door says how it is")
        finally:
            process.send_signal(signal.SIGKILL)
    logger.close()
    until(lambda: not listens(port), "the door is shut")


def _dialled(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    except OSError:
        return None


def _stored(data: Path) -> list[tuple[int, dict[str, float | None]]]:
    if not (data / "store.db").exists():
        return []
    store = EmbeddedStore(data / "store.db")
    found = [(row.time, dict(row.values)) for row in store.rows("air", None, -(2**62), 2**62)]
    store.close()
    return found

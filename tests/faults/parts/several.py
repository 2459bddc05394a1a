"""Several ingests beside each other in one house: one broker, one store, a data folder and a client id each."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from lanbi.metrics import read_status
from lanbi.processes import free
from tests.faults.parts.house import ORG, ROOT, House, Part, until

START_S: Final = 300.0
TRIES, AWAY = 10, 3
"""So often a change is asked for again; the exit code of a service that does not answer."""


class Several:
    """``number`` ingests on folders ``<prefix>-1 … N`` and buckets ``<prefix>…``; entered, they run.

    Attributes
    ----------
    change : Several, optional
        The ingests that took the devices before on the same folders: stopped by now, they hand their devices over first.
    moved : int
        Devices that then changed their ingest.
    """

    def __init__(self, house: House, prefix: str, number: int, change: Several | None = None) -> None:
        self.house, self.prefix, self.number, self.change = house, prefix, number, change
        self.moved = 0
        self.datas = [house.folder / f"{prefix}-{one}" for one in range(1, number + 1)]
        self.files = [self._settings(one) for one in range(1, number + 1)]
        self.parts = [self._part(one) for one in range(1, number + 1)]

    def __enter__(self) -> Self:
        """Prepare the store, hand devices over if there were others, start."""
        if self.change is None:
            self._prepare()
        else:
            files = [*self.files, *self.change.files[self.number :]]
            told = self._change(files)
            self.moved = int(re.findall(r"(\d+) 台设备已移交", told)[0])
        for part in self.parts:
            part.start(wait=False)
        for part in self.parts:
            until(part.ready, f"{part.name} listens; see {part.log}", START_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End them, however it went."""
        for part in self.parts:
            part.kill()

    def _change(self, files: list[Path]) -> str:
        """Hand over; where the store or the broker does not answer the same command is given again, as its message says."""
        for _ in range(TRIES):
            told = self._run("instances", "change", *map(str, files))
            if told.returncode != AWAY:
                break
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout

    def stop(self) -> None:
        """SIGTERM to each once it listens; each ends well."""
        for part in self.parts:
            until(part.ready, f"{part.name} listens; see {part.log}", START_S)
        codes = [part.stop() for part in self.parts]
        assert not any(codes), codes

    def take_over(self) -> float:
        """Kill the first ingest while a standby waits on its folder; seconds until the standby listens."""
        owner = self.parts[0]
        standby = Part(f"{owner.name}-standby", [*owner.command, "--standby"], owner.log.with_name(f"{owner.name}-standby.log"), lambda: self._ready(0))
        self.parts.append(standby)
        standby.start(wait=False)
        until(lambda: "standing by" in standby.log.read_text(encoding="utf-8"), "the standby waits")
        owner.kill()
        begun = time.monotonic()
        self.parts[0] = standby
        self.parts.pop()
        until(standby.ready, f"the standby listens; see {standby.log}")
        return time.monotonic() - begun

    def _ready(self, at: int) -> bool:
        status = read_status(self.datas[at] / "run" / "ingest.json")
        return status.get("pid") == self.parts[at].pid and bool(status.get("subscribed"))

    def _part(self, number: int) -> Part:
        command = [sys.executable, "-m", "lanbi", "ingest", "--config", str(self.files[number - 1])]
        name = f"{self.prefix}-{number}-of-{self.number}"
        return Part(name, command, self.house.folder / f"{name}.log", lambda: self._ready(number - 1))

    def _settings(self, number: int) -> Path:
        data, secret = self.datas[number - 1], lambda name: json.dumps(str(self.house.secret(f"{self.prefix}-{name}")))
        lines = [f"data = {json.dumps(str(data))}", f"county = {json.dumps(str(self.house.data / 'county.toml'))}"]
        lines += [f"targets = [{json.dumps(str(ROOT / 'plans' / 'chiping.toml'))}]", "[broker]", f'url = "mqtt://127.0.0.1:{self.house.broker_port}"']
        lines += ["[ingest]", f'instance = "{number}/{self.number}"', f'health = "127.0.0.1:{free()}"', "[store]", 'kind = "influx"', "second_look = 6"]
        lines += [f'url = "http://127.0.0.1:{self.house.influx_port}"', f'org = "{ORG}"', f'bucket = "{self.prefix}"']
        lines += [f"token_file = {secret('write')}", f"read_token_file = {secret('read')}"]
        file = self.house.folder / f"{self.prefix}-{number}-of-{self.number}.toml"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def _prepare(self) -> None:
        operator = self.house.secret("influx-operator")
        self._lanbi("--config", str(self.files[0]), "store", "init", *(("--operator-token-file", str(operator)) if operator.exists() else ()))

    @staticmethod
    def _run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "lanbi", *words], cwd=ROOT, capture_output=True, text=True, check=False)

    def _lanbi(self, *words: str) -> str:
        done = self._run(*words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

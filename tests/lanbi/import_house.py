"""A folder with a registry, and `lanbi import` run in it: what the tests of the import share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from domain.civil import parse_time
from lanbi import cli, wiring
from lanbi.clock import SystemClock
from lanbi.importing import Importer
from lanbi.settings import load

ROOT = Path(__file__).parents[2]
COUNTY = """
[county]
id = "x"
name = "某区"
[[city]]
id = "jn"
name = "济南"
[[air_station]]
id = "s1"
name = "甲站"
role = "assessment"
codes = ["1001A"]
"""
HOURLY = "site,time,pm25,o3\n"
DAILY = "city,date,aqi,level,pm25,pm10,so2,co,no2,o3_8h\n"
OUTCOMES = ("stored", "duplicate", "deadletter", "quarantined", "empty")


@dataclass
class House:
    """A folder with a registry, a data folder and files, and the program in it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    env: Mapping[str, str]

    def file(self, text: str, name: str = "in.csv") -> str:
        """A file with this content."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return str(self.folder / name)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of `lanbi import`."""
        self.capsys.readouterr()
        code = cli.main(["import", *words])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def account(self, *words: str) -> dict[str, Any]:
        """The account of an import that went well; it must add up."""
        code, out, err = self.run("--json", *words)
        assert (0, "") == (code, err)
        found: dict[str, Any] = json.loads(out)
        assert found["read"] == sum(found[name] for name in OUTCOMES)
        return found

    def terms(self, *words: str) -> list[int]:
        """Read, stored, duplicate, dead-letter, quarantined, empty."""
        found = self.account(*words)
        return [found["read"], *(found[name] for name in OUTCOMES)]

    def importer(self, clock: SystemClock | None = None) -> Importer:
        """The importer itself."""
        settings = load(None, self.env)
        return Importer(settings, wiring.registry(settings), clock or SystemClock())

    def values(self, source: str, time: str, span: int = 3600) -> dict[str, float | None]:
        """What the store says of a source and time."""
        store = wiring.store(load(None, self.env))
        try:
            at = parse_time(time)
            rows = list(store.rows("air", [source], at - 1, at, span))
            return dict(rows[0].values) if rows else {}
        finally:
            store.close()

    def entries(self, kind: str) -> list[Mapping[str, Any]]:
        """Bodies of what was entered."""
        store = wiring.store(load(None, self.env))
        try:
            return [one.body for one in store.entered(kind)]
        finally:
            store.close()


def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house with one city and one station."""
    (tmp_path / "county.toml").write_text(COUNTY, encoding="utf-8")
    env = {"LANBI_DATA": str(tmp_path / "var"), "LANBI_COUNTY": str(tmp_path / "county.toml"), "LANBI_TARGETS": str(ROOT / "plans" / "chiping.toml")}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return House(tmp_path, capsys, env)

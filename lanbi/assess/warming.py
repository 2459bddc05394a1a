"""Every calculator once on a handful of rows, so that the first real table does not wait for a compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lanbi import cli

_REGISTRY: Final = """
[county]
id = "county"
name = "county"
[[enterprise]]
id = "e"
name = "e"
[[meter]]
id = "a"
enterprise = "e"
medium = "electricity"
role = "main"
unit = "kWh"
"""
_TABLES: Final[Mapping[str, str]] = {
    "hours": "site,time,pm25,pm10,so2,no2,co,o3\n",
    "days": "site,date,pm25,pm10,so2,no2,co,o3_8h\n",
    "one": "site,date,pm25\n",
    "water": "section,time,temp,ph,do,codmn,nh3n,tp,tn,type\n",
    "meters": "meter,time,register\n",
}


def runs() -> Iterator[tuple[str, str, Sequence[str]]]:
    """Calculator, its table and its other arguments, so that together they call everything that is compiled."""
    yield from ((kind, "hours", ()) for kind in ("air-hourly", "air-rolling", "air-daily", "air-year", "stuck", "drift"))
    yield from ((kind, "hours", ("--city", "c")) for kind in ("air-daily", "air-year"))
    yield from ((kind, "days", ("--from", "daily")) for kind in ("air-daily", "air-year"))
    yield "projection", "one", ("--asof", "2025-01-09", "--target", "42")
    yield "water", "water", ()
    yield "meters", "meters", ("--registry", "registry.toml")


def warm() -> None:
    """Compile what the calculators need, or load its machine code from the cache."""
    with TemporaryDirectory() as folder:
        where = Path(folder)
        (where / "registry.toml").write_text(_REGISTRY, encoding="utf-8")
        for name, head in _TABLES.items():
            (where / f"{name}.csv").write_text(head + "".join(_rows(name)), encoding="utf-8")
        for kind, table, words in runs():
            named = [str(where / word) if word.endswith(".toml") else word for word in words]
            if code := cli.main(["assess", kind, str(where / f"{table}.csv"), "-o", str(where / "out"), *named]):
                raise SystemExit(code)


def _rows(name: str) -> Iterator[str]:
    if name in {"days", "one"}:
        values = "35,50,5,20,0.8,60" if name == "days" else "35"
        yield from (f"{site},{year}-01-{day:02},{values}\n" for site in "ab" for year in (2024, 2025) for day in range(1, 10))
        return
    for number in range(1, 40):
        time = f"2025-01-{1 + number // 24:02}T{number % 24:02}:00:00"
        if name == "water":
            yield f"a,{time},20,7,8,2,0.1,0.05,1,river\n"
        elif name == "meters":
            yield f"a,{time},{number}\n"
        else:
            yield from (f"{site},{time},{30 + number % 7},50,5,20,0.8,60\n" for site in "ab")

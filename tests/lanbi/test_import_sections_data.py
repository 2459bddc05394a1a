"""The real section pages: all sections kept, published classes met by the stored ones, revisions in every order."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from domain import water
from domain.civil import parse_time
from domain.indicators import Query
from domain.places import WaterSection
from lanbi import cli, wiring
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from lanbi.formats.sources import open_source
from lanbi.settings import load
from tests.lanbi.figures_house import Hand
from tests.lanbi.water_house import registry

DEV = Path(__file__).parents[3] / "shared" / "data" / "dev"
pytestmark = pytest.mark.skipif(not DEV.is_dir(), reason="public data not present: ../shared/data/dev")
PAGE = DEV / "cnemc_sections_20251118T193233_original.html.gz"
REVISIONS = DEV / "water_sections_shandong_hebei_20251118_revisions.csv.gz"
EVIDENCE = DEV / "section_type_evidence.csv"
NOW = parse_time("2025-11-18T20:00:00+08:00")
KEY = ("province", "city", "river", "station")


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a table, packed or not."""
    data = path.read_bytes()
    return list(csv.DictReader(io.StringIO((gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8"), newline="")))


def bodies() -> dict[str, str]:
    """River or lake by section; undetermined ones are judged alike by both."""
    return {"|".join(row[name] for name in KEY): "lake" if row["type_evidence"] == "lake" else "river" for row in table(EVIDENCE)}


class Waters:
    """A data folder whose registry knows the sections of some rows, with an analyst on it."""

    def __init__(self, folder: Path, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        known = bodies()
        self.ids = {name: f"w{number}" for number, name in enumerate(names)}
        lines = ['[county]\nid = "c"\nname = "c"']
        for name, number in self.ids.items():
            lines.append(f'[[water_section]]\nid = "{number}"\nname = "{number}"\nbody = "{known.get(name, "river")}"\ncontrol = "local"\nmatch = "{name}"')
        (folder / "county.toml").write_text("\n".join(lines), encoding="utf-8")
        self.env = {"LANBI_DATA": str(folder / "var"), "LANBI_COUNTY": str(folder / "county.toml")}
        for key, value in self.env.items():
            monkeypatch.setenv(key, value)
        self.store: Any = wiring.store(load(None, self.env))
        places = {number: WaterSection(number, number, known.get(name, "river"), "local", match=(name,)) for name, number in self.ids.items()}
        self.follower = Follower(Analyst(self.store, self.store, registry(places), ()), self.store, Hand(NOW))
        self.follower.start()

    def bring(self, *files: Path) -> None:
        """Import files and work them in."""
        assert 0 == cli.main(["import", "--format", "auto", *map(str, files)])
        self.follower.step()

    def classes(self) -> dict[tuple[str, int], float | None]:
        """Stored class by section and time."""
        return {(row.scope, row.time): row.value for row in self.store.series(Query("water_class", period="hour", limit=10**6))}

    def changed(self) -> list[tuple[str, float | None, float | None]]:
        """Restated classes of records."""
        rows = self.store.restatements(0, 2**60, 10**6)
        return sorted((row.scope, row.old, row.new) for row in rows if (row.figure, row.period) == ("water_class", "hour"))


def published(rows: list[dict[str, str]], ids: dict[str, str]) -> Counter[tuple[str, float]]:
    """Class of each row that has one, by section."""
    return Counter((ids["|".join(row[name] for name in KEY)], float(water.CLASSES.index(row["wclass"]) + 1)) for row in rows if row["wclass"])


def test_every_section_of_the_page_is_kept_with_its_published_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """1,770 sections: 1,646 records and 124 without one; all 1,576 published classes are ours, and we have no more than complete records."""
    sheet = open_source(str(PAGE)).sheet
    rows = [dict(zip(sheet.columns, cells, strict=True)) for _, cells in sheet.rows]
    house = Waters(tmp_path, ["|".join(row[name] for name in KEY) for row in rows], monkeypatch)
    house.bring(PAGE)

    said = capsys.readouterr().out
    assert "读取 read 1770 = 入库 stored 1646 + 重复 duplicate 0 + 死信 dead-letter 0 + 待审 quarantined 0 + 空行 empty 124" in said
    ours = Counter((site, value) for (site, _), value in house.classes().items())
    assert 1_576 == published(rows, house.ids).total()
    assert Counter() == published(rows, house.ids) - ours
    assert 1_579 == ours.total()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_revisions_in_any_order_end_with_the_last_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], order: tuple[int, ...]
) -> None:
    """Three downloads of one evening, in every order and twice: the classes of the last one stand; in their own order six changes are restated, none again."""
    rows = table(REVISIONS)
    snaps = sorted({row["snap"] for row in rows})
    files = []
    for snap in snaps:
        part = [row for row in rows if row["snap"] == snap]
        files.append(tmp_path / f"{snap}.csv")
        with files[-1].open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(part)
    house = Waters(tmp_path, sorted({"|".join(row[name] for name in KEY) for row in rows}), monkeypatch)
    for place in (*order, *order):
        house.bring(files[place])

    newest = {("|".join(row[name] for name in KEY), row["obs"]): row for row in rows if row["obs"]}
    wanted = published(list(newest.values()), house.ids)
    ours = Counter((site, value) for (site, _), value in house.classes().items() if value is not None)
    assert Counter() == wanted - ours
    silent = [row for row in newest.values() if not row["wclass"] and all(row[item] not in {"", "*", "--"} for item in water.DECIDING)]
    assert len(silent) == (ours - wanted).total()
    if order == (0, 1, 2):
        assert 6 == len(house.changed())
        assert all(old != new for _, old, new in house.changed())
    capsys.readouterr()

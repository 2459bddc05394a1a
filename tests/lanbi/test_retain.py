"""What is past its time goes when somebody answers for it, days stay for ever, and late data need only another run."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from domain.civil import DAY_S
from domain.indicators import Indicator, Query
from lanbi import wiring
from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.embedded import EmbeddedStore
from lanbi.influx_setup import Wish, prepare
from lanbi.journal_bytes import sealed_path
from lanbi.settings import Settings, load
from lanbi.state import State
from tests.contract.conftest import running
from tests.dashboards.filled import settings_in
from tests.lanbi.sealed_house import journalled, seal_all

NOW = SystemClock().now_ns() // 10**9
OLD = NOW - 4_000 * DAY_S
"""Older than ten years."""


def figure(period: str, time: int) -> Indicator:
    """A figure."""
    return Indicator("pm25", period, "cp", "HJ633-2012", time // 3600 * 3600, 35.0, computed=1.0, version=1)


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """Old and new figures of all periods."""
    assert 0 == main(["init", "--to", str(tmp_path / "etc"), "--county-id", "cp", "--county-name", "某区"])
    settings = load(str(tmp_path / "etc" / "lanbi.toml"), {})
    (settings.data / "journal").mkdir()
    State(settings.data).close()
    store = EmbeddedStore(settings.data / "store.db")
    store.put([figure(period, OLD + number * 3600) for period in ("hour", "day", "month", "year") for number in range(3)])
    store.put([figure("hour", NOW - 3_000 * DAY_S), figure("day", NOW)])
    store.close()
    return settings


def kept(settings: Settings) -> dict[str, int]:
    """Figures by period."""
    store = EmbeddedStore(settings.data / "store.db")
    found = {period: len(store.series(Query(period=period, basis=None, start=0, end=NOW + DAY_S, limit=100))) for period in ("hour", "day", "month", "year")}
    store.close()
    return found


def told(settings: Settings, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """`lanbi retain --json`."""
    assert 0 == main(["retain", "--json", *words, "--config", str(settings.file)])
    return dict(json.loads(capsys.readouterr().out))


def test_it_is_a_dry_run_unless_somebody_answers_for_it(house: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Told and nothing removed; --yes without a name is refused."""
    capsys.readouterr()
    assert (False, 3) == (told(house, capsys)["removed"], told(house, capsys, "--dry-run")["hours"])
    assert 2 == main(["retain", "--yes", "--config", str(house.file)])
    assert "somebody must answer" in capsys.readouterr().err

    assert {"hour": 4, "day": 4, "month": 3, "year": 3} == kept(house)


def test_hours_go_and_days_stay(house: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Hours older than ten years are taken away, younger ones and every longer period stay; late data and another run give the same."""
    capsys.readouterr()
    assert 3 == told(house, capsys, "--yes", "--person", "wang")["hours"]
    assert {"hour": 1, "day": 4, "month": 3, "year": 3} == kept(house)

    store = EmbeddedStore(house.data / "store.db")
    store.put([figure("hour", OLD), figure("day", OLD)])  # what analytics writes again after a late reading
    store.close()
    assert 1 == told(house, capsys, "--yes", "--person", "wang")["hours"]
    assert {"hour": 1, "day": 4, "month": 3, "year": 3} == kept(house)
    assert 0 == told(house, capsys)["hours"]


def test_journal_days_that_are_not_forwarded_stay(house: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Sealed, past five years, and not yet in the store: kept, for the record is the only one."""
    text = Path(str(house.file)).read_text() + "\n[journal]\nkeep_days = 5\n"
    Path(str(house.file)).write_text(text)
    journalled(house.data / "journal", 3)
    seals = seal_all(house.data / "journal")
    capsys.readouterr()
    assert [] == told(house, capsys, "--yes", "--person", "wang")["journal"]

    state = State(house.data)
    with state._files.write() as db:
        db.execute("INSERT INTO cursor VALUES ('mqtt', 1000, 0)")
    state.close()
    gone = told(house, capsys, "--yes", "--person", "wang")["journal"]
    assert [seal.reference for seal in seals] == gone
    assert not any(sealed_path(path).exists() for path in (house.data / "journal" / "mqtt").glob("*.lbj"))
    assert len(seals) == len(list((house.data / "journal" / "mqtt").glob("*.seal")))
    assert any((house.data / "journal" / "person").iterdir())


def test_its_times_are_settings_with_a_floor(house: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer than 800 days of hours are refused: two years of them are compared and projected from."""
    Path(str(house.file)).write_text(Path(str(house.file)).read_text().replace('kind = "embedded"', 'kind = "embedded"\nkeep_hours = 30'))

    assert 2 == main(["retain", "--config", str(house.file)])
    assert "store.keep_hours" in capsys.readouterr().err


@pytest.mark.services
def test_hours_in_a_real_influxdb_go_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Told without --yes, then removed by the write token that `lanbi store init` made; late data need only another run."""
    (tmp_path / "influx").mkdir()
    (tmp_path / "data" / "journal").mkdir(parents=True)
    with running(tmp_path / "influx") as (url, _):
        settings = settings_in(tmp_path / "data", url, 2026)
        list(prepare(settings, Wish(days=0)))
        State(settings.data).close()
        with closing(wiring.store(settings)) as store:
            store.put([figure(period, OLD + number * 3600) for period in ("hour", "day") for number in range(3)] + [figure("hour", NOW - 3_000 * DAY_S)])
            answers = [told(settings, capsys)["hours"], told(settings, capsys, "--yes", "--person", "王芳")["hours"], told(settings, capsys)["hours"]]
            store.put([figure("hour", OLD)])
            answers.append(told(settings, capsys, "--yes", "--person", "王芳")["hours"])
            left = {period: len(store.series(Query(period=period, basis=None, start=0, end=NOW, limit=100))) for period in ("hour", "day")}

    assert [3, 3, 0, 1] == answers
    assert {"hour": 1, "day": 3} == left

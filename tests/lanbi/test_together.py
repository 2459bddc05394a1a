"""Several ingests on one machine are shown as one: newest readings, account, refusals, the watch's figures, the ledger's reasons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.freshness import survey
from domain.errors import SettingsError
from ingest.newest import Newest
from ingest.ports import Batch
from lanbi import serving
from lanbi.metrics import write_status
from lanbi.settings import Settings, load
from lanbi.state import State, StateView
from lanbi.together import Together, added, folders
from lanbi.watching import Watch
from tests.clocks import At
from tests.lanbi.test_state import refused

CLOCK = At("2026-03-05T09:10:00+08:00")
NOW = CLOCK.now
TIME = NOW // 3_600 * 3_600
COUNTY = '[county]\nid = "c"\nname = "c"\n' + "".join(
    f'[[air_station]]\nid = "a{number}"\nname = "a{number}"\nrole = "assessment"\n'
    f'[[device]]\nid = "d{number}"\nsources = ["a{number}"]\ninterval = 3600\nstate = "accepted"\n'
    for number in (1, 2)
)


def filled(folder: Path, source: str, time: int, letters: int) -> None:
    """A state in which one source was heard, and so many records were refused."""
    state = State(folder)
    latest = {(source, 3_600): Newest(source, 3_600, "air", time, 1, time * 10**9, "d", {"pm25": 30.0}, {})}
    batch = Batch("mqtt", letters, 0, latest=latest, refused=[refused(number) for number in range(1, letters + 1)])
    batch.count("deadletter", "bad-json", by=letters)
    state.commit(batch, "1")
    state.close()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """The first of two ingests, whose settings name the other's folder."""
    (tmp_path / "county.toml").write_text(COUNTY)
    text = f'data = "{tmp_path / "one"}"\ncounty = "{tmp_path / "county.toml"}"\n[ingest]\nbeside = ["{tmp_path / "two"}"]\n'
    (tmp_path / "lanbi.toml").write_text(text)
    for name, source, time, letters in (("one", "a1", TIME, 3), ("two", "a2", TIME, 2)):
        (tmp_path / name).mkdir()
        filled(tmp_path / name, source, time, letters)
    return load(str(tmp_path / "lanbi.toml"), {})


def views(settings: Settings) -> Together:
    """Both states."""
    return Together([StateView(data) for data in folders(settings)])


def test_newest_readings_and_counts_are_everybodys(settings: Settings) -> None:
    """Sources of both; where both know one, the newer reading; counts add up."""
    both = views(settings)
    filled(settings.ingest.beside[0], "a1", TIME + 3_600, 0)

    assert [("a1", TIME + 3_600), ("a2", TIME)] == sorted((one.source, one.time) for one in both.latest())
    assert {("deadletter", "bad-json"): 5} == both.totals()
    assert {"received": 0, "stored": 0, "duplicate": 0, "deadletter": 5, "quarantined": 0, "pending": 0} == both.conservation()


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_refusals_page_over_both_without_loss_or_repetition(settings: Settings, size: int, newest: bool) -> None:  # noqa: FBT001  pytest's way
    """Each refusal has a number of its own, whichever page size and direction."""
    both, seen, after = views(settings), [], 0
    while page := both.refused(after=after, limit=size, newest=newest):
        seen += [number for number, _ in page]
        after = seen[-1]

    assert 5 == len(set(seen)) == len(seen)
    assert sorted(seen, reverse=newest) == seen


def test_of_one_ingest_nothing_changes(settings: Settings) -> None:
    """Numbers of refusals are those that `lanbi deadletters` takes."""
    view = StateView(settings.data)
    one = Together([view])

    assert view.refused() == one.refused()
    assert view.refused(after=3, newest=True) == one.refused(after=3, newest=True)
    assert (view.conservation(), view.totals()) == (one.conservation(), one.totals())
    assert [] == one.refused(after=1, newest=True)


def test_the_board_shows_the_devices_of_both(settings: Settings) -> None:
    """What its API reads from: both stations are on time, the refusals of both are there."""
    sources = serving.sources(settings)

    assert {"a1", "a2"} == {one.source for one in survey(sources, NOW) if one.state == "on-time"}
    assert 5 == len(sources.state.refused())


def test_the_watch_calls_nobody_silent_whom_another_ingest_hears(settings: Settings) -> None:
    """Rows of the sources of both, and the worst of both for what is well: the other ingest's broken link is told."""
    rows: list[tuple[str, str, float | None]] = []

    class Sink:
        def put(self, some: object) -> None:
            rows.extend((row.figure, row.scope, row.value) for row in some)  # type: ignore[attr-defined]

        def events(self, some: object) -> None:
            raise AssertionError(some)

    for data, connected in zip(folders(settings), (True, False), strict=True):
        write_status(data / "run" / "ingest.json", {"connected": connected, "store": "ok", "packet_age_s": 1.0})
    from lanbi import wiring

    Watch(settings.data, wiring.registry(settings), Sink(), CLOCK, beside=settings.ingest.beside).look()  # type: ignore[arg-type]
    found = {(figure, scope): value for figure, scope, value in rows}

    assert (0.0, 0.0) == (found["freshness", "a1"], found["freshness", "a2"])
    assert (0.0, 1.0, 5.0) == (found["broker_up", "c"], found["store_up", "c"], found["ingest_deadletter", "c"])


def test_the_worst_counts_where_something_is_well_or_not() -> None:
    """Counts are added, waiting and silence the longest, room the shortest."""
    one = {"ingest_received": 2.0, "ingest_waiting": 5.0, "store_up": 1.0, "broker_silence": 9.0, "journal_days": 80.0}
    two = {"ingest_received": 3.0, "ingest_waiting": 7.0, "store_up": 0.0, "broker_silence": 1.0, "journal_days": 90.0}

    assert {"ingest_received": 5.0, "ingest_waiting": 7.0, "store_up": 0.0, "broker_silence": 9.0, "journal_days": 80.0} == added([one, two])
    assert one == added([one])


def test_a_folder_beside_itself_is_refused(tmp_path: Path) -> None:
    """Everything would be counted twice."""
    (tmp_path / "lanbi.toml").write_text(f"data = {json.dumps(str(tmp_path))}\n[ingest]\nbeside = [{json.dumps(str(tmp_path))}]\n")

    with pytest.raises(SettingsError, match="names the data folder itself"):
        load(str(tmp_path / "lanbi.toml"), {})

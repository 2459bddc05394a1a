"""What the demo refuses before it starts anything, and what it writes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.civil import day_end, iso, parse_time
from domain.errors import DataFolderBusy, InputError, LanbiError, PortTaken, WorkError
from lanbi import demo as demos
from lanbi.demo import Story, Wish, demo
from lanbi.processes import address, family, free
from lanbi.supervisor import sole


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def wish(folder: Path, **changes: object) -> Wish:
    """A wish for a demo in a folder."""
    fields: dict[str, object] = {"http": "127.0.0.1:9", "data": folder, "speed": 60.0, "start": None, "seed": None}
    return Wish(**(fields | changes))  # type: ignore[arg-type]  the fields are the ones above


def refusal(chosen: Wish) -> LanbiError:
    """The error that a wish meets."""
    with pytest.raises(LanbiError) as caught:
        demo(chosen, lambda _: None, {})
    return caught.value


def test_second_demo_is_refused(tmp_path: Path) -> None:
    """A second demo on the same data folder is told who has it, exit 1."""
    with sole(tmp_path):
        error = refusal(wish(tmp_path))

    assert isinstance(error, DataFolderBusy)
    assert (1, str(tmp_path)) == (error.exit_code, error.where)


def test_taken_port_is_named(tmp_path: Path, taken: int) -> None:
    """A taken address is one clear message, exit 1, and nothing is written."""
    error = refusal(wish(tmp_path, http=f"127.0.0.1:{taken}"))

    assert isinstance(error, PortTaken)
    assert f"127.0.0.1:{taken}" == error.where
    assert "--http" in error.todo
    assert ["lanbi.lock"] == [entry.name for entry in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"http": "8080"}, "--http"),
        ({"http": "127.0.0.1:http"}, "--http"),
        ({"http": "127.0.0.1:70000"}, "--http"),
        ({"speed": 0.0}, "--speed"),
        ({"speed": float("nan")}, "--speed"),
        ({"speed": 1e9}, "--speed"),
        ({"start": "tomorrow"}, "--start"),
        ({"start": "2999-01-01T00:00:00+08:00"}, "--start"),
    ],
)
def test_wrong_arguments_are_explained(tmp_path: Path, changes: dict[str, object], where: str) -> None:
    """A wrong address, speed or start names its option, exit 2, and leaves no demo behind."""
    error = refusal(wish(tmp_path, **({"http": f"127.0.0.1:{free()}"} | changes)))

    assert isinstance(error, InputError)
    assert (2, where) == (error.exit_code, error.where)
    assert not (tmp_path / "demo.json").exists()


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder with other files is not turned into a demo."""
    (tmp_path / "letters.txt").write_text("dear")
    error = refusal(wish(tmp_path, http=f"127.0.0.1:{free()}"))

    assert isinstance(error, InputError)
    assert "letters.txt" in error.what
    assert ["lanbi.lock", "letters.txt"] == sorted(entry.name for entry in tmp_path.iterdir())


@pytest.mark.parametrize("changes", [{"seed": 2}, {"start": "2025-09-01T00:00:00+08:00"}])
def test_another_story_in_the_same_folder_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    """A folder keeps the seed and start it was begun with."""
    Story(seed=1, start=parse_time(demos.START), days=365).save(tmp_path)
    error = refusal(wish(tmp_path, http=f"127.0.0.1:{free()}", **changes))

    assert isinstance(error, InputError)
    assert "seed 1" in error.what


def test_broken_story_is_explained(tmp_path: Path) -> None:
    """A damaged demo.json is one clear message."""
    (tmp_path / "demo.json").write_text("{")
    error = refusal(wish(tmp_path, http=f"127.0.0.1:{free()}"))

    assert isinstance(error, WorkError)
    assert str(tmp_path / "demo.json") == error.where


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-10-01T00:00:00+08:00", "2025-10-01T00:00:00+08:00"),
        ("2025-10-01T06:00:00+08:00", "2025-10-01T00:00:00+08:00"),
        ("2025-10-01T23:59:59+08:00", "2025-10-01T00:00:00+08:00"),
    ],
)
def test_history_ends_with_a_whole_day(start: str, end: str) -> None:
    """History is whole civil days; devices begin behind them, so there is no hole."""
    assert end == iso(day_end(Story(0, parse_time(start), 365).last_day))


def test_family_is_three_and_the_broker(tmp_path: Path) -> None:
    """The demo runs the same three processes as `lanbi run`, each with status file and settings."""
    names = [one.name for one in family(tmp_path, "x.toml", log=tmp_path, broker=True)]

    assert ["broker", "ingest", "analyse", "serve"] == names
    assert names[1:] == [one.name for one in family(tmp_path, None, log=None, broker=False)]


def test_address_of_the_sixth_kind() -> None:
    """An IPv6 address loses its brackets."""
    assert ("::1", 8080) == address("[::1]:8080")

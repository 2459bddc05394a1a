"""Scenario files: those that come with lanbi, by name, and anybody's own, by path."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Final

from domain.civil import DAY_S, date_of, day_number, day_of, day_start
from domain.errors import FileError, InputError
from edge_sim.scenario import Scenario
from edge_sim.scenario_checks import LAST

LEAP: Final = 10
"""Years within which every day of the calendar comes at least once, and a scenario of at most a year has ended."""
FOLDER: Final = Path(__file__).resolve().parent / "scenarios"


def names() -> list[str]:
    """Scenarios that come with lanbi."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(wanted: str) -> Scenario:
    """A scenario by name or by path.

    Raises
    ------
    FileError
        There is none, or it is no TOML.
    InputError
        Something in it is unknown, missing or of the wrong form.
    """
    path = FOLDER / f"{wanted}.toml"
    if not path.exists():
        path = Path(wanted)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"no such scenario: {wanted}", str(path), f"name a file, or one of {', '.join(names())}") from error
    except UnicodeDecodeError as error:
        raise FileError("the file is not UTF-8", str(path), "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"no TOML: {error}", str(path), "correct the file") from error
    return Scenario.of(path.stem, table)


def begin_of(scenario: Scenario, now: int) -> int:
    """The scenario's latest begin [s] with its end not behind ``now`` [s].

    >>> from domain.civil import iso, parse_time
    >>> now = parse_time("2026-03-01T12:00:00+08:00")
    >>> iso(begin_of(load("bad-winter"), now)), iso(begin_of(load("quiet-year"), now))
    ('2025-11-15T00:00:00+08:00', '2025-03-01T00:00:00+08:00')
    """
    if scenario.begin == LAST:
        return day_start(day_of(now)) - scenario.days * DAY_S
    today = date_of(day_of(now))
    month, day = (int(part) for part in scenario.begin.split("-"))
    for year in range(today.year, today.year - LEAP, -1):
        try:
            begin = day_start(day_number(date(year, month, day)))
        except ValueError:
            continue  # 02-29 in a common year
        if begin + scenario.days * DAY_S <= now:
            return begin
    raise InputError(f"no such day: {scenario.begin}", scenario.name, 'write begin = "MM-DD" or "last"')

"""`lanbi simulate score`: read the truth, the store and what was refused; compare; say."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.civil import DAY_S, day_of
from domain.indicators import Query
from domain.places import Registry
from domain.ports import IndicatorSource
from ingest.ports import Refused
from lanbi import registry as registries
from lanbi import wiring
from lanbi.assess import files
from lanbi.score import signs, truth
from lanbi.score.classes import classes
from lanbi.score.energy import accounts
from lanbi.score.readings import Rows, compare, refusals, stored
from lanbi.score.report import Score, lines, words
from lanbi.score.signs import Sign
from lanbi.settings import Settings
from lanbi.state import StateView

PAGE: Final = 10_000
LOOKS: Final = 100_000


def score(settings: Settings, folder: Path, county: Path | None, json_to: str | None) -> int:
    """Print the score; 0 if nothing is lost or altered but by a planted fault, else 1."""
    registry = registries.load(county) if county else wiring.registry(settings)
    found = scored(settings, folder, registry)
    for line in lines(found):
        sys.stdout.write(line + "\n") if json_to != "-" else None
    if json_to:
        files.write(json_to, [json.dumps(words(found), ensure_ascii=False, indent=1).encode() + b"\n"])
    return 0 if found.sound else 1


def scored(settings: Settings, folder: Path, registry: Registry) -> Score:
    """The score of a played scene."""
    log = truth.load(folder, registry)
    refused = list(_refused(StateView(settings.data)))
    store = wiring.store(settings)
    try:
        begin, end = log.facts["begin"], log.facts["end"]
        tally = compare(log, store, refusals(refused))
        kept = [(said, stored(store, said, begin, end)) for said in log.said]
        books = accounts(registry, kept, store.entered("event"))
        told = sorted({*_signs(log, kept, refused, registry), *_raised(store, log), *signs.of_meters(books.accounts, books.counted, registry)})
        false, rate = signs.false_alarms(log, told, registry)
        return Score(
            dict(log.facts), tally, books.energies, classes(registry, kept, _levels(store, begin, end)), signs.judged(log, told, registry), false, rate
        )
    finally:
        store.close()


def _refused(view: StateView) -> Iterator[Refused]:
    last = 0
    while page := view.refused(after=last, limit=PAGE):
        yield from (one for _, one in page)
        last = page[-1][0]


def _signs(log: truth.Truth, kept: list[tuple[truth.Said, Rows]], refused: list[Refused], registry: Registry) -> Iterator[Sign]:
    yield from signs.of_refusals(refused, log.said)
    yield from signs.of_drift(kept, registry)
    for said, rows in kept:
        yield from signs.of_standing(said, rows)
        yield from signs.of_flags(said, rows)


def _raised(store: IndicatorSource, log: truth.Truth) -> Iterator[Sign]:
    return signs.of_events(store.event_rows(log.facts["begin"], log.facts["end"] + 120 * DAY_S, LOOKS))


def _levels(store: IndicatorSource, begin: int, end: int) -> dict[tuple[str, int], int]:
    """Stored daily levels of places, of the rule set in force."""
    rows = store.series(Query("aqi", None, "day", None, "raw", begin - DAY_S, end))
    return {(row.scope, day_of(row.time + 1)): int(row.status) for row in rows if row.status.isdigit()}

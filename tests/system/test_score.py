"""The score on a real house: nothing is lost in a quiet county, planted faults are found, and a service that lies about its journal is seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_sim.fleet import Fleet
from edge_sim.line import Address
from lanbi import playing, wiring
from lanbi.clock import SystemClock
from lanbi.score.report import Score, lines, words
from lanbi.scoring import scored
from tests.faults.parts.house import ROOT, House, until
from tests.lanbi.real_broker import real

pytestmark = real
SAMPLE = (ROOT / "plans" / "sample-county.toml").read_text(encoding="utf-8")
DAY = 'zh = "一天"\nen = "a day"\nbegin = "03-04"\ndays = 1\n'
FAULTY = """zh = "三天"
en = "three days"
begin = "03-04"
days = 3
[[fault]]
kind = "register-reset"
target = "meter:production#0"
at = "1d"
[[fault]]
kind = "garbage"
target = "meter:treatment#0"
at = "1d 3h"
[[fault]]
kind = "forged"
target = "air#0"
at = "5h"
for = "3h"
[[fault]]
kind = "backfill"
target = "air#1"
at = "1d"
for = "5h"
[[fault]]
kind = "malformed"
target = "air#2"
at = "1d"
for = "1h"
[[fault]]
kind = "milliseconds"
target = "air#3"
at = "2h"
for = "2h"
[[fault]]
kind = "error-code"
target = "air#4"
at = "8h"
for = "2h"
[[fault]]
kind = "stuck"
target = "air#5"
at = "6h"
for = "1d 12h"
"""


@contextmanager
def house(folder: Path, *ingest: str) -> Iterator[House]:
    """Mosquitto and ingest on the embedded store."""
    chosen = House(folder / "house", SAMPLE, store="embedded", ingest_command=ingest or ("-m", "lanbi", "ingest"))
    with chosen:
        yield chosen


def played(chosen: House, folder: Path, text: str, stop: Callable[[Fleet], bool] = lambda _: False) -> Score:
    """A scenario at full speed, forwarded to the end, and its score."""
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    settings = wiring.settings(str(chosen.config))
    registry = wiring.registry(settings)
    wish = playing.Play(str(path), 11, 0.0, None, folder / "truth")
    fleet = playing.fleet_of(playing.staged(registry, SystemClock(), wish), Address("127.0.0.1", chosen.broker_port, {}), SystemClock(), wish)
    clock = SystemClock()
    end = clock.monotonic() + 300
    fleet.run(lambda: stop(fleet) or clock.monotonic() > end, lambda _: None)
    until(lambda: chosen.law()["pending"] == 0 and chosen.law()["received"] > 0, "the journal is forwarded", 120)
    return scored(settings, folder / "truth", registry)


def test_quiet_day_is_whole(tmp_path: Path) -> None:
    """Nothing lost, doubled or altered, energy exact, no false alarm; the table and the JSON say so."""
    with house(tmp_path) as chosen:
        found = played(chosen, tmp_path, DAY)
        told = words(found)
        law = chosen.law()

    assert found.sound
    assert (0, 0, 0, 0, 0) == tuple(told["readings"][name] for name in ("lost", "missing", "doubled", "altered", "refused"))
    assert told["readings"]["said"] == told["readings"]["confirmed"] == told["readings"]["stored"] == law["stored"] > 3_000
    assert "0" == told["energy_error"].rstrip("0").rstrip(".") or float(told["energy_error"]) == 0
    assert len(found.energies) > 20 and all(one.true > 0 for one in found.energies)
    assert (0, []) == (found.false, found.found)
    assert json.loads(json.dumps(told))["sound"]
    assert "无损 sound" in list(lines(found))[-1]


def test_planted_faults_are_found_and_lose_nothing(tmp_path: Path) -> None:
    """Each planted fault that has a sign is found; what is refused is accounted for; only the faulty meters have a wrong energy."""
    with house(tmp_path) as chosen:
        found = played(chosen, tmp_path, FAULTY)
    by_kind = {one.kind: (one.planted, one.found) for one in found.found}

    assert dict.fromkeys(("register-reset", "garbage", "forged", "backfill", "malformed", "milliseconds", "error-code", "stuck"), (1, 1)) == by_kind
    assert found.sound and found.tally.refused >= 4
    assert 0 == found.tally.lost == found.tally.missing
    assert len(found.wrong_meters) <= 2


def test_early_acknowledgement_is_seen_as_loss(tmp_path: Path) -> None:
    """A service that confirms before it has journalled, and is killed, loses confirmed readings: the score counts them."""
    killed: list[int] = []

    def kill(fleet: Fleet) -> bool:
        if len(killed) < 3 and fleet.readings > 2_500 * (len(killed) + 1):
            killed.append(fleet.readings)
            chosen.ingest.kill()
            chosen.ingest.start()
        return False

    with house(tmp_path, "-m", "tests.faults.parts.early_ack", "ingest") as chosen:
        found = played(chosen, tmp_path, DAY.replace("days = 1", "days = 4"), kill)
    told: dict[str, Any] = words(found)

    assert 3 == len(killed)
    assert not found.sound
    assert told["readings"]["lost"] > 0
    assert len(told["readings"]["names"]["lost"]) == min(10, told["readings"]["lost"])


def test_folder_without_truth_is_refused(tmp_path: Path) -> None:
    """A folder that holds no finished log is named, with what to do."""
    from domain.errors import FileError

    settings = House(tmp_path / "house", SAMPLE, store="embedded")
    chosen = wiring.settings(str(settings.config))

    with pytest.raises(FileError, match="no finished truth log"):
        scored(chosen, tmp_path, wiring.registry(chosen))

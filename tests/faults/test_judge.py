"""The judge of the campaigns: it must see a lost, a doubled, an altered and an invented reading, and an account that does not add up."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.faults.parts.devices import Ids
from tests.faults.parts.house import House, PartMissingError, influxd
from tests.faults.parts.judge import FromInflux, Refused, Verdict, judge
from tests.faults.parts.truth import BAD, CORRECTION, FIRST_RUN, FUTURE, PART, QUANTITIES, SPAN, WITHDRAWN, County, Mix, Row

COUNTY = County(7, 3, 1_780_000_020, Mix(correction=6, withdrawal=3, future=30, bad=25, part=20, flag=4), meter_every=3)
SAID = 200
Rows = dict[str, Row]


def world() -> tuple[Ids, Rows, dict[str, Refused], dict[str, int]]:
    """A log, a store, dead letters and an account that agree: everything said, receipted, and dealt with."""
    numbers = range(COUNTY.count)
    ids = Ids({COUNTY.device(one): SAID for one in numbers}, {COUNTY.device(one): np.ones(SAID, np.bool_) for one in numbers})
    rows = {COUNTY.source(one): COUNTY.rows(one, SAID) for one in numbers}
    refused = {COUNTY.device(one): COUNTY.refusals(one, SAID) for one in numbers}
    fates = np.concatenate([COUNTY.plan(one, SAID).fate for one in numbers])
    bad, future = int((fates == BAD).sum()), int((fates == FUTURE).sum())
    totals = {"received": len(fates) + 5, "stored": len(fates) - bad - future, "duplicate": 5, "deadletter": bad, "quarantined": future, "pending": 0}
    return ids, rows, refused, totals


def judged(change: Callable[[Ids, Rows, dict[str, Refused], dict[str, int]], None] = lambda *_: None) -> Verdict:
    """The verdict on that world after a change."""
    ids, rows, refused, totals = world()
    change(ids, rows, refused, totals)
    return judge(COUNTY, ids, lambda _, source: rows[source], refused, totals)


def without(row: Row, at: int) -> Row:
    """Rows with one taken out."""
    return Row(*(np.delete(part, at, axis=0) for part in (row.times, row.revs, row.values, row.flags)))


def test_world_has_every_fate() -> None:
    """The world that is judged holds corrections, withdrawals, dead letters and quarantined readings."""
    fates = {int(fate) for one in range(COUNTY.count) for fate in COUNTY.plan(one, SAID).fate}

    assert {0, CORRECTION, FUTURE, BAD, PART} == fates
    assert any((COUNTY.rows(one, SAID).flags == WITHDRAWN).any() for one in range(COUNTY.count))


def test_whole_record_is_sound() -> None:
    """Everything said stands in the store once, refusals in the dead letters, and the account adds up."""
    verdict = judged()

    assert (True, {}, 3 * SAID) == (verdict.sound, verdict.counts, verdict.readings)


def test_lost_reading_is_seen() -> None:
    """A receipted reading without a row is lost, and it is named; one that was never receipted is missing."""

    def lose(_ids: Ids, rows: Rows, *_: object) -> None:
        rows["src-0000"] = without(rows["src-0000"], 10)

    def lose_unreceipted(ids: Ids, rows: Rows, *_: object) -> None:
        ids.receipted["dev-0000"][:] = False
        lose(ids, rows)

    lost, missing = judged(lose), judged(lose_unreceipted)

    assert ({"lost": 1}, {"missing": 1}) == (lost.counts, missing.counts)
    assert lost.names["lost"][0].startswith(f"src-0000@{COUNTY.time(10)} seq ")
    assert not lost.sound
    assert not missing.sound


def test_lost_correction_is_seen() -> None:
    """A row whose correction never came is a loss, although the row is there and the number of rows is right."""
    plan = COUNTY.plan(0, SAID)
    seq = int(np.flatnonzero(plan.fate == CORRECTION)[-1])
    at = int(plan.slot[seq])

    def stale(_ids: Ids, rows: Rows, *_: object) -> None:
        rows["src-0000"].revs[at] -= 1

    assert {"lost": 1} == judged(stale).counts


def test_doubled_reading_is_seen() -> None:
    """A second row for one time is seen, and so is a reading that was counted as stored twice."""

    def double(_ids: Ids, rows: Rows, *_: object) -> None:
        row = rows["src-0001"]
        rows["src-0001"] = Row(*(np.insert(part, 5, part[5], axis=0) for part in (row.times, row.revs, row.values, row.flags)))

    def count_twice(_ids: Ids, _rows: Rows, _refused: object, totals: dict[str, int]) -> None:
        totals["stored"] += 1
        totals["duplicate"] -= 1

    assert {"doubled": 1} == judged(double).counts
    assert (False, True) == (judged(count_twice).sound, judged(count_twice).balanced)


@pytest.mark.parametrize("part", ["values", "flags", "revs"])
def test_altered_reading_is_seen(part: str) -> None:
    """A row with another value, flag or revision than its device said is altered."""

    def alter(_ids: Ids, rows: Rows, *_: object) -> None:
        getattr(rows["src-0002"], part)[7] += 1

    verdict = judged(alter)

    assert ({"altered": 1}, False) == (verdict.counts, verdict.sound)


def test_smallest_alteration_is_seen() -> None:
    """One bit of one value is enough."""

    def alter(_ids: Ids, rows: Rows, *_: object) -> None:
        values = rows["src-0000"].values
        values[3, 0] = np.nextafter(values[3, 0], np.inf)

    assert {"altered": 1} == judged(alter).counts


def test_invented_reading_is_seen() -> None:
    """A row that nobody said is seen."""

    def invent(_ids: Ids, rows: Rows, *_: object) -> None:
        rows["src-0000"].times[-1] += SPAN

    assert {"invented": 1, "lost": 1} == judged(invent).counts


def test_refusals_are_compared() -> None:
    """A dead letter that is not there, and one for a usable reading, are seen."""

    def forget(_ids: Ids, _rows: Rows, refused: dict[str, Refused], _totals: object) -> None:
        refused["dev-0000"].remove(min(refused["dev-0000"], key=str))

    def refuse_more(_ids: Ids, _rows: Rows, refused: dict[str, Refused], _totals: object) -> None:
        refused["dev-0001"].add((0, "internal", None))

    assert {"unrefused": 1} == judged(forget).counts
    assert {"overrefused": 1} == judged(refuse_more).counts


@pytest.mark.parametrize("term", ["received", "stored", "duplicate", "deadletter", "quarantined", "pending"])
def test_unbalanced_account_is_not_sound(term: str) -> None:
    """An account that is off by one in any term is not sound."""

    def cook(_ids: Ids, _rows: Rows, _refused: object, totals: dict[str, int]) -> None:
        totals[term] += 1

    assert (False, False) == (judged(cook).balanced, judged(cook).sound)


def test_log_of_a_broken_fleet_is_refused(tmp_path: Path) -> None:
    """A log with a hole in the numbers proves nothing and is an error."""
    log = tmp_path / "log"
    log.write_text("+ dev-0000 0 9\n+ dev-0000 20 29\n")

    with pytest.raises(ValueError, match="20 29"):
        Ids.of(log)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of which only influxd runs."""
    try:
        influxd()
    except PartMissingError as missing:
        pytest.skip(str(missing))
    house = House(tmp_path_factory.mktemp("judge") / "house", COUNTY.registry())
    try:
        house.influx.start()
        house.init_store()
        yield house
    finally:
        house.influx.kill()


def reader(house: House) -> FromInflux:
    """The judge's own way to read that database."""
    return FromInflux(f"http://127.0.0.1:{house.influx_port}", house.secret("influx-write").read_text().strip())


def ask(house: House, path: str, body: str) -> None:
    """One write or delete."""
    head = {"Authorization": f"Token {house.secret('influx-write').read_text().strip()}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{house.influx_port}{path}", body.encode(), head)) as answer:
        assert answer.status == 204


def lines(number: int) -> str:
    """Rows of a source in line protocol, written by hand."""
    kind, row = COUNTY.kind(number), COUNTY.rows(number, SAID)
    out = []
    for time, rev, values, flags in zip(row.times, row.revs, row.values, row.flags, strict=True):
        fields = [f"rev={float(rev)!r}"]
        for one, value, flag in zip(QUANTITIES[kind], values.tolist(), flags.tolist(), strict=True):
            fields += [f"{one.name}={value!r}"] if flag and chr(flag) != "W" else []
            fields += [f'{one.name}_f="{chr(flag)}"'] if flag and chr(flag) != "N" else []
        out.append(f"{kind},site={COUNTY.source(number)},span={SPAN} {','.join(fields)} {time}")
    return "\n".join(out)


@pytest.mark.services
def test_real_database_is_judged(database: House) -> None:
    """Rows in a real influxd are sound; after one of them is deleted and one overwritten the judge names both."""
    for number in range(COUNTY.count):
        bucket = "lanbi-meter" if COUNTY.kind(number) == "meter" else "lanbi"
        ask(database, f"/api/v2/write?org=lanbi&bucket={bucket}&precision=s", lines(number))
    ids, _, refused, totals = world()
    before = judge(COUNTY, ids, reader(database), refused, totals)
    gone, other = COUNTY.time(12), COUNTY.time(20)
    stamp = np.datetime_as_string(np.datetime64(gone, "s"))
    ask(database, "/api/v2/delete?org=lanbi&bucket=lanbi", f'{{"start":"{stamp}Z","stop":"{stamp}Z","predicate":"site=\\"src-0000\\""}}')
    ask(database, "/api/v2/write?org=lanbi&bucket=lanbi&precision=s", f"air,site=src-0001,span=60 pm25=1.0 {other}")
    after = judge(COUNTY, ids, reader(database), refused, totals)

    assert (True, {}) == (before.sound, before.counts)
    assert ({"lost": 1, "altered": 1}, False) == (after.counts, after.sound)
    assert "src-0001" in after.names["altered"][0]


def test_revisions_are_those_of_the_service() -> None:
    """The judge's revisions are what the service gives a device's first run."""
    from domain.readings import RANK_DEVICE, revision
    from ingest.revisions import FIRST_DEVICE_RUN

    assert revision(RANK_DEVICE, FIRST_DEVICE_RUN, 0) == FIRST_RUN


def test_blocks_of_truth_agree() -> None:
    """What a fleet makes in blocks is what the judge computes at once."""
    plan, longer = COUNTY.plan(1, 50), COUNTY.plan(1, SAID)
    whole = COUNTY.messages(1, longer, 0, 50)

    assert whole == [message for at in range(0, 50, 7) for message in COUNTY.messages(1, plan, at, min(at + 7, 50))]
    assert replace(COUNTY, seed=8).messages(1, longer, 0, 50) != whole

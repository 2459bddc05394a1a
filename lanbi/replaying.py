"""Asking for a replay, waiting for it, and its closing account.

The request goes into the person's journal; whoever forwards from this data folder works it off: a running ingest between its
live batches, or this process if none runs. Interrupted, it goes on with the next of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from domain import codes
from domain.civil import SHANGHAI, day_start, iso, parse_date, parse_time
from domain.errors import DataFolderBusy, InputError, ServiceError, StoreRefused
from domain.readings import Reading
from domain.reasons import OUTCOMES
from domain.sayings import both
from ingest.jobs import COUNTS, REPLAY, Finding, Job
from lanbi import wiring
from lanbi.forwarding import Patience, forward
from lanbi.journal import newest_trailer
from lanbi.person_journal import WRITER, journal, request
from lanbi.progress import Progress
from lanbi.settings import Settings
from lanbi.state import StateView

UNITS: Final = {"h": 3_600, "d": 86_400}
STANDS: Final = "the request stands in the journal and will be worked off; look at ingest's messages, then `lanbi replay --job {}`"
SHOWN: Final = 20
FOUND: Final = {"missing": "缺失 missing", "different": "不同 different", "extra": "多余 nobody's"}


def moment(text: str, flag: str, now: int, *, end: bool = False) -> int:
    """Instant [s] of ``2026-11-23``, ``2026-11-23T08:00`` (China's time unless an offset says else), or ``96h`` and ``7d`` before now.

    Parameters
    ----------
    end : bool
        A date stands for its last second instead of its first.

    Raises
    ------
    InputError
        None of these.
    """
    plain = text.strip()
    if plain[:-1].isdigit() and plain[-1:] in UNITS:
        return now - int(plain[:-1]) * UNITS[plain[-1]]
    try:
        return day_start(parse_date(plain) + end) - end
    except ValueError:
        pass
    try:
        return parse_time(plain, SHANGHAI)
    except (ValueError, OverflowError) as error:
        raise InputError(str(error), flag, "write 2026-11-23, 2026-11-23T08:00, or 96h or 7d before now") from error


def ask(settings: Settings, what: str, body: Mapping[str, object]) -> str:
    """Journal a request; returns the name of its job.

    Parameters
    ----------
    body : mapping
        Fields of :class:`ingest.jobs.Asked`; those that are None are left out. ``user`` names who asks.
    """
    return journal(settings, REPLAY, request(settings, what, body))


def wait(settings: Settings, name: str) -> Job:
    """Have a job worked off, here or by the running ingest, with a progress bar on a terminal; returns it closed.

    Raises
    ------
    InputError
        There is no such request.
    StoreAway, WorkError
        It goes on when what hinders it is mended.
    """
    clock = wiring.clock(settings)
    bar = Progress("进度 progress", 1, clock)
    patience = Patience(settings.data, clock, STANDS.format(name))

    def show(_: int = 0) -> None:
        job = look(settings, name)
        if job:
            bar.total = max(1, job.wanted)
            bar.at(job.records)

    number = _number(name)
    while True:
        job = look(settings, name)
        if job and not job.open:
            bar.close()
            return job
        if job is None and not _behind(settings) < number <= newest_trailer(settings.data / "journal", WRITER).last_seq:
            raise InputError("there is no such request", name, "`lanbi replay` without --job makes one")
        try:
            forward(settings, wiring.registry(settings), WRITER, show)
        except DataFolderBusy:
            patience.wait()
            show()
        except (ServiceError, StoreRefused) as error:
            error.todo = f"{error.todo}; {STANDS.format(name)}"
            raise


def look(settings: Settings, name: str) -> Job | None:
    """A job as it stands; None as long as its request was not read."""
    view = StateView(settings.data)
    try:
        return view.job(name)
    finally:
        view.close()


def _behind(settings: Settings) -> int:
    view = StateView(settings.data)
    try:
        return view.cursor(WRITER)[0]
    finally:
        view.close()


def _number(name: str) -> int:
    writer, _, seq = name.partition("/")
    if writer == "night":
        return 0
    if writer != WRITER or not seq.isdigit():
        raise InputError("not a request", name, f"write it as {WRITER}/17")
    return int(seq)


def account(job: Job) -> dict[str, object]:
    """The account for a machine: read = the four outcomes."""
    names = ("read", *OUTCOMES, "resolved", "left", "unreadable")
    return {"id": job.id, "state": job.state, "detail": job.detail, **{name: job.counts.get(name, 0) for name in names}}


def lines(job: Job) -> Iterator[str]:
    """The account in words, Chinese first."""
    count: Callable[[str], int] = lambda name: job.counts.get(name, 0)  # noqa: E731  it reads better
    yield f"读取 read {count('read')} = {' + '.join(f'{codes.both(said)} {count(name)}' for name, said in OUTCOMES.items())}"
    if count("resolved"):
        yield f"已解决的死信 dead letters settled: {count('resolved')}"
    if count("left"):
        yield f"保持原样 left as they are: {count('left')} (今日登记册会拒收 refused by today's registry; --registry then 用接收时的 takes that of their receipt)"
    if count("unreadable"):
        yield f"日志损坏，无法重放 damaged or missing in the journal: {count('unreadable')}"
    if job.detail:
        yield f"{job.state}: {both(job.detail)}"


def reconciled(job: Job) -> dict[str, object]:
    """The outcome of a reconciliation for a machine."""
    return {"id": job.id, "state": job.state, "detail": job.detail, **{name: job.counts.get(name, 0) for name in COUNTS}}


def plain_finding(one: Finding) -> dict[str, object]:
    """A finding for a machine."""
    key = {"table": one.key.kind, "source": one.key.source, "span": one.key.span, "time": iso(one.key.time)}
    return {"what": one.what, **key, "expected": _plain(one.expected), "found": _plain(one.found), "mended": one.mended}


def reconciled_lines(job: Job, found: Sequence[Finding]) -> Iterator[str]:
    """The outcome in words, Chinese first."""
    count = {name: job.counts.get(name, 0) for name in COUNTS}
    yield f"比较 compared {count['rows']}: 缺失 missing {count['missing']}, 不同 different {count['different']}, 多余 nobody's {count['extra']}"
    if count["repaired"] or count["removed"]:
        yield f"已修复 repaired {count['repaired']}, 已移除 removed {count['removed']}"
    for one in found[:SHOWN]:
        mark = "已修复 mended" if one.mended else "仍在 remains"
        yield f"  {FOUND[one.what]:<16} {one.key.kind} {one.key.source} {one.key.span} s {iso(one.key.time)}: {_short(one.found)} → {_short(one.expected)}  {mark}"
    if len(found) > SHOWN:
        yield f"  …{len(found) - SHOWN} 条在 --json 中 more with --json"
    if count["remaining"]:
        yield f"与日志不符 not as the journal says: {count['remaining']}; --repair 补写 writes what is missing or different, --remove 移除多余的 takes away nobody's rows"
    if job.detail:
        yield f"{job.state}: {both(job.detail)}"


def _plain(row: Reading | None) -> dict[str, object] | None:
    return None if row is None else {"values": dict(row.values), "flags": dict(row.flags), "rev": row.rev}


def _short(row: Reading | None) -> str:
    if row is None:
        return "–"
    return " ".join(f"{item}={'null' if value is None else f'{value:g}'}{row.flags.get(item, '')}" for item, value in row.values.items()) + f" rev {row.rev}"

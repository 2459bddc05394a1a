"""Import: files become journal records, and the same forwarder as for devices takes them to the store.

Nothing is journalled before every file has been read to its end without a fault. A file is known by its bytes: imported again it
repeats the revisions of its first receipt, so nothing is stored twice and nothing flips back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain import codes, statements
from domain.errors import DataFolderBusy, FileError
from domain.marks import OFFICIAL
from domain.message import Message, encode, scan
from domain.places import Registry
from domain.ports import Clock
from domain.reasons import OUTCOMES
from lanbi import wiring
from lanbi.exchange_forms import check_forms
from lanbi.formats.rows import Row, Said
from lanbi.formats.sources import open_source
from lanbi.formats.survey import LOOK, FileSurvey, Survey
from lanbi.forwarding import Patience, forward
from lanbi.import_entries import LARGEST, LEVEL, PER_RECORD, EntryBook, Statements, published, registered, stranger, subject
from lanbi.instances import check_import
from lanbi.journal import JournalReader, JournalWriter
from lanbi.progress import Progress
from lanbi.replacing import CENTISECOND, Replacing
from lanbi.settings import Settings
from lanbi.state import StateView

WRITER: Final = "import"
TOPIC: Final = "lanbi/v1/~import"
GROUP: Final = 50
"""Records a commit: 5,000 readings."""
RERUN: Final = "the readings are safe in the journal and will follow; look at its messages, then run the same command again"
TABLES: Final = {"city": "air", "air_station": "air", "water_section": "water", "meter": "meter"}
METERED: Final = frozenset(statements.KINDS) - {statements.REPORTED}
Key = tuple[str, int, int, int | None]


@dataclass
class Account:
    """The closing account: ``read`` = stored + duplicate + dead-letter + quarantined + empty."""

    files: list[FileSurvey]
    outcomes: dict[str, int]
    reasons: dict[str, int]
    published: int = 0
    unknown: list[str] = field(default_factory=list)
    contradicting: int = 0
    """Rows that say something else of a place and time than an earlier row of their file: the later row stands, the earlier is history."""

    @property
    def read(self) -> int:
        """Rows of all files."""
        return sum(one.read for one in self.files)

    @property
    def empty(self) -> int:
        """Rows without any value."""
        return sum(one.empty for one in self.files)

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for."""
        return self.read == self.empty + sum(self.outcomes.values())


@dataclass
class Numbers:
    """Revision numbers of one file: its first receipt, and one more wherever the file says something else of the same key."""

    base: int
    _said: dict[Key, int] = field(default_factory=dict)
    _again: dict[Key, int] = field(default_factory=dict)

    def of(self, key: Key, values: Mapping[str, float | None]) -> int:
        """Number of a row; ``key`` ends with the number that the source itself gave, if it did."""
        words = hash(frozenset(values.items()))
        if self._said.setdefault(key, words) != words:
            self._said[key] = words
            self._again[key] = self._again.get(key, 0) + 1
        return (self.base if key[-1] is None else key[-1]) + self._again.get(key, 0)

    @property
    def contradicting(self) -> int:
        """Rows that said something else of a key than the row before."""
        return sum(self._again.values())

    @property
    def next(self) -> int:
        """First number that is free for another file."""
        return self.base + max(self._again.values(), default=0) + 1


@dataclass
class Importer:
    """One run of ``lanbi import``.

    Attributes
    ----------
    stop : callable
        Raises KeyboardInterrupt at a moment when nothing is half done.
    replacing : Replacing, optional
        Who answers for readings that are to stand above those of devices.
    """

    settings: Settings
    registry: Registry
    clock: Clock
    stop: Callable[[], None] = lambda: None
    replacing: Replacing | None = None

    @property
    def journal(self) -> Path:
        """Folder of the journal."""
        return self.settings.data / "journal"

    def run(self, survey: Survey) -> Account:
        """Import files that were surveyed; returns the account.

        Raises
        ------
        DataFolderBusy
            Another import runs.
        FileError
            A file changed since the survey.
        StoreAway, WorkError
            The readings are safe in the journal and wait there.
        """
        self._check_subjects(survey)
        if self.replacing:
            self.replacing.check(survey)
        check_import(self.settings, self.registry, sorted({self.registry.by_code.get(seen.name, seen.name) for seen in survey.places.values()}))
        check_forms(self.settings, survey.forms)
        writer = JournalWriter(self.journal, WRITER, self.settings.journal.quota)
        try:
            self._forward(writer, None)
            before = self._totals()
            book = self._journal(writer, survey)
            self._forward(writer, Progress("入库 store", survey.read - survey.empty, self.clock))
            after = self._totals()
        finally:
            writer.close()
        counts = {name: count - before.get(name, 0) for name, count in after.items()}
        outcomes = {name: counts.get(name, 0) for name in OUTCOMES}
        outcomes["stored"] += book.stored
        outcomes["duplicate"] += book.known
        reasons = {name: count for name, count in counts.items() if ":" in name and count}
        unknown = [seen.name for seen in survey.places.values() if seen.name not in self.registry.by_code]
        return Account(survey.files, outcomes, reasons, book.published, unknown, book.contradicting)

    def _check_subjects(self, survey: Survey) -> None:
        """Reported values need a target of a plan, dust periods and reviews a registered place; official figures may be another county's."""
        known = {target.id for plan in wiring.plans(self.settings) for target in plan.targets} if survey.subjects else set()
        for said, where in survey.subjects.values():
            name = subject(said)
            if said.kind == statements.REPORTED and name not in known:
                raise FileError(f"no plan has a target '{name}'", where, f"one of {', '.join(sorted(known))}; nothing was imported")
            if said.kind in METERED:
                wrong = stranger(said, self.registry)
                if wrong:
                    raise FileError(wrong, where, "write registered ids; nothing was imported")
            elif said.kind not in {statements.REPORTED, OFFICIAL} and registered(said, self.registry) is None:
                raise FileError(f"no such air place or county: '{name}'", where, "name a registered id or code; nothing was imported")

    def _totals(self) -> dict[str, int]:
        view = StateView(self.settings.data)
        try:
            return {reason: count for (name, reason), count in view.totals().items() if name == WRITER}
        finally:
            view.close()

    # ---- journal

    def _journal(self, writer: JournalWriter, survey: Survey) -> EntryBook:
        """Journal all files; returns the entries that they held beside readings."""
        first, book, number = self._look_back({self._known_as(file) for file in survey.files})
        bar = Progress("记账 journal", survey.read, self.clock)
        done = 0
        for file in survey.files:
            base = first.setdefault(self._known_as(file), number)
            numbers = Numbers(base if self.replacing is None else self.replacing.number(base))
            topic = f"{TOPIC}/{file.format}/{self._known_as(file)}"
            for chunk in self._chunks(file, numbers, book):
                _append(writer, topic, chunk, self.clock.now_ns())
                done += len(chunk)
                bar.at(done)
                self._commit(writer, GROUP)
            for kind, payload in book.take():
                writer.append(f"{topic}{LEVEL}{kind}", payload, received_ns=self.clock.now_ns(), readings=0)
                self._commit(writer, GROUP)
            number = max(number, numbers.next)
            book.contradicting += numbers.contradicting
        self._commit(writer, 1)
        bar.close()
        return book

    def _known_as(self, file: FileSurvey) -> str:
        """By what the journal knows a file: the same bytes are another receipt where they are to replace."""
        return file.digest if self.replacing is None else f"~{file.digest}"

    def _commit(self, writer: JournalWriter, group: int) -> None:
        if writer.pending >= group:
            writer.commit()
            self.stop()

    def _look_back(self, digests: set[str]) -> tuple[dict[str, int], EntryBook, int]:
        """With which number each file was first journalled, if it was; every entry that was; and the number of a new file.

        That is its receipt, or the next free one where a clock was set back: a later file must not rank below an earlier one.
        """
        found: dict[str, int] = {}
        book, now_ns, ahead = EntryBook(), self.clock.now_ns(), False
        number = now_ns // CENTISECOND
        reader = JournalReader(self.journal, WRITER)
        while records := reader.read():
            self.stop()
            for record in records:
                digest = record.topic.rpartition("/")[2]
                ahead = ahead or record.received_ns > now_ns
                if ahead and LEVEL not in record.topic:
                    number = max([number, *(seq + 1 for _, seq in scan(record.payload)[1])])
                if LEVEL in record.topic:
                    book.remember(record.topic, record.payload)
                elif digest in digests and digest not in found and (seqs := scan(record.payload)[1]):
                    found[digest] = seqs[0][1]
        return found, book, number

    def _chunks(self, file: FileSurvey, numbers: Numbers, book: EntryBook) -> Iterator[list[Message]]:
        chunk: list[Message] = []
        for message in self._messages(file, numbers, book):
            chunk.append(message)
            if len(chunk) == PER_RECORD:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _messages(self, file: FileSurvey, numbers: Numbers, book: EntryBook) -> Iterator[Message]:
        source = open_source(file.name, file.format, file.renames)
        if source.sheet.digest != file.digest:
            raise FileError("the file changed while it was imported", file.name, "run the same command again; what was read is kept")
        said = Statements(file, self.registry)
        for count, row in enumerate(source.rows()):
            if count % LOOK == 0:
                self.stop()
            if isinstance(row, Said):
                book.add(*said.take(row))
            elif isinstance(row, Row) and row.names:
                yield from self._message(row, file, numbers, book)
        book.add(*said.rest())
        if self.replacing:
            book.add(self.replacing.note(file, numbers.base))

    def _message(self, row: Row, file: FileSurvey, numbers: Numbers, book: EntryBook) -> Iterator[Message]:
        """The message of a row, if it has any value; its published index goes into the book."""
        place = self._place(row)
        if row.published and place in self.registry.kinds:
            book.add(published(row, place, file))
        if row.values:
            replacing = self.replacing
            own = row.number if replacing is None or replacing.as_of is None else None
            number = numbers.of((place, row.span, row.time, own), row.values)
            yield Message(row.time, row.span, row.values, seq=number, source=place, flags=row.flags, corrects=replacing is not None)

    def _place(self, row: Row) -> str:
        """Registered id of a row; a place of another kind is not the row's, however alike the names are."""
        place = self.registry.by_code.get(row.names[0], row.names[0])
        kind = self.registry.kind_of(place)
        return place if kind in {None, TABLES[row.kind]} else f"{row.kind}:{row.names[0]}"

    # ---- store

    def _forward(self, writer: JournalWriter, bar: Progress | None) -> None:
        """Have everything journalled forwarded: here, or by the ingest that runs on this data folder."""
        patience = Patience(self.settings.data, self.clock, RERUN)
        begun = self._cursor()[1]

        def done(readings: int) -> None:
            self.stop()
            if bar:
                bar.at(readings - begun)

        while (cursor := self._cursor())[0] < writer.committed.last_seq:
            try:
                forward(self.settings, self.registry, WRITER, done)
            except DataFolderBusy:
                patience.wait()
                done(cursor[1])
        if bar:
            bar.close()

    def _cursor(self) -> tuple[int, int]:
        view = StateView(self.settings.data)
        try:
            return view.cursor(WRITER)
        finally:
            view.close()


def _append(writer: JournalWriter, topic: str, messages: Sequence[Message], now_ns: int) -> None:
    """Append a record; long names make several of it."""
    payload = encode(list(messages))
    if len(payload) > LARGEST and len(messages) > 1:
        middle = len(messages) // 2
        for half in (messages[:middle], messages[middle:]):
            _append(writer, topic, half, now_ns)
        return
    writer.append(topic, payload, received_ns=now_ns, readings=len(messages))


def lines(account: Account) -> Iterable[str]:
    """The account in words, Chinese first."""
    words = {name: codes.both(said) for name, said in OUTCOMES.items()} | {"items_refused": "被拒的项目 items refused"}
    terms = [f"{words[name]} {account.outcomes[name]}" for name in OUTCOMES]
    for file in account.files:
        yield f"{file.name}: {file.format}, 读取 read {file.read}, 空行 empty {file.empty}"
    for name, count in sorted(account.reasons.items()):
        outcome, _, reason = name.partition(":")
        yield f"  {words[outcome]}: {reason} {count}"
    yield f"读取 read {account.read} = {' + '.join(terms)} + 空行 empty {account.empty}"
    if account.published:
        yield f"另存公布的 AQI published AQI kept: {account.published}"
    if account.contradicting:
        count = account.contradicting
        yield f"同一地点和时间取值不同的行 rows that contradict an earlier one of their file: {count}; 以后者为准 the later row stands, the earlier is history"
    if account.unknown:
        named = ", ".join(account.unknown[:5]) + (" …" if len(account.unknown) > 5 else "")
        yield f"未登记 not registered: {len(account.unknown)} ({named}); 用 --propose FILE 生成登记建议 --propose FILE writes registry tables for them"

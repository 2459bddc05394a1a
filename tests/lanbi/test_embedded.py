"""The embedded store's own habits: its file, its log, its words."""

import sqlite3
import threading
from pathlib import Path

import pytest

from domain.errors import StoreAway, StoreRefused
from domain.readings import Change, Reading
from lanbi import embedded
from lanbi.embedded import EmbeddedStore
from lanbi.embedded_schema import LONG_LOG

T0 = 1_760_000_400


def rows(count: int, start: int = 0) -> list[Reading]:
    """Hours of one station."""
    return [Reading("air", "a", 3_600, T0 + 3_600 * number, {"pm25": 1.0}, {}, number) for number in range(start, start + count)]


def test_a_newer_file_is_refused_with_advice(tmp_path: Path) -> None:
    """A store made by a later lanbi is not touched; the message says what to do."""
    path = tmp_path / "store.db"
    EmbeddedStore(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreRefused, match="schema 99") as caught:
        EmbeddedStore(path)
    assert ("use the newer lanbi", str(path)) == (caught.value.todo, caught.value.where)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Garbage where the store should be gives one clear error and is left as it is."""
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database at all" * 400)
    with pytest.raises(StoreRefused, match="damaged"):
        EmbeddedStore(path)
    assert path.read_bytes().startswith(b"not a database")


def test_a_folder_that_cannot_be_opened_is_a_store_away(tmp_path: Path) -> None:
    """A store that cannot be opened is away, not a traceback; readings wait in the journal."""
    path = tmp_path / "store.db"
    path.mkdir()
    with pytest.raises(StoreAway, match="does not answer"):
        EmbeddedStore(path)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Of a batch with one row that cannot be stored no row is stored, and the next write works."""
    store = EmbeddedStore(tmp_path / "store.db")
    bad = Reading("air", "a", 3_600, T0, {"pm25": 1.0}, {}, 2**70)
    with pytest.raises(OverflowError):
        store.write([*rows(3), bad])
    assert [] == list(store.rows("air", None, 0, 2**40))
    store.write(rows(3))
    assert rows(3) == list(store.rows("air", None, 0, 2**40))
    store.close()


def test_no_reader_holds_the_log_back_between_pages(tmp_path: Path) -> None:
    """A reader in the middle of its answer keeps no transaction open, so the log can be emptied."""
    store = EmbeddedStore(tmp_path / "store.db")
    store.write(rows(embedded.PAGE))
    store.write(rows(10, embedded.PAGE))
    answer = store.rows("air", None, 0, 2**40)
    next(answer)
    assert not store._files.db.in_transaction
    assert 0 < store.checkpoint() < LONG_LOG
    assert embedded.PAGE + 9 == sum(1 for _ in answer)
    store.close()


def test_a_long_log_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound the checkpoint empties the log on disk."""
    store = EmbeddedStore(tmp_path / "store.db")
    store.write(rows(2_000))
    log = tmp_path / "store.db-wal"
    assert log.stat().st_size > 0
    monkeypatch.setattr("lanbi.embedded_schema.LONG_LOG", 10)
    store.checkpoint()
    assert 0 == log.stat().st_size
    store.close()


def test_threads_have_their_own_connections(tmp_path: Path) -> None:
    """Threads of one process read and write through one store object."""
    store = EmbeddedStore(tmp_path / "store.db")

    def work(name: str) -> None:
        store.write([Reading("air", name, 60, T0 + n, {"pm25": 1.0}, {}, n) for n in range(300)])
        store.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 900 == sum(1 for _ in store.rows("air", None, 0, 2**40))
    store.close()


def test_old_changes_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of changes does not grow for ever; who is further behind meets a gap."""
    monkeypatch.setattr(embedded, "KEPT_CHANGES", 10)
    store = EmbeddedStore(tmp_path / "store.db")
    for number in range(1, 31):
        store.changes([Change("1", number, 20_000, ("a",)), Change("2", 1, 20_000, ("a",))])
    assert [("1", n) for n in range(20, 31)] + [("2", 1)] == [(row.ingest, row.n) for row in store.changes_after({})]
    store.close()

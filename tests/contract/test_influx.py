"""The InfluxDB store: what it sends, what it makes of the server's answers, and how a server is prepared for it."""

import stat
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace as reread

from domain.errors import SettingsError, StoreAway, StoreRefused
from domain.indicators import Indicator, Query
from domain.readings import Change, Key, Reading
from lanbi import influx_tables as tables
from lanbi import wiring
from lanbi.cli import main
from lanbi.influx import InfluxStore
from lanbi.influx_asking import windows
from lanbi.influx_http import Place
from lanbi.influx_words import refusal
from lanbi.secret import Secret
from lanbi.settings import Settings, load

HOUR = 3_600
T0 = 1_760_000_400
# The reserved words of InfluxQL, from its specification.
KEYWORDS = """ALL ALTER ANALYZE ANY AS ASC BEGIN BY CARDINALITY CREATE CONTINUOUS DATABASE DATABASES DEFAULT DELETE DESC
DESTINATIONS DIAGNOSTICS DISTINCT DROP DURATION END EVERY EXACT EXPLAIN FIELD FOR FROM GRANT GRANTS GROUP GROUPS IN INF INSERT
INTO KEY KEYS KILL LIMIT SHOW MEASUREMENT MEASUREMENTS NAME OFFSET ON ORDER PASSWORD POLICY POLICIES PRIVILEGES QUERIES QUERY
READ REPLICATION RESAMPLE RETENTION REVOKE SELECT SERIES SET SHARD SHARDS SLIMIT SOFFSET STATS SUBSCRIPTION SUBSCRIPTIONS TAG
TAGS TO USER USERS VALUES VERBOSE WHERE WITH WRITE TIME""".lower().split()


def test_no_column_is_a_word_of_influxql() -> None:
    """No tag or field needs quotes in a query that a person types."""
    assert set() == {name for table in tables.TABLES for name in (table.name, *table.columns)} & set(KEYWORDS)


def test_lines_are_line_protocol() -> None:
    """Tags are escaped, numbers are floats with all their digits, texts are quoted, an empty tag is left out."""
    row = tables.Row(("a b,c=d", ""), 5, {"value": 0.1, "text": 'say "注"\\'})
    assert 'event,kind=a\\ b\\,c\\=d value=0.1,text="say \\"注\\"\\\\" 5' == tables.line(tables.EVENT, row)
    reading = Reading("air", "s-1", HOUR, T0, {"pm25": 1e-7, "co": None}, {"pm25": "M"}, 7)
    assert 'air,site=s-1,span=3600 rev=7.0,pm25=1e-07,pm25_f="M",co_f="W" 1760000400000000000' == tables.line(
        tables.READINGS["air"], tables.reading_row(reading)
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_before_it_is_sent(value: float) -> None:
    """One NaN would cost the whole body, so it is named here."""
    with pytest.raises(StoreRefused, match="finite"):
        tables.line(tables.EVENT, tables.Row(("a", "b"), 5, {"value": value}))


@pytest.mark.parametrize("tag", ["a\nb", "a\\"])
def test_a_tag_that_breaks_lines_is_refused(tag: str) -> None:
    """A line end or a last backslash in an id would make two rows out of one."""
    with pytest.raises(StoreRefused, match="line end"):
        tables.line(tables.EVENT, tables.Row((tag, "b"), 5, {"value": 1.0}))


def test_a_row_of_which_only_a_part_is_visible_is_not_there_yet() -> None:
    """A row without its revision, or with nothing else, is half written: it is left out."""
    assert tables.reading_of("air", tables.Row(("a", "60"), 0, {"pm25": 1.0})) is None
    assert tables.reading_of("air", tables.Row(("a", "60"), 0, {"rev": 1.0})) is None


def test_keys_close_together_are_one_question() -> None:
    """Sources that share their hours share one statement; a key far away has its own."""
    hours = [n * HOUR * 10**9 for n in range(5)]
    keys = [((site, "3600"), time) for site in "abc" for time in hours] + [(("a", "3600"), 10**18)]
    assert {(hours[0], hours[-1]): 3, (10**18, 10**18): 1} == {window: len(series) for window, series in windows(keys).items()}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, '{"code":"unauthorized","message":"Unauthorized"}', StoreRefused),
        (403, "", StoreRefused),
        (404, '{"message":"bucket \\"x\\" not found"}', StoreRefused),
        (400, '{"message":"unable to parse \'x\'"}', StoreRefused),
        (413, "", StoreRefused),
        (422, '{"message":"partial write: field type conflict"}', StoreRefused),
        (500, '{"message":"partial write: field type conflict: input field"}', StoreRefused),
        (500, "<html>", StoreAway),
        (502, "", StoreAway),
        (429, "", StoreAway),
        (503, "[]", StoreAway),
        (0, "", StoreAway),
    ],
)
def test_answers_have_their_classes(status: int, body: str, kind: type[Exception]) -> None:
    """What a person must mend is refused, what passes by itself is away; a type conflict is known by its words."""
    found = refusal(status, body, 7.0, "http://x")
    assert kind is type(found)
    assert str(status) in found.what and found.todo
    assert ("asks for 7 s" in found.what) == (kind is StoreAway)


@contextmanager
def answering(status: int, body: bytes = b"") -> Iterator[str]:
    """A server on 127.0.0.1 that says one thing to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Retry-After", "3")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
            del format, args

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


READING = Reading("air", "a", HOUR, T0, {"pm25": 1.0}, {}, 1)


@pytest.mark.parametrize(("status", "kind"), [(503, StoreAway), (429, StoreAway), (500, StoreAway), (401, StoreRefused), (404, StoreRefused)])
def test_answers_reach_the_caller_in_our_words(status: int, kind: type[Exception]) -> None:
    """Reads and writes tell a server's answer by the same classes."""
    with answering(status) as url:
        store = InfluxStore(Place(url, "o", "p"), Secret("t"))
        with pytest.raises(kind, match=str(status)):
            store.changes_after({})
        with pytest.raises(kind, match=str(status)):
            store._db.write("", [b"a b=1.0 1"])
        store.close()


def test_nobody_there_is_away_and_the_token_stays_hidden() -> None:
    """A closed port is StoreAway in plain words, without the token."""
    with answering(200) as url:
        pass
    store = InfluxStore(Place(url, "o", "p"), Secret("very-secret"))
    for ask in (lambda: store.write([READING]), lambda: store.cells([READING.key]), lambda: store._db.write("", [b"a b=1.0 1"])):
        with pytest.raises(StoreAway, match="journal") as caught:
            ask()
        assert "very-secret" not in str(caught.value)
    store.close()


@pytest.mark.services
def test_a_wrong_token_and_a_missing_bucket_are_refused(influxd: Any) -> None:
    """Both say in plain words what is missing and which command mends it."""
    for place, token in ((Place(influxd.url, "lanbi", "unused"), "wrong"), (Place(influxd.url, "lanbi", "none"), influxd.token)):
        store = InfluxStore(place, Secret(token))
        for ask in (lambda store=store: store.write([READING]), lambda store=store: list(store.rows("air", None, 0, T0))):
            with pytest.raises(StoreRefused, match="lanbi store init"):
                ask()
        store.close()


@pytest.fixture
def fresh(influxd: Any, tmp_path: Path) -> Iterator[InfluxStore]:
    """A store in buckets of this test alone."""
    prefix = f"t-{abs(hash(tmp_path)):x}"
    for suffix in tables.BUCKETS:
        influxd.bucket(prefix + suffix)
    store = InfluxStore(Place(influxd.url, influxd.org, prefix), Secret(influxd.token))
    yield store
    store.close()


@pytest.mark.services
def test_a_second_writer_meets_the_rows_of_the_first(fresh: InfluxStore) -> None:
    """After a restart a row that loses an item still loses it: the new process knows nothing but looks."""
    fresh.write([reread(READING, values={"pm25": 1.0, "co": 2.0}, flags={"pm25": "M"})])
    second = InfluxStore(fresh._db.place, fresh._db._token)
    second.write([reread(READING, rev=2)])
    assert [reread(READING, rev=2)] == list(fresh.rows("air", None, 0, 2**40))
    second.close()


@pytest.mark.services
def test_what_was_told_of_a_row_serves_one_write_and_no_other(fresh: InfluxStore) -> None:
    """A row that was asked for is not asked for again by its write, and loses what it loses; by the write after that it is."""
    rich = reread(READING, values={"pm25": 1.0, "co": 2.0})
    asked: list[int] = []
    find = fresh._find

    def counted(table: tables.Table, keys: Iterable[Any]) -> Iterator[tables.Row]:
        wanted = list(keys)
        asked.append(len(wanted))
        return find(table, wanted)

    with patch.object(fresh, "_find", counted):
        fresh.write([reread(rich, time=T0 + HOUR)])
        assert {} == fresh.cells([rich.key])
        fresh.write([rich])
        assert [1, 0] == asked, "absent: known from the question"
        fresh.write([reread(rich, values={"co": 3.0}, rev=3)])
        assert [1, 0, 1] == asked, "the answer before the first write is none before the second"
        assert {"co": 3.0} == fresh.cells([rich.key])[rich.key].values
        fresh.write([reread(rich, values={"pm25": 4.0}, rev=4)])
        assert [1, 0, 1, 1, 0] == asked, "present: known from the question, and its other value goes"
    assert [{"pm25": 4.0}, rich.values] == [row.values for row in fresh.rows("air", None, 0, 2**40)]


@pytest.mark.services
def test_many_figures_of_one_time_page_without_loss(fresh: InfluxStore) -> None:
    """More figures of one instant than any slack still come whole and in order."""
    rows = [Indicator(f"f-{n}", "day", "a", "none", T0 + n % 2, float(n)) for n in range(6_000)]
    fresh.put(rows)
    first = fresh.series(Query(limit=10))
    rest = fresh.series(Query(after=first[-1].key))
    assert 6_000 == len({row.key for row in [*first, *rest]}) == len(first) + len(rest)
    assert [row.time for row in rest] == sorted(row.time for row in rest)


@pytest.mark.services
def test_cells_of_far_apart_times_come_in_several_questions(fresh: InfluxStore) -> None:
    """Sixty lonely days of two sources are found, more statements than one request holds."""
    rows = [reread(READING, source=site, time=T0 + n * 30 * 24 * HOUR) for n in range(60) for site in "ab"]
    fresh.write(rows)
    assert {row.key: row for row in rows} == fresh.cells([*(row.key for row in rows), Key("air", "c", HOUR, T0)])


@pytest.mark.services
def test_old_changes_are_forgotten(fresh: InfluxStore) -> None:
    """No retention reaches the numbered changes, so those far behind are deleted now and then, for their ingest alone."""
    rows = [Change("1", n, 20_000, ("a",)) for n in (1, 20_000, 20_001)]
    fresh.changes([*rows, Change("2", 1, 20_000, ("b",))])
    fresh.changes([Change("1", 120_000, 20_000, ("a",))])
    assert [20_001, 120_000, 1] == [row.n for row in fresh.changes_after({})]


def settings_for(folder: Path, url: str, prefix: str) -> Settings:
    """Settings with an InfluxDB, in a folder of their own."""
    text = f'data = "{folder}"\n[store]\nkind = "influx"\nurl = "{url}"\nbucket = "{prefix}"\n'
    text += f'token_file = "{folder}/secrets/influx-write"\nread_token_file = "{folder}/secrets/influx-read"\n'
    (folder / "lanbi.toml").write_text(text)
    return load(str(folder / "lanbi.toml"), {})


def retention(url: str, token: str) -> dict[str, int]:
    """Buckets of ours with their retention in days."""
    import json

    request = urllib.request.Request(f"{url}/api/v2/buckets?limit=100", headers={"Authorization": f"Token {token}"})
    with urllib.request.urlopen(request) as answer:
        buckets = json.load(answer)["buckets"]
    return {one["name"]: sum(rule["everySeconds"] for rule in one["retentionRules"]) // 86_400 for one in buckets if one["type"] == "user"}


@pytest.mark.services
def test_store_init_prepares_a_bare_server(bare_influxd: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command makes buckets, retention and tokens; again it keeps all; tokens are in private files and never printed."""
    settings = settings_for(tmp_path, bare_influxd, "lanbi")
    config = ["--config", str(tmp_path / "lanbi.toml"), "store", "init"]
    assert 0 == main(config)
    files = {path.name: path.read_text().strip() for path in (tmp_path / "secrets").iterdir()}
    assert {"influx-operator", "influx-write", "influx-read", "influx-grafana"} == set(files)
    assert {0o600} == {stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode) for name in files}
    assert {"lanbi": 1_826, "lanbi-meter": 1_826, "lanbi-figures": 0} == retention(bare_influxd, files["influx-operator"])

    assert 0 == main([*config, "--retention", "2000"])
    assert files == {path.name: path.read_text().strip() for path in (tmp_path / "secrets").iterdir()}
    assert {"lanbi": 2_000, "lanbi-meter": 2_000, "lanbi-figures": 0} == retention(bare_influxd, files["influx-operator"])
    assert 0 == main([*config, "--retention", "0"])
    assert {0} == set(retention(bare_influxd, files["influx-operator"]).values())
    out, err = capsys.readouterr()
    assert [] == [name for name, token in files.items() if token in out + err]
    _tokens_do_their_part(settings)

    assert 0 == main([*config, "--renew"])
    assert files["influx-write"] != (tmp_path / "secrets" / "influx-write").read_text().strip()
    revoked = InfluxStore(Place(bare_influxd, "lanbi", "lanbi"), Secret(files["influx-write"]))
    with pytest.raises(StoreRefused, match="401"):
        revoked.write([READING])
    revoked.close()


def _tokens_do_their_part(settings: Settings) -> None:
    writer, reader = wiring.store(settings), wiring.store(settings, write=False)
    figure = Indicator("pm25", "day", "a", "none", T0, 1.0)
    meter = Reading("meter", "m", 0, T0, {"register": 1.5}, {}, 1)
    writer.write([READING, meter])
    writer.write([reread(READING, values={"co": 1.0}, rev=2), meter])
    writer.put([figure])
    assert [reread(READING, values={"co": 1.0}, rev=2)] == list(reader.rows("air", None, 0, 2**40))
    assert [meter] == list(reader.rows("meter", None, 0, 2**40))
    with pytest.raises(StoreRefused):
        reader.write([reread(READING, time=T0 + HOUR)])
    token = (settings.store.token_file.parent / "influx-grafana").read_text().strip()
    grafana = InfluxStore(Place(settings.store.url, "lanbi", "lanbi"), Secret(token))
    assert [figure] == grafana.series(Query())
    for ask in (lambda: list(grafana.rows("air", None, 0, 2**40)), lambda: grafana.put([replace(figure, time=T0 + 1)])):
        with pytest.raises(StoreRefused):
            ask()
    for one, table in ((reader, tables.READINGS["air"]), (reader, tables.INDICATOR), (grafana, tables.INDICATOR)):
        with pytest.raises(StoreRefused):
            one._db.delete(table, ("a", "3600", "a", "none", "raw")[: len(table.tags)], 0, T0 * 10**9)
    assert [figure] == grafana.series(Query())
    for one in (writer, reader, grafana):
        one.close()


@pytest.mark.services
def test_a_server_of_somebody_else_needs_its_operator_token(influxd: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the operator's token the program says so and changes nothing; with it, it prepares the server."""
    settings_for(tmp_path, influxd.url, "other")
    config = ["--config", str(tmp_path / "lanbi.toml"), "store", "init"]
    assert 2 == main(config)
    assert "--operator-token-file" in capsys.readouterr().err
    assert not (tmp_path / "secrets").exists()
    (tmp_path / "op").write_text(influxd.token)
    assert 0 == main([*config, "--operator-token-file", str(tmp_path / "op")])
    assert {"other", "other-meter", "other-figures"} <= set(retention(influxd.url, influxd.token))


def test_store_init_of_the_embedded_store_says_that_there_is_nothing_to_do(tmp_path: Path) -> None:
    """The embedded store needs no preparation, and a wrong retention is named."""
    (tmp_path / "lanbi.toml").write_text('[store]\nkind = "embedded"\n')
    assert 2 == main(["--config", str(tmp_path / "lanbi.toml"), "store", "init"])
    settings_for(tmp_path, "http://127.0.0.1:9", "lanbi")
    assert 2 == main(["--config", str(tmp_path / "lanbi.toml"), "store", "init", "--retention", "-1"])


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    """Without a token the settings are wrong, not the database."""
    with pytest.raises(SettingsError, match=r"store\.read_token_file"):
        wiring.store(settings_for(tmp_path, "http://127.0.0.1:9", "lanbi"), write=False)

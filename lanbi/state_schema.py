"""Tables of ``var/state.db``. A change of them is a new version: a file of an older one is brought up to date when ingest opens it.

Until version 2 ``begun`` held what ``past`` does: rows that an unfinished batch was about to make.
"""

from __future__ import annotations

from typing import Final

from lanbi.embedded_schema import Schema

SCHEMA: Final = Schema(
    3,
    """
CREATE TABLE IF NOT EXISTS cursor (writer TEXT PRIMARY KEY, seq INTEGER, readings INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total (name TEXT, reason TEXT, count INTEGER, PRIMARY KEY (name, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (source TEXT, span INTEGER, kind TEXT, time INTEGER, rev INTEGER, received_ns INTEGER, device TEXT,
    items TEXT, PRIMARY KEY (source, span)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revised (kind TEXT, source TEXT, span INTEGER, time INTEGER, item TEXT, rev INTEGER, value REAL, flag TEXT,
    corrects INTEGER, received_ns INTEGER, device TEXT, writer TEXT, seq INTEGER,
    PRIMARY KEY (kind, source, span, time, item, rev)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS revised_record ON revised (writer, seq);
CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY, outcome TEXT, reason TEXT, detail TEXT, item TEXT, device TEXT,
    source TEXT, run INTEGER, number INTEGER, writer TEXT, seq INTEGER, element INTEGER, received_ns INTEGER, topic TEXT, digest BLOB);
CREATE INDEX IF NOT EXISTS refused_reason ON refused (reason, id);
CREATE INDEX IF NOT EXISTS refused_digest ON refused (digest);
CREATE INDEX IF NOT EXISTS refused_record ON refused (writer, seq);
CREATE TABLE IF NOT EXISTS resolved (id INTEGER PRIMARY KEY, at_ns INTEGER, job TEXT);
CREATE TABLE IF NOT EXISTS finding (job TEXT, what TEXT, kind TEXT, source TEXT, span INTEGER, time INTEGER, expected TEXT, found TEXT, mended INTEGER,
    PRIMARY KEY (job, kind, source, span, time)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, asked_ns INTEGER, open INTEGER, body TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (device TEXT, run INTEGER, number INTEGER, PRIMARY KEY (device, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequence (device TEXT, run INTEGER, seq INTEGER, PRIMARY KEY (device, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (ingest TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS past (writer TEXT, kind TEXT, source TEXT, span INTEGER, time INTEGER, seq INTEGER, cells TEXT,
    PRIMARY KEY (writer, kind, source, span, time)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (writer TEXT, kind TEXT, source TEXT, span INTEGER, time INTEGER, seq INTEGER);
INSERT INTO past SELECT writer, kind, source, span, time, seq, '{}' FROM begun;
DROP TABLE begun
""",
    held=6,
)
"""While :mod:`lanbi.state_fresh` has its table in it, a file is of version 6, which programs from before that refuse; of version 5 while
values in it were never texts."""

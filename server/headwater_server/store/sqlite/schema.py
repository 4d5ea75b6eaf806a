"""The tables, and how a file comes to have the newest of them."""

import apsw

from headwater_server.errors import Unavailable
from headwater_server.graph.words import EdgeKind, Kind

APPLICATION = 0x48574752  # "HWGR": tells a graph from any other SQLite file

FIRST = """
CREATE TABLE kind (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE applied (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL, log TEXT NOT NULL, nodes INTEGER NOT NULL, edges INTEGER NOT NULL
) STRICT;
CREATE TABLE node (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  grp TEXT NOT NULL, mark TEXT NOT NULL, sort TEXT NOT NULL,
  words TEXT NOT NULL,
  props TEXT NOT NULL
) STRICT;
CREATE INDEX node_page ON node (kind, mark, sort, key);
CREATE INDEX node_group ON node (kind, grp, mark, sort, key);
-- Apart from the node, so that pages do not read it.
CREATE TABLE state (id INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;
CREATE TABLE tag (id INTEGER PRIMARY KEY, tag TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE edge (
  src INTEGER NOT NULL, kind INTEGER NOT NULL, dst INTEGER NOT NULL, tag INTEGER NOT NULL,
  since INTEGER, until INTEGER,
  props TEXT NOT NULL,
  PRIMARY KEY (src, kind, dst, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_in ON edge (dst, kind, src, tag);
-- Words are split by spaces alone: `graph.names.words` has done the rest. No trigger fills it: inside one,
-- FTS5 writes a segment per row (30 µs a node, 2 µs without).
CREATE VIRTUAL TABLE word USING fts5 (
  words, content = '', contentless_delete = 1,
  tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
);
INSERT INTO applied VALUES (1, 0, '', 0, 0);
INSERT INTO tag VALUES (0, '');
"""

MIGRATIONS: tuple[str, ...] = (FIRST,)
"""Number n brings a file from version n to n + 1. Never edit one that was released: add one."""

VERSION = len(MIGRATIONS)

EMPTY = """
DROP TABLE word;
DROP TABLE node;
DROP TABLE state;
DROP TABLE tag;
DROP TABLE edge;
DROP TABLE applied;
DROP TABLE kind;
"""
"""Undoes all migrations. Dropping tables is quicker than deleting rows one by one."""


def bring_up(connection: apsw.Connection, path: str) -> None:
    """Make or upgrade the tables, in one transaction.

    Raises:
        Unavailable: the file is of a newer version, or is not a graph.

    """
    version = connection.pragma("user_version")
    if version > VERSION:
        raise Unavailable(
            f"{path} was written by a newer Headwater (schema {version}, this one knows {VERSION}): "
            "upgrade Headwater, or give it another file and replay the log"
        )
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise Unavailable(f"{path} is a database, but not a Headwater graph: give another path")
    if version and connection.pragma("application_id") != APPLICATION:
        raise Unavailable(f"{path} is a database, but not a Headwater graph: give another path")
    if version < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection, version)
        connection.execute("COMMIT")


def migrate(connection: apsw.Connection, version: int) -> None:
    """The migrations from `version` on, inside the caller's transaction."""
    for migration in MIGRATIONS[version:]:
        connection.execute(migration)
    connection.pragma("application_id", APPLICATION)
    connection.pragma("user_version", VERSION)


def kinds(connection: apsw.Connection) -> dict[str, int]:
    """The number of each kind of node and edge in this file; a new kind gets the next one."""
    names = [*Kind, *EdgeKind]
    known: dict[str, int] = dict(connection.execute("SELECT name, id FROM kind"))
    fresh = [(str(name),) for name in names if name not in known]
    if fresh:
        connection.executemany("INSERT OR IGNORE INTO kind (name) VALUES (?)", fresh)
        known = dict(connection.execute("SELECT name, id FROM kind"))
    return known

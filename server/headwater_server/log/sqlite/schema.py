"""The tables of the log's file, and how a file of an older version becomes one of this."""

import logging
import os
import secrets
from typing import Any

import apsw

from headwater_server.log.leaf import SALT, leaf_data
from headwater_server.log.port import ERASURES
from headwater_server.log.tree import TILE, Tree, leaf_hash, of_tiles
from headwater_server.versioned import version_of

logger = logging.getLogger("headwater")

VERSION = 2
FIRST = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE record(
  seq INTEGER PRIMARY KEY, received INTEGER NOT NULL, kind TEXT NOT NULL, event_time INTEGER,
  event_type TEXT NOT NULL, producer INTEGER NOT NULL, actor TEXT NOT NULL, run_id TEXT NOT NULL,
  job TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE content(key BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE mention(node INTEGER, seq INTEGER, PRIMARY KEY(node, seq)) WITHOUT ROWID;
CREATE TABLE finding(
  producer INTEGER, rule TEXT, text TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, example INTEGER NOT NULL, PRIMARY KEY(producer, rule)) WITHOUT ROWID;
CREATE TABLE broken(seq INTEGER, rule TEXT, PRIMARY KEY(seq, rule)) WITHOUT ROWID;
CREATE INDEX mutation ON record(kind, seq) WHERE kind <> 'openlineage';
"""
EVIDENCE = """
CREATE TABLE IF NOT EXISTS leaf(seq INTEGER PRIMARY KEY, data BLOB NOT NULL, hash BLOB NOT NULL, salt BLOB);
CREATE TABLE IF NOT EXISTS tile(number INTEGER PRIMARY KEY, root BLOB NOT NULL);
"""
RULES = """
CREATE TRIGGER leaf_stands BEFORE UPDATE OF seq, data, hash ON leaf
  BEGIN SELECT RAISE(ABORT, 'a leaf is never changed'); END;
CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf BEGIN SELECT RAISE(ABORT, 'a leaf is never removed'); END;
CREATE TRIGGER tile_stands BEFORE UPDATE ON tile BEGIN SELECT RAISE(ABORT, 'a tile is never changed'); END;
CREATE TRIGGER tile_stays BEFORE DELETE ON tile BEGIN SELECT RAISE(ABORT, 'a tile is never removed'); END;
ALTER TABLE record ADD COLUMN erased INTEGER;
CREATE TRIGGER record_stands BEFORE UPDATE ON record WHEN new.erased IS NULL
  BEGIN SELECT RAISE(ABORT, 'a record is never changed'); END;
CREATE TRIGGER record_stays BEFORE DELETE ON record
  BEGIN SELECT RAISE(ABORT, 'a record is never removed'); END;
"""
INSERT_LEAF = "INSERT INTO leaf VALUES(?,?,?,?)"
INSERT_TILE = "INSERT INTO tile VALUES(?,?)"
LAST_ERASURE = f"SELECT max(seq) FROM record WHERE kind IN {ERASURES} AND kind <> 'openlineage'"  # noqa: S608
_AT_ONCE = 2_000
"""Records that get their leaves in one transaction."""


def connect(path: str) -> apsw.Connection:
    """For the writer; the tables are made or brought up to date.

    Raises:
        Invalid: the file is of a newer version.

    """
    connection = apsw.Connection(path)
    connection.set_busy_timeout(5000)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    version = version_of(connection, path, known=VERSION, what="log")
    if version == 0:
        with connection:
            connection.execute(FIRST)
            connection.execute("INSERT INTO meta VALUES('instance', ?)", (secrets.token_hex(8),))
            connection.pragma("user_version", 1)
    if version < VERSION:
        _add_leaves(connection)
    return connection


def tree_of(connection: apsw.Connection) -> Tree:
    """The tree as the file has it; no more than the roots of tiles and a part of one is read."""
    tiles = [root for (root,) in connection.execute("SELECT root FROM tile ORDER BY number")]
    rest = connection.execute("SELECT hash FROM leaf WHERE seq > ? ORDER BY seq", (len(tiles) * TILE,))
    return of_tiles(tiles, [hash_ for (hash_,) in rest])


def edition_of(connection: apsw.Connection) -> str:
    """As `RecordReader.edition`."""
    instance = connection.execute("SELECT value FROM meta WHERE name='instance'").get
    last = connection.execute(LAST_ERASURE).get
    return str(instance) if last is None else f"{instance}.{last}"


def _add_leaves(connection: apsw.Connection) -> None:
    """From version 1: salts and leaves for every record. Killed between, it goes on where it was."""
    connection.execute(EVIDENCE)
    tree = tree_of(connection)
    while rows := connection.execute(
        "SELECT seq, received, actor, kind, body FROM record WHERE seq > ? ORDER BY seq LIMIT ?",
        (tree.size, _AT_ONCE),
    ).fetchall():
        leaves = [_leaf(*row) for row in rows]
        with connection:
            tree = write_leaves(connection, tree, leaves)
        logger.info("log: %d records have their leaves", tree.size)
    with connection:
        connection.execute(RULES)
        connection.pragma("user_version", 2)


def _leaf(seq: Any, received: Any, actor: Any, kind: Any, body: Any) -> tuple[int, bytes, bytes, bytes]:
    salt = os.urandom(SALT)
    data = leaf_data(seq, received, actor, kind, body, salt)
    return seq, data, leaf_hash(data), salt


def write_leaves(
    connection: apsw.Connection, tree: Tree, leaves: list[tuple[int, bytes, bytes, bytes]]
) -> Tree:
    """Inside a transaction: the tree with them, when it is committed."""
    grown, tiles = tree.grown(hash_ for _, _, hash_, _ in leaves)
    connection.executemany(INSERT_LEAF, leaves)
    if tiles:
        connection.executemany(INSERT_TILE, enumerate(tiles, tree.size // TILE))
    return grown

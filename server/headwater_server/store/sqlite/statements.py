"""Every SQL statement of the store but the schema, by name. Values travel as parameters."""

# ruff: noqa: S608 - what is put together here is this file's own text and our own numbers

from collections.abc import Iterable
from functools import lru_cache

READER = """
PRAGMA query_only = ON;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -16384;
"""
WRITER = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA cache_size = -65536;
PRAGMA journal_size_limit = 67108864;
"""
"""NORMAL: a power cut may cost the last transactions, never the file; the log replays them."""

BEGIN = "BEGIN"
VACUUM = "VACUUM"
TRUNCATE_WAL = "PRAGMA wal_checkpoint(TRUNCATE)"
BEGIN_WRITE = "BEGIN IMMEDIATE"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"
DATA_VERSION = "PRAGMA data_version"

# -- writing -----------------------------------------------------------------------------------

APPLIED = "SELECT seq, log FROM applied"
SIZES = "SELECT nodes, edges FROM applied"
SET_APPLIED = "UPDATE applied SET seq = ?, log = ?, nodes = nodes + ?, edges = edges + ?"
LAST_NODE = "SELECT coalesce(max(id), 0) FROM node"
LAST_TAG = "SELECT max(id) FROM tag"
NODE_IDS = "SELECT n.key, n.id FROM json_each(?) AS k CROSS JOIN node AS n ON n.key = k.value"
TAG_IDS = "SELECT t.tag, t.id FROM json_each(?) AS k CROSS JOIN tag AS t ON t.tag = k.value"
INSERT_NODE = (
    "INSERT INTO node (key, kind, grp, mark, sort, words, props, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_NODE = (
    "UPDATE node SET kind = ?2, grp = ?3, mark = ?4, sort = ?5, words = ?6, props = ?7 WHERE id = ?8"
    " AND (kind, grp, mark, sort, words, props) IS NOT (?2, ?3, ?4, ?5, ?6, ?7)"
)
OLD_WORDS = "SELECT n.id, n.words FROM json_each(?) AS k CROSS JOIN node AS n ON n.id = k.value"
INSERT_WORDS = "INSERT INTO word (rowid, words) VALUES (?, ?)"
DROP_WORDS = "DELETE FROM word WHERE rowid = ?"
INSERT_TAG = "INSERT INTO tag (tag, id) VALUES (?, ?)"
SET_STATE = "INSERT INTO state (id, state) VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"
INSERT_EDGE = (
    "INSERT INTO edge (src, kind, dst, tag, since, until, props) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
UPDATE_EDGE = (
    "UPDATE edge SET since = ?5, until = ?6, props = ?7"
    " WHERE src = ?1 AND kind = ?2 AND dst = ?3 AND tag = ?4"
    " AND (since, until, props) IS NOT (?5, ?6, ?7)"
)
DROP_EDGE = "DELETE FROM edge WHERE src = ? AND kind = ? AND dst = ? AND tag = ?"
HELD = (
    "SELECT EXISTS (SELECT 1 FROM edge WHERE dst = ?1)"
    " OR EXISTS (SELECT 1 FROM edge WHERE src = ?1 AND kind NOT IN (?2, ?3))"
)
DROP_EDGES_OF = "DELETE FROM edge WHERE src = ?"
DROP_STATE = "DELETE FROM state WHERE id = ?"
DROP_NODE = "DELETE FROM node WHERE id = ?"

# -- reading -----------------------------------------------------------------------------------

_NODE = "n.key, n.kind, n.grp, n.mark, n.sort, n.words, n.props"
_EDGE = "s.key, e.kind, d.key, t.tag, e.since, e.until, e.props"
_BARE_EDGE = "e.src, e.kind, e.dst, e.tag, e.since, e.until, e.props"
"""With numbers for names: an edge's ends are others' ends too, so that each name is read once."""

GET = f"SELECT {_NODE} FROM json_each(?) AS k CROSS JOIN node AS n ON n.key = k.value"
STATES = (
    "SELECT n.key, x.state FROM json_each(?) AS k"
    " CROSS JOIN node AS n ON n.key = k.value CROSS JOIN state AS x ON x.id = n.id"
)
STARTING = "SELECT key FROM node WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
COUNT = "SELECT count(*) FROM node WHERE kind = ? AND mark = ?"
COUNT_IN_GROUP = "SELECT count(*) FROM node WHERE kind = ? AND mark = ? AND grp = ?"
GROUPS = "SELECT grp, count(*) FROM node WHERE kind = ? GROUP BY grp"
ALL_NODES = f"SELECT {_NODE} FROM node AS n"
ALL_EDGES = (
    f"SELECT {_EDGE} FROM edge AS e CROSS JOIN node AS s ON s.id = e.src"
    " CROSS JOIN node AS d ON d.id = e.dst CROSS JOIN tag AS t ON t.id = e.tag"
)

_PAGE = (
    f"SELECT {_NODE} FROM node AS n WHERE n.kind = ?1 AND n.mark = ?2"
    " AND (n.sort, n.key) > (?3, ?4) AND (n.sort, n.key) < (?5, ?6)"
)
_PAGE_ORDER = " ORDER BY n.sort, n.key LIMIT ?7"
_PAGE_ORDER_BACK = " ORDER BY n.sort DESC, n.key DESC LIMIT ?7"
PAGE = _PAGE + _PAGE_ORDER
PAGE_BACK = _PAGE + _PAGE_ORDER_BACK
PAGE_IN_GROUP = _PAGE + " AND n.grp = ?8" + _PAGE_ORDER
PAGE_IN_GROUP_BACK = _PAGE + " AND n.grp = ?8" + _PAGE_ORDER_BACK

_PAGES = (
    f"SELECT {_NODE} FROM json_each(?1) AS k CROSS JOIN node AS n ON n.id IN"
    " (SELECT id FROM node WHERE kind = ?2 AND grp = k.value AND mark = ?3 ORDER BY"
)
PAGES = _PAGES + " sort, key LIMIT ?4)"
PAGES_BACK = _PAGES + " sort DESC, key DESC LIMIT ?4)"

SEARCH = (
    f"SELECT {_NODE} FROM word CROSS JOIN node AS n ON n.id = word.rowid"
    " WHERE word MATCH ?1 AND n.mark <> 'h' AND n.kind IN (SELECT value FROM json_each(?2))"
    " ORDER BY word.rank LIMIT ?3"
)

_HELD_AT = " AND (e.since IS NULL OR e.since <= ?2) AND (e.until IS NULL OR e.until > ?2)"
_ENDS = " CROSS JOIN node AS s ON s.id = e.src CROSS JOIN node AS d ON d.id = e.dst CROSS JOIN tag AS t ON t.id = e.tag"


@lru_cache(maxsize=256)
def expand(kinds: tuple[int, ...], *, down: bool, at: bool, limited: bool) -> str:
    """Edges of the nodes in the first, as of the next, cut after the last. Kinds are our own numbers."""
    near = "src" if down else "dst"
    statement = (
        f"SELECT {_BARE_EDGE} FROM json_each(?1) AS k"
        f" CROSS JOIN edge AS e ON e.{near} = k.value AND e.kind IN ({_listed(kinds)})"
        f"{_HELD_AT if at else ''}"
    )
    if not limited:
        return statement
    return f"{statement}{_ENDS} CROSS JOIN kind AS w ON w.id = e.kind ORDER BY s.key, w.name, d.key, t.tag LIMIT ?"


@lru_cache(maxsize=256)
def level(kinds: tuple[int, ...], *, down: bool, at: bool) -> str:
    """The other ends of the edges of the nodes in ?1, as of ?2."""
    near, far = ("src", "dst") if down else ("dst", "src")
    return (
        f"SELECT DISTINCT e.{far} FROM json_each(?1) AS k"
        f" CROSS JOIN edge AS e ON e.{near} = k.value AND e.kind IN ({_listed(kinds)})"
        f"{_HELD_AT if at else ''}"
    )


@lru_cache(maxsize=64)
def rows(names: tuple[str, ...]) -> str:
    """A group is one text of JSON, to be read at once. Names are properties that `graph.words` lists."""
    said = ", ".join(f"props -> '$.{name}'" for name in names)
    return (
        "SELECT k.value, (SELECT '[' || group_concat(said, ',') || ']' FROM"
        f" (SELECT json_array({said}) AS said FROM node WHERE kind = ?2 AND grp = k.value AND mark = ?3"
        " ORDER BY sort, key LIMIT ?4)) FROM json_each(?1) AS k"
    )


KEYS = "SELECT n.id, n.key FROM json_each(?) AS k CROSS JOIN node AS n ON n.id = k.value"
TAGS = "SELECT t.id, t.tag FROM json_each(?) AS k CROSS JOIN tag AS t ON t.id = k.value"


def _listed(kinds: Iterable[int]) -> str:
    return ", ".join(map(str, kinds))

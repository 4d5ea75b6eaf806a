"""Every record has its leaf: in the same transaction, never changed, and given to the records of an older file."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from headwater_server.errors import Unavailable
from headwater_server.log import leaf, tree
from headwater_server.log.port import Draft
from headwater_server.log.sqlite import SqliteRecordLog, schema
from headwater_server.log.tree import TILE, Tree


def draft(word: str, kind: str = "openlineage", actor: str = "") -> Draft:
    return Draft(kind, word.encode(), hashlib.sha256(word.encode()).digest(), producer="p", actor=actor)


def test_a_leaf_says_who_when_what_and_commits_to_the_body(log: SqliteRecordLog) -> None:
    log.append([draft("a"), draft("b", "curation.tag", 'a "quoted" ä')], at=7)
    first, second = log.leaves(0, limit=9)
    said = leaf.read_leaf(second.data)
    assert (said.v, said.seq, said.at, said.actor, said.kind, said.len) == (
        1, 2, 7, 'a "quoted" ä', "curation.tag", 1,
    )  # fmt: skip
    assert second.salt is not None
    assert said.commit == hashlib.sha256(b"hw-body-v1" + second.salt + b"b").hexdigest()
    assert second.hash == tree.leaf_hash(second.data)
    assert first.salt != second.salt
    assert log.tree() == Tree().grown([first.hash, second.hash])[0]


def test_equal_bodies_have_different_commitments(tmp_path: Path) -> None:
    commits = set()
    for name in ("one.db", "two.db"):
        log = SqliteRecordLog(tmp_path / name)
        log.append([draft("a")], at=1)
        commits.add(leaf.read_leaf(log.leaves(0, limit=1)[0].data).commit)
        log.close()
    assert len(commits) == 2


def test_a_duplicate_has_no_leaf_of_its_own(log: SqliteRecordLog) -> None:
    log.append([draft("a"), draft("a"), draft("b")], at=1)
    log.append([draft("b")], at=2)
    assert [each.seq for each in log.leaves(0, limit=9)] == [1, 2]


def test_tiles_are_sealed_when_they_are_full(log: SqliteRecordLog) -> None:
    for first in range(0, 3 * TILE, 100):
        log.append([draft(str(n)) for n in range(first, first + 100)], at=1)
    hashes = [each.hash for each in log.leaves(0, limit=9_999)]
    sealed = [Tree().grown(hashes[n * TILE : (n + 1) * TILE])[0].root() for n in range(3)]
    assert log.tiles(0, 99) == sealed
    assert log.tiles(1, 2) == sealed[1:2]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET data = x'00'",
        "UPDATE leaf SET hash = x'00'",
        "UPDATE leaf SET seq = 9",
        "DELETE FROM leaf",
        "UPDATE tile SET root = x'00'",
        "DELETE FROM tile",
        "UPDATE record SET body = x'00'",
        "DELETE FROM record",
    ],
)
def test_what_stands_cannot_be_changed_by_a_slip(tmp_path: Path, statement: str) -> None:
    log = SqliteRecordLog(tmp_path / "log.db")
    log.append([draft(str(n)) for n in range(TILE)], at=1)
    other = apsw.Connection(str(tmp_path / "log.db"))
    with pytest.raises(apsw.ConstraintError, match="is never"):
        other.execute(statement)
    other.close()
    log.close()


OPENING = """
import os, signal, sys
from pathlib import Path
from headwater_server.log.sqlite import SqliteRecordLog, schema
schema._AT_ONCE, left, write = 300, [int(sys.argv[2])], schema.write_leaves
def write_leaves(connection, tree, leaves):
    grown = write(connection, tree, leaves)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return grown
schema.write_leaves = write_leaves
SqliteRecordLog(Path(sys.argv[1])).close()
"""


def of_version_1(path: Path, records: int) -> str:
    old = apsw.Connection(str(path))
    old.pragma("journal_mode", "wal")
    old.execute(schema.FIRST)
    old.execute("INSERT INTO meta VALUES('instance', 'i')")
    old.execute("INSERT INTO source VALUES(1, 'p')")
    for n in range(1, records + 1):
        body = str(n).encode()
        old.execute(
            "INSERT INTO record VALUES(?,?,'openlineage',NULL,'START',1,'','','',?)", (n, n + 1000, body)
        )
        old.execute("INSERT INTO content VALUES(?,?)", (hashlib.sha256(body).digest(), n))
    old.pragma("user_version", 1)
    old.close()
    return str(path)


@pytest.mark.parametrize("killed_at", [(), (1,), (2, 1, 3), (1, 1, 1, 1)])
def test_a_file_of_version_1_gets_leaves_for_all_its_records(
    tmp_path: Path, killed_at: tuple[int, ...]
) -> None:
    path = of_version_1(tmp_path / "log.db", 1_000)
    for nth in killed_at:
        ended = subprocess.run([sys.executable, "-c", OPENING, path, str(nth)], env=os.environ, check=False)
        assert ended.returncode == -signal.SIGKILL
    log = SqliteRecordLog(Path(path))
    leaves = log.leaves(0, limit=9_999)
    assert [each.seq for each in leaves] == list(range(1, 1_001))
    for each in leaves:
        said, record = leaf.read_leaf(each.data), log.get(each.seq)
        assert record is not None
        assert each.salt is not None
        assert said.commit == leaf.commitment(each.salt, record.body)
        assert (said.at, said.len) == (record.received, len(record.body))
    assert log.tree() == Tree().grown(each.hash for each in leaves)[0]
    assert len(log.tiles(0, 99)) == 3
    assert log.instance == "i"
    (receipt,) = log.append([draft("1")], at=9_999)
    assert (receipt.seq, receipt.duplicate) == (1, True)
    assert log.append([draft("new")], at=9_999)[0].seq == 1_001
    log.close()


def test_an_old_file_that_could_not_be_brought_up_to_date_is_as_it_was(tmp_path: Path) -> None:
    path = Path(of_version_1(tmp_path / "log.db", 10))
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE leaf(x)")
    other.execute("COMMIT")
    with pytest.raises(Unavailable, match="does not answer"):
        SqliteRecordLog(path)
    assert other.execute("SELECT count(*) FROM record").get == 10
    assert other.pragma("user_version") == 1
    other.close()

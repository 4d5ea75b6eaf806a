"""Whoever changes the log behind our back is found, and the record is named."""

import shutil
from pathlib import Path
from typing import Any

import apsw
import orjson
import pytest

from headwater_server.audit import keys
from headwater_server.audit.folder import LATEST, Folder, Given
from headwater_server.audit.verify import Verification
from headwater_server.log import leaf, tree
from headwater_server.parts import open_log
from tests.app import Headwater, settings
from tests.openlineage.said import run

RECORDS = 600


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that nobody tampered with."""
    folder = tmp_path_factory.mktemp("whole")
    headwater = Headwater(settings(folder))
    headwater.send_at_once(
        run("COMPLETE", f"job{n % 7}", f"run{n}", n, reads=["a"], writes=[f"t{n % 5}"])
        for n in range(RECORDS - 1)
    )
    headwater.curation.tag("postgres://db/a", set={"pii": None}, remove=[], actor="ada")
    headwater.close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "data")


def change(folder: Path, *statements: str) -> None:
    """As somebody who may write the file, and knows SQL."""
    connection = apsw.Connection(str(folder / "log.db"))
    for name, sql in connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    ).fetchall():
        assert "RAISE" in str(sql)
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
        assert connection.changes() > 0
    connection.close()


def verified(folder: Path, *given: Given) -> Verification:
    log = open_log(folder)
    try:
        return Folder(folder, log).verify(given)
    finally:
        log.close()


def told(seen: Verification) -> str:
    return "\n".join(map(str, seen.faults))


def test_a_whole_log_is_whole(folder: Path) -> None:
    seen = verified(folder, *Given.of(folder / LATEST))
    assert (seen.ok, seen.checked, seen.size, seen.faults) == (True, RECORDS, RECORDS, [])


EDITS = {
    "a body": (["UPDATE record SET body = CAST(replace(body, 'airflow', 'airfl0w') AS BLOB) WHERE seq = 123"], 123, "its body was edited"),
    "a body of text": (["UPDATE record SET body = CAST(body AS TEXT) WHERE seq = 123"], 123, "its body was edited"),
    "an actor": (["UPDATE record SET actor = 'bob' WHERE seq = 600"], 600, "its actor was edited"),
    "a time": (["UPDATE record SET received = received - 1 WHERE seq = 77"], 77, "its at was edited"),
    "a kind": (["UPDATE record SET kind = 'curation.edge' WHERE seq = 600"], 600, "its kind was edited"),
    "a salt": (["UPDATE leaf SET salt = randomblob(16) WHERE seq = 5"], 5, "its body was edited"),
    "a salt that is gone": (["UPDATE leaf SET salt = NULL WHERE seq = 5"], 5, "no record says that it was erased"),
    "a leaf": (["UPDATE leaf SET data = x'7b7d' WHERE seq = 9"], 9, "its leaf was edited"),
    "a leaf that is gone": (["DELETE FROM leaf WHERE seq = 300"], 300, "its leaf was removed"),
    "a record that is gone": (["DELETE FROM record WHERE seq = 300"], 300, "it was removed; its leaf is still there"),
    "both": (["DELETE FROM record WHERE seq = 9", "DELETE FROM leaf WHERE seq = 9"], 9, "it was removed"),
    "a record put in": (
        [("INSERT INTO record SELECT 601, received, kind, event_time, event_type, producer, actor, run_id, job, body, NULL "
         "FROM record WHERE seq = 3")], 601, "or the record was inserted",
    ),
    "a leaf put in": (["INSERT INTO leaf SELECT 601, data, hash, salt FROM leaf WHERE seq = 3"], 601, "it was removed; its leaf"),
    "a record before the first": (
        ["UPDATE record SET seq = 0 WHERE seq = 1"], 0, "something under the number 0",
    ),
    "a body blanked": (
        ["UPDATE record SET body = x'', erased = 600 WHERE seq = 40", "UPDATE leaf SET salt = NULL WHERE seq = 40"],
        40, "record 600 does not say that it was erased",
    ),
    "the last records": (
        ["DELETE FROM record WHERE seq > 590", "DELETE FROM leaf WHERE seq > 590"], 591, "the last ones were removed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_what_was_edited_is_named(folder: Path, what: str) -> None:
    statements, seq, expected = EDITS[what]
    change(folder, *statements)
    seen = verified(folder)
    assert not seen.ok
    assert f"record {seq}: " in told(seen)
    assert expected in told(seen)


def test_a_tile_that_is_gone_or_another_is_told(folder: Path) -> None:
    change(folder, "DELETE FROM tile WHERE number = 1")
    assert "sealed tiles are missing" in told(verified(folder))


def rewrite(folder: Path, seq: int) -> None:
    """Somebody who recomputes all that can be: body, leaf, hash, tiles; and who may use the key."""
    change(
        folder,
        f"UPDATE record SET body = CAST(replace(body, 'postgres', 'mysqlxxx') AS BLOB) WHERE seq = {seq}",
    )
    connection = apsw.Connection(str(folder / "log.db"))
    row: Any = connection.execute(
        "SELECT r.body, l.salt, l.data FROM record r JOIN leaf l USING (seq) WHERE seq = ?", (seq,)
    ).fetchall()[0]
    body, salt, data = row
    forged = orjson.dumps({**orjson.loads(data), "commit": leaf.commitment(salt, body)})
    connection.execute("UPDATE leaf SET data=?, hash=? WHERE seq=?", (forged, tree.leaf_hash(forged), seq))
    connection.close()


def retile(folder: Path) -> None:
    connection = apsw.Connection(str(folder / "log.db"))
    hashes = [h for (h,) in connection.execute("SELECT hash FROM leaf ORDER BY seq")]
    for number, root in enumerate(tree.Tree().grown(hashes)[1]):
        connection.execute("UPDATE tile SET root = ? WHERE number = ?", (root, number))
    connection.close()


def test_a_record_replaced_with_its_leaf_is_found_by_the_tile(folder: Path) -> None:
    rewrite(folder, 123)
    assert "one of the records 1 to 256 was replaced along with its leaf" in told(verified(folder))


def test_a_rewritten_history_is_found_by_the_checkpoint_in_the_folder(folder: Path) -> None:
    rewrite(folder, 123)
    retile(folder)
    assert "history was rewritten" in told(verified(folder))


def test_a_history_that_was_rewritten_with_everything_is_found_only_by_a_checkpoint_kept_elsewhere(
    folder: Path, whole: Path
) -> None:
    rewrite(folder, 123)
    retile(folder)
    (folder / LATEST).unlink()
    assert verified(folder).ok
    seen = verified(folder, *Given.of(whole / LATEST))
    assert (
        told(seen)
        == "the first 600 records are not those of the checkpoint of that size: history was rewritten"
    )


def test_an_old_database_put_back_is_found_by_a_newer_checkpoint(folder: Path, tmp_path: Path) -> None:
    old = shutil.copytree(folder, tmp_path / "old")
    headwater = Headwater(settings(folder))
    headwater.send(run("COMPLETE", "new", "new", 9_000, writes=["a"]))
    headwater.close()
    newer = Given.of(folder / LATEST)
    assert verified(folder, *newer).ok
    assert verified(old).ok
    assert "record 601: a checkpoint knows 601 records, here are 600" in told(verified(old, *newer))


def test_a_checkpoint_that_somebody_else_signed_is_no_checkpoint(folder: Path) -> None:
    log = open_log(folder)
    origin = Folder(folder, log).origin
    log.close()
    text = (folder / LATEST).read_text()
    (folder / keys.FILE).unlink()
    keys.make(folder / keys.FILE, origin)
    assert "not signed by a key of this log" in told(verified(folder, Given("kept", text)))


def test_a_checkpoint_whose_text_was_changed_is_refused(folder: Path) -> None:
    text = (folder / LATEST).read_text().replace("\n600\n", "\n599\n")
    assert "the signature of" in told(verified(folder, Given("kept", text)))


def test_a_key_that_the_log_does_not_name_is_told(folder: Path) -> None:
    headwater = Headwater(settings(folder))
    headwater.parts.audit.rotate_key(reason="r", actor="ada")
    headwater.close()
    assert verified(folder).ok
    (folder / keys.FILE).unlink()
    log = open_log(folder)
    keys.make(folder / keys.FILE, Folder(folder, log).origin)
    log.close()
    assert "but the log names" in told(verified(folder))


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_is_verified_beside_a_server_and_without_write_access(folder: Path, read_only: bool) -> None:
    headwater = Headwater(settings(folder))
    headwater.send(run("COMPLETE", "new", "new", 9_000, writes=["a"]))
    assert verified(folder).size == RECORDS + 1
    headwater.close()
    if read_only:
        (folder / "log.db").chmod(0o444)
        folder.chmod(0o555)
    try:
        assert verified(folder).ok
    finally:
        folder.chmod(0o755)


def test_a_verification_that_is_cut_short_goes_on_where_it_ended(folder: Path) -> None:
    headwater = Headwater(settings(folder))
    audit = headwater.parts.audit
    seen = [audit.verify(patience=0) for _ in range(4)]
    assert [each.checked for each in seen] == [256, 256, RECORDS - 512, 256]
    assert all(each.ok for each in seen)
    assert {each.root for each in seen} == {headwater.log.tree().root()}
    change(folder, "UPDATE record SET body = x'00' WHERE seq = 400")
    found = [audit.verify(patience=0) for _ in range(3)]
    assert [[f.seq for f in each.faults] for each in found] == [[400], [], []]
    headwater.close()

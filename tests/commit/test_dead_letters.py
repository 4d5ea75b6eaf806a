"""A record that cannot be projected: told of, kept across restarts, tried again or left out; the others flow."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from headwater_server.commit.projection import Projection, rebuild
from headwater_server.errors import NotFound
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.log.deadletters import DeadLetters
from headwater_server.log.port import Draft, Record, RecordLog
from headwater_server.parts import TRANSLATORS
from headwater_server.store.sqlite import SqliteStore
from tests.app import Headwater, embedded, on_neo4j, settings
from tests.openlineage.said import PRODUCER, dataset_key, moment, run

__all__ = ["embedded", "on_neo4j"]

GOOD = run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"])
LATER = run("COMPLETE", "load", "two", 5, reads=["a"], writes=["c"])
FUTURE = "future.note"


def from_a_newer_version(headwater: Headwater) -> int:
    """A record of a kind that this version does not know, as an upgrade that was taken back leaves it."""
    body = orjson.dumps({"key": dataset_key("noted"), "at": moment(3)})
    draft = Draft(FUTURE, body, secrets.token_bytes(32), event_time=moment(3), producer=PRODUCER)
    submission = headwater.parts.committer.submit([draft], [orjson.loads(body)], eager=True)
    submission.projected.result()
    return submission.logged.result()[0].seq


def translate_future(body: Any, seq: int) -> Mapping[str, Facts]:
    facts = Facts()
    facts.set("description", body["at"], "", f"noted in record {seq}")
    return {body["key"]: facts}


def upgraded(folder: Path) -> tuple[Projection, Headwater]:
    """The same data with a version that knows the kind."""
    headwater = Headwater(settings(folder))
    parts = headwater.parts
    known = {**TRANSLATORS, FUTURE: translate_future}
    projection = Projection(parts.log, parts.store, known, parts.letters)
    projection.recognise()
    return projection, headwater


def test_others_flow_and_it_is_counted_and_told_why_after_a_restart_too(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    headwater.send(GOOD)
    seq = from_a_newer_version(headwater)
    headwater.parts.committer.command(lambda: ((), lambda _: None))
    assert headwater.has(dataset_key("b"))
    for _ in range(2):
        (letter,) = headwater.parts.office.page(limit=10)
        assert (letter.seq, letter.kind, letter.tries) == (seq, FUTURE, 3)
        assert "knows no kind of record 'future.note'" in letter.reason
        assert headwater.parts.ready()["deadLetters"] == 1
        assert headwater.parts.gauges()["headwater_dead_letters"] == 1
        headwater = headwater.again()
    assert headwater.parts.committer.applied == headwater.log.head()
    headwater.close()


def test_one_bad_record_in_a_large_block_costs_the_others_nothing(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    for number in range(60):
        headwater.parts.log.append(
            [
                Draft(
                    "openlineage" if number != 37 else FUTURE,
                    orjson.dumps(run("COMPLETE", "load", f"run {number}", number, writes=[f"t{number}"])),
                    secrets.token_bytes(32),
                )
            ],
            at=moment(number),
        )
    headwater.parts.committer.command(lambda: ((), lambda _: None))
    assert [letter.seq for letter in headwater.parts.letters.page(limit=10)] == [38]
    assert {headwater.has(dataset_key(f"t{n}")) for n in range(60) if n != 37} == {True}
    headwater.close()


def test_a_retry_that_fails_again_counts_its_tries(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    seq = from_a_newer_version(headwater)
    decided = headwater.parts.office.retry([seq], reason="perhaps now", actor="ada")
    assert (decided.done, [letter.seq for letter in decided.remaining]) == ([], [seq])
    assert decided.remaining[0].tries == 6
    assert headwater.parts.letters.page(limit=10) == decided.remaining
    (record,) = headwater.log.recent(limit=1)
    assert (record.kind, record.actor) == ("deadletter.retry", "ada")
    headwater.close()


def test_a_retry_after_the_upgrade_shows_it_and_a_rebuild_shows_the_same(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    headwater.send(GOOD)
    seq = from_a_newer_version(headwater)
    headwater.parts.office.retry([seq], reason=None, actor="ada")
    head = headwater.log.head()
    headwater.close()

    projection, headwater = upgraded(tmp_path)
    retry = Draft("deadletter.retry", orjson.dumps({"seq": seq}), secrets.token_bytes(32))
    headwater.log.append([retry], at=moment(9))
    assert projection.advance(limit=100)
    assert projection.applied == head + 1
    assert headwater.props(dataset_key("noted"))["description"] == f"noted in record {seq}"
    assert len(headwater.parts.letters) == 0
    grown = headwater.fingerprint()
    projection.reset()
    rebuild(projection, head + 1)
    assert headwater.fingerprint() == grown
    headwater.close()


def test_what_was_left_out_stays_out_in_every_rebuild_even_when_it_could_be_read(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    headwater.send(GOOD)
    seq = from_a_newer_version(headwater)
    headwater.parts.office.retry([seq], reason=None, actor="ada")
    assert headwater.parts.office.drop([seq], reason="a test run", actor="ada").done == [seq]
    assert len(headwater.parts.letters) == 0
    without = headwater.fingerprint()
    with pytest.raises(NotFound, match="is no dead letter"):
        headwater.parts.office.drop([seq], reason=None, actor="ada")
    headwater.close()

    projection, headwater = upgraded(tmp_path)
    projection.reset()
    rebuild(projection, headwater.log.head())
    assert headwater.fingerprint() == without
    assert not headwater.has(dataset_key("noted"))
    headwater.close()


def test_who_left_out_too_much_takes_it_back_with_a_retry(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    seq = from_a_newer_version(headwater)
    headwater.parts.office.drop([seq], reason=None, actor="ada")
    decided = headwater.parts.office.retry([seq], reason=None, actor="ada")
    assert [letter.seq for letter in decided.remaining] == [seq]
    headwater.close()


def test_a_letter_whose_mark_did_not_pass_is_tried_again(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead-letters.db", graph="sqlite")
    for seq in (3, 8):
        letters.put(seq, kind="openlineage", reason="a crash between the letter and the mark", tries=3)
    letters.close()
    headwater = Headwater(settings(tmp_path))
    assert len(headwater.parts.letters) == 0
    headwater.close()


def test_each_graph_has_letters_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "dead-letters.db"
    one, other = DeadLetters(path, graph="sqlite"), DeadLetters(path, graph="neo4j")
    one.put(1, kind="openlineage", reason="x" * 5_000, tries=3)
    assert (len(one), len(other)) == (1, 0)
    assert len(one.page(limit=1)[0].reason) == 1_000
    one.close()
    other.close()


def test_a_graph_store_that_refuses_everything_makes_no_dead_letters(tmp_path: Path) -> None:
    """It is the store then, not the record: nothing is passed over."""
    headwater = Headwater(settings(tmp_path))
    headwater.send(GOOD)
    headwater.close()
    store = SqliteStore(tmp_path / "graph.db")
    store._writer._connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON node BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    store.close()
    again = Headwater(settings(tmp_path))
    submission = again.parts.committer.submit([_event()], [orjson.loads(_event().body)])
    (receipt,) = submission.logged.result()
    while not again.parts.committer.unavailable:
        pass
    assert again.parts.committer.applied < receipt.seq
    assert len(again.parts.letters) == 0
    again.close()


class Tripping:
    """A log whose reads fail in a way that nobody thought of, until it is mended."""

    def __init__(self, log: RecordLog) -> None:
        self._log, self.mended = log, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def read(self, after: int, *, limit: int) -> list[Record]:
        if not self.mended:
            raise RuntimeError("a bug")
        return self._log.read(after, limit=limit)


def test_a_bug_on_the_way_is_told_and_tried_again_and_ends_no_thread(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    parts = headwater.parts
    log: Any = Tripping(parts.log)
    projection = Projection(log, parts.store, TRANSLATORS, parts.letters)
    projection.recognise()
    parts.log.append([_event()], at=moment(9))
    assert not projection.advance([], limit=10)
    assert projection.unavailable == "RuntimeError: a bug"
    log.mended = True
    assert projection.advance([], limit=10)
    assert (projection.unavailable, projection.applied) == ("", parts.log.head())
    headwater.close()


def _event() -> Draft:
    return Draft("openlineage", orjson.dumps(LATER), b"k" * 32)


@pytest.mark.neo4j
def test_a_name_too_long_for_an_index_of_neo4j_is_a_dead_letter_there(on_neo4j: Headwater) -> None:
    name = secrets.token_hex(5_000)
    event = run("COMPLETE", "load", "one", 1, reads=["a"], writes=[name[:4_000], "b"])
    event["outputs"][0]["namespace"] = name[:4_000]
    committer = on_neo4j.parts.committer
    body = orjson.dumps(event)
    submission = committer.submit([Draft("openlineage", body, b"k" * 32)], [event], eager=True)
    submission.projected.result()
    on_neo4j.parts.committer.command(lambda: ((), lambda _: None))
    (letter,) = on_neo4j.parts.letters.page(limit=2)
    assert "too large to index" in letter.reason
    on_neo4j.parts.office.drop([letter.seq], reason=None, actor="ada")
    on_neo4j.send(LATER)
    assert on_neo4j.has(dataset_key("c"))
    assert not on_neo4j.has(keys.key(Kind.DATASET, name[:4_000], name[:4_000]))

"""What the record log promises: gapless numbers, once each, durable, found by what they are about."""

import hashlib
import resource
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater_server.errors import Invalid, Unavailable
from headwater_server.log.port import Draft, Finding, Which
from headwater_server.log.sqlite import SqliteRecordLog
from headwater_server.pool import Pool


def draft(word: str, **more: Any) -> Draft:
    given = {"kind": "openlineage", "producer": "p", **more}
    return Draft(body=word.encode(), content_key=hashlib.sha256(word.encode()).digest(), **given)


def seqs(log: SqliteRecordLog, **about: Any) -> list[int]:
    return [r.seq for r in log.recent(Which(**about), limit=99)]


def test_numbers_start_at_1_and_have_no_gaps(log: SqliteRecordLog) -> None:
    receipts = log.append([draft("a"), draft("b"), draft("a"), draft("c")], at=1)
    assert [(r.seq, r.duplicate) for r in receipts] == [(1, False), (2, False), (1, True), (3, False)]
    assert log.head() == 3


@settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(batches=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=5), max_size=8))
def test_a_word_has_one_number_whenever_it_is_said(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]]
) -> None:
    log = SqliteRecordLog(tmp_path_factory.mktemp("log") / "log.db")
    number: dict[str, int] = {}
    for words in batches:
        for word, receipt in zip(words, log.append([draft(w) for w in words], at=1), strict=True):
            assert receipt.duplicate is (word in number)
            assert number.setdefault(word, receipt.seq) == receipt.seq
    assert sorted(number.values()) == list(range(1, log.head() + 1))
    assert {r.body.decode(): r.seq for r in log.read(0, limit=99)} == number
    log.close()


def test_what_people_did_is_read_in_order_without_the_events_between(log: SqliteRecordLog) -> None:
    kinds = ["a", "openlineage", "b", "openlineage", "c", "a"]
    log.append([draft(f"{n}", kind=kind) for n, kind in enumerate(kinds)], at=1)
    assert [r.seq for r in log.read(0, limit=9, kinds=["a", "b"])] == [1, 3, 6]
    assert [r.seq for r in log.read(1, limit=1, kinds=["a", "b"])] == [3]
    assert log.read(0, limit=9, kinds=["none"]) == []


def test_what_was_appended_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    log = SqliteRecordLog(tmp_path / "log.db")
    log.append([draft("a", run_id="r", job="job|n|j", event_time=7, event_type="START", actor="ada")], at=5)
    instance, record = log.instance, log.get(1)
    log.close()
    log = SqliteRecordLog(tmp_path / "log.db")
    assert (log.instance, log.head(), log.get(1)) == (instance, 1, record)
    assert log.append([draft("a")], at=9)[0].duplicate
    assert log.append([draft("b")], at=9)[0].seq == 2
    log.close()


def test_the_receive_time_never_goes_back(log: SqliteRecordLog) -> None:
    log.append([draft("a")], at=10)
    log.append([draft("b")], at=5)
    assert [r.received for r in log.read(0, limit=9)] == [10, 10]


def test_records_are_found_by_what_they_are_about(log: SqliteRecordLog) -> None:
    mentions: Sequence[Sequence[str]] = (["dataset|n|a"], ["dataset|n|b"], ["dataset|n|a", "dataset|n|b"], [])
    log.append([draft(str(n), mentions=m) for n, m in enumerate(mentions)], at=1)
    assert seqs(log, about="dataset|n|a") == [3, 1]
    assert log.about(["dataset|n|a", "dataset|n|b"]) == [1, 2, 3]
    assert log.count(Which(about="dataset|n|b")) == 2
    assert log.count() == 4


def test_they_are_found_by_producer_and_kind_a_page_at_a_time(log: SqliteRecordLog) -> None:
    log.append([draft("a", producer="x"), draft("b", producer="y"), draft("c", kind="curation.tag")], at=1)
    assert seqs(log, producer="x") == [1]
    assert seqs(log, kind="curation.tag") == [3]
    assert seqs(log, kind="openlineage") == [2, 1]
    assert [r.seq for r in log.recent(Which(before=3), limit=1)] == [2]
    assert list(log.producers()) == ["p", "x", "y"]


def test_findings_are_counted_by_producer_and_rule_and_not_for_duplicates(log: SqliteRecordLog) -> None:
    odd = [Finding("no-zone", "first")]
    log.append([draft("a", findings=odd)], at=1)
    log.append([draft("a", findings=odd)], at=2)
    log.append([draft("b", findings=[Finding("no-zone", "second")])], at=3)
    (found,) = log.conformance(limit=9)
    assert (found.producer, found.rule, found.text, found.count) == ("p", "no-zone", "second", 2)
    assert (found.first_seen, found.last_seen, found.example_seq) == (1, 3, 2)
    assert log.findings_of(1) == ["no-zone"]
    assert log.conformance(limit=9, after=("p", "no-zone")) == []


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Writing behind it fails as on a full disk (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_nothing_is_unavailable_and_takes_more_when_there_is_room(tmp_path: Path) -> None:
    log = SqliteRecordLog(tmp_path / "log.db")
    log.append([draft("a")], at=1)
    full = max(f.stat().st_size for f in tmp_path.iterdir())
    with files_no_larger_than(full):
        for _ in range(3):
            with pytest.raises(Unavailable, match="Nothing was stored"):
                log.append([draft("b"), draft("x" * 100_000)], at=2)
            assert [r.body for r in log.read(0, limit=9)] == [b"a"]
        assert log.head() == 1
    assert [r.seq for r in log.append([draft("b")], at=3)] == [2]
    assert log.tree().size == 2
    log.close()
    opened = SqliteRecordLog(tmp_path / "log.db")
    assert [r.body for r in opened.read(0, limit=9)] == [b"a", b"b"]
    assert opened.tree() == log.tree()
    opened.close()


@pytest.mark.parametrize("file", ["log.db", "log.db-wal"])
def test_a_file_that_was_deleted_or_replaced_acknowledges_nothing(tmp_path: Path, file: str) -> None:
    log = SqliteRecordLog(tmp_path / "log.db")
    log.append([draft("a")], at=1)
    log.check()
    moved = (tmp_path / file).rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(Unavailable, match="was deleted"):
            log.append([draft("b")], at=2)
    with pytest.raises(Unavailable, match="was deleted"):
        log.check()
    (tmp_path / file).write_bytes(moved.read_bytes())
    with pytest.raises(Unavailable, match="was replaced"):
        log.append([draft("b")], at=2)
    moved.rename(tmp_path / file)
    assert [r.seq for r in log.append([draft("b")], at=2)] == [2]
    log.check()
    log.close()


def test_after_an_error_no_empty_log_is_made_where_one_was(tmp_path: Path) -> None:
    log = SqliteRecordLog(tmp_path / "log.db")
    log.append([draft("a")], at=1)
    with files_no_larger_than(1), pytest.raises(Unavailable):
        log.append([draft("b")], at=2)
    moved = (tmp_path / "log.db").rename(tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="was deleted"):
        log.append([draft("b")], at=2)
    assert not (tmp_path / "log.db").exists()
    moved.rename(tmp_path / "log.db")
    assert [r.seq for r in log.append([draft("b")], at=2)] == [2]
    log.close()


def test_a_log_of_a_newer_headwater_is_left_alone(tmp_path: Path) -> None:
    newer = apsw.Connection(str(tmp_path / "log.db"))
    newer.pragma("user_version", 99)
    newer.close()
    with pytest.raises(Invalid, match="newer Headwater"):
        SqliteRecordLog(tmp_path / "log.db")


def test_who_reads_while_it_is_closed_reads_to_the_end_and_nobody_after(tmp_path: Path) -> None:
    log = SqliteRecordLog(tmp_path / "log.db")
    log.append([draft("a")], at=1)
    file = tmp_path / "log.db"
    pool = Pool(lambda: apsw.Connection(str(file)))
    with ThreadPoolExecutor(1) as elsewhere, pool.lent() as connection:
        rows = connection.execute("SELECT seq FROM record")
        elsewhere.submit(pool.close).result()
        assert rows.fetchall() == [(1,)]
    with pytest.raises(apsw.ConnectionClosedError), pool.lent():
        pass
    log.close()

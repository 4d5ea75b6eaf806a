"""What is erased is gone from every file and from the graph; that it was there, and who took it out, stays."""

from pathlib import Path

import orjson
import pytest

from headwater_server.audit import erasure
from headwater_server.audit.folder import Folder
from headwater_server.audit.verify import Verification
from headwater_server.errors import Conflict, Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.parts import open_log
from tests.app import Headwater, open_empty
from tests.openlineage.said import NS, facet, run, table

SECRET = "jane.roe.1984"
"""Stands for what somebody has the right to see erased."""


def tell(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "load", "one", 1, reads=["raw"], writes=[table("clean", documentation=facet(description="kept"))]),
        run("COMPLETE", f"mail-{SECRET}", SECRET, 2, reads=["clean"], writes=[table(
            f"letters-{SECRET}", documentation=facet(description=f"for {SECRET}"))], producer=f"https://{SECRET}"),
        run("COMPLETE", f"mail-{SECRET}", SECRET, 3, reads=["clean"], writes=[f"letters-{SECRET}"], producer=f"https://{SECRET}",
            run_facets={"note": facet(text=SECRET)}),
        run("COMPLETE", "other", "two", 4, reads=["clean"], writes=["sums"]),
    )  # fmt: skip


def erase(headwater: Headwater, *seqs: int) -> int:
    erased = headwater.parts.audit.erase(
        seqs, reason="asked by the person", basis="GDPR Art. 17", actor="ada"
    )
    assert erased.clean
    assert erased.count == len(seqs)
    headwater.parts.committer.command(lambda: ((), lambda _: None))
    return erased.records[0]


def verified(headwater: Headwater) -> Verification:
    log = open_log(headwater.settings.data)
    try:
        return Folder(headwater.settings.data, log).verify()
    finally:
        log.close()


def holding(folder: Path, text: str) -> list[str]:
    """Names of the files that hold a text."""
    return sorted(f.name for f in folder.rglob("*") if f.is_file() and text.encode() in f.read_bytes())


def test_erased_records_leave_every_file_and_the_tree_stays_whole(embedded: Headwater) -> None:
    tell(embedded)
    folder = embedded.settings.data
    assert holding(folder, SECRET)
    root = embedded.log.tree()
    by = erase(embedded, 2, 3)
    assert holding(folder, SECRET) == []
    seen = verified(embedded)
    assert (seen.faults, seen.checked, seen.erased) == ([], 5, 2)
    assert embedded.log.tree().size == root.size + 1
    record = embedded.log.get(by)
    assert record is not None
    said = orjson.loads(record.body)
    assert (record.kind, record.actor) == ("audit.erase", "ada")
    assert (said["reason"], said["basis"], said["records"]) == (
        "asked by the person",
        "GDPR Art. 17",
        [[2, 3]],
    )
    embedded.close()
    assert holding(folder, SECRET) == []


def test_what_they_said_takes_part_in_nothing(headwater: Headwater) -> None:
    tell(headwater)
    letters, job = keys.dataset(NS, f"letters-{SECRET}"), keys.job("airflow", f"mail-{SECRET}")
    assert headwater.has(letters)
    erase(headwater, 2, 3)
    assert not headwater.has(letters)
    assert not headwater.has(job)
    assert headwater.facets(keys.dataset(NS, "clean"))["documentation"].value["description"] == "kept"
    after = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == after
    again = headwater.again()
    assert again.fingerprint() == after
    again.close()


def test_the_graph_is_that_of_a_log_without_them(headwater: Headwater, tmp_path: Path) -> None:
    tell(headwater)
    erase(headwater, 2, 3)
    never = open_empty(tmp_path / "never")
    never.send(*[r.body for r in headwater.log.read(0, limit=9) if r.body and r.kind == "openlineage"])
    assert never.fingerprint() == headwater.fingerprint()
    never.close()


def test_more_is_taken_while_the_graph_is_made_again(headwater: Headwater) -> None:
    tell(headwater)
    headwater.parts.audit.erase([2, 3], reason="r", basis="b", actor="ada")
    receipt = headwater.deliver(run("COMPLETE", "late", "late", 9, reads=["sums"], writes=["end"]))
    assert receipt.seq == 6
    after = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == after


def test_a_kill_between_the_log_and_the_graph_is_made_good_by_the_next_start(headwater: Headwater) -> None:
    tell(headwater)
    parts = headwater.parts
    # as when the process ends before the graph was touched
    parts.committer.stop()
    erasure.erase(headwater.log, lambda work: work(), [2, 3], reason="r", basis="b", actor="ada", at=1)
    assert headwater.has(keys.job("airflow", f"mail-{SECRET}"))
    again = headwater.again()
    again.parts.committer.command(lambda: ((), lambda _: None))
    assert not again.has(keys.job("airflow", f"mail-{SECRET}"))
    after = again.fingerprint()
    again.parts.rebuild(lambda *_: None)
    assert again.fingerprint() == after
    again.close()


def test_the_same_event_sent_again_is_a_new_record(embedded: Headwater) -> None:
    event = run("COMPLETE", "load", "one", 1, writes=["a"])
    embedded.send(event)
    erase(embedded, 1)
    (receipt,) = embedded.send(event)
    assert (receipt.seq, receipt.duplicate) == (3, False)


def test_an_erased_mutation_no_longer_counts(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 1, writes=["a"]))
    headwater.registry.register_model("churn", actor="ada")
    version = headwater.registry.create_version("churn", actor="ada")
    headwater.registry.transition(ref=version, to_stage="Production", actor=SECRET)
    headwater.curation.tag(f"{NS}/a", set={"pii": SECRET}, remove=[], actor="ada")
    for seq in (2, 3, 4, 5):
        erase(headwater, seq)
    after = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == after
    assert not headwater.props(keys.dataset(NS, "a")).get("tags")
    assert verified(headwater).ok


@pytest.mark.parametrize(
    ("seqs", "expected"),
    [
        ([9], "no record 9"),
        ([], "say which records"),
        ([0], "no record 0"),
        (range(6_000), "too many at once"),
    ],
)
def test_what_cannot_be_erased_is_said(embedded: Headwater, seqs: list[int], expected: str) -> None:
    tell(embedded)
    with pytest.raises((Invalid, NotFound), match=expected):
        embedded.parts.audit.erase(seqs, reason="r", basis="b", actor="ada")
    assert embedded.log.head() == 4


def test_an_erasure_is_evidence_and_cannot_be_erased_nor_done_twice(embedded: Headwater) -> None:
    tell(embedded)
    by = erase(embedded, 2)
    with pytest.raises(Invalid, match="it is evidence itself"):
        embedded.parts.audit.erase([by], reason="r", basis="b", actor="ada")
    with pytest.raises(Conflict, match=f"erased already, by record {by}"):
        embedded.parts.audit.erase([1, 2], reason="r", basis="b", actor="ada")
    with pytest.raises(Invalid, match="says its basis"):
        embedded.parts.audit.erase([1], reason="r", basis=" ", actor="ada")


def test_a_purge_takes_the_events_before_a_moment_and_leaves_mutations(headwater: Headwater) -> None:
    tell(headwater)
    headwater.curation.tag(f"{NS}/clean", set={"pii": None}, remove=[], actor="ada")
    headwater.send(run("COMPLETE", "late", "late", 9, reads=["clean"], writes=["end"]))
    record = headwater.log.get(6)
    assert record is not None
    audit = headwater.parts.audit
    planned = audit.purge(record.received, reason="10 years", basis="policy 7", actor="ada", dry_run=True)
    assert (planned.records, planned.count) == ((), 4)
    assert headwater.log.head() == 6
    purged = audit.purge(record.received, reason="10 years", basis="policy 7", actor="ada")
    assert (purged.records, purged.count, purged.clean) == ((7,), 4, True)
    headwater.parts.committer.command(lambda: ((), lambda _: None))
    assert headwater.flows() == {(keys.dataset(NS, "clean"), keys.dataset(NS, "end"))}
    assert headwater.props(keys.dataset(NS, "clean"))["tags"] == ["pii"]
    assert verified(headwater).erased == 4
    again = audit.purge(record.received, reason="10 years", basis="policy 7", actor="ada")
    assert (again.records, again.count) == ((), 0)


def test_a_purge_of_many_is_told_by_several_records(embedded: Headwater) -> None:
    embedded.send_at_once(run("COMPLETE", "j", f"r{n}", n, writes=["a"]) for n in range(700))
    with pytest.raises(Invalid, match="must be past"):
        embedded.parts.audit.purge(2**60, reason="r", basis="b", actor="ada")
    record = embedded.log.get(700)
    assert record is not None
    before = record.received + 1
    purged = erasure.purge(
        embedded.log, embedded.parts.committer.alone, before,
        reason="r", basis="b", actor="ada", at=before, at_once=200,
    )  # fmt: skip
    assert purged.count == 700
    assert len(purged.records) > 3
    assert verified(embedded).erased == 700

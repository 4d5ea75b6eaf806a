"""What people say by hand: it wins over producers, is checked against what they saw, and can be taken back."""

import pytest

from headwater_server.errors import Conflict, Invalid, NotFound
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.log.port import Which
from tests.app import Headwater
from tests.openlineage.said import (
    column_key,
    columns,
    dataset_key,
    facet,
    job_key,
    run,
    table,
)

A, B = "postgres://db/a", "postgres://db/b"


@pytest.fixture
def shop(headwater: Headwater) -> Headwater:
    """`load` makes b from a; both have columns."""
    schema, about = columns("id", "email"), facet(description="by its producer")
    reads, writes = (table(name, schema=schema, documentation=about) for name in "ab")
    headwater.send(run("COMPLETE", "load", "one", 1, reads=[reads], writes=[writes]))
    return headwater


def test_tags_are_set_removed_and_kept_apart_from_the_producers(shop: Headwater) -> None:
    shop.send(run("COMPLETE", "load", "two", 2, writes=[table("b", tags=facet(tags=[{"key": "raw"}]))]))
    shop.curation.tag(B, set={"pii": None, "tier": "1"}, remove=[], actor="ada")
    assert shop.props(dataset_key("b"))["tags"] == ["pii", "raw", "tier=1"]
    shop.curation.tag(B, set={"tier": "2"}, remove=["pii", "raw"], actor="ada")
    assert shop.props(dataset_key("b"))["tags"] == ["tier=2"]


def test_a_column_is_tagged_and_described(shop: Headwater) -> None:
    shop.curation.tag(f"{A}#email", set={"pii": "email"}, remove=[], actor="ada")
    shop.curation.update(f"{A}#email", description="where we write to", actor="ada")
    seen = shop.props(column_key("a.email"))
    assert (seen["tags"], seen["description"]) == (["pii=email"], "where we write to")
    assert "tags" not in shop.props(column_key("a.id"))


def test_a_description_by_hand_wins_over_every_later_event(shop: Headwater) -> None:
    shop.curation.update(B, description="by hand", owners=["team:crm"], display_name="Customers", actor="ada")
    later = table("b", documentation=facet(description="again by its producer"))
    shop.send(run("COMPLETE", "load", "two", 2**20, writes=[later]))
    seen = shop.props(dataset_key("b"))
    assert (seen["description"], seen["owners"], seen["displayName"]) == (
        "by hand",
        ["team:crm"],
        "Customers",
    )


def test_who_saw_an_older_state_is_told_of_the_conflict(shop: Headwater) -> None:
    seen = shop.parts.updated(dataset_key("b"))
    shop.curation.update(B, description="first", expected_updated_at=seen, actor="ada")
    with pytest.raises(Conflict) as lost:
        shop.curation.update(B, description="second", expected_updated_at=seen, actor="bob")
    assert lost.value.details["expected"] == seen
    assert shop.props(dataset_key("b"))["description"] == "first"
    actual = lost.value.details["actual"]
    shop.curation.update(B, description="second", expected_updated_at=actual, actor="bob")
    assert shop.props(dataset_key("b"))["description"] == "second"


def test_what_is_archived_is_out_of_sight_and_comes_back(shop: Headwater) -> None:
    shop.curation.archive(A, reason="moved", actor="ada")
    assert shop.visible(Kind.DATASET) == {dataset_key("b")}
    assert shop.flows() == {(dataset_key("a"), dataset_key("b"))}
    shop.curation.archive(A, restore=True, actor="ada")
    assert shop.visible(Kind.DATASET) == {dataset_key("a"), dataset_key("b")}


def test_a_note_hangs_on_what_it_is_about(shop: Headwater) -> None:
    note = shop.curation.annotate(B, body="Looks wrong since Monday.", actor="ada")
    assert shop.into(dataset_key("b"), EdgeKind.ANNOTATES) == {note}
    assert shop.props(note)["author"] == "ada"


@pytest.mark.parametrize("kind", ["DERIVES", "SYMLINK"])
def test_an_edge_between_datasets_is_added_and_taken_back(shop: Headwater, kind: str) -> None:
    before = shop.fingerprint()
    shop.curation.manual_edge(B, A, kind=kind, note="told me so", actor="ada")
    if kind == "DERIVES":
        assert (dataset_key("b"), dataset_key("a")) in shop.flows()
    else:
        assert shop.out_of(dataset_key("a"), EdgeKind.SYMLINK) == {dataset_key("b")}
        assert shop.out_of(dataset_key("b"), EdgeKind.SYMLINK) == {dataset_key("a")}
    shop.curation.manual_edge(B, A, kind=kind, remove=True, actor="ada")
    assert shop.fingerprint() == before


def test_an_edge_between_columns_is_one_a_column_walk_follows(shop: Headwater) -> None:
    shop.curation.manual_edge(f"{A}#email", f"{B}#email", kind="DERIVES", actor="ada")
    assert shop.out_of(column_key("a.email"), EdgeKind.DERIVES) == {column_key("b.email")}
    shop.curation.manual_edge(f"{A}#email", f"{B}#email", kind="DERIVES", remove=True, actor="ada")
    assert shop.edges(EdgeKind.DERIVES) == []


def test_a_job_reads_and_writes_by_hand(shop: Headwater) -> None:
    shop.curation.manual_edge(B, "hw:job:airflow/load", kind="READS", actor="ada")
    shop.curation.manual_edge("hw:job:airflow/load", A, kind="WRITES", actor="ada")
    assert shop.reads_of(job_key("load")) == {dataset_key("a"), dataset_key("b")}
    assert shop.writes_of(job_key("load")) == {dataset_key("a"), dataset_key("b")}


def test_all_of_it_is_there_after_a_rebuild(shop: Headwater) -> None:
    shop.curation.tag(f"{A}#email", set={"pii": None}, remove=[], actor="ada")
    shop.curation.manual_edge(B, A, kind="SYMLINK", actor="ada")
    shop.curation.archive(A, actor="ada")
    shop.curation.annotate(B, body="x", actor="ada")
    before = shop.fingerprint()
    shop.parts.rebuild(lambda *_: None)
    assert shop.fingerprint() == before


def test_each_change_is_a_record_with_who_before_and_after(shop: Headwater) -> None:
    shop.curation.update(B, description="by hand", actor="ada")
    (record,) = shop.log.recent(Which(about=dataset_key("b"), kind="curation.update"), limit=1)
    assert record.actor == "ada"
    assert b'"before":{"description":"by its producer"}' in record.body
    assert b'"after":{"description":"by hand"}' in record.body


def test_what_makes_no_sense_is_refused_and_not_recorded(shop: Headwater) -> None:
    head = shop.log.head()
    with pytest.raises(Invalid):
        shop.curation.tag(B, set={"a=b": None}, remove=[], actor="ada")
    with pytest.raises(Invalid):
        shop.curation.update(B, actor="ada")
    with pytest.raises(Invalid):
        shop.curation.annotate(B, body="  ", actor="ada")
    with pytest.raises(Invalid):
        shop.curation.manual_edge(A, B, kind="READS", actor="ada")
    with pytest.raises(Invalid):
        shop.curation.manual_edge(A, A, kind="DERIVES", actor="ada")
    with pytest.raises(NotFound):
        shop.curation.archive("postgres://db/nothing", actor="ada")
    assert shop.log.head() == head

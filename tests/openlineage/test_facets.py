"""Traps 25 to 30: which facet holds, and what the known ones mean to the graph."""

import orjson
import pytest

from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.project.reading import pinned
from tests.app import Headwater
from tests.openlineage.said import (
    Json,
    column_key,
    columns,
    dataset_event,
    dataset_key,
    facet,
    from_columns,
    job_key,
    moment,
    parent,
    run,
    run_key,
    source,
    table,
)


def test_25_a_facet_replaces_its_elder_wholly_by_event_time(headwater: Headwater) -> None:
    headwater.send(run("START", "load", "one", 2, job_facets={"documentation": facet(description="new")}))
    old = facet(description="old", contentType="text/markdown")
    headwater.send(run("START", "load", "two", 1, job_facets={"documentation": old}))
    assert headwater.props(job_key("load"))["description"] == "new"
    assert "contentType" not in headwater.facets(job_key("load"))["documentation"].value


def test_25_what_a_reader_says_shows_only_where_the_owner_says_nothing(headwater: Headwater) -> None:
    headwater.send(dataset_event("a", 1, documentation=facet(description="the owner's")))
    before = headwater.props(dataset_key("a"))
    observed = table("a", documentation=facet(description="a reader's"))
    headwater.send(run("COMPLETE", "report", "one", 2, reads=[observed]))
    assert headwater.props(dataset_key("a")) == before
    owners = facet(owners=[{"name": "team:data"}])
    headwater.send(run("COMPLETE", "report", "two", 3, reads=[table("a", ownership=owners)]))
    assert headwater.props(dataset_key("a"))["owners"] == ["team:data"]
    assert headwater.props(dataset_key("a"))["description"] == "the owner's"


def test_25_facets_of_other_names_stay(headwater: Headwater) -> None:
    owners = facet(owners=[{"name": "team:data", "type": "MAINTAINER"}])
    headwater.send(dataset_event("a", 1, documentation=facet(description="about")))
    headwater.send(dataset_event("a", 2, ownership=owners))
    assert set(headwater.facets(dataset_key("a"))) == {"documentation", "ownership"}
    assert headwater.props(dataset_key("a"))["owners"] == ["team:data|MAINTAINER"]


def test_25_deleted_removes_it_until_it_is_said_again(headwater: Headwater) -> None:
    headwater.send(dataset_event("a", 1, documentation=facet(description="about")))
    headwater.send(dataset_event("a", 2, documentation=facet(_deleted=True)))
    assert "description" not in headwater.props(dataset_key("a"))
    assert headwater.facets(dataset_key("a"))["documentation"].deleted
    headwater.send(dataset_event("a", 3, documentation=facet(description="again")))
    assert headwater.props(dataset_key("a"))["description"] == "again"


def test_25_a_reader_does_not_overwrite_what_the_owner_says(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "make", "one", 1, writes=[table("a", documentation=facet(description="mine"))])
    )
    headwater.send(
        run("COMPLETE", "read", "two", 2, reads=[table("a", documentation=facet(description="theirs"))])
    )
    assert headwater.props(dataset_key("a"))["description"] == "mine"


def test_25_what_was_measured_belongs_to_the_run(headwater: Headwater) -> None:
    for minute, rows in ((1, 10), (2, 20)):
        out = table("a", use={"outputStatistics": facet(rowCount=rows)})
        headwater.send(run("COMPLETE", "load", f"run {minute}", minute, writes=[out]))
    versions = headwater.store.page(Kind.DATASET_VERSION, marks=[""], group=dataset_key("a"), limit=9)
    assert [v.props["rows"] for v in versions] == [10, 20]
    assert "outputStatistics" not in headwater.facets(dataset_key("a"))


def test_26_assertions_in_both_places_are_the_datasets_and_the_runs(headwater: Headwater) -> None:
    said = facet(assertions=[{"assertion": "not_null", "success": False, "column": "id"}])
    tested = table("a", use={"dataQualityAssertions": said}, dataQualityAssertions=said)
    headwater.send(run("COMPLETE", "test", "one", 1, reads=[tested]))
    assert "dataQualityAssertions" in headwater.facets(dataset_key("a"))
    used = headwater.facts(run_key("test", "one")).get(f"in|{dataset_key('a')}|dataQualityAssertions")
    assert used["x"] == [["not_null", False, "id"]]


def test_26_tags_of_run_job_dataset_and_column_are_each_their_own(headwater: Headwater) -> None:
    def tagged(key: str, **more: str) -> Json:
        return {"tags": facet(tags=[{"key": key, "value": "1", **more}])}

    both = facet(tags=[{"key": "of-dataset"}, {"key": "pii", "field": "Email"}])
    event = run("COMPLETE", "load", "one", 1, run_facets=tagged("of-run"), job_facets=tagged("of-job"))
    event["outputs"] = [table("a", tags=both, schema=columns("email"))]
    headwater.send(event)
    assert headwater.props(run_key("load", "one"))["tags"] == ["of-run=1"]
    assert headwater.props(job_key("load"))["tags"] == ["of-job=1"]
    assert headwater.props(dataset_key("a"))["tags"] == ["of-dataset"]
    assert headwater.props(column_key("a.email"))["tags"] == ["pii"]


@pytest.mark.parametrize("name", ["parent", "parentRun"])
def test_26_both_spellings_of_the_parent_facet_are_read(headwater: Headwater, name: str) -> None:
    headwater.send(run("START", "task", "child", 1, run_facets={name: parent("dag", "above")}))
    assert headwater.out_of(run_key("task", "child"), EdgeKind.CHILD_OF) == {run_key("dag", "above")}


def test_27_a_schema_that_lists_fewer_columns_takes_none_away(headwater: Headwater) -> None:
    headwater.send(dataset_event("a", 1, schema=columns("id", "email", "day")))
    headwater.send(dataset_event("a", 2, schema=columns("id")))
    assert headwater.columns(dataset_key("a")) == {"id", "email", "day"}


def test_27_a_whole_new_schema_retires_what_it_leaves_out(headwater: Headwater) -> None:
    created = facet(lifecycleStateChange="CREATE")
    headwater.send(dataset_event("a", 1, schema=columns("id", "email")))
    headwater.send(dataset_event("a", 2, schema=columns("id"), lifecycleStateChange=created))
    assert headwater.columns(dataset_key("a")) == {"id"}
    assert headwater.props(column_key("a.email"))["retired"] == moment(2)


def test_27_case_and_a_missing_type_make_no_second_column(headwater: Headwater) -> None:
    headwater.send(
        dataset_event("a", 1, schema=columns({"name": "Id", "type": "BIGINT", "description": "key"}))
    )
    headwater.send(dataset_event("a", 2, schema=columns({"name": "ID"})))
    assert headwater.columns(dataset_key("a")) == {"ID"}
    seen = headwater.props(column_key("a.id"))
    assert (seen["type"], seen["description"]) == ("BIGINT", "key")


def test_27_nested_fields_are_columns_below_their_parent(headwater: Headwater) -> None:
    nested = {"name": "address", "type": "STRUCT", "fields": [{"name": "City", "type": "TEXT"}]}
    headwater.send(dataset_event("a", 1, schema=columns("id", nested)))
    assert headwater.props(column_key("a.address") + ".city")["parent"] == column_key("a.address")


def test_28_the_old_generation_of_column_lineage_is_read(headwater: Headwater) -> None:
    def field(kind: str, name: str) -> Json:
        fields = [source(f"a.{name}")]
        return {"inputFields": fields, "transformationType": kind, "transformationDescription": "how"}

    said = facet(fields={"x": field("IDENTITY", "x"), "y": field("MASKED", "y")})
    headwater.send(run("COMPLETE", "load", "one", 1, writes=[table("b", columnLineage=said)]))
    found = {e.target: e.props for e in headwater.edges(EdgeKind.DERIVES)}
    assert found[column_key("b.x")]["subtype"] == "IDENTITY"
    assert found[column_key("b.y")]["masking"] is True
    assert found[column_key("b.x")]["description"] == "how"


def test_28_the_new_generation_tells_direct_indirect_and_masked_apart(headwater: Headwater) -> None:
    said = from_columns(
        total=[
            source("a.amount", type="DIRECT", subtype="AGGREGATION"),
            source("a.day", type="INDIRECT", subtype="GROUP_BY"),
        ],
        email=[source("a.email", type="DIRECT", subtype="TRANSFORMATION", masking=True)],
    )
    said["dataset"] = [source("c.id", type="INDIRECT", subtype="JOIN")]
    headwater.send(run("COMPLETE", "load", "one", 1, writes=[table("b", columnLineage=said)]))
    direct = {(e.source, e.target, e.props["masking"]) for e in headwater.edges(EdgeKind.DERIVES)}
    assert direct == {
        (column_key("a.amount"), column_key("b.total"), False),
        (column_key("a.email"), column_key("b.email"), True),
    }
    indirect = {(e.source, e.target, e.props["subtype"]) for e in headwater.edges(EdgeKind.AFFECTS)}
    assert indirect == {
        (column_key("a.day"), column_key("b.total"), "GROUP_BY"),
        (column_key("c.id"), dataset_key("b"), "JOIN"),
    }


def test_28_of_several_ways_one_that_masks_is_told(headwater: Headwater) -> None:
    both = {
        "transformations": [
            {"type": "DIRECT", "subtype": "IDENTITY", "masking": False},
            {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True},
        ]
    }
    said = from_columns(x=[{**source("a.x"), **both}])
    headwater.send(run("COMPLETE", "load", "one", 1, writes=[table("b", columnLineage=said)]))
    (edge,) = headwater.edges(EdgeKind.DERIVES)
    assert (edge.props["subtype"], edge.props["masking"]) == ("TRANSFORMATION", True)


def test_29_the_producers_own_version_is_the_version(headwater: Headwater) -> None:
    snapshot = facet(datasetVersion="8213")
    headwater.send(
        run("COMPLETE", "load", "one", 1, writes=[table("a", version=snapshot)]),
        run("COMPLETE", "read", "two", 2, reads=[table("a", version=snapshot)]),
    )
    (version,) = headwater.store.page(Kind.DATASET_VERSION, marks=[""], group=dataset_key("a"), limit=9)
    assert version.props["version"] == "8213"
    assert headwater.out_of(run_key("load", "one"), EdgeKind.WROTE) == {version.key}
    assert headwater.out_of(run_key("read", "two"), EdgeKind.READ) == {version.key}


def test_29_else_each_writing_run_makes_one_though_the_schema_is_the_same(headwater: Headwater) -> None:
    for minute in (1, 2):
        out = table("a", schema=columns("x"))
        headwater.send(run("COMPLETE", "load", f"run {minute}", minute, writes=[out]))
    versions = headwater.store.page(Kind.DATASET_VERSION, marks=[""], group=dataset_key("a"), limit=9)
    assert [v.props["run"] for v in versions] == [run_key("load", "run 1"), run_key("load", "run 2")]


def test_29_a_failed_run_makes_no_version(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 1, writes=["a"]))
    headwater.send(run("FAIL", "load", "one", 2))
    assert headwater.store.count(Kind.DATASET_VERSION, marks=[""]) == 0


def test_29_a_run_read_the_version_of_its_time_not_the_newest(headwater: Headwater) -> None:
    for minute in (1, 5):
        headwater.send(run("COMPLETE", "load", f"run {minute}", minute, writes=["a"]))
    found = pinned(dataset_key("a"), moment(3), headwater.store)
    assert found is not None
    assert headwater.props(found)["run"] == run_key("load", "run 1")
    headwater.send(run("COMPLETE", "load", "run 2", 2, writes=["a"]))
    found = pinned(dataset_key("a"), moment(3), headwater.store)
    assert found is not None
    assert headwater.props(found)["run"] == run_key("load", "run 2")


@pytest.mark.parametrize("name", ["spark.logicalPlan", "environment-properties", "unknown", "a/b~c", "ключ"])
def test_30_an_unknown_facet_is_kept_and_read_by_its_name(headwater: Headwater, name: str) -> None:
    value = facet(deep={"list": [1, 2.5, None, {"x": "\u0000é"}]})
    raw = orjson.dumps(run("COMPLETE", "load", "one", 1, run_facets={name: value}))
    (receipt,) = headwater.send(raw)
    assert headwater.facets(run_key("load", "one"))[name].value == value
    record = headwater.log.get(receipt.seq)
    assert record is not None
    assert record.body == raw

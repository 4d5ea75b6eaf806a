"""Traps 31 to 36: runs above runs, and one thing under several names.

Left out: statements that leak into other tasks' runs (33), which SQL lineage tells.
"""

import itertools
from pathlib import Path
from typing import Any

import pytest

from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage import resolve
from headwater_server.lineage.symlinks import group_of
from tests.app import Headwater, open_empty
from tests.openlineage.said import (
    NS,
    Json,
    dataset_key,
    facet,
    job_key,
    parent,
    run,
    run_key,
    table,
    uuid_of,
)


def test_31_a_child_may_come_before_its_parent(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "dag.task", "child", 2, run_facets={"parent": parent("dag", "above")}))
    assert headwater.props(run_key("dag", "above"))["state"] == "NEW"
    headwater.send(run("START", "dag", "above", 1), run("COMPLETE", "dag", "above", 3))
    assert headwater.props(run_key("dag", "above"))["state"] == "COMPLETE"
    assert headwater.into(run_key("dag", "above"), EdgeKind.CHILD_OF) == {run_key("dag.task", "child")}


def test_31_a_parent_that_never_speaks_is_there_all_the_same(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "task", "child", 2, run_facets={"parent": parent("dag", "above")}))
    assert job_key("dag") in headwater.visible(Kind.JOB)
    assert headwater.out_of(job_key("task"), EdgeKind.CHILD_OF) == {job_key("dag")}


def test_31_the_root_is_told_apart_from_the_parent(headwater: Headwater) -> None:
    above = parent("task", "middle", root=("dag", "top"))
    headwater.send(run("COMPLETE", "query", "child", 2, run_facets={"parent": above}))
    seen = headwater.props(run_key("query", "child"))
    assert (seen["parent"], seen["root"]) == (run_key("task", "middle"), run_key("dag", "top"))
    assert headwater.out_of(run_key("query", "child"), EdgeKind.CHILD_OF) == {run_key("task", "middle")}


def test_31_facets_forwarded_with_the_parent_are_the_parents(headwater: Headwater) -> None:
    above = parent("dag", "above", ns="scheduler")
    above["job"]["facets"] = {"documentation": facet(description="nightly")}
    above["run"]["facets"] = {"nominalTime": facet(nominalStartTime="2026-03-02T00:00:00Z")}
    headwater.send(run("COMPLETE", "task", "child", 2, run_facets={"parent": above}))
    assert headwater.props(job_key("dag", "scheduler"))["description"] == "nightly"
    assert "nominalStart" in headwater.props(run_key("dag", "above", "scheduler"))
    assert "description" not in headwater.props(job_key("task"))


def test_31_names_of_child_and_parent_are_left_as_they_are(headwater: Headwater) -> None:
    above = {"parent": parent("dag", "above", ns="scheduler")}
    headwater.send(run("COMPLETE", "dag.task", "child", 2, run_facets=above, ns="spark"))
    assert headwater.visible(Kind.JOB) == {job_key("dag.task", "spark"), job_key("dag", "scheduler")}


def test_32_the_queries_of_a_task_move_no_data_and_hang_below_it(headwater: Headwater) -> None:
    """What a view rolls up: they have no flow of their own, and their way up is there."""
    headwater.send(run("COMPLETE", "dag.task", "task", 1, reads=["a"], writes=["b"]))
    for n in range(5):
        above = {"parent": parent("dag.task", "task", root=("dag", "top"))}
        headwater.send(run("COMPLETE", f"dag.task.query.{n}", f"query {n}", 2, run_facets=above))
    assert {headwater.node(e.source).group for e in headwater.edges(EdgeKind.OUTPUTS)} == {
        job_key("dag.task")
    }
    below = {job_key(f"dag.task.query.{n}") for n in range(5)}
    assert headwater.into(job_key("dag.task"), EdgeKind.CHILD_OF) == below


def query(task: str, minute: float, script: str, **more: Any) -> Json:
    """A query of a task, as a child run of it, below one run of the DAG."""
    above = {"parent": parent(f"dag.{task}", task, root=("dag", "top"))}
    sql = {"sql": facet(query=script, dialect="postgres")}
    job = f"dag.{task}.query.{minute}"
    return run("COMPLETE", job, f"{task} {minute}", minute, ns=NS, run_facets=above, job_facets=sql, **more)


def test_33_a_query_that_leaks_into_a_later_task_is_the_first_ones(tmp_path: Path) -> None:
    """Tasks in one process: the second task reports the first one's query again, then its own."""
    events = [
        query("load", 1, "INSERT INTO orders SELECT * FROM raw"),
        query("report", 2, "INSERT INTO orders SELECT * FROM raw", reads=["raw"], writes=["orders"]),
        query("report", 3, "INSERT INTO daily SELECT * FROM orders"),
    ]
    seen = set()
    for number, order in enumerate(itertools.permutations(events)):
        headwater = open_empty(tmp_path / str(number))
        for event in order:
            headwater.send(event)
        makers = {keys.parts_of(headwater.node(e.source).group)[1] for e in headwater.edges(EdgeKind.OUTPUTS)}
        assert makers == {"dag.load.query.1", "dag.report.query.3"}
        assert len(headwater.flows()) == 2
        seen.add(headwater.fingerprint())
        headwater.close()
    assert len(seen) == 1


def test_33_a_task_that_is_tried_again_says_its_own_query_again(headwater: Headwater) -> None:
    script = "INSERT INTO orders SELECT * FROM raw"
    failed = query("load", 1, script)
    again = query("load", 1, script)
    failed["eventType"], again["run"]["runId"] = "FAIL", uuid_of("second attempt")
    headwater.send(failed, again)
    assert {e.target for e in headwater.edges(EdgeKind.OUTPUTS)} == {dataset_key("orders")}


def test_34_one_model_under_three_job_names_is_one_dataset(headwater: Headwater) -> None:
    dbt = {"dbt_node": facet(unique_id="model.shop.stg_orders")}
    for minute, name in enumerate(
        ("shop.main.shop.stg_orders", "shop.main.shop.stg_orders.build.run", "model.shop.stg_orders"), 1
    ):
        headwater.send(run("COMPLETE", name, name, minute, writes=["stg_orders"], job_facets=dbt))
        assert headwater.facets(job_key(name))["dbt_node"].value["unique_id"] == "model.shop.stg_orders"
    assert headwater.visible(Kind.DATASET) == {dataset_key("stg_orders")}


def test_34_a_dbt_node_is_found_by_its_unique_id_under_whatever_name_it_ran_last(
    headwater: Headwater,
) -> None:
    dbt = {"dbt_node": facet(unique_id="model.shop.stg_orders")}
    for minute, name in enumerate(("shop.main.shop.stg_orders.build.run", "shop.main.shop.stg_orders"), 1):
        headwater.send(run("COMPLETE", name, name, minute, writes=["stg_orders"], job_facets=dbt))
        assert resolve("model.shop.stg_orders", headwater.store).key == job_key(name)


def linked(name: str, *others: str, kind: str = "TABLE") -> Json:
    identifiers = [{"namespace": NS, "name": other, "type": kind} for other in others]
    return table(name, symlinks=facet(identifiers=identifiers))


def test_35_a_chain_of_symlinks_is_one_group_in_any_order(tmp_path: Path) -> None:
    events = [
        run("COMPLETE", "one", "one", 1, writes=[linked("a", "b")]),
        run("COMPLETE", "two", "two", 2, writes=[linked("b", "c")]),
        run("COMPLETE", "three", "three", 3, reads=["c"], writes=["d"]),
        run("COMPLETE", "four", "four", 4, writes=[linked("c", "a")]),
    ]
    seen = set()
    for number, order in enumerate(itertools.permutations(events)):
        headwater = open_empty(tmp_path / str(number))
        headwater.send_at_once(order)
        seen.add(headwater.fingerprint())
        group = group_of(dataset_key("a"), headwater.store)
        assert set(group) == {dataset_key(n) for n in "abc"}
        headwater.close()
    assert len(seen) == 1


def test_35_two_names_with_a_history_each_keep_it_when_they_are_joined(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "load", "one", 1, reads=["x"], writes=["a"]),
        run("COMPLETE", "read", "two", 2, reads=["b"], writes=["y"]),
        run("COMPLETE", "link", "three", 3, reads=[linked("a", "b", kind="LOCATION")]),
    )
    assert headwater.flows() >= {(dataset_key("x"), dataset_key("a")), (dataset_key("b"), dataset_key("y"))}
    assert set(group_of(dataset_key("b"), headwater.store)) == {dataset_key("a"), dataset_key("b")}


def test_35_a_name_that_was_only_an_alias_is_shown_when_it_is_used(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 1, writes=[linked("a", "alias")]))
    assert headwater.visible(Kind.DATASET) == {dataset_key("a")}
    headwater.send(run("COMPLETE", "read", "two", 2, reads=["alias"]))
    assert headwater.visible(Kind.DATASET) == {dataset_key("a"), dataset_key("alias")}


@pytest.mark.parametrize(
    ("spellings", "shown"),
    [
        (
            [("s3://lake", "raw/t"), ("s3a://lake", "raw/t"), ("s3n://lake/", "raw/t/")],
            ("s3n://lake/", "raw/t/"),
        ),
        ([("abfss://c@acc", "t"), ("abfs://c@acc", "t")], ("abfs://c@acc", "t")),
        ([("postgres://db", "s.t"), ("postgresql://db:5432", "s.t")], ("postgresql://db:5432", "s.t")),
        ([("trino://h:8080", "c.s.t"), ("trino://h", "c.s.t")], ("trino://h", "c.s.t")),
        ([("file", "/data/t"), ("file", "/data/t/")], ("file", "/data/t/")),
    ],
    ids=lambda value: str(value[0]),
)
def test_36_spellings_of_one_store_meet_and_the_last_is_shown(
    headwater: Headwater, spellings: list[tuple[str, str]], shown: tuple[str, str]
) -> None:
    for minute, (ns, name) in enumerate(spellings, 1):
        headwater.send(run("COMPLETE", f"job {minute}", "one", minute, writes=[table(name, ns=ns)]))
    (key,) = headwater.visible(Kind.DATASET)
    seen = headwater.props(key)
    assert (seen["namespace"], seen["name"]) in spellings
    if shown != tuple(spellings[0]):
        assert (seen["namespace"], seen["name"]) in {shown, spellings[0]}


def test_36_paths_and_tables_that_differ_by_case_are_two(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "load", "one", 1, writes=[table("Raw/T", ns="s3://b"), table("raw/t", ns="s3://b")])
    )
    assert len(headwater.visible(Kind.DATASET)) == 2


def test_36_a_relative_duckdb_path_is_a_namespace_of_its_own(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "load", "one", 1, writes=[table("shop.main.t", ns="duckdb://shop.duckdb")])
    )
    (key,) = headwater.visible(Kind.DATASET)
    assert key == dataset_key("shop.main.t", "duckdb://shop.duckdb")

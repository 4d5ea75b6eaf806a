"""Traps 13 to 24: what several events of a run say together, and which edges follow."""

from typing import Any

from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.symlinks import group_of
from headwater_server.store.port import Direction
from tests.app import Headwater
from tests.openlineage.said import (
    JOBS,
    NS,
    Json,
    column_key,
    dataset_event,
    dataset_key,
    facet,
    from_columns,
    job_event,
    job_key,
    moment,
    parent,
    run,
    run_key,
    table,
)


def flow(*pairs: str) -> set[tuple[str, str]]:
    """`a>b` as keys."""
    return {(dataset_key(p.split(">")[0]), dataset_key(p.split(">")[1])) for p in pairs}


def entry(name: str | None, *inputs: Any, **more: Any) -> Json:
    """Of a lineage facet; None is the job that speaks."""
    here: Json = {"type": "JOB"} if name is None else {"type": "DATASET", "namespace": NS, "name": name}
    given = [i if isinstance(i, dict) else {"type": "DATASET", "namespace": NS, "name": i} for i in inputs]
    return {**here, "inputs": given, **more}


def lineage(*entries: Json) -> dict[str, Json]:
    return {"lineage": facet(entries=list(entries))}


def test_13_inputs_at_the_start_and_outputs_at_the_end_make_an_edge(headwater: Headwater) -> None:
    headwater.send(
        run("START", "load", "one", 1, reads=["a"]), run("COMPLETE", "load", "one", 2, writes=["b"])
    )
    assert headwater.flows() == flow("a>b")


def test_13_inputs_told_only_while_running_make_an_edge(headwater: Headwater) -> None:
    headwater.send(
        run("START", "load", "one", 1, writes=["b"]),
        run("RUNNING", "load", "one", 2, reads=["a"]),
        run("COMPLETE", "load", "one", 3),
    )
    assert headwater.flows() == flow("a>b")


def test_14_an_event_without_inputs_takes_none_away(headwater: Headwater) -> None:
    headwater.send(run("START", "load", "one", 1, reads=["a"], writes=["b"]))
    headwater.send(run("COMPLETE", "load", "one", 2, reads=[], writes=[]))
    headwater.send(run("START", "load", "two", 3), run("COMPLETE", "load", "two", 4))
    assert headwater.flows() == flow("a>b")


def test_15_the_next_runs_other_inputs_are_current_and_the_old_ones_history(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 10, reads=["a"], writes=["c"]))
    headwater.send(run("COMPLETE", "load", "two", 20, reads=["b"], writes=["c"]))
    assert headwater.flows() == flow("b>c")
    assert headwater.flows(at=moment(15)) == flow("a>c")
    assert headwater.flows(at=moment(20)) == flow("b>c")
    assert headwater.flows(at=moment(9)) == set()


def test_15_a_job_that_alternates_shows_each_runs_own_target(headwater: Headwater) -> None:
    for minute, (word, name) in enumerate([("one", "de"), ("two", "fr"), ("three", "de")], 1):
        headwater.send(run("COMPLETE", "load", word, minute, reads=["a"], writes=[name]))
    for word, name in (("one", "de"), ("two", "fr"), ("three", "de")):
        wrote = headwater.out_of(run_key("load", word), EdgeKind.WROTE)
        assert {headwater.node(v).group for v in wrote} == {dataset_key(name)}
    assert headwater.flows(at=moment(2.5)) == flow("a>fr")
    assert headwater.flows() == flow("a>de")


def test_15_a_late_run_in_the_middle_changes_only_the_past(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "load", "one", 10, reads=["a"], writes=["c"]),
        run("COMPLETE", "load", "three", 30, reads=["a"], writes=["c"]),
        run("COMPLETE", "load", "two", 20, reads=["b"], writes=["c"]),
    )
    assert headwater.flows() == flow("a>c")
    assert [headwater.flows(at=moment(m)) for m in (15, 25, 35)] == [flow("a>c"), flow("b>c"), flow("a>c")]


def test_16_inputs_and_outputs_of_different_runs_are_never_crossed(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"]),
        run("COMPLETE", "load", "two", 1, reads=["c"], writes=["d"]),
    )
    assert {one for m in range(3) for one in headwater.flows(at=moment(m))} <= flow("a>b", "c>d")
    assert len(headwater.flows()) == 1


def test_16_column_lineage_of_an_output_takes_the_guess_away(headwater: Headwater) -> None:
    told = table("c", columnLineage=from_columns(x=["a.x"]))
    headwater.send(run("COMPLETE", "load", "one", 1, reads=["a", "b"], writes=[told, "d"]))
    assert headwater.flows() == flow("a>c", "a>d", "b>d")
    assert headwater.reads_of(job_key("load")) == {dataset_key("a"), dataset_key("b")}


def test_17_a_dataset_named_only_by_column_lineage_is_a_node_with_an_edge(headwater: Headwater) -> None:
    told = table("stg", columnLineage=from_columns(email_hash=["seed.email"]))
    headwater.send(run("COMPLETE", "load", "one", 1, writes=[told]))
    assert headwater.flows() == flow("seed>stg")
    assert headwater.out_of(column_key("seed.email"), EdgeKind.DERIVES) == {column_key("stg.email_hash")}
    assert dataset_key("seed") in headwater.visible(Kind.DATASET)


def test_17_a_dataset_named_only_by_a_lineage_facet_is_one_too(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 1, job_facets=lineage(entry("stg", "seed"))))
    assert headwater.flows() == flow("seed>stg")
    assert dataset_key("seed") in headwater.visible(Kind.DATASET)


def test_19_explicit_lineage_is_not_crossed(headwater: Headwater) -> None:
    said = lineage(entry("c", "a"), entry("d", "b"))
    headwater.send(run("COMPLETE", "load", "one", 1, reads=["a", "b"], writes=["c", "d"], job_facets=said))
    assert headwater.flows() == flow("a>c", "b>d")


def test_19_what_it_leaves_out_is_read_and_written_by_the_job_itself(headwater: Headwater) -> None:
    said = lineage(entry("c", "a"))
    headwater.send(run("COMPLETE", "load", "one", 1, reads=["a", "b"], writes=["c", "d"], job_facets=said))
    assert headwater.flows() == flow("a>c")
    assert headwater.reads_of(job_key("load")) == {dataset_key("a"), dataset_key("b")}
    assert headwater.writes_of(job_key("load")) == {dataset_key("c"), dataset_key("d")}


def test_19_an_empty_list_of_inputs_means_that_there_are_none(headwater: Headwater) -> None:
    said = lineage(entry("c"))
    headwater.send(run("COMPLETE", "load", "one", 1, reads=["a"], writes=["c"], job_facets=said))
    assert headwater.flows() == set()
    assert headwater.writes_of(job_key("load")) == {dataset_key("c")}


def test_19_a_job_without_identity_is_the_one_that_speaks(headwater: Headwater) -> None:
    said = lineage(entry(None, "a"), entry("b", {"type": "JOB"}))
    headwater.send(run("COMPLETE", "load", "one", 1, job_facets=said))
    assert headwater.reads_of(job_key("load")) == {dataset_key("a")}
    assert headwater.writes_of(job_key("load")) == {dataset_key("b")}
    assert headwater.flows() == set()


def test_19_a_job_that_feeds_a_job_is_data_flow(headwater: Headwater) -> None:
    other = {"type": "JOB", "namespace": JOBS, "name": "before"}
    headwater.send(run("COMPLETE", "load", "one", 1, job_facets=lineage(entry(None, other))))
    assert headwater.reads_of(job_key("load")) == {job_key("before")}


def test_19_runs_merge_what_their_events_say(headwater: Headwater) -> None:
    headwater.send(
        run("START", "load", "one", 1, job_facets=lineage(entry("b", "a"))),
        run("COMPLETE", "load", "one", 2, job_facets=lineage(entry("c", "a"))),
    )
    assert headwater.flows() == flow("a>b", "a>c")


def test_19_a_job_event_replaces_what_the_last_one_declared(headwater: Headwater) -> None:
    headwater.send(job_event("load", 1, job_facets=lineage(entry("b", "a"))))
    headwater.send(job_event("load", 2, job_facets=lineage(entry("c", "a"))))
    assert headwater.flows() == flow("a>c")
    headwater.send(job_event("load", 1.5, job_facets=lineage(entry("d", "a"))))
    assert headwater.flows() == flow("a>c")


def test_19_a_dataset_event_replaces_its_datasets_own_lineage(headwater: Headwater) -> None:
    for minute, name in ((1, "a"), (2, "b")):
        said = facet(inputs=[{"type": "DATASET", "namespace": NS, "name": name}])
        headwater.send(dataset_event("c", minute, lineage=said))
    assert headwater.flows() == flow("b>c")


def test_19_it_stands_above_column_lineage(headwater: Headwater) -> None:
    told = table("c", columnLineage=from_columns(x=["b.x"]))
    said = lineage(entry("c", "a"))
    headwater.send(run("COMPLETE", "load", "one", 1, writes=[told], job_facets=said))
    assert headwater.flows() == flow("a>c")
    assert headwater.edges(EdgeKind.DERIVES) == []


def test_20_of_snapshots_the_newest_stands_for_the_run(headwater: Headwater) -> None:
    streaming = {
        "jobType": facet(
            processingType="STREAMING", emissionPattern={"eventContentMode": "COMPLETE_SNAPSHOT"}
        )
    }

    def window(minute: int, name: str, rows: int) -> Json:
        out = table("out", use={"outputStatistics": facet(rowCount=rows)})
        return run("RUNNING", "stream", "one", minute, reads=[name], writes=[out], job_facets=streaming)

    headwater.send(window(1, "a", 5), window(3, "c", 7), window(2, "b", 6))
    assert headwater.flows() == flow("c>out")
    (version,) = headwater.store.page(Kind.DATASET_VERSION, marks=[""], limit=9)
    assert version.props["rows"] == 7


def test_21_what_is_declared_and_what_ran_are_kept_apart(headwater: Headwater) -> None:
    headwater.send(job_event("load", 1, reads=["a"], writes=["c"]))
    assert headwater.flows() == flow("a>c")
    assert {n.props["evidence"] for n in steps(headwater)} == {"DECLARED"}
    headwater.send(run("COMPLETE", "load", "one", 2, reads=["b"], writes=["c"]))
    assert headwater.flows() == flow("b>c")
    declared = headwater.props(job_key("load"))["declared"]
    assert declared == [f"<{dataset_key('a')}", f">{dataset_key('c')}"]


def test_21_a_declaration_said_again_holds_since_it_was_said_first(headwater: Headwater) -> None:
    headwater.send(job_event("load", 2, reads=["a"], writes=["b"]))
    headwater.send(job_event("load", 3, reads=["a"], writes=["b"]))
    assert headwater.flows(at=moment(1.5)) == set()
    headwater.send(job_event("load", 1, reads=["a"], writes=["b"]))
    assert headwater.flows(at=moment(1.5)) == flow("a>b")


def test_18_a_common_table_expression_that_a_producer_names_is_no_source(headwater: Headwater) -> None:
    query = facet(query="WITH recent AS (SELECT id FROM orders) INSERT INTO daily SELECT id FROM recent")
    headwater.send(
        run(
            "COMPLETE",
            "load",
            "one",
            1,
            reads=["recent", "orders"],
            writes=["daily"],
            job_facets={"sql": query},
        )
    )
    assert headwater.flows() == flow("orders>daily")
    assert dataset_key("recent") not in headwater.visible(Kind.DATASET)


def test_22_a_table_made_from_itself_is_one_edge_and_no_endless_walk(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "merge", "one", 1, reads=["daily", "new"], writes=["daily"]))
    assert headwater.flows() == flow("daily>daily", "new>daily")
    kinds = (EdgeKind.INPUT_OF, EdgeKind.OUTPUTS)
    reached = headwater.store.reach([dataset_key("new")], Direction.DOWNSTREAM, kinds, max_depth=99, limit=99)
    assert set(reached) == {dataset_key("daily"), *headwater.into(job_key("merge"), EdgeKind.STEP_OF)}


def test_23_a_renamed_temporary_table_is_the_table(headwater: Headwater) -> None:
    old = {"namespace": NS, "name": "daily__dbt_tmp"}
    renamed = table(
        "daily", lifecycleStateChange=facet(lifecycleStateChange="RENAME", previousIdentifier=old)
    )
    headwater.send(
        run("COMPLETE", "build", "one", 1, reads=["a"], writes=["daily__dbt_tmp"]),
        run("COMPLETE", "rename", "two", 2, writes=[renamed]),
    )
    assert headwater.visible(Kind.DATASET) == {dataset_key("a"), dataset_key("daily")}
    assert headwater.out_of(dataset_key("daily__dbt_tmp"), EdgeKind.SYMLINK) == {dataset_key("daily")}


def rename(old: str, new: str, minute: float) -> Json:
    """A query of the same task as the one that built the table: two child runs of one parent."""
    return run(
        "COMPLETE", f"build.query.{minute}", f"query {minute}", minute, ns=NS,
        job_facets={"sql": facet(query=f"ALTER TABLE {old} RENAME TO {new}", dialect="postgres")},
        run_facets={"parent": parent("build", "task")},
    )  # fmt: skip


def test_23_a_temporary_table_renamed_by_another_child_run_is_the_table(headwater: Headwater) -> None:
    above = {"parent": parent("build", "task")}
    build = run(
        "COMPLETE", "build.query.1", "query 1", 1, reads=["a"], writes=["daily__dbt_tmp"], run_facets=above
    )
    events = [build, rename("daily__dbt_tmp", "daily", 2), run("COMPLETE", "report", "r", 9, reads=["daily"])]
    for event in reversed(events):
        headwater.send(event)
    assert headwater.visible(Kind.DATASET) == {dataset_key("a"), dataset_key("daily")}
    assert group_of(dataset_key("daily"), headwater.store) == {
        dataset_key("daily"),
        dataset_key("daily__dbt_tmp"),
    }


def test_23_the_name_of_a_table_that_steps_aside_for_the_next_one_stays_its_own(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "first", "first", 1, reads=["a"], writes=["daily"]),
        run("COMPLETE", "build", "second", 2, reads=["a"], writes=["daily__dbt_tmp"]),
        rename("daily", "daily__dbt_backup", 3),
        rename("daily__dbt_tmp", "daily", 4),
    )
    assert dataset_key("daily") in headwater.visible(Kind.DATASET)
    assert dataset_key("daily__dbt_tmp") not in headwater.visible(Kind.DATASET)


def steps(headwater: Headwater) -> list[Any]:
    return [n for n in headwater.store.all_nodes() if n.kind is Kind.STEP]


def change(what: str, minute: float, name: str = "b", **more: Any) -> Json:
    said = facet(lifecycleStateChange=what, **more)
    word = f"{what} {minute}"
    return run("COMPLETE", f"ddl {what}", word, minute, writes=[table(name, lifecycleStateChange=said)])


def test_24_a_rename_keeps_the_history_of_the_old_name(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 1, reads=["a"], writes=["old"]))
    headwater.send(change("RENAME", 2, previousIdentifier={"namespace": NS, "name": "old"}))
    assert dataset_key("old") not in headwater.visible(Kind.DATASET)
    assert headwater.flows() == flow("a>old")
    assert headwater.into(dataset_key("b"), EdgeKind.SYMLINK) == {dataset_key("old")}
    assert headwater.out_of(dataset_key("b"), EdgeKind.SYMLINK) == {dataset_key("old")}


def test_24_a_dropped_dataset_is_hidden_and_keeps_its_history(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"]), change("DROP", 2))
    assert headwater.visible(Kind.DATASET) == {dataset_key("a")}
    assert headwater.flows(at=moment(1)) == flow("a>b")
    versions = headwater.store.page(Kind.DATASET_VERSION, marks=[""], group=dataset_key("b"), limit=9)
    assert len(versions) == 1


def test_24_truncate_and_overwrite_are_no_deletes(headwater: Headwater) -> None:
    headwater.send(change("CREATE", 1), change("TRUNCATE", 2), change("OVERWRITE", 3))
    assert headwater.visible(Kind.DATASET) == {dataset_key("b")}


def test_24_creating_it_again_revives_it(headwater: Headwater) -> None:
    headwater.send(change("DROP", 2), change("CREATE", 3))
    assert headwater.visible(Kind.DATASET) == {dataset_key("b")}
    headwater.send(change("DROP", 1))
    assert headwater.visible(Kind.DATASET) == {dataset_key("b")}


def test_24_a_later_write_revives_it_too(headwater: Headwater) -> None:
    headwater.send(change("DROP", 2), run("COMPLETE", "load", "one", 3, writes=["b"]))
    assert headwater.visible(Kind.DATASET) == {dataset_key("b")}

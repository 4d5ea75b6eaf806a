import time

import pytest

from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage import (
    EntityKind,
    EvidenceKind,
    Granularity,
    LineageDirection,
    LineageFilter,
    lineage,
)
from tests.lineage.scene import DAY, MONDAY, Scene
from tests.lineage.seen import depths, edges, nodes

UP, DOWN, BOTH = LineageDirection.UPSTREAM, LineageDirection.DOWNSTREAM, LineageDirection.BOTH


@pytest.fixture
def shop(scene: Scene) -> Scene:
    scene.step("clean", ["raw"], ["orders"])
    scene.step("report", ["orders", "people"], ["revenue"])
    scene.step("archive", ["orders"], ["cold"])
    scene.save()
    return scene


def test_a_hop_into_a_job_and_a_hop_out_of_it_count_one_each(shop: Scene) -> None:
    graph = lineage("db/raw", shop.store, direction=DOWN, depth=3)
    assert depths(graph) == {"raw": 0, "clean": 1, "orders": 2, "report": 3, "archive": 3}
    assert edges(graph) == {
        "raw READS clean",
        "clean WRITES orders",
        "orders READS report",
        "orders READS archive",
    }


def test_without_jobs_a_hop_goes_from_table_to_table(shop: Scene) -> None:
    graph = lineage("db/raw", shop.store, direction=DOWN, depth=2, granularity=Granularity.DATASET)
    assert depths(graph) == {"raw": 0, "orders": 1, "revenue": 2, "cold": 2}
    assert edges(graph) == {"raw DERIVES orders", "orders DERIVES revenue", "orders DERIVES cold"}
    assert {edge.via for edge in graph.edges} == {
        lineage(f"jobs/{job}", shop.store).root for job in ("clean", "report", "archive")
    }


def test_both_ways_is_the_union_of_the_two_and_never_turns_round(shop: Scene) -> None:
    graph = lineage("db/orders", shop.store, direction=BOTH, depth=9)
    assert nodes(graph) == {"raw", "clean", "orders", "report", "revenue", "archive", "cold"}
    assert "people" not in nodes(graph)


def test_deep_and_shallow_walks_find_the_same(shop: Scene) -> None:
    for granularity in (Granularity.ENTITY, Granularity.DATASET):
        shallow = lineage("db/orders", shop.store, depth=7, granularity=granularity, now=MONDAY)
        deep = lineage("db/orders", shop.store, depth=20, granularity=granularity, now=MONDAY)
        assert set(shallow.nodes) == set(deep.nodes)
        assert set(shallow.edges) == set(deep.edges)


def test_hidden_neighbours_are_counted_not_silent(shop: Scene) -> None:
    graph = lineage("db/raw", shop.store, direction=DOWN, depth=3)
    by_name = {node.name: node for node in graph.nodes}
    report = by_name["report"]
    assert (report.upstream_count, report.downstream_count) == (2, 1)
    assert (report.hidden_upstream, report.hidden_downstream) == (1, 1)
    assert (by_name["orders"].upstream_count, by_name["orders"].hidden_downstream) == (1, 0)
    assert set(graph.frontier) == {report.id, by_name["archive"].id}


def test_a_job_that_tells_its_flows_apart_does_not_mix_them(scene: Scene) -> None:
    scene.step("split", ["a"], ["c"], evidence="EXPLICIT")
    scene.step("split", ["b"], ["d"], evidence="EXPLICIT")
    scene.save()
    graph = lineage("db/a", scene.store, direction=DOWN, depth=9)
    assert nodes(graph) == {"a", "split", "c"}
    assert nodes(lineage("db/d", scene.store, direction=UP, depth=9)) == {"d", "split", "b"}
    assert nodes(lineage("jobs/split", scene.store, depth=9)) == {"a", "b", "c", "d", "split"}


def test_a_job_shown_by_one_of_its_steps_counts_the_neighbours_of_all(scene: Scene) -> None:
    scene.step("split", ["a"], ["c"], evidence="EXPLICIT")
    scene.step("split", ["b"], ["d"], evidence="EXPLICIT")
    scene.save()
    split = next(n for n in lineage("db/a", scene.store, depth=9).nodes if n.name == "split")
    assert (split.upstream_count, split.hidden_upstream, split.hidden_downstream) == (2, 1, 1)


def test_a_cycle_ends_and_each_edge_is_there_once(scene: Scene) -> None:
    scene.step("there", ["a"], ["b"])
    scene.step("back", ["b"], ["a"])
    scene.step("merge", ["a"], ["a"])
    scene.save()
    for depth in (5, 30):
        graph = lineage("db/a", scene.store, depth=depth)
        assert len(graph.nodes) == 5
        assert len(graph.edges) == 6
        assert edges(graph) >= {"a READS merge", "merge WRITES a", "b READS back", "back WRITES a"}
    graph = lineage("db/a", scene.store, depth=30, granularity=Granularity.DATASET)
    assert edges(graph) == {"a DERIVES a", "a DERIVES b", "b DERIVES a"}
    assert len(graph.edges) == 3


def test_a_step_without_a_job_is_one_hop_from_table_to_table(scene: Scene) -> None:
    scene.step("", ["a"], ["b"], evidence="MANUAL")
    scene.step("copy", ["b"], ["c"])
    scene.save()
    graph = lineage("db/a", scene.store, direction=DOWN, depth=1)
    assert depths(graph) == {"a": 0, "b": 1}
    assert edges(graph) == {"a DERIVES b"}
    assert graph.edges[0].evidence is EvidenceKind.MANUAL
    assert depths(lineage("db/c", scene.store, direction=UP, depth=3)) == {"c": 0, "copy": 1, "b": 2, "a": 3}


def test_a_walk_goes_through_the_stage_of_a_model_to_the_table_it_scores(scene: Scene) -> None:
    version = scene.version("churn", 3, stage="Production")
    scene.version("churn", 4)
    scene.step("train", ["features"], [version])
    scene.step("score", ["customers", scene.stage("churn", "Production")], ["scores"])
    scene.save()
    graph = lineage("db/features", scene.store, direction=DOWN, depth=4)
    assert edges(graph) == {
        "features READS train",
        "train TRAINS churn v3",
        "churn v3 READS score",
        "churn v3 REGISTERS churn",
        "score WRITES scores",
    }
    assert depths(graph)["scores"] == 4
    back = lineage("db/scores", scene.store, direction=UP, depth=9)
    assert nodes(back) == {"scores", "score", "customers", "churn v3", "train", "features"}
    folded = lineage("db/features", scene.store, direction=DOWN, depth=4, granularity=Granularity.DATASET)
    assert edges(folded) == {
        "features TRAINS churn v3",
        "churn v3 DERIVES scores",
        "churn v3 REGISTERS churn",
    }


def test_a_model_is_made_of_its_versions(scene: Scene) -> None:
    first, second = scene.version("churn", 1), scene.version("churn", 2, stage="Staging")
    scene.step("train", ["features"], [first])
    scene.step("retrain", ["features"], [second])
    scene.step("score", [scene.model("churn")], ["scores"])
    scene.save()
    graph = lineage("models:/churn", scene.store, depth=5)
    assert edges(graph) == {
        "features READS train",
        "features READS retrain",
        "train TRAINS churn v1",
        "retrain TRAINS churn v2",
        "churn v1 REGISTERS churn",
        "churn v2 REGISTERS churn",
        "churn READS score",
        "score WRITES scores",
    }
    assert next(node.stage for node in graph.nodes if node.name == "churn v2") == "Staging"


def test_the_flow_of_then_is_not_the_flow_of_now(scene: Scene) -> None:
    scene.step("load", ["old"], ["t"], since=MONDAY, until=MONDAY + 3 * DAY)
    scene.step("load", ["new"], ["t"], since=MONDAY + 3 * DAY)
    scene.save()
    ask = {"direction": UP, "depth": 5}
    assert nodes(lineage("db/t", scene.store, **ask)) == {"t", "load", "new"}  # type: ignore[arg-type]
    for moment, source in ((MONDAY, "old"), (MONDAY + 3 * DAY - 1, "old"), (MONDAY + 3 * DAY, "new")):
        for depth in (5, 12):
            graph = lineage("db/t", scene.store, direction=UP, depth=depth, as_of=moment)
            assert nodes(graph) == {"t", "load", source}
            assert graph.as_of == moment
    assert nodes(lineage("db/t", scene.store, as_of=MONDAY - 1)) == {"t"}


def test_a_stage_holds_who_stood_in_it_then(scene: Scene) -> None:
    first, second = scene.version("churn", 1), scene.version("churn", 2)
    stage = scene.stage("churn", "Production")
    scene.stands(first, stage, since=MONDAY, until=MONDAY + DAY)
    scene.stands(second, stage, since=MONDAY + DAY)
    scene.step("score", [stage], ["scores"])
    scene.save()
    assert nodes(lineage("db/scores", scene.store, direction=UP)) == {"scores", "score", "churn v2"}
    before = lineage("db/scores", scene.store, direction=UP, as_of=MONDAY + 1)
    assert nodes(before) == {"scores", "score", "churn v1"}
    assert next(node.stage for node in before.nodes if node.name == "churn v1") == "Production"


def test_two_names_of_a_table_are_shown_as_one(scene: Scene) -> None:
    scene.step("load", ["src"], ["s3-name"])
    scene.step("use", ["table"], ["out"])
    scene.dataset("s3-name", mark="h", primary=None)
    scene.same("s3-name", "table")
    scene.save()
    graph = lineage("db/src", scene.store, direction=DOWN, depth=4)
    assert depths(graph) == {"src": 0, "load": 1, "table": 2, "use": 3, "out": 4}
    assert edges(graph) == {"src READS load", "load WRITES table", "table READS use", "use WRITES out"}
    table = next(node for node in graph.nodes if node.name == "table")
    assert (table.upstream_count, table.downstream_count, table.hidden_upstream) == (1, 1, 0)
    assert nodes(lineage("db/s3-name", scene.store, depth=9)) == nodes(
        lineage("db/table", scene.store, depth=9)
    )


def test_a_chain_of_names_prefers_the_one_with_flow(scene: Scene) -> None:
    scene.same("a1", "b2")
    scene.same("b2", "c3")
    scene.step("use", ["c3"], ["out"])
    scene.save()
    assert nodes(lineage("db/out", scene.store, direction=UP)) == {"out", "use", "c3"}


def test_the_nearest_come_first_when_there_is_not_room_for_all(scene: Scene) -> None:
    for i in range(30):
        scene.step(f"job{i:02d}", ["hub"], [f"out{i:02d}"])
    scene.save()
    graph = lineage("db/hub", scene.store, depth=2, max_nodes=11)
    assert (len(graph.nodes), graph.truncated, graph.truncated_reason) == (11, True, "MAX_NODES")
    assert max(node.depth for node in graph.nodes) == 1
    assert (graph.total_nodes, graph.total_edges) == (61, 60)
    hub = graph.nodes[0]
    assert (hub.downstream_count, hub.hidden_downstream) == (30, 20)
    assert not lineage("db/hub", scene.store, depth=2, max_nodes=61).truncated


def test_past_its_deadline_an_answer_is_what_was_found(shop: Scene) -> None:
    graph = lineage("db/raw", shop.store, depth=20, deadline=time.monotonic() - 1)
    assert nodes(graph) == {"raw"}
    assert (graph.truncated, graph.truncated_reason) == (True, "DEADLINE")


def test_depth_nought_is_the_thing_alone(shop: Scene) -> None:
    graph = lineage("db/orders", shop.store, depth=0)
    assert nodes(graph) == {"orders"}
    assert graph.frontier == (graph.root,)
    assert not graph.truncated


def test_archived_things_are_left_out_unless_asked_for(shop: Scene) -> None:
    shop.dataset("cold", mark="h", archived=True)
    shop.save()
    assert "cold" not in nodes(lineage("db/raw", shop.store, depth=9))
    everything = LineageFilter(include_archived=True)
    graph = lineage("db/raw", shop.store, depth=9, only=everything)
    assert {node.name for node in graph.nodes if node.archived} == {"cold"}
    assert nodes(lineage("db/cold", shop.store, direction=UP, depth=2)) == {"cold", "archive", "orders"}


def test_a_walk_stops_where_it_is_told(shop: Scene) -> None:
    graph = lineage("db/raw", shop.store, depth=9, only=LineageFilter(stop_at=("db/orders",)))
    assert nodes(graph) == {"raw", "clean", "orders"}
    assert "archive" in nodes(
        graph := lineage("db/raw", shop.store, depth=9, only=LineageFilter(stop_at=("jobs/report",)))
    )
    assert "report" in nodes(graph)
    assert "revenue" not in nodes(graph)


def test_filters_keep_the_jobs_between_what_they_keep(shop: Scene) -> None:
    shop.step("ship", ["orders"], [shop.dataset("lake", ns="s3://lake")])
    shop.dataset("orders", tags=["pii", "team=ads"], owners=["ann"])
    shop.save()

    def ask(only: LineageFilter) -> set[str]:
        return nodes(lineage("db/raw", shop.store, depth=9, only=only))

    assert "lake" not in ask(LineageFilter(namespaces=("db",)))
    assert ask(LineageFilter(platforms=("s3",))) == {"raw", "clean", "ship", "lake"}
    assert ask(LineageFilter(tags=("team",))) >= {"raw", "clean", "orders"}
    assert "revenue" not in ask(LineageFilter(owners=("Ann",)))
    only_tables = LineageFilter(kinds=(EntityKind.DATASET,))
    assert ask(only_tables) == {"raw", "orders", "revenue", "cold", "lake"}


def test_a_parent_without_data_shows_what_its_children_do(scene: Scene) -> None:
    dag = scene.job("dag")
    task = scene.job("dag.task", parent=dag)
    scene.edges.append(Edge(task, EdgeKind.CHILD_OF, dag))
    scene.step("dag.task", ["a"], ["b"])
    noise = scene.job("dag.task.query", parent=task)
    scene.edges.append(Edge(noise, EdgeKind.CHILD_OF, task))
    scene.save()
    graph = lineage("jobs/dag", scene.store, depth=3)
    assert nodes(graph) == {"dag", "dag.task", "a", "b"}
    assert edges(graph) == {"dag PARENT dag.task", "a READS dag.task", "dag.task WRITES b"}
    assert "dag.task.query" not in nodes(lineage("db/a", scene.store, depth=5))


def test_a_run_shows_what_it_read_and_wrote_itself(scene: Scene) -> None:
    scene.step("load", ["monday", "tuesday"], ["t"])
    scene.step("use", ["t"], ["out"])
    run = scene.run("r-1", "load")
    scene.read(run, scene.dataset("monday"))
    scene.wrote(run, scene.dataset_version("t", "v1"))
    scene.save()
    graph = lineage("runs:/r-1", scene.store, depth=3)
    assert edges(graph) == {"monday READS r-1", "r-1 WRITES t", "t READS use", "use WRITES out"}
    other = scene.run("r-2", "load")
    scene.save()
    assert other
    graph = lineage("runs:/r-2", scene.store, depth=1)
    assert edges(graph) == {"monday READS r-2", "tuesday READS r-2", "r-2 WRITES t"}


def test_a_job_that_takes_another_job_as_its_input_hangs_on_it(scene: Scene) -> None:
    scene.step("first", ["a"], ["b"])
    scene.step("second", [scene.job("first")], ["c"])
    scene.save()
    for depth in (4, 12):
        graph = lineage("db/a", scene.store, direction=DOWN, depth=depth)
        assert edges(graph) >= {"first READS second", "second WRITES c"}
        back = lineage("db/c", scene.store, direction=UP, depth=depth)
        assert nodes(back) == {"c", "second", "first", "a"}


def test_the_strongest_evidence_gives_the_confidence(scene: Scene) -> None:
    scene.step("j", ["a"], ["b"], evidence="CARTESIAN")
    scene.step("j", ["a"], ["b"], evidence="EXPLICIT")
    scene.step("k", ["a"], ["c"], evidence="SQL", since=MONDAY + DAY)
    scene.save()
    graph = lineage("db/a", scene.store, direction=DOWN, depth=1, granularity=Granularity.DATASET)
    found = {edge.evidence: edge for edge in graph.edges}
    assert found[EvidenceKind.EXPLICIT].confidence == 1.0
    assert found[EvidenceKind.EXPLICIT].count == 2
    assert (found[EvidenceKind.SQL].confidence, found[EvidenceKind.SQL].origin) == (0.9, "SQL_PARSED")
    assert found[EvidenceKind.SQL].first_seen == MONDAY + DAY


def test_a_job_shows_the_state_of_its_newest_run(shop: Scene) -> None:
    shop.run("r1", "clean", begin=MONDAY)
    shop.run("r2", "clean", begin=MONDAY + DAY, state="FAIL", mark="F")
    shop.save()
    graph = lineage("db/raw", shop.store, depth=1)
    assert {n.name: n.status for n in graph.nodes} == {"raw": None, "clean": "FAIL"}
    assert graph.edges[0].last_seen == MONDAY + DAY
    then = lineage("db/raw", shop.store, depth=1, as_of=MONDAY)
    assert {n.name: n.status for n in then.nodes} == {"raw": None, "clean": "COMPLETE"}
    late = LineageFilter(seen_after=MONDAY + DAY)
    assert nodes(lineage("db/raw", shop.store, depth=9, only=late)) >= {"raw", "clean"}
    never = LineageFilter(seen_after=MONDAY + 2 * DAY)
    assert nodes(lineage("db/raw", shop.store, depth=1, only=never)) == {"raw"}


def test_a_table_dropped_between_two_jobs_does_not_cut_their_flow(scene: Scene) -> None:
    scene.step("make", ["a"], ["tmp"])
    scene.step("use", ["tmp"], ["b"], evidence="EXPLICIT")
    scene.dataset("tmp", mark="h", lifecycle="DROP")
    scene.save()
    graph = lineage("db/a", scene.store, direction=DOWN, depth=9)
    assert edges(graph) == {"a READS make", "make DERIVES use", "use WRITES b"}
    assert {edge.origin for edge in graph.edges if edge.kind == "DERIVES"} == {"INFERRED"}
    tables = lineage("db/a", scene.store, depth=9, granularity=Granularity.DATASET)
    assert edges(tables) == {"a DERIVES b"}
    assert tables.edges[0].confidence == 0.6
    then = lineage("db/a", scene.store, depth=9, granularity=Granularity.DATASET, as_of=MONDAY)
    assert edges(then) == {"a DERIVES tmp", "tmp DERIVES b"}

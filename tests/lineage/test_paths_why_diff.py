from headwater_server.lineage import (
    EvidenceKind,
    Granularity,
    LineageDirection,
    lineage_diff,
    paths,
    resolve,
    why,
)
from tests.lineage.scene import DAY, MONDAY, Scene
from tests.lineage.seen import nodes


def test_paths_come_shortest_first_and_never_twice(scene: Scene) -> None:
    scene.step("j", ["a"], ["b"])
    scene.step("k", ["b"], ["d"])
    scene.step("l", ["a"], ["d"])
    scene.step("back", ["d"], ["a"])
    scene.save()
    found = paths("db/a", scene.store, to="db/d")
    assert [path.text for path in found] == ["a → l → d", "a → j → b → k → d"]
    assert [path.length for path in found] == [2, 4]
    assert [p.text for p in paths("db/a", scene.store, to="db/d", granularity=Granularity.DATASET)] == [
        "a → d",
        "a → b → d",
    ]
    assert [path.text for path in paths("db/a", scene.store, to="db/d", limit=1)] == ["a → l → d"]
    assert paths("db/b", scene.store, to="db/a")[0].length == 4


def test_nothing_flows_against_the_stream(scene: Scene) -> None:
    scene.step("j", ["a"], ["b"])
    scene.save()
    assert paths("db/b", scene.store, to="db/a") == ()


def test_paths_of_columns_go_on_as_tables_where_nobody_told_columns_apart(scene: Scene) -> None:
    scene.step("j", columns=[("a.x", "b.y")], evidence="COLUMN")
    scene.step("k", ["b"], ["c"])
    scene.save()
    (path,) = paths("db/a#x", scene.store, to="db/c", granularity=Granularity.COLUMN)
    assert path.text == "a.x → b.y → b → c"
    assert path.length == 2


def test_why_tells_every_reason_oldest_first(scene: Scene) -> None:
    first = scene.run("r1", "j", begin=MONDAY, mark="T", producer="airflow")
    scene.run("r2", "j", begin=MONDAY + DAY)
    third = scene.run("r3", "j", begin=MONDAY + 3 * DAY, mark="T", producer="spark")
    newest = scene.run("r4", "j", begin=MONDAY + 4 * DAY)
    scene.step("j", ["a"], ["b"], since=MONDAY, until=MONDAY + 2 * DAY, run=first)
    scene.step("j", ["a"], ["b"], since=MONDAY + 3 * DAY, run=third, evidence="EXPLICIT")
    scene.save()
    records = {first: (3, 5), third: (9, 12), newest: (20, 21)}
    told = why(
        "db/a", scene.store, to="db/b", run_records=lambda runs: {r: records[r] for r in runs if r in records}
    )
    assert [(e.kind, e.current, e.run_id, e.producer) for e in told] == [
        (EvidenceKind.CARTESIAN, False, "r1", "airflow"),
        (EvidenceKind.EXPLICIT, True, "r3", "spark"),
    ]
    assert [(e.first_seen, e.last_seen) for e in told] == [
        (MONDAY, MONDAY + DAY),
        (MONDAY + 3 * DAY, MONDAY + 4 * DAY),
    ]
    assert [(e.first_seq, e.last_seq) for e in told] == [(3, 5), (9, 21)]
    assert len(why("db/a", scene.store, to="jobs/j")) == 2
    assert len(why("jobs/j", scene.store, to="db/b")) == 2
    assert why("db/b", scene.store, to="db/a") == ()


def test_why_of_columns_symlinks_and_models(scene: Scene) -> None:
    scene.step("j", columns=[("a.x", "b.y")], evidence="COLUMN", subtype="IDENTITY")
    version = scene.version("churn", 1, stage="Production")
    scene.step("train", ["b"], [version])
    scene.step("score", [scene.stage("churn", "Production")], ["scores"])
    scene.same("b", "b2")
    scene.save()
    (told,) = why("db/a#x", scene.store, to="db/b#y")
    assert (told.kind, told.note, told.current) == (EvidenceKind.COLUMN, "IDENTITY", True)
    assert len(why("db/b", scene.store, to="models:/churn/1")) == 1
    assert len(why("models:/churn/1", scene.store, to="jobs/score")) == 1
    assert {e.kind for e in why("db/b", scene.store, to="db/b2")} == {EvidenceKind.SYMLINK}


def test_a_diff_tells_what_came_and_what_went(scene: Scene) -> None:
    scene.step("j", ["old"], ["t"], since=MONDAY, until=MONDAY + DAY)
    scene.step("j", ["new"], ["t"], since=MONDAY + DAY)
    scene.save()
    diff = lineage_diff("db/t", scene.store, since=MONDAY, direction=LineageDirection.UPSTREAM)
    assert nodes(diff.graph) == {"t", "j", "new"}
    name = {node.id: node.name for node in diff.graph.nodes}
    assert [name[one] for one in diff.added_nodes] == ["new"]
    assert len(diff.removed_nodes) == 1
    assert [name[diff.graph.edges[n].source] for n in diff.added_edges] == ["new"]
    assert [edge.source for edge in diff.removed_edges] == list(diff.removed_nodes)
    assert resolve(diff.removed_nodes[0], scene.store).sort == "old"
    same = lineage_diff("db/t", scene.store, since=MONDAY + DAY)
    assert [same.added_nodes, same.removed_nodes, same.added_edges, same.removed_edges] == [()] * 4

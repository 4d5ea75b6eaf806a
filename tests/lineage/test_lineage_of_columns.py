import pytest

from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage import (
    Granularity,
    LineageDirection,
    LineageFilter,
    TransformationType,
    lineage,
)
from tests.lineage.scene import DAY, MONDAY, Scene
from tests.lineage.seen import edges, nodes

UP, DOWN = LineageDirection.UPSTREAM, LineageDirection.DOWNSTREAM
COLUMN = Granularity.COLUMN


@pytest.fixture
def shop(scene: Scene) -> Scene:
    scene.step(
        "clean",
        columns=[("raw.price", "orders.amount"), ("raw.who", "orders.who")],
        affects=[("raw.valid", "orders.*")],
        outs=["orders"],
        evidence="COLUMN",
    )
    scene.step("report", columns=[("orders.amount", "revenue.sum")], outs=["revenue"], evidence="COLUMN")
    scene.step("copy", ["orders"], ["cold"])
    scene.step("tell", ["cold"], ["mail"])
    scene.save()
    return scene


def test_a_column_is_followed_where_columns_are_told_apart(shop: Scene) -> None:
    graph = lineage("db/raw#price", shop.store, direction=DOWN, depth=9, granularity=COLUMN)
    assert edges(graph) == {
        "raw#price DERIVES orders#amount",
        "orders#amount DERIVES revenue#sum",
        "orders DERIVES cold",
        "cold DERIVES mail",
    }
    assert nodes(graph) == {"raw", "price", "orders", "amount", "revenue", "sum", "cold", "mail"}
    ids = {node.key: node for node in graph.nodes}
    assert all(node.parent_id in {n.id for n in graph.nodes} for node in graph.nodes if node.kind == "COLUMN")
    direct = [edge for edge in graph.edges if edge.transformation is TransformationType.DIRECT]
    assert len(direct) == 2
    assert {edge.via for edge in direct} == {
        lineage(f"jobs/{job}", shop.store).root for job in ("clean", "report")
    }
    assert len(ids) == len(graph.nodes)


def test_a_column_that_only_filters_reaches_the_whole_table(shop: Scene) -> None:
    graph = lineage("db/raw#valid", shop.store, direction=DOWN, depth=9, granularity=COLUMN)
    assert edges(graph) == {
        "raw#valid DERIVES orders",
        "orders DERIVES revenue",
        "orders DERIVES cold",
        "cold DERIVES mail",
    }
    first = next(edge for edge in graph.edges if edge.source == graph.root)
    assert first.transformation is TransformationType.INDIRECT


def test_upstream_of_a_column_is_the_mirror_image(shop: Scene) -> None:
    graph = lineage("db/revenue#sum", shop.store, direction=UP, depth=9, granularity=COLUMN)
    assert edges(graph) == {
        "orders#amount DERIVES revenue#sum",
        "raw#price DERIVES orders#amount",
        "raw#valid DERIVES orders",
    }
    whole = lineage("db/mail", shop.store, direction=UP, depth=9, granularity=COLUMN)
    assert {"cold DERIVES mail", "orders DERIVES cold"} <= edges(whole)


def test_a_filter_by_transformation_leaves_the_others_out(shop: Scene) -> None:
    only = LineageFilter(transformation=TransformationType.DIRECT)
    graph = lineage("db/raw", shop.store, direction=DOWN, depth=9, granularity=COLUMN, only=only)
    assert edges(graph) == {
        "raw#price DERIVES orders#amount",
        "raw#who DERIVES orders#who",
        "orders#amount DERIVES revenue#sum",
    }


def test_named_columns_narrow_what_tables_are_reached(shop: Scene) -> None:
    only = LineageFilter(columns=("who",))
    graph = lineage("db/raw", shop.store, direction=DOWN, depth=9, only=only)
    assert nodes(graph) == {"raw", "clean", "orders", "copy", "cold", "tell", "mail"}


def test_a_column_ends_in_the_model_that_it_is_a_feature_of(scene: Scene) -> None:
    scene.step("make", columns=[("raw.a", "features.x"), ("raw.b", "features.y")], evidence="COLUMN")
    version = scene.version("churn", 1, stage="Production")
    step = scene.step("train", [scene.dataset("features")], [version], evidence="EXPLICIT")
    scene.edges = [edge for edge in scene.edges if edge.kind is not EdgeKind.FEEDS_WHOLE]
    scene.edges.append(Edge(scene.column("features.x"), EdgeKind.FEATURE_OF, version, step))
    scene.step("score", [scene.stage("churn", "Production")], ["scores"])
    scene.save()
    graph = lineage("db/raw#a", scene.store, direction=DOWN, depth=9, granularity=COLUMN)
    assert edges(graph) == {
        "raw#a DERIVES features#x",
        "features#x TRAINS churn v1",
        "churn v1 REGISTERS churn",
        "churn v1 DERIVES scores",
    }
    assert "churn v1" not in nodes(lineage("db/raw#b", scene.store, depth=9, granularity=COLUMN))
    back = lineage("models:/churn/1", scene.store, direction=UP, depth=9, granularity=COLUMN)
    assert edges(back) == {"features#x TRAINS churn v1", "raw#a DERIVES features#x"}
    assert "raw" in nodes(lineage("db/scores", scene.store, direction=UP, depth=9, granularity=COLUMN))


def test_columns_of_then_are_not_columns_of_now(scene: Scene) -> None:
    scene.step("j", columns=[("a.old", "b.x")], evidence="COLUMN", since=MONDAY, until=MONDAY + DAY)
    scene.step("j", columns=[("a.new", "b.x")], evidence="COLUMN", since=MONDAY + DAY)
    scene.save()
    for at, column in ((None, "new"), (MONDAY, "old"), (MONDAY + DAY, "new")):
        graph = lineage("db/b#x", scene.store, direction=UP, granularity=COLUMN, as_of=at)
        assert edges(graph) == {f"a#{column} DERIVES b#x"}


def test_a_column_is_one_under_both_names_of_its_table(scene: Scene) -> None:
    scene.step("w", columns=[("src.a", "one.c")], evidence="COLUMN")
    scene.step("r", columns=[("two.c", "out.z")], evidence="COLUMN")
    scene.dataset("one", mark="h")
    scene.same("one", "two")
    scene.save()
    graph = lineage("db/src#a", scene.store, direction=DOWN, depth=9, granularity=COLUMN)
    assert edges(graph) == {"src#a DERIVES two#c", "two#c DERIVES out#z"}


def test_a_masked_column_says_so(scene: Scene) -> None:
    scene.step("m", columns=[("a.ssn", "b.ssn")], evidence="COLUMN", masking=True, subtype="TRANSFORMATION")
    scene.save()
    (edge,) = lineage("db/a#ssn", scene.store, granularity=COLUMN).edges
    assert (edge.masking, edge.subtype) == (True, "TRANSFORMATION")

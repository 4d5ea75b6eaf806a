"""What `GraphStore` promises of `expand` and `reach`, on every store."""

from collections.abc import Callable

import pytest

from headwater_server.graph.changes import Changeset, Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store import walk
from headwater_server.store.port import Direction, GraphStore

Apply = Callable[[Changeset], None]
DOWN, UP = Direction.DOWNSTREAM, Direction.UPSTREAM
IN, OUT, WAS = EdgeKind.INPUT_OF, EdgeKind.OUTPUTS, EdgeKind.WAS_INPUT_OF


def graph(*edges: Edge) -> Changeset:
    ends = {end for edge in edges for end in (edge.source, edge.target)}
    return Changeset(nodes=tuple(Node(end, Kind.DATASET) for end in sorted(ends)), edges=edges)


def test_one_level_is_the_edges_that_leave_or_enter(store: GraphStore, apply: Apply) -> None:
    a, b, c = Edge("a", IN, "b"), Edge("b", OUT, "c"), Edge("b", OUT, "c", "2", 1, 2, {"run": "r"})
    loop = Edge("b", IN, "b")
    apply(graph(a, b, c, loop))

    def seen(keys: list[str], direction: Direction, *kinds: EdgeKind) -> set[str]:
        found = store.expand(keys, direction, kinds)
        assert len({edge.key for edge in found}) == len(found)
        return {f"{edge.source}{edge.target}{edge.tag}" for edge in found}

    assert seen(["b"], DOWN, OUT) == {"bc", "bc2"}
    assert seen(["b"], DOWN, OUT, IN) == {"bc", "bc2", "bb"}
    assert seen(["b"], UP, OUT, IN) == {"ab", "bb"}
    assert seen(["a", "b", "b", "none"], DOWN, IN) == {"ab", "bb"}
    assert seen(["a"], UP, OUT, IN) == set()
    assert seen([], DOWN, OUT) == set()
    assert seen(["b"], DOWN) == set()
    assert c in store.expand(["c"], UP, [OUT])


@pytest.mark.parametrize(
    ("at", "held"),
    [(9, "always until"), (10, "always until since both"), (19, "always until since both"), (20, "always since"), (-1, "always until")],
)  # fmt: skip
def test_as_of_a_moment_only_what_held_then_is_seen(
    store: GraphStore, apply: Apply, at: int, held: str
) -> None:
    apply(
        graph(
            Edge("a", IN, "always"),
            Edge("a", IN, "since", since=10),
            Edge("a", WAS, "until", until=20),
            Edge("a", WAS, "both", since=10, until=20),
        )
    )
    assert {edge.target for edge in store.expand(["a"], DOWN, [IN, WAS], at=at)} == set(held.split())
    assert store.reach(["a"], DOWN, [IN, WAS], at=at, max_depth=3, limit=9) == dict.fromkeys(held.split(), 1)
    assert len(store.expand(["a"], DOWN, [IN, WAS])) == 4


def test_with_a_limit_edges_come_in_order_and_are_cut(store: GraphStore, apply: Apply) -> None:
    edges = [
        Edge(source, kind, target, tag, since)
        for source in "ab"
        for kind in (WAS, OUT, IN)
        for target in ("z", "y", "x")
        for tag, since in (("", None), ("2", 5), ("10", 1))
    ]
    apply(graph(*edges))
    ordered = sorted(edges, key=lambda edge: (edge.source, edge.kind, edge.target, edge.tag))
    for limit in (1, 7, 53, 54, 1000):
        assert store.expand(["b", "a"], DOWN, [OUT, IN, WAS], limit=limit) == ordered[:limit]
        assert store.expand(["z", "x", "y"], UP, [OUT, IN, WAS], limit=limit) == ordered[:limit]
    held = [edge for edge in ordered if edge.since is None or edge.since <= 2]
    assert store.expand(["b", "a"], DOWN, [OUT, IN, WAS], at=2, limit=9) == held[:9]
    assert store.expand(["a"], DOWN, [OUT], limit=0) == []


def test_reach_gives_the_fewest_edges_to_each(store: GraphStore, apply: Apply) -> None:
    apply(
        graph(
            Edge("a", IN, "b"),
            Edge("b", OUT, "c"),
            Edge("c", IN, "d"),
            Edge("a", IN, "c"),
            Edge("x", IN, "b"),
        )
    )
    assert store.reach(["a"], DOWN, [IN, OUT], max_depth=9, limit=99) == {"b": 1, "c": 1, "d": 2}
    assert store.reach(["d"], UP, [IN, OUT], max_depth=9, limit=99) == {"c": 1, "a": 2, "b": 2, "x": 3}
    assert store.reach(["a"], DOWN, [OUT], max_depth=9, limit=99) == {}
    assert store.reach(["a"], DOWN, [IN, OUT], max_depth=1, limit=99) == {"b": 1, "c": 1}
    assert store.reach(["a"], DOWN, [IN, OUT], max_depth=0, limit=99) == {}
    assert store.reach(["a"], DOWN, [], max_depth=9, limit=99) == {}
    assert store.reach([], DOWN, [IN], max_depth=9, limit=99) == {}
    assert store.reach(["none"], DOWN, [IN], max_depth=9, limit=99) == {}
    assert store.reach(["x", "c"], DOWN, [IN, OUT], max_depth=9, limit=99) == {"b": 1, "c": 2, "d": 1}


def test_a_start_is_reached_only_by_a_way_back(store: GraphStore, apply: Apply) -> None:
    apply(graph(Edge("a", IN, "b"), Edge("b", IN, "a"), Edge("c", IN, "c"), Edge("d", IN, "e")))
    assert store.reach(["a"], DOWN, [IN], max_depth=9, limit=99) == {"b": 1, "a": 2}
    assert store.reach(["a"], DOWN, [IN], max_depth=1, limit=99) == {"b": 1}
    assert store.reach(["c"], UP, [IN], max_depth=9, limit=99) == {"c": 1}
    assert store.reach(["d"], DOWN, [IN], max_depth=9, limit=99) == {"e": 1}
    assert store.reach(["d", "e"], DOWN, [IN], max_depth=9, limit=99) == {"e": 1}


def test_with_a_limit_the_nearest_are_reached(store: GraphStore, apply: Apply) -> None:
    apply(
        graph(*[Edge(f"{d}", IN, f"{d + 1}") for d in range(30)], *[Edge("0", IN, f"n{i}") for i in range(5)])
    )
    assert store.reach(["0"], DOWN, [IN], max_depth=99, limit=10) == {
        **{f"n{i}": 1 for i in range(5)},
        **{f"{d}": d for d in range(1, 6)},
    }
    some = store.reach(["0"], DOWN, [IN], max_depth=99, limit=3)
    assert list(some.values()) == [1, 1, 1]
    assert store.reach(["0"], DOWN, [IN], max_depth=99, limit=0) == {}


def test_reach_goes_deeper_than_any_planned_bound(store: GraphStore, apply: Apply) -> None:
    apply(graph(*[Edge(f"{d:03}", IN, f"{d + 1:03}") for d in range(150)]))
    for depth in (1, 2, 3, 5, 17, 64, 65, 100, 150, 1000):
        found = store.reach(["000"], DOWN, [IN], max_depth=depth, limit=999)
        assert found == {f"{d:03}": d for d in range(1, min(depth, 150) + 1)}


def test_many_starts_are_one_walk(store: GraphStore, apply: Apply) -> None:
    edges = [Edge(f"s{i}", IN, f"s{i + 1}") for i in range(120)]
    apply(graph(*edges))
    starts = [f"s{i}" for i in range(0, 120, 2)]
    for some in (starts[:3], starts):
        expected = walk.reach(store.expand, some, DOWN, [IN], max_depth=9, limit=999)
        assert store.reach(some, DOWN, [IN], max_depth=9, limit=999) == expected


def test_a_dense_graph_of_many_paths_is_walked_in_the_time_of_its_edges(
    store: GraphStore, apply: Apply
) -> None:
    layers = 30  # 4 to the 30th paths
    edges = [Edge(f"{d}.{i}", IN, f"{d + 1}.{j}") for d in range(layers) for i in range(4) for j in range(4)]
    apply(graph(*edges))
    found = store.reach(["0.0"], DOWN, [IN, OUT], max_depth=99, limit=9999)
    assert found == {f"{d}.{i}": d for d in range(1, layers + 1) for i in range(4)}
    assert store.reach(["0.0"], DOWN, [IN, OUT], at=5, max_depth=99, limit=9999) == found
    assert store.reach([f"{layers}.0"], UP, [IN], max_depth=2, limit=9999) == {
        f"{layers - d}.{i}": d for d in (1, 2) for i in range(4)
    }

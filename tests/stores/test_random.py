"""Random changes: both stores end alike, and each reaches what the shared walk reaches."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater_server.graph.changes import Changeset, Edge, EdgeKey, Node, Value
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store import walk
from headwater_server.store.checks import BadChange
from headwater_server.store.neo4j import Neo4jStore
from headwater_server.store.port import Applied, Direction, GraphStore
from headwater_server.store.sqlite import SqliteStore

FEW = settings(
    phases=[Phase.explicit, Phase.generate],
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MORE = settings(FEW, max_examples=150)
FLOW = (EdgeKind.INPUT_OF, EdgeKind.OUTPUTS, EdgeKind.WAS_INPUT_OF)

_kinds = (Kind.DATASET, Kind.STEP, Kind.RUN)
_keys = st.sampled_from([f"{kind.value.lower()}|{i}" for kind in _kinds for i in range(4)])
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
_values: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    _text,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(_text, max_size=3),
)


def _kind(key: str) -> Kind:
    return next(kind for kind in _kinds if key.startswith(kind.value.lower()))


_nodes = st.builds(
    lambda key, group, mark, sort, words, value: Node(
        key, _kind(key), group, mark, sort, words, {"producer" if key[0] in "sr" else "name": value}
    ),
    _keys,
    _text,
    st.sampled_from(["", "h", "C"]),
    _text,
    st.sampled_from(["", "a b", "orders shop"]),
    _values,
)
_ends = (_keys, st.sampled_from([*FLOW, EdgeKind.STEP_OF]), _keys, st.sampled_from(["", "t", "u"]))
_moments = st.one_of(st.none(), st.integers(0, 6))
_edges = st.builds(
    Edge, *_ends, _moments, _moments, st.dictionaries(st.sampled_from(["run", "subtype"]), _values)
)
_changes = st.builds(
    Changeset,
    st.lists(_nodes, max_size=6).map(tuple),
    st.dictionaries(_keys, st.binary(max_size=4), max_size=2),
    st.lists(_edges, max_size=8).map(tuple),
    st.lists(st.builds(EdgeKey, *_ends), max_size=4).map(tuple),
    st.lists(_keys, max_size=4).map(tuple),
)


def contents(store: GraphStore) -> tuple[object, ...]:
    nodes = {node.key: node for node in store.all_nodes()}
    edges = {edge.key: edge for edge in store.all_edges()}
    assert store.sizes() == {"nodes": len(nodes), "edges": len(edges)}
    return nodes, edges, store.states(nodes), store.applied()


def outcome(store: GraphStore, changes: Changeset, seq: int) -> str:
    try:
        store.apply(changes, upto=Applied(seq, "log"))
    except BadChange:
        return "refused"
    return "applied"


@pytest.mark.neo4j
@FEW
@given(history=st.lists(_changes, min_size=1, max_size=5))
def test_the_same_changes_make_the_same_graph_in_both_stores(
    neo4j_store: Neo4jStore, history: list[Changeset]
) -> None:
    neo4j_store.reset()
    every_node = Changeset(nodes=tuple(Node(f"{k.value.lower()}|{i}", k) for k in _kinds for i in range(4)))
    with TemporaryDirectory() as folder:
        sqlite_store = SqliteStore(Path(folder) / "graph.db")
        for seq, changes in enumerate([every_node, *history], start=1):
            both = {outcome(store, changes, seq) for store in (sqlite_store, neo4j_store)}
            assert len(both) == 1
            assert contents(sqlite_store) == contents(neo4j_store)
        sqlite_store.close()


_walk_keys = [f"dataset|{i}" for i in range(8)]
_walk_edges = st.builds(
    Edge,
    st.sampled_from(_walk_keys),
    st.sampled_from(FLOW),
    st.sampled_from(_walk_keys),
    st.sampled_from(["", "t"]),
    _moments,
    _moments,
    st.just({}),
)


def reaches_what_the_shared_walk_reaches(store: GraphStore, data: st.DataObject) -> None:
    edges = data.draw(st.lists(_walk_edges, max_size=24))
    store.reset()
    store.apply(
        Changeset(nodes=tuple(Node(key, Kind.DATASET) for key in _walk_keys), edges=tuple(edges)),
        upto=Applied(1, "log"),
    )
    for _ in range(4):
        starts = data.draw(st.lists(st.sampled_from([*_walk_keys, "dataset|none"]), max_size=3))
        direction = data.draw(st.sampled_from(Direction))
        kinds = data.draw(st.sets(st.sampled_from(FLOW)))
        at = data.draw(_moments)
        max_depth, limit = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))
        whole = walk.reach(store.expand, starts, direction, kinds, at=at, max_depth=max_depth, limit=99)
        found = store.reach(starts, direction, kinds, at=at, max_depth=max_depth, limit=limit)
        assert found.items() <= whole.items()
        assert sorted(found.values()) == sorted(whole.values())[:limit]
        by_walk = walk.reach(store.expand, starts, direction, kinds, at=at, max_depth=max_depth, limit=limit)
        assert sorted(by_walk.values()) == sorted(found.values())


@MORE
@given(data=st.data())
def test_sqlite_reaches_what_the_shared_walk_reaches(sqlite_store: SqliteStore, data: st.DataObject) -> None:
    reaches_what_the_shared_walk_reaches(sqlite_store, data)


@pytest.mark.neo4j
@FEW
@given(data=st.data())
def test_neo4j_reaches_what_the_shared_walk_reaches(neo4j_store: Neo4jStore, data: st.DataObject) -> None:
    reaches_what_the_shared_walk_reaches(neo4j_store, data)

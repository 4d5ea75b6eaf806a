"""What `GraphStore` promises of writing, on every store."""

from collections.abc import Callable

import pytest

from headwater_server.graph import keys, names
from headwater_server.graph.changes import Changeset, Edge, EdgeKey, Node, Value
from headwater_server.graph.words import PROPS, EdgeKind, Kind
from headwater_server.store.checks import BadChange
from headwater_server.store.port import Applied, GraphStore
from tests.stores.made import contents, dataset, edge

Apply = Callable[[Changeset], None]

ODD = [
    "a'b\"c`d\\e",
    "'}) DETACH DELETE n //",
    "'; DROP TABLE node; --",
    "%_*?[]{}()$1$key:1",
    "snow ☃ 漢字 عربى",
    "e\u0301 and \u00e9",
    "\U0001f600\uffff\u200b",
    "line\nbreak\ttab",
    " leading and trailing ",
    "x" * 1500,
]


# -- the mark ---------------------------------------------------------------------------------


def test_an_empty_store_has_applied_nothing_of_no_log(store: GraphStore) -> None:
    assert store.applied() == Applied(0, "")
    assert contents(store) == ({}, {}, {})


def test_the_mark_is_that_of_the_last_apply(store: GraphStore) -> None:
    store.apply(Changeset(), upto=Applied(7, "log-a"))
    assert store.applied() == Applied(7, "log-a")
    store.apply(Changeset(), upto=Applied(2**53 + 1, "log-b"))
    assert store.applied() == Applied(2**53 + 1, "log-b")


def test_the_backend_is_told(store: GraphStore) -> None:
    assert store.backend in {"sqlite", "neo4j"}


# -- nodes ------------------------------------------------------------------------------------


def test_a_node_comes_back_as_it_was_written(store: GraphStore, apply: Apply) -> None:
    written = dataset(
        "shop.orders",
        description="",
        owners=["ann", "bob"],
        tags=[],
        created=1_767_225_600_123_457,
        archived=False,
        uri="s3://b/ö",
    )
    apply(Changeset(nodes=(written,)))
    assert store.get([written.key, "dataset|none|such"]) == {written.key: written}
    assert list(store.all_nodes()) == [written]


@pytest.mark.parametrize(
    "value", [2**63 - 1, -(2**63), 2**53 + 1, 0, -1, 1.5, -0.25, 1e300, True, False, "", "1", ["1", ""], []]
)
def test_a_value_keeps_its_type_and_is_exact(store: GraphStore, apply: Apply, value: Value) -> None:
    apply(Changeset(nodes=(dataset("t", created=value),)))
    found = store.get(["dataset|ns|t"])["dataset|ns|t"].props["created"]
    assert (type(found), found) == (type(value), value)


def test_none_is_a_property_left_out(store: GraphStore, apply: Apply) -> None:
    apply(Changeset(nodes=(dataset("t", description="old"),)))
    apply(Changeset(nodes=(dataset("t", description=None),)))
    assert store.get(["dataset|ns|t"])["dataset|ns|t"] == dataset("t")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_know_is_left_out(store: GraphStore, apply: Apply, value: float) -> None:
    loop = Edge("dataset|ns|t", EdgeKind.SYMLINK, "dataset|ns|t", props={"run": value})
    apply(Changeset(nodes=(dataset("t", created=value),), edges=(loop,)))
    assert list(store.all_nodes()) == [dataset("t")]
    assert list(store.all_edges()) == [edge("t", EdgeKind.SYMLINK, "t")]


def test_a_node_written_again_is_written_whole(store: GraphStore, apply: Apply) -> None:
    apply(Changeset(nodes=(dataset("t", description="old", owners=["ann"]),)))
    new = Node("dataset|ns|t", Kind.DATASET, "other", "h", "z", "", {"tags": ["x"]})
    apply(Changeset(nodes=(new,)))
    assert list(store.all_nodes()) == [new]
    assert store.groups(Kind.DATASET) == {"other": 1}
    assert store.search("t", kinds=[Kind.DATASET], limit=9) == []


def test_of_one_node_twice_in_a_changeset_the_last_counts(store: GraphStore, apply: Apply) -> None:
    apply(Changeset(nodes=(dataset("t", description="first"), dataset("t", description="last"))))
    apply(Changeset(nodes=(dataset("t", description="x"), dataset("t", description="last"))))
    assert list(store.all_nodes()) == [dataset("t", description="last")]


def test_every_kind_of_node_has_all_its_properties(store: GraphStore, apply: Apply) -> None:
    written = [
        Node(keys.key(kind, "k"), kind, "g", "", "s", "", {name: f"the {name}" for name in PROPS[kind]})
        for kind in Kind
    ]
    apply(Changeset(nodes=tuple(written)))
    assert store.get([node.key for node in written]) == {node.key: node for node in written}


def test_a_property_that_the_words_do_not_list_is_refused(store: GraphStore, apply: Apply) -> None:
    with pytest.raises(BadChange, match="colour"):
        apply(Changeset(nodes=(dataset("t", colour="red"),)))
    assert contents(store) == ({}, {}, {})


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_odd_names_are_only_names(store: GraphStore, apply: Apply, name: str) -> None:
    node = Node(keys.dataset(name, name), Kind.DATASET, name, "", name, names.words(name), {"name": name})
    loop = Edge(node.key, EdgeKind.SYMLINK, node.key, name, 1, None, {"run": name})
    apply(Changeset(nodes=(node,), states={node.key: name.encode()}, edges=(loop,)))
    apply(Changeset(nodes=(dataset("other"),)))
    assert store.get([node.key]) == {node.key: node}
    assert node in store.page(Kind.DATASET, marks=[""], group=name, limit=5)
    assert store.starting(node.key, limit=5) == [node.key]
    assert node in [hit.node for hit in store.search(name, kinds=[Kind.DATASET], limit=5)]
    by_key, edges, states = contents(store)
    assert by_key.keys() == {node.key, "dataset|ns|other"}
    assert edges == {loop.key: loop}
    assert states == {node.key: name.encode()}
    apply(Changeset(drop=(loop.key,), prune=(node.key,)))
    assert contents(store) == ({"dataset|ns|other": dataset("other")}, {}, {})


# -- states -----------------------------------------------------------------------------------


def test_a_state_is_kept_when_its_node_is_written_again(store: GraphStore, apply: Apply) -> None:
    state = bytes(range(256))
    apply(Changeset(nodes=(dataset("t"), dataset("u")), states={"dataset|ns|t": state}))
    apply(Changeset(nodes=(dataset("t", description="new"),)))
    assert store.states(["dataset|ns|t", "dataset|ns|u", "dataset|no|such"]) == {"dataset|ns|t": state}
    apply(Changeset(states={"dataset|ns|t": b"", "dataset|ns|u": b"u"}))
    assert store.states(["dataset|ns|t", "dataset|ns|u"]) == {"dataset|ns|t": b"", "dataset|ns|u": b"u"}


def test_a_state_does_not_show_on_its_node(store: GraphStore, apply: Apply) -> None:
    apply(Changeset(nodes=(dataset("t"),), states={"dataset|ns|t": b"x"}))
    assert list(store.all_nodes()) == [dataset("t")]
    assert store.sizes() == {"nodes": 1, "edges": 0}


def test_a_state_without_a_node_is_an_error_and_nothing_is_written(store: GraphStore, apply: Apply) -> None:
    with pytest.raises(BadChange, match=r"dataset\|ns\|no"):
        apply(Changeset(nodes=(dataset("t"),), states={"dataset|ns|no": b"x"}))
    assert contents(store) == ({}, {}, {})


# -- edges ------------------------------------------------------------------------------------


def test_an_edge_comes_back_as_it_was_written(store: GraphStore, apply: Apply) -> None:
    written = Edge(
        "dataset|ns|a", EdgeKind.SYMLINK, "dataset|ns|b", "tag", 1_767_225_600_123_457, 2**62 + 1,
        {"subtype": "IDENTITY", "masking": True, "list": ["x"], "none": []},
    )  # fmt: skip
    apply(Changeset(nodes=(dataset("a"), dataset("b")), edges=(written,)))
    assert list(store.all_edges()) == [written]


def test_edges_differ_by_tag_kind_and_direction(store: GraphStore, apply: Apply) -> None:
    written = [
        edge("a", EdgeKind.SYMLINK, "b"),
        edge("a", EdgeKind.SYMLINK, "b", "1"),
        edge("a", EdgeKind.SYMLINK, "b", "2"),
        edge("b", EdgeKind.SYMLINK, "a"),
        edge("a", EdgeKind.DERIVES, "b"),
        edge("a", EdgeKind.SYMLINK, "a"),
    ]
    apply(Changeset(nodes=(dataset("a"), dataset("b")), edges=tuple(written)))
    assert contents(store)[1] == {one.key: one for one in written}


def test_an_edge_written_again_is_written_whole(store: GraphStore, apply: Apply) -> None:
    ends = (dataset("a"), dataset("b"))
    first = Edge(ends[0].key, EdgeKind.SYMLINK, ends[1].key, "t", 1, 2, {"run": "r", "subtype": "s"})
    last = Edge(ends[0].key, EdgeKind.SYMLINK, ends[1].key, "t", None, None, {"subtype": "u"})
    apply(Changeset(nodes=ends, edges=(first,)))
    apply(Changeset(edges=(last,)))
    assert list(store.all_edges()) == [last]
    apply(Changeset(edges=(last, first)))
    assert list(store.all_edges()) == [first]


def test_none_is_a_property_of_an_edge_left_out(store: GraphStore, apply: Apply) -> None:
    ends = (dataset("a"), dataset("b"))
    apply(Changeset(ends, edges=(Edge(ends[0].key, EdgeKind.SYMLINK, ends[1].key, props={"run": None}),)))
    assert list(store.all_edges()) == [edge("a", EdgeKind.SYMLINK, "b")]


def test_an_edge_property_named_as_a_field_is_refused(store: GraphStore, apply: Apply) -> None:
    with pytest.raises(BadChange, match="since"):
        apply(
            Changeset(
                (dataset("a"),),
                edges=(Edge("dataset|ns|a", EdgeKind.SYMLINK, "dataset|ns|a", props={"since": 1}),),
            )
        )
    assert contents(store) == ({}, {}, {})


@pytest.mark.parametrize("ends", [("a", "missing"), ("missing", "a"), ("missing", "missing")])
def test_nothing_of_a_changeset_with_an_edge_to_a_missing_node_is_there(
    store: GraphStore, apply: Apply, ends: tuple[str, str]
) -> None:
    before = Changeset(
        nodes=(dataset("a", description="old"), dataset("b")),
        states={"dataset|ns|a": b"old"},
        edges=(edge("a", EdgeKind.SYMLINK, "b"),),
    )
    apply(before)
    expected = contents(store)
    with pytest.raises(BadChange, match=r"dataset\|ns\|missing"):
        apply(
            Changeset(
                nodes=(dataset("a", description="new"), dataset("c")),
                states={"dataset|ns|a": b"new", "dataset|ns|c": b"c"},
                drop=(EdgeKey("dataset|ns|a", EdgeKind.SYMLINK, "dataset|ns|b"),),
                edges=(edge("a", EdgeKind.SYMLINK, "c"), edge(ends[0], EdgeKind.OUTPUTS, ends[1])),
                prune=("dataset|ns|b",),
            )
        )
    assert contents(store) == expected
    assert store.applied() == Applied(1, "log")
    apply(Changeset(nodes=(dataset("c"),), edges=(edge("a", EdgeKind.SYMLINK, "c"),)))
    assert contents(store)[1].keys() == {
        edge("a", EdgeKind.SYMLINK, "b").key,
        edge("a", EdgeKind.SYMLINK, "c").key,
    }


def test_applying_twice_changes_nothing(store: GraphStore, apply: Apply) -> None:
    apply(Changeset(nodes=(dataset("old"),), edges=(edge("old", EdgeKind.SYMLINK, "old"),)))
    changes = Changeset(
        nodes=(dataset("a", tags=["x"]), dataset("b")),
        states={"dataset|ns|a": b"s"},
        edges=(edge("a", EdgeKind.SYMLINK, "b", since=3), edge("b", EdgeKind.OUTPUTS, "a", "t")),
        drop=(edge("old", EdgeKind.SYMLINK, "old").key,),
        prune=("dataset|ns|old",),
    )
    apply(changes)
    expected = contents(store)
    assert expected[0].keys() == {"dataset|ns|a", "dataset|ns|b"}
    apply(changes)
    assert contents(store) == expected


# -- what goes --------------------------------------------------------------------------------


def test_a_dropped_edge_is_gone_and_others_stay(store: GraphStore, apply: Apply) -> None:
    one, two = edge("a", EdgeKind.SYMLINK, "b", "1"), edge("a", EdgeKind.SYMLINK, "b", "2")
    apply(Changeset(nodes=(dataset("a"), dataset("b")), edges=(one, two)))
    unknown = (
        EdgeKey("dataset|ns|a", EdgeKind.SYMLINK, "dataset|ns|b", "3"),
        EdgeKey("dataset|ns|a", EdgeKind.OUTPUTS, "dataset|ns|b", "1"),
        EdgeKey("dataset|ns|b", EdgeKind.SYMLINK, "dataset|ns|a", "1"),
        EdgeKey("dataset|ns|no", EdgeKind.SYMLINK, "dataset|ns|a", "1"),
    )
    apply(Changeset(drop=(one.key, *unknown)))
    assert list(store.all_edges()) == [two]
    assert len(store.get(["dataset|ns|a", "dataset|ns|b"])) == 2
    assert store.sizes() == {"nodes": 2, "edges": 1}


def test_an_edge_dropped_comes_back_when_it_is_written_again(store: GraphStore, apply: Apply) -> None:
    one = edge("a", EdgeKind.SYMLINK, "b", since=1)
    apply(Changeset(nodes=(dataset("a"), dataset("b")), edges=(one,)))
    apply(Changeset(drop=(one.key,)))
    apply(Changeset(edges=(one,)))
    assert list(store.all_edges()) == [one]


def test_an_edge_both_dropped_and_written_is_there(store: GraphStore, apply: Apply) -> None:
    one = edge("a", EdgeKind.SYMLINK, "b", since=1)
    apply(Changeset(nodes=(dataset("a"), dataset("b")), edges=(one,), drop=(one.key,)))
    assert list(store.all_edges()) == [one]
    other = edge("a", EdgeKind.SYMLINK, "b", until=5)
    apply(Changeset(edges=(other,), drop=(one.key,)))
    assert list(store.all_edges()) == [other]


STEP, JOB = Node("step|1", Kind.STEP), Node("job|ns|j", Kind.JOB)


def test_a_node_with_only_step_of_and_version_of_of_its_own_is_pruned(
    store: GraphStore, apply: Apply
) -> None:
    apply(
        Changeset(
            nodes=(STEP, JOB, dataset("t")),
            states={"step|1": b"s"},
            edges=(
                Edge("step|1", EdgeKind.STEP_OF, "job|ns|j"),
                Edge("step|1", EdgeKind.VERSION_OF, "dataset|ns|t"),
            ),
        )
    )
    apply(Changeset(prune=("step|1", "step|none")))
    assert contents(store) == ({"job|ns|j": JOB, "dataset|ns|t": dataset("t")}, {}, {})


@pytest.mark.parametrize(
    "held",
    [
        Edge("step|1", EdgeKind.OUTPUTS, "dataset|ns|t"),
        Edge("dataset|ns|t", EdgeKind.WAS_INPUT_OF, "step|1"),
        Edge("dataset|ns|t", EdgeKind.STEP_OF, "step|1"),
        Edge("dataset|ns|t", EdgeKind.VERSION_OF, "step|1"),
    ],
    ids=lambda held: f"{held.source} {held.kind}",
)
def test_a_node_with_any_other_edge_is_not_pruned(store: GraphStore, apply: Apply, held: Edge) -> None:
    apply(
        Changeset(
            nodes=(STEP, JOB, dataset("t")),
            states={"step|1": b"s"},
            edges=(Edge("step|1", EdgeKind.STEP_OF, "job|ns|j"), held),
        )
    )
    expected = contents(store)
    apply(Changeset(prune=("step|1",)))
    assert contents(store) == expected


def test_pruning_comes_after_dropping_and_in_no_order(store: GraphStore, apply: Apply) -> None:
    out = Edge("step|1", EdgeKind.OUTPUTS, "dataset|ns|t")
    apply(
        Changeset(
            nodes=(STEP, JOB, dataset("t")),
            edges=(Edge("step|1", EdgeKind.STEP_OF, "job|ns|j"), out),
        )
    )
    apply(Changeset(drop=(out.key,), prune=("job|ns|j", "dataset|ns|t", "step|1")))
    assert contents(store) == ({}, {}, {})


def test_a_pruned_node_comes_back_new(store: GraphStore, apply: Apply) -> None:
    first = Changeset(
        nodes=(STEP, JOB), states={"step|1": b"s"}, edges=(Edge("step|1", EdgeKind.STEP_OF, "job|ns|j"),)
    )
    apply(first)
    apply(Changeset(prune=("step|1",)))
    apply(Changeset(nodes=(STEP,)))
    assert contents(store) == ({"step|1": STEP, "job|ns|j": JOB}, {}, {})
    apply(first)
    by_key, edges, states = contents(store)
    assert (len(by_key), len(edges), states) == (2, 1, {"step|1": b"s"})


def test_reset_leaves_nothing(store: GraphStore, apply: Apply) -> None:
    changes = Changeset(
        (dataset("a"), dataset("b")), {"dataset|ns|a": b"s"}, (edge("a", EdgeKind.SYMLINK, "b", "t"),)
    )
    apply(changes)
    store.reset()
    assert contents(store) == ({}, {}, {})
    assert store.applied() == Applied(0, "")
    assert store.search("a", kinds=[Kind.DATASET], limit=5) == []
    apply(changes)
    assert [len(part) for part in contents(store)] == [2, 1, 1]
    assert len(store.search("a", kinds=[Kind.DATASET], limit=5)) == 1

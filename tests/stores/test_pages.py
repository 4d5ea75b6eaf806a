"""What `GraphStore` promises of pages, counts, search and readers, on every store."""

from collections.abc import Callable
from threading import Thread

import pytest

from headwater_server.graph import names
from headwater_server.graph.changes import Changeset, Edge, Node, Value
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.port import Applied, Direction, GraphStore
from tests.stores.made import dataset, run, titles

Apply = Callable[[Changeset], None]


# -- pages ------------------------------------------------------------------------------------


STEP, JOB = Node("step|1", Kind.STEP), Node("job|ns|j", Kind.JOB)


@pytest.fixture
def runs(apply: Apply) -> list[Node]:
    """Of two jobs, with four marks, some begun at once; and another kind in between."""
    nodes = [
        run(f"{i:02}", mark="CTRF"[i % 4], begin=f"{i // 3:018d}", job=f"job|ns|{'ab'[i % 5 == 0]}")
        for i in range(24)
    ]
    apply(Changeset(nodes=(*nodes, dataset("x"), STEP)))
    return sorted(nodes, key=lambda node: (node.sort, node.key))


@pytest.mark.parametrize("marks", ["C", "CT", "CTRF", "FC", "N", "CC", ""])
@pytest.mark.parametrize("group", [None, "job|ns|a", "job|ns|b", "job|ns|none"])
def test_a_page_is_the_nodes_with_these_marks_in_order_both_ways(
    store: GraphStore, runs: list[Node], marks: str, group: str | None
) -> None:
    wanted = [node for node in runs if node.mark in marks and group in {None, node.group}]
    bounds = [None, *[(runs[i].sort, runs[i].key) for i in (0, 5, 6, 23)], (f"{3:018d}", ""), ("z", "z")]
    for after in bounds:
        for before in bounds:
            inside = [
                node
                for node in wanted
                if (after is None or (node.sort, node.key) > after)
                and (before is None or (node.sort, node.key) < before)
            ]
            for limit in (1, 4, 100):
                both = [
                    store.page(
                        Kind.RUN,
                        marks=[*marks],
                        group=group,
                        after=after,
                        before=before,
                        reverse=back,
                        limit=limit,
                    )
                    for back in (False, True)
                ]
                assert both == [inside[:limit], inside[::-1][:limit]]


@pytest.mark.parametrize("marks", ["C", "CTRF", "CC", "N", ""])
@pytest.mark.parametrize("limit", [0, 1, 3, 100])
def test_the_pages_of_many_groups_are_the_page_of_each(
    store: GraphStore, runs: list[Node], marks: str, limit: int
) -> None:
    groups = ["job|ns|a", "job|ns|b", "job|ns|none", "job|ns|a"]
    assert {"job|ns|a", "job|ns|b"} <= {node.group for node in runs}
    for back in (False, True):
        one_by_one = {
            group: store.page(Kind.RUN, marks=[*marks], group=group, reverse=back, limit=limit)
            for group in groups
        }
        assert store.pages(Kind.RUN, iter(groups), marks=[*marks], reverse=back, limit=limit) == {
            group: page for group, page in one_by_one.items() if page
        }
    assert store.pages(Kind.RUN, [], marks=["C"], limit=9) == {}
    assert store.pages(Kind.JOB, groups, marks=["C", ""], limit=9) == {}


def test_rows_are_the_named_properties_of_what_pages_give(store: GraphStore, apply: Apply) -> None:
    said: dict[str, Value] = {"tags": ["pii", "a=b"], "ordinal": 2, "description": 'of "all"'}
    columns = [
        Node("column|ns|t|b", Kind.COLUMN, "dataset|ns|t", "", "00001", props={"name": "b", "type": "INT"}),
        Node("column|ns|t|a", Kind.COLUMN, "dataset|ns|t", "", "00002", props={"name": "a", **said}),
        Node("column|ns|t|gone", Kind.COLUMN, "dataset|ns|t", "h", "00000", props={"name": "gone"}),
        Node("column|ns|u|c", Kind.COLUMN, "dataset|ns|u", "", "00001"),
    ]
    apply(Changeset(nodes=tuple(columns)))
    names = ("name", "type", "tags", "ordinal", "description")
    groups = ["dataset|ns|t", "dataset|ns|u", "dataset|ns|none", "dataset|ns|t"]
    pages = store.pages(Kind.COLUMN, groups, marks=("",), limit=9)
    found = store.rows(Kind.COLUMN, iter(groups), names, mark="", limit=9)
    assert found == {
        g: [[node.props.get(name) for name in names] for node in page] for g, page in pages.items()
    }
    assert found["dataset|ns|t"][1] == ["a", None, ["pii", "a=b"], 2, 'of "all"']
    assert store.rows(Kind.COLUMN, groups[:1], ("name",), mark="h", limit=9) == {"dataset|ns|t": [["gone"]]}
    assert store.rows(Kind.COLUMN, groups[:1], ("name",), mark="", limit=1) == {"dataset|ns|t": [["b"]]}
    assert store.rows(Kind.COLUMN, groups, ("name",), mark="", limit=0) == {}
    assert store.rows(Kind.COLUMN, [], ("name",), mark="", limit=9) == {}


def test_a_page_follows_a_page_without_gap_or_double(store: GraphStore, runs: list[Node]) -> None:
    seen: list[Node] = []
    after = None
    while page := store.page(Kind.RUN, marks=["C", "R", "F"], after=after, limit=5):
        seen += page
        after = (page[-1].sort, page[-1].key)
    assert seen == [node for node in runs if node.mark in "CRF"]


def test_a_node_that_changes_its_mark_changes_its_page(store: GraphStore, apply: Apply) -> None:
    apply(Changeset(nodes=(run("1", mark="R"),)))
    apply(Changeset(nodes=(run("1", mark="F", job="job|ns|k"),)))
    assert store.page(Kind.RUN, marks=["R"], limit=5) == []
    assert store.page(Kind.RUN, marks=["R", "F"], group="job|ns|j", limit=5) == []
    assert store.page(Kind.RUN, marks=["R", "F"], group="job|ns|k", limit=5) == [
        run("1", mark="F", job="job|ns|k")
    ]
    assert store.count(Kind.RUN, marks=["F"]) == 1


def test_text_is_in_order_of_code_points(store: GraphStore, apply: Apply) -> None:
    names_ = ["", " ", "!", "A", "Z", "_", "a", "aa", "ab", "z", "é", "\u07ff", "漢", "\uffff", "\U0001f600"]
    nodes = [Node(f"dataset|{name}|x", Kind.DATASET, "", "", name) for name in reversed(names_)]
    loops = [Edge(node.key, EdgeKind.SYMLINK, node.key) for node in nodes]
    apply(Changeset(nodes=tuple(nodes), edges=tuple(loops)))
    assert [node.sort for node in store.page(Kind.DATASET, marks=[""], limit=99)] == names_
    assert store.starting("dataset|", limit=99) == sorted(node.key for node in nodes)
    found = store.expand([n.key for n in nodes], Direction.UPSTREAM, [EdgeKind.SYMLINK], limit=99)
    assert [one.source for one in found] == sorted(node.key for node in nodes)


def test_counts_are_those_of_pages(store: GraphStore, runs: list[Node]) -> None:
    assert store.count(Kind.RUN, marks=["C", "T", "R", "F"]) == 24
    assert store.count(Kind.RUN, marks=["C", "C"]) == 6
    assert store.count(Kind.RUN, marks=["C", "N"], group="job|ns|b") == len(
        [node for node in runs if node.mark == "C" and node.group == "job|ns|b"]
    )
    assert store.count(Kind.RUN, marks=[]) == 0
    assert store.count(Kind.MODEL, marks=[""]) == 0


def test_groups_are_counted_whatever_the_mark(store: GraphStore, runs: list[Node]) -> None:
    assert store.groups(Kind.RUN) == {"job|ns|a": 19, "job|ns|b": 5}
    assert store.groups(Kind.STEP) == {"": 1}
    assert store.groups(Kind.MODEL) == {}


def test_keys_that_begin_so_come_in_order(store: GraphStore, runs: list[Node]) -> None:
    assert store.starting("run|0", limit=99) == [f"run|{i:02}|ns|j" for i in range(10)]
    assert store.starting("run|", limit=3) == [f"run|{i:02}|ns|j" for i in range(3)]
    assert store.starting("run|07|ns|j", limit=9) == ["run|07|ns|j"]
    assert len(store.starting("", limit=99)) == 26
    assert store.starting("\U0010ffff", limit=9) == []
    assert store.starting("run|%", limit=9) == []


# -- search -----------------------------------------------------------------------------------


def found(store: GraphStore, text: str, *kinds: Kind, limit: int = 9) -> list[Value]:
    return titles(hit.node for hit in store.search(text, kinds=kinds or [Kind.DATASET], limit=limit))


@pytest.fixture
def shop(apply: Apply) -> None:
    hidden = Node("dataset|ns|old.orders", Kind.DATASET, "ns", "h", "x", names.words("old.orders"))
    job = Node("job|ns|orders", Kind.JOB, "ns", "", "orders", names.words("orders"), {"name": "orders"})
    apply(
        Changeset(
            nodes=(
                *map(
                    dataset,
                    ["orders", "orders_daily", "shop.orders", "shop.orderLines", "Shop.Über-Weg", "sales_7"],
                ),
                hidden,
                job,
            )
        )
    )


@pytest.mark.usefixtures("shop")
def test_every_word_of_the_text_begins_a_word_of_the_node(store: GraphStore) -> None:
    assert set(found(store, "ord")) == {"orders", "orders_daily", "shop.orders", "shop.orderLines"}
    assert found(store, "sho lin") == ["shop.orderLines"]
    assert found(store, "ORDERS shop") == ["shop.orders"]
    assert found(store, "über") == ["Shop.Über-Weg"]
    assert found(store, "rders") == []
    assert found(store, "orders nothing") == []
    assert found(store, "7") == found(store, "sales_") == ["sales_7"]


@pytest.mark.usefixtures("shop")
def test_the_exact_name_is_first(store: GraphStore) -> None:
    assert found(store, "orders")[0] == "orders"
    assert found(store, "shop.orders")[0] == "shop.orders"
    assert found(store, "shop.orders", limit=1) == ["shop.orders"]
    scores = [hit.score for hit in store.search("orders", kinds=[Kind.DATASET], limit=9)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.usefixtures("shop")
def test_only_the_kinds_asked_for_are_searched_and_hidden_nodes_are_not(store: GraphStore) -> None:
    assert found(store, "orders", Kind.JOB) == ["orders"]
    assert len(found(store, "orders", Kind.JOB, Kind.DATASET)) == 4
    assert found(store, "old") == []
    assert store.search("orders", kinds=[], limit=9) == []


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "text", ["", "  ", ".", "*", '"', "(", "orders OR", "-orders", "+x", "a:b", "NEAR(a b)", "^", "\\", "~2"]
)
def test_signs_in_a_search_mean_nothing(store: GraphStore, text: str) -> None:
    assert "sales_7" not in found(store, text)


@pytest.mark.usefixtures("shop")
def test_a_node_that_is_renamed_is_found_by_its_new_words_alone(store: GraphStore, apply: Apply) -> None:
    apply(
        Changeset(nodes=(Node("dataset|ns|sales_7", Kind.DATASET, "ns", "", "q", "quarter", {"name": "q"}),))
    )
    assert found(store, "sales") == []
    assert found(store, "quar") == ["q"]
    apply(Changeset(prune=("dataset|ns|sales_7",)))
    assert found(store, "quar") == []


# -- many readers -----------------------------------------------------------------------------


def test_a_reader_sees_all_of_a_changeset_or_nothing(store: GraphStore) -> None:
    def version(number: int) -> Changeset:
        return Changeset(nodes=tuple(dataset(f"t{i}", created=number) for i in range(30)))

    store.apply(version(0), upto=Applied(1, "log"))
    all_keys = [node.key for node in version(0).nodes]
    torn: list[set[Value]] = []

    def read() -> None:
        for _ in range(40):
            seen = {node.props["created"] for node in store.get(all_keys).values()}
            if len(seen) != 1:
                torn.append(seen)

    readers = [Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 25):
        store.apply(version(number), upto=Applied(number + 1, "log"))
    for reader in readers:
        reader.join()
    assert store.backend == "neo4j" or not torn  # a read of Neo4j is of the moment of each row
    assert {node.props["created"] for node in store.get(all_keys).values()} == {24}

"""Which version of a dataset a run read, where its producer does not say."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from headwater_server.api.graphql.loading import Cohort
from headwater_server.graph import keys, times
from headwater_server.graph.changes import Edge, EdgeKey, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.project.reading import pinned
from headwater_server.store.port import Direction, GraphStore

UNVERSIONED = "-"
"""The version of a dataset whose writers nobody has seen: a source, or a table written by hand."""
_RECENT = 200


def unversioned(dataset: Node) -> Node:
    """Stands for "this dataset, of which no version is known"."""
    return Node(
        key=keys.key(Kind.DATASET_VERSION, *keys.parts_of(dataset.key), UNVERSIONED),
        kind=Kind.DATASET_VERSION,
        group=dataset.key,
        sort=dataset.sort,
        props={"dataset": dataset.key, "version": UNVERSIONED, "created": dataset.props.get("created")},
    )


def versions_at_the_end(cohort: Cohort, sources: list[str], kind: EdgeKind) -> dict[str, list[Node]]:
    """The dataset versions that edges of a kind lead to, by source.

    An edge that ends at a dataset means the version that was there when the edge began.
    """
    store = cohort.loader.store
    edges = [e for e in store.expand(sources, Direction.DOWNSTREAM, [kind]) if e.target.startswith("dataset")]
    found: dict[str, dict[str, Node]] = {}
    for edge, version in version_of_each(store, edges).items():
        found.setdefault(edge.source, {})[version.key] = version
    return {source: [group[key] for key in sorted(group)] for source, group in found.items()}


def version_of_each(store: GraphStore, edges: Sequence[Edge]) -> dict[EdgeKey, Node]:
    """The version that each of these edges to a dataset, or to a version of one, means."""
    of_edge = _pinned(store, edges)
    nodes = store.get({*of_edge.values(), *(edge.target for edge in edges)})
    found: dict[EdgeKey, Node] = {}
    for edge in edges:
        node = nodes.get(of_edge.get(edge.key, edge.target)) or nodes.get(edge.target)
        if node is not None:
            found[edge.key] = unversioned(node) if node.kind is Kind.DATASET else node
    return found


def _pinned(store: GraphStore, edges: Iterable[Edge]) -> dict[object, str]:
    """The version's key for each edge that ends at a dataset: one call a dataset, one more for times long past."""
    recent: dict[str, list[Node]] = {}
    found: dict[object, str] = {}
    for edge in edges:
        if keys.kind_of(edge.target) is not Kind.DATASET or edge.since is None:
            continue
        if edge.target not in recent:
            page = store.page(
                Kind.DATASET_VERSION, marks=("",), group=edge.target, reverse=True, limit=_RECENT
            )
            recent[edge.target] = page[::-1]
        versions = recent[edge.target]
        before = bisect_right([node.sort for node in versions], times.sortable(edge.since))
        if before:
            found[edge.key] = versions[before - 1].key
        elif len(versions) == _RECENT and (older := pinned(edge.target, edge.since, store)):
            found[edge.key] = older
    return found

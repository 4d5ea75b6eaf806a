"""The whole graph rolled up: what a person sees first."""

import time
from collections.abc import Iterator

from headwater_server.graph import keys, names
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.answer import EVERYTHING, PATIENCE, fits
from headwater_server.lineage.fold import Names, fold
from headwater_server.lineage.moves import View
from headwater_server.lineage.rollup import MODELS, Rollup
from headwater_server.lineage.routes import is_late
from headwater_server.lineage.shapes import Granularity, GroupBy, LineageFilter, LineageGraph
from headwater_server.lineage.show import ENTITY_KIND, is_gone, strings
from headwater_server.lineage.urns import encode_id
from headwater_server.lineage.walk import DEADLINE, MAX_NODES
from headwater_server.store.port import Direction, GraphStore

_CHUNK = 2000
_FLOW_IN = frozenset({EdgeKind.INPUT_OF, EdgeKind.NOW_IN, EdgeKind.NOW_AT})
_FLOW_OUT = frozenset({EdgeKind.OUTPUTS})
_KINDS = (Kind.DATASET, Kind.JOB, Kind.MODEL, Kind.MODEL_VERSION)
_NONE = "(none)"


def overview(
    group_by: GroupBy,
    store: GraphStore,
    *,
    only: LineageFilter | None = None,
    as_of: int | None = None,
    max_groups: int = 500,
    now: int | None = None,
    deadline: float | None = None,
) -> LineageGraph:
    """One node and one group per namespace, schema, …, with the flow between them counted.

    Costs one pass over the nodes and edges of the present flow; past the deadline it is cut.
    """
    now = time.time_ns() // 1000 if now is None else now
    until = time.monotonic() + PATIENCE if deadline is None else deadline
    view, only = View(store, as_of), only or EVERYTHING
    rolled = Rollup()
    member: dict[str, str] = {}
    stopped = None
    for node in _named(store, include_archived=only.include_archived):
        if is_late(until):
            stopped = DEADLINE
            break
        if fits(node, only):
            group, label = _group(node, group_by)
            member[node.key] = group
            rolled.add(group, label, ENTITY_KIND[node.kind])
    shown_as = Granularity.ENTITY if group_by is GroupBy.JOB_PARENT else Granularity.DATASET
    for steps in _chunks(store, Kind.STEP):
        if is_late(until):
            stopped = DEADLINE
            break
        folded = fold(
            _flow(steps, view), {node.key: node for node in steps}, granularity=shown_as, names=Names({})
        )
        for (source, target, kind), bond in folded.bonds.items():
            if source in member and target in member:
                rolled.bond(member[source], member[target], bond, kind)
    groups = rolled.largest(max_groups)
    if len(groups) < len(rolled.labels) and stopped is None:
        stopped = MAX_NODES
    edges = rolled.edges(groups, now=now)
    return LineageGraph(
        root=encode_id(groups[0]) if groups else "",
        nodes=rolled.nodes(groups),
        edges=edges,
        groups=rolled.groups(groups),
        as_of=now if as_of is None else as_of,
        granularity=Granularity.GROUP,
        total_nodes=len(rolled.labels),
        total_edges=len(rolled.bonds),
        truncated=stopped is not None,
        truncated_reason=stopped,
        frontier=(),
    )


def _named(store: GraphStore, *, include_archived: bool) -> Iterator[Node]:
    for kind in _KINDS:
        for nodes in _chunks(store, kind, marks=("", "h") if include_archived else ("",)):
            yield from (node for node in nodes if include_archived or not is_gone(node))


def _chunks(store: GraphStore, kind: Kind, *, marks: tuple[str, ...] = ("",)) -> Iterator[list[Node]]:
    after = None
    while nodes := store.page(kind, marks=marks, after=after, limit=_CHUNK):
        yield nodes
        after = (nodes[-1].sort, nodes[-1].key)


def _flow(steps: list[Node], view: View) -> list[Edge]:
    found = [step.key for step in steps]
    taken = view.edges(found, Direction.UPSTREAM, frozenset({EdgeKind.INPUT_OF}))
    places = {edge.source for edge in taken if edge.source.startswith(("stage|", "alias|"))}
    return [
        *taken,
        *view.edges(found, Direction.DOWNSTREAM, _FLOW_OUT),
        *view.edges(places, Direction.UPSTREAM, _FLOW_IN),
    ]


def _group(node: Node, group_by: GroupBy) -> tuple[str, str]:
    """The key and the label of the group that a node stands in."""
    parts = keys.parts_of(node.key)
    data = node.kind in (Kind.DATASET, Kind.JOB)
    namespace = parts[0] if data else MODELS
    match group_by:
        case GroupBy.NAMESPACE:
            return keys.key(Kind.NAMESPACE, namespace), namespace
        case GroupBy.SCHEMA:
            schema = parts[1].rpartition(".")[0] if node.kind is Kind.DATASET else ""
            label = f"{namespace}/{schema}" if schema else namespace
            return f"schema|{label}", label
        case GroupBy.PLATFORM:
            label = names.platform(namespace) if node.kind is Kind.DATASET else namespace
            return f"platform|{label}", label
        case GroupBy.OWNER:
            label = next(iter(strings(node, "owners")), _NONE)
            return f"owner|{label}", label
        case GroupBy.TAG:
            label = next(iter(strings(node, "tags")), _NONE)
            return f"tag|{label}", label
        case GroupBy.JOB_PARENT:
            parent = node.props.get("parent") if node.kind is Kind.JOB else None
            if isinstance(parent, str) and parent.startswith("job|"):
                return parent, keys.parts_of(parent)[1]
            return (node.key, parts[1]) if node.kind is Kind.JOB else (f"namespace|{namespace}", namespace)

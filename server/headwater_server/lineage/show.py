"""Making shown nodes and edges out of what the graph holds of them."""

import time
from collections.abc import Collection, Iterable

from headwater_server.graph import keys, names, times
from headwater_server.graph.changes import Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.fold import Bond, Ends
from headwater_server.lineage.moves import View
from headwater_server.lineage.near import name_of
from headwater_server.lineage.shapes import (
    EntityKind,
    LineageEdge,
    LineageNode,
    RunState,
)
from headwater_server.lineage.urns import encode_id, urn_of
from headwater_server.store.port import Direction

ENTITY_KIND: dict[Kind, EntityKind] = {
    Kind.DATASET: EntityKind.DATASET,
    Kind.DATASET_VERSION: EntityKind.DATASET_VERSION,
    Kind.COLUMN: EntityKind.COLUMN,
    Kind.JOB: EntityKind.JOB,
    Kind.JOB_VERSION: EntityKind.JOB_VERSION,
    Kind.RUN: EntityKind.RUN,
    Kind.MODEL: EntityKind.REGISTERED_MODEL,
    Kind.MODEL_VERSION: EntityKind.MODEL_VERSION,
}
GRAPH_KIND = {shown: kind for kind, shown in ENTITY_KIND.items()}
_RUN_STATES = {state.value: state for state in RunState}
_ANY_RUN = ("C", "T", "R", "F", "N")
_COUNT_ONE_BY_ONE = 200  # above, one count of all datasets' columns is cheaper


class Details:
    """What is shown beside the flow and costs questions of its own: states, stages, numbers of columns."""

    def __init__(self, view: View, *, deadline: float) -> None:
        self._view = view
        self._deadline = deadline
        self.newest_runs: dict[str, Node] = {}
        self.stages: dict[str, str] = {}
        self.columns: dict[str, int] = {}

    def load(self, nodes: Iterable[Node]) -> None:
        by_kind: dict[Kind, list[str]] = {}
        for node in nodes:
            by_kind.setdefault(node.kind, []).append(node.key)
        self.load_runs(by_kind.get(Kind.JOB, ()))
        self.load_stages(by_kind.get(Kind.MODEL_VERSION, ()))
        self._load_columns(by_kind.get(Kind.DATASET, ()))

    def load_runs(self, jobs: Iterable[str]) -> None:
        wanted = [job for job in jobs if job not in self.newest_runs]
        if not wanted or time.monotonic() >= self._deadline:
            return
        at, store = self._view.at, self._view.store
        if at is None:
            pages = store.pages(Kind.RUN, wanted, marks=_ANY_RUN, reverse=True, limit=1)
            self.newest_runs.update((job, runs[0]) for job, runs in pages.items())
            return
        before = (times.sortable(at + 1), "")
        for job in wanted:
            if time.monotonic() >= self._deadline:
                return
            then = store.page(Kind.RUN, marks=_ANY_RUN, group=job, before=before, reverse=True, limit=1)
            if then:
                self.newest_runs[job] = then[0]

    def load_stages(self, versions: Iterable[str]) -> None:
        if self._view.at is None:
            return
        for edge in self._view.edges(versions, Direction.DOWNSTREAM, frozenset({EdgeKind.NOW_IN})):
            if edge.kind is EdgeKind.IN_STAGE:
                self.stages[edge.source] = keys.parts_of(edge.target)[-1]

    def _load_columns(self, datasets: Collection[str]) -> None:
        store = self._view.store
        if len(datasets) > _COUNT_ONE_BY_ONE:
            self.columns = store.groups(Kind.COLUMN)
        else:
            for dataset in datasets:
                self.columns[dataset] = store.count(Kind.COLUMN, marks=("",), group=dataset)

    def status_of(self, node: Node) -> RunState | None:
        run = node if node.kind is Kind.RUN else self.newest_runs.get(node.key)
        state = run.props.get("state") if run else None
        return _RUN_STATES.get(state) if isinstance(state, str) else None

    def stage_of(self, node: Node) -> str | None:
        if node.kind is not Kind.MODEL_VERSION:
            return None
        if self._view.at is not None:
            return self.stages.get(node.key)
        stage = node.props.get("stage")
        return stage if isinstance(stage, str) else None

    def last_seen(self, job: str | None) -> int | None:
        run = self.newest_runs.get(job or "")
        return times.from_sortable(run.sort) if run and run.sort else None


def is_gone(node: Node, *, at: int | None = None) -> bool:
    """Archived, or dropped: there, but not to be shown unless asked for. In the past nothing is dropped yet."""
    if node.props.get("archived"):
        return True
    return at is None and bool(node.mark) and node.props.get("lifecycle") == "DROP"


def strings(node: Node, prop: str) -> tuple[str, ...]:
    value = node.props.get(prop)
    return tuple(value) if isinstance(value, list) else ()


_OF_NAMESPACE = {
    Kind.DATASET: 0, Kind.JOB: 0, Kind.COLUMN: 0, Kind.DATASET_VERSION: 0, Kind.JOB_VERSION: 0, Kind.RUN: 1,
}  # fmt: skip
"""Where a key of this kind has its namespace."""


def namespace_of(node: Node) -> str | None:
    at = _OF_NAMESPACE.get(node.kind)
    return None if at is None else keys.parts_of(node.key)[at] or None


def shown_name(node: Node) -> str:
    match node.kind:
        case Kind.MODEL_VERSION:
            model, number = keys.parts_of(node.key)
            return f"{model} v{number}"
        case Kind.RUN:
            return keys.parts_of(node.key)[0]
        case Kind.DATASET_VERSION | Kind.JOB_VERSION:
            _, name, version = keys.parts_of(node.key)
            return f"{name}@{version}"
        case _:
            given = node.props.get("displayName")
            return given if isinstance(given, str) and given else name_of(node)


def show_node(
    node: Node,
    *,
    depth: int,
    details: Details | None = None,
    counts: tuple[int, int, int, int] = (0, 0, 0, 0),
    parent_id: str | None = None,
    group_id: str | None = None,
) -> LineageNode:
    key, kind, _, _, _, _, props = node
    namespace = namespace_of(node)
    updated, status, stage, columns = props.get("created"), None, None, None
    if details:
        run = details.newest_runs.get(key)
        if run and run.sort:
            updated = times.from_sortable(run.sort)
        status, stage = details.status_of(node), details.stage_of(node)
        columns = details.columns.get(key, 0) if kind is Kind.DATASET else None
    return LineageNode(
        encode_id(key),
        urn_of(key, kind),
        ENTITY_KIND.get(kind, EntityKind.EXTERNAL),
        shown_name(node),
        namespace,
        names.platform(namespace) if namespace else None,
        depth,
        *counts,
        parent_id,
        group_id,
        status,
        stage,
        strings(node, "tags"),
        columns,
        is_gone(node),
        updated if isinstance(updated, int) else None,
        key,
        "restricted" in props,
    )


def show_edge(ends: Ends, bond: Bond, *, now: int, details: Details | None = None) -> LineageEdge:
    """`lastSeen` of an edge that holds is its job's newest run, as far as that is known."""
    source, target, kind = ends
    first, last, via = bond.first, bond.last, bond.via
    if first is None:
        first = now if last is None else last
    if last is None:
        last = now
        if details:
            job = next((key for key in (source, target, via or "") if key.startswith("job|")), None)
            last = details.last_seen(job) or now
    return LineageEdge(
        encode_id(source),
        encode_id(target),
        kind,
        bond.evidence,
        bond.transformation,
        bond.subtype,
        bond.masking,
        encode_id(via) if via else None,
        bond.confidence,
        bond.origin,
        first,
        max(first, last),
        len(bond.said),
        bond.weight.share if bond.weight else None,
    )

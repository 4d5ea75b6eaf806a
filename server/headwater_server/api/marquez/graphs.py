"""The two graphs that Marquez draws: jobs with their datasets, and columns.

A walk goes from job to job that share a dataset, whichever way the data flows, as Marquez' does; it reads
whole levels at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.neighbours import names_of, visible
from headwater_server.api.marquez import shapes
from headwater_server.api.marquez.drawing import drawn
from headwater_server.errors import Invalid
from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage import resolve
from headwater_server.store.port import Direction, GraphStore

_UP, _DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM
MAX_DEPTH = 100
_MOST_STEPS = 20_000
_MOST_COLUMNS = 20_000


def lineage(context: Context, node_id: str, depth: int) -> Iterator[bytes]:
    """As GET /api/v1/lineage: {"graph": [{id, type, data, inEdges, outEdges}]}, piece by piece once it has been walked."""
    store = context.store
    root = resolve(node_id, store)
    if root.kind is Kind.COLUMN:
        root = store.get([root.group])[root.group]
    if root.kind not in {Kind.DATASET, Kind.JOB}:
        raise Invalid(f"{node_id} is a {root.kind}; lineage starts at a dataset or a job.")
    flow = _Flow(store)
    flow.walk(root, depth)
    shown = visible(store, flow.datasets)
    reads, writes = flow.jobs_with(EdgeKind.INPUT_OF, shown), flow.jobs_with(EdgeKind.OUTPUTS, shown)
    datasets = {shown.get(key, key) for key in flow.datasets} or {root.key} - {*reads, *writes}
    return drawn(store, {*datasets, *flow.jobs, root.key}, reads, writes, flow.changed)


class _Flow:
    """The jobs, datasets and steps that a walk has met."""

    def __init__(self, store: GraphStore) -> None:
        self.store = store
        self.job_of: dict[str, str] = {}
        self.edges: list[Edge] = []
        self.steps: set[str] = set()
        self.jobs: set[str] = set()
        self.datasets: set[str] = set()
        self.changed: dict[str, int] = defaultdict(int)
        """When the flow at a node last changed."""

    def walk(self, root: Node, depth: int) -> None:
        """Each hop leads from jobs to the jobs that share a dataset with them."""
        if root.kind is Kind.JOB:
            self.jobs.add(root.key)
            frontier = self._met(self._steps_of_jobs({root.key}))
        else:
            frontier = set(names_of(self.store, [root.key])[root.key])
            self.datasets |= frontier
        for _ in range(max(depth, 1)):
            if not frontier or len(self.steps) > _MOST_STEPS:
                break
            near = set(self.store.reach(frontier, _DOWN, [EdgeKind.INPUT_OF], max_depth=1, limit=_MOST_STEPS))
            near |= set(self.store.reach(frontier, _UP, [EdgeKind.OUTPUTS], max_depth=1, limit=_MOST_STEPS))
            frontier = self._met(near)

    def _met(self, steps: set[str]) -> set[str]:
        """Take these steps and the others of their jobs; the datasets that are new."""
        before = set(self.datasets)
        while fresh := {step for step in steps if step.startswith("step|")} - self.steps:
            self.steps |= fresh
            out = self.store.expand(fresh, _DOWN, [EdgeKind.STEP_OF, EdgeKind.OUTPUTS])
            of_jobs = {edge.source: edge.target for edge in out if edge.kind is EdgeKind.STEP_OF}
            self.job_of |= of_jobs
            met = set(of_jobs.values()) - self.jobs
            self.jobs |= met
            data = self.store.expand(fresh, _UP, [EdgeKind.INPUT_OF])
            data = [edge for edge in data if edge.source.startswith("dataset|")]
            self.datasets.update([edge.source for edge in data])
            made = [edge for edge in out if edge.target.startswith("dataset|")]
            self.datasets.update([edge.target for edge in made])
            self.edges += data
            self.edges += made
            steps = self._steps_of_jobs(met)
        return self.datasets - before

    def _steps_of_jobs(self, jobs: set[str]) -> set[str]:
        if not jobs:
            return set()
        return set(self.store.reach(jobs, _UP, [EdgeKind.STEP_OF], max_depth=1, limit=_MOST_STEPS))

    def jobs_with(self, kind: EdgeKind, shown: dict[str, str]) -> dict[str, dict[str, None]]:
        """The datasets that each job reads or writes, under the names that are shown, in order."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        reading, job_of, changed = kind is EdgeKind.INPUT_OF, self.job_of, self.changed
        for source, flow, target, _, since, _, _ in self.edges:
            if flow is not kind:
                continue
            step, data = (target, source) if reading else (source, target)
            job = job_of.get(step)
            if job is not None:
                data = shown.get(data, data)
                found[job][data] = None
                if since is not None:
                    changed[job] = max(changed[job], since)
                    changed[data] = max(changed[data], since)
        return {job: dict.fromkeys(sorted(data)) for job, data in found.items()}


def column_lineage(context: Context, node_id: str, depth: int, *, with_downstream: bool) -> dict[str, Any]:
    """As GET /api/v1/column-lineage. Marquez' edges all start at the node that tells of them."""
    store = context.store
    starts = _columns_of(store, resolve(node_id, store))
    edges: dict[tuple[str, str], Edge] = {}
    met = set(starts)
    for direction in (_UP, _DOWN) if with_downstream else (_UP,):
        frontier = set(starts)
        for _ in range(depth):
            if not frontier or len(met) > _MOST_COLUMNS:
                break
            found = store.expand(frontier, direction, [EdgeKind.DERIVES, EdgeKind.AFFECTS])
            found = [edge for edge in found if edge.target.startswith("column|")]
            for edge in found:
                known = edges.get((edge.source, edge.target))
                if known is None or known.kind is EdgeKind.AFFECTS:
                    edges[edge.source, edge.target] = edge
            frontier = {e.source if direction is _UP else e.target for e in found} - met
            met |= frontier
    return {"graph": _drawn_columns(store.get(met), edges)}


def _columns_of(store: GraphStore, root: Node) -> list[str]:
    if root.kind is Kind.COLUMN:
        return [root.key]
    if root.kind is Kind.DATASET:
        datasets: Iterable[str] = [root.key]
    elif root.kind is Kind.JOB:
        steps = store.reach([root.key], _UP, [EdgeKind.STEP_OF], max_depth=1, limit=_MOST_STEPS)
        datasets = store.reach(steps, _DOWN, [EdgeKind.OUTPUTS], max_depth=1, limit=_MOST_STEPS)
    else:
        raise Invalid(f"{root.key} is a {root.kind}; column lineage starts at a dataset, a field or a job.")
    pages = store.pages(Kind.COLUMN, datasets, marks=("",), limit=_MOST_COLUMNS)
    return [column.key for page in pages.values() for column in page if not column.props.get("parent")]


def _drawn_columns(nodes: dict[str, Node], edges: dict[tuple[str, str], Edge]) -> list[dict[str, Any]]:
    into: dict[str, list[Edge]] = defaultdict(list)
    out: dict[str, list[Edge]] = defaultdict(list)
    for (source, target), edge in edges.items():
        if source in nodes and target in nodes:
            into[target].append(edge)
            out[source].append(edge)
    drawn = []
    for key in sorted(nodes):
        if key not in into and key not in out:
            continue
        id_ = shapes.node_id(key)
        inputs = sorted(into[key], key=lambda edge: edge.source)
        first = inputs[0] if inputs else None
        data = {
            **_field_data(nodes[key]),
            "fieldType": nodes[key].props.get("type"),
            "transformationDescription": first.props.get("description") if first else None,
            "transformationType": _transformation(first) if first else None,
            "inputFields": [
                {
                    **_field_data(nodes[edge.source]),
                    "transformationDescription": edge.props.get("description"),
                    "transformationType": _transformation(edge),
                }
                for edge in inputs
            ],
        }
        drawn.append(
            {
                "id": id_,
                "type": "DATASET_FIELD",
                "data": data,
                "inEdges": [{"origin": id_, "destination": shapes.node_id(e.source)} for e in inputs],
                "outEdges": [
                    {"origin": id_, "destination": shapes.node_id(e.target)}
                    for e in sorted(out[key], key=lambda edge: edge.target)
                ],
            }
        )
    return drawn


def _field_data(column: Node) -> dict[str, Any]:
    namespace, dataset, field = keys.parts_of(column.key)
    return {
        "namespace": namespace,
        "dataset": dataset,
        "datasetVersion": None,
        "field": column.props.get("name") or field,
    }


def _transformation(edge: Edge) -> str:
    subtype = edge.props.get("subtype")
    return str(subtype) if subtype else "DIRECT" if edge.kind is EdgeKind.DERIVES else "INDIRECT"

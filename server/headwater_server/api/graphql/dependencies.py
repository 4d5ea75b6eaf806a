"""Which columns a column comes from or goes to, and by which transformation."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from headwater_server.api.graphql.neighbours import ends
from headwater_server.graph import keys
from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.shapes import TransformationType
from headwater_server.store.port import Direction, GraphStore

_FLOW = (EdgeKind.DERIVES, EdgeKind.AFFECTS)


@dataclass(frozen=True, slots=True)
class Dependency:
    column: str
    type: TransformationType
    subtype: str | None
    description: str | None
    masking: bool
    job: str | None


def dependencies(store: GraphStore, columns: list[str], direction: Direction) -> dict[str, list[Dependency]]:
    """For each column, one entry per other column and step.

    What affects a whole dataset (a filter, a join) affects each of its columns.
    """
    upstream = direction is Direction.UPSTREAM
    edges = list(store.expand(columns, direction, _FLOW))
    placed = [(e.target, e.source, e) if upstream else (e.source, e.target, e) for e in edges]
    if upstream:
        placed += _on_all_rows(store, columns)
    else:
        placed = _spread(store, placed)
    jobs = ends(
        store, {edge.tag for _, _, edge in placed if edge.tag}, Direction.DOWNSTREAM, EdgeKind.STEP_OF
    )
    found: dict[str, list[Dependency]] = defaultdict(list)
    for here, there, edge in sorted(
        placed, key=lambda p: (p[0], p[2].kind != EdgeKind.DERIVES, p[1], p[2].tag)
    ):
        found[here].append(_dependency(there, edge, jobs.get(edge.tag, [None])[0]))
    return found


def _on_all_rows(store: GraphStore, columns: Iterable[str]) -> list[tuple[str, str, Edge]]:
    of_dataset: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        of_dataset[keys.dataset_of(column)].append(column)
    edges = store.expand(of_dataset, Direction.UPSTREAM, [EdgeKind.AFFECTS])
    return [(column, edge.source, edge) for edge in edges for column in of_dataset[edge.target]]


def _spread(store: GraphStore, placed: list[tuple[str, str, Edge]]) -> list[tuple[str, str, Edge]]:
    datasets = {there for _, there, _ in placed if keys.kind_of(there) is Kind.DATASET}
    columns = ends(store, datasets, Direction.DOWNSTREAM, EdgeKind.HAS_COLUMN)
    return [
        (here, column, edge)
        for here, there, edge in placed
        for column in (columns.get(there, []) if there in datasets else [there])
    ]


def _dependency(column: str, edge: Edge, job: str | None) -> Dependency:
    subtype, description = edge.props.get("subtype"), edge.props.get("description")
    return Dependency(
        column=column,
        type=TransformationType.DIRECT if edge.kind is EdgeKind.DERIVES else TransformationType.INDIRECT,
        subtype=str(subtype) if subtype else None,
        description=str(description) if description else None,
        masking=bool(edge.props.get("masking")),
        job=job,
    )

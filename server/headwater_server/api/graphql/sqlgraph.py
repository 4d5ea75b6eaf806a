"""A parsed script as a graph of columns, in the shapes of the lineage answers. Pure."""

from collections.abc import Callable, Iterable

from headwater_parsers import ColumnRef, ScriptLineage, TableRef, Type
from headwater_server.graph import keys, names
from headwater_server.graph.words import Kind
from headwater_server.lineage.shapes import (
    EdgeOrigin,
    EntityKind,
    EvidenceKind,
    Granularity,
    LineageEdge,
    LineageGraph,
    LineageGroup,
    LineageNode,
    ShownEdgeKind,
    TransformationType,
)
from headwater_server.lineage.urns import encode_id, urn_of

KeyOf = Callable[[TableRef | None], str]
"""The key of the dataset that a table is; of what a bare SELECT makes, for None."""

_RANK = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}
Ends = tuple[str, str, TransformationType]


class _Drawing:
    """Datasets, their columns and the edges, each once."""

    def __init__(self, key_of: KeyOf, now: int) -> None:
        self.key_of = key_of
        self.now = now
        self.depths: dict[str, int] = {}
        self.labels: dict[str, str] = {}
        self.edges: dict[Ends, LineageEdge] = {}

    def table(self, table: TableRef | None, depth: int) -> str:
        key = self.key_of(table)
        self._at(key, depth, keys.parts_of(key)[1])
        return key

    def column(self, column: ColumnRef, table: TableRef | None, depth: int) -> str:
        key = keys.column(self.table(table, depth), column.name)
        self._at(key, depth, column.name)
        return key

    def _at(self, key: str, depth: int, label: str) -> None:
        """What is written stays at 0, be it read as well."""
        self.depths[key] = max(depth, self.depths.get(key, depth))
        self.labels.setdefault(key, label)

    def edge(
        self,
        source: str,
        target: str,
        how: TransformationType,
        subtype: str,
        *,
        masking: bool,
        confidence: float,
    ) -> None:
        ends = (source, target, how)
        known = self.edges.get(ends)
        if known is not None:
            subtype = _both(known.subtype or "", subtype, how)
            masking = masking or known.masking
            confidence = max(confidence, known.confidence)
        self.edges[ends] = LineageEdge(
            source=encode_id(source),
            target=encode_id(target),
            kind=ShownEdgeKind.DERIVES,
            evidence=EvidenceKind.SQL,
            transformation=how,
            subtype=subtype,
            masking=masking,
            via=None,
            confidence=round(confidence, 3),
            origin=EdgeOrigin.SQL_PARSED,
            first_seen=self.now,
            last_seen=self.now,
            count=1 if known is None else known.count + 1,
        )


def graph_of(script: ScriptLineage, key_of: KeyOf, *, now: int) -> LineageGraph:
    """What flows between columns; tables stand beside them as their parents.

    An input that may belong to several tables is drawn from each of them, with its share of the confidence.
    Conditions on all rows (JOIN, FILTER, …) lead to the table itself.
    """
    drawing = _Drawing(key_of, now)
    outputs: list[TableRef | None] = list(script.outputs)
    if not outputs:
        outputs = [None]
    for table in script.inputs:
        drawing.table(table, -1)
    for out in outputs:
        drawing.table(out, 0)
    for statement in script.statements:
        for made in statement.columns:
            if _shown(made.ref.table, script, outputs):
                drawing.column(made.ref, made.ref.table, 0)
    for edge in script.edges:
        if not _shown(edge.output.table, script, outputs) or "*" in (edge.output.name, edge.input.name):
            continue
        how = TransformationType.DIRECT if edge.type is Type.DIRECT else TransformationType.INDIRECT
        target = drawing.column(edge.output, edge.output.table, 0)
        for table, share in _sources(edge.input):
            source = drawing.column(edge.input, table, -1)
            drawing.edge(
                source, target, how, edge.subtype.value,
                masking=edge.masking, confidence=0.9 * edge.confidence * share,
            )  # fmt: skip
    for whole in script.dataset_edges:
        if not _shown(whole.output, script, outputs) or whole.input.name == "*":
            continue
        target = drawing.table(whole.output, 0)
        for table, share in _sources(whole.input):
            source = drawing.column(whole.input, table, -1)
            drawing.edge(
                source, target, TransformationType.INDIRECT, whole.subtype.value,
                masking=False, confidence=0.9 * share,
            )  # fmt: skip
    return _finish(drawing, key_of(outputs[0]))


def _shown(table: TableRef | None, script: ScriptLineage, outputs: Iterable[TableRef | None]) -> bool:
    return table not in script.temporary if table is not None else None in outputs


def _sources(column: ColumnRef) -> list[tuple[TableRef, float]]:
    if column.table is not None:
        return [(column.table, 1.0)]
    return [(table, 1 / len(column.candidates)) for table in column.candidates]


def _both(one: str, other: str, how: TransformationType) -> str:
    if how is TransformationType.DIRECT:
        return max(one, other, key=lambda subtype: _RANK.get(subtype, -1))
    return ",".join(sorted({*one.split(","), *other.split(",")} - {""}))


def _finish(drawing: _Drawing, root: str) -> LineageGraph:
    ups: dict[str, set[str]] = {}
    downs: dict[str, set[str]] = {}
    for source, target, _ in drawing.edges:
        ups.setdefault(target, set()).add(source)
        downs.setdefault(source, set()).add(target)
    columns: dict[str, int] = {}
    for key in drawing.depths:
        if key.startswith("column|"):
            owner = keys.dataset_of(key)
            columns[owner] = columns.get(owner, 0) + 1
    nodes = tuple(
        _node(key, drawing, len(ups.get(key, ())), len(downs.get(key, ())), columns.get(key))
        for key in sorted(drawing.depths, key=lambda key: (-drawing.depths[key], key))
    )
    return LineageGraph(
        root=encode_id(root),
        nodes=nodes,
        edges=tuple(drawing.edges.values()),
        groups=_groups(nodes),
        as_of=drawing.now,
        granularity=Granularity.COLUMN,
        total_nodes=len(nodes),
        total_edges=len(drawing.edges),
        truncated=False,
        truncated_reason=None,
        frontier=(),
    )


def _node(key: str, drawing: _Drawing, up: int, down: int, columns: int | None) -> LineageNode:
    namespace = keys.parts_of(key)[0]
    is_column = key.startswith("column|")
    return LineageNode(
        id=encode_id(key),
        urn=urn_of(key, Kind.COLUMN if is_column else Kind.DATASET),
        kind=EntityKind.COLUMN if is_column else EntityKind.DATASET,
        name=drawing.labels[key],
        namespace=namespace,
        platform=names.platform(namespace),
        depth=drawing.depths[key],
        upstream_count=up,
        downstream_count=down,
        hidden_upstream=0,
        hidden_downstream=0,
        parent_id=encode_id(keys.dataset_of(key)) if is_column else None,
        group_id=encode_id(keys.key(Kind.NAMESPACE, namespace)),
        status=None,
        stage=None,
        tags=(),
        column_count=None if is_column else columns or 0,
        archived=False,
        updated_at=None,
        key=key,
    )


def _groups(nodes: tuple[LineageNode, ...]) -> tuple[LineageGroup, ...]:
    members: dict[tuple[str, str], list[LineageNode]] = {}
    for node in nodes:
        members.setdefault((node.group_id or "", node.namespace or ""), []).append(node)
    return tuple(
        LineageGroup(
            id=group,
            label=label,
            parent_id=None,
            node_count=len(inside),
            kinds=tuple(sorted({n.kind for n in inside})),
        )
        for (group, label), inside in members.items()
    )

"""Ways through a folded graph as people read them: nodes, edges and one line of text."""

import time
from collections.abc import Iterable, Mapping, Sequence

from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.lineage.fold import Bond, Ends
from headwater_server.lineage.shapes import LineageEdge, LineageNode, LineagePath, ShownEdgeKind
from headwater_server.lineage.show import Details, show_edge, show_node, shown_name
from headwater_server.lineage.trace import Trace

Links = dict[str, list[tuple[str, Ends | None]]]


def links(done: Trace, within: Mapping[str, int]) -> Links:
    """Along the flow, between keys that were reached. From a column one may go on as its table."""
    found: Links = {}
    for ends in done.fold.bonds:
        source, target, kind = ends
        if source in within and target in within and source != target and kind is not ShownEdgeKind.PARENT:
            found.setdefault(source, []).append((target, ends))
    for key in within:
        if key.startswith("column|") and (owner := keys.dataset_of(key)) in within:
            found.setdefault(key, []).append((owner, None))
    return found


class Writer:
    """Writes paths; a node or edge that several paths share is made once."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        bonds: Mapping[Ends, Bond],
        *,
        depths: Mapping[str, int],
        now: int,
        details: Details | None = None,
    ) -> None:
        self._nodes = nodes
        self._bonds = bonds
        self._depths = depths
        self._now = now
        self._details = details
        self._shown: dict[str, LineageNode] = {}
        self._drawn: dict[Ends, LineageEdge] = {}

    def node(self, key: str) -> LineageNode:
        if key not in self._shown:
            self._shown[key] = show_node(
                self._nodes[key], depth=self._depths.get(key, 0), details=self._details
            )
        return self._shown[key]

    def edge(self, ends: Ends) -> LineageEdge:
        if ends not in self._drawn:
            self._drawn[ends] = show_edge(ends, self._bonds[ends], now=self._now, details=self._details)
        return self._drawn[ends]

    def path(self, places: Sequence[str], over: Iterable[Ends | None]) -> LineagePath:
        edges = tuple(self.edge(ends) for ends in over if ends is not None)
        return LineagePath(
            length=len(edges),
            nodes=tuple(self.node(key) for key in places),
            edges=edges,
            text=" → ".join(self.label(key) for key in places),
        )

    def label(self, key: str) -> str:
        node = self._nodes[key]
        if key.startswith("column|"):
            _, table, path = keys.parts_of(key)
            return f"{table}.{path}"
        return shown_name(node)


def is_late(deadline: float) -> bool:
    return time.monotonic() >= deadline

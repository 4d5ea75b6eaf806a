"""A change to the graph as values: nodes, edges and what goes. Decided by pure code, applied by a store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from headwater_server.graph.words import EdgeKind, Kind

Value: TypeAlias = str | int | float | bool | list[str] | None
"""What a property may be. A nested value is JSON text. Times are microseconds since 1970 UTC."""

# Nodes and edges are tuples: by far the most objects made here, and a frozen dataclass takes three times as long.
NO_PROPS: Mapping[str, Value] = MappingProxyType({})


class Node(NamedTuple):
    """One node.

    `group`, `mark` and `sort` are what pages are made of: nodes of a kind (and a group and marks)
    in order of (sort, key).

    | kind | group | mark | sort |
    |---|---|---|---|
    | Dataset, Job | namespace | `` visible, `h` hidden (alias, archived, dropped) | name |
    | Column | dataset key | `` present, `h` retired | ordinal (5 digits), path |
    | DatasetVersion | dataset key | `` | created |
    | Run | job key | `C` complete, `T` complete and first of another flow, `R` in flight, `F` failed or aborted, `N` only named | begin |
    | Step | job key or `` | `` | |
    | Model | `` | `` visible, `h` archived | name |
    | ModelVersion | model key | `` visible, `h` archived | number (9 digits) |
    | Stage, Alias | model key | `` | order, name |
    | Annotation | subject's key | `` | created |
    | Experiment | `` | `` visible, `h` deleted | created |
    | LoggedModel | experiment's key | `` visible, `h` deleted | created |
    | ParamKey, MetricKey | experiment's key | `` | name |
    | CodeVersion | `` | `` | commit |
    | Package | `` | `` | name |
    """

    key: str
    kind: Kind
    group: str = ""
    mark: str = ""
    sort: str = ""
    words: str = ""
    """Space-separated lower-case words to be found by `search`; empty: not searched."""
    props: Mapping[str, Value] = NO_PROPS


class EdgeKey(NamedTuple):
    """What tells an edge from all others: one per (source, kind, target, tag)."""

    source: str
    kind: EdgeKind
    target: str
    tag: str = ""
    """Which of several between the same two nodes: the step of a DERIVES, the since of a WAS_INPUT_OF."""


class Edge(NamedTuple):
    source: str
    kind: EdgeKind
    target: str
    tag: str = ""
    since: int | None = None
    """From when it holds, by event time; None: always did."""
    until: int | None = None
    """Exclusive; None: it still holds."""
    props: Mapping[str, Value] = NO_PROPS

    @property
    def key(self) -> EdgeKey:
        return EdgeKey(self.source, self.kind, self.target, self.tag)


@dataclass(frozen=True, slots=True)
class Changeset:
    """News only. A store does, in this order and in one transaction: `nodes`, `states`, `drop`, `edges`, `prune`.

    Applying the same changeset twice changes nothing.
    """

    nodes: tuple[Node, ...] = ()
    """Written whole: a property left out is removed. The state of an existing node stays."""
    states: Mapping[str, bytes] = field(default_factory=dict)
    """Facts of an entity as opaque bytes, kept on its node (which exists or is in `nodes`)."""
    edges: tuple[Edge, ...] = ()
    """Written whole. Both ends exist or are in `nodes`; an edge to a missing node is an error."""
    drop: tuple[EdgeKey, ...] = ()
    prune: tuple[str, ...] = ()
    """Nodes to delete if, after everything else, they have no edge left but STEP_OF and VERSION_OF, their own."""

    def __bool__(self) -> bool:
        return bool(self.nodes or self.states or self.edges or self.drop or self.prune)

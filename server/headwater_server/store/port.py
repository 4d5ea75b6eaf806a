"""What a graph store must do. An adapter is done when it passes tests/stores."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from headwater_server.graph.changes import Changeset, Edge, Node, Value
from headwater_server.graph.words import EdgeKind, Kind


class Direction(StrEnum):
    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True)
class Applied:
    """How far the graph has come: the last record in it, and of which log."""

    seq: int
    log: str


@dataclass(frozen=True, slots=True)
class Hit:
    node: Node
    score: float


class GraphStore(Protocol):
    """A property graph with one writer and many readers.

    Every method is synchronous and may be called from any thread; `apply` and `reset` by one thread
    at a time. A reader sees either all or nothing of an `apply`.

    Raises from every method: `Unavailable` when the store does not answer now (the caller may try
    again), never a driver's own error.
    """

    backend: str
    """`sqlite` or `neo4j`, for people to read."""

    def applied(self) -> Applied:
        """(0, "") when empty."""
        ...

    def apply(self, changes: Changeset, *, upto: Applied) -> None:
        """All of it and the mark `upto`, in one transaction; idempotent."""
        ...

    def reset(self) -> None:
        """Empty the graph, marks too."""
        ...

    def get(self, keys: Iterable[str]) -> dict[str, Node]:
        """Those that exist."""
        ...

    def states(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The facts of those that have any."""
        ...

    def page(
        self,
        kind: Kind,
        *,
        marks: Sequence[str],
        group: str | None = None,
        after: tuple[str, str] | None = None,
        before: tuple[str, str] | None = None,
        reverse: bool = False,
        limit: int,
    ) -> list[Node]:
        """Nodes of a kind (in a group) with one of these marks, ordered by (sort, key).

        `after` and `before` are exclusive bounds on (sort, key), whichever way it runs. `reverse`
        runs from the last. The cost is the page's, not the kind's: index seeks, no sort.
        """
        ...

    def pages(
        self,
        kind: Kind,
        groups: Iterable[str],
        *,
        marks: Sequence[str],
        reverse: bool = False,
        limit: int,
    ) -> dict[str, list[Node]]:
        """The first page of each of these groups, as `page` gives it; groups without any are left out.

        One question however many groups; a seek per group and mark.
        """
        ...

    def rows(
        self, kind: Kind, groups: Iterable[str], names: Sequence[str], *, mark: str, limit: int
    ) -> dict[str, list[list[Value]]]:
        """Of the nodes that `pages` gives these properties alone, in the order of `names`; None where one is missing.

        For many small nodes: a fraction of the cost of whole ones.
        """
        ...

    def count(self, kind: Kind, *, marks: Sequence[str], group: str | None = None) -> int: ...

    def groups(self, kind: Kind) -> dict[str, int]:
        """How many nodes of a kind (any mark) each group has."""
        ...

    def starting(self, prefix: str, *, limit: int) -> list[str]:
        """Keys that begin so, in order."""
        ...

    def expand(
        self,
        keys: Iterable[str],
        direction: Direction,
        kinds: Iterable[EdgeKind],
        *,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Edge]:
        """One level: the edges that leave (or enter) these nodes, of these kinds.

        With `at`: those that held then (`since <= at < until`, an absent end is open). Order is
        undefined unless `limit` is given: then by (source, kind, target, tag), cut after `limit`.
        """
        ...

    def reach(
        self,
        keys: Iterable[str],
        direction: Direction,
        kinds: Iterable[EdgeKind],
        *,
        at: int | None = None,
        max_depth: int,
        limit: int,
    ) -> dict[str, int]:
        """Which nodes can be reached, and over how few edges (1 to `max_depth`).

        A start is in the answer only when an edge leads back to it from another start or itself.
        With more than `limit`: nearest first, ties at the last depth undefined. Equal to
        `store.walk.reach` over `expand`.
        """
        ...

    def search(self, text: str, *, kinds: Sequence[Kind], limit: int) -> list[Hit]:
        """Nodes whose words begin with every word of the text (see `graph.names.words`), best first.

        Hidden nodes (mark `h`) are left out.
        """
        ...

    def all_nodes(self) -> Iterator[Node]:
        """Every node, in no order, streamed."""
        ...

    def all_edges(self) -> Iterator[Edge]: ...

    def sizes(self) -> Mapping[str, int]:
        """`nodes` and `edges`, counted cheaply."""
        ...

    def close(self) -> None: ...

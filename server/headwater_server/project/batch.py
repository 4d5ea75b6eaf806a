"""The changes of one batch, collected as differences between what was derived and what is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from headwater_server.graph.changes import Changeset, Edge, EdgeKey, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.project.said import Derived

_MAY_GO = frozenset({Kind.STEP, Kind.JOB_VERSION, Kind.DATASET_VERSION, Kind.COLUMN})
"""Kinds that are derived, not named by anybody: without an edge they are gone."""

_SHARED = frozenset({Kind.NAMESPACE, Kind.STEP, Kind.PARAM_KEY, Kind.METRIC_KEY, Kind.PACKAGE})
"""Written by many owners, always the same: once is enough."""


Slot: TypeAlias = tuple[str, EdgeKind, str, str]
"""As an EdgeKey: a slice of the edge, which takes a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What was derived for one owner, to be compared."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: Mapping[Slot, Edge] = field(default_factory=dict)

    @classmethod
    def of(cls, *derived: Derived) -> Self:
        return cls(
            {n.key: n for d in derived for n in d.nodes},
            {e[:4]: e for d in derived for e in d.edges},
        )


NOTHING = Picture()


class Batch:
    """Collects; `changes` gives it all in the order that every store likes."""

    def __init__(self, known: Mapping[str, None]) -> None:
        self._known = known
        """Shared nodes that are written already."""
        self.nodes: dict[str, Node] = {}
        self.states: dict[str, bytes] = {}
        self._edges: dict[Slot, Edge] = {}
        self._drop: dict[Slot, None] = {}
        self._prune: dict[str, None] = {}

    def move(self, old: Picture, new: Picture) -> None:
        """One owner's picture changes."""
        if new is old:
            return
        if (
            old is NOTHING
        ):  # wholly new, as most of what is told of new jobs: there is nothing to compare with
            for key, node in new.nodes.items():
                if node.kind not in _SHARED or key not in self._known:
                    self.nodes[key] = node
            self._edges.update(new.edges)
            return
        for key, node in new.nodes.items():
            if old.nodes.get(key) != node and not (node.kind in _SHARED and key in self._known):
                self.nodes[key] = node
        for slot, edge in new.edges.items():
            if old.edges.get(slot) != edge:
                self._edges[slot] = edge
        for slot in old.edges.keys() - new.edges.keys():
            # STEP_OF may be another owner's too (now and in the past); it goes with the step.
            if slot[1] is not EdgeKind.STEP_OF:
                self._drop[slot] = None
        for key in old.nodes.keys() - new.nodes.keys():
            if old.nodes[key].kind in _MAY_GO:
                self._prune[key] = None

    def keep(self, told: Callable[[str], bool]) -> None:
        """Take back the pruning of what somebody's facts tell of."""
        self._prune = {key: None for key in self._prune if not told(key)}

    def shared(self) -> Iterable[str]:
        """Shared nodes that this batch writes; those it may prune are to be forgotten."""
        return (k for k, n in self.nodes.items() if n.kind in _SHARED and k not in self._prune)

    def pruned(self) -> Iterable[str]:
        return self._prune

    def changes(self) -> Changeset:
        return Changeset(
            nodes=tuple(self.nodes[k] for k in sorted(self.nodes)),
            states=self.states,
            edges=tuple(self._edges.values()),
            drop=tuple(EdgeKey(*slot) for slot in self._drop if slot not in self._edges),
            prune=tuple(self._prune),
        )

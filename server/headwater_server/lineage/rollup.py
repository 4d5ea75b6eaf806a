"""Many nodes as few: each group stands as one node, with the flow between groups counted. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from headwater_server.graph import keys
from headwater_server.graph.words import Kind
from headwater_server.lineage.fold import Bond, Ends
from headwater_server.lineage.shapes import (
    EntityKind,
    LineageEdge,
    LineageGroup,
    LineageNode,
    ShownEdgeKind,
)
from headwater_server.lineage.show import show_edge
from headwater_server.lineage.urns import encode_id

MODELS = "models"  # of no namespace


class Rollup:
    """Groups by key while members and bonds are added."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.kinds: dict[str, Counter[EntityKind]] = {}
        self.depths: dict[str, int] = {}
        self.bonds: dict[tuple[str, str], tuple[Bond, ShownEdgeKind, int]] = {}

    def add(self, group: str, label: str, kind: EntityKind, *, depth: int = 0) -> None:
        self.labels[group] = label
        self.kinds.setdefault(group, Counter())[kind] += 1
        self.depths[group] = min(depth, self.depths.get(group, depth))

    def bond(self, source: str, target: str, bond: Bond, kind: ShownEdgeKind) -> None:
        """Inside a group nothing flows that is shown."""
        if source == target or source not in self.labels or target not in self.labels:
            return
        known = self.bonds.get((source, target))
        if known is None:
            self.bonds[source, target] = (bond, kind, 1)
        else:
            best = known[0] if known[0].confidence >= bond.confidence else bond
            self.bonds[source, target] = (
                best,
                known[1] if known[1] is kind else ShownEdgeKind.DERIVES,
                known[2] + 1,
            )

    def largest(self, limit: int) -> list[str]:
        ordered = sorted(self.labels, key=lambda g: (-self.kinds[g].total(), g))
        return ordered[:limit]

    def nodes(self, groups: Iterable[str]) -> tuple[LineageNode, ...]:
        shown = dict.fromkeys(groups)
        up: Counter[str] = Counter()
        down: Counter[str] = Counter()
        hidden_up: Counter[str] = Counter()
        hidden_down: Counter[str] = Counter()
        for source, target in self.bonds:
            down[source] += 1
            up[target] += 1
            hidden_down[source] += target not in shown
            hidden_up[target] += source not in shown
        return tuple(
            LineageNode(
                id=encode_id(group),
                urn=f"hw:{group.partition('|')[0]}:{self.labels[group]}",
                kind=self.kinds[group].most_common(1)[0][0],
                name=self.labels[group],
                namespace=self.labels[group] if group.startswith("namespace|") else None,
                platform=None,
                depth=self.depths[group],
                upstream_count=up[group],
                downstream_count=down[group],
                hidden_upstream=hidden_up[group],
                hidden_downstream=hidden_down[group],
                parent_id=None,
                group_id=encode_id(group),
                status=None,
                stage=None,
                tags=(),
                column_count=None,
                archived=False,
                updated_at=None,
                key=group,
            )
            for group in shown
        )

    def groups(self, groups: Iterable[str]) -> tuple[LineageGroup, ...]:
        return tuple(
            LineageGroup(
                id=encode_id(group),
                label=self.labels[group],
                parent_id=None,
                node_count=self.kinds[group].total(),
                kinds=tuple(sorted(self.kinds[group])),
            )
            for group in groups
        )

    def edges(self, groups: Iterable[str], *, now: int) -> tuple[LineageEdge, ...]:
        """`count` is the number of edges rolled into one."""
        shown = set(groups)
        found = []
        for (source, target), (bond, kind, count) in self.bonds.items():
            if source in shown and target in shown:
                ends: Ends = (source, target, kind)
                one = Bond(
                    evidence=bond.evidence,
                    origin=bond.origin,
                    first=bond.first,
                    last=bond.last,
                    said={str(n) for n in range(count)},
                )
                found.append(show_edge(ends, one, now=now))
        return tuple(found)


@lru_cache(maxsize=4_096)
def namespace_id(namespace: str) -> str:
    """The id of a namespace as a group of nodes: an answer names few, for each of its nodes."""
    return encode_id(keys.key(Kind.NAMESPACE, namespace))


def namespace_group(namespace: str | None) -> tuple[str, str]:
    label = namespace or MODELS
    return keys.key(Kind.NAMESPACE, label), label


def roll_up(
    depths: Mapping[str, int],
    kinds: Mapping[str, tuple[EntityKind, str | None]],
    bonds: Mapping[Ends, Bond],
) -> Rollup:
    """By namespace; things without one stand together."""
    rolled = Rollup()
    for key, (kind, namespace) in kinds.items():
        rolled.add(*namespace_group(namespace), kind, depth=depths.get(key, 0))
    for (source, target, how), bond in bonds.items():
        if source in kinds and target in kinds:
            rolled.bond(namespace_group(kinds[source][1])[0], namespace_group(kinds[target][1])[0], bond, how)
    return rolled

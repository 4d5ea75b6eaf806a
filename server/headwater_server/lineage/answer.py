"""Lineage of one thing: what the walk found, as the graph that a person sees."""

import time

from headwater_server.graph import keys, names
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage.around import Neighbours, neighbours, version_neighbours
from headwater_server.lineage.bridge import bridge
from headwater_server.lineage.fold import Bond, Ends
from headwater_server.lineage.moves import View
from headwater_server.lineage.refs import resolve, resolve_all
from headwater_server.lineage.rollup import namespace_group, namespace_id, roll_up
from headwater_server.lineage.shapes import (
    EntityKind,
    Granularity,
    LineageDirection,
    LineageEdge,
    LineageFilter,
    LineageGraph,
    LineageGroup,
    LineageNode,
    ShownEdgeKind,
)
from headwater_server.lineage.show import (
    ENTITY_KIND,
    Details,
    is_gone,
    namespace_of,
    show_edge,
    show_node,
    strings,
)
from headwater_server.lineage.trace import Trace, trace
from headwater_server.lineage.urns import encode_id
from headwater_server.lineage.versions import trace_versions
from headwater_server.lineage.walk import DEADLINE, MAX_NODES
from headwater_server.store.port import GraphStore

PATIENCE = 10.0  # seconds; then the answer is what was found until then
EVERYTHING = LineageFilter()


def lineage(
    ref: str,
    store: GraphStore,
    *,
    direction: LineageDirection = LineageDirection.BOTH,
    depth: int = 2,
    granularity: Granularity = Granularity.ENTITY,
    as_of: int | None = None,
    only: LineageFilter | None = None,
    max_nodes: int = 500,
    details: bool = True,
    now: int | None = None,
    deadline: float | None = None,
) -> LineageGraph:
    """What the thing is made of and what is made of it.

    `deadline` is a `time.monotonic()`; without one it is 10 s from now. Past it the answer is what
    was found until then, `truncated`. Without `details` the counts of neighbours, the states, stages,
    numbers of columns and the frontier are left out: they cost more than the walk.
    """
    only = only or EVERYTHING
    now = time.time_ns() // 1000 if now is None else now
    until = time.monotonic() + PATIENCE if deadline is None else deadline
    view = View(store, as_of)
    root = resolve(ref, store)
    if granularity is Granularity.ENTITY and only.kinds and EntityKind.JOB not in only.kinds:
        granularity = Granularity.DATASET
    if granularity is Granularity.VERSION:
        done = trace_versions(
            root,
            view,
            direction=direction,
            depth=max(depth, 0),
            limit=4 * max_nodes + 1000,
            deadline=until,
        )
        return draw(done, view, only=only, max_nodes=max_nodes, details=details, now=now, deadline=until)
    done = trace(
        root,
        view,
        direction=direction,
        depth=max(depth, 0),
        granularity=granularity,
        limit=4 * max_nodes + 1000,
        deadline=until,
        columns=only.columns,
        transformation=only.transformation,
        stop_at=resolve_all(only.stop_at, store),
    )
    return draw(done, view, only=only, max_nodes=max_nodes, details=details, now=now, deadline=until)


def draw(
    done: Trace,
    view: View,
    *,
    only: LineageFilter,
    max_nodes: int,
    details: bool,
    now: int,
    deadline: float,
) -> LineageGraph:
    """The nearest `max_nodes` of a trace that the filter lets through, with the edges between them."""
    depths = done.depths
    found = view.store.get(depths)
    kept = keep(done, depths, found, only=only, at=view.at)
    gone = set() if only.include_archived else _gone(done, depths, found, at=view.at)
    bonds = {
        ends: bond
        for ends, bond in (bridge(done.fold.bonds, gone) if gone else done.fold.bonds).items()
        if ends[0] in kept
        and ends[1] in kept
        and (only.transformation is None or bond.transformation in (None, only.transformation))
    }
    more = Details(view, deadline=deadline)
    if only.seen_after is not None:
        more.load_runs(key for key in kept if key.startswith("job|"))
        more.load_runs({bond.via for bond in bonds.values() if bond.via})
        bonds = {
            ends: bond
            for ends, bond in bonds.items()
            if show_edge(ends, bond, now=now, details=more).last_seen >= only.seen_after
        }
        kept &= connected(done.root, bonds)
    if done.granularity is Granularity.GROUP:
        return _rolled_up(done, kept, found, bonds, view=view, max_nodes=max_nodes, now=now)
    ordered = sorted(kept, key=lambda key: (depths[key], key))
    shown = dict.fromkeys(ordered[:max_nodes])
    around, versions = None, done.granularity is Granularity.VERSION
    if details:
        around = version_neighbours(shown, view) if versions else neighbours(shown, done, view)
        more.load(found[key] for key in shown)
    edges = tuple(
        show_edge(ends, bond, now=now, details=more)
        for ends, bond in bonds.items()
        if ends[0] in shown and ends[1] in shown
    )
    parents, family = _parents(shown, found)
    nodes = tuple(
        show_node(
            found[key],
            depth=depths[key],
            details=more if details else None,
            counts=around.counts(key, shown) if around else (0, 0, 0, 0),
            parent_id=parents.get(key),
            group_id=_group_id(found[key]),
        )
        for key in shown
    )
    stopped = done.stopped
    if len(ordered) > max_nodes and stopped != DEADLINE:
        stopped = MAX_NODES
    return LineageGraph(
        root=encode_id(done.root),
        nodes=nodes,
        edges=edges + _family_edges(family, edges, now),
        groups=groups_of(nodes),
        as_of=now if view.at is None else view.at,
        granularity=done.granularity,
        total_nodes=len(ordered),
        total_edges=len(bonds),
        truncated=stopped is not None,
        truncated_reason=stopped,
        frontier=_frontier(done, shown, around) if around else (),
    )


def _gone(done: Trace, depths: dict[str, int], found: dict[str, Node], *, at: int | None) -> set[str]:
    return {key for key in depths if key != done.root and key in found and is_gone(found[key], at=at)}


def keep(
    done: Trace, depths: dict[str, int], found: dict[str, Node], *, only: LineageFilter, at: int | None
) -> set[str]:
    """The keys that the filter lets through; the root always. A job stays with what it reads or writes."""
    kinds = set(only.kinds)
    kept: set[str] = set()
    workers: list[str] = []
    narrow = bool(only.namespaces or only.platforms or only.tags or only.owners)
    for key in depths:
        node = found.get(key)
        if node is None:
            continue
        if key != done.root:
            if kinds and ENTITY_KIND.get(node.kind) not in kinds:
                continue
            if not only.include_archived and is_gone(node, at=at):
                continue
            if narrow and not fits(node, only):
                if node.kind is Kind.JOB:
                    workers.append(key)
                continue
        kept.add(key)
    if workers:
        beside: set[str] = set()
        for source, target, _ in done.fold.bonds:
            if source in kept:
                beside.add(target)
            if target in kept:
                beside.add(source)
        kept.update(key for key in workers if key in beside)
    kept.update(
        keys.dataset_of(key)
        for key in list(kept)
        if key.startswith("column|") and keys.dataset_of(key) in found and not kinds
    )
    return kept


def fits(node: Node, only: LineageFilter) -> bool:
    """Whether a node is of the namespaces, platforms, tags and owners that were asked for."""
    namespace = namespace_of(node) or ""
    if only.namespaces and namespace not in only.namespaces:
        return False
    if only.platforms and names.platform(namespace) not in {name.casefold() for name in only.platforms}:
        return False
    if only.tags and not any(
        tag in only.tags or tag.partition("=")[0] in only.tags for tag in strings(node, "tags")
    ):
        return False
    owners = {name.casefold() for name in only.owners}
    mine = (owner.partition("|")[0].casefold() for owner in strings(node, "owners"))
    return not owners or any(owner in owners for owner in mine)


def connected(root: str, bonds: dict[Ends, Bond]) -> set[str]:
    """What hangs together with the root over these edges, whichever way they point."""
    beside: dict[str, list[str]] = {}
    for source, target, _ in bonds:
        beside.setdefault(source, []).append(target)
        beside.setdefault(target, []).append(source)
    seen, waiting = {root}, [root]
    while waiting:
        for other in beside.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen | {keys.dataset_of(key) for key in seen if key.startswith("column|")}


def _rolled_up(
    done: Trace,
    kept: set[str],
    found: dict[str, Node],
    bonds: dict[Ends, Bond],
    *,
    view: View,
    max_nodes: int,
    now: int,
) -> LineageGraph:
    """The same by namespace."""
    kinds = {
        key: (ENTITY_KIND.get(found[key].kind, EntityKind.EXTERNAL), namespace_of(found[key])) for key in kept
    }
    rolled = roll_up(done.depths, kinds, bonds)
    groups = rolled.largest(max_nodes)
    stopped = done.stopped or (MAX_NODES if len(groups) < len(rolled.labels) else None)
    return LineageGraph(
        root=encode_id(namespace_group(kinds[done.root][1])[0]) if done.root in kinds else "",
        nodes=rolled.nodes(groups),
        edges=rolled.edges(groups, now=now),
        groups=rolled.groups(groups),
        as_of=now if view.at is None else view.at,
        granularity=done.granularity,
        total_nodes=len(rolled.labels),
        total_edges=len(rolled.bonds),
        truncated=stopped is not None,
        truncated_reason=stopped,
        frontier=(),
    )


def _frontier(done: Trace, shown: dict[str, None], around: Neighbours) -> tuple[str, ...]:
    """Where the answer could go on, each way only where it was walked that way."""
    found = []
    for key in shown:
        _, _, hidden_up, hidden_down = around.counts(key, shown)
        if (hidden_up and key in done.up) or (hidden_down and key in done.down):
            found.append(encode_id(key))
    return tuple(found)


def _parents(shown: dict[str, None], found: dict[str, Node]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The shown parent of columns (their dataset) and jobs, and the pairs of jobs."""
    parents: dict[str, str] = {}
    family: list[tuple[str, str]] = []
    for key in shown:
        parent = None
        if key.startswith("column|"):
            parent = keys.dataset_of(key)
        elif key.startswith("job|"):
            above = found[key].props.get("parent")
            if isinstance(above, str) and above in shown and above != key:
                parent = above
                family.append((parent, key))
        if parent is not None and parent in shown:
            parents[key] = encode_id(parent)
    return parents, family


def _family_edges(
    family: list[tuple[str, str]], edges: tuple[LineageEdge, ...], now: int
) -> tuple[LineageEdge, ...]:
    there = {(edge.source, edge.target) for edge in edges if edge.kind is ShownEdgeKind.PARENT}
    made = (
        show_edge((above, below, ShownEdgeKind.PARENT), Bond(said={above}), now=now)
        for above, below in family
    )
    return tuple(edge for edge in made if (edge.source, edge.target) not in there)


def _group_id(node: Node) -> str | None:
    namespace = namespace_of(node)
    return namespace_id(namespace) if namespace else None


def groups_of(nodes: tuple[LineageNode, ...]) -> tuple[LineageGroup, ...]:
    """The namespaces of these nodes."""
    members: dict[tuple[str, str], list[LineageNode]] = {}
    for node in nodes:
        if node.group_id and node.namespace:
            members.setdefault((node.group_id, node.namespace), []).append(node)
    return tuple(
        LineageGroup(
            id=group,
            label=label,
            parent_id=None,
            node_count=len(inside),
            kinds=tuple(sorted({node.kind for node in inside})),
        )
        for (group, label), inside in members.items()
    )

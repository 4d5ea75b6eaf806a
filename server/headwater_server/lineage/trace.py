"""A thing's flow, walked and folded: what every question here begins with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import COLUMN_FLOW, EdgeKind, Kind
from headwater_server.lineage.fold import Fold, Names, fold
from headwater_server.lineage.moves import JOBS_FOLDED, JOBS_SHOWN, ColumnMoves, TableMoves, View
from headwater_server.lineage.shapes import Granularity, LineageDirection, TransformationType
from headwater_server.lineage.starts import Starts, same_dataset, starts_of
from headwater_server.lineage.symlinks import fold_names
from headwater_server.lineage.walk import Walk, walk
from headwater_server.store.port import Direction

_COLUMN_KINDS = {
    None: COLUMN_FLOW,
    TransformationType.DIRECT: COLUMN_FLOW - {EdgeKind.AFFECTS},
    TransformationType.INDIRECT: frozenset({EdgeKind.AFFECTS}),
    TransformationType.UNKNOWN: frozenset[EdgeKind](),
}
_WITH_JOBS = frozenset({Granularity.ENTITY, Granularity.VERSION})


@dataclass(frozen=True, slots=True)
class Trace:
    """Shown keys with their distances either way, and the folded edges (some lead further)."""

    root: str
    granularity: Granularity
    up: dict[str, int]
    down: dict[str, int]
    fold: Fold
    names: Names
    folded: dict[str, str]
    """Other names of datasets, and what they are shown as."""
    steps: dict[str, Node]
    stopped: str | None

    @property
    def depths(self) -> dict[str, int]:
        found = dict(self.down)
        for key, depth in self.up.items():
            if depth < found.get(key, depth + 1):
                found[key] = depth
        return found


def trace(
    root: Node,
    view: View,
    *,
    direction: LineageDirection,
    depth: int,
    granularity: Granularity,
    limit: int,
    deadline: float,
    columns: Sequence[str] = (),
    transformation: TransformationType | None = None,
    stop_at: Iterable[Node] = (),
) -> Trace:
    """Walk both ways as asked, each from the root alone, and fold what was found.

    Columns are followed where the root is one, where some are named, and where they are shown.
    """
    by_column = granularity is Granularity.COLUMN or root.kind is Kind.COLUMN or bool(columns)
    starts = starts_of(root, view, by_column=by_column, columns=columns)
    hops = JOBS_SHOWN if granularity in _WITH_JOBS else JOBS_FOLDED
    stop = {name for node in stop_at for name in same_dataset(node.key, view)} - {root.key}
    walks: list[Walk | None] = []
    for way, wanted, begin in (
        (Direction.UPSTREAM, LineageDirection.UPSTREAM, starts.up),
        (Direction.DOWNSTREAM, LineageDirection.DOWNSTREAM, starts.down),
    ):
        if direction not in (wanted, LineageDirection.BOTH):
            walks.append(None)
            continue
        if by_column:
            moves: TableMoves = ColumnMoves(
                view,
                way,
                hops=hops,
                kinds=_COLUMN_KINDS[transformation],
                whole_tables=transformation in (None, TransformationType.UNKNOWN),
            )
        else:
            moves = TableMoves(view, way, hops=hops)
        walks.append(walk(begin, moves, depth=depth, limit=limit, deadline=deadline, stop=stop))
    return _folded(starts, walks, view, granularity=granularity, direction=direction)


def _folded(
    starts: Starts,
    walks: list[Walk | None],
    view: View,
    *,
    granularity: Granularity,
    direction: LineageDirection,
) -> Trace:
    walked = [one for one in walks if one is not None]
    edges: dict[tuple[str, str, str, str], Edge] | list[Edge]
    plain = [edge for edge in starts.edges if _right_way(edge, direction)]
    if len(walked) == 1:
        everything: Iterable[Edge] = [*plain, *walked[0].edges]
    else:
        edges = {(e.source, e.target, e.kind, e.tag): e for e in plain}
        for one in walked:
            for edge in one.edges:
                edges[edge.source, edge.target, edge.kind, edge.tag] = edge
        everything = edges.values()
    symlinks = [edge for edge in everything if edge.kind is EdgeKind.SYMLINK]
    folded = fold_names(symlinks, view.store, at=view.at) if symlinks else {}
    steps = {key: node for one in walked for key, node in one.steps.items()}
    folded = {**folded, **starts.named}
    if folded:
        folded |= _columns_without_twin(walked, Names(folded), view)
    names = Names(folded)
    up, down = (_shown_depths(one, steps, names, granularity=granularity) if one else {} for one in walks)
    root = names(starts.shown)
    for depths, walked_it in ((up, walks[0]), (down, walks[1])):
        if walked_it is not None:
            depths[root] = 0
            if granularity is Granularity.COLUMN and root.startswith("column|"):
                depths[names(keys.dataset_of(root))] = 0
    return Trace(
        root=root,
        granularity=granularity,
        up=up,
        down=down,
        fold=fold(everything, steps, granularity=granularity, names=names),
        names=names,
        folded=folded,
        steps=steps,
        stopped=next((one.stopped for one in walked if one.stopped), None),
    )


def _right_way(edge: Edge, direction: LineageDirection) -> bool:
    """A run's own reads are not shown when only its results were asked for."""
    match direction:
        case LineageDirection.UPSTREAM:
            return edge.kind not in (EdgeKind.WROTE, EdgeKind.PRODUCED)
        case LineageDirection.DOWNSTREAM:
            return edge.kind is not EdgeKind.READ
    return True


def _columns_without_twin(walked: list[Walk], names: Names, view: View) -> dict[str, str]:
    """A column that only one name of a table has stays itself."""
    moved = {
        place: shown
        for one in walked
        for place in one.depths
        if place.startswith("column|") and (shown := names(place)) != place
    }
    if not moved:
        return {}
    there = view.store.get(moved.values())
    return {place: place for place, shown in moved.items() if shown not in there}


def _shown_depths(
    one: Walk, steps: dict[str, Node], names: Names, *, granularity: Granularity
) -> dict[str, int]:
    found: dict[str, int] = {}
    with_jobs, with_columns = granularity in _WITH_JOBS, granularity is Granularity.COLUMN

    def see(key: str, depth: int) -> None:
        key = names(key)
        if depth < found.get(key, depth + 1):
            found[key] = depth

    for place, depth in one.depths.items():
        kind = place.partition("|")[0]
        if kind == "step":
            step = steps.get(place)
            if with_jobs and step and step.group:
                see(step.group, depth)
        elif kind == "column":
            see(keys.dataset_of(place), depth)
            if with_columns:
                see(place, depth)
        elif kind == "job":
            if with_jobs:
                see(place, depth)
        elif kind not in ("stage", "alias"):
            see(place, depth)
    if with_jobs:  # a job between two columns was never a place of its own
        _depths_between(one, found, steps, names)
    return found


def _depths_between(one: Walk, found: dict[str, int], steps: dict[str, Node], names: Names) -> None:
    for edge in one.edges:
        if edge.source.startswith("column|") and edge.tag:
            job = (node := steps.get(edge.tag.partition("@")[0])) and node.group
            near = [one.depths[end] for end in (edge.source, edge.target) if end in one.depths]
            if job and len(near) == 2:
                shown, depth = names(job), min(near) + 1
                if depth < found.get(shown, depth + 1):
                    found[shown] = depth

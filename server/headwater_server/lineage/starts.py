"""Where a walk begins: the places that stand for the thing that was asked about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headwater_server.errors import NotFound
from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import COLUMN_FLOW, EdgeKind, Kind
from headwater_server.lineage.moves import View, step_of
from headwater_server.lineage.near import name_of
from headwater_server.lineage.symlinks import group_of
from headwater_server.lineage.urns import urn
from headwater_server.store.port import Direction

_MAX_VERSIONS = 500
_MAX_CHILDREN = 2000  # of one job whose children do its work
_HAS_COLUMN = frozenset({EdgeKind.HAS_COLUMN})
_STEP_OF = frozenset({EdgeKind.STEP_OF})


@dataclass(slots=True)
class Starts:
    """Places with their depths, for either way, and edges that no walk goes over but the answer shows."""

    shown: str
    """The key that the answer shows as its root."""
    up: dict[str, int] = field(default_factory=dict)
    down: dict[str, int] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    """Keys that the answer shows under another: a run in place of its job."""
    run: str = ""
    """The run whose own reads and writes stand in `edges`."""


def starts_of(root: Node, view: View, *, by_column: bool, columns: Sequence[str] = ()) -> Starts:
    match root.kind:
        case Kind.DATASET:
            return _dataset(root, view, by_column=by_column, columns=columns)
        case Kind.JOB:
            return _job(root.key, view, by_column=by_column)
        case Kind.RUN:
            return _run(root, view, by_column=by_column)
        case Kind.MODEL:
            return _model(root, view)
        case Kind.DATASET_VERSION:
            namespace, name, _ = keys.parts_of(root.key)
            return _dataset_key(keys.dataset(namespace, name), view, by_column=by_column, columns=columns)
        case Kind.JOB_VERSION:
            return _job(keys.job(*keys.parts_of(root.key)[:2]), view, by_column=by_column)
        case _:
            return _at(root.key, [root.key])


def _at(shown: str, places: Iterable[str], depth: int = 0) -> Starts:
    depths = dict.fromkeys(places, depth)
    return Starts(shown, depths, dict(depths))


def _dataset(root: Node, view: View, *, by_column: bool, columns: Sequence[str]) -> Starts:
    if columns:
        return _at(root.key, _named_columns(root, view, columns))
    return _dataset_key(root.key, view, by_column=by_column, columns=())


def _dataset_key(key: str, view: View, *, by_column: bool, columns: Sequence[str]) -> Starts:
    if columns and (node := view.store.get([key]).get(key)):
        return _dataset(node, view, by_column=by_column, columns=columns)
    if by_column and (found := columns_of([key], view)):
        return _at(key, found)
    return _at(key, [key])


def _named_columns(root: Node, view: View, columns: Sequence[str]) -> list[str]:
    wanted = {keys.column(root.key, path): path for path in columns}
    known = view.store.get(wanted)
    if missing := [path for key, path in wanted.items() if key not in known]:
        there = view.store.page(Kind.COLUMN, marks=("",), group=root.key, limit=200)
        names = ", ".join(name_of(node) for node in there[:10]) or "none"
        raise NotFound(
            f"{urn(root)} has no column {missing[0]!r}; it has {names}.",
            ref=f"{urn(root)}#{missing[0]}",
            didYouMean=[urn(node) for node in there[:5]],
        )
    return list(wanted)


def columns_of(datasets: Iterable[str], view: View) -> list[str]:
    """The columns of these datasets, nested ones too."""
    found: dict[str, None] = {}
    above = list(datasets)
    while above:
        fresh = [edge.target for edge in view.edges(above, Direction.DOWNSTREAM, _HAS_COLUMN)]
        above = [key for key in fresh if key not in found]
        found.update(dict.fromkeys(above))
    return list(found)


def steps_of_job(job: str, view: View) -> list[str]:
    return [edge.source for edge in view.edges([job], Direction.UPSTREAM, _STEP_OF)]


def _job(job: str, view: View, *, by_column: bool) -> Starts:
    steps = steps_of_job(job, view)
    if by_column and steps:
        starts = _columns_of_steps(steps, view)
        starts.shown = job
        return starts
    starts = _at(job, [job, *steps])
    if not steps:
        _through_children(starts, job, view)
    return starts


def _through_children(starts: Starts, job: str, view: View) -> None:
    """A job without data of its own stands for its children that have some, and for theirs."""
    levels = list(_descendants(job, view))
    steps: dict[str, list[str]] = {}
    for edge in view.edges((e.source for level in levels for e in level), Direction.UPSTREAM, _STEP_OF):
        steps.setdefault(edge.target, []).append(edge.source)
    working = set(steps)
    for depth in range(len(levels), 0, -1):
        for edge in levels[depth - 1]:
            if edge.source in working:
                working.add(edge.target)
                starts.edges.append(edge)
                for place in (edge.source, *steps.get(edge.source, ())):
                    starts.up[place] = starts.down[place] = depth


def _descendants(job: str, view: View) -> Iterable[list[Edge]]:
    """Children, then theirs, as edges to their parents."""
    seen, level = {job}, [job]
    while level and len(seen) < _MAX_CHILDREN:
        edges = [
            edge
            for edge in view.edges(level, Direction.UPSTREAM, frozenset({EdgeKind.CHILD_OF}))
            if edge.source not in seen
        ]
        level = list(dict.fromkeys(edge.source for edge in edges))
        seen.update(level)
        if edges:
            yield edges


def _columns_of_steps(steps: list[str], view: View) -> Starts:
    """The columns on both sides of these steps, and the tables that they take as a whole."""
    starts, own = Starts(""), set(steps)
    outputs = view.edges(steps, Direction.DOWNSTREAM, frozenset({EdgeKind.OUTPUTS}))
    targets = [edge.target for edge in outputs]
    told = view.edges(
        [*columns_of((key for key in targets if key.startswith("dataset|")), view), *targets],
        Direction.UPSTREAM,
        COLUMN_FLOW,
    )
    for edge in told:
        if step_of(edge) in own:
            starts.edges.append(edge)
            starts.up[edge.source] = 1
            starts.down[edge.target] = 1
    whole = view.edges(steps, Direction.UPSTREAM, frozenset({EdgeKind.FEEDS_WHOLE}))
    speaking = {step_of(edge) for edge in starts.edges}
    taking = {edge.target for edge in whole}
    starts.edges += whole
    starts.up.update({edge.source: 1 for edge in whole})
    for edge in outputs:
        if edge.source in taking or edge.source not in speaking:
            starts.edges.append(edge)
            starts.down[edge.target] = 1
    return starts


def _run(root: Node, view: View, *, by_column: bool) -> Starts:
    evidence = view.store.expand(
        [root.key], Direction.DOWNSTREAM, [EdgeKind.READ, EdgeKind.WROTE, EdgeKind.PRODUCED]
    )
    if not evidence:
        starts = _job(keys.job_of(root.key), view, by_column=by_column)
        starts.named[starts.shown] = root.key
        starts.shown = root.key
        return starts
    starts = Starts(root.key, run=root.key)
    for edge in evidence:
        thing = dataset_key(edge.target)
        starts.edges.append(Edge(edge.source, edge.kind, thing, edge.tag, edge.since, edge.until))
        depths = starts.up if edge.kind is EdgeKind.READ else starts.down
        for place in columns_of([thing], view) if by_column else ():
            depths[place] = 1
        depths.setdefault(thing, 1)
    return starts


def dataset_key(version: str) -> str:
    """The dataset of a dataset version; anything else is itself."""
    if version.startswith("dataset_version|"):
        namespace, name, _ = keys.parts_of(version)
        return keys.dataset(namespace, name)
    return version


def _model(root: Node, view: View) -> Starts:
    """A model is made of its versions; those in a stage stand before the rest."""
    versions = view.store.page(
        Kind.MODEL_VERSION, marks=("",), group=root.key, reverse=True, limit=_MAX_VERSIONS
    )
    if view.at is not None:
        versions = [node for node in versions if _made(node) <= view.at]
    versions.sort(key=lambda node: not node.props.get("stage"))
    starts = _at(root.key, [root.key])
    for node in versions:
        starts.edges.append(Edge(node.key, EdgeKind.VERSION_OF, root.key, since=_made(node)))
        starts.up[node.key] = 1
        starts.down[node.key] = 1
    return starts


def _made(node: Node) -> int:
    created = node.props.get("created")
    return created if isinstance(created, int) else 0


def same_dataset(key: str, view: View) -> list[str]:
    """A dataset's key with its other names."""
    return sorted(group_of(key, view.store)) if key.startswith("dataset|") else [key]

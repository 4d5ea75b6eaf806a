"""Which exact versions made which: dataset versions, the runs between them, model versions."""

import time

from headwater_server.graph import keys, times
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.fold import Fold, Names, fold
from headwater_server.lineage.moves import View
from headwater_server.lineage.shapes import Granularity, LineageDirection
from headwater_server.lineage.trace import Trace
from headwater_server.lineage.walk import DEADLINE, MAX_NODES
from headwater_server.project.reading import pinned
from headwater_server.store.port import Direction, GraphStore

_MADE = (EdgeKind.WROTE, EdgeKind.PRODUCED)


def trace_versions(
    root: Node, view: View, *, direction: LineageDirection, depth: int, limit: int, deadline: float
) -> Trace:
    """Evidence only: what runs read and wrote, as far as producers named it. Data that a model was evaluated on stands
    beside it and is not walked: nothing is made of it.
    """
    edges: dict[tuple[str, str, str], Edge] = {}
    stopped: str | None = None
    ways: list[dict[str, int]] = []
    starts = _starts(root, view)
    for wanted in (LineageDirection.UPSTREAM, LineageDirection.DOWNSTREAM):
        found: dict[str, int] = {}
        ways.append(found)
        if direction not in (wanted, LineageDirection.BOTH):
            continue
        found.update(dict.fromkeys(starts, 0))
        beside: dict[str, int] = {}
        fresh = list(starts)
        for hop in range(1, depth + 1):
            if time.monotonic() >= deadline:
                stopped = DEADLINE
            elif len(found) > limit:
                stopped = stopped or MAX_NODES
            if stopped or not fresh:
                break
            if wanted is LineageDirection.UPSTREAM:
                level = _came_from(fresh, view.store)
            else:
                level = _went_into(fresh, view.store)
            next_ones = []
            for edge, far in level:
                if view.at is not None and edge.since is not None and edge.since > view.at:
                    continue
                edges[edge.source, edge.kind, edge.target] = edge
                if edge.kind is EdgeKind.EVALUATED_ON:
                    beside.setdefault(far, hop)
                elif far not in found:
                    found[far] = hop
                    next_ones.append(far)
            fresh = next_ones
        found.update({far: hop for far, hop in beside.items() if far not in found})
    names = Names({})
    folded: Fold = fold(edges.values(), {}, granularity=Granularity.VERSION, names=names)
    return Trace(
        root=starts[0],
        granularity=Granularity.VERSION,
        up=ways[0],
        down=ways[1],
        fold=folded,
        names=names,
        folded={},
        steps={},
        stopped=stopped,
    )


def _starts(root: Node, view: View) -> list[str]:
    """A dataset is its newest version then; a job its newest run; a column that of its dataset."""
    before = None if view.at is None else (times.sortable(view.at + 1), "")
    key = keys.dataset_of(root.key) if root.kind is Kind.COLUMN else root.key
    marks: tuple[str, ...] = ("",)
    match root.kind:
        case Kind.DATASET | Kind.COLUMN:
            kind = Kind.DATASET_VERSION
        case Kind.JOB:
            kind, marks = Kind.RUN, ("C", "T", "R", "F")
        case Kind.MODEL:
            kind, before = Kind.MODEL_VERSION, None
        case _:
            return [root.key]
    newest = view.store.page(kind, marks=marks, group=key, before=before, reverse=True, limit=1)
    return [newest[0].key] if newest else [key]


def _came_from(places: list[str], store: GraphStore) -> list[tuple[Edge, str]]:
    runs = [key for key in places if key.startswith("run|")]
    things = [key for key in places if not key.startswith("run|")]
    found = [(edge, edge.source) for edge in store.expand(things, Direction.UPSTREAM, _MADE)]
    reads = store.expand(runs, Direction.DOWNSTREAM, [EdgeKind.READ]) if runs else []
    found += [(edge, edge.target) for edge in _pin(reads, store)]
    models = store.expand(_of(things, "model_version|"), Direction.DOWNSTREAM, [EdgeKind.OF_MODEL])
    return found + [(edge, edge.source) for edge in _evaluated(models, store)]


def _pin(reads: list[Edge], store: GraphStore) -> list[Edge]:
    """A run that names no version read the newest that was there when it began."""
    runs = store.get({edge.source for edge in reads if edge.target.startswith("dataset|")})
    found = []
    for edge in reads:
        run = runs.get(edge.source)
        if run is not None and run.sort and edge.target.startswith("dataset|"):
            newest = store.page(
                Kind.DATASET_VERSION,
                marks=("",),
                group=edge.target,
                before=(run.sort, ""),
                reverse=True,
                limit=1,
            )
            if newest:
                found.append(edge._replace(target=newest[0].key))
                continue
        found.append(edge)
    return found


def _went_into(places: list[str], store: GraphStore) -> list[tuple[Edge, str]]:
    runs = [key for key in places if key.startswith("run|")]
    things = [key for key in places if not key.startswith("run|")]
    made = store.expand(runs, Direction.DOWNSTREAM, _MADE) if runs else []
    found = [(edge, edge.target) for edge in made]
    owners = {_owner(key) for key in things if key.startswith("dataset_version|")}
    reads = store.expand([*things, *owners], Direction.UPSTREAM, [EdgeKind.READ])
    wanted = set(things)
    found += [(edge, edge.source) for edge in _pin(reads, store) if edge.target in wanted]
    on = {*owners, *_of(things, "dataset|")}
    scored = {edge.source for edge in store.expand(on, Direction.UPSTREAM, [EdgeKind.EVALUATED_ON])}
    models = store.expand(scored, Direction.UPSTREAM, [EdgeKind.OF_MODEL])
    return found + [(edge, edge.target) for edge in _evaluated(models, store) if edge.source in wanted]


def _evaluated(models: list[Edge], store: GraphStore) -> list[Edge]:
    """Of the model versions of these OF_MODEL edges: from the version of the data, as it was then, to the model's."""
    versions: dict[str, list[str]] = {}
    for edge in models:
        versions.setdefault(edge.target, []).append(edge.source)
    there: dict[tuple[str, int], str] = {}
    found = []
    for edge in store.expand(versions, Direction.DOWNSTREAM, [EdgeKind.EVALUATED_ON]):
        at = edge.target, edge.since or 0
        if at not in there:
            there[at] = pinned(*at, store) or edge.target
        found += [edge._replace(source=there[at], target=version) for version in versions[edge.source]]
    return found


def _of(things: list[str], prefix: str) -> list[str]:
    return [key for key in things if key.startswith(prefix)]


def _owner(version: str) -> str:
    namespace, name, _ = keys.parts_of(version)
    return keys.dataset(namespace, name)

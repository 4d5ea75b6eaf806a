"""Everything next to the shown nodes in the whole graph: how many neighbours they have, and how many are hidden."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from headwater_server.graph.changes import Edge
from headwater_server.graph.words import COLUMN_FLOW, TABLE_FLOW, EdgeKind
from headwater_server.lineage.fold import fold
from headwater_server.lineage.moves import JOBS_FOLDED, PRESENT, TableMoves, View
from headwater_server.lineage.shapes import Granularity, ShownEdgeKind
from headwater_server.lineage.trace import Trace
from headwater_server.store.port import Direction

UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM
_INPUT_OF = frozenset({EdgeKind.INPUT_OF})
_OUTPUTS = frozenset({EdgeKind.OUTPUTS})
_WHOLE = frozenset({EdgeKind.FEEDS_WHOLE})
_STANDING = frozenset({EdgeKind.NOW_IN, EdgeKind.NOW_AT})
_SERVING = frozenset({EdgeKind.INPUT_OF, EdgeKind.SERVES})
_NONE: frozenset[str] = frozenset()
_THINGS = TABLE_FLOW - {EdgeKind.SYMLINK}


class Neighbours:
    """The distinct neighbours of shown nodes, either way."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.up: defaultdict[str, set[str]] = defaultdict(set)
        self.down: defaultdict[str, set[str]] = defaultdict(set)
        for source, target in pairs:
            self.down[source].add(target)
            self.up[target].add(source)

    def counts(self, key: str, shown: Collection[str]) -> tuple[int, int, int, int]:
        """Upstream, downstream, and those of them that the answer does not show."""
        up, down = self.up.get(key, _NONE), self.down.get(key, _NONE)
        return (len(up), len(down), _beyond(up, shown), _beyond(down, shown))


def _beyond(keys: Collection[str], shown: Collection[str]) -> int:
    return sum([key not in shown for key in keys])


def neighbours(shown: Collection[str], done: Trace, view: View) -> Neighbours:
    """One look at everything next to these keys, folded as the answer is."""
    others: dict[str, list[str]] = {}
    for other, key in done.folded.items():
        others.setdefault(key, []).append(other)
    everyone = {name for key in shown for name in (key, *others.get(key, ()))}
    moves = TableMoves(view, DOWN, hops=JOBS_FOLDED)
    moves.steps = dict(done.steps)
    if done.granularity is Granularity.COLUMN:
        edges = _columns_around(everyone, view)
    else:
        edges = _tables_around(everyone, view, moves, with_jobs=_shows_jobs(done.granularity))
    moves.load_steps(key for edge in edges for key in (edge.source, edge.target) if key.startswith("step|"))
    moves.load_steps(edge.tag.partition("@")[0] for edge in edges if edge.source.startswith("column|"))
    folded = fold(edges, moves.steps, granularity=done.granularity, names=done.names)
    ends = {**dict.fromkeys(folded.bonds), **dict.fromkeys(done.fold.bonds)}
    return Neighbours((source, target) for source, target, kind in ends if kind is not ShownEdgeKind.PARENT)


def version_neighbours(shown: Collection[str], view: View) -> Neighbours:
    """Of versions and runs: what evidence joins them to."""
    made = (EdgeKind.WROTE, EdgeKind.PRODUCED)
    store, pairs = view.store, set[tuple[str, str]]()
    for edge in store.expand(shown, DOWN, (*made, EdgeKind.READ)):
        pairs.add((edge.target, edge.source) if edge.kind is EdgeKind.READ else (edge.source, edge.target))
    for edge in store.expand(shown, UP, (*made, EdgeKind.READ)):
        pairs.add((edge.target, edge.source) if edge.kind is EdgeKind.READ else (edge.source, edge.target))
    return Neighbours(pairs)


def _shows_jobs(granularity: Granularity) -> bool:
    return granularity in (Granularity.ENTITY, Granularity.VERSION)


def _tables_around(everyone: Iterable[str], view: View, moves: TableMoves, *, with_jobs: bool) -> list[Edge]:
    jobs = [key for key in everyone if key.startswith("job|")]
    things = [key for key in everyone if not key.startswith(("job|", "column|"))]
    out, into = view.edges(things, DOWN, _THINGS), view.edges(things, UP, _THINGS)
    edges = out + into
    stages = {edge.target for edge in out if _now(edge) in _STANDING}
    standing = view.edges(stages, DOWN, _SERVING)
    edges += standing
    own = {edge.source for edge in view.edges(jobs, UP, frozenset({EdgeKind.STEP_OF}))}
    takers = {e.target for e in (*out, *standing) if _now(e) is EdgeKind.INPUT_OF}
    makers = {e.source for e in into if _now(e) is EdgeKind.OUTPUTS}
    moves.load_steps([*takers, *makers, *own])
    if with_jobs:  # the far side of a step is needed where no job stands between
        takers = {step for step in takers if not moves.job_of(step)}
        makers = {step for step in makers if not moves.job_of(step)}
    taken = view.edges(own | makers, UP, _INPUT_OF)
    edges += taken
    edges += view.edges(own | takers, DOWN, _OUTPUTS)
    edges += view.edges(jobs, DOWN, _INPUT_OF)
    places = {e.source for e in taken if e.source.startswith(("stage|", "alias|"))}
    places |= {e.source for e in into if _now(e) is EdgeKind.SERVES}
    return edges + view.edges(places, UP, _STANDING)


def _columns_around(everyone: Iterable[str], view: View) -> list[Edge]:
    columns = [key for key in everyone if key.startswith("column|")]
    datasets = [key for key in everyone if key.startswith("dataset|")]
    models = [key for key in everyone if key.startswith(("model|", "model_version|"))]
    edges = view.edges(columns, DOWN, COLUMN_FLOW)
    own = set(columns)  # what leaves them has been read
    into = view.edges([*columns, *datasets, *models], UP, COLUMN_FLOW)
    edges += [edge for edge in into if edge.source not in own]
    feeding = view.edges(datasets, DOWN, _WHOLE)
    making = view.edges([*datasets, *models], UP, _OUTPUTS)
    fed = {edge.target for edge in feeding}
    made = {edge.source for edge in making}
    edges += feeding + [edge for edge in making if edge.source not in fed]
    edges += view.edges(fed, DOWN, _OUTPUTS)
    edges += [edge for edge in view.edges(made, UP, _WHOLE) if edge.target not in fed]
    return edges + _tables_around(models, view, TableMoves(view, DOWN, hops=JOBS_FOLDED), with_jobs=False)


def _now(edge: Edge) -> EdgeKind:
    return PRESENT.get(edge.kind, edge.kind)

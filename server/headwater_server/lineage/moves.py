"""From a set of places to the next ones along the flow, with what each move costs in shown hops.

A *place* is a key of the graph: a column stands for itself, a dataset, model, stage or step for the
whole of it. Moves collect the edges they went over; what is shown of them is `fold`'s business.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import COLUMN_FLOW, PAST, TABLE_FLOW, EdgeKind, at_any_time
from headwater_server.store.port import Direction, GraphStore

PRESENT: dict[EdgeKind, EdgeKind] = {past: now for now, past in PAST.items()} | {
    EdgeKind.IN_STAGE: EdgeKind.NOW_IN,
    EdgeKind.POINTED_TO: EdgeKind.NOW_AT,
}
"""What an edge of the past was called while it held."""

_FREE = frozenset(
    {
        EdgeKind.SYMLINK,
        EdgeKind.NOW_IN,
        EdgeKind.NOW_AT,
        EdgeKind.IN_STAGE,
        EdgeKind.POINTED_TO,
    }
)


class View(NamedTuple):
    """The flow as it is now (`at` None) or as it was."""

    store: GraphStore
    at: int | None

    def edges(self, places: Iterable[str], direction: Direction, kinds: frozenset[EdgeKind]) -> list[Edge]:
        places = list(places)
        if not places:
            return []
        if self.at is None:
            return self.store.expand(places, direction, kinds)
        return self.store.expand(places, direction, at_any_time(kinds), at=self.at)


def step_of(edge: Edge) -> str:
    """The step that a column edge belongs to; its tag is `<step>` now and `<step>@<since>` later."""
    return edge.tag.partition("@")[0]


class Hops(NamedTuple):
    """What a shown hop costs: a job between two datasets is shown, or folded into the edge."""

    into_job: int
    column: int


JOBS_SHOWN = Hops(into_job=1, column=2)
JOBS_FOLDED = Hops(into_job=0, column=1)


class TableMoves:
    """Moves of whole tables and models. A dataset goes into a step, a step into what it makes."""

    def __init__(self, view: View, direction: Direction, *, hops: Hops) -> None:
        self.view = view
        self.down = direction is Direction.DOWNSTREAM
        self.direction = direction
        self.hops = hops
        self.edges: list[Edge] = []
        self.steps: dict[str, Node] = {}
        self._fetched: dict[str, list[Edge]] = {}

    def prefetch(self, starts: Iterable[str], *, depth: int, limit: int) -> None:
        """All that can be reached, in two questions; moves over it then ask the store nothing."""
        starts = list(starts)
        kinds = TABLE_FLOW if self.view.at is None else at_any_time(TABLE_FLOW)
        reached = self.view.store.reach(
            starts, self.direction, kinds, at=self.view.at, max_depth=2 * depth, limit=limit
        )
        self.load_steps(key for key in reached if key.startswith("step|"))
        places = {*reached, *starts}
        if self.down:
            places.update(step.group for step in self.steps.values() if step.group)
        for place in places:
            self._fetched[place] = []
        down, fetched = self.down, self._fetched
        for edge in self.view.edges(places, self.direction, TABLE_FLOW):
            fetched[edge.source if down else edge.target].append(edge)

    def load_steps(self, found: Iterable[str]) -> None:
        unknown = [key for key in dict.fromkeys(found) if key not in self.steps]
        if unknown:
            self.steps.update(self.view.store.get(unknown))

    def job_of(self, step: str) -> str:
        node = self.steps.get(step)
        return node.group if node else ""

    def moves(self, places: list[str]) -> Iterator[tuple[str, int]]:
        """Where the flow goes from these places, and for how many hops."""
        return self.whole(places)

    def whole(self, places: list[str]) -> Iterator[tuple[str, int]]:
        edges = self._expand(places)
        self.edges += edges
        down = self.down
        self.load_steps(
            far for edge in edges if (far := edge.target if down else edge.source).startswith("step|")
        )
        into_job, steps = self.hops.into_job, self.steps
        for edge in edges:
            far = edge.target if down else edge.source
            if far.startswith("step|"):
                step = steps.get(far)
                yield far, into_job if step and step.group else 0
            elif edge.kind in _FREE:
                yield far, 0
            else:
                yield far, 1
                if not down and far.startswith("job|"):  # a job's data is that of its steps
                    for own in self.view.edges([far], Direction.UPSTREAM, frozenset({EdgeKind.STEP_OF})):
                        self.load_steps([own.source])
                        yield own.source, 1

    def _expand(self, places: list[str]) -> list[Edge]:
        fetched = self._fetched
        if not fetched:
            return self.view.edges(places, self.direction, TABLE_FLOW)
        found, missing = [], []
        for place in places:
            edges = fetched.get(place)
            if edges is None:
                missing.append(place)
            else:
                found += edges
        return found + self.view.edges(missing, self.direction, TABLE_FLOW) if missing else found


class ColumnMoves(TableMoves):
    """Moves from columns where producers told columns apart, and from whole tables where not."""

    def __init__(
        self,
        view: View,
        direction: Direction,
        *,
        hops: Hops,
        kinds: frozenset[EdgeKind] = COLUMN_FLOW,
        whole_tables: bool = True,
    ) -> None:
        super().__init__(view, direction, hops=hops)
        self._kinds = kinds
        self._whole_tables = whole_tables

    def moves(self, places: list[str]) -> Iterator[tuple[str, int]]:
        columns = [place for place in places if place.startswith("column|")]
        rest = [place for place in places if not place.startswith("column|")]
        told = columns if self.down else columns + [p for p in rest if p.startswith("model_version|")]
        edges = self.view.edges(told, self.direction, self._kinds)
        owners: dict[str, list[str]] = {}
        for column in columns:
            owners.setdefault(keys.dataset_of(column), []).append(column)
        if not self.down:
            edges += self.view.edges(owners, self.direction, self._kinds & {EdgeKind.AFFECTS})
        yield from self._along(edges)
        yield from self._twins(owners)
        if not self._whole_tables:
            return
        if self.down:
            yield from self._into_steps(owners)
            yield from self.whole(rest)
        else:
            featured = {edge.target for edge in edges if edge.kind is EdgeKind.FEATURE_OF}
            yield from self._out_of_steps([*owners, *featured])
            yield from self.whole([place for place in rest if place not in featured])

    def _along(self, edges: list[Edge]) -> Iterator[tuple[str, int]]:
        self.edges += edges
        self.load_steps(step_of(edge) for edge in edges)
        for edge in edges:
            cost = self.hops.column if self.job_of(step_of(edge)) else 1
            yield (edge.target if self.down else edge.source), cost

    def _twins(self, owners: Mapping[str, list[str]]) -> Iterator[tuple[str, int]]:
        """The same columns under the dataset's other names."""
        for edge in self.view.edges(owners, Direction.DOWNSTREAM, frozenset({EdgeKind.SYMLINK})):
            self.edges.append(edge)
            for column in owners[edge.source]:
                yield keys.column(edge.target, keys.parts_of(column)[2]), 0

    def _into_steps(self, datasets: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Downstream of a table that feeds a job which does not tell columns apart."""
        edges = self.view.edges(datasets, Direction.DOWNSTREAM, frozenset({EdgeKind.FEEDS_WHOLE}))
        self.edges += edges
        self.load_steps(edge.target for edge in edges)
        for edge in edges:
            yield edge.target, self.hops.into_job if self.job_of(edge.target) else 0

    def _out_of_steps(self, made: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Upstream: over the steps that make these, to the inputs that they take as a whole."""
        outputs = self.view.edges(made, Direction.UPSTREAM, frozenset({EdgeKind.OUTPUTS}))
        steps = {edge.source for edge in outputs}
        inputs = self.view.edges(
            steps, Direction.UPSTREAM, frozenset({EdgeKind.FEEDS_WHOLE, EdgeKind.INPUT_OF})
        )
        inputs = [
            edge
            for edge in inputs
            if PRESENT.get(edge.kind, edge.kind) is EdgeKind.FEEDS_WHOLE
            or not edge.source.startswith("dataset|")
        ]
        used = {edge.target for edge in inputs}
        self.load_steps(used)
        self.edges += inputs
        self.edges += [edge for edge in outputs if edge.source in used]
        for edge in inputs:
            yield edge.source, 1 + (self.hops.into_job if self.job_of(edge.target) else 0)

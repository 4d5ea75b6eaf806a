"""What stands next to what: the jobs, datasets and versions one hop away, for a whole cohort at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from headwater_server.api.graphql.loading import Cohort
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.symlinks import fold_names
from headwater_server.store.port import Direction, GraphStore

_UP, _DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM
_COLUMN_FLOW = (EdgeKind.DERIVES, EdgeKind.AFFECTS, EdgeKind.FEATURE_OF)
_MAX_ROUNDS = 8  # renames of renames of renames

Near = Mapping[str, frozenset[str]]


def producers(cohort: Cohort) -> Near:
    """Jobs that write each dataset."""
    return _jobs(cohort, _UP)


def consumers(cohort: Cohort) -> Near:
    """Jobs that read each dataset."""
    return _jobs(cohort, _DOWN)


def inputs(cohort: Cohort) -> Near:
    """Datasets that each job reads, under the names that are shown."""
    return _datasets(cohort, _UP)


def outputs(cohort: Cohort) -> Near:
    """Datasets that each job writes, under the names that are shown."""
    return _datasets(cohort, _DOWN)


def upstream_counts(cohort: Cohort) -> Mapping[str, int]:
    return _counts(cohort, _UP)


def downstream_counts(cohort: Cohort) -> Mapping[str, int]:
    return _counts(cohort, _DOWN)


def ends(
    store: GraphStore, keys: Iterable[str], direction: Direction, *kinds: EdgeKind
) -> dict[str, list[str]]:
    """For each of these nodes those at the other end of such edges."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    keys = list(keys)
    for edge in store.expand(keys, direction, kinds) if keys else ():
        here, there = (edge.target, edge.source) if direction is _UP else (edge.source, edge.target)
        found[here][there] = None
    return {key: list(others) for key, others in found.items()}


def names_of(store: GraphStore, keys: Iterable[str]) -> dict[str, set[str]]:
    """All names of each dataset, its own among them."""
    names = {key: {key} for key in keys}
    fresh = set(names)
    for _ in range(_MAX_ROUNDS):
        joined = ends(store, fresh, _DOWN, EdgeKind.SYMLINK)
        if not joined:
            break
        fresh = set()
        for group in names.values():
            more = {other for key in group for other in joined.get(key, ())} - group
            group.update(more)
            fresh |= more
    return names


def visible(store: GraphStore, keys: Iterable[str]) -> dict[str, str]:
    """Each dataset's key to the one that is shown for it."""
    edges = store.expand([key for key in keys if key.startswith("dataset|")], _DOWN, [EdgeKind.SYMLINK])
    return fold_names(edges, store, at=None) if edges else {}


def _jobs(cohort: Cohort, direction: Direction) -> Near:
    store = cohort.loader.store
    names = names_of(store, cohort.keys(Kind.DATASET))
    steps = _steps(store, {name for group in names.values() for name in group}, direction)
    jobs = ends(store, {s for found in steps.values() for s in found}, _DOWN, EdgeKind.STEP_OF)
    return {
        key: frozenset(j for name in group for s in steps.get(name, ()) for j in jobs.get(s, ()))
        for key, group in names.items()
    }


def _datasets(cohort: Cohort, direction: Direction) -> Near:
    store = cohort.loader.store
    steps = ends(store, cohort.keys(Kind.JOB), _UP, EdgeKind.STEP_OF)
    every = {s for found in steps.values() for s in found}
    flow = EdgeKind.INPUT_OF if direction is _UP else EdgeKind.OUTPUTS
    data = ends(store, every, direction, flow)
    shown = visible(store, {d for found in data.values() for d in found})
    return {
        key: frozenset(shown.get(d, d) for s in found for d in data.get(s, ()) if d.startswith("dataset|"))
        for key, found in steps.items()
    }


def _steps(store: GraphStore, keys: Iterable[str], direction: Direction) -> dict[str, list[str]]:
    return ends(store, keys, direction, EdgeKind.OUTPUTS if direction is _UP else EdgeKind.INPUT_OF)


def _counts(cohort: Cohort, direction: Direction) -> Mapping[str, int]:
    """Neighbours that a lineage of depth 1 shows."""
    store, up = cohort.loader.store, direction is _UP
    counts: dict[str, int] = {}
    columns, runs, jobs = cohort.keys(Kind.COLUMN), cohort.keys(Kind.RUN), cohort.keys(Kind.JOB)
    if columns:
        counts |= {k: len(v) for k, v in ends(store, columns, direction, *_COLUMN_FLOW).items()}
    if runs:
        kinds = (EdgeKind.READ,) if up else (EdgeKind.WROTE, EdgeKind.PRODUCED)
        counts |= {k: len(v) for k, v in ends(store, runs, _DOWN, *kinds).items()}
    if jobs:
        counts |= {k: len(v) for k, v in cohort.once(inputs if up else outputs).items()}
    flowing = {key: {key} for kind in (Kind.MODEL, Kind.MODEL_VERSION) for key in cohort.keys(kind)}
    if flowing and not up:
        places = ends(store, flowing, _DOWN, EdgeKind.NOW_IN, EdgeKind.NOW_AT)
        for key, group in flowing.items():
            group |= set(places.get(key, ()))
    flowing |= names_of(store, cohort.keys(Kind.DATASET))
    if flowing:
        counts |= _through_steps(store, flowing, direction)
    return counts


def _through_steps(store: GraphStore, groups: Mapping[str, set[str]], direction: Direction) -> dict[str, int]:
    steps = _steps(store, {name for group in groups.values() for name in group}, direction)
    every = {s for found in steps.values() for s in found}
    jobs = ends(store, every, _DOWN, EdgeKind.STEP_OF)
    # a step that no job owns, as a manual edge, joins the two sides directly
    flow = EdgeKind.INPUT_OF if direction is _UP else EdgeKind.OUTPUTS
    beyond = ends(store, every - jobs.keys(), direction, flow)
    return {
        key: len(
            {n for name in group for s in steps.get(name, ()) for n in (jobs.get(s) or beyond.get(s) or ())}
        )
        for key, group in groups.items()
    }

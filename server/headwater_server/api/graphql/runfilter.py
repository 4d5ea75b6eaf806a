"""Which runs are asked for, and in which order."""

from collections.abc import Sequence

import strawberry

from headwater_server.api.graphql.enums import RunState, SortDirection
from headwater_server.api.graphql.neighbours import ends, names_of
from headwater_server.api.graphql.scalars import DateTime
from headwater_server.errors import Invalid
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage import resolve
from headwater_server.store.port import Direction, GraphStore
from headwater_server.tracking.language import parse_orders

_MOST_REFS = 200


@strawberry.input
class RunFilter:
    query: str | None = strawberry.field(
        default=None,
        description="MLflow's filter language and more: metrics.auc > 0.9 AND (params.lr = '0.1' OR NOT tags.team = 'ads'). "
        "Finds runs of experiments alone",
    )
    states: list[RunState] | None = None
    experiment_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Ids or refs of experiments, or MLflow's numbers of them"
    )
    job_ids: list[strawberry.ID] | None = None
    started_after: DateTime | None = None
    started_before: DateTime | None = None
    inputs: list[str] | None = strawberry.field(
        default=None, description="Refs of datasets: runs that read any"
    )
    unlinked: bool | None = strawberry.field(
        default=None,
        description="Whether they read data that is no dataset which anything else is known of. Finds runs of experiments alone",
    )

    @property
    def of_experiments(self) -> bool:
        """Whether it can be true of runs of experiments alone."""
        return bool(self.query) or self.experiment_ids is not None or self.unlinked is not None


@strawberry.input
class RunOrder:
    key: str = strawberry.field(description="As in a filter: metrics.auc, params.lr, tags.team, start_time")
    direction: SortDirection = SortDirection.DESC


def orders(order_by: Sequence[RunOrder] | None) -> list[str]:
    """In the words of the language. Raises Invalid when a key is not one."""
    for one in order_by or ():
        if len(parse_orders([one.key])) != 1:
            raise Invalid(f"`orderBy` has the key {one.key!r}: name one key each, like metrics.auc.")
    return [f"{one.key} {one.direction.value}" for one in order_by or ()]


def jobs_of(store: GraphStore, only: RunFilter, job: str | None) -> set[str] | None:
    """Keys of the jobs whose runs are asked for; None: of whatever job.

    Raises:
        Invalid: too many, or one is no job.

    """
    if only.job_ids is None:
        return None if job is None else {job}
    _few(only.job_ids, "jobIds")
    jobs = {resolve(ref, store).key for ref in only.job_ids}
    if any(not key.startswith("job|") for key in jobs):
        raise Invalid("`jobIds` holds something that is not a job.")
    return jobs if job is None else jobs & {job}


def readers_of(store: GraphStore, refs: Sequence[str]) -> frozenset[str]:
    """Keys of the runs that read any of these datasets."""
    _few(refs, "inputs")
    datasets = names_of(store, (resolve(ref, store).key for ref in refs))
    every = {name for group in datasets.values() for name in group}
    versions = ends(store, every, Direction.UPSTREAM, EdgeKind.VERSION_OF)
    every |= {v for group in versions.values() for v in group}
    readers = ends(store, every, Direction.UPSTREAM, EdgeKind.READ)
    return frozenset(run for group in readers.values() for run in group)


def _few(refs: Sequence[str], name: str) -> None:
    if len(refs) > _MOST_REFS:
        raise Invalid(f"`{name}` has {len(refs)} entries, but at most {_MOST_REFS} are taken.")

"""Runs of experiments: found by MLflow's filter language, in any order."""

from collections.abc import Iterable, Sequence
from typing import Any

from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.enums import RunState
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.lost import states
from headwater_server.api.graphql.pages import Connection, connect
from headwater_server.api.graphql.runfilter import RunFilter, RunOrder, jobs_of, orders, readers_of
from headwater_server.auth.sight import Sight
from headwater_server.errors import Invalid
from headwater_server.graph import keys
from headwater_server.graph.words import Kind
from headwater_server.lineage import resolve
from headwater_server.project.tracked import STATES
from headwater_server.tracking.paging import Page
from headwater_server.tracking.records import NAMESPACE
from headwater_server.tracking.search import Asked
from headwater_server.tracking.table import Row

_ENDED = frozenset({"FINISHED", "FAILED", "KILLED"})


def tracked_runs(
    loader: Loader,
    only: RunFilter | None,
    order_by: Sequence[RunOrder] | None,
    *,
    first: int | None,
    after: str | None,
    default: int,
    job: str | None = None,
    experiment: str | None = None,
) -> Connection[Any]:
    """A page of them; unless told: newest first."""
    size = page_size(first, default)
    scope = Scope("tracked runs", job, experiment)
    position = scope.position(after)
    found = select_runs(
        loader,
        only,
        order_by,
        size=size,
        token=None if position is None else str(position[0]),
        job=job,
        experiment=experiment,
    )
    things = loader.load(row.run.key for row in found.rows)
    placed = [
        (things[row.run.key], scope.cursor(token))
        for row, token in zip(found.rows, found.tokens(), strict=True)
        if row.run.key in things
    ]
    return connect(
        [thing for thing, _ in placed],
        [cursor for _, cursor in placed],
        count=lambda: found.total,
        more=found.token is not None,
        began=after is not None,
        end=None if found.token is None else scope.cursor(found.token),
    )


def select_runs(
    loader: Loader,
    only: RunFilter | None,
    order_by: Sequence[RunOrder] | None,
    *,
    size: int,
    token: str | None = None,
    job: str | None = None,
    experiment: str | None = None,
) -> Page[Row]:
    """As rows, without a look at the graph where nothing but the filter, the order and times are asked."""
    only = only or RunFilter()
    asked = Asked(only.query or "", orders(order_by), size, token)
    return loader.context.tracking.search.runs(
        _experiments(loader, only, experiment, job),
        asked,
        narrowed=lambda rows: _narrowed(loader, only, job, rows),
        by=repr(
            (
                only.states,
                only.job_ids,
                only.started_after,
                only.started_before,
                only.inputs,
                only.unlinked,
                job,
            )
        ),
    )


def rows_of(loader: Loader, experiment: str) -> list[Row]:
    """All of one experiment that are not deleted, in no order."""
    return loader.context.tracking.search.rows(_experiments(loader, RunFilter(), experiment, None))


def _experiments(loader: Loader, only: RunFilter, experiment: str | None, job: str | None) -> list[str]:
    """Their numbers; none for whoever does not see the namespace that their runs are in."""
    if not Sight(loader.context.principal).namespace(NAMESPACE):
        return []
    if only.experiment_ids is None:
        if experiment is not None:
            return [experiment]
        every = [one for one in loader.context.tracking.experiments.all() if not one.deleted]
        return [one.id for one in every if job is None or keys.job(NAMESPACE, one.job) == job]
    found = {_number(loader, ref) for ref in only.experiment_ids}
    return sorted(found if experiment is None else found & {experiment})


def _number(loader: Loader, ref: str) -> str:
    if ref.isdecimal():
        return loader.context.tracking.experiments.get(ref).id
    node = resolve(ref, loader.store)
    if node.kind is not Kind.EXPERIMENT:
        raise Invalid("`experimentIds` holds something that is not an experiment.")
    return keys.parts_of(node.key)[0]


def _narrowed(loader: Loader, only: RunFilter, job: str | None, rows: list[Row]) -> list[Row]:
    jobs = jobs_of(loader.store, only, job)
    if jobs is not None:
        rows = [row for row in rows if keys.job_of(row.run.key) in jobs]
    if only.started_after is not None:
        rows = [row for row in rows if row.run.start * 1_000 > only.started_after]
    if only.started_before is not None:
        rows = [row for row in rows if row.run.start * 1_000 < only.started_before]
    if only.inputs is not None:
        readers = readers_of(loader.store, only.inputs)
        rows = [row for row in rows if row.run.key in readers]
    if only.unlinked is not None:
        rows = [row for row in rows if only.unlinked is not all(said["linked"] for said in row.run.inputs)]
    if only.states:
        wanted = frozenset(only.states)
        now = _states(loader, rows)
        rows = [row for row in rows if now[row.run.key] in wanted]
    return rows


def _states(loader: Loader, rows: Iterable[Row]) -> dict[str, RunState]:
    """Those that ended are told by their rows; of the others some are lost."""
    found: dict[str, RunState] = {}
    open_: list[str] = []
    for row in rows:
        found[row.run.key] = RunState[STATES[row.run.status]]
        if row.run.status not in _ENDED:
            open_.append(row.run.key)
    nodes = list(loader.store.get(open_).values())
    return found | states(nodes, loader.store, now=loader.context.now())

"""Experiments: their runs as pages, and as columns for grids and plots."""

from typing import Any, cast

import strawberry

from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.entity import Entity
from headwater_server.api.graphql.experimentruns import rows_of, select_runs, tracked_runs
from headwater_server.api.graphql.pages import pages_of
from headwater_server.api.graphql.runfilter import RunFilter, RunOrder
from headwater_server.api.graphql.traced import Traced
from headwater_server.errors import Invalid
from headwater_server.graph import keys
from headwater_server.lineage.urns import encode_id
from headwater_server.tracking import columns, tally
from headwater_server.tracking.search import MAX_RUNS

_TOLD_BELOW = [Cost(weight=0, multipliers=[])]
"""The field above has the weight."""


@strawberry.type
class KeyInfo:
    key: str
    runs: int = strawberry.field(description="How many runs have it")
    numeric: bool
    distinct: int
    varies: bool = strawberry.field(description="Not all runs that have it have the same")


@strawberry.type(
    description="What the runs of an experiment logged, without the tags that clients set for themselves"
)
class ExperimentKeys:
    params: list[KeyInfo] = strawberry.field(directives=_TOLD_BELOW)
    metrics: list[KeyInfo] = strawberry.field(directives=_TOLD_BELOW)
    tags: list[KeyInfo] = strawberry.field(directives=_TOLD_BELOW)


@strawberry.type
class RunTableColumn:
    key: str = strawberry.field(description="As it was asked")
    kind: str = strawberry.field(description="metric, param, tag or attribute")
    numbers: list[float | None] | None = strawberry.field(
        description="Null: texts. Times are milliseconds; what is missing or no finite number is null within. A param has "
        "both when all its values are numbers"
    )
    strings: list[str | None] | None


@strawberry.type(description="Columnar: entry i of every column is of run i")
class RunTable:
    run_ids: list[strawberry.ID]
    columns: list[RunTableColumn] = strawberry.field(directives=_TOLD_BELOW)
    total: int
    truncated: bool


@strawberry.type
class Experiment(Entity):
    @strawberry.field(description="Without deleted ones", directives=[Cost(weight=5)])
    def run_count(self) -> int:
        return len(rows_of(self.cohort.loader, self._number))

    @strawberry.field(description="Null: it never had any")
    def traces(self) -> Traced | None:
        return Traced.of(self.node.props)

    @strawberry.field(directives=[Cost(weight=20, multipliers=[])])
    def keys(self) -> ExperimentKeys:
        return cast("ExperimentKeys", tally.tally(rows_of(self.cohort.loader, self._number)))

    @strawberry.field(
        description="Newest first, unless told; without deleted ones", graphql_type=pages_of("Run", "runs")
    )
    def runs(
        self,
        first: int | None = 50,
        after: str | None = None,
        filter: RunFilter | None = None,  # noqa: A002 - the API's word
        order_by: list[RunOrder] | None = None,
    ) -> Any:
        return tracked_runs(
            self.cohort.loader,
            filter,
            order_by,
            first=first,
            after=after,
            default=50,
            experiment=self._number,
        )

    @strawberry.field(
        description="The whole table as columns: one request fills a grid of 10,000 runs. Without `columns`: a few attributes, "
        "and every param and metric",
        directives=[Cost(weight=20, multipliers=[])],
    )
    def table(
        self,
        columns: list[str] | None = None,
        filter: RunFilter | None = None,  # noqa: A002 - the API's word
        order_by: list[RunOrder] | None = None,
        limit: int | None = 10_000,
    ) -> RunTable:
        return _table(self, columns, filter, order_by, 10_000 if limit is None else limit)

    @property
    def _number(self) -> str:
        return keys.parts_of(self.node.key)[0]


def _table(
    experiment: Experiment,
    names: list[str] | None,
    only: RunFilter | None,
    order_by: list[RunOrder] | None,
    limit: int,
) -> RunTable:
    if not 1 <= limit <= MAX_RUNS:
        raise Invalid(f"`limit` is {limit}, but must be from 1 to {MAX_RUNS}.")
    found = select_runs(
        experiment.cohort.loader, only, order_by, size=limit, experiment=keys.parts_of(experiment.node.key)[0]
    )
    return RunTable(
        run_ids=[strawberry.ID(encode_id(row.run.key)) for row in found.rows],
        columns=cast("list[RunTableColumn]", columns.columns(found.rows, names)),
        total=found.total,
        truncated=found.token is not None,
    )

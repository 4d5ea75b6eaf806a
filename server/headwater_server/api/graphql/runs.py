"""Runs: what happened, when, and what was read and written."""

from typing import Any

import strawberry

from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.datasets import DatasetVersion, lists, shown_lists
from headwater_server.api.graphql.entity import facet_value, maybe_moment, text
from headwater_server.api.graphql.enums import RunState
from headwater_server.api.graphql.info import several
from headwater_server.api.graphql.jobs import Job, JobVersion
from headwater_server.api.graphql.loading import Cohort
from headwater_server.api.graphql.lost import states
from headwater_server.api.graphql.neighbours import ends
from headwater_server.api.graphql.pages import Connection, page_of_things
from headwater_server.api.graphql.runlogs import Logging
from headwater_server.api.graphql.scalars import DateTime, Long
from headwater_server.api.graphql.versions import versions_at_the_end
from headwater_server.graph import changes, keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.port import Direction


@strawberry.type
class RunError:
    message: str
    language: str | None
    stack_trace: str | None


@strawberry.type
class Run(Logging):
    run_id: str
    started_at: DateTime | None
    ended_at: DateTime | None
    duration_ms: Long | None
    nominal_start: DateTime | None
    nominal_end: DateTime | None

    @classmethod
    def own(cls, node: changes.Node) -> dict[str, Any]:
        started, ended = maybe_moment(node.props, "started"), maybe_moment(node.props, "ended")
        took = None if started is None or ended is None else Long((ended - started) // 1000)
        return {
            "run_id": text(node.props, "runId") or keys.parts_of(node.key)[0],
            "started_at": started,
            "ended_at": ended,
            "duration_ms": took,
            "nominal_start": maybe_moment(node.props, "nominalStart"),
            "nominal_end": maybe_moment(node.props, "nominalEnd"),
        }

    @strawberry.field(
        description="LOST: it said that it runs, but its parent has ended, or it runs far longer than it ever did"
    )
    def state(self) -> RunState:
        return self.cohort.once(_states)[self.node.key]

    @strawberry.field
    def job(self) -> Job | None:
        found: Job | None = self.cohort.once(_jobs).get(self.node.group)
        return found

    @strawberry.field
    def job_version(self) -> JobVersion | None:
        found = self.cohort.once(_versions).get(self.node.key)
        return found[0] if found else None

    @strawberry.field
    def parent(self) -> "Run | None":
        found: Run | None = self.cohort.once(_above, "parent").get(text(self.node.props, "parent") or "")
        return found

    @strawberry.field
    def root(self) -> "Run | None":
        found: Run | None = self.cohort.once(_above, "root").get(text(self.node.props, "root") or "")
        return found

    @strawberry.field
    def children(self, first: int | None = 50, after: str | None = None) -> "Connection[Run]":
        runs = self.cohort.once(_children).get(self.node.key, [])
        return page_of_things(runs, Scope("children", self.id), first=first, after=after, default=50)

    @strawberry.field
    def error(self) -> RunError | None:
        message = text(self.node.props, "error")
        if message is None:
            return None
        facet = facet_value(self.cohort.loader, self.node.key, "errorMessage")
        trace = facet.get("stackTrace") if isinstance(facet, dict) else None
        return RunError(
            message=message,
            language=text(self.node.props, "errorLanguage"),
            stack_trace=trace if isinstance(trace, str) else None,
        )

    @strawberry.field(
        description='What it read. A dataset of which no version was known then stands under the version "-"'
    )
    def inputs(self) -> list[DatasetVersion]:
        return self.cohort.once(_data, EdgeKind.READ).get(self.node.key, [])

    @strawberry.field
    def outputs(self) -> list[DatasetVersion]:
        return self.cohort.once(_data, EdgeKind.WROTE).get(self.node.key, [])

    @strawberry.field(graphql_type=several("ModelVersion", "models"))
    def model_versions(self) -> Any:
        return self.cohort.once(_models).get(self.node.key, [])


def _states(cohort: Cohort) -> dict[str, RunState]:
    return states(cohort.of(Kind.RUN), cohort.loader.store, now=cohort.loader.context.now())


def _jobs(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(node.group for node in cohort.of(Kind.RUN))


def _versions(cohort: Cohort) -> dict[str, list[Any]]:
    found = ends(cohort.loader.store, cohort.keys(Kind.RUN), Direction.DOWNSTREAM, EdgeKind.RUN_OF)
    return lists(
        cohort, {run: [k for k in group if k.startswith("job_version|")] for run, group in found.items()}
    )


def _above(cohort: Cohort, which: str) -> dict[str, Any]:
    return cohort.loader.load(k for node in cohort.of(Kind.RUN) if (k := text(node.props, which)))


def _children(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(
        cohort, ends(cohort.loader.store, cohort.keys(Kind.RUN), Direction.UPSTREAM, EdgeKind.CHILD_OF)
    )


def _data(cohort: Cohort, kind: EdgeKind) -> dict[str, list[DatasetVersion]]:
    return shown_lists(cohort, versions_at_the_end(cohort, cohort.keys(Kind.RUN), kind))


def _models(cohort: Cohort) -> dict[str, list[Any]]:
    found = ends(cohort.loader.store, cohort.keys(Kind.RUN), Direction.DOWNSTREAM, EdgeKind.PRODUCED)
    return lists(cohort, found)

"""Jobs and their versions."""

from typing import Any, Self

import strawberry

from headwater_server.api.graphql.answers import LineageFilter, LineageGraph, lineage_of
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.datasets import Dataset, lists
from headwater_server.api.graphql.entity import (
    Entity,
    facet_value,
    id_of,
    moment,
    page_of_children,
    text,
    texts,
)
from headwater_server.api.graphql.enums import Granularity, LineageDirection
from headwater_server.api.graphql.info import later
from headwater_server.api.graphql.loading import Cohort
from headwater_server.api.graphql.neighbours import ends, inputs, outputs
from headwater_server.api.graphql.pages import Connection, page_of_things, pages_of
from headwater_server.api.graphql.runfilter import RunFilter, RunOrder
from headwater_server.api.graphql.runsearch import find_runs
from headwater_server.api.graphql.scalars import DateTime, TimePoint
from headwater_server.api.graphql.values import Node
from headwater_server.graph import changes, keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.port import Direction

_EVERY_RUN = ("C", "T", "R", "F")


@strawberry.type
class Job(Entity):
    job_type: str | None
    integration: str | None
    processing_type: str | None
    source_code_url: str | None

    @classmethod
    def own(cls, node: changes.Node) -> dict[str, Any]:
        return {
            "job_type": text(node.props, "jobType"),
            "integration": text(node.props, "integration"),
            "processing_type": text(node.props, "processingType"),
            "source_code_url": text(node.props, "sourceCodeUrl"),
        }

    @strawberry.field
    def parent(self) -> "Job | None":
        found: Job | None = self.cohort.once(_parents).get(text(self.node.props, "parent") or "")
        return found

    @strawberry.field
    def children(self, first: int | None = 50, after: str | None = None) -> "Connection[Job]":
        jobs = self.cohort.once(_children).get(self.node.key, [])
        return page_of_things(jobs, Scope("children", self.id), first=first, after=after, default=50)

    @strawberry.field(directives=[Cost(weight=5)])
    def sql(self) -> str | None:
        found = facet_value(self.cohort.loader, self.node.key, "sql")
        query = found.get("query") if isinstance(found, dict) else None
        return query if isinstance(query, str) else None

    @strawberry.field
    def current_version(self) -> "JobVersion | None":
        page = page_of_children(
            self, Kind.JOB_VERSION, "current", first=1, after=None, default=1, newest_first=True
        )
        return page.edges[0].node if page.edges else None

    @strawberry.field
    def versions(self, first: int | None = 20, after: str | None = None) -> "Connection[JobVersion]":
        return page_of_children(
            self, Kind.JOB_VERSION, "versions", first=first, after=after, default=20, newest_first=True
        )

    @strawberry.field(graphql_type=later("Run", "runs") | None)
    def latest_run(self) -> Any:
        page = page_of_children(
            self, Kind.RUN, "latest", first=1, after=None, default=1, newest_first=True, marks=_EVERY_RUN
        )
        return page.edges[0].node if page.edges else None

    @strawberry.field(graphql_type=pages_of("Run", "runs"))
    def runs(
        self,
        first: int | None = 20,
        after: str | None = None,
        filter: RunFilter | None = None,  # noqa: A002 - the API's word
        order_by: list[RunOrder] | None = None,
    ) -> Any:
        if filter is None and not order_by:
            return page_of_children(
                self,
                Kind.RUN,
                "runs",
                first=first,
                after=after,
                default=20,
                newest_first=True,
                marks=_EVERY_RUN,
            )
        loader = self.cohort.loader
        return find_runs(
            loader, filter, first=first, after=after, default=20, job=self.node.key, order_by=order_by
        )

    @strawberry.field
    def inputs(self) -> list[Dataset]:
        return self.cohort.once(_inputs).get(self.node.key, [])

    @strawberry.field
    def outputs(self) -> list[Dataset]:
        return self.cohort.once(_outputs).get(self.node.key, [])

    @strawberry.field(directives=[Cost(weight=20, multipliers=["maxNodes"])])
    def lineage(
        self,
        direction: LineageDirection | None = LineageDirection.BOTH,
        depth: int | None = 2,
        granularity: Granularity | None = Granularity.ENTITY,
        as_of: TimePoint | None = None,
        filter: LineageFilter | None = None,  # noqa: A002 - the API's word
        max_nodes: int | None = 500,
    ) -> LineageGraph:
        return lineage_of(
            self.cohort.loader,
            self.id,
            direction=direction,
            depth=depth,
            granularity=granularity,
            as_of=as_of,
            only=filter,
            max_nodes=max_nodes,
        )


@strawberry.type
class JobVersion(Node):
    version: str
    created_at: DateTime
    git_commit: str | None
    code_hash: str | None
    node: strawberry.Private[changes.Node]
    cohort: strawberry.Private[Cohort]

    @classmethod
    def of(cls, node: changes.Node, cohort: Cohort) -> Self:
        return cls(
            id=id_of(node),
            version=text(node.props, "version") or keys.parts_of(node.key)[-1],
            created_at=moment(node.props, "created"),
            git_commit=text(node.props, "gitCommit"),
            code_hash=text(node.props, "codeHash"),
            node=node,
            cohort=cohort,
        )

    @strawberry.field
    def job(self) -> Job | None:
        found: Job | None = self.cohort.once(_jobs_of_versions).get(
            text(self.node.props, "job") or self.node.group
        )
        return found

    @strawberry.field
    def inputs(self) -> list[Dataset]:
        found = self.cohort.once(_version_datasets)
        return [found[key] for key in texts(self.node.props, "inputs") if key in found]

    @strawberry.field
    def outputs(self) -> list[Dataset]:
        found = self.cohort.once(_version_datasets)
        return [found[key] for key in texts(self.node.props, "outputs") if key in found]


def _parents(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(p for node in cohort.of(Kind.JOB) if (p := text(node.props, "parent")))


def _children(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(
        cohort, ends(cohort.loader.store, cohort.keys(Kind.JOB), Direction.UPSTREAM, EdgeKind.CHILD_OF)
    )


def _inputs(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(cohort, cohort.once(inputs))


def _outputs(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(cohort, cohort.once(outputs))


def _jobs_of_versions(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(text(n.props, "job") or n.group for n in cohort.of(Kind.JOB_VERSION))


def _version_datasets(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(
        key
        for n in cohort.of(Kind.JOB_VERSION)
        for side in ("inputs", "outputs")
        for key in texts(n.props, side)
    )

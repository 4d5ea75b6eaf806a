"""Every question of the API."""

from typing import Annotated

import strawberry

from headwater_server import __version__
from headwater_server.api.graphql import limits
from headwater_server.api.graphql.answers import (
    LineageFilter,
    LineageGraph,
    LineagePath,
    at,
    deadline,
    lineage_of,
    met,
    paths_met,
)
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.cursors import page_size
from headwater_server.api.graphql.datasets import Dataset
from headwater_server.api.graphql.deadletters import DeadLetterQuestions
from headwater_server.api.graphql.entity import Entity, Namespace
from headwater_server.api.graphql.enums import EntityKind, Granularity, GroupBy, LineageDirection
from headwater_server.api.graphql.evidence import Evidence, LineageDiff, diff_of, evidence_page
from headwater_server.api.graphql.impact import (
    AffectedModelConnection,
    ImpactInput,
    ImpactReport,
    affected,
    report,
)
from headwater_server.api.graphql.info import Info, context_of, loader_of
from headwater_server.api.graphql.jobs import Job
from headwater_server.api.graphql.lists import named_things, namespaces_page, standing_in
from headwater_server.api.graphql.logged import LogQueries
from headwater_server.api.graphql.models import ModelVersion, RegisteredModel
from headwater_server.api.graphql.pages import Connection
from headwater_server.api.graphql.runfilter import RunFilter, RunOrder
from headwater_server.api.graphql.runs import Run
from headwater_server.api.graphql.runsearch import find_runs
from headwater_server.api.graphql.scalars import Long, TimePoint
from headwater_server.api.graphql.searching import SearchConnection, found_by
from headwater_server.api.graphql.shown import find
from headwater_server.api.graphql.sqllineage import SqlLineage, sql_lineage
from headwater_server.api.graphql.tracked import TrackedQueries
from headwater_server.api.graphql.values import Actor, Node
from headwater_server.api.needs import Open, needs
from headwater_server.auth.policy import Permission
from headwater_server.errors import Invalid, NotFound
from headwater_server.graph.words import Kind
from headwater_server.lineage import overview, paths, resolve


@strawberry.type
class Limits:
    max_depth: int
    max_nodes: int
    max_page: int
    max_cost: int


@strawberry.type
class ServerInfo:
    version: str
    backend: str
    node_count: Long
    edge_count: Long
    events_ingested: Long
    read_only: bool
    limits: Limits
    viewer: Actor | None


@strawberry.type
class Query(LogQueries, DeadLetterQuestions, TrackedQueries):
    @strawberry.field
    @needs(Permission.READ)
    def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - the API's word
        found: Node | None = find(loader_of(info), [id])[0]
        return found

    @strawberry.field(directives=[Cost(weight=1, multipliers=["ids"])])
    @needs(Permission.READ)
    def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        if len(ids) > limits.MAX_PAGE:
            raise Invalid(f"{len(ids)} ids at once are more than {limits.MAX_PAGE}. Ask in parts.")
        return find(loader_of(info), ids)

    @strawberry.field(description="The thing of any reference: id, urn, namespace/name, models:/…, runs:/…")
    @needs(Permission.READ)
    def entity(self, info: Info, ref: str) -> Entity | None:
        loader = loader_of(info)
        found = loader.show([resolve(ref, loader.store)])
        if not found or not isinstance(found[0], Entity):
            raise NotFound(f"{ref!r} names nothing that stands in the lineage.", ref=ref, didYouMean=[])
        return found[0]

    @strawberry.field(directives=[Cost(weight=5)])
    @needs(Permission.READ)
    def search(
        self,
        info: Info,
        query: str,
        kinds: list[EntityKind] | None = None,
        filter: LineageFilter | None = None,  # noqa: A002 - the API's word
        first: int | None = 20,
        after: str | None = None,
    ) -> SearchConnection:
        return found_by(loader_of(info), query, kinds=kinds, only=filter, first=first, after=after)

    @strawberry.field
    @needs(Permission.READ)
    def namespaces(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[Namespace]:
        return namespaces_page(loader_of(info), first=first, after=after)

    @strawberry.field
    @needs(Permission.READ)
    def datasets(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        namespace: str | None = None,
        query: str | None = None,
    ) -> Connection[Dataset]:
        return named_things(
            loader_of(info), Kind.DATASET, namespace=namespace, query=query, first=first, after=after
        )

    @strawberry.field
    @needs(Permission.READ)
    def jobs(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        namespace: str | None = None,
        query: str | None = None,
    ) -> Connection[Job]:
        return named_things(
            loader_of(info), Kind.JOB, namespace=namespace, query=query, first=first, after=after
        )

    @strawberry.field(
        description="Newest first, unless told. `query`, `experimentIds` and `orderBy` ask for runs of experiments alone"
    )
    @needs(Permission.READ)
    def runs(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        filter: RunFilter | None = None,  # noqa: A002 - the API's word
        order_by: list[RunOrder] | None = None,
    ) -> Connection[Run]:
        return find_runs(loader_of(info), filter, first=first, after=after, default=50, order_by=order_by)

    @strawberry.field
    @needs(Permission.READ)
    def models(
        self, info: Info, first: int | None = 50, after: str | None = None, query: str | None = None
    ) -> Connection[RegisteredModel]:
        return named_things(
            loader_of(info), Kind.MODEL, namespace=None, query=query, first=first, after=after
        )

    @strawberry.field(description="`version`: a number, an alias, a stage or `latest`")
    @needs(Permission.READ)
    def model_version(self, info: Info, model: str, version: str) -> ModelVersion | None:
        loader = loader_of(info)
        found = loader.show([resolve(f"models:/{model}/{version}", loader.store)])
        return found[0] if found and isinstance(found[0], ModelVersion) else None

    @strawberry.field(directives=[Cost(weight=5)])
    @needs(Permission.READ)
    def models_in_stage(
        self,
        info: Info,
        stage: str,
        as_of: TimePoint | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[ModelVersion]:
        return standing_in(loader_of(info), stage, as_of=as_of, first=first, after=after)

    @strawberry.field(
        description="Model versions (in these stages; default all) that depend on a dataset, column, job or run",
        directives=[Cost(weight=20)],
    )
    @needs(Permission.READ)
    def affected_models(
        self,
        info: Info,
        ref: str,
        columns: list[str] | None = None,
        stages: list[str] | None = None,
        as_of: TimePoint | None = None,
        depth: int | None = 50,
        first: int | None = 100,
        after: str | None = None,
    ) -> AffectedModelConnection:
        return affected(
            loader_of(info),
            ref,
            columns=columns,
            stages=stages,
            as_of=as_of,
            depth=depth,
            first=first,
            after=after,
        )

    @strawberry.field(directives=[Cost(weight=20, multipliers=["maxNodes"])])
    @needs(Permission.READ)
    def lineage(
        self,
        info: Info,
        ref: str,
        direction: LineageDirection | None = LineageDirection.BOTH,
        depth: int | None = 2,
        granularity: Granularity | None = Granularity.ENTITY,
        as_of: TimePoint | None = None,
        filter: LineageFilter | None = None,  # noqa: A002 - the API's word
        max_nodes: int | None = 500,
    ) -> LineageGraph:
        return lineage_of(
            loader_of(info),
            ref,
            direction=direction,
            depth=depth,
            granularity=granularity,
            as_of=as_of,
            only=filter,
            max_nodes=max_nodes,
        )

    @strawberry.field(
        description="The whole graph rolled up; what a person sees first", directives=[Cost(weight=20)]
    )
    @needs(Permission.READ)
    def overview(
        self,
        info: Info,
        group_by: GroupBy | None = GroupBy.NAMESPACE,
        filter: LineageFilter | None = None,  # noqa: A002 - the API's word
        as_of: TimePoint | None = None,
    ) -> LineageGraph:
        loader = loader_of(info)
        found = overview(
            group_by or GroupBy.NAMESPACE,
            loader.store,
            only=None if filter is None else filter.only(),
            as_of=at(loader, as_of),
            now=loader.context.now(),
            deadline=deadline(loader),
        )
        return met(loader, found)

    @strawberry.field(directives=[Cost(weight=30, multipliers=["input.first"])])
    @needs(Permission.READ)
    def impact(self, info: Info, input: ImpactInput) -> ImpactReport:  # noqa: A002 - the API's word
        return report(loader_of(info), input)

    @strawberry.field(
        description="The ways from one thing to another, shortest first",
        directives=[Cost(weight=20, multipliers=["limit"])],
    )
    @needs(Permission.READ)
    def paths(
        self,
        info: Info,
        from_: Annotated[str, strawberry.argument(name="from")],
        to: str,
        granularity: Granularity | None = Granularity.ENTITY,
        as_of: TimePoint | None = None,
        limit: int | None = 10,
    ) -> list[LineagePath]:
        loader = loader_of(info)
        found = paths(
            from_,
            loader.store,
            to=to,
            granularity=granularity or Granularity.ENTITY,
            as_of=at(loader, as_of),
            limit=page_size(limit, 10),
            now=loader.context.now(),
            deadline=deadline(loader),
        )
        return paths_met(loader, found)

    @strawberry.field(
        description="Who said that this edge exists: every piece of evidence, oldest first",
        directives=[Cost(weight=5)],
    )
    @needs(Permission.READ)
    def why(
        self,
        info: Info,
        from_: Annotated[str, strawberry.argument(name="from")],
        to: str,
        first: int | None = 20,
        after: str | None = None,
    ) -> Connection[Evidence]:
        return evidence_page(loader_of(info), from_, to, first=first, after=after)

    @strawberry.field(directives=[Cost(weight=40)])
    @needs(Permission.READ)
    def lineage_diff(
        self,
        info: Info,
        ref: str,
        from_: Annotated[TimePoint, strawberry.argument(name="from")],
        to: TimePoint | None = None,
        depth: int | None = 3,
        direction: LineageDirection | None = LineageDirection.BOTH,
    ) -> LineageDiff:
        found: LineageDiff = diff_of(
            loader_of(info), ref, since=from_, until=to, depth=depth, direction=direction
        )
        return found

    @strawberry.field(
        description="What a script would read and write; nothing is saved", directives=[Cost(weight=20)]
    )
    @needs(Permission.READ)
    def parse_sql(
        self,
        info: Info,
        sql: str,
        dialect: str | None = None,
        default_namespace: str | None = None,
        default_database: str | None = None,
        default_schema: str | None = None,
    ) -> SqlLineage:
        return sql_lineage(
            loader_of(info),
            sql,
            dialect=dialect,
            namespace=default_namespace,
            database=default_database,
            schema=default_schema,
        )

    @strawberry.field
    @needs(Open.KNOWN)
    def server(self, info: Info) -> ServerInfo:
        context = context_of(info)
        sizes = context.store.sizes()
        return ServerInfo(
            version=__version__,
            backend=context.store.backend,
            node_count=Long(sizes["nodes"]),
            edge_count=Long(sizes["edges"]),
            events_ingested=Long(context.log.head()),
            read_only=False,
            limits=Limits(
                max_depth=limits.MAX_WALK,
                max_nodes=min(limits.MAX_NODES, context.settings.max_nodes),
                max_page=limits.MAX_PAGE,
                max_cost=limits.MAX_COST,
            ),
            viewer=Actor.of(context.actor),
        )

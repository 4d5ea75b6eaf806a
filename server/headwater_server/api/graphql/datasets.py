"""Datasets, their columns and their versions."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import strawberry

from headwater_server.api.graphql.answers import LineageFilter, LineageGraph, at, lineage_of
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.dependencies import Dependency, dependencies
from headwater_server.api.graphql.entity import (
    Entity,
    id_of,
    maybe_moment,
    moment,
    page_of_children,
    text,
    texts,
    whole,
)
from headwater_server.api.graphql.enums import Granularity, LineageDirection, TransformationType
from headwater_server.api.graphql.info import later, several
from headwater_server.api.graphql.loading import Cohort
from headwater_server.api.graphql.neighbours import consumers, ends, producers
from headwater_server.api.graphql.pages import page_of_things, pages_of
from headwater_server.api.graphql.scalars import DateTime, Long, TimePoint
from headwater_server.api.graphql.values import Node
from headwater_server.api.graphql.versions import UNVERSIONED
from headwater_server.graph import changes, keys, times
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.urns import urn_of
from headwater_server.project.reading import Check, checks_between
from headwater_server.store.port import Direction

_HASH = re.compile(r"(?:[0-9a-fA-F]{8}){4,16}")


@strawberry.type(description="Whether a data quality assertion held")
class QualityResult:
    assertion: str
    success: bool
    column: str | None

    @classmethod
    def of(cls, check: Check) -> Self:
        return cls(assertion=check.assertion, success=check.success, column=check.column)


@strawberry.type
class Dataset(Entity):
    symlinks: list[str] = strawberry.field(description="Alternative identities (OpenLineage symlinks facet)")

    @classmethod
    def own(cls, node: changes.Node) -> dict[str, Any]:
        return {"symlinks": texts(node.props, "symlinks")}

    @strawberry.field(graphql_type=several("Column", "datasets"))
    def columns(self, as_of: TimePoint | None = None) -> Any:
        if as_of is None:
            return self.cohort.once(columns_now).get(self.node.key, [])
        return self.cohort.once(columns_at, at(self.cohort.loader, as_of)).get(self.node.key, [])

    @strawberry.field(graphql_type=later("DatasetVersion", "datasets") | None)
    def current_version(self) -> Any:
        page = page_of_children(
            self, Kind.DATASET_VERSION, "current", first=1, after=None, default=1, newest_first=True
        )
        return page.edges[0].node if page.edges else None

    @strawberry.field(graphql_type=pages_of("DatasetVersion", "datasets"))
    def versions(self, first: int | None = 20, after: str | None = None) -> Any:
        return page_of_children(
            self, Kind.DATASET_VERSION, "versions", first=first, after=after, default=20, newest_first=True
        )

    @strawberry.field(graphql_type=pages_of("Job", "jobs"))
    def producers(self, first: int | None = 20, after: str | None = None) -> Any:
        jobs = self.cohort.once(_producers)[self.node.key]
        return page_of_things(jobs, Scope("producers", self.id), first=first, after=after, default=20)

    @strawberry.field(graphql_type=pages_of("Job", "jobs"))
    def consumers(self, first: int | None = 20, after: str | None = None) -> Any:
        jobs = self.cohort.once(_consumers)[self.node.key]
        return page_of_things(jobs, Scope("consumers", self.id), first=first, after=after, default=20)

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

    @strawberry.field(graphql_type=pages_of("ModelVersion", "models"))
    def trained_models(self, first: int | None = 20, after: str | None = None) -> Any:
        models = self.cohort.once(_trained_models).get(self.node.key, [])
        return page_of_things(models, Scope("trained", self.id), first=first, after=after, default=20)


@strawberry.type
class Column(Entity):
    type: str | None
    ordinal: int

    @classmethod
    def own(cls, node: changes.Node) -> dict[str, Any]:
        return {"type": text(node.props, "type"), "ordinal": whole(node.props, "ordinal") or 0}

    @strawberry.field
    def dataset(self) -> Dataset:
        return self.cohort.once(_datasets_of_columns)[keys.dataset_of(self.node.key)]

    @strawberry.field(description="What is nested in it")
    def fields(self) -> "list[Column]":
        return self.cohort.once(_nested).get(self.node.key, [])

    @strawberry.field
    def upstream(self) -> "list[ColumnDependency]":
        return self.cohort.once(_upstream).get(self.node.key, [])

    @strawberry.field
    def downstream(self) -> "list[ColumnDependency]":
        return self.cohort.once(_downstream).get(self.node.key, [])


@strawberry.type
class ColumnDependency:
    column: Column
    type: TransformationType
    subtype: str | None
    description: str | None
    masking: bool
    job: later("Job", "jobs") | None  # type: ignore[valid-type]


@strawberry.type
class DatasetVersion(Node):
    urn: str
    version: str
    created_at: DateTime
    schema_hash: str
    content_hash: str | None = strawberry.field(
        description="The version, where it is a hash of the content by its shape (32 hexadecimal digits or more)"
    )
    lifecycle_state: str | None
    row_count: Long | None
    bytes: Long | None
    node: strawberry.Private[changes.Node]
    cohort: strawberry.Private[Cohort]

    @classmethod
    def of(cls, node: changes.Node, cohort: Cohort) -> Self:
        rows, size = whole(node.props, "rows"), whole(node.props, "bytes")
        version = text(node.props, "version") or keys.parts_of(node.key)[-1]
        return cls(
            id=id_of(node),
            urn=urn_of(node.key, Kind.DATASET_VERSION),
            version=version,
            content_hash=version if _HASH.fullmatch(version) else None,
            created_at=moment(node.props, "created"),
            schema_hash=text(node.props, "schemaHash") or "",
            lifecycle_state=text(node.props, "lifecycle"),
            row_count=None if rows is None else Long(rows),
            bytes=None if size is None else Long(size),
            node=node,
            cohort=cohort,
        )

    @strawberry.field
    def dataset(self) -> Dataset:
        return self.cohort.once(_datasets_of_versions)[self.node.group]

    @strawberry.field(description="The columns of the dataset as they were then")
    def columns(self) -> list[Column]:
        created = None if self.version == UNVERSIONED else maybe_moment(self.node.props, "created")
        found = self.cohort.once(_columns_of_versions)[self.node.group]
        return [column for column in found if _was_there(column.node, created)]

    @strawberry.field(
        description="The newest result of each assertion made while this was the newest version"
    )
    def quality(self) -> list[QualityResult]:
        store = self.cohort.loader.store
        created = maybe_moment(self.node.props, "created")
        if self.version == UNVERSIONED or created is None:
            return [QualityResult.of(c) for c in checks_between(self.node.group, -(2**62), None, store)]
        later_ones = store.page(
            Kind.DATASET_VERSION,
            marks=("",),
            group=self.node.group,
            after=(self.node.sort, self.node.key),
            limit=1,
        )
        until = times.from_sortable(later_ones[0].sort) if later_ones else None
        since = times.from_sortable(self.node.sort)
        return [QualityResult.of(c) for c in checks_between(self.node.group, since, until, store)]

    @strawberry.field(graphql_type=later("Run", "runs") | None)
    def produced_by(self) -> Any:
        found = self.cohort.once(_writers).get(self.node.key)
        return found[0] if found else None

    @strawberry.field(graphql_type=pages_of("Run", "runs"))
    def consumed_by(self, first: int | None = 20, after: str | None = None) -> Any:
        runs = self.cohort.once(_readers).get(self.node.key, [])
        return page_of_things(
            runs, Scope("consumedBy", self.id), first=first, after=after, default=20, newest_first=True
        )


def columns_now(cohort: Cohort) -> dict[str, list[Column]]:
    """The visible columns of each dataset, in their order."""
    return _columns(cohort, cohort.keys(Kind.DATASET), visible_only=True)


def columns_at(cohort: Cohort, moment_: int | None) -> dict[str, list[Column]]:
    found = _columns(cohort, cohort.keys(Kind.DATASET), visible_only=False)
    return {k: [c for c in columns if _was_there(c.node, moment_)] for k, columns in found.items()}


def _columns(cohort: Cohort, owners: Iterable[str], *, visible_only: bool) -> dict[str, list[Column]]:
    found = ends(cohort.loader.store, owners, Direction.DOWNSTREAM, EdgeKind.HAS_COLUMN)
    columns = cohort.loader.load(key for group in found.values() for key in group)
    return {
        owner: sorted(
            (columns[k] for k in group if k in columns and not (visible_only and columns[k].node.mark)),
            key=lambda column: (column.node.sort, column.node.key),
        )
        for owner, group in found.items()
    }


def _was_there(column: changes.Node, moment_: int | None) -> bool:
    if moment_ is None:
        return not column.mark
    first, retired = whole(column.props, "first"), whole(column.props, "retired")
    return (first is None or first <= moment_) and (retired is None or moment_ < retired)


def _nested(cohort: Cohort) -> dict[str, list[Column]]:
    return _columns(cohort, cohort.keys(Kind.COLUMN), visible_only=True)


def _datasets_of_columns(cohort: Cohort) -> dict[str, Dataset]:
    return cohort.loader.load(keys.dataset_of(key) for key in cohort.keys(Kind.COLUMN))


def _datasets_of_versions(cohort: Cohort) -> dict[str, Dataset]:
    return cohort.loader.load(node.group for node in cohort.of(Kind.DATASET_VERSION))


def _columns_of_versions(cohort: Cohort) -> dict[str, list[Column]]:
    owners = {node.group for node in cohort.of(Kind.DATASET_VERSION)}
    return defaultdict(list, _columns(cohort, owners, visible_only=False))


def _writers(cohort: Cohort) -> dict[str, list[Any]]:
    versions = cohort.keys(Kind.DATASET_VERSION)
    return lists(cohort, ends(cohort.loader.store, versions, Direction.UPSTREAM, EdgeKind.WROTE))


def _readers(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(
        cohort,
        ends(cohort.loader.store, cohort.keys(Kind.DATASET_VERSION), Direction.UPSTREAM, EdgeKind.READ),
    )


def _producers(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(cohort, cohort.once(producers))


def _consumers(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(cohort, cohort.once(consumers))


def _trained_models(cohort: Cohort) -> dict[str, list[Any]]:
    """Of the dataset itself and of its versions."""
    store, datasets = cohort.loader.store, cohort.keys(Kind.DATASET)
    versions = ends(store, datasets, Direction.UPSTREAM, EdgeKind.VERSION_OF)
    every = {*datasets, *(v for group in versions.values() for v in group)}
    trained = ends(store, every, Direction.UPSTREAM, EdgeKind.TRAINED_ON)
    return lists(
        cohort,
        {d: {m for k in (d, *versions.get(d, ())) for m in trained.get(k, ())} for d in datasets},
    )


def lists(cohort: Cohort, found: Mapping[str, Iterable[str]]) -> dict[str, list[Any]]:
    """For each key the things of its keys; all of them one cohort."""
    things = cohort.loader.load(key for group in found.values() for key in group)
    return {key: [things[k] for k in sorted(group) if k in things] for key, group in found.items()}


def shown_lists(cohort: Cohort, found: Mapping[str, Sequence[changes.Node]]) -> dict[str, list[Any]]:
    """For each key its nodes as things; all of them one cohort."""
    things = iter(cohort.loader.show(node for group in found.values() for node in group))
    return {key: [next(things) for _ in group] for key, group in found.items()}


def _upstream(cohort: Cohort) -> dict[str, list[ColumnDependency]]:
    return _dependencies(cohort, Direction.UPSTREAM)


def _downstream(cohort: Cohort) -> dict[str, list[ColumnDependency]]:
    return _dependencies(cohort, Direction.DOWNSTREAM)


def _dependencies(cohort: Cohort, direction: Direction) -> dict[str, list[ColumnDependency]]:
    found = dependencies(cohort.loader.store, cohort.keys(Kind.COLUMN), direction)
    every: list[Dependency] = [d for group in found.values() for d in group]
    columns = cohort.loader.load(d.column for d in every)
    jobs = cohort.loader.load(d.job for d in every if d.job)
    return {
        key: [
            ColumnDependency(
                column=columns[d.column],
                type=d.type,
                subtype=d.subtype,
                description=d.description,
                masking=d.masking,
                job=jobs.get(d.job or ""),
            )
            for d in group
            if d.column in columns
        ]
        for key, group in found.items()
    }

"""Impact: what breaks first, why and by which path."""

from collections.abc import Sequence
from typing import Any

import strawberry

from headwater_server.api.graphql.answers import LineagePath, at, deadline, hops
from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.datasets import Column
from headwater_server.api.graphql.entity import Entity
from headwater_server.api.graphql.enums import ChangeKind, EntityKind, Severity
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.models import ModelVersion
from headwater_server.api.graphql.pages import Connection, Edge, PageInfo, page_of_list
from headwater_server.api.graphql.scalars import DateTime, TimePoint
from headwater_server.api.graphql.values import Owner
from headwater_server.graph.changes import Node
from headwater_server.lineage import affected_models, impact, shapes


@strawberry.type
class ImpactReason:
    code: str
    text: str
    evidence: list[strawberry.ID]


@strawberry.type
class ImpactItem:
    entity: Entity
    severity: Severity
    score: float
    distance: int
    reasons: list[ImpactReason]
    path: LineagePath
    alternative_paths: int = strawberry.field(
        description="How many other shown neighbours the change arrives through; whole paths are not counted"
    )
    columns: list[Column]


@strawberry.type
class KindCount:
    kind: EntityKind
    count: int


@strawberry.type
class SeverityCount:
    severity: Severity
    count: int


@strawberry.type
class ImpactSummary:
    by_kind: list[KindCount]
    by_severity: list[SeverityCount]
    production_models: list[ModelVersion]
    owners: list[Owner]


@strawberry.type(description="Ranked: what breaks first, why, and by which path")
class ImpactReport:
    subject: Entity
    change: ChangeKind
    as_of: DateTime
    items: Connection[ImpactItem]
    summary: ImpactSummary
    truncated: bool
    markdown: str


@strawberry.input
class ImpactInput:
    ref: str
    change: ChangeKind
    columns: list[str] | None = None
    new_type: str | None = None
    depth: int | None = 25
    as_of: TimePoint | None = None
    min_severity: Severity | None = Severity.LOW
    kinds: list[EntityKind] | None = None
    first: int | None = 100
    after: str | None = None


@strawberry.type
class AffectedModel:
    model_version: ModelVersion
    stage_name: str | None
    distance: int
    columns: list[Column]
    path: LineagePath


@strawberry.type
class AffectedModelConnection:
    edges: list[Edge[AffectedModel]]
    page_info: PageInfo
    total_count: int
    truncated: bool


def report(loader: Loader, asked: ImpactInput) -> ImpactReport:
    context = loader.context
    found = impact(
        asked.ref,
        loader.store,
        change=asked.change,
        columns=asked.columns or (),
        new_type=asked.new_type,
        depth=hops(loader, asked.depth, 25),
        as_of=at(loader, asked.as_of),
        min_severity=asked.min_severity or Severity.LOW,
        kinds=asked.kinds or (),
        now=context.now(),
        deadline=deadline(loader),
    )
    scope = Scope(
        "impact", asked.ref, asked.change, asked.columns, asked.min_severity, asked.kinds, asked.as_of
    )
    summary = found.summary
    subject, *models = loader.show([found.subject, *summary.production_models])
    return ImpactReport(
        subject=subject,
        change=found.change,
        as_of=DateTime(found.as_of),
        items=page_of_list(
            found.items,
            scope,
            first=asked.first,
            after=asked.after,
            default=100,
            show=lambda items: _items(loader, items),
        ),
        summary=ImpactSummary(
            by_kind=list(summary.by_kind),  # type: ignore[arg-type]  # rows of `lineage`, as they are
            by_severity=list(summary.by_severity),  # type: ignore[arg-type]
            production_models=models,
            owners=[Owner.of(owner) for owner in summary.owners],
        ),
        truncated=found.truncated,
        markdown=found.markdown,
    )


def affected(
    loader: Loader,
    ref: str,
    *,
    columns: Sequence[str] | None,
    stages: Sequence[str] | None,
    as_of: TimePoint | None,
    depth: int | None,
    first: int | None,
    after: str | None,
) -> AffectedModelConnection:
    found = affected_models(
        ref,
        loader.store,
        columns=columns or (),
        stages=stages or (),
        as_of=at(loader, as_of),
        depth=hops(loader, depth, 50),
        now=loader.context.now(),
        deadline=deadline(loader),
    )
    page: Connection[Any] = page_of_list(
        found.items,
        Scope("affectedModels", ref, columns, stages, as_of, depth),
        first=first,
        after=after,
        default=100,
        show=lambda items: _affected(loader, items),
    )
    return AffectedModelConnection(
        edges=page.edges, page_info=page.page_info, total_count=len(found.items), truncated=found.truncated
    )


def _items(loader: Loader, items: Sequence[shapes.ImpactItem]) -> list[ImpactItem]:
    loader.expect(node.key for item in items for node in item.path.nodes)
    entities = loader.show(item.entity for item in items)
    columns = _columns(loader, [item.columns for item in items])
    return [
        ImpactItem(
            entity=entity,
            severity=item.severity,
            score=item.score,
            distance=item.distance,
            reasons=list(item.reasons),  # type: ignore[arg-type]  # rows of `lineage`, as they are
            path=item.path,  # type: ignore[arg-type]
            alternative_paths=item.alternative_paths,
            columns=found,
        )
        for item, entity, found in zip(items, entities, columns, strict=True)
    ]


def _affected(loader: Loader, items: Sequence[shapes.AffectedModel]) -> list[AffectedModel]:
    loader.expect(node.key for item in items for node in item.path.nodes)
    versions = loader.show(item.model_version for item in items)
    columns = _columns(loader, [item.columns for item in items])
    return [
        AffectedModel(
            model_version=version,
            stage_name=item.stage_name,
            distance=item.distance,
            columns=found,
            path=item.path,  # type: ignore[arg-type]  # a row of `lineage`, as it is
        )
        for item, version, found in zip(items, versions, columns, strict=True)
    ]


def _columns(loader: Loader, groups: Sequence[Sequence[Node]]) -> list[list[Any]]:
    """The columns of each item, all of them one cohort."""
    things = iter(loader.show(node for group in groups for node in group))
    return [[next(things) for _ in group] for group in groups]

"""What breaks when a thing changes: ranked, with reasons and the path it takes."""

from collections.abc import Sequence

from headwater_server.lineage.shapes import (
    AffectedModels,
    ChangeKind,
    EntityKind,
    ImpactReport,
    Severity,
)
from headwater_server.store.port import GraphStore


def impact(
    ref: str,
    store: GraphStore,
    *,
    change: ChangeKind,
    columns: Sequence[str] = (),
    new_type: str | None = None,
    depth: int = 25,
    as_of: int | None = None,
    min_severity: Severity = Severity.LOW,
    kinds: Sequence[EntityKind] = (),
    now: int | None = None,
    deadline: float | None = None,
) -> ImpactReport:
    raise NotImplementedError


def affected_models(
    ref: str,
    store: GraphStore,
    *,
    columns: Sequence[str] = (),
    stages: Sequence[str] = (),
    as_of: int | None = None,
    depth: int = 50,
    now: int | None = None,
    deadline: float | None = None,
) -> AffectedModels:
    raise NotImplementedError

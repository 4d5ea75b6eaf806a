"""The API's enums: those of the lineage answers under their public names, and its own."""

from enum import Enum

import strawberry

from headwater_server.graph.words import Kind
from headwater_server.lineage.compare import DiffKind
from headwater_server.lineage.shapes import (
    ChangeKind,
    EdgeOrigin,
    EntityKind,
    EvidenceKind,
    Granularity,
    GroupBy,
    LineageDirection,
    RunState,
    Severity,
    ShownEdgeKind,
    TransformationType,
)

__all__ = [
    "KIND_OF",
    "ActorKind",
    "ChangeKind",
    "DiffKind",
    "EdgeOrigin",
    "EntityKind",
    "ErrorCode",
    "EvidenceKind",
    "Granularity",
    "GroupBy",
    "LineageDirection",
    "RunState",
    "SeriesAxis",
    "Severity",
    "ShownEdgeKind",
    "SortDirection",
    "TransformationType",
    "TransitionState",
]

for _enum in (
    ChangeKind,
    DiffKind,
    EdgeOrigin,
    EntityKind,
    EvidenceKind,
    Granularity,
    GroupBy,
    LineageDirection,
    RunState,
    Severity,
    TransformationType,
):
    strawberry.enum(_enum)
strawberry.enum(ShownEdgeKind, name="EdgeKind")

KIND_OF: dict[Kind, EntityKind] = {
    Kind.DATASET: EntityKind.DATASET,
    Kind.DATASET_VERSION: EntityKind.DATASET_VERSION,
    Kind.COLUMN: EntityKind.COLUMN,
    Kind.JOB: EntityKind.JOB,
    Kind.JOB_VERSION: EntityKind.JOB_VERSION,
    Kind.RUN: EntityKind.RUN,
    Kind.EXPERIMENT: EntityKind.EXPERIMENT,
    Kind.MODEL: EntityKind.REGISTERED_MODEL,
    Kind.MODEL_VERSION: EntityKind.MODEL_VERSION,
}


@strawberry.enum
class SortDirection(Enum):
    ASC = "ASC"
    DESC = "DESC"


@strawberry.enum
class SeriesAxis(Enum):
    STEP = "STEP"
    TIME = "TIME"
    RELATIVE_TIME = "RELATIVE_TIME"


@strawberry.enum
class ActorKind(Enum):
    USER = "USER"
    SERVICE = "SERVICE"
    SYSTEM = "SYSTEM"


@strawberry.enum
class TransitionState(Enum):
    APPLIED = "APPLIED"


@strawberry.enum
class ErrorCode(Enum):
    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"
    CONFLICT = "CONFLICT"
    FORBIDDEN = "FORBIDDEN"
    ALREADY_EXISTS = "ALREADY_EXISTS"

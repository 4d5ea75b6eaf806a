"""The API's enums: those of the lineage answers under their public names, and its own."""

from enum import Enum

import strawberry

from headwater_server.graph.words import Kind
from headwater_server.lineage import shapes

ChangeKind = strawberry.enum(shapes.ChangeKind)
EdgeOrigin = strawberry.enum(shapes.EdgeOrigin)
EntityKind = strawberry.enum(shapes.EntityKind)
EvidenceKind = strawberry.enum(shapes.EvidenceKind)
Granularity = strawberry.enum(shapes.Granularity)
GroupBy = strawberry.enum(shapes.GroupBy)
LineageDirection = strawberry.enum(shapes.LineageDirection)
RunState = strawberry.enum(shapes.RunState)
Severity = strawberry.enum(shapes.Severity)
ShownEdgeKind = strawberry.enum(shapes.ShownEdgeKind, name="EdgeKind")
TransformationType = strawberry.enum(shapes.TransformationType)

KIND_OF: dict[Kind, shapes.EntityKind] = {
    Kind.DATASET: shapes.EntityKind.DATASET,
    Kind.DATASET_VERSION: shapes.EntityKind.DATASET_VERSION,
    Kind.COLUMN: shapes.EntityKind.COLUMN,
    Kind.JOB: shapes.EntityKind.JOB,
    Kind.JOB_VERSION: shapes.EntityKind.JOB_VERSION,
    Kind.RUN: shapes.EntityKind.RUN,
    Kind.MODEL: shapes.EntityKind.REGISTERED_MODEL,
    Kind.MODEL_VERSION: shapes.EntityKind.MODEL_VERSION,
}


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

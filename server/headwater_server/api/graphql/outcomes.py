"""What a mutation answers: what it made, or a refusal that the caller can act on."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import strawberry

from headwater_server.api.graphql.entity import Annotation, Entity
from headwater_server.api.graphql.enums import ErrorCode
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.models import ModelAlias, ModelVersion, RegisteredModel, StageTransition
from headwater_server.api.graphql.values import Node
from headwater_server.errors import AlreadyExists, Conflict, Forbidden, HeadwaterError, Invalid, NotFound

T = TypeVar("T")


@strawberry.interface(
    description="Expected outcomes are data. Unexpected ones are GraphQL errors with extensions.code"
)
class UserError:
    code: ErrorCode
    message: str
    field: list[str] | None


@strawberry.type
class NotFoundError(UserError):
    ref: str
    did_you_mean: list[str]


@strawberry.type
class ValidationError(UserError):
    pass


@strawberry.type(description="Someone changed it first: here is what it is now")
class ConflictError(UserError):
    expected_revision: int
    actual_revision: int
    current: Node


@strawberry.type
class ForbiddenError(UserError):
    needs: str


@strawberry.type
class AlreadyExistsError(UserError):
    existing: Node


@strawberry.type
class RegisterModelPayload:
    model: RegisteredModel


@strawberry.type
class CreateModelVersionPayload:
    model_version: ModelVersion


@strawberry.type(description="`revision` is the model's new one")
class TransitionPayload:
    transition: StageTransition
    model_version: ModelVersion
    revision: int


@strawberry.type
class AliasPayload:
    model: RegisteredModel
    alias: ModelAlias | None
    previous: ModelVersion | None


@strawberry.type
class EntityPayload:
    entity: Entity


@strawberry.type
class AnnotatePayload:
    annotation: Annotation


RegisterModelResult = Annotated[
    RegisterModelPayload | ValidationError | AlreadyExistsError | ForbiddenError,
    strawberry.union("RegisterModelResult"),
]
CreateModelVersionResult = Annotated[
    CreateModelVersionPayload | NotFoundError | ConflictError | ValidationError | ForbiddenError,
    strawberry.union("CreateModelVersionResult"),
]
TransitionResult = Annotated[
    TransitionPayload | NotFoundError | ConflictError | ValidationError | ForbiddenError,
    strawberry.union("TransitionResult"),
]
AliasResult = Annotated[
    AliasPayload | NotFoundError | ConflictError | ValidationError | ForbiddenError,
    strawberry.union("AliasResult"),
]
EntityResult = Annotated[
    EntityPayload | NotFoundError | ConflictError | ValidationError | ForbiddenError,
    strawberry.union("EntityResult"),
]
AnnotateResult = Annotated[
    AnnotatePayload | NotFoundError | ValidationError | ForbiddenError, strawberry.union("AnnotateResult")
]


def attempt(loader: Loader, act: Callable[[], T], *, may: tuple[type[UserError], ...]) -> T | Any:
    """What `act` answers, or its refusal as a member of the union; others are raised."""
    loader.forget()
    try:
        return act()
    except HeadwaterError as error:
        refusal = refused(loader, error)
        if refusal is None or not isinstance(refusal, may):
            raise
        return refusal


def refused(loader: Loader, error: HeadwaterError) -> UserError | None:
    """The union member of an error; None when it has none."""
    told, message = error.details, str(error)
    field = told.get("field")
    where = [str(field)] if isinstance(field, str) else field if isinstance(field, list) else None
    match error:
        case NotFound():
            return NotFoundError(
                code=ErrorCode.NOT_FOUND,
                message=message,
                field=where,
                ref=str(told.get("ref", "")),
                did_you_mean=list(told.get("didYouMean", ())),
            )
        case AlreadyExists():
            existing = _thing(loader, told.get("key"))
            return (
                None
                if existing is None
                else AlreadyExistsError(
                    code=ErrorCode.ALREADY_EXISTS, message=message, field=where, existing=existing
                )
            )
        case Conflict():
            current = _thing(loader, told.get("current"))
            return (
                None
                if current is None
                else ConflictError(
                    code=ErrorCode.CONFLICT,
                    message=message,
                    field=where,
                    expected_revision=_whole(told.get("expected")),
                    actual_revision=_whole(told.get("actual")),
                    current=current,
                )
            )
        case Forbidden():
            return ForbiddenError(
                code=ErrorCode.FORBIDDEN, message=message, field=where, needs=str(told.get("needs", ""))
            )
        case Invalid():
            return ValidationError(code=ErrorCode.INVALID, message=message, field=where)
    return None


def _thing(loader: Loader, key: object) -> Any:
    return loader.load([key]).get(key) if isinstance(key, str) else None


def _whole(value: object) -> int:
    """A revision or a version's number; 0 for none; -1 for what is no number that fits: the message tells it."""
    if isinstance(value, str):
        value = int(value) if value.isdecimal() and len(value) < 10 else -1 if value else 0
    return value if isinstance(value, int) and -(2**31) <= value < 2**31 else -1

"""Every change that can be made through the API: each calls one feature and shows what became of it."""

from typing import Any

import strawberry

from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.deadletters import DeadLetterDecisions
from headwater_server.api.graphql.enums import ShownEdgeKind
from headwater_server.api.graphql.info import Info, context_of, loader_of
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.models import StageTransition, aliases_of
from headwater_server.api.graphql.outcomes import (
    AliasPayload,
    AliasResult,
    AlreadyExistsError,
    AnnotatePayload,
    AnnotateResult,
    ConflictError,
    CreateModelVersionPayload,
    CreateModelVersionResult,
    EntityPayload,
    EntityResult,
    ForbiddenError,
    NotFoundError,
    RegisterModelPayload,
    RegisterModelResult,
    TransitionPayload,
    TransitionResult,
    ValidationError,
    attempt,
)
from headwater_server.api.graphql.scalars import JSON, DateTime
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission

_WRITE = [Cost(weight=10, multipliers=[])]
_ANY = (NotFoundError, ConflictError, ValidationError, ForbiddenError)


@strawberry.input
class TagInput:
    key: str
    value: str | None = None


@strawberry.input
class StageInput:
    name: str
    exclusive: bool | None = False


@strawberry.input
class RegisterModelInput:
    name: str
    description: str | None = None
    tags: list[TagInput] | None = None
    stages: list[StageInput] | None = None
    client_mutation_id: str | None = None


@strawberry.input
class CreateModelVersionInput:
    model: str
    run_id: str | None = strawberry.field(default=None, description="MLflow or OpenLineage run")
    source_uri: str | None = None
    content_hash: str | None = None
    signature: JSON | None = None
    description: str | None = None
    tags: list[TagInput] | None = None
    trained_on: list[str] | None = strawberry.field(
        default=None, description="Refs of datasets or their versions"
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(
    description="`model` takes a name, `version` a number; or give `ref` instead of both. `expectedRevision` is the"
    " optimistic lock: a miss is ConflictError"
)
class TransitionStageInput:
    to_stage: str
    ref: str | None = None
    model: str | None = None
    version: str | None = None
    expected_revision: int | None = None
    comment: str | None = None
    archive_existing: bool | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="`version: null` removes the alias; `expectedVersion` is compare-and-set")
class SetAliasInput:
    model: str
    alias: str
    version: str | None = None
    expected_version: str | None = None
    client_mutation_id: str | None = None


@strawberry.input
class TagEntityInput:
    ref: str
    set: list[TagInput] | None = None
    remove: list[str] | None = None
    client_mutation_id: str | None = None


@strawberry.input
class UpdateEntityInput:
    ref: str
    description: str | None = None
    owners: list[str] | None = None
    display_name: str | None = None
    expected_updated_at: DateTime | None = None
    client_mutation_id: str | None = None


@strawberry.input
class AnnotateInput:
    ref: str
    body: str
    client_mutation_id: str | None = None


@strawberry.input
class ArchiveInput:
    ref: str
    reason: str | None = None
    restore: bool | None = False
    client_mutation_id: str | None = None


@strawberry.input
class ManualEdgeInput:
    from_: str = strawberry.field(name="from")
    to: str
    kind: ShownEdgeKind
    note: str | None = None
    remove: bool | None = False
    client_mutation_id: str | None = None


@strawberry.type
class Mutation(DeadLetterDecisions):
    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.REGISTER)
    def register_model(self, info: Info, input: RegisterModelInput) -> RegisterModelResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> RegisterModelPayload:
            stages = input.stages
            key = context.registry.register_model(
                input.name,
                description=input.description,
                tags=_tags(input.tags),
                stages=None if stages is None else [(s.name, bool(s.exclusive)) for s in stages],
                actor=context.actor,
            )
            return RegisterModelPayload(model=_one(loader, key))

        return attempt(loader, act, may=(ValidationError, AlreadyExistsError, ForbiddenError))

    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.REGISTER)
    def create_model_version(
        self,
        info: Info,
        input: CreateModelVersionInput,  # noqa: A002 - the API's word, here and below
    ) -> CreateModelVersionResult:
        loader, context = loader_of(info), context_of(info)

        def act() -> CreateModelVersionPayload:
            key = context.registry.create_version(
                input.model,
                run_id=input.run_id,
                source_uri=input.source_uri,
                content_hash=input.content_hash,
                signature=input.signature,
                description=input.description,
                tags=_tags(input.tags),
                trained_on=input.trained_on or (),
                idempotency_key=input.idempotency_key,
                actor=context.actor,
            )
            return CreateModelVersionPayload(model_version=_one(loader, key))

        return attempt(loader, act, may=_ANY)

    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.REQUEST_TRANSITION)
    def transition_stage(self, info: Info, input: TransitionStageInput) -> TransitionResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> TransitionPayload:
            done = context.registry.transition(
                ref=input.ref,
                model=input.model,
                version=input.version,
                to_stage=input.to_stage,
                expected_revision=input.expected_revision,
                comment=input.comment,
                archive_existing=input.archive_existing,
                idempotency_key=input.idempotency_key,
                actor=context.actor,
            )
            return TransitionPayload(
                transition=StageTransition.told(done),
                model_version=_one(loader, done.version_key),
                revision=done.revision,
            )

        return attempt(loader, act, may=_ANY)

    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.REQUEST_TRANSITION)
    def set_alias(self, info: Info, input: SetAliasInput) -> AliasResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> AliasPayload:
            done = context.registry.set_alias(
                input.model,
                input.alias,
                version=input.version,
                expected_version=input.expected_version,
                actor=context.actor,
            )
            named = [a for a in aliases_of(loader, done.model_key) if a.name == done.alias]
            previous = loader.load([done.previous_key]) if done.previous_key else {}
            return AliasPayload(
                model=_one(loader, done.model_key),
                alias=named[0] if named else None,
                previous=previous.get(done.previous_key or ""),
            )

        return attempt(loader, act, may=_ANY)

    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.CURATE)
    def tag_entity(self, info: Info, input: TagEntityInput) -> EntityResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> EntityPayload:
            key = context.curation.tag(
                input.ref, set=_tags(input.set), remove=input.remove or (), actor=context.actor
            )
            return EntityPayload(entity=_one(loader, key))

        return attempt(loader, act, may=_ANY)

    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.CURATE)
    def update_entity(self, info: Info, input: UpdateEntityInput) -> EntityResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> EntityPayload:
            key = context.curation.update(
                input.ref,
                description=input.description,
                owners=input.owners,
                display_name=input.display_name,
                expected_updated_at=input.expected_updated_at,
                actor=context.actor,
            )
            return EntityPayload(entity=_one(loader, key))

        return attempt(loader, act, may=_ANY)

    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.CURATE)
    def annotate(self, info: Info, input: AnnotateInput) -> AnnotateResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> AnnotatePayload:
            key = context.curation.annotate(input.ref, body=input.body, actor=context.actor)
            return AnnotatePayload(annotation=_one(loader, key))

        return attempt(loader, act, may=(NotFoundError, ValidationError, ForbiddenError))

    @strawberry.mutation(directives=_WRITE)
    @needs(Permission.CURATE)
    def archive(self, info: Info, input: ArchiveInput) -> EntityResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> EntityPayload:
            key = context.curation.archive(
                input.ref, reason=input.reason, restore=bool(input.restore), actor=context.actor
            )
            return EntityPayload(entity=_one(loader, key))

        return attempt(loader, act, may=_ANY)

    @strawberry.mutation(description="Answers the thing at `to`", directives=_WRITE)
    @needs(Permission.CURATE)
    def set_manual_edge(self, info: Info, input: ManualEdgeInput) -> EntityResult:  # noqa: A002
        loader, context = loader_of(info), context_of(info)

        def act() -> EntityPayload:
            key = context.curation.manual_edge(
                input.from_,
                input.to,
                kind=input.kind.value,
                note=input.note,
                remove=bool(input.remove),
                actor=context.actor,
            )
            return EntityPayload(entity=_one(loader, key))

        return attempt(loader, act, may=_ANY)


def _tags(tags: list[TagInput] | None) -> dict[str, str | None]:
    return {tag.key: tag.value for tag in tags or ()}


def _one(loader: Loader, key: str) -> Any:
    return loader.load([key])[key]

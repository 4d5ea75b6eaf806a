"""Dead letters in the API: records that the graph goes on without, and what people decide about them."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.info import Info, context_of, loader_of
from headwater_server.api.graphql.outcomes import ForbiddenError, NotFoundError, ValidationError, attempt
from headwater_server.api.graphql.pages import Connection, connect
from headwater_server.api.graphql.scalars import DateTime, Long
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.commit.deadletters import Decided
from headwater_server.log.deadletters import Letter

_MAY = (NotFoundError, ValidationError, ForbiddenError)


@strawberry.type(
    description="A record that could not be projected; the log keeps it, the graph goes on without it"
)
class DeadLetter:
    seq: Long
    kind: str
    reason: str
    tries: int
    first_failed_at: DateTime
    last_failed_at: DateTime


@strawberry.input(description="No `seqs`: the first 1,000 dead letters")
class DeadLettersInput:
    seqs: list[Long] | None = None
    reason: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`done` is in the graph now, or left out; `remaining` failed again")
class DeadLettersPayload:
    done: list[Long]
    remaining: list[DeadLetter]


DeadLettersResult = Annotated[
    DeadLettersPayload | NotFoundError | ValidationError | ForbiddenError,
    strawberry.union("DeadLettersResult"),
]


@strawberry.type
class DeadLetterQuestions:
    @strawberry.field(description="Records that the graph goes on without, in the log's order")
    @needs(Permission.ADMIN)
    def dead_letters(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[DeadLetter]:
        office = context_of(info).office
        size = page_size(first, 50)
        scope = Scope("deadLetters")
        position = scope.position(after)
        found = office.page(after=0 if position is None else int(position[0]), limit=size + 1)
        return connect(
            [_shown(letter) for letter in found[:size]],
            [scope.cursor(letter.seq) for letter in found[:size]],
            count=office.count,
            more=len(found) > size,
            began=after is not None,
        )


@strawberry.type
class DeadLetterDecisions:
    @strawberry.mutation(
        directives=[Cost(weight=10, multipliers=[])],
        description="Project them again, also those that were left out; a record in the log says who wanted it",
    )
    @needs(Permission.ADMIN)
    def retry_dead_letters(self, info: Info, input: DeadLettersInput) -> DeadLettersResult:  # noqa: A002
        context = context_of(info)

        def act() -> DeadLettersPayload:
            return _told(context.office.retry(_seqs(input.seqs), reason=input.reason, actor=context.actor))

        return attempt(loader_of(info), act, may=_MAY)

    @strawberry.mutation(
        directives=[Cost(weight=10, multipliers=[])],
        description="Leave them out of the graph for good, in every rebuild too; the log keeps them",
    )
    @needs(Permission.ADMIN)
    def drop_dead_letters(self, info: Info, input: DeadLettersInput) -> DeadLettersResult:  # noqa: A002
        context = context_of(info)

        def act() -> DeadLettersPayload:
            return _told(context.office.drop(_seqs(input.seqs), reason=input.reason, actor=context.actor))

        return attempt(loader_of(info), act, may=_MAY)


def _seqs(given: Sequence[Long] | None) -> list[int] | None:
    return None if given is None else [int(seq) for seq in given]


def _told(decided: Decided) -> DeadLettersPayload:
    return DeadLettersPayload(
        done=[Long(seq) for seq in decided.done], remaining=[_shown(letter) for letter in decided.remaining]
    )


def _shown(letter: Letter) -> DeadLetter:
    return DeadLetter(
        seq=Long(letter.seq),
        kind=letter.kind,
        reason=letter.reason,
        tries=letter.tries,
        first_failed_at=DateTime(letter.first),
        last_failed_at=DateTime(letter.last),
    )

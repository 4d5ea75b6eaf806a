"""Runs one request: document, limits, execution, and errors as clients may see them."""

import logging
import os
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute_sync,
)
from starlette.concurrency import run_in_threadpool

from headwater_server.api.failures import log_unexpected
from headwater_server.api.graphql import limits
from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.documents import Documents
from headwater_server.api.graphql.fast import StockExecutor, fast_executor
from headwater_server.api.graphql.guard import TooMuch, cost
from headwater_server.api.graphql.operation import Answer, Query
from headwater_server.api.graphql.permissions import asked, declared_roots
from headwater_server.api.graphql.shown import loader_for
from headwater_server.api.needs import check
from headwater_server.auth.policy import Principal
from headwater_server.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    HeadwaterError,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
)

_LOG = logging.getLogger("headwater.graphql")
_CODES: tuple[tuple[type[HeadwaterError], str], ...] = (
    (NotFound, "NOT_FOUND"),
    (AlreadyExists, "ALREADY_EXISTS"),
    (Conflict, "CONFLICT"),
    (Forbidden, "FORBIDDEN"),
    (Unauthenticated, "UNAUTHENTICATED"),
    (Invalid, "INVALID"),
    (Unavailable, "UNAVAILABLE"),
)


class Engine:
    """A schema made ready to run. Safe in threads."""

    def __init__(self, schema: strawberry.Schema, *, fast: bool | None = None) -> None:
        """`fast`: the compiled row executor; None: unless HEADWATER_FAST_GRAPHQL is 0."""
        if fast is None:
            fast = os.environ.get("HEADWATER_FAST_GRAPHQL") != "0"
        self.schema: GraphQLSchema = schema._schema  # noqa: SLF001 - strawberry has no public name for it
        self.roots = declared_roots(self.schema)
        self.documents = Documents(self.schema)
        self.executor = fast_executor(self.schema) if fast else StockExecutor

    def run(self, query: Query, context: Context) -> Answer:
        document = self.documents.read(query.source)
        if isinstance(document, list):
            return _refused(document)
        return self._answer(document, query, context)

    async def stream(
        self, query: Query, context: Callable[[], Context]
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """As `Runs` says; what is refused is its only answer."""
        try:
            document = await run_in_threadpool(self.documents.read, query.source)
            if isinstance(document, list) or not _is_subscription(document, query):
                yield (await run_in_threadpool(lambda: self.run(query, context()))).body
                return
            async with aclosing(await self._source(document, query, context)) as source:
                async for event in source:
                    yield (await run_in_threadpool(self._told, document, query, context, event)).body
        except GraphQLError as error:
            yield _refused([error]).body
        except Exception as error:  # noqa: BLE001 - shown as a client may see it, and logged when nobody expected it
            yield _refused([GraphQLError(str(error), original_error=error)]).body

    async def _source(
        self, document: DocumentNode, query: Query, context: Callable[[], Context]
    ) -> AsyncGenerator[Any, None]:
        """What a subscription's field yields. Raises GraphQLError."""
        first = await run_in_threadpool(context)
        self._admit(document, query, first.principal)
        self._cost(document, query)
        executor = self.executor.build(
            self.schema,
            document,
            context_value=loader_for(first, context),
            raw_variable_values=dict(query.variables),
            operation_name=query.operation,
            hide_suggestions=True,
        )
        if isinstance(executor, list):
            raise executor[0]
        found: Any = create_source_event_stream(executor)
        if isawaitable(found):
            found = await found
        if isinstance(found, ExecutionResult):
            raise (found.errors or [GraphQLError("There is nothing to listen to.")])[0]
        source: AsyncGenerator[Any, None] = found
        return source

    def _told(
        self, document: DocumentNode, query: Query, context: Callable[[], Context], event: Any
    ) -> Answer:
        return self._answer(document, query, context(), event)

    def _answer(self, document: DocumentNode, query: Query, context: Context, event: Any = None) -> Answer:
        try:
            self._admit(document, query, context.principal)
            if event is None:
                _must_not_subscribe(document, query)
            spent = self._cost(document, query)
        except GraphQLError as error:
            return _refused([error], forbidden=isinstance(error.original_error, Forbidden))
        result = execute_sync(
            self.schema,
            document,
            event,
            context_value=loader_for(context),
            variable_values=dict(query.variables),
            operation_name=query.operation,
            executor_class=self.executor,
            hide_suggestions=True,
        )
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [shown(error) for error in result.errors]
        body["extensions"] = {"cost": spent}
        ran = result.data is not None or any(error.path for error in result.errors or ())
        if not ran:
            del body["data"]
        return Answer(body, ran=ran)

    def _admit(self, document: DocumentNode, query: Query, principal: Principal) -> None:
        """All that the operation asks for must be allowed, before any of it is done."""
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode) and query.operation in (
                None,
                definition.name and definition.name.value,
            ):
                needs = self.roots[definition.operation]
                for name in sorted(asked(document, definition)):
                    try:
                        check(principal, needs[name])
                    except Forbidden as error:
                        raise GraphQLError(str(error), original_error=error, path=[name]) from error

    def _cost(self, document: DocumentNode, query: Query) -> int:
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode) and (
                query.operation is None
                or (definition.name is not None and definition.name.value == query.operation)
            ):
                spent = cost(self.schema, document, definition, query.variables)
                if spent > limits.MAX_COST:
                    raise TooMuch(
                        "Cost", spent, limits.MAX_COST, "Ask for smaller pages or fewer things within them."
                    )
                return spent
        return 0


def _must_not_subscribe(document: DocumentNode, query: Query) -> None:
    if _is_subscription(document, query):
        raise GraphQLError(
            "Subscriptions are answered as events: send Accept: text/event-stream, or ask over a WebSocket."
        )


def _is_subscription(document: DocumentNode, query: Query) -> bool:
    return any(
        isinstance(definition, OperationDefinitionNode)
        and definition.operation is OperationType.SUBSCRIPTION
        and query.operation in (None, definition.name and definition.name.value)
        for definition in document.definitions
    )


def _refused(errors: list[GraphQLError], *, forbidden: bool = False) -> Answer:
    return Answer({"errors": [shown(error) for error in errors]}, ran=False, forbidden=forbidden)


def shown(error: GraphQLError) -> dict[str, Any]:
    """The error as a client may see it. What nobody expected is logged, and shown as an id only."""
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    formatted: dict[str, Any] = dict(error.formatted)
    extensions: dict[str, Any] = dict(error.extensions or {})
    if original is None or isinstance(original, GraphQLError):
        extensions.setdefault("code", "INVALID")
    elif isinstance(original, HeadwaterError):
        code = next((name for kind, name in _CODES if isinstance(original, kind)), "FAILED")
        extensions = {**original.details, "code": code}
    else:
        error_id = secrets.token_hex(8)
        log_unexpected(_LOG, original, error_id, error.path)
        formatted["message"] = f"The server failed at this. Its log tells more under {error_id}."
        extensions = {"code": "INTERNAL", "errorId": error_id}
    formatted["extensions"] = extensions
    return formatted

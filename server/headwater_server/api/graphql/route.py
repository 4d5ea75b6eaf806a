"""POST /graphql: JSON in, JSON out. GET shows the console to browsers."""

from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from headwater_server.api.bodies import read_body, read_json
from headwater_server.api.console.pages import console_page, console_router
from headwater_server.api.described import GRAPHQL_REQUEST, graphql_answers
from headwater_server.api.graphql import limits
from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.events import MEDIA, events
from headwater_server.api.graphql.operation import Query, Runs
from headwater_server.api.needs import known, public
from headwater_server.errors import HeadwaterError, Invalid, TooSlow, Unavailable, Unsupported

_JSON = "application/json"
_GRAPHQL = "application/graphql-response+json"
_LARGEST = 2**20
MAX_STREAMS = 200
"""Answered as events at once."""


def graphql_router(
    context_factory: Callable[[Request], Context],
    engine: Runs,
    *,
    max_queries: int = 100,
    body_timeout: float = 30.0,
) -> APIRouter:
    """`max_queries`: operations at once, those that wait for a thread too."""
    gate, streams = _Gate(max_queries), _Gate(MAX_STREAMS)
    router = APIRouter(tags=["GraphQL"])
    router.include_router(console_router())

    @router.post(
        "/graphql",
        summary="Run one GraphQL operation",
        responses=graphql_answers(_JSON, _GRAPHQL),
        openapi_extra={"requestBody": {"required": True, "content": {_JSON: {"schema": GRAPHQL_REQUEST}}}},
    )
    @known
    async def run(request: Request) -> Response:
        try:
            raw = await read_body(request, limit=_LARGEST, timeout=body_timeout)
            query = read_query(request.headers.get("content-type", ""), raw)
            if MEDIA in request.headers.get("accept", ""):
                streams.enter()
                return _Streaming(events(engine.stream(query, partial(context_factory, request))), streams)
            with gate:
                body, status = await run_in_threadpool(_run, engine, query, context_factory, request)
        except HeadwaterError as error:
            return _refusal(error)
        strict = _GRAPHQL in request.headers.get("accept", "")
        if status == 400 and not strict:
            status = 200
        return Response(body, status, media_type=_GRAPHQL if strict else _JSON)

    @router.get("/graphql", summary="The console, for browsers", include_in_schema=False)
    @public
    async def console(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", "") and "query" not in request.query_params:
            return console_page()
        refusal = {"message": "Operations are sent by POST as JSON.", "extensions": {"code": "INVALID"}}
        return _answer({"errors": [refusal]}, 405, {"Allow": "POST"})

    return router


class _Streaming(StreamingResponse):
    """Leaves the gate when it ends, even if it never began."""

    def __init__(self, content: AsyncGenerator[bytes, None], gate: "_Gate") -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(content, headers=headers, media_type=MEDIA)
        self._content, self._gate = content, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._gate.leave()
            await self._content.aclose()


class _Gate:
    """Lets so many in at once, and turns the others away: they may come back. For one event loop."""

    def __init__(self, most: int) -> None:
        self._free = most

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        """Raises Unavailable when it is full."""
        if self._free <= 0:
            raise Unavailable(
                "Too many GraphQL operations run now. Nothing of this one was done; try again in a second."
            )
        self._free -= 1

    def leave(self) -> None:
        self._free += 1


def _refusal(error: HeadwaterError) -> Response:
    status = 400 if error.status == 422 else error.status  # GraphQL over HTTP: what is no operation is 400
    code, headers = "INVALID", None
    if isinstance(error, Unavailable):
        code, headers = "UNAVAILABLE", {"Retry-After": "1"}
    elif isinstance(error, TooSlow):
        headers = {"Connection": "close"}
    return _answer({"errors": [{"message": str(error), "extensions": {"code": code}}]}, status, headers)


def read_query(content_type: str, raw: bytes) -> Query:
    """One operation from a body.

    Raises:
        Unsupported: anything but JSON; so a form of another site can send nothing.
        Unreadable, Unplaceable: not JSON, or not as it should be.
        Invalid: JSON, but not one operation.

    """
    media, _, _ = content_type.partition(";")
    if media.strip().lower() != _JSON:
        raise Unsupported(f"Content-Type {media.strip() or 'is missing'}: send application/json.")
    body = read_json(raw)
    if isinstance(body, list):
        raise Invalid("Several operations in one request are not taken. Send them one by one.")
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Invalid('The body must be an object with "query", a text.')
    variables, operation = body.get("variables"), body.get("operationName")
    if variables is not None and not isinstance(variables, dict):
        raise Invalid('"variables" must be an object.')
    if operation is not None and not isinstance(operation, str):
        raise Invalid('"operationName" must be a text.')
    if _deeper_than(variables, limits.MAX_VARIABLES_DEPTH):
        raise Invalid(f'"variables" nest deeper than {limits.MAX_VARIABLES_DEPTH} levels.')
    return Query(body["query"], variables or {}, operation or None)


def _run(
    engine: Runs, query: Query, context_factory: Callable[[Request], Context], request: Request
) -> tuple[bytes, int]:
    answer = engine.run(query, context_factory(request))
    return orjson.dumps(answer.body), 403 if answer.forbidden else 200 if answer.ran else 400


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _answer(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, _JSON)

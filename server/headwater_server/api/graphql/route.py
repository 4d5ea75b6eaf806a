"""POST /graphql: JSON in, JSON out. GET shows the console to browsers."""

from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from headwater_server.api.bodies import read_body, read_json
from headwater_server.api.console.pages import console_page, console_router
from headwater_server.api.described import GRAPHQL_REQUEST, graphql_answers
from headwater_server.api.door import look_again
from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.events import MEDIA, events
from headwater_server.api.graphql.operation import Query, Runs, query_of
from headwater_server.api.graphql.places import Places
from headwater_server.api.graphql.socket import Conversation, Manners
from headwater_server.api.needs import known, public
from headwater_server.commit.news import News
from headwater_server.errors import HeadwaterError, TooSlow, Unavailable, Unsupported

_JSON = "application/json"
_GRAPHQL = "application/graphql-response+json"
_LARGEST = 2**20
_OPERATIONS = "GraphQL operations run"


def graphql_router(
    context_factory: Callable[[HTTPConnection], Context],
    engine: Runs,
    *,
    max_queries: int = 100,
    max_streams: int = 200,
    body_timeout: float = 30.0,
    news: News | None = None,
    manners: Manners | None = None,
) -> APIRouter:
    """`max_queries`: operations at once, those that wait for a thread too. `max_streams`: operations that are answered
    as events or over WebSockets at once, and as many WebSockets. `news`: these end when it does.
    """
    gate, streams = Places(max_queries, _OPERATIONS), Places(max_streams, _OPERATIONS)
    connections, strangers = (
        Places(max_streams, "connections are open"),
        Places(max_streams, "connections begin"),
    )
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
                return _Streaming(events(engine.stream(query, partial(_now, request))), streams)
            with gate:
                body, status = await run_in_threadpool(_run, engine, query, context_factory, request)
        except HeadwaterError as error:
            return _refusal(error)
        strict = _GRAPHQL in request.headers.get("accept", "")
        if status == 400 and not strict:
            status = 200
        return Response(body, status, media_type=_GRAPHQL if strict else _JSON)

    @router.websocket("/graphql")
    @known
    async def socket(socket: WebSocket) -> None:
        talk = Conversation(
            socket,
            stream=lambda query: engine.stream(query, partial(_now, socket)),
            places=streams,
            connections=connections,
            news=news,
            manners=manners or Manners(),
        )
        try:
            strangers.enter()
        except Unavailable as error:
            await _refusal(error)(socket.scope, socket.receive, socket.send)
            return
        try:
            greeted = await talk.greet()
        finally:
            strangers.leave()
        if greeted:
            await talk.talk()

    def _now(connection: HTTPConnection) -> Context:
        """What they see as long as what they showed is good. Raises Unauthenticated."""
        look_again(connection)
        return context_factory(connection)

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

    def __init__(self, content: AsyncGenerator[bytes, None], gate: Places) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(content, headers=headers, media_type=MEDIA)
        self._content, self._gate = content, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._gate.leave()
            await self._content.aclose()


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
    return query_of(read_json(raw))


def _run(
    engine: Runs, query: Query, context_factory: Callable[[HTTPConnection], Context], request: Request
) -> tuple[bytes, int]:
    answer = engine.run(query, context_factory(request))
    return orjson.dumps(answer.body), 403 if answer.forbidden else 200 if answer.ran else 400


def _answer(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, _JSON)

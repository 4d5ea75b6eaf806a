"""Refusals as problem documents (RFC 9457), for every route alike."""

import logging
import secrets
from contextlib import suppress

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from headwater_server.api.failures import log_unexpected
from headwater_server.errors import HeadwaterError, TooSlow, Unauthenticated, Unavailable, Unplaceable

logger = logging.getLogger("headwater")
MEDIA_TYPE = "application/problem+json"


def problem(error: HeadwaterError) -> Response:
    """Its text, its status, its details. 503 says when to come back (the official clients do)."""
    body = {
        "type": f"urn:headwater:error:{error.code}",
        "title": error.code,
        "status": error.status,
        "detail": str(error),
        **error.details,
    }
    headers = None
    if isinstance(error, Unavailable):
        headers = {"Retry-After": "1"}
    elif isinstance(error, TooSlow):
        headers = {"Connection": "close"}  # the rest of the body is not waited for
    elif isinstance(error, Unauthenticated):
        headers = {"WWW-Authenticate": 'Bearer realm="headwater"'}
    return Response(orjson.dumps(body), error.status, headers, MEDIA_TYPE)


def render_all(app: FastAPI) -> None:
    """One home for every error: ours, the framework's, and what nobody expected."""

    @app.exception_handler(HeadwaterError)
    async def ours(_: Request, error: HeadwaterError) -> Response:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def parameters(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"])
        return problem(
            Unplaceable(
                f"{where}: {first['msg']}.",
                pointer=f"/{where}",
                expected=str(first["type"]),
                got="something else",
            )
        )

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:  # the router names the methods of the first route only
            headers["Allow"] = ", ".join(sorted(_methods(request)))
        body = {"title": str(error.detail), "status": error.status_code, "detail": str(error.detail)}
        return Response(orjson.dumps(body), error.status_code, headers, MEDIA_TYPE)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return masked(error, request.url.path)

    app.add_middleware(Masking)


def _methods(request: Request) -> set[str]:
    """All that the path can be asked by, whichever router a route came with."""
    return {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.path and compile_path(route.path)[0].match(request.scope["path"])
        for method in route.methods or ()
    }


def masked(error: Exception, path: str) -> Response:
    """An id for the client; the log tells the rest under it."""
    name = secrets.token_hex(6)
    log_unexpected(logger, error, name, path)
    body = {
        "title": "InternalError",
        "status": 500,
        "detail": "Something went wrong in the server; its log tells it under this id.",
        "errorId": name,
    }
    return Response(orjson.dumps(body), 500, media_type=MEDIA_TYPE)


class Masking:
    """Answers what nobody expected itself: the server below would print a trace with whatever a client put in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            response = masked(error, scope["path"])
            with suppress(RuntimeError):  # half an answer is out: the connection ends there
                await response(scope, receive, send)

"""Refusals as problem documents (RFC 9457), for every route alike."""

import logging
import secrets

import orjson
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from headwater_server.errors import HeadwaterError, Unauthenticated, Unavailable

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
    elif isinstance(error, Unauthenticated):
        headers = {"WWW-Authenticate": 'Bearer realm="headwater"'}
    return Response(orjson.dumps(body), error.status, headers, MEDIA_TYPE)


def render_all(app: FastAPI) -> None:
    """One home for every error: ours, the framework's, and what nobody expected."""

    @app.exception_handler(HeadwaterError)
    async def ours(_: Request, error: HeadwaterError) -> Response:
        return problem(error)

    @app.exception_handler(HTTPException)
    async def framework(_: Request, error: HTTPException) -> Response:
        body = {"title": str(error.detail), "status": error.status_code, "detail": str(error.detail)}
        return Response(orjson.dumps(body), error.status_code, error.headers, MEDIA_TYPE)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        name = secrets.token_hex(6)
        logger.error("error %s at %s", name, request.url.path, exc_info=error)
        body = {
            "title": "InternalError",
            "status": 500,
            "detail": "Something went wrong in the server; its log tells it under this id.",
            "errorId": name,
        }
        return Response(orjson.dumps(body), 500, media_type=MEDIA_TYPE)

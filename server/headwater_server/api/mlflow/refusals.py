"""Refusals as MLflow's clients read them: an error code, a message, and a status that says whether to try again."""

import logging
import secrets

import orjson
from starlette.responses import Response

from headwater_server.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    HeadwaterError,
    Invalid,
    NotFound,
    TooLarge,
    TooSlow,
    Unavailable,
    Unsupported,
)

logger = logging.getLogger("headwater")
CODES: dict[type[HeadwaterError], tuple[int, str]] = {
    AlreadyExists: (400, "RESOURCE_ALREADY_EXISTS"),
    Conflict: (409, "RESOURCE_CONFLICT"),
    Forbidden: (403, "PERMISSION_DENIED"),
    NotFound: (404, "RESOURCE_DOES_NOT_EXIST"),
    TooLarge: (413, "BAD_REQUEST"),
    TooSlow: (408, "BAD_REQUEST"),
    Unsupported: (415, "BAD_REQUEST"),
    Invalid: (400, "INVALID_PARAMETER_VALUE"),
    Unavailable: (503, "TEMPORARILY_UNAVAILABLE"),
}
"""Looked up by the class, then by those it is a kind of. 429 and 5xx are tried again by clients, for minutes."""


class NoEndpoint(HeadwaterError):
    """What clients fall back on: the server knows no such call."""

    status = 404


def refusal(error: HeadwaterError) -> Response:
    return _answer(*status_and_code(error), str(error))


def status_and_code(error: HeadwaterError) -> tuple[int, str]:
    if isinstance(error, NoEndpoint):
        return 404, "ENDPOINT_NOT_FOUND"
    known = (CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    return next(known, (error.status, "INTERNAL_ERROR"))


def unexpected(error: Exception, path: str) -> Response:
    """A bug of ours, told in the server's log under an id."""
    name = secrets.token_hex(6)
    logger.error("error %s at %s", name, path, exc_info=error)
    text = f"Something went wrong in the server; its log tells it under the id {name}."
    return _answer(500, "INTERNAL_ERROR", text)


def _answer(status: int, code: str, message: str) -> Response:
    headers = {"Retry-After": "1"} if status == 503 else None
    body = orjson.dumps({"error_code": code, "message": message})
    return Response(body, status, headers, "application/json")

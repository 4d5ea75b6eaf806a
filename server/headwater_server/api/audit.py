"""The log as evidence over HTTP: checkpoints, proofs, keys; and the commands that take records out or change the key."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from headwater_server.api.bodies import read_body, read_json
from headwater_server.api.needs import needs, public
from headwater_server.audit.erasure import Erased
from headwater_server.audit.keys import published
from headwater_server.audit.service import Audit
from headwater_server.auth.policy import Permission
from headwater_server.errors import Invalid, Unsupported
from headwater_server.graph import times
from headwater_server.ingest import reader

_LARGEST = 2**20
_FARTHEST = 2**53 - 1
"""The largest number that every reader of JSON knows exactly."""
_WHY: dict[str, Any] = {
    "reason": {"type": "string", "pattern": r"\S"},
    "basis": {"type": "string", "pattern": r"\S", "description": "The legal basis"},
}


def _asks(required: list[str], **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def audit_router(audit: Audit, actor: Callable[[Request], str], *, timeout: float) -> APIRouter:
    """`timeout`: seconds that a body may take."""
    router = APIRouter(tags=["Audit"])

    @router.get(
        "/.well-known/headwater-keys.json", summary="The public keys that checkpoints are signed with"
    )
    @public
    def keys() -> Response:
        return _json(published(audit.keys()))

    @router.get(
        "/api/v1/audit/checkpoint",
        summary="A signed checkpoint of the log (C2SP tlog-checkpoint)",
        response_class=PlainTextResponse,
    )
    @needs(Permission.AUDIT)
    def checkpoint() -> PlainTextResponse:
        return PlainTextResponse(audit.checkpoint())

    @router.get("/api/v1/audit/proof/{seq}", summary="A proof that a record is in the log, whole in itself")
    @needs(Permission.AUDIT)
    def proof(seq: int) -> Response:
        return _json(audit.prove(seq))

    @router.get(
        "/api/v1/audit/growth", summary="A proof that the log of one size is the beginning of a later one"
    )
    @needs(Permission.AUDIT)
    def growth(old: int, new: int) -> Response:
        return _json({"path": [base64.b64encode(node).decode() for node in audit.prove_growth(old, new)]})

    @router.post(
        "/api/v1/audit/erase",
        summary="Take the bodies of some records out of the log for good",
        openapi_extra=_asks(
            ["records", "reason", "basis"],
            records={
                "type": "array",
                "minItems": 1,
                "items": {"type": "integer", "minimum": 1, "maximum": _FARTHEST},
            },
            **_WHY,
        ),
    )
    @needs(Permission.ERASE)
    async def erase(request: Request) -> Response:
        asked = await _body(request, timeout)
        records = asked.get("records")
        if not isinstance(records, list) or not all(_is_whole(seq) for seq in records):
            raise Invalid("records must be a list of whole numbers.", field="records")
        records = [int(seq) for seq in records]
        reason, basis, by = _text(asked, "reason"), _text(asked, "basis"), actor(request)
        return _erased(await run_in_threadpool(audit.erase, records, reason=reason, basis=basis, actor=by))

    @router.post(
        "/api/v1/audit/purge",
        summary="Take the bodies of all events before a moment out of the log for good",
        openapi_extra=_asks(
            ["before", "reason", "basis"],
            before={"type": "string", "format": "date-time"}, dryRun={"type": "boolean"}, **_WHY,
        ),
    )  # fmt: skip
    @needs(Permission.ERASE)
    async def purge(request: Request) -> Response:
        asked = await _body(request, timeout)
        try:
            before = times.parse(_text(asked, "before"))
        except ValueError:
            raise Invalid(
                "before must be a moment like 2026-01-31 or 2026-01-31T12:00:00Z.", field="before"
            ) from None
        reason, basis, by = _text(asked, "reason"), _text(asked, "basis"), actor(request)
        dry_run = asked.get("dryRun", False)
        if not isinstance(dry_run, bool):
            raise Invalid("dryRun must be true or false. Nothing was purged.", field="dryRun")
        return _erased(
            await run_in_threadpool(
                audit.purge, before, reason=reason, basis=basis, actor=by, dry_run=dry_run
            )
        )

    @router.post(
        "/api/v1/audit/rotate-key",
        summary="Sign with a new key from now on",
        openapi_extra=_asks(["reason"], reason=_WHY["reason"]),
    )
    @needs(Permission.ADMIN)
    async def rotate_key(request: Request) -> Response:
        reason, by = _text(await _body(request, timeout), "reason"), actor(request)
        key = await run_in_threadpool(audit.rotate_key, reason=reason, actor=by)
        return _json({"key": str(key)})

    return router


def _erased(erased: Erased) -> Response:
    return _json({"records": erased.records, "count": erased.count, "clean": erased.clean})


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


async def _body(request: Request, timeout: float) -> Mapping[str, Any]:  # noqa: ASYNC109 - as `read_body`
    """Raises Unsupported unless it says that it is JSON: so a form of another site can send nothing."""
    if reader.content_type(request.headers.get("content-type", "")) != "application/json":
        raise Unsupported("Send application/json.")
    body = read_json(await read_body(request, limit=_LARGEST, timeout=timeout))
    if not isinstance(body, dict):
        raise Invalid("the body must be a JSON object.")
    return body


def _is_whole(value: Any) -> bool:
    """JSON does not tell 1.0 from 1."""
    whole = type(value) is int or (isinstance(value, float) and value.is_integer())
    return whole and abs(value) <= _FARTHEST


def _text(asked: Mapping[str, Any], name: str) -> str:
    text = asked.get(name)
    if not isinstance(text, str) or not text.strip():
        raise Invalid(f"{name} must be some text.", field=name)
    return text.strip()

"""OpenLineage's door: single events, batches, and the events behind a node."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from headwater_server.api.bodies import read_body
from headwater_server.api.described import BATCH_ANSWER, EVENT, SEQ, answers
from headwater_server.api.door import principal_of
from headwater_server.api.metrics import Metrics
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.commit.committer import Committer
from headwater_server.commit.orders import Submission
from headwater_server.errors import HeadwaterError, Unavailable, Unsupported
from headwater_server.ingest import reader
from headwater_server.ingest.receive import Failure, receive, receive_many
from headwater_server.settings import Settings

NDJSON = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
AT_ONCE = 500
"""Events of a batch that are read and logged together: memory stays small, and others are answered in between. A batch
that ends with 503 may be stored in part; sent again, what was stored is recognised."""
_WAIT_HELP = "`projected` answers when the graph shows the event, not only when it is durable"
_WAIT = {"name": "wait", "in": "query", "schema": {"type": "string"}, "description": _WAIT_HELP}


class _Plain(APIRoute):
    """A function that takes the request alone and gives the response is called as it is: finding out that there is
    nothing to find out, and nothing to close, costs FastAPI a tenth of an event.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **given)
        if not self.dependant.query_params:
            self.app = self._ask

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


def openlineage_router(
    committer: Committer,
    settings: Settings,
    metrics: Metrics,
    export: Callable[[Request, str], Iterator[bytes]],
) -> APIRouter:
    router = APIRouter(tags=["OpenLineage"], route_class=_Plain)

    @router.post(
        "/api/v1/lineage",
        status_code=201,
        summary="Take one event",
        responses={
            201: answers("Durable, with its number", SEQ),
            200: answers("This very event was here already: its number", SEQ),
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": EVENT}}},
            "parameters": [_WAIT],
        },
    )
    @needs(Permission.EMIT)
    async def take_one(request: Request) -> Response:
        try:
            kind = reader.content_type(request.headers.get("content-type", ""))
            if kind not in ("", "application/json") and not kind.endswith("+json"):
                raise Unsupported(f"Content-Type {kind} is not read here. Send application/json.")
            raw = await read_body(request, limit=settings.max_body, timeout=settings.body_timeout)
            submission = receive(raw, committer, by=principal_of(request), eager=_waits(request))
            (receipt,) = await _logged(submission)
            if submission.eager:
                await _projected(submission)
        except HeadwaterError as error:
            metrics.rejected(error.code)
            raise
        metrics.accepted(0 if receipt.duplicate else 1, 1 if receipt.duplicate else 0)
        status = 200 if receipt.duplicate else 201
        return Response(b'{"seq":%d}' % receipt.seq, status, media_type="application/json")

    @router.post(
        "/api/v1/lineage/batch",
        summary="Take many events",
        responses={
            200: answers("What was taken and what was not (OpenLineage's batch answer)", BATCH_ANSWER),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "array",
                            "items": {},
                            "description": "Events; each is judged by itself",
                        }
                    },
                    "application/x-ndjson": {"schema": {"type": "string"}},
                },
            },
            "parameters": [_WAIT],
        },
    )
    @needs(Permission.EMIT)
    async def take_many(request: Request) -> Response:
        kind = reader.content_type(request.headers.get("content-type", ""))
        if kind in NDJSON:
            split = reader.lines
        elif kind in ("", "application/json") or kind.endswith("+json"):
            split = reader.elements
        else:
            raise Unsupported(f"Content-Type {kind} is not read here. Send a JSON array or NDJSON.")
        raw = await read_body(request, limit=settings.max_batch, timeout=settings.body_timeout)
        raws = list(split(raw))
        by, eager = principal_of(request), _waits(request)
        seqs: list[int] = []
        failed: list[Failure] = []
        last: Submission | None = None
        for first in range(0, len(raws), AT_ONCE):
            submission, _, refused = receive_many(
                raws[first : first + AT_ONCE], committer, by=by, eager=eager
            )
            failed += [Failure(first + f.index, f.error) for f in refused]
            if submission is not None:
                last = submission
                receipts = await _logged(submission)
                fresh = sum(not r.duplicate for r in receipts)
                metrics.accepted(fresh, len(receipts) - fresh)
                seqs += [r.seq for r in receipts]
        if last is not None and eager:
            await _projected(last)
        for failure in failed:
            metrics.rejected(failure.error.code)
        return Response(
            orjson.dumps(batch_answer(len(raws), len(seqs), failed, seqs)), media_type="application/json"
        )

    @router.get(
        "/api/v1/export/openlineage",
        summary="The closed set of events behind a node, as NDJSON",
        response_class=StreamingResponse,
        responses={
            200: answers("One event a line", {"type": "string"}, "application/x-ndjson"),
        },
    )
    @needs(Permission.EXPORT)
    def export_events(request: Request, ref: str) -> StreamingResponse:
        lines = export(request, ref)
        return StreamingResponse((line + b"\n" for line in lines), media_type="application/x-ndjson")

    return router


def batch_answer(received: int, taken: int, failed: list[Failure], seqs: list[int]) -> Mapping[str, Any]:
    """As in OpenLineage's OpenAPI; `seqs` is ours. What cannot be placed is not worth sending again."""
    return {
        "status": "partial_success" if failed else "success",
        "summary": {
            "received": received,
            "successful": taken,
            "failed": len(failed),
            "retriable": 0,
            "non_retriable": len(failed),
        },
        "failed_events": [
            {"index": f.index, "reason": str(f.error), "retriable": False, **f.error.details} for f in failed
        ],
        "seqs": seqs,
    }


async def _logged(submission: Submission) -> list[Any]:
    return await asyncio.wrap_future(submission.logged)


def _waits(request: Request) -> bool:
    return bool(request.scope["query_string"]) and request.query_params.get("wait") == "projected"


async def _projected(submission: Submission) -> None:
    try:
        await asyncio.wait_for(asyncio.wrap_future(submission.projected), timeout=30)
    except TimeoutError:
        raise Unavailable("the event is durable, but the graph did not show it within 30 s.") from None

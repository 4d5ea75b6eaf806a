"""Whether it lives, whether it is ready, and what it counts."""

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from headwater_server.api.described import answers
from headwater_server.api.metrics import Metrics
from headwater_server.api.needs import known, public

_READY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["ready", "instance", "headSeq", "appliedSeq"],
    "properties": {
        "ready": {"type": "boolean"},
        "instance": {"type": "string"},
        "headSeq": {"type": "integer"},
        "appliedSeq": {"type": "integer"},
    },
}
_READY: dict[int | str, dict[str, Any]] = {
    200: answers("It is", _READY_SCHEMA),
    503: answers("It is not, and why", _READY_SCHEMA),
}


def health_router(ready: Callable[[], dict[str, Any]], metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["Operations"])

    @router.get("/livez", summary="The process answers", response_class=PlainTextResponse)
    @router.get("/health", include_in_schema=False)  # MLflow's name
    @router.get("/healthcheck", include_in_schema=False)  # Marquez' name
    @public
    async def livez() -> PlainTextResponse:
        return PlainTextResponse("OK")

    @router.get("/readyz", summary="Events can be taken; how far the graph is", responses=_READY)
    @public
    async def readyz() -> Response:
        said = ready()
        return Response(orjson.dumps(said), 200 if said["ready"] else 503, media_type="application/json")

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    @known
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router

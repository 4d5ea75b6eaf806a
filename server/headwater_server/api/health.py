"""Whether it lives, whether it is ready, and what it counts."""

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from headwater_server.api.metrics import Metrics
from headwater_server.api.needs import known, public


def health_router(ready: Callable[[], dict[str, Any]], metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["Operations"])

    @router.get("/livez", summary="The process answers")
    @router.get("/health", include_in_schema=False)  # MLflow's name
    @router.get("/healthcheck", include_in_schema=False)  # Marquez' name
    @public
    async def livez() -> PlainTextResponse:
        return PlainTextResponse("OK")

    @router.get("/readyz", summary="Events can be taken; how far the graph is")
    @public
    async def readyz() -> Response:
        said = ready()
        return Response(orjson.dumps(said), 200 if said["ready"] else 503, media_type="application/json")

    @router.get("/metrics", summary="Prometheus metrics")
    @known
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router

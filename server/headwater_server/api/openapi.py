"""The description of the REST routes, as OpenAPI."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater_server.api.needs import public


def openapi_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    @public
    def openapi(request: Request) -> Response:
        return Response(orjson.dumps(request.app.openapi()), media_type="application/json")

    return router

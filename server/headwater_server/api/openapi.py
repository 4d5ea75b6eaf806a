"""The description of the REST routes, as OpenAPI."""

import copy

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater_server.api.described import add_refusals
from headwater_server.api.needs import public


def openapi_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    @public
    def openapi(request: Request) -> Response:
        described = copy.deepcopy(request.app.openapi())
        add_refusals(described)
        return Response(orjson.dumps(described), media_type="application/json")

    return router

"""GET routes under /api/v1 as Marquez has them. Names are taken from the path as it was sent: they hold slashes."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from headwater_server.api.described import MARQUEZ_ERROR, answers
from headwater_server.api.graphql.context import Context
from headwater_server.api.marquez import graphs, lists
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.errors import HeadwaterError, Invalid, NotFound
from headwater_server.graph import times

_JSON = "application/json"
_MOST = 1_000
_FARTHEST = 100_000
_PATHS = (
    ("/namespaces/{namespace}/datasets/{dataset}/versions/{version}", "One version of a dataset"),
    ("/namespaces/{namespace}/datasets/{dataset}/versions", "The versions of a dataset, newest first"),
    ("/namespaces/{namespace}/datasets/{dataset}", "One dataset"),
    ("/namespaces/{namespace}/datasets", "The datasets of a namespace"),
    ("/namespaces/{namespace}/jobs/{job}/runs", "The runs of a job, newest first"),
    ("/namespaces/{namespace}/jobs/{job}", "One job"),
    ("/namespaces/{namespace}/jobs", "The jobs of a namespace"),
    ("/namespaces/{namespace}", "One namespace"),
    ("/namespaces", "The namespaces"),
    ("/jobs/runs/{id}", "One run"),
    ("/jobs", "The jobs of all namespaces"),
    ("/lineage", "The graph around a dataset or a job"),
    ("/column-lineage", "The graph around a dataset, a field or a job, column by column"),
    ("/search", "Datasets and jobs by words"),
    ("/events/lineage", "OpenLineage events as they came"),
)
_QUERY = {
    "/lineage": ("nodeId", "depth"),
    "/column-lineage": ("nodeId", "depth", "withDownstream"),
    "/search": ("q", "filter", "sort", "limit"),
    "/events/lineage": ("before", "after", "limit", "offset", "sortDirection"),
}
_REQUIRED = frozenset({"nodeId", "q"})
_SAID: dict[str, Any] = {"type": "string", "minLength": 1}
_NOTHING: dict[str, Any] = {"type": "string", "maxLength": 0}
_WHOLE: dict[str, Any] = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 999_999_999}, _NOTHING]}
_TIME: dict[str, Any] = {"anyOf": [{"type": "string", "format": "date-time"}, _NOTHING]}
_SCHEMAS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("limit", "offset", "depth"), _WHOLE),
    **dict.fromkeys(("before", "after"), _TIME),
    **dict.fromkeys(("nodeId", "q"), _SAID),
}


def marquez_router(context_factory: Callable[[Request], Context]) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["Marquez"])

    @needs(Permission.READ)
    async def read(request: Request) -> Response:
        return await run_in_threadpool(_answer, request, context_factory)

    for path, summary in _PATHS:
        router.add_api_route(
            path.replace("}", ":path}"),
            read,
            methods=["GET"],
            summary=summary,
            operation_id="marquez" + path.replace("/", "_").replace("{", "").replace("}", ""),
            response_model=None,
            responses={
                200: answers(summary, {"type": "object"}),
                **{s: answers("As Marquez tells it", MARQUEZ_ERROR) for s in (400, 409, 503)},
                404: answers(
                    "There is none", MARQUEZ_ERROR | {"required": []}, _JSON, "application/problem+json"
                ),
            },
            openapi_extra={"parameters": _parameters(path)},
        )
    return router


def _answer(request: Request, context_factory: Callable[[Request], Context]) -> Response:
    try:
        body = _read(_segments(request), _Query(request), context_factory(request))
    except HeadwaterError as error:
        said = orjson.dumps({"code": error.status, "message": str(error)})
        return Response(said, error.status, media_type=_JSON)
    if isinstance(body, dict):
        return Response(orjson.dumps(body), media_type=_JSON)
    return StreamingResponse(body, media_type=_JSON)


def _read(segments: list[str], query: "_Query", context: Context) -> dict[str, Any] | Iterator[bytes]:
    match segments:
        case ["namespaces"]:
            return lists.namespaces(context, query.limit(), query.offset())
        case ["namespaces", namespace]:
            return lists.namespace(context, namespace)
        case ["namespaces", namespace, "datasets"]:
            return lists.datasets(context, namespace, query.limit(), query.offset())
        case ["namespaces", namespace, "datasets", name]:
            return lists.dataset(context, namespace, name)
        case ["namespaces", namespace, "datasets", name, "versions"]:
            return lists.dataset_versions(context, namespace, name, query.limit(), query.offset())
        case ["namespaces", namespace, "datasets", name, "versions", version]:
            return lists.dataset_version(context, namespace, name, version)
        case ["namespaces", namespace, "jobs"]:
            return lists.jobs(context, namespace, query.limit(), query.offset())
        case ["namespaces", namespace, "jobs", name]:
            return lists.job(context, namespace, name)
        case ["namespaces", namespace, "jobs", name, "runs"]:
            return lists.runs(context, namespace, name, query.limit(), query.offset())
        case ["jobs"]:
            return lists.jobs(context, None, query.limit(), query.offset())
        case ["jobs", "runs", run_id]:
            return lists.run(context, run_id)
        case ["lineage"]:
            return graphs.lineage(context, query.text("nodeId"), query.depth())
        case ["column-lineage"]:
            return graphs.column_lineage(
                context, query.text("nodeId"), query.depth(), with_downstream=query.flag("withDownstream")
            )
        case ["search"]:
            return lists.search(
                context, query.text("q"), query.maybe("filter"), query.maybe("sort"), query.limit(10)
            )
        case ["events", "lineage"]:
            return lists.events(
                context,
                before=query.time("before"),
                after=query.time("after"),
                limit=query.limit(),
                offset=query.offset(),
                oldest_first=(query.maybe("sortDirection") or "desc").lower() == "asc",
            )
    raise NotFound("There is no such path. A slash within a name is written %2F.")


class _Query:
    """The query's parameters, checked."""

    def __init__(self, request: Request) -> None:
        self._given = request.query_params

    def maybe(self, name: str) -> str | None:
        return self._given.get(name) or None

    def text(self, name: str) -> str:
        found = self.maybe(name)
        if found is None:
            raise Invalid(f"The query parameter `{name}` is missing.")
        return found

    def whole(self, name: str, default: int, most: int) -> int:
        given = self.maybe(name)
        if given is None:
            return default
        if not given.isdecimal() or len(given) > 9:
            raise Invalid(f"The query parameter `{name}` is {given!r}, but must be a whole number.")
        return min(int(given), most)

    def limit(self, default: int = 100) -> int:
        return self.whole("limit", default, _MOST)

    def offset(self) -> int:
        return self.whole("offset", 0, _FARTHEST)

    def depth(self) -> int:
        return self.whole("depth", 20, graphs.MAX_DEPTH)

    def flag(self, name: str) -> bool:
        return (self.maybe(name) or "").lower() == "true"

    def time(self, name: str) -> int | None:
        given = self.maybe(name)
        try:
            return None if given is None else times.parse(given.replace(" ", "+"))
        except ValueError as error:
            raise Invalid(f"The query parameter `{name}` is no ISO-8601 time: {given!r}.") from error


def _segments(request: Request) -> list[str]:
    """The path's parts behind /api/v1, each decoded by itself."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("ascii", "replace")
    behind = path.partition("/api/v1/")[2]
    return [unquote(part) for part in behind.split("/")]


def _parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    listed = not names or path.endswith(("datasets", "jobs", "versions", "runs"))
    query = _QUERY.get(path, ("limit", "offset") if listed else ())
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ] + [
        {
            "name": name,
            "in": "query",
            "required": name in _REQUIRED,
            "schema": _SCHEMAS.get(name, {"type": "string"}),
        }
        for name in query
    ]

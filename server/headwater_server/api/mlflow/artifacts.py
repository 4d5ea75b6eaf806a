"""MLflow's files over HTTP: streamed in and out, known by their SHA-256, never shown by a browser."""

import mimetypes
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from itertools import chain
from typing import Any, TypeAlias
from urllib.parse import quote

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from headwater_server.api.bodies import pass_body
from headwater_server.api.door import principal_of
from headwater_server.api.mlflow import versions
from headwater_server.api.mlflow.ask import Ask, Features
from headwater_server.api.mlflow.fields import from_query, specs
from headwater_server.api.mlflow.ranges import Span, span_of
from headwater_server.api.mlflow.refusals import NoEndpoint, refusal, unexpected
from headwater_server.api.mlflow.seen import unseen
from headwater_server.api.needs import known, needs
from headwater_server.artifacts.port import ArtifactStore, Listed, Stored
from headwater_server.auth.policy import Permission
from headwater_server.auth.sight import Sight
from headwater_server.errors import Forbidden, HeadwaterError, Invalid, NotFound
from headwater_server.settings import Settings
from headwater_server.tracking.places import checked_path, place_of
from headwater_server.tracking.records import NAMESPACE

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

PREFIXES = ("/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts")
_TEXTS = frozenset({"MLmodel", "MLproject"})
_TEXT_ENDINGS = (".yaml", ".yml", ".log", ".toml", ".ini", ".cfg", ".conf", ".md", ".sql")
_ALL = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def artifact_routes(features: Features, settings: Settings) -> list[Route]:
    found: list[Route] = []
    store = features.files.store

    @needs(Permission.READ)
    @_answered
    async def read(request: Request) -> Response:
        path = checked_path(request.path_params["path"])
        if not _sees_runs(request):
            raise NotFound(f"No such artifact: {path!r}", ref=path, didYouMean=[])
        return await _sent(request, store, path)

    @needs(Permission.READ)
    @_answered
    async def listed(request: Request) -> Response:
        path = checked_path(request.query_params.get("path", ""))
        files = await run_in_threadpool(children, store, path) if _sees_runs(request) else []
        said = [shown(one, one.path.rpartition("/")[2]) for one in files]
        return Response(orjson.dumps({"files": said} if said else {}), media_type="application/json")

    @needs(Permission.WRITE_RUNS)
    @_answered
    async def write(request: Request) -> Response:
        _refuse_out_of_scope(request)
        path = _file(checked_path(request.path_params["path"]))
        upload = await run_in_threadpool(features.files.begin, path, actor=principal_of(request).name)
        try:
            await pass_body(request, upload.feed, limit=settings.max_artifact, timeout=settings.body_timeout)
            await run_in_threadpool(upload.done)
        finally:
            upload.drop()
        return Response(b"{}", media_type="application/json")

    @needs(Permission.WRITE_RUNS)
    @_answered
    async def delete(request: Request) -> Response:
        _refuse_out_of_scope(request)
        await run_in_threadpool(store.delete, _file(checked_path(request.path_params["path"])))
        return Response(b"{}", media_type="application/json")

    for prefix in PREFIXES:
        found += [
            Route(f"{prefix}/artifacts", listed, methods=["GET"]),
            Route(f"{prefix}/artifacts/{{path:path}}", read, methods=["GET"]),
            Route(f"{prefix}/artifacts/{{path:path}}", write, methods=["PUT"]),
            Route(f"{prefix}/artifacts/{{path:path}}", delete, methods=["DELETE"]),
            Route(f"{prefix}/mpu/{{path:path}}", no_parts, methods=_ALL),
            Route(f"{prefix}/{{path:path}}", no_such_call, methods=_ALL),
        ]
    for prefix in (
        "",
        "/",
        "/ajax-api/2.0/mlflow",
    ):  # "/": clients that say //get-artifact are answered by MLflow too
        found += [
            Route(
                f"{prefix}/get-artifact", _of("run_id run_uuid path!", _run_place, features), methods=["GET"]
            ),
            Route(
                f"{prefix}/model-versions/get-artifact",
                _of("name! version! path!", _version_place, features),
                methods=["GET"],
            ),
        ]
    path = "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files"
    found.append(Route(path, _of("model_id! artifact_file_path!", _model_place, features), methods=["GET"]))
    return found


@known
async def no_parts(_: Request) -> Response:
    """The words by which clients know that they are to send the file whole."""
    return refusal(
        NoEndpoint(
            "Multipart upload is not supported for the current artifact repository: PUT the file, it is streamed."
        )
    )


@known
async def no_such_call(request: Request) -> Response:
    path = request.url.path
    return refusal(NoEndpoint(f"{request.method} {path} is not answered here. docs/mlflow.md lists what is."))


def children(store: ArtifactStore, path: str) -> list[Listed]:
    """What is in a folder; a file has nothing in it."""
    return [one for one in store.list(path) if one.path != path]


def shown(one: Listed, path: str) -> dict[str, Any]:
    said: dict[str, Any] = {"path": path, "is_dir": one.is_dir}
    return said if one.is_dir else {**said, "file_size": one.size}


def _of(fields: str, place: Callable[[Ask], str], features: Features) -> Endpoint:
    """A file of what the query names."""
    wanted = specs(fields)

    @needs(Permission.READ)
    @_answered
    async def endpoint(request: Request) -> Response:
        pairs = [*request.query_params.multi_items(), *request.path_params.items()]
        ask = Ask(features, from_query(pairs, wanted), principal_of(request))
        kind = "/model-versions" if "name" in ask.said else ""
        if unseen(kind, Permission.READ, ask.said, ask.sight) is not None:
            raise Invalid("Missing value for required parameter 'run_id'.")
        return await _sent(request, features.files.store, await run_in_threadpool(place, ask))

    return endpoint


def _run_place(ask: Ask) -> str:
    return place_of(ask.tracking.runs.get(ask.run_id).artifacts, _file(checked_path(ask.text("path"))))


def _version_place(ask: Ask) -> str:
    path = _file(checked_path(ask.text("path")))
    return place_of(versions.root(ask, ask.text("name"), ask.text("version")), path)


def _model_place(ask: Ask) -> str:
    path = _file(checked_path(ask.text("artifact_file_path")))
    return place_of(ask.tracking.models.get(ask.text("model_id")).artifacts, path)


async def _sent(request: Request, store: ArtifactStore, path: str) -> Response:
    stored = await run_in_threadpool(store.stat, _file(path))
    span = span_of(request.headers, stored)
    headers = _headers(path, stored, span)
    if span.status == 416 or request.method == "HEAD":
        return Response(status_code=span.status, headers=headers)
    return StreamingResponse(await run_in_threadpool(_begun, store, path, span), span.status, headers)


def _begun(store: ArtifactStore, path: str, span: Span) -> Iterator[bytes]:
    """With the first chunk at hand: a store that does not answer is told as a refusal, not by a cut file."""
    chunks = iter(store.read(path, start=span.start, end=span.end))
    return chain([next(chunks, b"")], chunks)


def _headers(path: str, stored: Stored, span: Span) -> dict[str, str]:
    name = path.rpartition("/")[2]
    if quote(name, safe="!$&+~") == name:  # a token of RFC 9110
        said = f"filename={name}"
    elif quote(name, safe=" ()+,;=@!$&'~") == name:
        said = f'filename="{name}"'
    else:
        said = f"filename*=UTF-8''{quote(name, safe='')}"
    return {
        "Content-Disposition": f"attachment; {said}",
        "Content-Type": kind_of(name),
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": f'"{stored.sha256}"',
        **span.headers,
    }


def kind_of(name: str) -> str:
    if name in _TEXTS or name.lower().endswith(_TEXT_ENDINGS):
        return "text/plain"
    found, encoding = mimetypes.guess_type(name)
    return "application/octet-stream" if found is None or encoding else found


def _file(path: str) -> str:
    if not path:
        raise Invalid("Invalid path '': it names the artifact root; expected a file or a folder in it.")
    return path


def _sees_runs(request: Request) -> bool:
    """Paths tell nothing of whose a file is: they are for who sees what is tracked."""
    return Sight(principal_of(request)).namespace(NAMESPACE)


def _refuse_out_of_scope(request: Request) -> None:
    principal = principal_of(request)
    if not principal.may_in(Permission.WRITE_RUNS, namespace=NAMESPACE):
        raise Forbidden(
            f"{principal.name} may not write files of runs: {Permission.WRITE_RUNS} does not reach the namespace "
            f"{NAMESPACE}."
        )


def _answered(endpoint: Endpoint) -> Endpoint:
    """Refusals as MLflow's clients read them."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except HeadwaterError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001 - clients of MLflow read no other document
            return unexpected(error, request.url.path)

    return answer

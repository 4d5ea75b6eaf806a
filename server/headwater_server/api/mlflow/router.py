"""The calls as routes: reads what was said, lets the feature answer in a worker thread, renders."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from headwater_server.api.bodies import read_body
from headwater_server.api.door import principal_of
from headwater_server.api.mlflow.artifacts import artifact_routes, no_such_call
from headwater_server.api.mlflow.ask import Ask, Features
from headwater_server.api.mlflow.fields import Spec, from_body, from_query, specs
from headwater_server.api.mlflow.refusals import refusal, unexpected
from headwater_server.api.mlflow.seen import unseen
from headwater_server.api.mlflow.table import CALLS, Call
from headwater_server.api.needs import needs, public
from headwater_server.auth.policy import Permission, Principal
from headwater_server.errors import Forbidden, HeadwaterError, Invalid
from headwater_server.settings import Settings
from headwater_server.tracking.records import NAMESPACE

VERSION = "3.17.0"
"""The MLflow that is spoken: clients switch on by it what they may ask for."""
VERSIONS = ("2.0", "3.0")
NEWEST = "3.0"
JSON = "application/json"
_ALL = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_SERVER = {
    "store_type": None,
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
    "presigned_upload_run_id_supported": False,
    "presigned_upload_model_id_supported": False,
    "features_enabled": {"gateway": False},
}


def mlflow_routes(features: Features, settings: Settings) -> list[Route]:
    """Plain routes: they are the ones that are called most, and need nothing that a framework adds."""
    found: list[Route] = []
    for call in CALLS:
        endpoint = _endpoint(call, features, settings)
        for number in call.versions.split():
            found += [Route(f + call.path, endpoint, methods=call.methods.split()) for f in _prefixes(number)]
    found += [Route(f"{prefix}/server-info", server_info, methods=["GET"]) for prefix in _prefixes(NEWEST)]
    found.append(Route("/version", version, methods=["GET"]))
    found += artifact_routes(features, settings)
    everywhere = [prefix for number in VERSIONS for prefix in _prefixes(number)]
    found += [Route(f"{prefix}/{{path:path}}", no_such_call, methods=_ALL) for prefix in everywhere]
    return found


def _prefixes(number: str) -> tuple[str, str]:
    return f"/api/{number}/mlflow", f"/ajax-api/{number}/mlflow"


@public
async def version(_: Request) -> Response:
    return PlainTextResponse(VERSION)


@public
async def server_info(_: Request) -> Response:
    return Response(orjson.dumps(_SERVER), media_type="application/json")


def _endpoint(call: Call, features: Features, settings: Settings) -> Callable[[Request], object]:
    fields = specs(call.fields)

    @needs(call.need)
    async def endpoint(request: Request) -> Response:
        try:
            raw = b""
            if request.method != "GET":
                raw = await read_body(request, limit=settings.max_batch, timeout=settings.body_timeout)
                _refuse_other_than_json(request, raw)
            work = partial(_work, request, raw, fields, call, features, principal_of(request))
            return Response(await run_in_threadpool(work), media_type="application/json")
        except HeadwaterError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001 - clients of MLflow read no other document
            return unexpected(error, request.url.path)

    return endpoint


def _refuse_other_than_json(request: Request, raw: bytes) -> None:
    """Raises Invalid: a page of another site sends forms and texts without asking, and nothing else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and kind != JSON:
        raise Invalid(f"Bad Request. Content-Type must be one of ['{JSON}'].")


def _work(
    request: Request,
    raw: bytes,
    fields: tuple[Spec, ...],
    call: Call,
    features: Features,
    principal: Principal,
) -> bytes:
    if request.method == "GET":
        query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        said = from_query([*query, *request.path_params.items()], fields)
    elif request.path_params:
        said = from_body(raw, [f for f in fields if f.name not in request.path_params])
        said.update(request.path_params)
    else:
        said = from_body(raw, fields)
    refuse_out_of_scope(call, said, principal)
    ask = Ask(features, said, principal)
    hidden = unseen(call.path, call.need, said, ask.sight)
    found = call.answer(ask) if hidden is None else hidden
    return found if isinstance(found, bytes) else orjson.dumps(found)


def refuse_out_of_scope(call: Call, said: Mapping[str, Any], principal: Principal) -> None:
    """Raises Forbidden: the door let them in for something else."""
    if said.get("at") is not None and not principal.everywhere(Permission.ADMIN):
        raise Forbidden(
            f"{principal.name} may not say when something happened (`at`): {Permission.ADMIN} is for imports."
        )
    if call.need is Permission.WRITE_RUNS:
        if not principal.may_in(call.need, namespace=NAMESPACE):
            raise Forbidden(
                f"{principal.name} may not write runs in the namespace {NAMESPACE}: {call.need} does not reach it."
            )
        return
    if call.need is Permission.ADMIN and not principal.everywhere(call.need):
        raise Forbidden(f"{principal.name} may not do this: {call.need} does not reach everything.")
    if call.need in (Permission.REGISTER, Permission.REQUEST_TRANSITION):
        for model in (said["name"], said.get("new_name")):
            if model and not principal.may_on(call.need, model=model, stage=said.get("stage")):
                raise Forbidden(
                    f"{principal.name} may not do this with the model {model}: {call.need} does not reach it."
                )

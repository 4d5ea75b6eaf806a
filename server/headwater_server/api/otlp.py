"""Spans as OpenTelemetry's exporters send them: protobuf or JSON, gzipped or not, into the experiment that a header names."""

from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headwater_server.api.bodies import read_body, read_json
from headwater_server.api.door import principal_of
from headwater_server.api.mlflow.refusals import refusal, unexpected
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.errors import Forbidden, HeadwaterError, Invalid, Unsupported
from headwater_server.ingest.reader import content_type
from headwater_server.settings import Settings
from headwater_server.tracking.otlp import of_json, of_protobuf
from headwater_server.tracking.records import NAMESPACE
from headwater_server.tracking.service import Tracking

PATH = "/v1/traces"
EXPERIMENT, RUN = "x-mlflow-experiment-id", "x-mlflow-run-id"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
_DONE = {PROTOBUF: b"", JSON: b"{}"}
"""An ExportTraceServiceResponse that refuses nothing."""


def otlp_routes(tracking: Tracking, settings: Settings) -> list[Route]:
    @needs(Permission.WRITE_RUNS)
    async def export(request: Request) -> Response:
        try:
            kind = _kind(request)
            raw = await read_body(request, limit=settings.max_batch, timeout=settings.body_timeout)
            await run_in_threadpool(partial(_take, request, kind, raw, tracking))
            return Response(_DONE[kind], media_type=kind)
        except HeadwaterError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001 - exporters read no other document
            return unexpected(error, request.url.path)

    return [Route(PATH, export, methods=["POST"])]


def _kind(request: Request) -> str:
    kind = content_type(request.headers.get("content-type", ""))
    if kind not in _DONE:
        raise Unsupported(f"Content-Type {kind!r} is not read here. Send {PROTOBUF} or {JSON}.")
    return kind


def _take(request: Request, kind: str, raw: bytes, tracking: Tracking) -> None:
    principal = principal_of(request)
    if not principal.may_in(Permission.WRITE_RUNS, namespace=NAMESPACE):
        raise Forbidden(
            f"{principal.name} may not write traces in the namespace {NAMESPACE}: {Permission.WRITE_RUNS} does not "
            "reach it."
        )
    experiment = request.headers.get(EXPERIMENT, "")
    if not experiment:
        raise Invalid(f"Missing header {EXPERIMENT}: name the experiment that the spans belong to.")
    said: Any = of_protobuf(raw) if kind == PROTOBUF else of_json(read_json(raw))
    tracking.traces.take(experiment, said, run_id=request.headers.get(RUN) or None, actor=principal.name)

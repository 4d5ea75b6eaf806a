"""Traces and assessments as MLflow's JSON: times and durations as proto3 writes them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from headwater_server.api.mlflow.shapes import filled
from headwater_server.traces.port import Span, Trace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = ("create_time", "last_update_time")


def info(one: Trace, assessments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    said = {
        "trace_id": one.id,
        "client_request_id": one.client_id,
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": one.experiment},
        },
        "request_preview": one.request,
        "response_preview": one.response,
        "request_time": time(one.start),
        "execution_duration": None if one.duration is None else f"{one.duration / 1_000:.3f}s",
        "state": one.state,
        "trace_metadata": one.metadata,
        "tags": one.tags,
        "assessments": [assessment(each) for each in assessments],
    }
    return filled(said)


def whole(one: Trace, assessments: Sequence[Mapping[str, Any]], spans: Sequence[Span]) -> bytes:
    """With its spans, as they are kept."""
    said = orjson.dumps(info(one, assessments))
    return b'{"trace_info":' + said + b',"spans":[' + b",".join(span.body for span in spans) + b"]}"


def assessment(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, **{name: time(one[name]) for name in _TIMES}}


def time(millis: int) -> str:
    return (_EPOCH + timedelta(milliseconds=millis)).isoformat(timespec="milliseconds")[:-6] + "Z"

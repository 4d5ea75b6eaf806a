"""MLflow's calls about traces and what is thought of them."""

from collections.abc import Sequence
from typing import Any

import orjson

from headwater_server.api.mlflow import trace_shapes
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.shapes import filled
from headwater_server.errors import Invalid, NotFound
from headwater_server.traces.port import Trace
from headwater_server.tracking.spans import PREVIEW
from headwater_server.tracking.traces import Told

PAGE = 100
MAX_AT_ONCE = 1_000
"""Traces whose infos are asked for by id; their spans: a tenth of it."""


def start(ask: Ask) -> dict[str, Any]:
    said = ask.said["trace"].get("trace_info") or {}
    if ask.said["trace"].get("spans"):
        raise Invalid(
            "Invalid value for parameter 'trace.spans' supplied: spans are sent to /v1/traces (OTLP)."
        )
    for name in ("trace_id", "request_time"):
        if name not in said:
            raise Invalid(f"Missing value for required parameter 'trace.trace_info.{name}'.")
    told = Told(
        said["trace_id"],
        _experiment(said.get("trace_location") or {}),
        said["request_time"],
        said.get("execution_duration"),
        said.get("state") or "STATE_UNSPECIFIED",
        said.get("client_request_id") or "",
        said.get("request_preview") or said.get("request", "")[:PREVIEW],
        said.get("response_preview") or said.get("response", "")[:PREVIEW],
        said.get("trace_metadata") or {},
        said.get("tags") or {},
    )
    trace = ask.tracking.traces.tell(told, actor=ask.actor)
    if said.get("assessments"):
        ask.tracking.assessments.create_many(trace.id, said["assessments"])
    return {"trace": {"trace_info": _infos(ask, [trace])[0]}}


def info(ask: Ask) -> dict[str, Any]:
    return {"trace": {"trace_info": _infos(ask, [ask.tracking.traces.get(_id(ask))])[0]}}


def get(ask: Ask) -> bytes:
    trace = ask.tracking.traces.get(_id(ask))
    found = _whole(ask, [trace], partial=bool(ask.maybe("allow_partial")))
    if not found:
        raise NotFound(
            f"Trace with ID {trace.id} is not fully exported yet, please try again later.",
            ref=trace.id,
            didYouMean=[],
        )
    return b'{"trace":' + found[0] + b"}"


def batch_get(ask: Ask) -> bytes:
    """Those that there are with all their spans."""
    traces = ask.tracking.traces.some(_ids(ask, MAX_AT_ONCE // 10), ask.maybe("experiment_ids"))
    return b'{"traces":[' + b",".join(_whole(ask, traces)) + b"]}"


def batch_get_infos(ask: Ask) -> dict[str, Any]:
    traces = ask.tracking.traces.some(_ids(ask, MAX_AT_ONCE), ask.maybe("experiment_ids"))
    return filled({"trace_infos": _infos(ask, traces)})


def search(ask: Ask) -> dict[str, Any]:
    locations = [_experiment(one) for one in ask.said["locations"]]
    found = ask.tracking.trace_search.traces(locations, ask.asked(PAGE))
    return filled({"traces": _infos(ask, found.traces), "next_page_token": found.token})


def set_tag(ask: Ask) -> dict[str, Any]:
    name = _required(ask, "key")
    ask.tracking.traces.tag(_id(ask), name, ask.text("value"), actor=ask.actor)
    return {}


def delete_tag(ask: Ask) -> dict[str, Any]:
    ask.tracking.traces.remove_tag(_id(ask), _required(ask, "key"), actor=ask.actor)
    return {}


def delete(ask: Ask) -> dict[str, Any]:
    count = ask.tracking.traces.delete(
        ask.text("experiment_id"),
        ids=ask.maybe("request_ids") or (),
        until=ask.maybe("max_timestamp_millis"),
        most=ask.maybe("max_traces"),
        actor=ask.actor,
    )
    return {"traces_deleted": count}


def link(ask: Ask) -> dict[str, Any]:
    ask.tracking.traces.link(ask.maybe("trace_ids") or (), ask.text("run_id"), actor=ask.actor)
    return {}


def assess(ask: Ask) -> dict[str, Any]:
    made = ask.tracking.assessments.create(_id(ask), ask.said["assessment"])
    return {"assessment": trace_shapes.assessment(made)}


def assessment(ask: Ask) -> dict[str, Any]:
    found = ask.tracking.assessments.get(_id(ask), ask.text("assessment_id"))
    return {"assessment": trace_shapes.assessment(found)}


def update_assessment(ask: Ask) -> dict[str, Any]:
    changed = ask.tracking.assessments.update(
        _id(ask), ask.text("assessment_id"), ask.said["assessment"], ask.said["update_mask"]
    )
    return {"assessment": trace_shapes.assessment(changed)}


def delete_assessment(ask: Ask) -> dict[str, Any]:
    ask.tracking.assessments.delete(_id(ask), ask.text("assessment_id"))
    return {}


def _infos(ask: Ask, traces: Sequence[Trace]) -> list[dict[str, Any]]:
    thought = ask.tracking.assessments.of(traces)
    return [trace_shapes.info(one, thought.get(one.id, ())) for one in traces]


def _whole(ask: Ask, traces: Sequence[Trace], *, partial: bool = False) -> list[bytes]:
    thought = ask.tracking.assessments.of(traces)
    spans = ask.tracking.traces.spans(traces, partial=partial)
    return [
        trace_shapes.whole(one, thought.get(one.id, ()), spans[one.id]) for one in traces if one.id in spans
    ]


def _id(ask: Ask) -> str:
    """Version 2 says request_id."""
    return ask.text("trace_id") or ask.text("request_id")


def _ids(ask: Ask, most: int) -> Sequence[str]:
    ids: Sequence[str] = ask.maybe("trace_ids") or ()
    if not ids:
        raise Invalid("Missing value for required parameter 'trace_ids'.")
    if len(ids) > most:
        raise Invalid(
            f"At most {most} trace_ids a request, these are {len(ids)}. Please split up the request."
        )
    return ids


def _required(ask: Ask, name: str) -> str:
    if not ask.text(name):
        raise Invalid(f"Missing value for required parameter '{name}'.")
    return ask.text(name)


def _experiment(location: Any) -> str:
    found = (location.get("mlflow_experiment") or {}).get("experiment_id")
    if not found:
        raise Invalid(
            f"Invalid value {orjson.dumps(location).decode()[:200]} for a trace location supplied: traces lie in "
            'experiments here; expected is {"mlflow_experiment": {"experiment_id": …}}.'
        )
    return str(found)

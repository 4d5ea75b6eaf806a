"""What spans say of their trace: its time, state, texts and tags, until its client tells of it as a whole. Pure."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import orjson

from headwater_server.errors import Invalid
from headwater_server.traces.port import Span, Trace
from headwater_server.tracking import limits

NAME, WHERE = "mlflow.traceName", "mlflow.trace.spansLocation"
HERE = "TRACKING_STORE"
SESSION, USER = "mlflow.trace.session", "mlflow.trace.user"
INPUTS, OUTPUTS, TYPE, TAG = "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType", "mlflow.traceTag."
UNTYPED = "UNKNOWN"
PREVIEW = 1_000
"""Characters of a request or a response that are kept beside a trace whose client told none."""
_NOT_TAGS = ("telemetry.sdk.", "mlflow.")
"""Of what sent the spans: these tell of the library, or would be taken for the server's own."""
_STATUS = {"STATUS_CODE_OK": "OK", "STATUS_CODE_ERROR": "ERROR"}
_SESSIONS = ("session.id", "gen_ai.conversation.id")


class Said(NamedTuple):
    """One span as it was sent, beside what is kept of it."""

    trace: str
    span: Span
    end: int
    """Nanoseconds since 1970; 0: it goes on."""
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]


def spans_in(request: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each span of an export, with the attributes of what sent it."""
    for one in request.get("resource_spans", ()):
        resource = plain_of(one.get("resource", {}).get("attributes", ()))
        for scope in one.get("scope_spans", ()):
            for span in scope.get("spans", ()):
                yield span, resource


def said(span: Mapping[str, Any], resource: Mapping[str, Any]) -> Said:
    """Raises Invalid: no trace or span id, or a time beyond 64 bits."""
    trace, own = _id(span, "trace_id", 16), _id(span, "span_id", 8)
    parent = _id(span, "parent_span_id", 8) if span.get("parent_span_id") else ""
    start, end = int(span.get("start_time_unix_nano", 0)), int(span.get("end_time_unix_nano", 0))
    if max(start, end) >= 2**63:
        raise Invalid(f"The span {own} has a time beyond the year 2262: nanoseconds since 1970 are expected.")
    attributes = plain_of(span.get("attributes", ()))
    kind = attributes.get(TYPE)
    kept = Span(
        own,
        parent,
        str(span.get("name", "")),
        kind if isinstance(kind, str) and kind else UNTYPED,
        _STATUS.get(span.get("status", {}).get("code", ""), "UNSET"),
        start,
        orjson.dumps(span),
    )
    return Said(f"tr-{trace}", kept, end, attributes, resource)


def plain_of(attributes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {str(one.get("key", "")): plain(one.get("value", {})) for one in attributes}


def plain(value: Mapping[str, Any]) -> Any:
    """OpenTelemetry's value as JSON's own."""
    for kind, found in value.items():
        match kind:
            case "array_value":
                return [plain(one) for one in found.get("values", ())]
            case "kvlist_value":
                return plain_of(found.get("values", ()))
            case _:
                return found
    return None


def grown(trace: Trace, spans: Sequence[Said]) -> Trace:
    """The trace with these spans. What its client told of it as a whole stays as it is."""
    tags = {**trace.tags, WHERE: HERE}
    for one in spans:
        for name, value in one.resource.items():
            if not name.startswith(_NOT_TAGS) and 0 < len(name) <= limits.MAX_KEY:
                tags.setdefault(name, text(value)[: limits.MAX_TAG])
    root = next((one for one in spans if not one.span.parent), None)
    if root is not None:
        for name, value in root.attributes.items():
            if name.startswith(TAG) and limits.is_key(name[len(TAG) :]):
                tags[name[len(TAG) :]] = text(value)[: limits.MAX_TAG]
        tags.setdefault(NAME, root.span.name[: limits.MAX_TAG])
    trace = replace(trace, tags=dict(islice(tags.items(), limits.MAX_TRACE_PAIRS)))
    return trace if trace.finished else _told_by(trace, spans, root)


def _told_by(trace: Trace, spans: Sequence[Said], root: Said | None) -> Trace:
    start = min(trace.start, *(one.span.start // 1_000_000 for one in spans))
    ends = [one.end // 1_000_000 for one in spans if one.end]
    if trace.duration is not None:
        ends.append(trace.start + trace.duration)
    metadata = dict(trace.metadata)
    for one in spans:
        for name, given in (
            (SESSION, next((one.attributes[n] for n in _SESSIONS if n in one.attributes), None)),
            (USER, one.attributes.get("user.id")),
        ):
            if given is not None:
                metadata.setdefault(name, text(given)[: limits.MAX_TAG])
    trace = replace(
        trace, start=start, duration=max(0, max(ends) - start) if ends else None, metadata=metadata
    )
    if root is None:
        return trace
    return replace(
        trace,
        state="ERROR" if root.span.status == "ERROR" else "OK",
        request=trace.request or _preview(root.attributes.get(INPUTS)),
        response=trace.response or _preview(root.attributes.get(OUTPUTS)),
    )


def text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _preview(value: Any) -> str:
    return "" if value is None else text(value)[:PREVIEW]


def _id(span: Mapping[str, Any], name: str, size: int) -> str:
    raw = base64.b64decode(span.get(name, ""))
    if len(raw) != size or not any(raw):
        raise Invalid(
            f"Invalid value {raw.hex()!r} for '{name}' of a span supplied: {size} bytes, not all of them 0."
        )
    return raw.hex()

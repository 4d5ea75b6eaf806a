"""Requests and refusals in OpenAPI's words: what the routes take and answer besides their own."""

from typing import Any

from headwater_server.openlineage.wire import MAX_COLUMNS, MAX_DATASETS, MAX_NAME

_Json = dict[str, Any]
_TEXT = {"type": "string"}
_CONTROL = r"\x00-\x1f\x7f\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NAME: _Json = {
    "type": "string",
    "maxLength": MAX_NAME,
    "pattern": rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$",
    "description": "Not blank, without control characters and without those that turn the direction of writing",
}
_FACETS: _Json = {"description": "Facets by name; anything is kept, what is no object is flagged"}
_NAMED = {"namespace": _NAME, "name": _NAME, "facets": _FACETS}
_DATASET: _Json = {"type": "object", "required": ["namespace", "name"], "properties": _NAMED}
_DATASETS: _Json = {"type": ["array", "null"], "items": _DATASET, "description": f"At most {MAX_DATASETS}"}
_TIME: _Json = {
    "type": "string",
    "format": "date-time",
    "description": "ISO 8601; without a zone it is read as UTC and flagged",
}


def _event(title: str, required: list[str], **properties: _Json | bool) -> _Json:
    return {
        "title": title,
        "type": "object",
        "required": ["eventTime", *required],
        "properties": {"eventTime": _TIME, **properties},
    }


_JOB: _Json = {"type": "object", "required": ["namespace", "name"], "properties": _NAMED}
EVENT: _Json = {
    "description": "An event of OpenLineage 2-0-2. This is what it needs to be placed; whatever else it holds is kept as it was sent."
    f" At most {MAX_COLUMNS} fields in a schema or in column lineage",
    "oneOf": [
        _event(
            "RunEvent", ["run", "job"], eventType=_TEXT, job=_JOB, inputs=_DATASETS, outputs=_DATASETS,
            run={"type": "object", "required": ["runId"], "properties": {"runId": _NAME, "facets": _FACETS}},
        ),
        _event("JobEvent", ["job"], job=_JOB, run=False, inputs=_DATASETS, outputs=_DATASETS),
        _event("DatasetEvent", ["dataset"], dataset=_DATASET, job=False, run=False),
    ],
}  # fmt: skip
SEQ: _Json = {"type": "object", "required": ["seq"], "properties": {"seq": {"type": "integer", "minimum": 1}}}
BATCH_ANSWER: _Json = {
    "type": "object",
    "required": ["status", "summary", "failed_events", "seqs"],
    "properties": {
        "status": {"enum": ["success", "partial_success"]},
        "summary": {
            "type": "object",
            "required": ["received", "successful", "failed", "retriable", "non_retriable"],
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "failed_events": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "reason", "retriable"],
                "properties": {
                    "index": {"type": "integer"},
                    "reason": _TEXT,
                    "retriable": {"type": "boolean"},
                },
            },
        },
        "seqs": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "Of those that were taken, in order",
        },
    },
}
_PROBLEM: _Json = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "pointer": _TEXT,
    },
}
_MEANINGS = {
    400: "It makes no sense as it stands: not JSON, not gzip",
    401: "Nobody is logged in",
    403: "The caller may not",
    404: "There is no such thing",
    405: "Another method",
    409: "It is not as it was thought to be",
    408: "The body did not come in time",
    413: "Too large",
    415: "Another content type or encoding",
    421: "Another host's name",
    422: "What is read has no place: pointer, expected, got",
    503: "Not now: try again",
}


def answers(status: str, schema: _Json, *media: str) -> _Json:
    """A response by its status, in every media type it may have."""
    return {
        "description": status,
        "content": {kind: {"schema": schema} for kind in media or ("application/json",)},
    }


def add_refusals(openapi: _Json) -> None:
    """To every route the problem documents (RFC 9457) that any like it may answer, unless it says otherwise."""
    for path in openapi["paths"].values():
        for operation in path.values():
            statuses = {401, 403, 421, 503}
            if "requestBody" in operation:
                statuses |= {400, 404, 408, 409, 413, 415, 422}
            if operation.get("parameters"):
                statuses |= {400, 404, 409, 422}
            said = operation["responses"]
            for status in sorted(statuses):
                if status == 422 and "HTTPValidationError" in str(said.get("422")):
                    del said["422"]  # the framework's words, which no route of ours answers with
                said.setdefault(str(status), answers(_MEANINGS[status], _PROBLEM, "application/problem+json"))
    openapi.get("components", {}).pop("schemas", None)


MARQUEZ_ERROR: _Json = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "integer"}, "message": _TEXT},
}
_ERRORS: _Json = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "required": ["message", "extensions"], "properties": {"message": _TEXT}},
}
GRAPHQL_REQUEST: _Json = {
    "type": "object",
    "required": ["query"],
    "properties": {
        "query": _TEXT,
        "variables": {"type": ["object", "null"]},
        "operationName": {"type": ["string", "null"]},
    },
}
_GRAPHQL_ANSWER: _Json = {
    "type": "object",
    "properties": {"data": {"type": ["object", "null"]}, "errors": _ERRORS, "extensions": {"type": "object"}},
    "anyOf": [{"required": ["data"]}, {"required": ["errors"]}],
}
_GRAPHQL_REFUSAL: _Json = {"type": "object", "required": ["errors"], "properties": {"errors": _ERRORS}}


def graphql_answers(*media: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: answers("`data`, `errors` and `extensions.cost`", _GRAPHQL_ANSWER, *media),
        **{s: answers(_MEANINGS[s], _GRAPHQL_REFUSAL, *media) for s in (400, 408, 413, 415, 503)},
        403: answers(_MEANINGS[403], {}, *media, "application/problem+json"),
    }

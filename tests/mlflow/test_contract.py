"""The routes and fields that MLflow's own descriptors tell of are all there, and asked for as they say."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from mlflow.protos import databricks_pb2, model_registry_pb2, service_pb2, webhooks_pb2

from headwater_server.api.mlflow.fields import ENUMS, NESTED, Spec, specs
from headwater_server.api.mlflow.table import CALLS

MUST = (
    ("experiments/", set[str]()),
    ("runs/", {"delete-runs", "restore-runs"}),
    ("metrics/get-history", set[str]()),
    ("artifacts/list", set[str]()),
    ("logged-models", set[str]()),
    ("registered-models/", set[str]()),
    ("model-versions/", set[str]()),
    ("webhooks", set[str]()),
)
TRACES = {
    "startTraceV3", "searchTracesV3", "getTrace", "getTraceInfoV3", "batchGetTraces", "batchGetTraceInfos",
    "setTraceTag", "setTraceTagV3", "deleteTraceTag", "deleteTraceTagV3", "deleteTraces", "deleteTracesV3",
    "linkTracesToRun", "createAssessment", "GetAssessment", "updateAssessment", "deleteAssessment",
}  # fmt: skip
TYPES = {
    FieldDescriptor.TYPE_ENUM: "string",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_INT32: "int64",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_BOOL: "bool",
}
WRITTEN = {
    "google.protobuf.Timestamp": "time",
    "google.protobuf.Duration": "duration",
    "google.protobuf.FieldMask": "mask",
    "google.protobuf.Value": "json",
    "opentelemetry.proto.trace.v1.Span": "json",
}
OURS = {
    (method, version, call.path): call
    for call in CALLS
    for method in call.methods.split()
    for version in call.versions.split()
}


def _must_have() -> Iterator[tuple[str, str, str, Any]]:
    for module in (service_pb2, model_registry_pb2, webhooks_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                for endpoint in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
                    path = endpoint.path.removeprefix("/api/2.0").strip("/").removeprefix("mlflow/")
                    wanted = any(
                        path.startswith(begin) and path.rpartition("/")[2] not in but for begin, but in MUST
                    )
                    if (wanted and endpoint.since.major == 2) or method.name in TRACES:
                        shown = path.replace("{assessment.trace_id}", "{trace_id}")
                        yield endpoint.method, f"{endpoint.since.major}.0", "/" + shown, method.input_type


ALL = list(_must_have())


def test_the_descriptors_are_walked() -> None:
    assert len(ALL) >= 64 + len(TRACES)


@pytest.mark.parametrize(
    ("method", "version", "path", "message"), ALL, ids=[f"{m} {v} {p}" for m, v, p, _ in ALL]
)
def test_a_call_is_there_with_its_fields(method: str, version: str, path: str, message: Any) -> None:
    call = OURS[method, version, path]
    _compare({f.name: f for f in specs(call.fields)}, message, path)


def _compare(ours: dict[str, Spec], message: Any, where: str) -> None:
    for field in message.fields:
        mine = ours.get(field.name)
        assert mine is not None, f"{where} does not read {field.name}"
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        assert mine.repeated is bool(field.is_repeated and not is_map), f"{where} {field.name}"
        if field.GetOptions().Extensions[databricks_pb2.validate_required]:
            # an update names what it changes: clients leave the rest out, though the descriptor shares the message
            assert mine.required or where.endswith("assessment_change"), f"{where} requires {field.name}"
        kind = field.message_type and WRITTEN.get(field.message_type.full_name)
        if is_map:
            assert mine.type == "map", f"{where} {field.name}"
        elif kind:
            assert mine.type == kind, f"{where} {field.name}"
        elif field.message_type is not None:
            inner = {f.name: f for f in specs(NESTED[mine.type])}
            _compare(inner, field.message_type, f"{where} {mine.type}")
        elif mine.type not in ENUMS:
            assert mine.type == TYPES[field.type], f"{where} {field.name}"
        else:
            words = ENUMS[mine.type]
            numbers = {v.number: v.name for v in field.enum_type.values}
            assert {n: w for n, w in enumerate(words) if w} == numbers, f"{where} {field.name}"

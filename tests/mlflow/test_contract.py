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
TYPES = {
    FieldDescriptor.TYPE_ENUM: "string",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_INT32: "int64",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_BOOL: "bool",
}
OURS = {(method, call.path): call for call in CALLS for method in call.methods.split()}


def _must_have() -> Iterator[tuple[str, str, Any]]:
    for module in (service_pb2, model_registry_pb2, webhooks_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                for endpoint in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
                    path = endpoint.path.removeprefix("/api/2.0").strip("/").removeprefix("mlflow/")
                    wanted = any(
                        path.startswith(begin) and path.rpartition("/")[2] not in but for begin, but in MUST
                    )
                    if wanted and endpoint.since.major == 2:
                        yield endpoint.method, "/" + path, method.input_type


ALL = list(_must_have())


def test_the_descriptors_are_walked() -> None:
    assert len(ALL) >= 64


@pytest.mark.parametrize(("method", "path", "message"), ALL, ids=[f"{m} {p}" for m, p, _ in ALL])
def test_a_call_is_there_with_its_fields(method: str, path: str, message: Any) -> None:
    call = OURS[method, path]
    _compare({f.name: f for f in specs(call.fields)}, message, path)


def _compare(ours: dict[str, Spec], message: Any, where: str) -> None:
    for field in message.fields:
        mine = ours.get(field.name)
        assert mine is not None, f"{where} does not read {field.name}"
        assert mine.repeated is bool(field.is_repeated), f"{where} {field.name}"
        if field.GetOptions().Extensions[databricks_pb2.validate_required]:
            assert mine.required, f"{where} requires {field.name}"
        if field.message_type is not None:
            _compare(
                {f.name: f for f in specs(NESTED[mine.type])}, field.message_type, f"{where} {field.name}"
            )
        elif mine.type not in ENUMS:
            assert mine.type == TYPES[field.type], f"{where} {field.name}"
        else:
            words = ENUMS[mine.type]
            numbers = {v.number: v.name for v in field.enum_type.values}
            assert {n: w for n, w in enumerate(words) if w} == numbers, f"{where} {field.name}"

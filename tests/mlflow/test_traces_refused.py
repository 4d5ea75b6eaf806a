"""What is wrong with a trace, a span or a search is said in MLflow's codes, and nothing of it is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from starlette.testclient import TestClient

from headwater_server.app import create_app
from headwater_server.auth.tokens import Tokens
from headwater_server.settings import Settings

TRACES = "/api/3.0/mlflow/traces"
PROTOBUF = {"content-type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
HERE = {"mlflow_experiment": {"experiment_id": "0"}}
INFO = {"trace_id": "tr-1", "trace_location": HERE, "request_time": "2026-01-02T03:04:05.678Z", "state": "OK"}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(data=tmp_path_factory.mktemp("headwater"))
    with TestClient(create_app(settings), base_url="http://127.0.0.1:4747") as client:
        assert client.post(TRACES, json={"trace": {"trace_info": INFO}}).status_code == 200
        yield client


def export(trace_id: bytes = b"t" * 16, span_id: bytes = b"s" * 8, **more: Any) -> bytes:
    span = trace_pb2.Span(trace_id=trace_id, span_id=span_id, **more)
    scope = trace_pb2.ScopeSpans(spans=[span])
    resource = trace_pb2.ResourceSpans(scope_spans=[scope])
    raw: bytes = ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()
    return raw


def refused(answer: Any, status: int, code: str, text: str) -> None:
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert text in answer.json()["message"]


INVALID = "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("headers", "body", "status", "code", "text"),
    [
        ({}, b"\xff", 400, INVALID, "ends within a field"),
        ({}, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 400, INVALID, "more than ten bytes"),
        ({}, b"\x0b\x0c", 400, INVALID, "wire type 3"),
        ({}, b"{}", 400, INVALID, "no protobuf message"),
        ({}, export(trace_id=b""), 400, INVALID, "16 bytes"),
        ({}, export(span_id=b"\0" * 8), 400, INVALID, "8 bytes"),
        ({}, export(parent_span_id=b"s"), 400, INVALID, "parent_span_id"),
        ({}, export(start_time_unix_nano=2**63), 400, INVALID, "2262"),
        ({"x-mlflow-experiment-id": ""}, export(), 400, INVALID, "x-mlflow-experiment-id"),
        ({"x-mlflow-experiment-id": "99"}, export(), 404, "RESOURCE_DOES_NOT_EXIST", "id=99"),
        ({"x-mlflow-run-id": "none"}, export(), 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=none"),
        ({"content-type": "text/plain"}, export(), 415, "BAD_REQUEST", "application/x-protobuf"),
        ({"content-encoding": "gzip"}, export(), 400, INVALID, "not gzip"),
        ({"content-encoding": "br"}, export(), 415, "BAD_REQUEST", "'br'"),
        ({"content-type": "application/json"}, b"[]", 400, INVALID, "expected an object"),
        ({"content-type": "application/json"}, b"{", 400, INVALID, "not JSON"),
    ],
)
def test_an_export_that_cannot_be_read_leaves_nothing(
    door: TestClient, headers: dict[str, str], body: bytes, status: int, code: str, text: str
) -> None:
    refused(door.post("/v1/traces", headers={**PROTOBUF, **headers}, content=body), status, code, text)
    found = door.post(f"{TRACES}/search", json={"locations": [HERE]}).json()["traces"]
    assert [one["trace_id"] for one in found] == ["tr-1"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "", {}, 400, "parameter 'trace'"),
        ("POST", "", {"trace": {}}, 400, "trace_id"),
        ("POST", "", {"trace": {"trace_info": {**INFO, "request_time": "yesterday"}}}, 400, "a time like"),
        ("POST", "", {"trace": {"trace_info": {**INFO, "execution_duration": "5"}}}, 400, '"1.5s"'),
        ("POST", "", {"trace": {"trace_info": {**INFO, "state": "GREAT"}}}, 400, '"GREAT"'),
        ("POST", "", {"trace": {"trace_info": {**INFO, "trace_id": "a b"}}}, 400, "Invalid trace ID"),
        ("POST", "", {"trace": {"trace_info": {**INFO, "tags": {"a": 1}}}}, 400, "an object of texts"),
        ("POST", "", {"trace": {"trace_info": {**INFO, "tags": {"a": "x" * 8_001}}}}, 400, "8000"),
        ("POST", "", {"trace": {"trace_info": {**INFO, "trace_location": {}}}}, 400, "trace location"),
        (
            "POST",
            "",
            {"trace": {"trace_info": {**INFO, "trace_metadata": {str(n): "" for n in range(1_001)}}}},
            400,
            "at most 1000 trace_metadata",
        ),
        ("POST", "", {"trace": {"trace_info": INFO, "spans": [{}]}}, 400, "/v1/traces"),
        ("POST", "/search", {}, 400, "'locations'"),
        ("POST", "/search", {"locations": [HERE], "max_results": 501}, 400, "at most 500"),
        ("POST", "/search", {"locations": [HERE] * 1_001}, 400, "At most 1000 locations"),
        ("POST", "/search", {"locations": [HERE], "page_token": "x"}, 400, "page token"),
        ("POST", "/search", {"locations": [HERE], "order_by": ["run_id"]}, 400, "has no order"),
        ("GET", "/batchGet", None, 400, "'trace_ids'"),
        ("GET", "/tr-none", None, 404, "tr-none is not found"),
        ("PATCH", "/tr-1/tags", {"value": "x"}, 400, "'key'"),
        ("PATCH", "/tr-1/tags", {"key": "mlflow.artifactLocation", "value": "x"}, 400, "immutable"),
        ("DELETE", "/tr-1/tags", {"key": "none"}, 404, "No trace tag"),
        ("POST", "/tr-1/assessments", {}, 400, "'assessment'"),
        ("POST", "/tr-1/assessments", {"assessment": {"assessment_name": "x"}}, 400, "Exactly one"),
        (
            "POST",
            "/tr-1/assessments",
            {"assessment": {"assessment_name": "x", "feedback": {"value": "y" * 300_000}}},
            400,
            "262144 bytes",
        ),
        (
            "POST",
            "/tr-1/assessments",
            {"assessment": {"assessment_name": "x", "feedback": {"value": 1}, "overrides": "a-none"}},
            404,
            "a-none",
        ),
        (
            "PATCH",
            "/tr-1/assessments/a-none",
            {"assessment": {"rationale": "x"}, "update_mask": "rationale"},
            404,
            "a-none",
        ),
        (
            "PATCH",
            "/tr-1/assessments/a-none",
            {"assessment": {"span_id": "x"}, "update_mask": "spanId"},
            400,
            "'span_id'",
        ),
        ("DELETE", "/tr-none/assessments/a", None, 404, "tr-none is not found"),
        ("POST", "/delete-traces", {"experiment_id": "0"}, 400, "Either"),
        ("GET", "/nothing/here", None, 404, "not answered"),
    ],
)
def test_a_bad_call_is_said_to_be_one(
    door: TestClient, method: str, path: str, body: Any, status: int, text: str
) -> None:
    content = b"" if body is None else orjson.dumps(body)
    answer = door.request(
        method, TRACES + path, content=content, headers={"content-type": "application/json"}
    )
    codes = {400: {INVALID}, 404: {"RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND"}}
    assert answer.status_code == status, answer.text
    assert answer.json()["error_code"] in codes[status]
    assert text in answer.json()["message"]


def test_times_are_read_and_written_as_proto3_does(door: TestClient) -> None:
    answer = door.get(f"{TRACES}/tr-1").json()["trace"]["trace_info"]
    assert answer["request_time"] == "2026-01-02T03:04:05.678Z"
    said = {**INFO, "trace_id": "tr-2", "request_time": "1970-01-01T00:00:00.001999Z"}
    made = door.post(TRACES, json={"trace": {"trace_info": {**said, "execution_duration": "0.0125s"}}}).json()
    assert made["trace"]["trace_info"]["request_time"] == "1970-01-01T00:00:00.001Z"
    assert made["trace"]["trace_info"]["execution_duration"] == "0.012s"
    assert door.post(
        f"{TRACES}/delete-traces", json={"experiment_id": "0", "request_ids": ["tr-2"]}
    ).json() == {"traces_deleted": 1}


def test_traces_are_written_within_the_scope_of_runs(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, auth="token")
    tokens = Tokens(tmp_path)
    made = {
        name: tokens.create(name, [role], by="test", at=1)[1]
        for name, role in {
            "elsewhere": "experimenter?namespace=other",
            "reader": "reader",
            "blind": "reader?namespace=other",
            "here": "experimenter?namespace=mlflow",
        }.items()
    }
    tokens.close()
    with TestClient(create_app(settings), base_url="http://127.0.0.1:4747") as client:

        def sent(name: str) -> int:
            headers = {**PROTOBUF, "authorization": f"Bearer {made[name]}"}
            return client.post("/v1/traces", headers=headers, content=export()).status_code

        def said(name: str) -> int:
            headers = {"authorization": f"Bearer {made[name]}"}
            return client.post(TRACES, headers=headers, json={"trace": {"trace_info": INFO}}).status_code

        assert [sent(name) for name in made] == [403, 403, 403, 200]
        assert [said(name) for name in made] == [403, 403, 403, 200]
        assert client.post("/v1/traces", headers=PROTOBUF, content=export()).status_code == 401
        reading, blind = ({"authorization": f"Bearer {made[name]}"} for name in ("reader", "blind"))
        assert client.get(f"{TRACES}/tr-1", headers=reading).status_code == 200
        for path in ("tr-1", "get?trace_id=tr-1", "tr-1/assessments/a-1"):
            hidden, absent = (
                client.get(f"{TRACES}/{path}".replace("tr-1", name), headers=blind)
                for name in ("tr-1", "tr-2")
            )
            assert hidden.status_code == absent.status_code == 404
            assert hidden.json() == {
                **absent.json(),
                "message": absent.json()["message"].replace("tr-2", "tr-1"),
            }
            missing = client.get(f"{TRACES}/{path}".replace("tr-1", "tr-2"), headers=reading)
            assert missing.json() == absent.json()
        assert client.post(f"{TRACES}/search", headers=blind, json={"locations": [HERE]}).json() == {}
        assert client.get(f"{TRACES}/batchGet?trace_ids=tr-1", headers=blind).json() == {}

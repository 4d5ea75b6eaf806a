"""No body is answered 500, and what was taken is projected: cases as data, and facets with anything in them."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.ingest.cases import CASES, ODD_VALUES, Case
from tests.openlineage import said

JSON = {"content-type": "application/json"}


def healthy(client: TestClient) -> None:
    metrics = client.get("/metrics").text
    assert "headwater_dead_letters 0.0" in metrics


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_body_gets_its_answer(shared_door: TestClient, case: Case) -> None:
    before = shared_door.get("/readyz").json()["headSeq"]
    answer = shared_door.post(
        "/api/v1/lineage?wait=projected", content=case.body, headers={**JSON, **case.headers}
    )
    expected = {case.status, 200} if case.status == 201 else {case.status}
    assert answer.status_code in expected, answer.text
    after = shared_door.get("/readyz").json()["headSeq"]
    if case.status != 201:
        assert after == before
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == case.status
        assert problem["detail"]
        assert problem.get("pointer") == case.pointer
    healthy(shared_door)


@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.headers and c.status != 413], ids=lambda case: case.what
)
def test_in_a_batch_it_spoils_nothing(shared_door: TestClient, case: Case) -> None:
    good = said.run("COMPLETE", "good", case.what, 1, writes=["b"])
    body = b"[" + orjson.dumps(good) + b"," + (case.body or b" ") + b"]"
    answer = shared_door.post("/api/v1/lineage/batch?wait=projected", content=body, headers=JSON)
    if answer.status_code == 200:
        told = answer.json()
        assert told["summary"]["successful"] >= 1
        assert [f["index"] for f in told["failed_events"]] == ([] if case.status == 201 else [1])
    else:
        assert answer.status_code in (400, 422)
    healthy(shared_door)


RICH = said.run(
    "COMPLETE",
    "rich",
    "one",
    1,
    reads=[
        said.table(
            "a",
            use={"inputStatistics": said.facet(rowCount=1), "dataQualityAssertions": said.facet(assertions=[])},
            schema=said.columns("x", {"name": "s", "type": "STRUCT", "fields": [{"name": "y"}]}),
            tags=said.facet(tags=[{"key": "pii", "field": "x"}]),
            symlinks=said.facet(identifiers=[{"namespace": "n", "name": "m", "type": "TABLE"}]),
            version=said.facet(datasetVersion="1"),
        )
    ],
    writes=[
        said.table(
            "b",
            use={"outputStatistics": said.facet(rowCount=1, size=2)},
            columnLineage=said.from_columns(x=[said.source("a.x", type="DIRECT", subtype="IDENTITY")]),
            lifecycleStateChange=said.facet(
                lifecycleStateChange="RENAME", previousIdentifier={"namespace": "n", "name": "o"}
            ),
            ownership=said.facet(owners=[{"name": "me", "type": "OWNER"}]),
            dataSource=said.facet(uri="u", name="n"),
            datasetType=said.facet(datasetType="TABLE"),
            lineage=said.facet(inputs=[{"namespace": "n", "name": "m", "type": "DATASET"}]),
        )
    ],
    run_facets={
        "parent": said.parent("dag", "above", root=("dag", "top")),
        "nominalTime": said.facet(nominalStartTime="2026-03-02T00:00:00Z"),
        "errorMessage": said.facet(message="m", programmingLanguage="PYTHON"),
        "spark.exception": said.facet(message="m"),
        "jobDependencies": said.facet(upstream=[{"job": {"namespace": "n", "name": "up"}}]),
        "tags": said.facet(tags=[{"key": "k", "value": "v"}]),
    },
    job_facets={
        "lineage": said.facet(
            entries=[{"type": "DATASET", "namespace": "n", "name": "m", "inputs": [{"type": "JOB"}], "fields": {"x": {"inputs": [said.source("a.x")]}}}]
        ),
        "jobType": said.facet(processingType="BATCH", emissionPattern={"eventContentMode": "ACCUMULATIVE"}),
        "sourceCodeLocation": said.facet(url="u", version="v"),
        "sourceCode": said.facet(sourceCode="x"),
        "sql": said.facet(query="INSERT INTO b SELECT x FROM a", dialect="postgres"),
        "ownership": said.facet(owners=[{"name": "me"}]),
        "documentation": said.facet(description="d"),
    },
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a facet."""
    found = [path] if {"facets", "inputFacets", "outputFacets"} & set(path[:-1]) else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found += places(one, (*path, key))
    return found


PLACES = places(RICH)


def put(event: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        event = event[key]
    event[path[-1]] = value


def test_any_value_anywhere_in_a_facet_is_taken_and_projected(shared_door: TestClient) -> None:
    changed = []
    for path in PLACES:
        for value in ODD_VALUES:
            event = copy.deepcopy(RICH)
            put(event, path, value)
            changed.append(orjson.dumps(event))
    body = b"\n".join(changed)
    headers = {"content-type": "application/x-ndjson"}
    answer = shared_door.post("/api/v1/lineage/batch?wait=projected", content=body, headers=headers).json()
    assert answer["summary"]["failed"] == 0
    healthy(shared_door)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "namespace", "type", "field", "fields", "inputs", "_deleted", "é"]), inner, max_size=3),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(path=st.sampled_from([p for p in places(RICH, ()) if p]), value=ANYTHING)
def test_made_up_values_are_too(shared_door: TestClient, path: tuple[Any, ...], value: Any) -> None:
    event = copy.deepcopy(RICH)
    put(event, path, value)
    try:
        body = orjson.dumps(event)
    except TypeError:  # a text that is no UTF-8 cannot be sent either
        return
    answer = shared_door.post("/api/v1/lineage?wait=projected", content=body, headers=JSON)
    assert answer.status_code in (200, 201), answer.text
    healthy(shared_door)

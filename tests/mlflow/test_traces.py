"""Traces, through MLflow's unmodified client and a real socket."""

import gzip
import itertools
from typing import Any

import httpx
import mlflow
import orjson
import pytest
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Feedback, Trace
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred")
"""MLflow's own warning when tracing first imports its models: raised, it would switch tracing off."""
NUMBERS = itertools.count(100)
"""Of traces that no other test has."""


def traced(name: str = "answer", **inputs: Any) -> str:
    """The id of a trace of two spans that the server has whole."""
    with mlflow.start_span(name, span_type="CHAIN") as root:
        root.set_inputs(inputs)
        with mlflow.start_span("ask", span_type="LLM") as inner:
            inner.set_attribute("model", "small")
        root.set_outputs("42")
    mlflow.flush_trace_async_logging()
    return str(root.trace_id)


def found(experiment: str, filter_string: str = "", **more: Any) -> list[str]:
    traces = mlflow.search_traces(
        locations=[experiment], filter_string=filter_string, return_type="list", **more
    )
    return [one.info.trace_id for one in traces]


def whole(trace_id: str) -> Trace:
    trace: Trace | None = mlflow.get_trace(trace_id)
    assert trace is not None
    return trace


def assessed(trace_id: str, name: str | None) -> Any:
    assert name is not None
    return mlflow.get_assessment(trace_id, name)


def test_a_decorated_function_leaves_its_trace(mlflow_client: MlflowClient, experiment: str) -> None:
    @mlflow.trace(name="add", span_type="TOOL", attributes={"deep": {"list": [1, 2.5, True, None, "é"]}})
    def add(a: int, b: int) -> int:
        with mlflow.start_span("inner") as span:
            span.set_inputs({"a": a})
        return a + b

    assert add(2, 3) == 5
    mlflow.flush_trace_async_logging()
    last = mlflow.get_last_active_trace_id()
    assert last is not None
    trace = whole(last)
    assert trace.info.experiment_id == experiment
    assert trace.info.state == "OK"
    assert trace.info.request_preview == '{"a": 2, "b": 3}'
    assert trace.info.response_preview == "5"
    assert trace.info.tags["mlflow.traceName"] == "add"
    assert trace.info.execution_duration is not None
    root, inner = trace.data.spans
    assert (root.name, root.span_type, root.inputs, root.outputs) == ("add", "TOOL", {"a": 2, "b": 3}, 5)
    assert root.attributes["deep"] == {"list": [1, 2.5, True, None, "é"]}
    assert (inner.name, inner.parent_id, inner.inputs) == ("inner", root.span_id, {"a": 2})
    assert root.start_time_ns <= inner.start_time_ns
    assert inner.end_time_ns is not None
    assert root.status.status_code == "OK"


def test_what_fails_is_told_with_its_exception(mlflow_client: MlflowClient, experiment: str) -> None:
    @mlflow.trace
    def broken() -> None:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        broken()
    mlflow.flush_trace_async_logging()
    (trace_id,) = found(experiment, "attributes.status = 'ERROR'")
    (span,) = whole(trace_id).data.spans
    assert span.status.status_code == "ERROR"
    assert span.events[0].name == "exception"
    assert span.events[0].attributes["exception.message"] == "no such thing"


def test_traces_are_searched_in_mlflows_words(mlflow_client: MlflowClient, experiment: str) -> None:
    first = traced("first", question="why?")
    second = traced("second", question="how?")
    mlflow.set_trace_tag(first, "team", "ads")
    mlflow.set_trace_tag(second, "team", "Search")
    mlflow.log_feedback(trace_id=first, name="good", value=True)
    mlflow.log_feedback(trace_id=second, name="good", value=False)
    mlflow.log_feedback(trace_id=second, name="score", value=0.7)
    mlflow.log_expectation(trace_id=first, name="answer", value="42")
    for text, expected in {
        "": [second, first],
        "attributes.status = 'OK'": [second, first],
        "status != 'OK'": [],
        "trace.status IN ('OK', 'ERROR')": [second, first],
        f"request_id = '{first}'": [first],
        "attributes.name = 'first'": [first],
        "trace.name ILIKE 'SEC%'": [second],
        "timestamp_ms > 0 AND execution_time_ms >= 0": [second, first],
        "timestamp_ms < 100000": [],
        "tags.team = 'ads'": [first],
        "tags.team LIKE 'S%'": [second],
        "tag.team IS NOT NULL AND tags.missing IS NULL": [second, first],
        "metadata.`mlflow.trace_schema.version` = '3'": [second, first],
        "request_metadata.absent = 'x'": [],
        "span.name = 'ask'": [second, first],
        "span.name = 'ask' AND span.type = 'CHAIN'": [],
        "span.name = 'ask' AND span.type = 'LLM'": [second, first],
        "span.type = 'LLM' OR tags.team = 'ads'": [second, first],
        "NOT span.name = 'first'": [second],
        "span.attributes.model LIKE '%mall'": [second, first],
        "span.content ILIKE '%WHY?%'": [first],
        "trace.text LIKE '%how?%'": [second],
        "feedback.good = 'true'": [first],
        "feedback.good = 'false'": [second],
        "feedback.score > 0.5": [second],
        "feedback.score IS NULL": [first],
        "expectation.answer = '42'": [first],
    }.items():
        assert found(experiment, text) == expected, text
    assert found(experiment, order_by=["timestamp_ms ASC"]) == [first, second]
    assert found(experiment, order_by=["tags.team DESC"]) == [first, second]
    assert found(experiment, order_by=["name"], max_results=1) == [first]


@pytest.mark.parametrize("orders", [[], ["timestamp_ms ASC"], ["attributes.name DESC"]])
def test_pages_follow_each_other_while_traces_come(
    mlflow_client: MlflowClient, address: str, orders: list[str]
) -> None:
    experiment = mlflow_client.create_experiment(f"pages {orders}")
    for n in range(5):
        one = span(f"t{n}", "a", trace=next(NUMBERS), start=1_000 + n)
        exported(address, experiment, {"json": request([one])})
    seen: list[str] = []
    token = None
    for _ in range(3):
        page = mlflow_client.search_traces(
            locations=[experiment],
            filter_string="name LIKE 't_' AND timestamp_ms > 999",
            max_results=2,
            order_by=orders,
            page_token=token,
        )
        seen += [one.info.tags["mlflow.traceName"] for one in page]
        token = page.token
        late = span("late", "a", trace=next(NUMBERS), start=1_010)
        exported(address, experiment, {"json": request([late])})
    assert token is None
    assert seen == [f"t{n}" for n in (range(5) if "ASC" in str(orders) else range(4, -1, -1))]


def test_traces_are_found_by_the_prompt_that_was_used(mlflow_client: MlflowClient, experiment: str) -> None:
    prompt = mlflow.genai.register_prompt("answer", "Answer {{question}}")

    @mlflow.trace
    def ask() -> str:
        return str(mlflow.genai.load_prompt("prompts:/answer/1").template)

    ask()
    traced("without")
    mlflow.flush_trace_async_logging()
    (trace_id,) = found(experiment, f"prompt = '{prompt.name}/{prompt.version}'")
    assert whole(trace_id).data.spans[0].name == "ask"
    assert found(experiment, "prompt = 'answer/2'") == []


def test_what_cannot_be_searched_is_said_at_once(mlflow_client: MlflowClient, experiment: str) -> None:
    for text, why in {
        "attributes.colour = 'red'": "Invalid attribute key 'colour'",
        "status > 'OK'": "Invalid comparator '>'",
        "span.colour = 'red'": "Invalid attribute key 'colour'",
        "shape.round = 'yes'": "Invalid entity type 'shape'",
        "tags.team = ": "Invalid clause",
    }.items():
        with pytest.raises(MlflowException, match=why) as refused:
            found(experiment, text)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(MlflowException, match="max_results"):
        mlflow_client.search_traces(locations=[experiment], max_results=501)
    with pytest.raises(MlflowException, match="page token"):
        mlflow_client.search_traces(locations=[experiment], page_token="e30=")


def test_tags_are_set_and_taken_away(mlflow_client: MlflowClient, experiment: str) -> None:
    trace_id = traced()
    mlflow.set_trace_tag(trace_id, "a", "1")
    mlflow.set_trace_tag(trace_id, "a", "2")
    assert whole(trace_id).info.tags["a"] == "2"
    mlflow.delete_trace_tag(trace_id, "a")
    assert "a" not in whole(trace_id).info.tags
    with pytest.raises(MlflowException, match="No trace tag with key 'a'") as refused:
        mlflow.delete_trace_tag(trace_id, "a")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(MlflowException, match="is not found"):
        mlflow.set_trace_tag("tr-none", "a", "1")


def test_feedback_is_given_changed_overridden_and_taken_back(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    trace_id = traced()
    judge = AssessmentSource(source_type="LLM_JUDGE", source_id="gpt")
    first = mlflow.log_feedback(
        trace_id=trace_id, name="ok", value={"score": 1}, source=judge, rationale="why", metadata={"a": "1"}
    )
    again = assessed(trace_id, first.assessment_id)
    assert (again.name, again.value, again.rationale, again.metadata) == (
        "ok",
        {"score": 1},
        "why",
        {"a": "1"},
    )
    assert again.source == judge
    assert again.valid
    mlflow.update_assessment(
        trace_id, str(first.assessment_id), Feedback(name="ok", value=[1, "b"], metadata={"b": "2"})
    )
    changed = assessed(trace_id, first.assessment_id)
    assert (changed.value, changed.metadata, changed.rationale) == ([1, "b"], {"a": "1", "b": "2"}, "why")
    better = mlflow.override_feedback(trace_id=trace_id, assessment_id=str(first.assessment_id), value="no")
    assert not assessed(trace_id, first.assessment_id).valid
    assert [one.name for one in whole(trace_id).info.assessments] == ["ok", "ok"]
    mlflow.delete_assessment(trace_id, str(better.assessment_id))
    assert assessed(trace_id, first.assessment_id).valid
    expected = mlflow.log_expectation(trace_id=trace_id, name="answer", value={"facts": ["a", "b"]})
    assert assessed(trace_id, expected.assessment_id).value == {"facts": ["a", "b"]}
    with pytest.raises(MlflowException, match="not found for trace") as refused:
        assessed(trace_id, better.assessment_id)
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(MlflowException, match="is a expectation"):
        mlflow.update_assessment(trace_id, str(expected.assessment_id), Feedback(name="x", value=1))


def test_feedback_within_a_trace_comes_with_it(mlflow_client: MlflowClient, experiment: str) -> None:
    with mlflow.start_span("rated") as span:
        mlflow.log_feedback(trace_id=span.trace_id, name="early", value="yes")
    mlflow.flush_trace_async_logging()
    (one,) = whole(span.trace_id).info.assessments
    assert isinstance(one, Feedback)
    assert (one.name, one.value, one.trace_id) == ("early", "yes", span.trace_id)


def test_a_run_finds_the_traces_made_in_it_and_linked_to_it(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    outside = traced("outside")
    with mlflow.start_run() as run:
        inside = traced("inside")
    run_id = run.info.run_id
    assert found(experiment, run_id=run_id) == [inside]
    for _ in range(2):
        mlflow_client.link_traces_to_run([outside], run_id)
    assert found(experiment, run_id=run_id) == [inside, outside]
    assert found(experiment, f"attributes.run_id != '{run_id}'") == []
    with pytest.raises(MlflowException, match="Run with id=none not found"):
        mlflow_client.link_traces_to_run([outside], "none")
    with pytest.raises(MlflowException, match="tr-none is not found"):
        mlflow_client.link_traces_to_run([outside, "tr-none"], run_id)


def test_traces_are_deleted_with_all_that_is_theirs(mlflow_client: MlflowClient, experiment: str) -> None:
    ids = [traced(f"t{n}") for n in range(4)]
    mlflow.log_feedback(trace_id=ids[0], name="ok", value=True)
    assert mlflow_client.delete_traces(experiment, trace_ids=[ids[3], "tr-none"]) == 1
    last = whole(ids[2]).info.request_time
    assert mlflow_client.delete_traces(experiment, max_timestamp_millis=last, max_traces=1) == 1
    assert found(experiment) == [ids[2], ids[1]]
    assert mlflow_client.delete_traces(experiment, max_timestamp_millis=last) == 2
    assert mlflow_client.delete_traces(experiment, max_timestamp_millis=last) == 0
    with pytest.raises(MlflowException, match="is not found"):
        mlflow_client.get_trace(ids[0])
    with pytest.raises(MlflowException, match="No Experiment with id=999999"):
        mlflow_client.delete_traces("999999", max_timestamp_millis=1)


def test_a_deleted_experiment_takes_no_more_traces(
    mlflow_client: MlflowClient, experiment: str, address: str
) -> None:
    mlflow_client.delete_experiment(experiment)
    answer = httpx.post(
        f"{address}/v1/traces",
        headers={"content-type": "application/json", "x-mlflow-experiment-id": experiment},
        json={},
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def exported(address: str, experiment: str, body: Any, **headers: str) -> httpx.Response:
    said = {"content-type": "application/json", "x-mlflow-experiment-id": experiment, **headers}
    answer = httpx.post(f"{address}/v1/traces", headers=said, **body)
    assert answer.status_code == 200, answer.text
    return answer


def request(spans: list[dict[str, Any]], **resource: str) -> dict[str, Any]:
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in resource.items()]
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}]}


def span(
    name: str, own: str, parent: str = "", *, trace: int = 7, start: int = 1_000, **more: Any
) -> dict[str, Any]:
    return {
        "traceId": f"{trace:032x}",
        "spanId": own * 16,
        "parentSpanId": parent * 16,
        "name": name,
        "startTimeUnixNano": str(start * 1_000_000),
        "endTimeUnixNano": str((start + 10) * 1_000_000),
        **more,
    }


def test_spans_of_any_exporter_become_a_trace(
    mlflow_client: MlflowClient, experiment: str, address: str
) -> None:
    inner = span("inner", "b", "a", start=1_005)
    resource = {"service.name": "shop", "telemetry.sdk.name": "otel"}
    assert exported(address, experiment, {"json": request([inner], **resource)}).content == b"{}"
    trace_id = f"tr-{7:032x}"
    begun = mlflow_client.get_trace(trace_id)
    assert (begun.info.state, begun.info.request_time) == ("IN_PROGRESS", 1_005)
    attributes = [
        {
            "key": "mlflow.spanInputs",
            "value": {"kvlistValue": {"values": [{"key": "q", "value": {"intValue": "7"}}]}},
        },
        {"key": "session.id", "value": {"stringValue": "s-1"}},
        {"key": "mlflow.traceTag.team", "value": {"stringValue": "ads"}},
    ]
    root = span("root", "a", attributes=attributes, status={"code": 2, "message": "no"})
    packed = gzip.compress(orjson.dumps(request([root, inner], **resource)))
    for _ in range(2):  # sent again it is the same
        exported(address, experiment, {"content": packed}, **{"content-encoding": "gzip"})
    trace = mlflow_client.get_trace(trace_id)
    assert (trace.info.state, trace.info.request_time, trace.info.execution_duration) == ("ERROR", 1_000, 15)
    assert trace.info.tags["mlflow.traceName"] == "root"
    assert trace.info.tags["service.name"] == "shop"
    assert "telemetry.sdk.name" not in trace.info.tags
    assert trace.info.tags["team"] == "ads"
    assert trace.info.request_preview == '{"q":7}'
    assert trace.info.trace_metadata["mlflow.trace.session"] == "s-1"
    assert [one.name for one in trace.data.spans] == ["root", "inner"]
    assert trace.data.spans[0].status.description == "no"
    assert found(experiment, "metadata.`mlflow.trace.session` = 's-1'") == [trace_id]


def test_secrets_do_not_reach_the_disk(mlflow_client: MlflowClient, experiment: str) -> None:
    key = "ghp_" + "a1" * 18
    trace_id = traced("leaky", password="hunter2hunter2", text=f"use {key}")
    mlflow.set_trace_tag(trace_id, "api_key", "hunter3hunter3")
    mlflow.log_feedback(trace_id=trace_id, name="ok", value=True, rationale=f"because {key}")
    trace = whole(trace_id)
    assert trace.data.spans[0].inputs == {"password": "REDACTED", "text": "use REDACTED"}
    said = trace.to_json()
    assert "hunter2" not in said
    assert "hunter3" not in said
    assert key not in said


def test_an_unfinished_export_is_not_shown_as_a_whole(
    mlflow_client: MlflowClient, experiment: str, address: str
) -> None:
    trace_id = traced()
    info = whole(trace_id).info
    info.trace_metadata["mlflow.trace.sizeStats"] = '{"num_spans": 3}'
    other = "tr-" + "1" * 32
    info.trace_id = other
    said = {"trace": {"trace_info": info.to_dict()}}
    said["trace"]["trace_info"]["trace_location"] = {"mlflow_experiment": {"experiment_id": experiment}}
    assert httpx.post(f"{address}/api/3.0/mlflow/traces", json=said).status_code == 200
    path = f"{address}/api/3.0/mlflow/traces/get"
    answer = httpx.get(path, params={"trace_id": other})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert httpx.get(path, params={"trace_id": other, "allow_partial": True}).json()["trace"]["spans"] == []

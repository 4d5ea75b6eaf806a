"""Refusals in the words that MLflow's clients and their tests look for, and corners where its own server decides."""

import base64
import json
import math
import posixpath
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, ViewType
from mlflow.exceptions import MlflowException

API = "/api/2.0/mlflow/"
HISTORY = "mlflow.log-model.history"


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as found:
        yield found


@pytest.fixture
def run_id(mlflow_client: MlflowClient, experiment: str) -> str:
    return str(mlflow_client.create_run(experiment).info.run_id)


def refused(answer: httpx.Response, message: str, *, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "said", "message"),
    [
        ("runs/log-metric", {"key": "a/../b", "value": 1, "timestamp": 1}, "This name would resolve to 'b'"),
        ("runs/log-metric", {"key": "a!", "value": 1, "timestamp": 1}, 'Invalid value "a!" for parameter \'name\''),
        ("runs/log-metric", {"key": "m" * 251, "value": 1, "timestamp": 1}, "'Metric name' exceeds the maximum length of 250"),
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": -1}, "Timestamp must be a nonnegative long"),
        ("runs/log-parameter", {"key": "p" * 251, "value": "1"}, "'Param key' exceeds the maximum length of 250"),
        ("runs/set-tag", {"key": "a!", "value": "1"}, 'Invalid value "a!" for parameter \'key\''),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": 1, "timestamp": 1}, {"key": "a!", "value": 1, "timestamp": 1}]}, "'metrics[1].name'"),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": 0.5, "timestamp": at} for at in (1, 2**63)]}, "'metrics[1].timestamp' supplied: expected a whole number of 64 bits"),
        ("runs/log-batch", {"metrics": [{"key": key, "value": 0.5, "timestamp": 1} for key in ("m", "")]}, "Missing value for required parameter 'metrics[1].key'"),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": 0.5}, {"key": "m", "value": 0.5}]}, "Missing value for required parameter 'metrics[0].timestamp'"),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": True, "timestamp": 1}]}, "'metrics[0].value' supplied: expected a number"),
        ("runs/log-batch", {"tags": [{"key": "a!", "value": "1"}]}, "'tags[0].key'"),
        ("runs/log-batch", {"params": [{"key": str(n), "value": ""} for n in range(101)]}, "at most 100 params. Got 101 params. Please split up params across"),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": n, "timestamp": 1} for n in range(950)], "params": [{"key": str(n), "value": ""} for n in range(60)]}, "at most 1000 metrics, params, and tags. Got 1010"),
        ("runs/outputs", {}, "Missing value for required parameter 'models'"),
    ],
)  # fmt: skip
def test_what_may_not_be_logged_is_named_as_mlflow_names_it(
    http: httpx.Client, run_id: str, path: str, said: dict[str, Any], message: str
) -> None:
    refused(http.post(API + path, json={"run_id": run_id, **said}), message)


def test_metrics_of_a_batch_may_be_said_each_in_its_own_way(
    http: httpx.Client, run_id: str, mlflow_client: MlflowClient
) -> None:
    metrics: list[dict[str, Any]] = [
        {"key": "m", "value": 0.5, "timestamp": 1, "step": 1},
        {"key": "n", "value": 7, "timestamp": "5", "step": None, "unknown": []},
        {"key": "m", "value": "Infinity", "timestamp": "2", "step": "0"},
        {"key": "m", "value": "1.5", "timestamp": 3.0},
    ]
    assert http.post(f"{API}runs/log-batch", json={"run_id": run_id, "metrics": metrics}).status_code == 200
    history = [(m.step, m.timestamp, m.value) for m in mlflow_client.get_metric_history(run_id, "m")]
    assert sorted(history) == [(0, 2, math.inf), (0, 3, 1.5), (1, 1, 0.5)]
    assert mlflow_client.get_run(run_id).data.metrics == {"m": 0.5, "n": 7.0}


def test_a_value_that_is_not_said_is_the_empty_one(
    http: httpx.Client, run_id: str, mlflow_client: MlflowClient
) -> None:
    for path in ("log-parameter", "set-tag"):
        assert http.post(f"{API}runs/{path}", json={"run_id": run_id, "key": "k"}).status_code == 200
    data = mlflow_client.get_run(run_id).data
    assert (data.params["k"], data.tags["k"]) == ("", "")


def test_long_values_of_params_and_tags_are_cut_and_said_again_are_the_same(
    run_id: str, mlflow_client: MlflowClient
) -> None:
    mlflow_client.log_param(run_id, "p", "x" * 6_001)
    mlflow_client.log_param(run_id, "p", "x" * 6_005)
    mlflow_client.set_tag(run_id, "t", "y" * 8_001)
    data = mlflow_client.get_run(run_id).data
    assert data.params["p"] == "x" * 6_000
    assert data.tags["t"] == "y" * 8_000


def test_a_secret_at_the_cut_is_taken_out_whole(run_id: str, mlflow_client: MlflowClient) -> None:
    key = "AKIA" + "QWERTYUIOPASDFGH"
    mlflow_client.set_tag(run_id, "t", "y" * 7_988 + f" {key} and more")
    assert "AKIA" not in mlflow_client.get_run(run_id).data.tags["t"]


def test_params_that_change_in_a_batch_are_all_named(run_id: str, mlflow_client: MlflowClient) -> None:
    mlflow_client.log_batch(run_id, params=[Param("a", "1"), Param("b", "2")])
    with pytest.raises(MlflowException, match=r"Params were already logged=.*'key': 'a'.*'key': 'b'"):
        mlflow_client.log_batch(run_id, params=[Param("a", "3"), Param("b", "4")])
    with pytest.raises(MlflowException, match="Param with key='a' was already logged with value='1'"):
        mlflow_client.log_param(run_id, "a", "3")


def test_only_what_the_client_says_is_a_tag(run_id: str, mlflow_client: MlflowClient) -> None:
    run = mlflow_client.get_run(run_id)
    assert list(run.data.tags) == ["mlflow.runName"]
    assert run.info.user_id == "unknown"


def test_deleting_and_restoring_twice_is_once(run_id: str, mlflow_client: MlflowClient) -> None:
    for _ in range(2):
        mlflow_client.delete_run(run_id)
    assert mlflow_client.get_run(run_id).info.lifecycle_stage == "deleted"
    for _ in range(2):
        mlflow_client.restore_run(run_id)
    assert mlflow_client.get_run(run_id).info.lifecycle_stage == "active"


def test_runs_of_a_deleted_experiment_are_deleted_until_it_is_restored(
    run_id: str, experiment: str, mlflow_client: MlflowClient
) -> None:
    mlflow_client.delete_experiment(experiment)
    assert mlflow_client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert mlflow_client.search_runs([experiment]) == []
    (found,) = mlflow_client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
    assert found.info.lifecycle_stage == "deleted"
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        mlflow_client.log_metric(run_id, "m", 1)
    mlflow_client.restore_experiment(experiment)
    mlflow_client.log_metric(run_id, "m", 1)
    (found,) = mlflow_client.search_runs([experiment])
    assert found.info.lifecycle_stage == "active"


def test_an_experiment_that_is_deleted_refuses(
    http: httpx.Client, experiment: str, mlflow_client: MlflowClient
) -> None:
    mlflow_client.delete_experiment(experiment)
    said = {"experiment_id": experiment}
    refused(
        http.post(API + "experiments/delete", json=said),
        f"No Experiment with id={experiment} exists",
        status=404,
    )
    refused(
        http.post(API + "experiments/update", json={**said, "new_name": "n"}),
        "Cannot rename a non-active experiment.",
    )
    refused(
        http.post(API + "experiments/set-experiment-tag", json={**said, "key": "k"}),
        f"The experiment {experiment} must be in the 'active' state",
    )
    refused(
        http.post(API + "runs/create", json=said),
        f"The experiment {experiment} must be in the 'active' state",
    )
    mlflow_client.restore_experiment(experiment)
    refused(
        http.post(API + "experiments/restore", json=said),
        f"No Experiment with id={experiment} exists",
        status=404,
    )


def test_what_is_no_id_of_an_experiment_is_told(http: httpx.Client) -> None:
    refused(http.get(API + "experiments/get?experiment_id=abc"), "Experiment ID must be a valid integer")
    refused(
        http.get(API + "experiments/get?experiment_id=987654"),
        "No Experiment with id=987654 exists",
        status=404,
    )
    refused(
        http.post(API + "experiments/update", json={"experiment_id": "0"}),
        "Missing value for required parameter 'new_name'",
    )


def test_a_place_for_files_is_absolute_and_without_fragments(
    http: httpx.Client, mlflow_client: MlflowClient, request: pytest.FixtureRequest
) -> None:
    name = request.node.name
    refused(
        http.post(API + "experiments/create", json={"name": name, "artifact_location": "s3://b/c#d"}),
        "fragments or params",
    )
    made = mlflow_client.create_experiment(name, artifact_location="beside")
    place = mlflow_client.get_experiment(made).artifact_location
    assert place.startswith("/")
    assert place.endswith("/beside")


def test_words_may_be_said_by_their_numbers(http: httpx.Client, run_id: str, experiment: str) -> None:
    assert (
        http.post(API + "runs/update", json={"run_id": run_id, "status": 4}).json()["run_info"]["status"]
        == "FAILED"
    )
    asked = {"experiment_ids": [experiment], "run_view_type": 2}
    assert http.post(API + "runs/search", json=asked).json() == {}
    refused(
        http.post(API + "runs/update", json={"run_id": run_id, "status": "DONE"}),
        "for parameter 'status' supplied",
    )


def test_a_body_is_json_or_refused(http: httpx.Client, run_id: str) -> None:
    said = f'{{"run_id": "{run_id}", "key": "k", "value": "v"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = http.post(API + "runs/set-tag", content=said, headers={"Content-Type": kind})
        refused(answer, "Content-Type must be one of ['application/json']")
    kind = "application/json; charset=utf-8"
    assert http.post(API + "runs/set-tag", content=said, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize("size", ["--5", "9" * 5_000, "1.5", "²"])
def test_a_number_that_is_none_is_refused_by_its_name(http: httpx.Client, run_id: str, size: str) -> None:
    asked = {"run_id": run_id, "metric_key": "m", "max_results": size}
    refused(http.get(API + "metrics/get-history", params=asked), "for parameter 'max_results' supplied")


@pytest.mark.parametrize("number", ["9" * 5_000, "٣"])
def test_a_version_of_an_odd_number_is_not_there(http: httpx.Client, number: str) -> None:
    answer = http.get(API + "model-versions/get", params={"name": "nobody", "version": number})
    refused(answer, "not found", status=404)


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_of_points_holds_at_least_one(http: httpx.Client, run_id: str, size: int) -> None:
    asked = {"run_id": run_id, "metric_key": "m", "max_results": str(size)}
    refused(
        http.get(API + "metrics/get-history", params=asked),
        f"Invalid value {size} for parameter 'max_results'",
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("metrics.m", r"Invalid clause\(s\) in filter string"),
        ("run_id IN (", r"Invalid clause\(s\) in filter string"),
        ("run_id IN ()", "but got empty list"),
        ("run_id IN (,)", "but got ill-formed list"),
        ("run_id IN ('a',,'b')", "but got ill-formed list"),
        ("run_id IN (1, 2)", "but got different type in list"),
        ("params.p = x", "not quoted or unidentified quote types used for string value x"),
        ("status = true", r"Invalid clause\(s\) in filter string"),
        (
            "status IN ('a')",
            r"Only \['run_id'\S* .*support comparison with a list|Only .*'run_id'.* attributes support",
        ),
        ("status > 'a'", "Invalid comparator '>' not one of"),
        ("metrics.m = 'x'", "Expected numeric value type for metric. Found 'x'"),
        ("start_time LIKE 'x'", "Expected numeric value type for numeric attribute: start_time"),
        ("datasets.size = 'x'", "Invalid datasets key 'size' specified"),
    ],
)
def test_a_filter_is_refused_as_mlflow_refuses_it(
    mlflow_client: MlflowClient, experiment: str, asked: str, message: str
) -> None:
    with pytest.raises(MlflowException, match=message):
        mlflow_client.search_runs([experiment], asked)


def test_an_order_and_a_page_are_refused_as_mlflow_refuses_them(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    with pytest.raises(MlflowException, match="Invalid order_by clause 'start_time DESC now'"):
        mlflow_client.search_runs([experiment], order_by=["start_time DESC now"])
    with pytest.raises(MlflowException, match="Invalid page token, could not base64-decode"):
        mlflow_client.search_runs([experiment], page_token="evil!")
    with pytest.raises(MlflowException, match="Invalid value 50001 for parameter 'max_results' supplied"):
        mlflow_client.search_runs([experiment], max_results=50_001)


def test_an_input_that_is_said_again_stays_as_it_was_first(run_id: str, mlflow_client: MlflowClient) -> None:
    first = Dataset("name", "digest", "type", "source")
    mlflow_client.log_inputs(run_id, [DatasetInput(first, [InputTag("k", "first")])])
    later = Dataset("name", "digest", "type", "elsewhere", schema="new")
    mlflow_client.log_inputs(run_id, [DatasetInput(later, [InputTag("k", "later")])])
    inputs = mlflow_client.get_run(run_id).inputs
    assert inputs is not None
    (found,) = inputs.dataset_inputs
    assert dict(found.dataset) == dict(first)
    assert [tag.value for tag in found.tags] == ["first"]


def test_tags_of_inputs_have_their_length(run_id: str, mlflow_client: MlflowClient) -> None:
    for tag, what in (
        (InputTag("k" * 256, ""), "'key' exceeds"),
        (InputTag("k", "v" * 501), "'value' exceeds"),
    ):
        with pytest.raises(MlflowException, match=f"{what} the maximum length"):
            mlflow_client.log_inputs(run_id, [DatasetInput(Dataset("n", "d", "t", "s"), [tag])])


def test_a_path_that_leads_elsewhere_is_an_invalid_path_and_no_more(
    address: str, http: httpx.Client, run_id: str
) -> None:
    told = {"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid path"}
    asked = {"run_id": run_id, "path": "../path"}
    for path in (API + "artifacts/list", "/get-artifact"):
        answer = http.get(path, params=asked)
        assert (answer.status_code, answer.json()) == (400, told)
    answer = http.get(
        f"{address}//model-versions/get-artifact", params={"name": "m", "version": "1", "path": "../path"}
    )
    assert (answer.status_code, answer.json()) == (400, told)


def test_a_dot_in_a_path_is_the_folder_itself(
    run_id: str, mlflow_client: MlflowClient, http: httpx.Client
) -> None:
    mlflow_client.log_text(run_id, "text", "a/b.txt")
    for path in ("a", "./a", "a/.", "a//"):
        found = mlflow_client.list_artifacts(run_id, path)
        assert [posixpath.normpath(one.path) for one in found] == ["a/b.txt"]
    refused(
        http.get("/get-artifact", params={"run_id": run_id, "path": "a/c.txt"}),
        "No such artifact",
        status=404,
    )


def test_metrics_of_a_batch_say_their_step_or_none(
    run_id: str, mlflow_client: MlflowClient, http: httpx.Client
) -> None:
    mlflow_client.log_batch(run_id, metrics=[Metric("m", 1.0, 5, 2)])
    said = {"run_id": run_id, "metrics": [{"key": "m", "value": 2, "timestamp": 6}]}
    assert http.post(API + "runs/log-batch", json=said).status_code == 200
    history = mlflow_client.get_metric_history(run_id, "m")
    assert sorted((point.step, point.value) for point in history) == [(0, 2.0), (2, 1.0)]


def test_a_history_of_models_that_a_client_wrote_over_goes_on(
    run_id: str, mlflow_client: MlflowClient, http: httpx.Client
) -> None:
    """Clients before MLflow 3 tell of a model by it; any client may set any tag."""
    model = {"artifact_path": "model", "flavors": {}, "utc_time_created": "2026-01-05", "run_id": run_id}
    said = {"run_id": run_id, "model_json": json.dumps(model)}
    for tag in ("[{", '{"artifact_path": "other"}'):
        mlflow_client.set_tag(run_id, HISTORY, tag)
        for logged in (1, 2):
            assert http.post(API + "runs/log-model", json=said).status_code == 200
            assert len(json.loads(mlflow_client.get_run(run_id).data.tags[HISTORY])) == logged


@pytest.mark.parametrize("place", [[], ["x"], [["a", "b"], "x"], [[0, {}], [0, 1], 5]])
def test_a_page_token_that_somebody_made_up_is_refused(
    http: httpx.Client, experiment: str, mlflow_client: MlflowClient, place: list[Any]
) -> None:
    for _ in range(2):
        mlflow_client.create_run(experiment)
    asked = {"experiment_ids": [experiment], "max_results": 1}
    token = http.post(API + "runs/search", json=asked).json()["next_page_token"]
    said = {**json.loads(base64.urlsafe_b64decode(token)), "after": place}
    made_up = base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    refused(http.post(API + "runs/search", json={**asked, "page_token": made_up}), "Invalid page token")

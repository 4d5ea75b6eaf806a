"""What the charts of MLflow's UI ask for: curves of many runs at once, and the data that runs of experiments read."""

from typing import Any

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric
from mlflow.protos.service_pb2 import GetMetricHistoryBulkInterval, SearchDatasets
from mlflow.utils.proto_json_utils import parse_dict

UI = "/ajax-api/2.0/mlflow"


@pytest.fixture
def two_runs(mlflow_client: MlflowClient, experiment: str) -> list[str]:
    """With a metric `loss`: 30 points, a spike at step 17; 3 points, logged backwards in time."""
    ids: list[str] = [mlflow_client.create_run(experiment).info.run_id for _ in range(2)]
    long = [Metric("loss", 99.0 if step == 17 else 1 / (step + 1), 1_000 + step, step) for step in range(30)]
    short = [
        Metric("loss", value, 2_000 - step, step) for step, value in enumerate((0.5, float("nan"), 0.25))
    ]
    mlflow_client.log_batch(ids[0], metrics=long)
    mlflow_client.log_batch(ids[1], metrics=short)
    return ids


def asked(address: str, path: str, params: list[tuple[str, Any]]) -> Any:
    answer = httpx.get(address + path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(address: str, path: str, params: list[tuple[str, Any]]) -> str:
    answer = httpx.get(address + path, params=params)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    return str(answer.json()["message"])


def test_whole_curves_come_run_by_run_each_by_time(address: str, two_runs: list[str]) -> None:
    wanted = [("run_id", run) for run in two_runs]
    path = f"{UI}/metrics/get-history-bulk"
    found = asked(address, path, [*wanted, ("metric_key", "loss"), ("run_id", "0" * 32)])["metrics"]
    assert [m["run_id"] for m in found] == sorted(m["run_id"] for m in found)
    short = [(m["step"], m["value"]) for m in found if m["run_id"] == two_runs[1]]
    assert short == [(2, 0.25), (1, "NaN"), (0, 0.5)]
    assert sum(m["run_id"] == two_runs[0] for m in found) == 30
    assert len(asked(address, path, [*wanted, ("metric_key", "loss"), ("max_results", 7)])["metrics"]) == 7
    assert asked(address, path, [*wanted, ("metric_key", "other")]) == {"metrics": []}
    assert "at least one run_id" in refused(address, path, [("metric_key", "loss")])
    assert "specify a metric_key" in refused(address, path, wanted)
    assert "more than 100" in refused(address, path, [("run_id", n) for n in range(101)])
    assert "max_results" in refused(address, path, [*wanted, ("metric_key", "loss"), ("max_results", -1)])


def test_a_curve_of_few_points_keeps_its_ends_and_its_spike(address: str, two_runs: list[str]) -> None:
    path = f"{UI}/metrics/get-history-bulk-interval"
    wanted = [*(("run_ids", run) for run in two_runs), ("metric_key", "loss")]
    said = asked(address, path, [*wanted, ("max_results", 8)])
    read = GetMetricHistoryBulkInterval.Response()
    parse_dict(said, read)  # type: ignore[no-untyped-call]
    long = [m for m in read.metrics if m.run_id == two_runs[0]]
    assert (long[0].step, long[-1].step) == (0, 29)
    assert 99.0 in {m.value for m in long}
    assert len(long) <= 8
    assert [m.step for m in read.metrics if m.run_id == two_runs[1]] == [0, 1, 2]
    part = asked(address, path, [*wanted, ("start_step", 10), ("end_step", 12)])["metrics"]
    assert [(m["run_id"], m["step"]) for m in part] == [(two_runs[0], step) for step in (10, 11, 12)]
    last = asked(address, path, [*wanted, ("max_results", 1)])["metrics"]
    assert [(m["run_id"], m["step"]) for m in last] == [(two_runs[0], 29), (two_runs[1], 2)]
    assert asked(address, path, [("run_ids", "0" * 32), ("metric_key", "loss")]) == {}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ([("start_step", 1)], "both must be specified"),
        ([("start_step", 2), ("end_step", 1)], "greater than start_step"),
        ([("max_results", 0)], "between 1 and 2500"),
        ([("max_results", 2501)], "between 1 and 2500"),
        ([("start_step", "x"), ("end_step", 1)], "start_step"),
        ([("run_ids", str(n)) for n in range(100)], "more than 100"),
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(address: str, more: list[tuple[str, Any]], why: str) -> None:
    path = f"{UI}/metrics/get-history-bulk-interval"
    assert why in refused(address, path, [("run_ids", "a"), ("metric_key", "loss"), *more])


def test_the_datasets_of_experiments_are_listed_once(
    address: str, mlflow_client: MlflowClient, experiment: str
) -> None:
    for digest in ("d1", "d2", "d1"):
        run = mlflow_client.create_run(experiment).info.run_id
        dataset = Dataset("orders", digest, "s3", '{"uri": "s3://lake/orders"}')
        tags = [InputTag("mlflow.data.context", "training")] if digest == "d1" else []
        mlflow_client.log_inputs(run, [DatasetInput(dataset, tags)])
    path = f"{address}{UI}/experiments/search-datasets"
    answer = httpx.post(path, json={"experiment_ids": [experiment, "987654"]})
    read = SearchDatasets.Response()
    parse_dict(answer.json(), read)  # type: ignore[no-untyped-call]
    found = [(s.experiment_id, s.name, s.digest, s.context) for s in read.dataset_summaries]
    assert found == [(experiment, "orders", "d1", "training"), (experiment, "orders", "d2", "")]
    for numbers, why in (([], "at least one"), ([str(n) for n in range(21)], "more than 20")):
        told = httpx.post(path, json={"experiment_ids": numbers})
        assert (told.status_code, why in told.json()["message"]) == (400, True)

"""Runs, through MLflow's unmodified client and a real socket."""

import math
import time

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException


def test_a_script_logs_and_finds_all_of_it(mlflow_client: MlflowClient, experiment: str) -> None:
    with mlflow.start_run(run_name="first", tags={"team": "ads"}, description="what it is for") as active:
        mlflow.log_param("lr", 0.01)
        mlflow.log_params({"depth": 3, "loss": "mse"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.9, "f1": 0.8})
        mlflow.set_tags({"a": "1", "b": "2"})
        mlflow.delete_tag("b")
    run = mlflow_client.get_run(active.info.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "first"
    assert run.info.experiment_id == experiment
    assert run.info.end_time >= run.info.start_time
    assert run.info.artifact_uri == f"mlflow-artifacts:/{experiment}/{run.info.run_id}/artifacts"
    assert run.data.params == {"lr": "0.01", "depth": "3", "loss": "mse"}
    assert run.data.metrics == {"loss": 0.2, "auc": 0.9, "f1": 0.8}
    assert run.data.tags["team"] == "ads"
    assert run.data.tags["mlflow.note.content"] == "what it is for"
    assert run.data.tags["mlflow.runName"] == "first"
    assert "b" not in run.data.tags
    history = mlflow_client.get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(s, 1 / (s + 1)) for s in range(5)]


def test_a_run_without_a_name_gets_one_and_may_be_renamed(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    run = mlflow_client.create_run(experiment)
    assert run.info.run_name
    mlflow_client.update_run(run.info.run_id, name="better")
    renamed = mlflow_client.get_run(run.info.run_id)
    assert renamed.info.run_name == renamed.data.tags["mlflow.runName"] == "better"


def test_a_run_may_be_opened_again_after_it_failed(mlflow_client: MlflowClient, experiment: str) -> None:
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as active:
        _ = 1 / 0
    run_id = active.info.run_id
    assert mlflow_client.get_run(run_id).info.status == "FAILED"
    with mlflow.start_run(run_id=run_id):
        assert mlflow_client.get_run(run_id).info.status == "RUNNING"
    assert mlflow_client.get_run(run_id).info.status == "FINISHED"


def test_runs_nest(mlflow_client: MlflowClient, experiment: str) -> None:
    with mlflow.start_run() as above, mlflow.start_run(nested=True) as below:
        pass
    found = mlflow_client.search_runs([experiment], f"tags.mlflow.parentRunId = '{above.info.run_id}'")
    assert [r.info.run_id for r in found] == [below.info.run_id]


def test_a_param_has_one_value_for_ever(mlflow_client: MlflowClient, experiment: str) -> None:
    run = mlflow_client.create_run(experiment)
    mlflow_client.log_param(run.info.run_id, "lr", "0.1")
    mlflow_client.log_param(run.info.run_id, "lr", "0.1")
    with pytest.raises(MlflowException, match=r"value='0\.1'.*'0\.2'") as refused:
        mlflow_client.log_param(run.info.run_id, "lr", "0.2")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_batch_is_all_or_nothing(mlflow_client: MlflowClient, experiment: str) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    now = int(time.time() * 1000)
    metrics = [Metric("m", float(step), now, step) for step in range(1000 - 2)]
    mlflow_client.log_batch(run_id, metrics, [Param("p", "1")], [RunTag("t", "x")])
    with pytest.raises(MlflowException, match="Changing param values"):
        mlflow_client.log_batch(run_id, [Metric("n", 1.0, now, 0)], [Param("p", "2")], [RunTag("t", "y")])
    run = mlflow_client.get_run(run_id)
    assert run.data.metrics == {"m": 997.0}
    assert run.data.params == {"p": "1"}
    assert run.data.tags["t"] == "x"
    assert len(mlflow_client.get_metric_history(run_id, "m")) == 998
    assert mlflow_client.get_metric_history(run_id, "n") == []


def test_the_last_value_is_the_greatest_by_step_and_points_are_there_once(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    for value, at, step in ((5.0, 10, 1), (1.0, 20, 3), (9.0, 5, 2), (1.0, 20, 3), (2.0, 20, 3)):
        mlflow_client.log_metric(run_id, "m", value, timestamp=at, step=step)
    assert mlflow_client.get_run(run_id).data.metrics["m"] == 2.0
    history = mlflow_client.get_metric_history(run_id, "m")
    assert [(p.step, p.timestamp, p.value) for p in history] == [
        (1, 10, 5.0),
        (2, 5, 9.0),
        (3, 20, 1.0),
        (3, 20, 2.0),
    ]


def test_nan_and_the_infinities_come_back(mlflow_client: MlflowClient, experiment: str) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    for key, value in (("nan", math.nan), ("up", math.inf), ("down", -math.inf)):
        mlflow_client.log_metric(run_id, key, value)
    found = mlflow_client.get_run(run_id).data.metrics
    assert math.isnan(found["nan"])
    assert (found["up"], found["down"]) == (math.inf, -math.inf)
    assert math.isnan(mlflow_client.get_metric_history(run_id, "nan")[0].value)


def test_a_deleted_run_refuses_what_is_logged_and_can_be_restored(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    mlflow_client.delete_run(run_id)
    assert mlflow_client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert mlflow_client.search_runs([experiment]) == []
    deleted = mlflow_client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
    assert [r.info.run_id for r in deleted] == [run_id]
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        mlflow_client.log_metric(run_id, "m", 1.0)
    mlflow_client.restore_run(run_id)
    mlflow_client.log_metric(run_id, "m", 1.0)
    assert len(mlflow_client.search_runs([experiment])) == 1


def test_a_run_that_is_not_there_is_told_by_its_id(mlflow_client: MlflowClient) -> None:
    with pytest.raises(MlflowException, match="Run with id=0000 not found") as refused:
        mlflow_client.get_run("0000")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_experiments_are_made_renamed_deleted_restored_and_tagged(mlflow_client: MlflowClient) -> None:
    number = mlflow_client.create_experiment("prices", tags={"team": "ads"})
    by_name = mlflow_client.get_experiment_by_name("prices")
    assert by_name is not None
    assert by_name.experiment_id == number
    mlflow_client.set_experiment_tag(number, "note", "x")
    mlflow_client.rename_experiment(number, "all prices")
    found = mlflow_client.get_experiment(number)
    assert (found.name, found.tags) == ("all prices", {"team": "ads", "note": "x"})
    assert mlflow_client.get_experiment_by_name("prices") is None
    mlflow_client.delete_experiment(number)
    with pytest.raises(MlflowException, match="already exists") as taken:
        mlflow_client.create_experiment("all prices")
    assert taken.value.error_code == "RESOURCE_ALREADY_EXISTS"
    with pytest.raises(MlflowException, match="active"):
        mlflow_client.create_run(number)
    assert number not in {e.experiment_id for e in mlflow_client.search_experiments()}
    mlflow_client.restore_experiment(number)
    assert mlflow_client.get_experiment(number).lifecycle_stage == "active"
    again = mlflow_client.create_experiment("prices")
    assert mlflow_client.create_run(again).info.experiment_id == again


def test_the_default_experiment_is_there(mlflow_client: MlflowClient) -> None:
    assert mlflow_client.get_experiment("0").name == "Default"
    assert mlflow_client.create_run("0").info.experiment_id == "0"

"""The registry's corners as MLflow's clients and their tests know them."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

API = "/api/2.0/mlflow/"
NUMBERS = count()


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as found:
        yield found


@pytest.fixture
def name(mlflow_client: MlflowClient, request: pytest.FixtureRequest) -> str:
    """Of a new model."""
    made = f"{request.node.originalname} {next(NUMBERS)}"
    mlflow_client.create_registered_model(made)
    return made


@pytest.fixture
def run_id(mlflow_client: MlflowClient, experiment: str) -> str:
    return str(mlflow_client.create_run(experiment).info.run_id)


def found(client: MlflowClient, asked: str, **more: Any) -> list[str]:
    return [one.version for one in client.search_model_versions(asked, **more)]


def test_a_run_of_elsewhere_may_be_named_by_runs(mlflow_client: MlflowClient, name: str) -> None:
    version = mlflow_client.create_model_version(name, "runs:/some_run/model", "some_run")
    assert (version.run_id, version.source) == ("some_run", "runs:/some_run/model")
    assert mlflow_client.get_model_version_download_uri(name, "1") == "runs:/some_run/model"
    assert (version.description, version.run_link) == ("", "")
    with pytest.raises(MlflowException, match="run_id request parameter must identify the resource"):
        mlflow_client.create_model_version(name, "runs:/some_run/model", "other_run")


def test_versions_are_found_by_their_last_change(mlflow_client: MlflowClient, name: str) -> None:
    for _ in range(3):
        mlflow_client.create_model_version(name, "runs:/r/model", "r")
    mlflow_client.create_model_version(name, "s3://bucket/model")
    mlflow_client.update_model_version(name, "1", "changed last")
    assert found(mlflow_client, f"name='{name}'")[0] == "1"
    assert found(mlflow_client, f"name='{name}'", order_by=["version_number DESC"]) == ["4", "3", "2", "1"]
    assert found(mlflow_client, f"name='{name}' AND run_id=''") == ["4"]


def test_a_version_is_a_number(mlflow_client: MlflowClient, http: httpx.Client, name: str) -> None:
    with pytest.raises(
        MlflowException, match="Parameter 'version' must be an integer, got 'first'"
    ) as refused:
        mlflow_client.get_model_version(name, "first")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    said = {"name": "nowhere", "version": "1", "key": "k", "value": "v"}
    answer = http.post(API + "model-versions/set-tag", json=said)
    assert (answer.status_code, answer.json()["message"]) == (
        404,
        "Model Version (name=nowhere, version=1) not found",
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/tmp/model", "To use a local path as a model version source, the run_id"),
        ("file:///tmp", "To use a local path as a model version source, the run_id"),
        ("mlflow-artifacts:/0/other/artifacts", "The run_id request parameter must identify the resource"),
        ("mlflow-artifacts://host:9000/models", "The run_id request parameter must identify the resource"),
        ("mlflow-artifacts:/1/%2e%2e/2", "If supplying a source as an http, https,"),
        ("s3://bucket/a/../b", "If supplying a source as an http, https,"),
        ("s3://bucket/a%252f..%252fb", "If supplying a source as an http, https,"),
        ("s3://bucket/a%00", "If supplying a source as an http, https,"),
        ("models:/nowhere/1", r"Model Version \(name=nowhere, version=1\) not found"),
        ("models://registry/m/1", "must use the active model registry"),
    ],
)
def test_a_source_that_is_not_its_own_is_refused(
    mlflow_client: MlflowClient, name: str, run_id: str, source: str, message: str
) -> None:
    with pytest.raises(MlflowException, match=message):
        mlflow_client.create_model_version(name, source, run_id)
    assert found(mlflow_client, f"name='{name}'") == []


def test_files_of_its_own_run_and_model_are_a_source(
    mlflow_client: MlflowClient, experiment: str, name: str, run_id: str
) -> None:
    place = mlflow_client.get_run(run_id).info.artifact_uri
    for source in (place, f"{place}/model", f"{place}//model/", f"{place}/a%20b"):
        assert mlflow_client.create_model_version(name, source, run_id).source == source
    model = mlflow_client.create_logged_model(experiment)
    mlflow_client.create_model_version(name, f"{model.artifact_location}/x", model_id=model.model_id)
    with pytest.raises(MlflowException, match="The model_id request parameter must identify the resource"):
        mlflow_client.create_model_version(name, place, model_id=model.model_id)


def test_a_local_path_within_its_run_is_a_source_whatever_its_dots(
    mlflow_client: MlflowClient, name: str
) -> None:
    number = mlflow_client.create_experiment(name, artifact_location="/shared/files")
    run = mlflow_client.create_run(number)
    for path in ("", "/model", "/.", "/model/.."):
        mlflow_client.create_model_version(name, run.info.artifact_uri + path, run.info.run_id)
    with pytest.raises(MlflowException, match="To use a local path"):
        mlflow_client.create_model_version(name, f"{run.info.artifact_uri}/..", run.info.run_id)


def test_a_copy_of_what_an_alias_names_keeps_the_number_and_the_run(
    mlflow_client: MlflowClient, name: str, run_id: str
) -> None:
    mlflow_client.create_model_version(name, f"runs:/{run_id}/model", run_id)
    mlflow_client.set_registered_model_alias(name, "good", "1")
    copy = mlflow_client.create_model_version(name, f"models:/{name}@good")
    assert (copy.source, copy.run_id) == (f"models:/{name}/1", run_id)
    mlflow_client.set_registered_model_alias(name, "good", "2")
    assert mlflow_client.get_model_version_download_uri(name, "2") == f"runs:/{run_id}/model"


def test_latest_is_the_newest_version_and_no_name_to_give(
    mlflow_client: MlflowClient, http: httpx.Client, name: str
) -> None:
    for _ in range(6):
        mlflow_client.create_model_version(name, "s3://bucket/model")
    mlflow_client.delete_model_version(name, "6")
    assert mlflow_client.get_model_version_by_alias(name, "latest").version == "5"
    refusals = {
        "latest": "'latest' alias name (case insensitive) is reserved",
        "v3": "Version alias name 'v3' is reserved",
        "a b": "Invalid alias name: 'a b'",
        "a" * 256: "exceeds the maximum length of 255 characters",
    }
    for alias, message in refusals.items():
        answer = http.post(
            API + "registered-models/alias", json={"name": name, "alias": alias, "version": "1"}
        )
        assert answer.status_code == 400
        assert message in answer.json()["message"]
    with pytest.raises(MlflowException, match="Registered model alias nobody not found") as refused:
        mlflow_client.get_model_version_by_alias(name, "nobody")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_model_may_be_renamed_to_what_it_is_called(mlflow_client: MlflowClient, name: str) -> None:
    mlflow_client.rename_registered_model(name, name)
    assert mlflow_client.get_registered_model(name).name == name


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_move_need_not_say_who_leaves(mlflow_client: MlflowClient, http: httpx.Client, name: str) -> None:
    mlflow_client.create_model_version(name, "s3://bucket/model")
    said = {"name": name, "version": "1", "stage": "Staging"}
    answer = http.post(API + "model-versions/transition-stage", json=said).json()
    assert answer["model_version"]["current_stage"] == "Staging"
    with pytest.raises(
        MlflowException, match="cannot archive existing model versions because 'Archived' is not"
    ):
        mlflow_client.transition_model_version_stage(name, "1", "Archived", archive_existing_versions=True)


def test_a_logged_model_tells_the_versions_that_it_is_registered_as(
    mlflow_client: MlflowClient, experiment: str, name: str
) -> None:
    model = mlflow_client.create_logged_model(experiment)
    for _ in range(2):
        mlflow_client.create_model_version(name, model.artifact_location, model_id=model.model_id)
    tags = mlflow_client.get_logged_model(model.model_id).tags
    assert (
        tags["mlflow.modelVersions"]
        == f'[{{"name": "{name}", "version": 1}}, {{"name": "{name}", "version": 2}}]'
    )
    mlflow_client.delete_logged_model(model.model_id)
    mlflow_client.delete_logged_model(model.model_id)


def test_logged_models_are_found_by_any_metric_and_ordered_by_one_dataset(
    mlflow_client: MlflowClient, experiment: str, run_id: str
) -> None:
    models = {}
    for at, (model, on, value) in enumerate(
        [("a", "one", 0.9), ("a", "two", 0.1), ("b", "one", 0.5), ("b", "two", 0.95), ("c", None, 0.7)]
    ):
        if model not in models:
            models[model] = mlflow_client.create_logged_model(experiment, name=model).model_id
        digest = f"{on}-digest" if on else None
        mlflow_client.log_metric(
            run_id, "acc", value, at, at, model_id=models[model], dataset_name=on, dataset_digest=digest
        )

    def names(*args: Any, **asked: Any) -> list[str]:
        return [str(one.name) for one in mlflow_client.search_logged_models([experiment], *args, **asked)]

    assert names("metrics.acc > 0.6") == ["c", "b", "a"]
    assert names("metrics.acc > 0.6", datasets=[{"dataset_name": "one"}]) == ["a"]
    assert names(datasets=[{"dataset_name": "two", "dataset_digest": "two-digest"}]) == ["b", "a"]
    assert names(datasets=[{"dataset_name": "three"}]) == []
    by_two = {"field_name": "metrics.acc", "dataset_name": "two", "ascending": False}
    assert names(order_by=[by_two]) == ["b", "a", "c"]
    assert names(order_by=[{"field_name": "metrics.acc"}]) == ["a", "c", "b"]
    assert names(order_by=[{"field_name": "metrics.none"}]) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("called", "message"),
    [
        ("a/b", "Names cannot contain '/' or ':'"),
        ("  ", "Missing value for required parameter 'name'"),
        ("..", "would resolve to '..'"),
    ],
)
def test_a_name_that_no_model_may_have_is_refused(
    mlflow_client: MlflowClient, called: str, message: str
) -> None:
    with pytest.raises(MlflowException, match=message):
        mlflow_client.create_registered_model(called)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_model_changes_with_its_versions_and_not_with_what_is_said_of_them(
    mlflow_client: MlflowClient, name: str
) -> None:
    def changed() -> int:
        return int(mlflow_client.get_registered_model(name).last_updated_timestamp)

    made = mlflow_client.create_model_version(name, "s3://bucket/model")
    assert changed() >= made.creation_timestamp
    moved = mlflow_client.transition_model_version_stage(name, "1", "Staging")
    then = changed()
    assert then >= moved.last_updated_timestamp > 0
    mlflow_client.update_model_version(name, "1", "what it is")
    mlflow_client.set_model_version_tag(name, "1", "k", "v")
    mlflow_client.set_registered_model_tag(name, "k", "v")
    mlflow_client.set_registered_model_alias(name, "good", "1")
    assert changed() == then
    described = mlflow_client.update_registered_model(name, "what it is")
    assert changed() == described.last_updated_timestamp >= then

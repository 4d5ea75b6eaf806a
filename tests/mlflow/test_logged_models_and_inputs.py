"""Logged models and the data that runs read, through MLflow's unmodified client."""

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    RunInputs,
)
from mlflow.exceptions import MlflowException


def orders(digest: str = "d1") -> DatasetInput:
    schema = '{"mlflow_colspec": [{"type": "long", "name": "id", "required": true}]}'
    dataset = Dataset(
        "orders", digest, "s3", '{"uri": "s3://lake/raw/orders.parquet"}', schema=schema, profile="{}"
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def inputs_of(client: MlflowClient, run_id: str) -> RunInputs:
    found: RunInputs | None = client.get_run(run_id).inputs
    assert found is not None
    return found


def outputs_of(client: MlflowClient, run_id: str) -> list[LoggedModelOutput]:
    found = client.get_run(run_id).outputs
    assert found is not None
    return list(found.model_outputs)


def test_a_run_tells_what_it_read(mlflow_client: MlflowClient, experiment: str) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    mlflow_client.log_inputs(run_id, [orders()])
    mlflow_client.log_inputs(run_id, [orders()])
    (read,) = inputs_of(mlflow_client, run_id).dataset_inputs
    assert (read.dataset.name, read.dataset.digest, read.dataset.source_type) == ("orders", "d1", "s3")
    assert read.dataset.source == '{"uri": "s3://lake/raw/orders.parquet"}'
    assert "mlflow_colspec" in (read.dataset.schema or "")
    assert read.dataset.profile == "{}"
    assert [(t.key, t.value) for t in read.tags] == [("mlflow.data.context", "training")]
    for text in (
        "datasets.name = 'orders'",
        "dataset.digest IN ('d1', 'd2')",
        "dataset.context = 'training'",
    ):
        assert len(mlflow_client.search_runs([experiment], text)) == 1
    assert mlflow_client.search_runs([experiment], "dataset.name = 'others'") == []


def test_log_input_of_the_fluent_client_works(mlflow_client: MlflowClient, experiment: str) -> None:
    source = resolve_dataset_source("s3://lake/raw/clicks.csv")
    with mlflow.start_run() as active:
        clicks = MetaDataset(source, name="clicks")  # type: ignore[abstract]
        mlflow.log_input(clicks, context="training")
    (read,) = inputs_of(mlflow_client, active.info.run_id).dataset_inputs
    assert read.dataset.name == "clicks"


def test_a_logged_model_is_made_finished_tagged_and_found(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    made = mlflow_client.create_logged_model(
        experiment,
        name="forest",
        source_run_id=run_id,
        tags={"a": "1"},
        params={"depth": "3"},
        model_type="sklearn",
    )
    assert made.model_id.startswith("m-")
    assert made.status == LoggedModelStatus.PENDING
    assert made.artifact_location == f"mlflow-artifacts:/{experiment}/models/{made.model_id}/artifacts"
    mlflow_client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    mlflow_client.set_logged_model_tags(made.model_id, {"b": "2"})
    mlflow_client.delete_logged_model_tag(made.model_id, "a")
    mlflow_client.log_model_params(made.model_id, {"trees": "10"})
    found = mlflow_client.get_logged_model(made.model_id)
    assert (found.name, found.status, found.model_type) == ("forest", LoggedModelStatus.READY, "sklearn")
    assert found.tags["b"] == "2"
    assert "a" not in found.tags
    assert (found.params, found.source_run_id) == ({"depth": "3", "trees": "10"}, run_id)
    assert [o.model_id for o in outputs_of(mlflow_client, run_id)] == [made.model_id]
    mlflow_client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=4)])
    assert outputs_of(mlflow_client, run_id)[0].step == 4
    mlflow_client.log_inputs(run_id, models=[LoggedModelInput(made.model_id)])
    (used,) = inputs_of(mlflow_client, run_id).model_inputs
    assert used.model_id == made.model_id
    mlflow_client.delete_logged_model(made.model_id)
    with pytest.raises(MlflowException, match="not found"):
        mlflow_client.get_logged_model(made.model_id)


def test_logged_models_are_searched_by_their_metrics_on_a_dataset(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    mlflow_client.log_inputs(run_id, [orders()])
    models = [
        mlflow_client.create_logged_model(experiment, name=f"m{n}", source_run_id=run_id) for n in range(3)
    ]
    for place, model in enumerate(models):
        mlflow_client.log_metric(
            run_id,
            "auc",
            0.5 + place / 10,
            step=1,
            model_id=model.model_id,
            dataset_name="orders",
            dataset_digest="d1",
        )
    found = mlflow_client.search_logged_models(
        [experiment], "metrics.auc > 0.55", order_by=[{"field_name": "metrics.auc", "ascending": False}]
    )
    assert [m.name for m in found] == ["m2", "m1"]
    (metric,) = found[0].metrics or []
    assert (metric.key, metric.value, metric.dataset_name, metric.dataset_digest) == (
        "auc",
        0.7,
        "orders",
        "d1",
    )
    on_others = mlflow_client.search_logged_models(
        [experiment], "metrics.auc > 0.5", datasets=[{"dataset_name": "others"}]
    )
    assert on_others == []
    page = mlflow_client.search_logged_models([experiment], max_results=2)
    rest = mlflow_client.search_logged_models([experiment], max_results=2, page_token=page.token)
    assert [m.name for m in (*page, *rest)] == ["m2", "m1", "m0"]


def test_a_version_of_a_logged_model_knows_its_run_and_its_files(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    model = mlflow_client.create_logged_model(experiment, source_run_id=run_id)
    mlflow_client.create_registered_model("of a logged model")
    source = f"models:/{model.model_id}"
    version = mlflow_client.create_model_version("of a logged model", source, model_id=model.model_id)
    assert version.run_id == run_id
    uri = mlflow_client.get_model_version_download_uri("of a logged model", version.version)
    assert uri == model.artifact_location
    copied = mlflow_client.copy_model_version("models:/of a logged model/1", "a copy of it")
    assert (
        mlflow_client.get_model_version_download_uri("a copy of it", copied.version)
        == model.artifact_location
    )

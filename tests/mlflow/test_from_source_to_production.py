"""From a column of a source to the version in Production: pipelines by OpenLineage, training by MLflow's own client."""

import json
from typing import Any
from uuid import uuid4

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

from tests.mlflow.test_second_delivery import ask, post

SHOP, LAKE = "postgres://shop-db", "s3://lake"
SOURCE = f"{SHOP}/shop.public.orders"
IMPACT = """query ($ref: String!) { impact(input: {ref: $ref, change: COLUMN_DROP}) { items { edges { node {
  severity score entity { __typename name } reasons { code text }
  path { edges { kind weight } text } columns { name } } } } } }"""
AFFECTED = """query ($ref: String!) { affectedModels(ref: $ref, stages: ["Production"]) { edges { node {
  stageName columns { name } modelVersion { version model { name } unmatchedFeatures evaluations {
    metric value datasetVersion { version dataset { name } } run { runId } } } } } } }"""
UPSTREAM = """query ($ref: String!) { lineage(ref: $ref, direction: UPSTREAM, depth: 20, granularity: COLUMN) {
  nodes { id name } edges { source target kind weight evidence } } }"""


def table(
    name: str, columns: list[str], *, namespace: str = LAKE, made_of: dict[str, str] | None = None
) -> Any:
    """A dataset with its schema; `made_of` tells the source column of each column, in one upstream table."""
    facets: dict[str, Any] = {"schema": {"fields": [{"name": column} for column in columns]}}
    if made_of:
        facets["columnLineage"] = {
            "fields": {column: {"inputFields": [_field(source)]} for column, source in made_of.items()}
        }
    return {"namespace": namespace, "name": name, "facets": facets}


def _field(source: str) -> dict[str, Any]:
    namespace, name, column = source.split("#")
    how = {"type": "DIRECT", "subtype": "AGGREGATION"}
    return {"namespace": namespace, "name": name, "field": column, "transformations": [how]}


def ran(address: str, job: str, day: int, inputs: list[Any], outputs: list[Any]) -> str:
    run_id = str(uuid4())
    event = {
        "eventType": "COMPLETE",
        "eventTime": f"2024-01-{day:02}T06:00:00Z",
        "producer": "https://github.com/OpenLineage/OpenLineage/tree/1.30.0/integration/dbt",
        "run": {"runId": run_id},
        "job": {"namespace": "dbt", "name": job},
        "inputs": inputs,
        "outputs": outputs,
    }
    post(address, "/api/v1/lineage", event)
    return run_id


def pipelines(address: str) -> str:
    """The run that last wrote the features."""
    orders = table("shop.public.orders", ["id", "amount", "note"], namespace=SHOP)
    staged = table(
        "staging/orders",
        ["amount", "note"],
        made_of={"amount": f"{SHOP}#shop.public.orders#amount", "note": f"{SHOP}#shop.public.orders#note"},
    )
    features = table(
        "ml/features",
        ["spend", "visits", "churned", "remark"],
        made_of={"spend": f"{LAKE}#staging/orders#amount", "remark": f"{LAKE}#staging/orders#note"},
    )
    ran(address, "stage", 1, [orders], [staged])
    ran(address, "features", 1, [staged], [features])
    return ran(address, "features", 2, [staged], [features])


@pytest.mark.filterwarnings("ignore")
def test_a_source_column_reaches_the_model_in_production_with_its_weight(
    address: str, mlflow_client: MlflowClient, experiment: str
) -> None:
    wrote = pipelines(address)
    chance = np.random.default_rng(1)
    rows = pd.DataFrame({"spend": chance.normal(size=50), "visits": chance.normal(size=50)})
    churned = (rows["spend"] > 0).rename("churned")
    read = from_pandas(rows.assign(churned=churned), source="s3://lake/ml/features", name="features")
    with mlflow.start_run() as active:
        mlflow.log_input(read, context="training")
        model = LogisticRegression().fit(rows, churned)
        mlflow.log_dict({"spend": 3.0, "visits": 1.0}, "feature_importance_gain.json")
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            serialization_format="cloudpickle",
            signature=infer_signature(rows, churned),
            registered_model_name="churn",
        )
        mlflow.log_metric("auc", 0.875, dataset=read, model_id=logged.model_id)
    mlflow_client.transition_model_version_stage("churn", "1", "Production")

    amount = ask(address, IMPACT, ref=f"{SOURCE}#amount")["impact"]["items"]["edges"]
    (hit,) = (one["node"] for one in amount if one["node"]["entity"]["__typename"] == "ModelVersion")
    assert hit["severity"] == "CRITICAL"
    assert [edge["weight"] for edge in hit["path"]["edges"]] == [None, None, 0.75]
    assert hit["path"]["edges"][-1]["kind"] == "TRAINS"
    assert [column["name"] for column in hit["columns"]] == ["spend"]
    (reason,) = (one["text"] for one in hit["reasons"] if one["code"] == "IMPORTANCE")
    assert "75.0% of the model's importance (GAIN, feature_importance_gain.json)" in reason
    note = ask(address, IMPACT, ref=f"{SOURCE}#note")["impact"]["items"]["edges"]
    assert "ModelVersion" not in {one["node"]["entity"]["__typename"] for one in note}

    (affected,) = ask(address, AFFECTED, ref=f"{SOURCE}#amount")["affectedModels"]["edges"]
    version = affected["node"]["modelVersion"]
    assert (affected["node"]["stageName"], version["version"], version["model"]["name"]) == (
        "Production",
        "1",
        "churn",
    )
    assert version["unmatchedFeatures"] == []
    (scored,) = version["evaluations"]
    assert (scored["metric"], scored["value"], scored["run"]["runId"]) == ("auc", 0.875, active.info.run_id)
    assert scored["datasetVersion"] == {"version": wrote, "dataset": {"name": "ml/features"}}

    above = ask(address, UPSTREAM, ref="models:/churn/Production")["lineage"]
    names = {node["id"]: node["name"] for node in above["nodes"]}
    assert {"amount", "shop.public.orders"} <= set(names.values())
    trained = {names[e["source"]]: e["weight"] for e in above["edges"] if e["kind"] == "TRAINS"}
    assert trained == {"spend": 0.75, "visits": 0.25, "churned": None}


@pytest.mark.filterwarnings("ignore")
def test_a_model_of_a_client_before_3_reaches_it_too(
    address: str, mlflow_client: MlflowClient, experiment: str
) -> None:
    """As MLflow 2.22 says it: files among the run's, their description in `log-model`, a source by where they lie."""
    pipelines(address)
    run = mlflow_client.create_run(experiment)
    described = {
        "artifact_path": "model",
        "run_id": run.info.run_id,
        "utc_time_created": "2024-02-01 10:00:00.000000",
        "mlflow_version": "2.22.1",
        "flavors": {"sklearn": {}, "python_function": {}},
        "signature": {"inputs": json.dumps([{"type": "double", "name": "spend"}]), "outputs": None},
    }
    dataset = {
        "name": "features",
        "digest": "d",
        "source_type": "s3",
        "source": '{"uri": "s3://lake/ml/features"}',
    }
    logged = {"run_id": run.info.run_id, "datasets": [{"dataset": dataset}]}
    post(address, "/api/2.0/mlflow/runs/log-inputs", logged)
    said = {"run_id": run.info.run_id, "model_json": json.dumps(described)}
    post(address, "/api/2.0/mlflow/runs/log-model", said)
    mlflow_client.create_registered_model("old churn")
    source = f"{run.info.artifact_uri}/model"
    mlflow_client.create_model_version("old churn", source, run_id=run.info.run_id)
    mlflow_client.transition_model_version_stage("old churn", "1", "Production")
    found = ask(address, AFFECTED, ref=f"{SOURCE}#amount")["affectedModels"]["edges"]
    assert "old churn" in {one["node"]["modelVersion"]["model"]["name"] for one in found}
    found = ask(address, AFFECTED, ref=f"{SOURCE}#note")["affectedModels"]["edges"]
    assert found == []

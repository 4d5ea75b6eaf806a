"""scikit-learn's autolog, from a script to the registry and back, with nothing but the client's own settings."""

from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient


@pytest.mark.filterwarnings("ignore")
def test_autolog_logs_params_metrics_data_and_a_model_that_comes_back(
    mlflow_client: MlflowClient, experiment: str, tmp_path: Path
) -> None:
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    mlflow.sklearn.autolog(registered_model_name="iris")
    try:
        table = load_iris()
        with mlflow.start_run() as active:
            LogisticRegression(max_iter=200).fit(table.data, table.target)
    finally:
        mlflow.sklearn.autolog(disable=True)
    run = mlflow_client.get_run(active.info.run_id)
    assert run.data.params["max_iter"] == "200"
    assert run.data.metrics["training_accuracy_score"] > 0.9
    assert run.outputs is not None
    assert len(run.outputs.model_outputs) == 1
    (version,) = mlflow_client.search_model_versions("name = 'iris'")
    assert version.run_id == run.info.run_id
    loaded = mlflow.sklearn.load_model("models:/iris/1", dst_path=str(tmp_path))
    assert list(loaded.predict(table.data[:1])) == [0]

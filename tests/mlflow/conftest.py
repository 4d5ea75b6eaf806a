"""One server and one client for the tests of a file."""

from collections.abc import Iterator

import mlflow
import pytest
from mlflow import MlflowClient

from tests.mlflow.served import client, embedded, serving


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(embedded(tmp_path_factory.mktemp("headwater"))) as found:
        yield found


@pytest.fixture
def mlflow_client(address: str) -> Iterator[MlflowClient]:
    """MLflow's fluent functions speak to the same server."""
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    yield client(address)
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def experiment(mlflow_client: MlflowClient, request: pytest.FixtureRequest) -> str:
    """A new one, the active one of the fluent functions."""
    name = request.node.name
    number: str = mlflow_client.create_experiment(name)
    mlflow.set_experiment(name)
    return number

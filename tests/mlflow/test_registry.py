"""The model registry, through MLflow's unmodified client: the same that GraphQL changes."""

import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # stages, which the client calls deprecated


@pytest.fixture
def name(mlflow_client: MlflowClient, request: pytest.FixtureRequest) -> str:
    found: str = request.node.name
    mlflow_client.create_registered_model(found, tags={"team": "ads"}, description="what it does")
    return found


def versions(client: MlflowClient, name: str, count: int) -> list[ModelVersion]:
    return [client.create_model_version(name, f"s3://bucket/{place}") for place in range(count)]


def test_a_model_is_registered_described_tagged_and_found(mlflow_client: MlflowClient, name: str) -> None:
    mlflow_client.update_registered_model(name, description="better")
    mlflow_client.set_registered_model_tag(name, "a", "1")
    mlflow_client.delete_registered_model_tag(name, "team")
    found = mlflow_client.get_registered_model(name)
    assert (found.description, found.tags, found.latest_versions) == ("better", {"a": "1"}, [])
    assert found.last_updated_timestamp >= found.creation_timestamp
    with pytest.raises(MlflowException, match="already exists") as taken:
        mlflow_client.create_registered_model(name)
    assert taken.value.error_code == "RESOURCE_ALREADY_EXISTS"
    assert [m.name for m in mlflow_client.search_registered_models(f"name = '{name}'")] == [name]
    assert mlflow_client.search_registered_models(f"name = '{name}' AND tags.a = '2'") == []


def test_versions_are_numbered_described_tagged_and_found(
    mlflow_client: MlflowClient, name: str, experiment: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    first = mlflow_client.create_model_version(
        name,
        "s3://bucket/model",
        run_id,
        tags={"k": "v"},
        run_link="http://elsewhere/run",
        description="first",
    )
    assert (first.version, first.status, first.current_stage) == ("1", "READY", "None")
    mlflow_client.update_model_version(name, "1", description="the first")
    mlflow_client.set_model_version_tag(name, "1", "a", "1")
    mlflow_client.delete_model_version_tag(name, "1", "k")
    found = mlflow_client.get_model_version(name, "1")
    assert (found.description, found.tags, found.run_id) == ("the first", {"a": "1"}, run_id)
    assert (found.source, found.run_link) == ("s3://bucket/model", "http://elsewhere/run")
    assert mlflow_client.get_model_version_download_uri(name, "1") == "s3://bucket/model"
    versions(mlflow_client, name, 2)
    listed = mlflow_client.search_model_versions(f"name = '{name}'")
    assert [v.version for v in listed] == ["3", "2", "1"]
    assert [v.version for v in mlflow_client.search_model_versions(f"run_id = '{run_id}'")] == ["1"]
    page = mlflow_client.search_model_versions(
        f"name = '{name}'", max_results=2, order_by=["version_number ASC"]
    )
    assert [v.version for v in page] == ["1", "2"]


def test_any_stage_may_be_entered_and_its_history_is_kept(mlflow_client: MlflowClient, name: str) -> None:
    versions(mlflow_client, name, 3)
    mlflow_client.transition_model_version_stage(name, "1", "Production")
    mlflow_client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    mlflow_client.transition_model_version_stage(name, "3", "Shadow")
    assert mlflow_client.get_model_version(name, "1").current_stage == "Archived"
    latest = {v.current_stage: v.version for v in mlflow_client.get_latest_versions(name)}
    assert latest == {"Archived": "1", "Production": "2", "Shadow": "3"}
    assert [v.version for v in mlflow_client.get_latest_versions(name, ["shadow"])] == ["3"]


def test_without_archiving_two_versions_share_a_stage(mlflow_client: MlflowClient, name: str) -> None:
    versions(mlflow_client, name, 2)
    for version in ("1", "2"):
        mlflow_client.transition_model_version_stage(
            name, version, "Staging", archive_existing_versions=False
        )
    assert {v.current_stage for v in mlflow_client.search_model_versions(f"name = '{name}'")} == {"Staging"}
    mlflow_client.transition_model_version_stage(name, "2", "None")
    assert [v.version for v in mlflow_client.get_latest_versions(name, ["Staging"])] == ["1"]


def test_an_alias_points_at_one_version_and_can_be_taken_away(mlflow_client: MlflowClient, name: str) -> None:
    versions(mlflow_client, name, 2)
    mlflow_client.set_registered_model_alias(name, "champion", "1")
    mlflow_client.set_registered_model_alias(name, "champion", "2")
    assert mlflow_client.get_model_version_by_alias(name, "champion").version == "2"
    assert mlflow_client.get_registered_model(name).aliases == {"champion": "2"}
    assert mlflow_client.get_model_version(name, "2").aliases == ["champion"]
    mlflow_client.delete_registered_model_alias(name, "champion")
    mlflow_client.delete_registered_model_alias(name, "champion")
    with pytest.raises(MlflowException, match="alias champion not found"):
        mlflow_client.get_model_version_by_alias(name, "champion")


def test_a_deleted_version_is_gone_with_its_stage_and_its_number_stays_taken(
    mlflow_client: MlflowClient, name: str
) -> None:
    versions(mlflow_client, name, 2)
    mlflow_client.transition_model_version_stage(name, "2", "Production")
    mlflow_client.set_registered_model_alias(name, "champion", "2")
    mlflow_client.delete_model_version(name, "2")
    with pytest.raises(MlflowException, match="version=2"):
        mlflow_client.get_model_version(name, "2")
    found = mlflow_client.get_registered_model(name)
    assert found.aliases == {}
    assert [v.version for v in found.latest_versions] == ["1"]
    assert mlflow_client.create_model_version(name, "s3://bucket/x").version == "3"


def test_a_deleted_model_is_gone_and_may_be_registered_anew(mlflow_client: MlflowClient, name: str) -> None:
    versions(mlflow_client, name, 1)
    mlflow_client.delete_registered_model(name)
    with pytest.raises(MlflowException, match="not found") as gone:
        mlflow_client.get_registered_model(name)
    assert gone.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert mlflow_client.search_model_versions(f"name = '{name}'") == []
    mlflow_client.create_registered_model(name)
    again = mlflow_client.get_registered_model(name)
    assert (again.tags, again.description or "", again.latest_versions) == ({}, "", [])


def test_a_renamed_model_takes_all_of_its_along(
    mlflow_client: MlflowClient, name: str, experiment: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    mlflow_client.create_model_version(name, "s3://bucket/model", run_id)
    mlflow_client.transition_model_version_stage(name, "1", "Production")
    mlflow_client.set_registered_model_alias(name, "champion", "1")
    mlflow_client.rename_registered_model(name, f"{name}-2")
    found = mlflow_client.get_registered_model(f"{name}-2")
    assert (found.tags, found.aliases) == ({"team": "ads"}, {"champion": "1"})
    assert [(v.version, v.current_stage, v.run_id) for v in found.latest_versions] == [
        ("1", "Production", run_id)
    ]
    with pytest.raises(MlflowException, match="not found"):
        mlflow_client.get_registered_model(name)
    with pytest.raises(MlflowException, match="already exists"):
        mlflow_client.rename_registered_model(f"{name}-2", name)


@pytest.mark.parametrize(
    "source",
    ["/etc/passwd", "file:///etc", "s3://bucket/../x", "mlflow-artifacts:/0/%2e%2e/x", "runs:/abc/model"],
)
def test_a_source_that_leads_elsewhere_is_refused(
    mlflow_client: MlflowClient, experiment: str, source: str
) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    name = f"sources of {run_id}"
    mlflow_client.create_registered_model(name)
    with pytest.raises(MlflowException, match="Invalid model version source"):
        mlflow_client.create_model_version(name, source, run_id)


def test_a_run_that_is_tracked_elsewhere_is_kept_by_its_id(mlflow_client: MlflowClient, name: str) -> None:
    """MLFLOW_REGISTRY_URI alone leads here: the runs are on another server."""
    version = mlflow_client.create_model_version(name, "s3://bucket/model", "f" * 32)
    assert version.run_id == "f" * 32
    with pytest.raises(MlflowException, match="run_id request parameter must identify the resource"):
        mlflow_client.create_model_version(name, f"mlflow-artifacts:/1/{'e' * 32}/artifacts/m", "e" * 32)


def test_prompts_are_models_that_model_searches_leave_out(mlflow_client: MlflowClient) -> None:
    mlflow_client.register_prompt("greeting", "Hello {{name}}")
    mlflow_client.register_prompt("greeting", "Dear {{name}}")
    assert mlflow_client.get_prompt_version("greeting", 2).template == "Dear {{name}}"
    assert "greeting" not in {m.name for m in mlflow_client.search_registered_models()}
    assert "greeting" in {p.name for p in mlflow_client.search_prompts()}
    with pytest.raises(MlflowException, match="greeting"):
        mlflow_client.get_registered_model("greeting")

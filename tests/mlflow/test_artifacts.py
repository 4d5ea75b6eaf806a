"""Files of runs and models through MLflow's unmodified client, and the routes below it."""

import hashlib
import http.client
import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import mlflow
import mlflow.sklearn
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature, infer_signature
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.types import ColSpec, Schema
from sklearn.linear_model import LinearRegression

from headwater_server.settings import Settings
from tests.artifacts.objects import s3
from tests.mlflow.served import serving

pytestmark = [
    pytest.mark.filterwarnings(f"default::{kind}")
    for kind in ("UserWarning", "FutureWarning", "DeprecationWarning")
]
"""Those that the client and scikit-learn give of each other are theirs."""
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
ROWS = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]])


@pytest.fixture
def http_client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as found:
        yield found


def trained() -> LinearRegression:
    return LinearRegression().fit(ROWS, ROWS.sum(axis=1))


def log_model(**more: Any) -> Any:
    model = trained()
    return mlflow.sklearn.log_model(
        model,
        name="model",
        serialization_format="cloudpickle",  # what the client can write without more packages
        pip_requirements=["scikit-learn", "numpy"],  # or it loads the model to see what it imports
        **{"signature": infer_signature(ROWS, model.predict(ROWS)), **more},
    )


@pytest.mark.parametrize("prefix", ["/api/2.0", "/ajax-api/2.0"])
def test_a_file_goes_in_and_comes_out_whole_and_in_part(http_client: httpx.Client, prefix: str) -> None:
    url = f"{prefix}/mlflow-artifacts/artifacts/files{len(prefix)}/a%20b/data.bin"
    content = bytes(range(256)) * 10_000
    assert http_client.put(url, content=content).json() == {}
    answer = http_client.get(url)
    assert answer.content == content
    assert answer.headers["content-disposition"] == "attachment; filename=data.bin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert http_client.head(url).headers["content-length"] == str(len(content))
    for asked, wanted in (
        ("bytes=0-99", content[:100]),
        ("bytes=2000000-", content[2_000_000:]),
        ("bytes=-7", content[-7:]),
        ("bytes=2559990-9999999", content[2_559_990:]),
    ):
        part = http_client.get(url, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, wanted)
        assert part.headers["content-range"].endswith(f"/{len(content)}")
    assert http_client.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    for whole in ("bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,5-9"):
        assert http_client.get(url, headers={"Range": whole}).status_code == 200
    changed = {"Range": "bytes=0-9", "If-Range": '"of what was there before"'}
    assert http_client.get(url, headers=changed).content == content


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MLmodel", "text/plain"),
        ("conda.yaml", "text/plain"),
        ("requirements.txt", "text/plain"),
        ("figure.png", "image/png"),
        ("page.html", "text/html"),
        ("model.pkl", "application/octet-stream"),
        ("table.csv.gz", "application/octet-stream"),
    ],
)
def test_what_a_browser_is_told_of_a_file(http_client: httpx.Client, name: str, kind: str) -> None:
    http_client.put(f"{ARTIFACTS}/kinds/{name}", content=b"x")
    answer = http_client.get(f"{ARTIFACTS}/kinds/{name}")
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["content-disposition"].startswith("attachment; ")


def test_a_name_cannot_break_out_of_its_header(http_client: httpx.Client) -> None:
    http_client.put(f"{ARTIFACTS}/names/a%22%3B%20x%3D%C3%A9.txt", content=b"x")
    answer = http_client.get(f"{ARTIFACTS}/names/a%22%3B%20x%3D%C3%A9.txt")
    said = "attachment; filename*=UTF-8''a%22%3B%20x%3D%C3%A9.txt"
    assert answer.headers["content-disposition"] == said


def test_what_is_not_there_is_told_as_mlflow_tells_it(http_client: httpx.Client) -> None:
    answer = http_client.get(f"{ARTIFACTS}/nothing/here")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert http_client.delete(f"{ARTIFACTS}/nothing/here").json() == {}
    assert http_client.get(ARTIFACTS, params={"path": "nothing/here"}).json() == {}
    parts = http_client.post("/api/2.0/mlflow-artifacts/mpu/create/1/x", json={})
    assert parts.json()["message"].startswith(
        "Multipart upload is not supported for the current artifact rep"
    )
    other = http_client.get("/api/2.0/mlflow-artifacts/presigned/1/x")
    assert (other.status_code, other.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


def test_an_encoded_file_is_refused(http_client: httpx.Client) -> None:
    answer = http_client.put(f"{ARTIFACTS}/x", content=b"x", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


def test_a_file_above_the_limit_leaves_nothing(tmp_path: Path) -> None:
    with serving(Settings(data=tmp_path / "data", max_artifact=1_000_000)) as address:
        with httpx.Client(base_url=address) as client:
            told = client.put(f"{ARTIFACTS}/big", content=b"x" * 1_000_001)
            assert (told.status_code, told.json()["error_code"]) == (413, "BAD_REQUEST")
            assert "HEADWATER_MAX_ARTIFACT" in told.json()["message"]
            untold = client.put(f"{ARTIFACTS}/big", content=iter([b"x" * 600_000] * 2))
            assert untold.status_code == 413
            assert client.put(f"{ARTIFACTS}/most", content=b"x" * 1_000_000).status_code == 200
            assert client.get(f"{ARTIFACTS}/big").status_code == 404
        blobs = [p for p in (tmp_path / "data" / "artifacts").rglob("*") if p.is_file()]
        assert [p.stat().st_size for p in blobs] == [1_000_000]


def test_a_file_that_breaks_off_is_not_there(address: str, http_client: httpx.Client) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
    connection.putrequest("PUT", f"{ARTIFACTS}/broken/off")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"x" * 500_000)
    connection.close()
    assert http_client.get(f"{ARTIFACTS}/broken/off").status_code == 404


def test_what_is_packed_is_never_unpacked(http_client: httpx.Client) -> None:
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../../evil"))
    http_client.put(f"{ARTIFACTS}/packed/model.tar", content=packed.getvalue())
    files = http_client.get(ARTIFACTS, params={"path": "packed"}).json()["files"]
    assert files == [{"path": "model.tar", "is_dir": False, "file_size": len(packed.getvalue())}]


def test_files_of_a_run_go_in_are_listed_come_out_and_go(
    mlflow_client: MlflowClient, experiment: str, tmp_path: Path
) -> None:
    folder = tmp_path / "plots"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "deep" / "b.txt").write_text("two")
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder), "plots")
        mlflow.log_text("note", "notes/note.txt")
        mlflow.log_dict({"a": 1}, "config.json")
    run_id = run.info.run_id
    assert [f.path for f in mlflow_client.list_artifacts(run_id)] == ["config.json", "notes", "plots"]
    inside = mlflow_client.list_artifacts(run_id, "plots")
    assert [(f.path, f.is_dir, f.file_size) for f in inside] == [
        ("plots/a.txt", False, 3),
        ("plots/deep", True, None),
    ]
    assert mlflow_client.list_artifacts(run_id, "plots/a.txt") == []
    got = Path(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/plots", dst_path=str(tmp_path / "got")))
    assert (got / "deep" / "b.txt").read_text() == "two"
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/config.json") == {"a": 1}
    get_artifact_repository(run.info.artifact_uri).delete_artifacts("plots")  # type: ignore[no-untyped-call]
    assert [f.path for f in mlflow_client.list_artifacts(run_id)] == ["config.json", "notes"]


def test_files_are_found_by_run_by_version_and_by_logged_model(
    mlflow_client: MlflowClient, experiment: str, http_client: httpx.Client
) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a.txt")
        logged = log_model(registered_model_name="found by version")
    run_id, model_id = run.info.run_id, logged.model_id
    version = {"name": "found by version", "version": "1", "path": "MLmodel"}
    for prefix in ("", "/ajax-api/2.0/mlflow"):
        of_run = http_client.get(f"{prefix}/get-artifact", params={"run_id": run_id, "path": "notes/a.txt"})
        assert of_run.text == "hello"
        of_version = http_client.get(f"{prefix}/model-versions/get-artifact", params=version)
        assert f"model_id: {model_id}" in of_version.text
    files = http_client.get(
        f"/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
        params={"artifact_file_path": "MLmodel"},
    )
    assert f"model_id: {model_id}" in files.text
    listed = http_client.get("/api/2.0/mlflow/artifacts/list", params={"run_id": run_id, "path": "notes"})
    assert listed.json() == {
        "root_uri": f"mlflow-artifacts:/{experiment}/{run_id}/artifacts",
        "files": [{"path": "notes/a.txt", "is_dir": False, "file_size": 5}],
    }
    folder = http_client.get(f"/api/2.0/mlflow/logged-models/{model_id}/artifacts/directories").json()
    assert "MLmodel" in {one["path"] for one in folder["files"]}
    escape = http_client.get("/get-artifact", params={"run_id": run_id, "path": "../../secret"})
    assert escape.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_files_that_lie_elsewhere_are_not_fetched(
    mlflow_client: MlflowClient, http_client: httpx.Client
) -> None:
    mlflow_client.create_registered_model("elsewhere")
    mlflow_client.create_model_version("elsewhere", "http://169.254.169.254/latest/meta-data")
    answer = http_client.get(
        "/model-versions/get-artifact", params={"name": "elsewhere", "version": "1", "path": "x"}
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "not kept by this server" in answer.json()["message"]


def test_a_model_is_logged_registered_and_loaded_by_each_of_its_addresses(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    with mlflow.start_run() as run:
        logged = log_model(registered_model_name="loaded")
    mlflow_client.transition_model_version_stage("loaded", "1", "Production")
    mlflow_client.set_registered_model_alias("loaded", "champion", "1")
    for uri in ("models:/loaded/1", f"runs:/{run.info.run_id}/model"):
        loaded = mlflow.sklearn.load_model(uri)
        assert np.allclose(loaded.predict(ROWS), ROWS.sum(axis=1)), uri
    for uri in (
        logged.model_uri,
        f"models:/{logged.model_id}",
        "models:/loaded/Production",
        "models:/loaded@champion",
        "models:/loaded/latest",
    ):
        assert mlflow.models.Model.load(uri).model_id == logged.model_id, uri
    with pytest.raises(MlflowException, match="not found"):
        mlflow.sklearn.load_model("models:/loaded/2")


def test_autolog_of_scikit_learn_logs_its_model(mlflow_client: MlflowClient, experiment: str) -> None:
    mlflow.sklearn.autolog(log_datasets=False, serialization_format="cloudpickle")
    try:
        with mlflow.start_run() as run:
            trained()
    finally:
        mlflow.sklearn.autolog(disable=True)
    found = mlflow_client.get_run(run.info.run_id)
    assert found.data.params["fit_intercept"] == "True"
    assert "training_score" in found.data.metrics
    assert found.outputs is not None
    (made,) = found.outputs.model_outputs
    assert mlflow.sklearn.load_model(f"models:/{made.model_id}").coef_.shape == (2,)


def test_models_live_in_an_object_store_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3() as (endpoint, bucket):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        with serving(Settings(data=tmp_path, artifacts="s3://bucket/models")) as address:
            mlflow.set_tracking_uri(address)
            mlflow.set_registry_uri(address)
            mlflow.set_experiment("in a bucket")
            with mlflow.start_run():
                logged = log_model()
            assert bucket.objects
            assert np.allclose(mlflow.sklearn.load_model(logged.model_uri).predict(ROWS), ROWS.sum(axis=1))
            with httpx.Client(base_url=address) as client:
                path = f"{ARTIFACTS}/bucket/data.bin"
                client.put(path, content=b"0123456789" * 300_000)
                part = client.get(path, headers={"Range": "bytes=1500000-1500003"})
                assert part.content == b"0123"
                bucket.broken = True
                broken = client.put(path, content=b"other")
                assert (broken.status_code, broken.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
                bucket.broken = False
                assert len(client.get(path).content) == 3_000_000


def test_a_source_column_of_a_dbt_project_reaches_the_model_in_production(
    mlflow_client: MlflowClient, experiment: str, http_client: httpx.Client
) -> None:
    """As dbt's own integration told of the tables, and the unmodified client of the model."""
    told = Path("tests/imports/fixtures/orchard/dbt-ol.ndjson").read_text().splitlines()
    answer = http_client.post("/api/v1/lineage/batch", json=[json.loads(line) for line in told])
    assert answer.status_code == 200
    harvest = Dataset("harvest", "d1", "sql", '{"uri": "duckdb://orchard.duckdb/orchard.main.harvest"}')
    inputs = Schema([ColSpec("double", "grams"), ColSpec("double", "rain_mm")])
    signature = ModelSignature(inputs, Schema([ColSpec("double", "price")]))
    with mlflow.start_run() as run:
        tags = [InputTag("mlflow.data.context", "training")]
        mlflow_client.log_inputs(run.info.run_id, [DatasetInput(harvest, tags)])
        logged = log_model(signature=signature, registered_model_name="harvest price")
    mlflow_client.transition_model_version_stage("harvest price", "1", "Production")
    asked = """query($ref: String!) { affectedModels(ref: $ref, stages: ["Production"]) { edges { node {
        modelVersion { number unmatchedFeatures } columns { name } path { text } } } } }"""
    reached = {}
    for table, column in (
        ("raw_pickings", "kilos"),
        ("raw_weather", "rain_mm"),
        ("raw_pickings", "picked_on"),
    ):
        ref = f"column|duckdb://orchard.duckdb|orchard.main.{table}|{column}"
        said = http_client.post("/graphql", json={"query": asked, "variables": {"ref": ref}}).json()
        reached[column] = said["data"]["affectedModels"]["edges"]
    assert reached["picked_on"] == []
    (one,) = reached["kilos"]
    assert one["node"]["modelVersion"] == {"number": 1, "unmatchedFeatures": []}
    assert one["node"]["columns"] == [{"name": "grams"}]
    assert one["node"]["path"]["text"].startswith("orchard.main.raw_pickings.kilos → ")
    assert [c["name"] for c in reached["rain_mm"][0]["node"]["columns"]] == ["rain_mm"]
    assert mlflow.models.Model.load(logged.model_uri).signature == signature


def test_features_without_a_column_are_told(
    mlflow_client: MlflowClient, experiment: str, http_client: httpx.Client
) -> None:
    source = '{"uri": "s3://lake/people"}'
    people = Dataset(
        "people", "d1", "s3", source, schema='{"mlflow_colspec": [{"type": "long", "name": "id"}]}'
    )
    run_id = mlflow_client.create_run(experiment).info.run_id
    mlflow_client.log_inputs(run_id, [DatasetInput(people)])
    model = mlflow_client.create_logged_model(experiment, source_run_id=run_id)
    signature = json.dumps([{"type": "long", "name": "ID"}, {"type": "long", "name": "age"}])
    path = f"{ARTIFACTS}/{experiment}/models/{model.model_id}/artifacts/MLmodel"
    http_client.put(path, content=json.dumps({"signature": {"inputs": signature}}).encode())
    mlflow_client.create_registered_model("of people")
    mlflow_client.create_model_version("of people", f"models:/{model.model_id}", model_id=model.model_id)
    asked = '{ affectedModels(ref: "dataset|s3://lake|people") { edges { node { modelVersion { unmatchedFeatures } } } } }'
    said = http_client.post("/graphql", json={"query": asked}).json()["data"]["affectedModels"]["edges"]
    assert [one["node"]["modelVersion"]["unmatchedFeatures"] for one in said] == [["age"]]

"""MLflow's reads within a scope: what is not seen is answered as if it were not there."""

from typing import Any

import httpx
import pytest

from tests.auth.served import Served, bearer

API = "/api/2.0/mlflow/"


class Scene:
    """A run of an experiment with a metric, a file, two inputs, a logged model; two models that are registered."""

    def __init__(self, own: Served) -> None:
        self.http = own.http
        self.admin = own.key("admin", "experimenter", "registrar")
        self.experiment = self.post("experiments/create", name="secret plans")["experiment_id"]
        run = self.post("runs/create", experiment_id=self.experiment, run_name="hush")
        self.run = run["run"]["info"]["run_id"]
        self.place = run["run"]["info"]["artifact_uri"]
        self.post("runs/log-metric", run_id=self.run, key="loss", value=0.5, timestamp=1)
        own.http.put(self.path("/note.txt"), content=b"whisper", headers=bearer(self.admin))
        model = self.post("logged-models", experiment_id=self.experiment, name="net", source_run_id=self.run)
        self.model = model["model"]["info"]["model_id"]
        self.post("runs/log-inputs", run_id=self.run, datasets=[_input("open"), _input("closed")])
        said = {"run_id": self.run, "key": "auc", "value": 0.9, "timestamp": 1, "model_id": self.model}
        self.post("runs/log-metric", **said, dataset_name="closed", dataset_digest="d")
        for name in ("churn", "fraud"):
            self.post("registered-models/create", name=name)
            self.post(
                "model-versions/create", name=name, source=f"{self.place}/m", run_id=self.run, model_id=""
            )
        source = f"models:/{self.model}"
        self.post("model-versions/create", name="fraud", source=source, model_id=self.model)

    def path(self, path: str) -> str:
        root = self.place.removeprefix("mlflow-artifacts:/")
        return f"/api/2.0/mlflow-artifacts/artifacts/{root}{path}"

    def post(self, path: str, token: str = "", /, **said: Any) -> Any:
        answer = self.http.post(API + path, json=said, headers=bearer(token or self.admin))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path: str, token: str = "", /, **asked: str) -> httpx.Response:
        path = path if path.startswith("/") else API + path
        return self.http.get(path, params=asked, headers=bearer(token or self.admin))


def _input(name: str) -> dict[str, Any]:
    source = f'{{"uri": "s3://{name}/table"}}'
    return {"dataset": {"name": name, "digest": "d", "source_type": "s3", "source": source}}


@pytest.fixture
def scene(own: Served) -> Scene:
    return Scene(own)


def test_who_does_not_see_what_is_tracked_finds_none_of_it(own: Served, scene: Scene) -> None:
    key = own.key("reader?namespace=open*&model=churn")
    singles: list[tuple[str, dict[str, str]]] = [
        ("runs/get", {"run_id": scene.run}),
        ("metrics/get-history", {"run_id": scene.run, "metric_key": "loss"}),
        ("artifacts/list", {"run_id": scene.run}),
        ("/get-artifact", {"run_id": scene.run, "path": "note.txt"}),
        (scene.path("/note.txt"), {}),
        ("experiments/get", {"experiment_id": scene.experiment}),
        ("experiments/get-by-name", {"experiment_name": "secret plans"}),
        (f"logged-models/{scene.model}", {}),
        (f"logged-models/{scene.model}/artifacts/directories", {}),
    ]
    for path, asked in singles:
        assert scene.get(path, **asked).status_code == 200, path
        hidden = scene.get(path, key, **asked)
        assert hidden.status_code == 404, path
        assert hidden.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
        for name, value in asked.items():
            if name.endswith(("_id", "_name")):  # word for word what is said of another that never was
                other = scene.get(path, key, **{**asked, name: "987654"}).json()
                assert other["message"].replace("987654", value) == hidden.json()["message"]
    lists: list[tuple[str, dict[str, Any]]] = [
        ("runs/search", {"experiment_ids": [scene.experiment]}),
        ("experiments/search", {"max_results": 10}),
        ("logged-models/search", {"experiment_ids": [scene.experiment]}),
        ("experiments/search-datasets", {"experiment_ids": [scene.experiment]}),
    ]
    for path, said in lists:
        assert scene.post(path, **said), path
        assert scene.post(path, key, **said) == {}, path
    folder = scene.path("").partition("/artifacts/")
    listed: dict[str, str] = {"path": folder[2]}
    assert scene.get(folder[0] + "/artifacts", **listed).json()["files"]
    assert scene.get(folder[0] + "/artifacts", key, **listed).json() == {}
    curves = scene.get("metrics/get-history-bulk", key, run_id=scene.run, metric_key="loss")
    assert curves.json().get("metrics", []) == []


def test_models_are_seen_by_their_names(own: Served, scene: Scene) -> None:
    key = own.key("reader?model=churn")
    assert [m["name"] for m in scene.get("registered-models/search", key).json()["registered_models"]] == [
        "churn"
    ]
    assert [v["name"] for v in scene.get("model-versions/search", key).json()["model_versions"]] == ["churn"]
    assert scene.get("model-versions/search", key, filter="name='fraud'").json() == {}
    for path, asked in (
        ("registered-models/get", {}),
        ("registered-models/get-latest-versions", {}),
        ("registered-models/alias", {"alias": "latest"}),
        ("model-versions/get", {"version": "1"}),
        ("model-versions/get-download-uri", {"version": "1"}),
        ("/model-versions/get-artifact", {"version": "1", "path": "x"}),
    ):
        hidden, never = (scene.get(path, key, name=name, **asked) for name in ("fraud", "never"))
        assert (hidden.status_code, never.status_code) == (404, 404), path
        assert hidden.json()["message"].replace("fraud", "never") == never.json()["message"]
    assert scene.get("model-versions/get", key, name="churn", version="1").status_code == 200


def test_files_of_a_version_that_is_seen_are_read_by_its_name(own: Served, scene: Scene) -> None:
    scene.http.put(scene.path("/m/weights"), content=b"123", headers=bearer(scene.admin))
    key = own.key("reader?model=churn")
    asked = {"name": "churn", "version": "1", "path": "weights"}
    assert scene.get("/model-versions/get-artifact", key, **asked).content == b"123"
    assert scene.get(scene.path("/m/weights"), key).status_code == 404


def test_data_and_models_that_are_not_seen_are_left_out_of_runs(own: Served, scene: Scene) -> None:
    key = own.key("reader?namespace=mlflow&namespace=s3://open&model=churn")
    run = scene.get("runs/get", key, run_id=scene.run)
    (found,) = scene.post("runs/search", key, experiment_ids=[scene.experiment])["runs"]
    for one in (run.json()["run"], found):
        assert [said["dataset"]["name"] for said in one["inputs"]["dataset_inputs"]] == ["open"]
    asked: dict[str, Any] = {"experiment_ids": [scene.experiment], "filter": "datasets.name = 'closed'"}
    assert scene.post("runs/search", **asked)["runs"]
    assert scene.post("runs/search", key, **asked) == {}
    names = [
        one["name"]
        for one in scene.post("experiments/search-datasets", key, experiment_ids=[scene.experiment])[
            "dataset_summaries"
        ]
    ]
    assert names == ["open"]
    model = scene.get(f"logged-models/{scene.model}", key)
    assert scene.get(f"logged-models/{scene.model}").json()["model"]["info"]["registrations"]
    assert "fraud" not in model.text
    assert "closed" not in model.text
    whole = scene.post("runs/search", experiment_ids=[scene.experiment])["runs"][0]
    assert len(whole["inputs"]["dataset_inputs"]) == 2


def test_nobody_registers_what_they_do_not_see(own: Served, scene: Scene) -> None:
    key = own.key("registrar?model=churn")
    sources = [
        {"source": f"{scene.place}/m", "run_id": scene.run},
        {"source": f"runs:/{scene.run}/m"},
        {"source": f"models:/{scene.model}", "model_id": scene.model},
        {"source": "models:/fraud/1"},
        {"source": "models:/fraud@latest"},
    ]
    for said in sources:
        answer = scene.http.post(
            API + "model-versions/create", json={"name": "churn", **said}, headers=bearer(key)
        )
        assert answer.status_code == 404, said
    answer = scene.http.post(
        API + "model-versions/create",
        json={"name": "churn", "source": f"{scene.place}/m"},
        headers=bearer(key),
    )
    assert answer.status_code == 400
    scene.post("model-versions/create", key, name="churn", source="s3://bucket/model")

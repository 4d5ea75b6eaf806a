"""Another tracking server is copied whole, again and again, broken off anywhere; what is newer here stays."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelStatus, Metric, Param

from headwater_server.app import open_local
from headwater_server.errors import NotFound
from headwater_server.graph import keys
from headwater_server.imports.mlflow.copying import copy
from headwater_server.imports.mlflow.http import MlflowServer
from headwater_server.imports.mlflow.port import Json, Target, Unreachable, pages
from headwater_server.imports.mlflow.report import Report
from headwater_server.parts import Parts
from headwater_server.settings import Settings
from tests.imports.conftest import Run
from tests.mlflow.served import client, embedded, serving

pytestmark = pytest.mark.filterwarnings("ignore:.*transition_model_version_stage:FutureWarning")

BEGAN = 1_700_000_000_000


@pytest.fixture
def source(tmp_path: Path) -> Iterator[str]:
    with serving(embedded(tmp_path / "there")) as address:
        fill(client(address))
        yield address


def fill(there: MlflowClient) -> None:
    """A bit of everything that the client can make."""
    churn = there.create_experiment("churn", tags={"team": "retention"})
    gone = there.create_experiment("gone")
    ids = []
    for number in range(3):
        run = there.create_run(churn, start_time=BEGAN + number, run_name=f"run {number}").info.run_id
        ids.append(run)
        there.log_batch(
            run,
            [Metric("loss", 1 / (step + 1), BEGAN + step, step) for step in range(700)],
            [Param("lr", "0.1"), Param("depth", str(number))],
        )
        there.log_metric(run, "odd", float("nan"), BEGAN, 0)
        there.log_text(run, f"notes of {number}", "notes/a b.txt")
    child = there.create_run(gone, start_time=BEGAN, tags={"mlflow.parentRunId": ids[0]}).info.run_id
    there.log_metric(child, "m", 1.0)
    features = DatasetInput(
        Dataset("features", "d1", "s3", '{"uri": "s3://shop/features.csv"}'),
        [InputTag("mlflow.data.context", "training")],
    )
    there.log_inputs(ids[0], [features])
    model = there.create_logged_model(churn, name="forest", source_run_id=ids[0], params={"trees": "9"})
    there.log_metric(ids[0], "auc", 0.9, BEGAN, 5, model_id=model.model_id)
    there.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    there.create_registered_model("churn", tags={"owner": "ada"}, description="who leaves")
    there.create_model_version("churn", f"models:/{model.model_id}", ids[0], model_id=model.model_id)
    there.create_model_version("churn", f"runs:/{ids[1]}/notes", ids[1])
    home = there.get_run(ids[2]).info.artifact_uri
    there.create_model_version("churn", f"{home}/notes", ids[2], tags={"a": "b"})
    there.delete_model_version("churn", "2")
    there.transition_model_version_stage("churn", "1", "Production")
    there.set_registered_model_alias("churn", "champion", "3")
    for run in (ids[0], ids[1], child):
        there.set_terminated(run, "FINISHED", end_time=BEGAN + 90_000)
    there.delete_run(ids[1])
    there.delete_run(child)
    there.delete_experiment(gone)


@contextmanager
def opened(folder: Path) -> Iterator[Target]:
    """The data of a folder, as an import writes to it."""
    local = open_local(Settings(data=folder))
    try:
        yield local.mlflow()
    finally:
        local.close()


def moved(address: str, folder: Path, **options: Any) -> Report:
    there = MlflowServer(address)
    report = Report()
    try:
        with opened(folder) as target:
            copy(there, target, report, **options)
    finally:
        there.close()
    return report


def told(server: Any) -> dict[str, Any]:
    """All that a server tells, by the names that do not depend on it, without what an import cannot keep."""
    found: dict[str, Any] = {}
    names = {}
    for one in pages(server, "POST", "experiments/search", "experiments", view_type="ALL"):
        names[one["experiment_id"]] = one["name"]
        if one["name"] != "Default":
            kept = ("name", "lifecycle_stage", "tags", "creation_time")
            found[f"experiment {one['name']}"] = {k: one.get(k) for k in kept}
    for number, name in names.items():
        for run in pages(server, "POST", "runs/search", "runs", experiment_ids=[number], run_view_type="ALL"):
            found[f"run {run['info']['run_id']}"] = a_run(server, run, name)
        for model in pages(server, "POST", "logged-models/search", "models", experiment_ids=[number]):
            left_out = ("experiment_id", "artifact_uri", "last_updated_timestamp_ms")
            info = {k: v for k, v in model["info"].items() if k not in left_out}
            found[f"logged model {info['model_id']}"] = {"info": info, "data": model["data"]}
    for model in pages(server, "GET", "registered-models/search", "registered_models"):
        ours = ("latest_versions", "moved_timestamp")
        found[f"model {model['name']}"] = {k: v for k, v in model.items() if k not in ours}
        asked = f"name = '{model['name']}'"
        for one in pages(server, "GET", "model-versions/search", "model_versions", filter=asked):
            source = one["source"].split("/", 2)[-1]
            found[f"version {one['name']}/{one['version']}"] = {**one, "source": source}
    return found


def a_run(server: Any, run: Json, experiment: str) -> dict[str, Any]:
    drop = ("experiment_id", "artifact_uri")
    info = {k: v for k, v in run["info"].items() if k not in drop}
    run_id = info["run_id"]
    data = run["data"]
    histories = {
        one["key"]: server.call("GET", "metrics/get-history", run_id=run_id, metric_key=one["key"])["metrics"]
        for one in data.get("metrics", ())
    }
    files = list(pages(server, "GET", "artifacts/list", "files", run_id=run_id, path="notes"))
    return {
        "experiment": experiment,
        "info": info,
        "histories": histories,
        "files": files,
        **{name: sorted(map(str, data.get(name, ()))) for name in ("params", "tags", "metrics")},
        "inputs": run["inputs"],
        "outputs": run["outputs"],
    }


def test_a_server_is_copied_whole(source: str, tmp_path: Path) -> None:
    there = MlflowServer(source)
    expected = told(there)
    there.close()
    report = moved(source, tmp_path / "here")
    assert report.refused.listed == []
    with opened(tmp_path / "here") as here:
        assert told(here) == expected
    assert {kind: one.copied for kind, one in report.tallies.items()} == {
        "experiments": 2, "runs": 4, "logged models": 1, "files": 3, "registered models": 1,
        "model versions": 2,
    }  # fmt: skip
    assert report.points == 3 * 701 + 2


def test_a_second_import_changes_nothing(source: str, tmp_path: Path) -> None:
    moved(source, tmp_path / "here")
    before = fingerprint(tmp_path / "here")
    report = moved(source, tmp_path / "here")
    assert fingerprint(tmp_path / "here") == before
    assert [(one.copied, one.grown) for one in report.tallies.values()] == [(0, 0)] * 6
    assert (report.bytes, report.kept.count, report.refused.count) == (0, 0, 0)


def fingerprint(folder: Path) -> str:
    local = open_local(Settings(data=folder))
    found = local.hash()
    local.close()
    return found


def test_the_graph_made_again_from_the_log_is_the_same(source: str, tmp_path: Path) -> None:
    moved(source, tmp_path / "here")
    before = fingerprint(tmp_path / "here")
    local = open_local(Settings(data=tmp_path / "here"))
    local.rebuild(lambda _done, _all: None)
    assert local.hash() == before
    local.close()


class Breaking:
    """A source that is gone after so many calls."""

    def __init__(self, source: MlflowServer, calls: int) -> None:
        self._source, self._left = source, calls
        self.where = source.where

    def call(self, method: str, path: str, /, **said: Any) -> Json:
        self._count()
        return self._source.call(method, path, **said)

    def read(self, path: str, /, **said: str) -> Iterator[bytes]:
        self._count()
        return self._source.read(path, **said)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Unreachable("gone")


def test_it_is_broken_off_anywhere_and_goes_on_where_it_stood(source: str, tmp_path: Path) -> None:
    there = MlflowServer(source)
    expected = told(there)
    runs = 0
    for calls in range(3, 100, 4):
        with opened(tmp_path / "here") as here:
            try:
                copy(Breaking(there, calls), here, Report())
            except Unreachable:
                continue
            assert told(here) == expected
            runs = calls
            break
    there.close()
    assert runs > 20


def test_what_has_grown_since_is_added(source: str, tmp_path: Path) -> None:
    moved(source, tmp_path / "here")
    there = client(source)
    (churn,) = (one for one in there.search_experiments() if one.name == "churn")
    running, finished = there.search_runs([churn.experiment_id], order_by=["attributes.start_time DESC"])
    there.log_batch(running.info.run_id, [Metric("loss", 0.5, BEGAN, step) for step in (3, 9_000)])
    there.log_metric(finished.info.run_id, "late", 1.0, BEGAN, 1)
    there.log_param(finished.info.run_id, "seed", "7")
    there.log_text(finished.info.run_id, "more", "notes/more.txt")
    there.create_run(churn.experiment_id, run_name="new")
    there.transition_model_version_stage("churn", "1", "Archived")
    there.transition_model_version_stage("churn", "3", "Production")
    there.set_registered_model_alias("churn", "champion", "1")
    report = moved(source, tmp_path / "here")
    server = MlflowServer(source)
    with opened(tmp_path / "here") as here:
        assert told(here) == told(server)
    server.close()
    assert (report.tallies["runs"].copied, report.tallies["runs"].grown) == (1, 2)
    assert report.tallies["model versions"].grown == 2


def test_what_was_changed_here_since_stays_and_is_told(source: str, tmp_path: Path) -> None:
    moved(source, tmp_path / "here")
    with opened(tmp_path / "here") as here:
        here.call("POST", "registered-models/alias", name="churn", alias="champion", version="1")
        here.call(
            "POST", "model-versions/transition-stage", name="churn", version="3", stage="Staging",
            archive_existing_versions=False,
        )  # fmt: skip
    report = moved(source, tmp_path / "here")
    assert {what for what, _ in report.kept.listed} == {
        "model churn version 3",
        "model churn: alias champion",
    }
    with opened(tmp_path / "here") as here:
        found = here.call("GET", "registered-models/alias", name="churn", alias="champion")["model_version"]
        assert found["version"] == "1"
        third = here.call("GET", "model-versions/get", name="churn", version="3")["model_version"]
        assert third["current_stage"] == "Staging"


@pytest.mark.parametrize(
    ("path", "said", "kept"),
    [
        ("registered-models/alias", {"alias": "champion", "version": "1"}, "model churn: alias champion"),
        ("registered-models/set-tag", {"key": "owner", "value": "bob"}, "model churn: tag owner"),
        ("model-versions/set-tag", {"version": "3", "key": "a", "value": "c"}, "model churn version 3"),
    ],
)
def test_one_alias_or_tag_that_was_set_here_stays(
    source: str, tmp_path: Path, path: str, said: dict[str, str], kept: str
) -> None:
    moved(source, tmp_path / "here")
    with opened(tmp_path / "here") as here:
        here.call("POST", path, name="churn", **said)
        before = told(here)
    report = moved(source, tmp_path / "here")
    assert [what for what, _ in report.kept.listed] == [kept]
    with opened(tmp_path / "here") as here:
        assert told(here) == before


def test_a_stage_has_one_move_at_the_versions_last_change(source: str, tmp_path: Path) -> None:
    there = client(source).get_model_version("churn", "1")
    moved(source, tmp_path / "here")
    parts = Parts(Settings(data=tmp_path / "here"))
    (move,) = parts.registry.history(keys.model_version("churn", "1"))
    parts.close()
    assert (move.from_stage, move.to_stage, move.comment) == (None, "Production", "imported")
    assert move.at // 1_000 == there.last_updated_timestamp


def test_one_experiment_comes_with_what_its_runs_registered(source: str, tmp_path: Path) -> None:
    report = moved(source, tmp_path / "here", only=["churn"], artifacts=False)
    assert (report.tallies["experiments"].copied, report.tallies["runs"].copied) == (1, 3)
    assert (report.tallies["files"].all, report.tallies["model versions"].copied) == (0, 2)
    report = moved(source, tmp_path / "here", only=["gone"])
    assert (report.tallies["runs"].copied, report.tallies["registered models"].all) == (1, 0)
    with pytest.raises(NotFound, match="no experiment nothing"):
        moved(source, tmp_path / "here", only=["churn", "nothing"])


def test_the_command_tells_what_came_of_it(source: str, tmp_path: Path, run: Run) -> None:
    with serving(embedded(tmp_path / "here")) as target:
        said = run("import", "mlflow", source.replace("//", "//ada:hush@"), "--url", target)
        assert said.code == 0, said.err
        assert "hush" not in said.out + said.err
        assert "model versions" in said.out
        again = run("import", "mlflow", source, "--url", target, "--json").json
        assert again["runs"] == {"copied": 0, "grown": 0, "present": 3}
        assert (again["from"], again["into"]) == (source, target)
        assert run("import", "mlflow", source, "--url", source).code == 2
        churn = client(target).get_experiment_by_name("churn")
        assert churn is not None
        client(target).delete_experiment(churn.experiment_id)
        said = run("import", "mlflow", source, "--url", target)
        assert said.code == 1
        assert "experiment churn: it is deleted here" in said.err

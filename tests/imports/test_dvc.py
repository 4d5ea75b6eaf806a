"""DVC pipelines: what dvc.lock holds is versions and the stages between them."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from headwater_server.graph import keys
from headwater_server.graph.words import Kind
from headwater_server.imports.dvc import dvc_events, unread
from headwater_server.imports.dvc_files import read_project
from headwater_server.imports.git import without_secrets
from headwater_server.openlineage import wire
from tests.imports.conftest import FIXTURES, Headwater, Run

JUICE = keys.dataset("file", "data/juice.csv")
JOBS = "dvc://cider"


@pytest.fixture
def cider(tmp_path: Path) -> Path:
    """A DVC project as DVC 3 left it."""
    return Path(shutil.copytree(FIXTURES / "cider", tmp_path / "cider"))


def told(folder: Path) -> list[dict[str, Any]]:
    return dvc_events(read_project(folder), jobs=JOBS)


def by_job(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {e["job"]["name"]: e for e in events if "job" in e}


def test_stages_are_jobs_between_files(cider: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(cider))
    assert embedded.reads_of(keys.job(JOBS, "press")) == {
        keys.dataset("file", n) for n in ("data/raw.csv", "press.py")
    }
    assert embedded.writes_of(keys.job(JOBS, "press")) == {JUICE}
    assert embedded.reads_of(keys.job(JOBS, "taste@bob")) == {JUICE, keys.dataset("file", "taste.py")}


def test_a_hash_is_a_version_and_runs_know_which_they_read(cider: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(cider))
    versions = embedded.store.page(Kind.DATASET_VERSION, marks=[""], group=JUICE, limit=10)
    assert [v.props["version"] for v in versions] == ["287ad911ec0565873f3901de4857644e"]
    raw = keys.dataset("file", "data/raw.csv")
    watched = embedded.store.page(Kind.DATASET_VERSION, marks=[""], group=raw, limit=10)
    assert [v.props["version"] for v in watched] == ["c3c6bc2ae8ece4bd2510dca21225c041"]


def test_the_command_parameters_and_metrics_are_kept(cider: Path) -> None:
    found = by_job(told(cider))
    press, taste = found["press"], found["taste@ann"]
    assert press["job"]["facets"]["sourceCode"]["sourceCode"] == "python press.py"
    assert press["job"]["facets"]["documentation"]["description"] == "Presses the apples"
    assert press["run"]["facets"]["dvc_params"]["params"] == {
        "params.yaml": {"press.bar": 3, "press.days": [1, 2]}
    }
    assert taste["run"]["facets"]["dvc_metrics"]["metrics"] == {"score-ann.json": {"score": 0.9}}
    assert press["outputs"][0]["facets"]["documentation"]["description"] == "Juice, unfiltered"


def test_a_stage_that_never_ran_is_told_as_it_is_designed(cider: Path) -> None:
    (cider / "dvc.lock").unlink()
    project = read_project(cider)
    found = by_job(dvc_events(project, jobs=JOBS))
    assert "run" not in found["press"]
    assert [o["name"] for o in found["press"]["outputs"]] == ["data/juice.csv"]
    assert unread(project) == ["dvc.yaml:taste"]


def test_variables_working_folders_and_places_elsewhere_are_understood(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "params.yaml").write_text("model: {file: m.pkl}\n")
    (tmp_path / "sub" / "dvc.yaml").write_text(
        "stages:\n  fit:\n    wdir: work\n    cmd: fit ${model.file}\n    deps: [../../raw, s3://lake/in/x.csv]\n"
        "    outs: ['${model.file}']\n"
    )
    (event,) = told(tmp_path)
    assert event["job"]["name"] == "sub/fit"
    assert event["job"]["facets"]["sourceCode"]["sourceCode"] == "fit m.pkl"
    assert [(i["namespace"], i["name"]) for i in event["inputs"]] == [
        ("file", "raw"),
        ("s3://lake", "in/x.csv"),
    ]
    assert [o["name"] for o in event["outputs"]] == ["sub/work/m.pkl"]


def test_what_was_imported_comes_from_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "x.csv.dvc").write_text(
        "deps:\n- path: https://host.example/d/x.csv\n  etag: abc\nouts:\n- path: x.csv\n  md5: def\n  size: 3\n"
    )
    (tmp_path / "y.dvc").write_text(
        "deps:\n- path: data/y\n  repo: {url: 'https://me:secret@git.example/r.git', rev_lock: aaa}\nouts:\n- path: y\n  md5: 1.dir\n"
    )
    first, second = told(tmp_path)
    (dep,) = first["inputs"]
    assert (dep["namespace"], dep["name"]) == ("https://host.example", "d/x.csv")
    assert dep["facets"]["version"]["datasetVersion"] == "abc"
    assert (second["inputs"][0]["namespace"], second["inputs"][0]["name"]) == (
        "https://git.example/r.git",
        "data/y",
    )
    assert second["outputs"][0]["facets"]["datasetType"]["datasetType"] == "DIRECTORY"


def test_in_a_repository_the_commit_is_the_code(cider: Path) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for command in (
        ["init", "-q"], ["remote", "add", "origin", "https://u:token@git.example/farm/press.git"],
        ["add", "."], ["commit", "-q", "-m", "x"],
    ):  # fmt: skip
        subprocess.run(["git", *who, *command], cwd=cider, check=True, capture_output=True)
    project = read_project(cider)
    location = by_job(dvc_events(project, jobs=JOBS))["press"]["job"]["facets"]["sourceCodeLocation"]
    assert project.name == "press"
    assert location["url"] == f"https://git.example/farm/press/blob/{project.commit}/dvc.yaml"
    assert "token" not in str(location)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("git@git.example:farm/press.git", "ssh://git.example/farm/press.git"),
        ("https://u:p@git.example/x", "https://git.example/x"),
        ("/srv/git/x", "/srv/git/x"),
    ],
)
def test_no_secret_of_a_remote_is_told(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_the_events_are_as_the_spec_has_them_and_may_be_sent_again(cider: Path, embedded: Headwater) -> None:
    events = told(cider)
    assert [wire.read(event).findings for event in events] == [[]] * len(events)
    embedded.send_at_once(events)
    once = embedded.fingerprint()
    embedded.send_at_once(told(cider))
    assert embedded.fingerprint() == once


def test_the_command_says_what_is_in(cider: Path, tmp_path: Path, run: Run) -> None:
    data = str(tmp_path / "data")
    said = run("import", "dvc", str(cider), "--data", data)
    assert (said.code, said.out.partition(": ")[2] or said.out) == (0, "8 datasets, 3 jobs, 3 runs.\n")
    assert "taste@ann" in run("lineage", "file/out/note-ann.txt", "--data", data).out
    assert run("import", "dvc", str(tmp_path / "nowhere"), "--data", data).code == 1

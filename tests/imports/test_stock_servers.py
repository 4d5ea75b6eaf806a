"""Servers that are asked: old ones, those behind a prefix or a door, those that break off, those that lie."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from headwater_server.errors import Invalid
from headwater_server.imports.mlflow.copying import copy
from headwater_server.imports.mlflow.http import MlflowServer
from headwater_server.imports.mlflow.port import Refused, Target, Unreachable, pages
from headwater_server.imports.mlflow.report import Report
from tests.imports.conftest import Run
from tests.imports.stock import Answer, Stock, stock
from tests.imports.test_moving import opened

RUN = "0" * 31 + "1"
INFO = {
    "run_uuid": RUN, "experiment_id": "7", "user_id": "ada", "status": "FINISHED", "start_time": "1700000000000",
    "end_time": "1700000005000", "artifact_uri": "s3://bucket/7/run/artifacts", "lifecycle_stage": "active",
}  # fmt: skip
EXPERIMENT = {"experiment_id": "7", "name": "old", "lifecycle_stage": "active"}


def old() -> dict[str, Any]:
    """MLflow 2 and before: no logged models, no pages of a history, whole numbers as texts, ids as `run_uuid`."""
    point = {"key": "loss", "value": 0.5, "timestamp": "1700000001000", "step": "3"}
    odd = {"key": "odd", "value": "NaN", "timestamp": "1700000001000"}
    data = {"metrics": [point, odd], "params": [{"key": "lr", "value": "0.1"}], "tags": [{"key": "a"}]}
    version = {
        "name": "m", "version": "4", "creation_timestamp": "1700000006000", "current_stage": "Production",
        "last_updated_timestamp": "1700000007000", "source": "s3://bucket/7/run/artifacts/model", "run_id": RUN,
    }  # fmt: skip
    return {
        "experiments/search": {"experiments": [EXPERIMENT]},
        "experiments/get": {"experiment": EXPERIMENT},
        "runs/search": {"runs": [{"info": INFO, "data": data}]},
        "runs/search?run_view_type=DELETED_ONLY": {},
        "runs/get": {"run": {"info": INFO, "data": data}},
        "metrics/get-history?metric_key=loss": {"metrics": [{**point, "step": "2"}, point]},
        "metrics/get-history?metric_key=odd": {"metrics": [odd]},
        "artifacts/list": {"files": [{"path": "model", "is_dir": True}, {"path": "a.txt", "file_size": "5"}]},
        "artifacts/list?path=model": {"files": [{"path": "model/MLmodel", "file_size": "3"}]},
        "/get-artifact?path=a.txt": b"hello",
        "/get-artifact?path=model/MLmodel": b"a:1",
        "registered-models/search": {
            "registered_models": [{"name": "m", "creation_timestamp": "1700000006000"}]
        },
        "registered-models/search?filter=tags.`mlflow.prompt.is_prompt` = 'true'": Answer("no", 400),
        "model-versions/search": {"model_versions": [version]},
    }


@contextmanager
def asked(server: Stock, folder: Path, **login: Any) -> Iterator[tuple[MlflowServer, Target]]:
    pauses: list[float] = []
    source = MlflowServer(server.url, pause=pauses.append, **login)
    try:
        with opened(folder) as here:
            yield source, here
    finally:
        source.close()


@pytest.fixture
def moved(tmp_path: Path) -> Callable[[Stock], Report]:
    def go(server: Stock, **login: str) -> Report:
        report = Report()
        with stock(server), asked(server, tmp_path / "here", **login) as (source, here):
            copy(source, here, report)
        return report

    return go


def test_pages_that_go_round_in_a_circle_end(tmp_path: Path) -> None:
    page = {"experiments": [EXPERIMENT], "next_page_token": "again"}
    server = Stock(answers={"experiments/search": page})
    refusal = pytest.raises(Refused, match="the same page of experiments/search twice")
    with stock(server), asked(server, tmp_path / "here") as (source, _), refusal:
        list(pages(source, "POST", "experiments/search", "experiments"))
    assert len(server.heard) == 2


def test_an_old_server_is_copied_as_it_speaks(moved: Callable[[Stock], Report], tmp_path: Path) -> None:
    report = moved(Stock(answers=old()))
    assert report.refused.listed == []
    assert (report.points, report.bytes) == (3, 8)
    with opened(tmp_path / "here") as here:
        run = here.call("GET", "runs/get", run_id=RUN)["run"]
        assert (run["info"]["status"], run["info"]["end_time"]) == ("FINISHED", 1700000005000)
        assert {one["key"]: one["value"] for one in run["data"]["metrics"]} == {"loss": 0.5, "odd": "NaN"}
        version = here.call("GET", "model-versions/get", name="m", version="4")["model_version"]
        assert version["source"] == run["info"]["artifact_uri"] + "/model"
        assert (version["current_stage"], version["creation_timestamp"]) == ("Production", 1700000006000)
    again = moved(Stock(answers=old()))
    assert [(one.copied, one.grown) for one in again.tallies.values()] == [(0, 0)] * 6


def test_a_prefix_and_a_login_go_with_every_call(moved: Callable[..., Report]) -> None:
    server = Stock(prefix="/t/a", answers=old())
    moved(server, user="ada", password="hush")
    assert all(path.startswith("/t/a/") for path, _ in server.heard)
    assert {headers["authorization"] for _, headers in server.heard} == {"Basic YWRhOmh1c2g="}
    server = Stock(answers=old())
    moved(server, token="key")
    assert {headers["authorization"] for _, headers in server.heard} == {"Bearer key"}


def test_what_is_refused_for_now_is_asked_again(moved: Callable[[Stock], Report]) -> None:
    busy = [Answer("busy", 503), Answer("slow down", 429), Answer("{}", cut=0)]
    report = moved(Stock(answers=old(), first={"runs/search": busy, "experiments/get": [Answer("x", 502)]}))
    assert report.tallies["runs"].copied == 1


def test_a_file_that_breaks_off_is_not_there_and_comes_next_time(tmp_path: Path) -> None:
    server = Stock(answers=old(), first={"/get-artifact": [Answer(b"hello", cut=2)]})
    with stock(server), asked(server, tmp_path / "here") as (source, here):
        with pytest.raises(Unreachable, match="middle of a file"):
            copy(source, here, Report())
        assert "files" not in here.call("GET", "artifacts/list", run_id=RUN)
        report = Report()
        copy(source, here, report)
        assert (report.tallies["files"].copied, report.tallies["runs"].grown) == (2, 1)


def test_what_cannot_be_taken_is_named_and_takes_nothing_else_with_it(
    moved: Callable[[Stock], Report],
) -> None:
    answers = old()
    answers["artifacts/list"] = {
        "files": [{"path": "../x", "file_size": "1"}, {"path": "a.txt", "file_size": "5"}]
    }
    answers["/get-artifact?path=a.txt"] = Answer("no such bucket", 500)
    data = answers["runs/search"]["runs"][0]["data"]
    data["params"] = [{"key": "l!r", "value": "1"}, {"key": "ok", "value": "1"}]
    answers["registered-models/search"]["registered_models"].append({"name": "a%b"})
    report = moved(Stock(answers=answers))
    assert {what for what, _ in report.refused.listed} == {
        f"files of run {RUN}: ../x", f"files of run {RUN}: a.txt", f"run {RUN}: params l!r", "model a%b",
    }  # fmt: skip
    assert (report.tallies["runs"].copied, report.tallies["model versions"].copied) == (1, 1)


def test_nobody_is_followed_elsewhere(moved: Callable[[Stock], Report]) -> None:
    elsewhere = Answer("", 302, {"Location": "https://ada:hush@elsewhere.test/login?key=hush"})
    with pytest.raises(Refused, match=r"sends on to https://elsewhere\.test/login: give") as caught:
        moved(Stock(answers={"experiments/search": elsewhere}))
    assert "hush" not in str(caught.value)


def test_a_server_that_is_none_is_said_to_be_none(
    moved: Callable[[Stock], Report], run: Run, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="is it an MLflow server"):
        moved(Stock(answers={"experiments/search": "<html>"}))
    for url in ("sqlite:///mlflow.db", "http://me:hush@localhost:99999", "https://[hush]/"):
        with pytest.raises(Invalid, match="Expected the URL") as caught:
            MlflowServer(url)
        assert "hush" not in str(caught.value)
    closed = Answer({"error_code": "UNAUTHENTICATED", "message": "who are you?"}, 401)
    with stock(Stock(answers={"experiments/search": closed})) as server:
        said = run("import", "mlflow", server.url, "--data", str(tmp_path / "here"))
    assert (said.code, "who are you?" in said.err) == (1, True)

"""Experiments, runs and logged models as MLflow's JSON. Empty fields are left out, as its own server does."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from headwater_server.series.port import Point
from headwater_server.tracking.runs import Runs
from headwater_server.tracking.table import Row
from headwater_server.tracking.views import Experiment, LoggedModel, Run, written

STATUS = {
    "PENDING": "LOGGED_MODEL_PENDING",
    "READY": "LOGGED_MODEL_READY",
    "UPLOAD_FAILED": "LOGGED_MODEL_UPLOAD_FAILED",
}


def filled(said: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in said.items() if value not in (None, "", [], {}, ())}


def pairs(said: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in said.items()]


def lifecycle(*, deleted: bool) -> str:
    return "deleted" if deleted else "active"


def experiment(one: Experiment) -> dict[str, Any]:
    return filled(
        {
            "experiment_id": one.id,
            "name": one.name,
            "artifact_location": one.artifacts,
            "lifecycle_stage": lifecycle(deleted=one.deleted),
            "last_update_time": one.updated,
            "creation_time": one.created,
            "tags": pairs(one.tags),
        }
    )


def run_info(run: Run) -> dict[str, Any]:
    said = {
        "run_uuid": run.id,
        "experiment_id": run.experiment,
        "run_name": run.name,
        "user_id": run.user,
        "status": run.status,
        "start_time": run.start,
        "artifact_uri": run.artifacts,
        "lifecycle_stage": lifecycle(deleted=run.deleted),
        "run_id": run.id,
    }
    if run.end is not None:
        said["end_time"] = run.end
    return said


def metric(key: str, point: Point) -> dict[str, Any]:
    return {
        "key": key,
        "value": written(point.value),
        "timestamp": point.timestamp,
        "step": point.step,
    }


def run(one: Run, runs: Runs) -> dict[str, Any]:
    data = {
        "metrics": [metric(key, point) for key, point in one.metrics.items()],
        "params": pairs(one.params),
        "tags": pairs(one.tags),
    }
    said: dict[str, Any] = {"info": run_info(one), "data": filled(data)}
    inputs: dict[str, Any] = {}
    if one.inputs:
        inputs["dataset_inputs"] = _inputs(one.inputs, runs)
    if one.used:
        inputs["model_inputs"] = [{"model_id": model} for model in one.used]
    said["inputs"] = inputs
    said["outputs"] = (
        {"model_outputs": [{"model_id": m, "step": step} for m, step in one.logged]} if one.logged else {}
    )
    return said


def row(one: Row, runs: Runs) -> bytes:
    """A run's JSON, made once and kept with it."""
    if one.answer is None:
        one.answer = orjson.dumps(run(one.run, runs))
    return one.answer


def _inputs(inputs: Sequence[Mapping[str, Any]], runs: Runs) -> list[dict[str, Any]]:
    contents = runs.contents([said["content"] for said in inputs])
    return [
        filled(
            {
                "tags": pairs(said["tags"]),
                "dataset": {"name": said["name"], "digest": said["digest"], **contents[said["content"]]},
            }
        )
        for said in inputs
    ]


def _registered(registrations: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The tag by which clients of MLflow 3 know the versions that a logged model is registered as."""
    said = [{"name": name, "version": int(number)} for name, number in registrations]
    return {"mlflow.modelVersions": json.dumps(said)} if said else {}


def logged_model(one: LoggedModel, registrations: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    info = {
        "model_id": one.id,
        "experiment_id": one.experiment,
        "name": one.name,
        "creation_timestamp_ms": one.created,
        "last_updated_timestamp_ms": one.updated,
        "artifact_uri": one.artifacts,
        "status": STATUS[one.status],
        "model_type": one.type,
        "source_run_id": one.run,
        "tags": pairs({**one.tags, **_registered(registrations)}),
        "registrations": [{"name": name, "version": version} for name, version in registrations],
    }
    data = {
        "params": pairs(one.params),
        "metrics": [
            filled(
                {
                    "key": said["key"],
                    "value": said["value"],
                    "timestamp": said["ts"],
                    "dataset_name": said["name"],
                    "dataset_digest": said["digest"],
                    "model_id": one.id,
                    "run_id": said["run"],
                }
            )
            | {"step": said["step"]}
            for said in one.metrics
        ],
    }
    return {"info": filled(info), "data": filled(data)}

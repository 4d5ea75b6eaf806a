"""What a call shows whom: what is tracked by its namespace, models by their names. What is not seen is not there."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from headwater_server.auth.policy import Permission
from headwater_server.auth.sight import Sight
from headwater_server.errors import NotFound
from headwater_server.tracking.records import NAMESPACE
from headwater_server.tracking.table import Row
from headwater_server.tracking.views import LoggedModel, Run

NOTHING = b"{}"
_OF_MODELS = ("/registered-models", "/model-versions")
_ABSENT = {
    "run_id": "Run with id={} not found",
    "run_uuid": "Run with id={} not found",
    "experiment_id": "No Experiment with id={} exists",
    "experiment_name": "Could not find experiment with name '{}'",
    "model_id": "Logged model with ID '{}' not found.",
    "trace_id": "Trace with ID {} is not found.",
    "request_id": "Trace with ID {} is not found.",
}
"""How the features say it of what is not there, by the field that names one thing."""


def unseen(path: str, need: Permission, said: Mapping[str, Any], sight: Sight) -> bytes | None:
    """The answer where nothing of what a read asks for is seen: a list is empty. None: let it be answered.

    Raises:
        NotFound: it asks for one thing, there or not.

    """
    if sight.all or need is not Permission.READ:
        return None
    if path.startswith(_OF_MODELS):
        if "name" in said:
            check_model(said["name"], sight, version=str(said.get("version") or ""))
        return None
    if sight.namespace(NAMESPACE):
        return None
    for field in _ABSENT:
        if isinstance(said.get(field), str):
            raise absent(field, said[field])
    return NOTHING


def absent(field: str, name: str) -> NotFound:
    return NotFound(_ABSENT[field].format(name), ref=name, didYouMean=[])


def check_model(name: str, sight: Sight, *, version: str = "") -> None:
    """Raises NotFound, as the registry does of what is not there."""
    if sight.model(name):
        return
    if version:
        text, ref = f"Model Version (name={name}, version={version}) not found", f"models:/{name}/{version}"
    else:
        text, ref = f"Registered Model with name={name} not found", name
    raise NotFound(text, ref=ref, didYouMean=[])


def seen_run(run: Run, sight: Sight) -> Run:
    """Without the datasets that it read and they do not see."""
    if sight.all or all(sight.key(said["dataset"]) for said in run.inputs):
        return run
    return replace(run, inputs=tuple(said for said in run.inputs if sight.key(said["dataset"])))


def seen_rows(rows: Sequence[Row], sight: Sight) -> list[Row]:
    """The same rows as far as nothing is hidden in them: they keep their answers."""
    if sight.all:
        return list(rows)
    found = []
    for row in rows:
        run = seen_run(row.run, sight)
        found.append(row if run is row.run else Row(run))
    return found


def seen_model(model: LoggedModel, sight: Sight, run: Callable[[str], Run]) -> LoggedModel:
    """Its metrics without the names of the datasets that they do not see: those that `run` says its run read."""
    if sight.all:
        return model
    hidden: set[tuple[str, str, str]] = set()
    for name in {said["run"] for said in model.metrics}:
        with suppress(NotFound):
            inputs = run(name).inputs
            hidden |= {(name, i["name"], i["digest"]) for i in inputs if not sight.key(i["dataset"])}
    metrics = tuple(
        {**said, "name": "", "digest": ""} if (said["run"], said["name"], said["digest"]) in hidden else said
        for said in model.metrics
    )
    return replace(model, metrics=metrics)

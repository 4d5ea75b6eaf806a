"""MLflow's calls that list files: of a run, of a logged model."""

from typing import Any

from headwater_server.api.mlflow.artifacts import children, shown
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.shapes import filled
from headwater_server.tracking.places import checked_path, place_of


def of_run(ask: Ask) -> dict[str, Any]:
    return _listed(ask, ask.tracking.runs.get(ask.run_id).artifacts, ask.text("path"))


def of_model(ask: Ask) -> dict[str, Any]:
    root = ask.tracking.models.get(ask.text("model_id")).artifacts
    return _listed(ask, root, ask.text("artifact_directory_path"))


def _listed(ask: Ask, root: str, path: str) -> dict[str, Any]:
    """Paths from the root; one page holds them all."""
    home = place_of(root) + "/"
    files = children(ask.of.files.store, place_of(root, checked_path(path)))
    return filled({"root_uri": root, "files": [shown(one, one.path.removeprefix(home)) for one in files]})

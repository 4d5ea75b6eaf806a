"""MLflow's calls about experiments."""

from typing import Any

from headwater_server.api.mlflow import shapes
from headwater_server.api.mlflow.ask import Ask
from headwater_server.errors import NotFound


def create(ask: Ask) -> dict[str, Any]:
    number = ask.tracking.experiments.create(
        ask.text("name"),
        artifacts=ask.maybe("artifact_location"),
        tags=dict(ask.pairs("tags")),
        actor=ask.actor,
        at=ask.at,
    )
    return {"experiment_id": number}


def get(ask: Ask) -> dict[str, Any]:
    return {"experiment": shapes.experiment(ask.tracking.experiments.get(ask.text("experiment_id")))}


def get_by_name(ask: Ask) -> dict[str, Any]:
    name = ask.text("experiment_name")
    found = ask.tracking.experiments.find(name)
    if found is None:
        raise NotFound(f"Could not find experiment with name '{name}'", ref=name, didYouMean=[])
    return {"experiment": shapes.experiment(found)}


def search(ask: Ask) -> dict[str, Any]:
    page = ask.tracking.search.experiments(ask.asked(1_000), ask.view("view_type"))
    return shapes.filled(
        {"experiments": [shapes.experiment(one) for one in page.rows], "next_page_token": page.token}
    )


def delete(ask: Ask) -> dict[str, Any]:
    ask.tracking.experiments.delete(ask.text("experiment_id"), actor=ask.actor)
    return {}


def restore(ask: Ask) -> dict[str, Any]:
    ask.tracking.experiments.restore(ask.text("experiment_id"), actor=ask.actor)
    return {}


def update(ask: Ask) -> dict[str, Any]:
    ask.tracking.experiments.rename(ask.text("experiment_id"), ask.text("new_name"), actor=ask.actor)
    return {}


def set_tag(ask: Ask) -> dict[str, Any]:
    tags = {ask.text("key"): ask.text("value")}
    ask.tracking.experiments.tag(ask.text("experiment_id"), tags, actor=ask.actor)
    return {}


def delete_tag(ask: Ask) -> dict[str, Any]:
    ask.tracking.experiments.tag(ask.text("experiment_id"), {}, removed=[ask.text("key")], actor=ask.actor)
    return {}

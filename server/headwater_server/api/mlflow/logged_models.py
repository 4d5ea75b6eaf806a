"""MLflow's calls about logged models."""

from typing import Any

from headwater_server.api.mlflow import shapes
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.seen import seen_model
from headwater_server.errors import Invalid
from headwater_server.tracking.views import LoggedModel

_STATUS = {said: status for status, said in shapes.STATUS.items()}


def _shown(ask: Ask, model: LoggedModel) -> dict[str, Any]:
    sight = ask.sight
    registered = [one for one in ask.registry.registrations(model.id) if sight.model(one[0])]
    return {"model": shapes.logged_model(seen_model(model, sight, ask.tracking.runs.get), registered)}


def create(ask: Ask) -> dict[str, Any]:
    model = ask.tracking.models.create(
        ask.text("experiment_id"),
        name=ask.maybe("name"),
        kind=ask.maybe("model_type"),
        run_id=ask.maybe("source_run_id"),
        params=dict(ask.pairs("params")),
        tags=dict(ask.pairs("tags")),
        model_id="" if ask.at is None else ask.text("model_id"),
        actor=ask.actor,
        at=ask.at,
    )
    return {"model": shapes.logged_model(model)}


def get(ask: Ask) -> dict[str, Any]:
    return _shown(ask, ask.tracking.models.get(ask.text("model_id")))


def finalize(ask: Ask) -> dict[str, Any]:
    said = ask.text("status")
    if said not in _STATUS:
        raise Invalid(f"Invalid value {said!r} for parameter 'status' supplied: one of {', '.join(_STATUS)}.")
    return _shown(ask, ask.tracking.models.finish(ask.text("model_id"), _STATUS[said], actor=ask.actor))


def delete(ask: Ask) -> dict[str, Any]:
    ask.tracking.models.delete(ask.text("model_id"), actor=ask.actor)
    return {}


def set_tags(ask: Ask) -> dict[str, Any]:
    model = ask.tracking.models.tag(ask.text("model_id"), dict(ask.pairs("tags")), actor=ask.actor)
    return _shown(ask, model)


def delete_tag(ask: Ask) -> dict[str, Any]:
    ask.tracking.models.remove_tag(ask.text("model_id"), ask.text("tag_key"), actor=ask.actor)
    return {}


def log_params(ask: Ask) -> dict[str, Any]:
    ask.tracking.models.add_params(ask.text("model_id"), dict(ask.pairs("params")), actor=ask.actor)
    return {}


def search(ask: Ask) -> dict[str, Any]:
    asked = ask.asked(100)
    orders = [
        f"{one['field_name']} {'ASC' if one.get('ascending', True) else 'DESC'}"
        for one in ask.maybe("order_by") or ()
    ]
    datasets = [
        (one.get("dataset_name", ""), one.get("dataset_digest", "")) for one in ask.maybe("datasets") or ()
    ]
    on = [
        (one.get("dataset_name", ""), one.get("dataset_digest", "")) if one.get("dataset_name") else None
        for one in ask.maybe("order_by") or ()
    ]
    page = ask.tracking.search.models(
        ask.maybe("experiment_ids") or (), asked.ordered(orders), datasets=datasets, ordered_on=on
    )
    models = [_shown(ask, one)["model"] for one in page.rows]
    return shapes.filled({"models": models, "next_page_token": page.token})

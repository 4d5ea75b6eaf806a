"""MLflow's calls about runs and what they log."""

import base64
from typing import Any

import orjson

from headwater_server.api.mlflow import shapes
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.seen import seen_rows, seen_run
from headwater_server.errors import Invalid
from headwater_server.series.columns import Columns
from headwater_server.series.port import Point
from headwater_server.tracking.evaluations import Evaluated
from headwater_server.tracking.inputs import Input
from headwater_server.tracking.measured import Measured
from headwater_server.tracking.model_files import read_content
from headwater_server.tracking.views import number, written

HISTORY_PAGE = 25_000


def create(ask: Ask) -> dict[str, Any]:
    run = ask.tracking.runs.create(
        ask.text("experiment_id") or "0",
        name=ask.text("run_name") or None,
        start=ask.maybe("start_time"),
        user=ask.text("user_id"),
        tags=dict(ask.pairs("tags")),
        run_id=ask.text("run_id"),
        actor=ask.actor,
        at=ask.at,
    )
    return {"run": shapes.run(seen_run(run, ask.sight), ask.tracking.runs)}


def get(ask: Ask) -> dict[str, Any]:
    return {"run": shapes.run(seen_run(ask.tracking.runs.get(ask.run_id), ask.sight), ask.tracking.runs)}


def update(ask: Ask) -> dict[str, Any]:
    run = ask.tracking.runs.update(
        ask.run_id,
        status=ask.maybe("status"),
        end=ask.maybe("end_time"),
        name=ask.text("run_name") or None,
        actor=ask.actor,
    )
    return {"run_info": shapes.run_info(run)}


def delete(ask: Ask) -> dict[str, Any]:
    ask.tracking.runs.delete(ask.run_id, actor=ask.actor)
    return {}


def restore(ask: Ask) -> dict[str, Any]:
    ask.tracking.runs.restore(ask.run_id, actor=ask.actor)
    return {}


def search(ask: Ask) -> bytes:
    runs = ask.tracking.runs
    sight = ask.sight
    page = ask.tracking.search.runs(
        ask.maybe("experiment_ids") or (),
        ask.asked(1_000),
        ask.view("run_view_type"),
        narrowed=lambda rows: seen_rows(rows, sight),
    )
    if not page.rows:
        return b"{}"
    token = b',"next_page_token":' + orjson.dumps(page.token) if page.token else b""
    return b'{"runs":[' + b",".join(shapes.row(one, runs) for one in page.rows) + b"]" + token + b"}"


def log_metric(ask: Ask) -> dict[str, Any]:
    return _log(ask, metrics=[ask.said], single=True)


def log_batch(ask: Ask) -> dict[str, Any]:
    return _log(ask, metrics=ask.maybe("metrics") or [], params=ask.pairs("params"), tags=ask.pairs("tags"))


def log_parameter(ask: Ask) -> dict[str, Any]:
    return _log(ask, params=[(ask.text("key"), ask.text("value"))], single=True)


def set_tag(ask: Ask) -> dict[str, Any]:
    return _log(ask, tags=[(ask.text("key"), ask.text("value"))], single=True)


def delete_tag(ask: Ask) -> dict[str, Any]:
    ask.tracking.runs.remove_tag(ask.run_id, ask.text("key"), actor=ask.actor)
    return {}


def _log(
    ask: Ask,
    *,
    metrics: Any = (),
    params: list[tuple[str, str]] | None = None,
    tags: list[tuple[str, str]] | None = None,
    single: bool = False,
) -> dict[str, Any]:
    points = Columns(
        [one.get("step", 0) for one in metrics],
        [one["timestamp"] for one in metrics],
        [one["value"] for one in metrics],
    )
    evaluated = [
        Evaluated(model, one["key"], points[at], one.get("dataset_name", ""), one.get("dataset_digest", ""))
        for at, one in enumerate(metrics)
        if (model := one.get("model_id"))
    ]
    ask.tracking.runs.log(
        ask.run_id,
        metrics=Measured([one["key"] for one in metrics], points),
        params=params or (),
        tags=tags or (),
        evaluated=evaluated,
        single=single,
        actor=ask.actor,
    )
    return {}


def log_inputs(ask: Ask) -> dict[str, Any]:
    inputs = [
        Input(**one["dataset"], tags={t["key"]: t.get("value", "") for t in one.get("tags", ())})
        for one in ask.maybe("datasets") or ()
    ]
    models = [one["model_id"] for one in ask.maybe("models") or ()]
    ask.tracking.runs.read_by(ask.run_id, inputs, models=models, actor=ask.actor, at=ask.at)
    return {}


def outputs(ask: Ask) -> dict[str, Any]:
    models = [(one["model_id"], one["step"]) for one in ask.maybe("models") or ()]
    ask.tracking.runs.made_models(ask.run_id, models, actor=ask.actor, at=ask.at)
    return {}


def log_model(ask: Ask) -> dict[str, Any]:
    """Clients before 3.0: what they logged is kept in a tag, as MLflow keeps it."""
    try:
        said = orjson.loads(ask.text("model_json"))
    except orjson.JSONDecodeError as error:
        raise Invalid(f"Malformed model info. It is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise Invalid("Malformed model info. It is no JSON object.")
    missing = [
        name for name in ("artifact_path", "flavors", "utc_time_created", "run_id") if name not in said
    ]
    if missing:
        raise Invalid(f"Model json is missing mandatory fields: {missing}")
    run_id, path = ask.run_id, said["artifact_path"]
    if (
        isinstance(path, str) and path.strip("/") and not said.get("model_id")
    ):  # newer ones have an id of their own
        ask.tracking.models.describe_in_run(
            run_id, path.strip("/"), "MLmodel", read_content(said), actor=ask.actor
        )
    ask.tracking.runs.note_model(run_id, said, actor=ask.actor)
    return {}


def get_history(ask: Ask) -> dict[str, Any]:
    """All points, unless a page is asked for."""
    key, size = ask.text("metric_key"), ask.maybe("max_results")
    if size is not None and size <= 0:
        raise Invalid(
            f"Invalid value {size} for parameter 'max_results' supplied. It must be a positive integer."
        )
    size = None if size is None else min(size, HISTORY_PAGE)
    after = _after(ask.text("page_token"))
    points = ask.tracking.runs.history(ask.run_id, key, limit=None if size is None else size + 1, after=after)
    token = None
    if size is not None and len(points) > size:
        points = points[:size]
        token = _token(points[-1])
    return shapes.filled({"metrics": [shapes.metric(key, p) for p in points], "next_page_token": token})


def _token(point: Point) -> str:
    said = [point.step, point.timestamp, written(point.value)]
    return base64.urlsafe_b64encode(orjson.dumps(said)).decode()


def _after(token: str) -> Point | None:
    if not token:
        return None
    try:
        step, at, value = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        return Point(int(step), int(at), number(value))
    except (ValueError, TypeError):
        raise Invalid(f"Invalid page token {token[:80]!r}: give one that this history answered.") from None

"""MLflow's calls for what charts show: curves of many runs at once, and the data that runs of experiments read."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from headwater_server.api.mlflow import shapes
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.seen import seen_rows
from headwater_server.errors import Invalid, NotFound
from headwater_server.series.port import Point

MAX_RUNS = 100
MAX_HISTORY = 25_000
"""Points of all runs together."""
MAX_CURVE = 2_500
"""Points of one run."""
MAX_EXPERIMENTS, MAX_DATASETS = 20, 1_000


def history(ask: Ask) -> dict[str, Any]:
    """Run by run, in order of their ids; each run's points by time, as many as there is room for."""
    run_ids = _run_ids(ask, "run_id", "GetMetricHistoryBulk")
    if ask.maybe("metric_key") is None:
        raise Invalid("GetMetricHistoryBulk request must specify a metric_key.")
    size = ask.maybe("max_results")
    left = MAX_HISTORY if size is None else min(size, MAX_HISTORY)
    if left < 0:
        raise Invalid(f"Invalid value {size} for parameter 'max_results' supplied: it is not negative.")
    key = ask.text("metric_key")
    found: list[dict[str, Any]] = []
    for run_id in sorted(set(run_ids)):
        with suppress(NotFound):
            points = ask.tracking.runs.history(run_id, key, limit=left - len(found), after=None)
            found += _shown(key, run_id, sorted(points, key=lambda p: (p.timestamp, p.step)))
    return {"metrics": found}


def interval(ask: Ask) -> dict[str, Any]:
    """Of each run at most `max_results` points; a run that is not there has none."""
    run_ids = _run_ids(ask, "run_ids", "GetMetricHistoryBulkInterval")
    size, first, last = (ask.maybe(name) for name in ("max_results", "start_step", "end_step"))
    if size is not None and not 1 <= size <= MAX_CURVE:
        raise Invalid(f"max_results must be between 1 and {MAX_CURVE}.")
    if (first is None) != (last is None):
        raise Invalid("If either start step or end step are specified, both must be specified.")
    if first is not None and first > last:
        raise Invalid(
            f"end_step must be greater than start_step. Found start_step={first} and end_step={last}."
        )
    steps = None if first is None else (first, last)
    key = ask.text("metric_key")
    found: list[dict[str, Any]] = []
    for run_id in run_ids:
        with suppress(NotFound):
            found += _shown(key, run_id, ask.tracking.runs.curve(run_id, key, size or MAX_CURVE, steps=steps))
    return shapes.filled({"metrics": found})


def datasets(ask: Ask) -> dict[str, Any]:
    numbers = ask.maybe("experiment_ids") or ()
    if not numbers:
        raise Invalid("SearchDatasets request must specify at least one experiment_id.")
    if len(numbers) > MAX_EXPERIMENTS:
        raise Invalid(
            f"SearchDatasets request cannot specify more than {MAX_EXPERIMENTS} experiment_ids. "
            f"Received {len(numbers)} experiment_ids."
        )
    names = ("experiment_id", "name", "digest", "context")
    sight = ask.sight
    found = ask.tracking.search.datasets(numbers, MAX_DATASETS, narrowed=lambda rows: seen_rows(rows, sight))
    return shapes.filled(
        {"dataset_summaries": [shapes.filled(dict(zip(names, one, strict=True))) for one in found]}
    )


def _run_ids(ask: Ask, name: str, request: str) -> list[str]:
    found: list[str] = ask.maybe(name) or []
    if not found:
        raise Invalid(f"{request} request must specify at least one {name}.")
    if len(found) > MAX_RUNS:
        raise Invalid(
            f"{request} request cannot specify more than {MAX_RUNS} run_ids. Received {len(found)} run_ids."
        )
    return found


def _shown(key: str, run_id: str, points: Iterable[Point]) -> list[dict[str, Any]]:
    return [shapes.metric(key, point) | {"run_id": run_id} for point in points]

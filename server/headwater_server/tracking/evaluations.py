"""A metric of a logged model on a dataset: which stays when several are logged. Pure but for a look-up."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headwater_server.errors import NotFound
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.series.port import Point
from headwater_server.tracking.views import number, written


@dataclass(frozen=True, slots=True)
class Evaluated:
    model: str
    key: str
    point: Point
    dataset: str = ""
    digest: str = ""


def evaluations(
    said: Sequence[Evaluated], run: Facts, run_key: str, now: Callable[[str], Facts]
) -> dict[str, list[dict[str, Any]]]:
    """By model: the greatest point (as of a run's metrics) of each key, dataset and digest.

    The dataset is found among what the run read, by the name and digest that its client gives it.

    Raises:
        NotFound: the model.

    """
    found: dict[str, list[dict[str, Any]]] = {}
    for model, key, name, digest in dict.fromkeys((e.model, e.key, e.dataset, e.digest) for e in said):
        facts = now(keys.logged_model(model))
        if facts.get("made") is None:
            raise NotFound(f"Logged model with ID '{model}' not found.", ref=model, didYouMean=[])
        newest = max(
            (e.point for e in said if (e.model, e.key, e.dataset, e.digest) == (model, key, name, digest)),
            key=_order,
        )
        known = facts.get(f"metric|{key}|{name}|{digest}")
        if known and _order(newest) < _order(Point(known["step"], known["ts"], number(known["value"]))):
            continue
        read = run.get(f"input|{name}|{digest}") or {}
        one = {
            "key": key,
            "value": written(newest.value),
            "step": newest.step,
            "ts": newest.timestamp,
            "run": keys.parts_of(run_key)[0],
            "name": name,
            "digest": digest,
            "dataset": read.get("dataset"),
        }
        found.setdefault(model, []).append(one)
    return found


def _order(point: Point) -> tuple[int, int, bool, float]:
    """NaN is below every number."""
    is_number = not math.isnan(point.value)
    return point.step, point.timestamp, is_number, point.value if is_number else 0.0

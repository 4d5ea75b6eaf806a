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
    """By model: the greatest point (as of a run's metrics) of each key, dataset and digest, and whether it is the
    greatest that any run logged.

    Raises:
        NotFound: the model.

    """
    greatest: dict[tuple[str, str, str, str], Point] = {}
    for one in said:
        on = (one.model, one.key, one.dataset, one.digest)
        greatest[on] = max(greatest.get(on, one.point), one.point, key=_order)
    found: dict[str, list[dict[str, Any]]] = {}
    for (model, key, name, digest), point in greatest.items():
        facts = now(keys.logged_model(model))
        if facts.get("made") is None:
            raise NotFound(f"Logged model with ID '{model}' not found.", ref=model, didYouMean=[])
        newest = _is_newer(point, facts.get(f"metric|{key}|{name}|{digest}"))
        if newest or _is_newer(point, run.get(f"evaluated|{model}|{key}|{name}|{digest}")):
            one_said = {
                "model": model,
                "key": key,
                "value": written(point.value),
                "step": point.step,
                "ts": point.timestamp,
                "run": keys.parts_of(run_key)[0],
                "name": name,
                "digest": digest,
                "newest": newest,
            }
            found.setdefault(model, []).append(one_said)
    return found


def _is_newer(point: Point, known: Any) -> bool:
    return not known or _order(point) >= _order(Point(known["step"], known["ts"], number(known["value"])))


def _order(point: Point) -> tuple[int, int, bool, float]:
    """NaN is below every number."""
    is_number = not math.isnan(point.value)
    return point.step, point.timestamp, is_number, point.value if is_number else 0.0

"""Which keys the runs of an experiment have, and whether they tell the runs apart. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headwater_server.project.tracked import SYSTEM
from headwater_server.tracking.matching import as_number
from headwater_server.tracking.table import Row


@dataclass(frozen=True, slots=True)
class KeyInfo:
    key: str
    runs: int
    """That have it."""
    numeric: bool
    distinct: int
    varies: bool
    """Not every run that has it has the same."""


@dataclass(frozen=True, slots=True)
class ExperimentKeys:
    params: list[KeyInfo]
    metrics: list[KeyInfo]
    tags: list[KeyInfo]
    """Without those that clients set for themselves (`mlflow.…`)."""


def tally(rows: Iterable[Row]) -> ExperimentKeys:
    params: dict[str, list[str]] = {}
    metrics: dict[str, list[float]] = {}
    tags: dict[str, list[str]] = {}
    for row in rows:
        for key, value in row.run.params.items():
            params.setdefault(key, []).append(value)
        for key, point in row.run.metrics.items():
            metrics.setdefault(key, []).append(point.value)
        for key, value in row.run.tags.items():
            if not key.startswith(SYSTEM):
                tags.setdefault(key, []).append(value)
    return ExperimentKeys(_texts(params), _numbers(metrics), _texts(tags))


def _texts(found: Mapping[str, list[str]]) -> list[KeyInfo]:
    told = []
    for key in sorted(found):
        different = set(found[key])
        numeric = all(as_number(value) is not None for value in different)
        told.append(KeyInfo(key, len(found[key]), numeric, len(different), len(different) > 1))
    return told


def _numbers(found: Mapping[str, list[float]]) -> list[KeyInfo]:
    told = []
    for key in sorted(found):
        different = {repr(value) for value in found[key]}  # NaN is not itself
        told.append(
            KeyInfo(key, len(found[key]), numeric=True, distinct=len(different), varies=len(different) > 1)
        )
    return told

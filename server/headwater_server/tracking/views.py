"""What tracking tells: experiments, runs, metrics, logged models, as values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.project.tracked import status_of
from headwater_server.series.port import Point


@dataclass(frozen=True, slots=True)
class Experiment:
    """Times in milliseconds."""

    id: str
    name: str
    job: str
    artifacts: str
    deleted: bool
    created: int
    updated: int
    tags: Mapping[str, str]

    @classmethod
    def of(cls, number: str, facts: Facts) -> "Experiment":
        return cls(
            number,
            str(facts.get("name") or number),
            str(facts.get("job") or number),
            str(facts.get("artifacts") or ""),
            bool(facts.get("deleted")),
            facts.first.get("created", 0) // 1_000,
            facts.last.get("moved", 0) // 1_000,
            tags_in(facts),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """Times in milliseconds."""

    key: str
    id: str
    experiment: str
    status: str
    start: int
    end: int | None
    user: str
    artifacts: str
    deleted: bool
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, Point]
    """The last point of each."""
    inputs: Sequence[Mapping[str, Any]]
    used: Sequence[str]
    """Ids of the logged models it used."""
    logged: Sequence[tuple[str, int]]
    """Ids of the logged models it made, with their step."""

    @property
    def name(self) -> str:
        return self.tags.get("mlflow.runName", "")

    @classmethod
    def of(cls, key: str, facts: Facts, *, deleted: bool | None = None) -> "Run":
        """`deleted` where that is not for the run alone to tell."""
        status, end = status_of(facts)
        return cls(
            key,
            keys.parts_of(key)[0],
            str(facts.get("experiment")),
            status,
            facts.first.get("begin", 0) // 1_000,
            end,
            str(facts.get("user") or ""),
            str(facts.get("artifacts") or ""),
            bool(facts.get("deleted")) if deleted is None else deleted,
            tags_in(facts),
            {name: str(value) for name, value in facts.named("param|")},
            {name: Point(said[1], said[2], number(said[0])) for name, said in facts.named("metric|")},
            tuple(said for _, said in facts.named("input|")),
            tuple(keys.parts_of(model)[0] for model, _ in facts.firsts("used|")),
            tuple(
                (model_id, step)
                for model, step in facts.named("logged|")
                if (model_id := keys.logged_model_id(model))
            ),
        )


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """Times in milliseconds."""

    id: str
    experiment: str
    name: str
    type: str
    run: str
    """Id of the run that made it; empty: none."""
    artifacts: str
    status: str
    deleted: bool
    created: int
    updated: int
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, model_id: str, facts: Facts) -> "LoggedModel":
        made = facts.get("made")
        return cls(
            model_id,
            made["experiment"],
            made["name"],
            made["type"],
            keys.parts_of(made["run"])[0] if made["run"] else "",
            made["artifacts"],
            str(facts.get("status")),
            bool(facts.get("deleted")),
            made["at"] // 1_000,
            facts.last.get("moved", made["at"]) // 1_000,
            tags_in(facts),
            {name: str(value) for name, value in facts.named("param|")},
            tuple(said for _, said in facts.named("metric|")),
        )


def tags_in(facts: Facts) -> dict[str, str]:
    return {
        name: str(entry.get("value") or "") for name, entry in facts.named("tag|") if not entry.get("removed")
    }


def number(said: float | str) -> float:
    """A metric's value as it stands in facts: NaN and the infinities are texts there."""
    return float(said)


def written(value: float) -> float | str:
    """A metric's value as facts and records hold it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def listed(tag: str) -> list[Any]:
    """What a tag holds as JSON; nothing where a client has put something else into it."""
    try:
        found = orjson.loads(tag)
    except orjson.JSONDecodeError:
        return []
    return found if isinstance(found, list) else []

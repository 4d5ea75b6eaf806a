"""What the demo shop's ML team told the registry: versions, moves between stages, aliases. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headwater_server.demo.jobs import TRAIN
from headwater_server.demo.nights import TRAINING_NIGHTS, moment, run_of
from headwater_server.demo.wire import when

MODEL = "churn"


@dataclass(frozen=True, slots=True)
class Command:
    """One mutation: its name and its `input` as GraphQL has them, who said it and when."""

    at: str
    mutation: str
    input: dict[str, Any]
    by: str = "team:ml"


def commands() -> Iterator[Command]:
    """In the order in which they were given; each sees what those before it did."""
    yield Command(
        when(moment(0, 100)),
        "registerModel",
        {
            "name": MODEL,
            "description": "How likely a customer is to leave within 90 days.",
            "tags": [{"key": "domain", "value": "retention"}],
        },
    )
    for number, night in enumerate(TRAINING_NIGHTS, 1):
        yield _version(number, night)
        yield _move(number, "Staging", night, 9, "Better on the hold-out set.")
        if number == 1:
            yield _move(number, "Production", night + 1, 10, "The first model that serves.")
        if number == 2:
            yield _move(
                number,
                "Production",
                night + 2,
                10,
                "Two nights beside version 1 without surprise.",
                replaces=True,
            )
            yield _alias(night + 2, "champion", 2)
        if number == 3:
            yield _alias(night, "challenger", 3)


def _version(number: int, night: int) -> Command:
    return Command(
        when(moment(night, 110)),
        "createModelVersion",
        {
            "model": MODEL,
            "runId": run_of(TRAIN, night),
            "sourceUri": f"s3://shop-models/churn/v{number}/model.json",
            "description": f"Trained on the features of {moment(night):%d %B %Y}.",
        },
    )


def _move(number: int, stage: str, night: int, hour: int, why: str, *, replaces: bool = False) -> Command:
    told: dict[str, Any] = {"model": MODEL, "version": str(number), "toStage": stage, "comment": why}
    if replaces:
        told["archiveExisting"] = True
    return Command(when(moment(night, (hour - 2) * 60)), "transitionStage", told)


def _alias(night: int, name: str, number: int) -> Command:
    return Command(
        when(moment(night, 9 * 60)), "setAlias", {"model": MODEL, "alias": name, "version": str(number)}
    )

"""Tells the demo to an empty Headwater: its events through the log, its registry commands in their order."""

from typing import Any

import orjson

from headwater_server.demo import Command, commands, events
from headwater_server.graph import times
from headwater_server.ingest.receive import receive_many
from headwater_server.parts import Parts


def tell(parts: Parts) -> None:
    """Returns when the graph shows all of it."""
    raws = [orjson.dumps(event) for event in events()]
    submission, _, failed = receive_many(raws, parts.committer, eager=True)
    if failed:
        raise failed[0].error
    if submission is not None:
        submission.projected.result()
    for command in commands():
        _obey(parts, command)


def _obey(parts: Parts, command: Command) -> None:
    at = times.parse(command.at)
    registry = parts.registry_at(lambda: at)
    given: dict[str, Any] = command.input
    match command.mutation:
        case "registerModel":
            tags = {t["key"]: t.get("value") for t in given.get("tags", [])}
            registry.register_model(
                given["name"], description=given.get("description"), tags=tags, actor=command.by
            )
        case "createModelVersion":
            registry.create_version(
                given["model"],
                run_id=given.get("runId"),
                source_uri=given.get("sourceUri"),
                description=given.get("description"),
                actor=command.by,
            )
        case "transitionStage":
            registry.transition(
                model=given["model"],
                version=given["version"],
                to_stage=given["toStage"],
                comment=given.get("comment"),
                archive_existing=given.get("archiveExisting"),
                actor=command.by,
            )
        case "setAlias":
            registry.set_alias(given["model"], given["alias"], version=given["version"], actor=command.by)
        case unknown:
            raise ValueError(f"the demo has no {unknown}")

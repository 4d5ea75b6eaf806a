"""What a record of the registry tells those who want to hear of it, in the words of MLflow's webhooks. Pure.

Each notice is of an entity (`model_version`), an action (`created`) and what is told, with MLflow's fields in MLflow's
order. A model that is a prompt is told as one. Stages are ours: MLflow says nothing of them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from headwater_server.graph import keys
from headwater_server.log.port import Record
from headwater_server.registry import prompts, records


class Notice(NamedTuple):
    entity: str
    action: str
    data: dict[str, Any]


IsPrompt = Callable[[str], bool]
"""Whether the model of this name is a prompt."""


def notices(record: Record, is_prompt: IsPrompt) -> list[Notice]:
    """In the order in which they are told; none for a record that tells nothing, or whose body was erased."""
    tell = _TOLD.get(record.kind)
    if tell is None or record.erased is not None:
        return []
    return list(tell(orjson.loads(record.body), is_prompt))


def _model(body: Mapping[str, Any], _: IsPrompt) -> Iterable[Notice]:
    tags = _texts(body.get("tags"))
    data = {"name": body["name"], "tags": tags, "description": body.get("description") or ""}
    if prompts.is_prompt(tags):
        yield Notice("prompt", "created", {**data, "tags": _own(tags)})
    else:
        yield Notice("registered_model", "created", data)


def _version(body: Mapping[str, Any], _: IsPrompt) -> Iterable[Notice]:
    tags = _texts(body.get("tags"))
    data: dict[str, Any] = {"name": body["model"], "version": str(body["number"])}
    description = body.get("description") or None
    if prompts.is_prompt(tags):
        template = tags.pop(prompts.TEXT, None)
        said = {**data, "template": template, "tags": _own(tags), "description": description}
        yield Notice("prompt_version", "created", said)
        return
    run = keys.parts_of(body["run"])[0] if body.get("run") else body.get("runId")
    origin = {"source": body.get("sourceUri") or "", "run_id": run or None}
    yield Notice("model_version", "created", {**data, **origin, "tags": tags, "description": description})


def _edit(body: Mapping[str, Any], is_prompt: IsPrompt) -> Iterable[Notice]:
    name, number = body["model"], body.get("number")
    prompt = is_prompt(name)
    if number is None and not prompt:
        return  # of the tags of models MLflow says nothing
    data = {"name": name} if number is None else {"name": name, "version": str(number)}
    entity = f"{'prompt' if prompt else 'model'}{'' if number is None else '_version'}_tag"
    for key, value in _texts(body.get("tags")).items():
        yield Notice(entity, "set", {**data, "key": key, "value": value})
    for key in body.get("removed") or ():
        yield Notice(entity, "deleted", {**data, "key": key})


def _alias(body: Mapping[str, Any], is_prompt: IsPrompt) -> Iterable[Notice]:
    entity = "prompt_alias" if is_prompt(body["model"]) else "model_version_alias"
    data = {"name": body["model"], "alias": body["alias"]}
    if body["number"] is None:
        yield Notice(entity, "deleted", data)
    else:
        yield Notice(entity, "created", {**data, "version": str(body["number"])})


def _moves(body: Mapping[str, Any], _: IsPrompt) -> Iterable[Notice]:
    for move in body["moves"]:
        yield _moved(body, move["number"], move["from"], move["to"], body.get("comment"))


def _deletion(body: Mapping[str, Any], _: IsPrompt) -> Iterable[Notice]:
    """What is deleted leaves its stage."""
    for number, stage in body["versions"]:
        if stage is not None:
            yield _moved(body, number, stage, None, "deleted")


def _moved(
    body: Mapping[str, Any], number: object, before: str | None, after: str | None, comment: str | None
) -> Notice:
    data = {
        "name": body["model"],
        "version": str(number),
        "from_stage": before or "None",
        "to_stage": after or "None",
        "user_id": body["by"],
        "comment": comment,
    }
    return Notice("model_version_stage", "updated", data)


def _texts(tags: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: "" if value is None else str(value) for key, value in (tags or {}).items()}


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    """Without those by which clients know a prompt."""
    return {key: value for key, value in tags.items() if key not in (prompts.IS_PROMPT, prompts.FORM)}


_TOLD: Mapping[str, Callable[[Mapping[str, Any], IsPrompt], Iterable[Notice]]] = {
    records.MODEL: _model,
    records.VERSION: _version,
    records.EDIT: _edit,
    records.ALIAS: _alias,
    records.TRANSITION: _moves,
    records.DELETE: _deletion,
}
TOLD = tuple(_TOLD)
"""The kinds of record that tell something."""

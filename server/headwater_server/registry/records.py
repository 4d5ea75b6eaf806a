"""The registry's decisions as facts. Pure; replayed as they were decided, never decided again."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts, mention

MODEL: Final = "registry.model"
VERSION: Final = "registry.version"
TRANSITION: Final = "registry.transition"
ALIAS: Final = "registry.alias"
EDIT: Final = "registry.edit"
DELETE: Final = "registry.delete"
RENAME: Final = "registry.rename"

ARCHIVED = "Archived"
DEFAULT_STAGES = (("Development", False), ("Staging", False), ("Production", False), (ARCHIVED, False))


def translate_model(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts, model, at = _changed(body["name"], body)
    model.since("created", at)
    model.say("deleted", at, value=False)
    if body.get("description"):
        model.say("description", at, body["description"])
    if body.get("stages"):
        model.say("own_stages", at, value=True)
    model.say_tags(body.get("tags") or {}, (), at)
    for order, (name, exclusive) in enumerate(body.get("stages") or DEFAULT_STAGES):
        stage = facts[keys.stage(body["name"], name)]
        stage.say("order", at, order)
        stage.say("exclusive", at, exclusive)
    return facts


def translate_version(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts, model, at = _changed(body["model"], body)
    model.since("created", at)
    key = keys.model_version(body["model"], body["number"])
    facts[key].say("made", at, body)
    facts[key].say_tags(body.get("tags") or {}, (), at)
    if body.get("run"):
        mention(facts, body["run"]).since(f"produced|{key}", at)
    _mention_origins(facts, body)
    return facts


def translate_transition(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts, _, at = _changed(body["model"], body)
    name, revision = body["model"], body["revision"]
    for move in body["moves"]:
        if move["to"] is not None:
            facts[keys.stage(name, move["to"])]
        version = facts[keys.model_version(name, move["number"])]
        said = {
            "id": body["id"],
            "from": move["from"],
            "to": move["to"],
            "at": at,
            "by": body["by"],
            "comment": body.get("comment"),
            "archived": [m["number"] for m in body["moves"][1:]] if move is body["moves"][0] else [],
        }
        version.say(f"move|{revision}", at, said)
    return facts


def translate_alias(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts, _, at = _changed(body["model"], body, told=False)
    name = body["model"]
    version = keys.model_version(name, body["number"]) if body["number"] is not None else None
    if version is not None:
        mention(facts, version)
    said = {"version": version, "at": at, "by": body["by"]}
    facts[keys.alias(name, body["alias"])].say(f"point|{body['revision']}", at, said)
    return facts


def translate_edit(body: Any, seq: int) -> Mapping[str, Facts]:
    """A description, tags set and removed: of a model, or of one of its versions."""
    del seq
    number = body.get("number")
    facts, model, at = _changed(body["model"], body, told=number is None and "description" in body)
    one = facts[keys.model_version(body["model"], number)] if number is not None else model
    one.until("edited", at)
    if "description" in body:
        one.say("description", at, body["description"])
    one.say_tags(body.get("tags", {}), body.get("removed", ()), at)
    return facts


def translate_delete(body: Any, seq: int) -> Mapping[str, Facts]:
    """Of versions, or of the model with all of them: what was is kept, nothing stands in a stage any more."""
    del seq
    facts, model, at = _changed(body["model"], body)
    name, revision = body["model"], body["revision"]
    for number, stage in body["versions"]:
        version = facts[keys.model_version(name, number)]
        version.say("deleted", at, value=True)
        if stage is not None:
            said = {
                "id": f"deleted-{revision}",
                "from": stage,
                "to": None,
                "at": at,
                "by": body["by"],
                "comment": "deleted",
                "archived": [],
            }
            version.say(f"move|{revision}", at, said)
    for alias in body["aliases"]:
        said = {"version": None, "at": at, "by": body["by"]}
        facts[keys.alias(name, alias)].say(f"point|{revision}", at, said)
    if body["whole"]:
        model.say("deleted", at, value=True)
        model.say("description", at, value=None)
        model.say_tags({}, body["tags"], at)
    return facts


def translate_rename(body: Any, seq: int) -> Mapping[str, Facts]:
    """All that was known under the old name is known under the new one; the old one is gone."""
    facts, model, at = _changed(body["to"], body)
    for key, (values, first, last) in body["known"].items():
        facts[key].join(Facts(dict(values), dict(first), dict(last)))
        if "made" in values:
            _mention_origins(facts, values["made"][2])
    model.say("deleted", at, value=False)
    for run, old, new, since in body["produced"]:
        mention(facts, run).since(f"produced|{new}", since)
        facts[run].since(f"renamed|{old}", at)
    for key, gone in translate_delete({**body, "whole": True}, seq).items():
        facts[key].join(gone)
    return facts


def _mention_origins(facts: dict[str, Facts], made: Any) -> None:
    """What a version was made of."""
    for other in (made.get("loggedModel") or "", *(made.get("trainedOn") or ())):
        if other.startswith(("logged_model|", "dataset|")):
            mention(facts, other)


def _changed(name: str, body: Any, *, told: bool = True) -> tuple[dict[str, Facts], Facts, int]:
    """The facts to come, the model's among them, and when: every decision moves its model on by a revision.

    `told`: clients are told of it as a change of the model. As with MLflow, tags, aliases and what is said of a version
    are none.
    """
    facts: dict[str, Facts] = defaultdict(Facts)
    model = facts[keys.model(name)]
    model.until("revision", body["revision"])
    model.until("moved", body["at"])
    if told:
        model.until("changed", body["at"])
    return facts, model, body["at"]


TRANSLATORS = {
    MODEL: translate_model,
    VERSION: translate_version,
    TRANSITION: translate_transition,
    ALIAS: translate_alias,
    EDIT: translate_edit,
    DELETE: translate_delete,
    RENAME: translate_rename,
}

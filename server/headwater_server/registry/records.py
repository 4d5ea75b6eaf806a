"""The registry's decisions as facts. Pure; replayed as they were decided, never decided again."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts

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
    facts: dict[str, Facts] = defaultdict(Facts)
    model, at = facts[keys.model(body["name"])], body["at"]
    model.since("created", at)
    model.set("deleted", at, "False", value=False)
    model.until("revision", body["revision"])
    model.until("moved", at)
    if body.get("description"):
        model.set("description", at, body["description"], body["description"])
    if body.get("stages"):
        model.set("own_stages", at, "", value=True)
    for tag, value in (body.get("tags") or {}).items():
        model.set(f"tag|{tag}", at, str(value), {"value": value})
    for order, (name, exclusive) in enumerate(body.get("stages") or DEFAULT_STAGES):
        stage = facts[keys.stage(body["name"], name)]
        stage.set("order", at, f"{order}", order)
        stage.set("exclusive", at, str(exclusive), exclusive)
    return facts


def translate_version(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    key, at = keys.model_version(body["model"], body["number"]), body["at"]
    facts[key].set("made", at, str(body["number"]), body)
    for tag, value in (body.get("tags") or {}).items():
        facts[key].set(f"tag|{tag}", at, str(value), {"value": value})
    model = facts[keys.model(body["model"])]
    model.since("created", at)
    model.until("revision", body["revision"])
    model.until("moved", at)
    if body.get("run"):
        facts[body["run"]].since(f"produced|{key}", at)
    return facts


def translate_transition(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    name, at, revision = body["model"], body["at"], body["revision"]
    model = facts[keys.model(name)]
    model.until("revision", revision)
    model.until("moved", at)
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
        version.set(f"move|{revision}", at, str(move["to"]), said)
    return facts


def translate_alias(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    name, at = body["model"], body["at"]
    model = facts[keys.model(name)]
    model.until("revision", body["revision"])
    model.until("moved", at)
    version = keys.model_version(name, body["number"]) if body["number"] is not None else None
    said = {"version": version, "at": at, "by": body["by"]}
    facts[keys.alias(name, body["alias"])].set(f"point|{body['revision']}", at, str(version), said)
    return facts


def translate_edit(body: Any, seq: int) -> Mapping[str, Facts]:
    """A description, tags set and removed: of a model, or of one of its versions."""
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    name, at = body["model"], body["at"]
    model = facts[keys.model(name)]
    model.until("revision", body["revision"])
    model.until("moved", at)
    number = body.get("number")
    one = facts[keys.model_version(name, number)] if number is not None else model
    one.until("edited", at)
    if "description" in body:
        one.set("description", at, body["description"] or "", body["description"])
    for tag, value in body.get("tags", {}).items():
        one.set(f"tag|{tag}", at, f"1{value}", {"value": value})
    for tag in body.get("removed", ()):
        one.set(f"tag|{tag}", at, "0", {"removed": True})
    return facts


def translate_delete(body: Any, seq: int) -> Mapping[str, Facts]:
    """Of versions, or of the model with all of them: what was is kept, nothing stands in a stage any more."""
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    name, at, revision = body["model"], body["at"], body["revision"]
    model = facts[keys.model(name)]
    model.until("revision", revision)
    model.until("moved", at)
    for number, stage in body["versions"]:
        version = facts[keys.model_version(name, number)]
        version.set("deleted", at, "True", value=True)
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
            version.set(f"move|{revision}", at, "None", said)
    for alias in body["aliases"]:
        said = {"version": None, "at": at, "by": body["by"]}
        facts[keys.alias(name, alias)].set(f"point|{revision}", at, "None", said)
    if body["whole"]:
        model.set("deleted", at, "True", value=True)
        model.set("description", at, "", None)
        for tag in body["tags"]:
            model.set(f"tag|{tag}", at, "0", {"removed": True})
    return facts


def translate_rename(body: Any, seq: int) -> Mapping[str, Facts]:
    """All that was known under the old name is known under the new one; the old one is gone."""
    facts: dict[str, Facts] = defaultdict(Facts)
    for key, (values, first, last) in body["known"].items():
        facts[key].join(Facts(dict(values), dict(first), dict(last)))
    model = facts[keys.model(body["to"])]
    model.set("deleted", body["at"], "False", value=False)
    model.until("revision", body["revision"])
    model.until("moved", body["at"])
    for run, old, new, at in body["produced"]:
        facts[run].since(f"produced|{new}", at)
        facts[run].since(f"renamed|{old}", body["at"])
    for key, gone in translate_delete({**body, "whole": True}, seq).items():
        facts[key].join(gone)
    return facts


TRANSLATORS = {
    MODEL: translate_model,
    VERSION: translate_version,
    TRANSITION: translate_transition,
    ALIAS: translate_alias,
    EDIT: translate_edit,
    DELETE: translate_delete,
    RENAME: translate_rename,
}

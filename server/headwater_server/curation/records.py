"""What people say by hand, as facts on the node they speak of. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind

TAG: Final = "curation.tag"
UPDATE: Final = "curation.update"
ANNOTATE: Final = "curation.annotate"
ARCHIVE: Final = "curation.archive"
EDGE: Final = "curation.edge"


def place(key: str) -> tuple[str, str]:
    """Where facts about a node are kept: (key, prefix of their names). A column's are its dataset's."""
    if keys.kind_of(key) is Kind.COLUMN:
        return keys.dataset_of(key), f"on|{keys.parts_of(key)[-1]}|"
    return key, ""


def translate_tag(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    owner, on = place(body["key"])
    facts = Facts()
    facts.say_tags(body["set"], body["remove"], body["at"], on=on)
    return {owner: facts}


def translate_update(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    owner, on = place(body["key"])
    facts = Facts()
    for name, value in body["after"].items():
        facts.say(f"{on}{name}", body["at"], value)
    return {owner: facts}


def translate_annotate(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    note = {"subject": body["key"], "body": body["body"], "author": body["by"], "at": body["at"]}
    facts = Facts()
    facts.set("note", body["at"], "", note)
    return {keys.key(Kind.ANNOTATION, body["id"]): facts}


def translate_archive(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    owner, on = place(body["key"])
    facts = Facts()
    facts.say(f"{on}archived", body["at"], body["archived"])
    return {owner: facts}


def edge_name(kind: str, source: str, target: str) -> str:
    """Of the fact that an edge by hand is, where its source's facts are kept."""
    return f"manual|{kind}|{source}>{target}"


def translate_edge(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    ends = [(body["source"], body["target"])]
    if body["kind"] == "SYMLINK":
        ends.append((body["target"], body["source"]))
    for source, target in ends:
        owner, _ = place(source)
        said = {
            "source": source,
            "target": target,
            **{k: body[k] for k in ("kind", "at", "by", "note", "removed")},
        }
        facts[owner].set(edge_name(body["kind"], source, target), body["at"], str(body["removed"]), said)
    return facts


TRANSLATORS = {
    TAG: translate_tag,
    UPDATE: translate_update,
    ANNOTATE: translate_annotate,
    ARCHIVE: translate_archive,
    EDGE: translate_edge,
}

"""Reading facts back: what a facet says, what people wrote by hand, and a derivation's result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headwater_server.graph.changes import Edge, Node, Value
from headwater_server.graph.facts import Facts

_ROLES = {"told": 0, "seen": 1, "facet": 2}
"""Whose word a facet is, by how much it counts."""
_BY_HAND = ("description", "owners", "displayName", "archived")


@dataclass(slots=True)
class Derived:
    nodes: list[Node]
    edges: list[Edge]


def meaning_of(facts: Facts, facet: str) -> Any:
    """What a facet was understood as: the owner's word, else an observer's, else anybody's, else None."""
    values = facts.values
    for role in ("facet|", "seen|", "told|"):
        entry = values.get(role + facet)
        if entry is not None:
            return entry[2].get("x")
    return None


def facet_names(facts: Facts) -> list[str]:
    """`NAME=HASH` for each facet that is there: the body is in the log."""
    found: dict[str, tuple[int, Any]] = {}
    for said, (_, _, entry) in facts.values.items():
        role, _, name = said.partition("|")
        if role in _ROLES and _ROLES[role] >= found.get(name, (0,))[0]:
            found[name] = _ROLES[role], entry
    return [f"{name}={found[name][1]['h']}" for name in sorted(found) if not found[name][1].get("d")]


def tags_of(facts: Facts, told: Sequence[str], on: str = "") -> list[str]:
    """Tags told by producers, then those set or removed by hand (by key)."""
    found = {tag.partition("=")[0]: tag for tag in told}
    for key, entry in facts.named(f"{on}tag|"):
        if entry.get("removed"):
            found.pop(key, None)
        else:
            found[key] = f"{key}={entry['value']}" if entry.get("value") else key
    return sorted(found.values())


def curated(facts: Facts, on: str = "") -> dict[str, Value]:
    """What was written by hand wins over what producers say. `on` is `on|COLUMN|` for a column."""
    values = facts.values
    said = ((name, values[on + name][2]) for name in _BY_HAND if on + name in values)
    return {name: value for name, value in said if value is not None}


def present(props: Mapping[str, Value]) -> dict[str, Value]:
    """Without what is not there: None, empty lists, False."""
    return {k: v for k, v in props.items() if v is not None and v != [] and v is not False}

"""What a changeset may not say, whichever store it goes to. Pure."""

from collections.abc import Mapping
from math import isfinite

from headwater_server.graph.changes import Node, Value
from headwater_server.graph.words import PROPS, Kind

_ALLOWED: dict[Kind, frozenset[str]] = {kind: frozenset(names) for kind, names in PROPS.items()}
_RESERVED = frozenset({"tag", "since", "until"})


class BadChange(ValueError):
    """A changeset that no store can apply: a fault of the code that made it, not of a caller."""


def dangling(what: str, missing: str) -> BadChange:
    return BadChange(
        f"{what} names a node that is neither there nor in the changeset: {missing!r}; "
        "nothing of the changeset was written"
    )


def checked_node(node: Node) -> Mapping[str, Value]:
    """Its properties as they are.

    Raises:
        BadChange: a property that `words.PROPS` does not list.

    """
    props = node.props
    if not props.keys() <= _ALLOWED[node.kind]:
        strange = ", ".join(sorted(props.keys() - _ALLOWED[node.kind]))
        raise BadChange(f"{node.kind} has no property {strange} in graph.words.PROPS; add it there")
    return props


def checked_edge(props: Mapping[str, Value]) -> Mapping[str, Value]:
    """The properties as they are.

    Raises:
        BadChange: a property with the name of a field of every edge.

    """
    if not _RESERVED.isdisjoint(props):
        raise BadChange("tag, since and until are fields of an edge, not properties of it")
    return props


def node_props(node: Node) -> Mapping[str, Value]:
    """What is to be written: None means left out. Raises as `checked_node`."""
    return without_none(checked_node(node))


def edge_props(props: Mapping[str, Value]) -> Mapping[str, Value]:
    """What is to be written: None means left out. Raises as `checked_edge`."""
    return without_none(checked_edge(props))


def without_none(props: Mapping[str, Value]) -> Mapping[str, Value]:
    """Without NaN and infinities too: JSON has no such numbers."""
    values = props.values()
    if None in values or float in map(type, values):
        return {name: value for name, value in props.items() if value is not None and _is_json(value)}
    return props


def _is_json(value: Value) -> bool:
    return not isinstance(value, float) or isfinite(value)

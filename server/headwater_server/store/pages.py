"""The first pages of many groups out of nodes in no order: the last step of `GraphStore.pages`."""

from collections.abc import Iterable
from operator import itemgetter

from headwater_server.graph.changes import Node

_ORDER = itemgetter(Node._fields.index("sort"), Node._fields.index("key"))


def first_pages(nodes: Iterable[Node], *, reverse: bool, limit: int) -> dict[str, list[Node]]:
    """Each group's nodes in order of (sort, key), cut after `limit`."""
    found: dict[str, list[Node]] = {}
    for node in nodes:
        group = found.get(node.group)
        if group is None:
            found[node.group] = [node]
        else:
            group.append(node)
    for group in found.values():
        if len(group) > 1:
            group.sort(key=_ORDER, reverse=reverse)
            del group[limit:]
    return found

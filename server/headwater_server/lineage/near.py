"""The names a person may have meant: by words first, by likeness over a bounded page second."""

from collections.abc import Sequence
from difflib import get_close_matches

from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage.urns import urn
from headwater_server.store.port import GraphStore

NAMED = (Kind.DATASET, Kind.MODEL, Kind.JOB)
_PAGE = 500


def closest(text: str, store: GraphStore, *, kinds: Sequence[Kind] = NAMED, limit: int = 5) -> list[Node]:
    """At most `limit` nodes that are called something like the text."""
    last = text.rstrip("/").rpartition("/")[2].rpartition("#")[0] or text.rstrip("/").rpartition("/")[2]
    found: dict[str, Node] = {}
    for words in dict.fromkeys((text, last, last[: max(3, len(last) // 2)])):
        if words.strip():
            for hit in store.search(words, kinds=kinds, limit=limit):
                found.setdefault(hit.node.key, hit.node)
        if found:
            break
    if not found:
        named: dict[str, Node] = {}
        for kind in kinds:
            for node in store.page(kind, marks=("",), limit=_PAGE):
                named.setdefault(name_of(node).casefold(), node)
        bare = {name.rpartition(".")[2]: node for name, node in reversed(named.items())}
        for names in (named, bare):
            for name in get_close_matches(last.casefold(), names, n=limit, cutoff=0.6):
                found.setdefault(names[name].key, names[name])
    return list(found.values())[:limit]


def suggestions(text: str, store: GraphStore) -> list[str]:
    """Urns to offer beside "there is no such thing"."""
    return [urn(node) for node in closest(text, store)]


def name_of(node: Node) -> str:
    name = node.props.get("name")
    return name if isinstance(name, str) else node.sort

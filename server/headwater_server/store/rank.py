"""How well a node answers a search: one order for every store. Pure."""

from collections.abc import Iterable

from headwater_server.graph import names
from headwater_server.graph.changes import Node
from headwater_server.store.port import Hit

CANDIDATES = 200
"""How many nodes an adapter fetches by its own index's rank before they are put in this order."""


def terms(text: str) -> list[str]:
    """The words of a query: each must be the beginning of a word of the node.

    Of a very long word the beginning is asked for: Lucene cuts words at 255 characters and refuses a prefix of 1,000.
    """
    return [word[:250] for word in names.words(text).split()]


def best(text: str, nodes: Iterable[Node], limit: int) -> list[Hit]:
    """The best first; equally good ones in order of key."""
    wanted = terms(text)
    exact = text.strip().casefold()
    hits = [Hit(node, _score(exact, wanted, node)) for node in nodes]
    return sorted(hits, key=lambda hit: (-hit.score, hit.node.key))[:limit]


def _score(exact: str, wanted: list[str], node: Node) -> float:
    """2 for the exact name, up to 1 for words met whole, below 1 for a short name."""
    titles = [
        title.casefold()
        for title in (node.props.get("name"), node.props.get("displayName"))
        if isinstance(title, str)
    ] or [node.sort.casefold()]
    whole = set(node.words.split())
    words_met = sum(word in whole for word in wanted) / len(wanted)
    brevity = len(exact) / max(len(exact), 1, min(map(len, titles)))
    return (2.0 if exact in titles else 0.0) + words_met + min(brevity, 0.999)

"""One hash over all that the graph shows: the same on every store, in any order of arrival, any number of times.

Each node and edge is hashed by itself and the hashes are added modulo 2^256, so that no order is needed
and nothing has to be held. There is no sequence number and no receive time in what is derived.
"""

import hashlib
from typing import Any

import orjson

from headwater_server.graph.words import Kind
from headwater_server.store.port import GraphStore

_MODULUS = 2**256


def fingerprint(store: GraphStore) -> str:
    """64 hexadecimal digits; reads the whole graph, streamed."""
    total = 0
    for node in store.all_nodes():
        if node.kind is not Kind.STATEMENT:
            total += _hash(["node", node.key, node.kind, node.group, node.mark, node.sort, dict(node.props)])
    for edge in store.all_edges():
        total += _hash(
            ["edge", edge.source, edge.kind, edge.target, edge.tag, edge.since, edge.until, dict(edge.props)]
        )
    return f"{total % _MODULUS:064x}"


def _hash(content: list[Any]) -> int:
    return int.from_bytes(hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest())

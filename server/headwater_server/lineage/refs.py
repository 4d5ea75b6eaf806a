"""Every spelling of a reference, and the one node it means."""

from headwater_server.graph.changes import Node
from headwater_server.store.port import GraphStore


def encode_id(key: str) -> str:
    """The opaque id of a key: base64url without padding."""
    raise NotImplementedError


def decode_id(text: str) -> str | None:
    """The key of an opaque id; None when the text is not one."""
    raise NotImplementedError


def urn(node: Node) -> str:
    """`hw:dataset:<ns>/<name>`, `hw:job:<ns>/<name>`, `hw:run:<id>`, `hw:model:<name>@3`, …"""
    raise NotImplementedError


def resolve(ref: str, store: GraphStore) -> Node:
    """The node that a person, a client or a key means.

    Raises:
        NotFound: nothing is called so; details `ref` and `didYouMean`.

    """
    raise NotImplementedError

"""The two names of a node that leave the server: the opaque id and the readable urn. Pure."""

import base64
import binascii
from functools import lru_cache

from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind


@lru_cache(maxsize=65_536)  # an answer names each key many times
def encode_id(key: str) -> str:
    """The opaque id of a key: base64url without padding."""
    return binascii.b2a_base64(key.encode(), newline=False).decode().translate(_TO_URL).rstrip("=")


_TO_URL = str.maketrans("+/", "-_")


def decode_id(text: str) -> str | None:
    """The key of an opaque id; None when the text is not one."""
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        return None
    return key if keys.is_key(key) else None


def urn(node: Node) -> str:
    """`hw:dataset:<ns>/<name>[#column]`, `hw:job:<ns>/<name>`, `hw:run:<id>`, `hw:model:<name>[@3]`, …"""
    return urn_of(node.key, node.kind)


def urn_of(key: str, kind: Kind) -> str:
    parts = keys.parts_of(key)
    match kind:
        case Kind.DATASET:
            return f"hw:dataset:{parts[0]}/{parts[1]}"
        case Kind.JOB:
            return f"hw:job:{parts[0]}/{parts[1]}"
        case Kind.COLUMN:
            return f"hw:dataset:{parts[0]}/{parts[1]}#{parts[2]}"
        case Kind.RUN:
            return f"hw:run:{parts[0]}"
        case Kind.MODEL_VERSION:
            return f"hw:model:{parts[0]}@{parts[1]}"
        case Kind.DATASET_VERSION | Kind.JOB_VERSION:
            return f"hw:{key.partition('|')[0]}:{'/'.join(parts[:-1])}@{parts[-1]}"
        case _:
            return f"hw:{key.partition('|')[0]}:{'/'.join(parts)}"

"""What of a record stands in the tree: who, when, what kind, how long, and a salted commitment to its body. Pure.

The body itself stays outside. When body and salt are deleted, the leaf says no more of them: nobody can guess a body and
compare.
"""

from dataclasses import dataclass
from hashlib import sha256

import orjson

SALT = 16
"""Bytes of a salt: random, one for each record."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """`data` is hashed as it stands here."""

    seq: int
    data: bytes
    hash: bytes
    salt: bytes | None
    """None: erased, with the body."""


@dataclass(frozen=True, slots=True)
class Said:
    """A leaf's data, read."""

    v: int
    seq: int
    at: int
    actor: str
    kind: str
    len: int
    commit: str


def commitment(salt: bytes, body: bytes) -> str:
    return sha256(b"hw-body-v1" + salt + body).hexdigest()


def leaf_data(seq: int, at: int, actor: str, kind: str, body: bytes, salt: bytes) -> bytes:
    """JSON, in this order, without spaces; `at` is the receive time in microseconds."""
    return orjson.dumps(
        {
            "v": 1,
            "seq": seq,
            "at": at,
            "actor": actor,
            "kind": kind,
            "len": len(body),
            "commit": commitment(salt, body),
        }
    )


def read_leaf(data: bytes) -> Said:
    """Raises ValueError: no leaf of ours."""
    try:
        return Said(**orjson.loads(data))
    except TypeError as error:
        raise ValueError(str(error)) from None

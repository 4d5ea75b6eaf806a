"""A proof that one record is in the log: whole in itself, checked without a server or data. Pure but for the making."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from headwater_server.audit.note import Checkpoint, VerifierKey, opened
from headwater_server.errors import Conflict, Invalid, NotFound
from headwater_server.log.leaf import Said, commitment, read_leaf
from headwater_server.log.port import RecordReader
from headwater_server.log.tree import (
    TILE,
    Root,
    consistency,
    inclusion,
    is_consistent,
    is_included,
    leaf_hash,
    roots,
)

FORMAT = "headwater-proof-v1"


def roots_of(log: RecordReader, size: int) -> Root:
    """Roots over the first `size` leaves, as the file has them."""
    return roots(
        log.tiles(0, size // TILE), lambda first, end: [e.hash for e in log.leaves(first, limit=end - first)]
    )


def prove(log: RecordReader, seq: int, *, checkpoint: str, key: VerifierKey) -> dict[str, Any]:
    """Leaf, path and checkpoint; body and salt, unless they are erased. `checkpoint` is of a tree that has the record.

    Raises:
        NotFound: no such record.

    """
    size = Checkpoint.read(checkpoint).size
    record = log.get(seq)
    if record is None or not 1 <= seq <= size:
        raise NotFound(f"There is no record {seq}; records are 1 to {size}.")
    [leaf] = log.leaves(seq - 1, limit=1)
    path = inclusion(seq - 1, size, roots_of(log, size))
    proof: dict[str, Any] = {
        "format": FORMAT,
        "seq": seq,
        "leaf": leaf.data.decode(),
        "path": [base64.b64encode(node).decode() for node in path],
        "checkpoint": checkpoint,
        "key": str(key),
    }
    if record.erased is not None or leaf.salt is None:
        return {**proof, "erasedBy": record.erased}
    return {**proof, "body": record.body.decode(), "salt": leaf.salt.hex()}


def check(proof: Mapping[str, Any], keys: Sequence[VerifierKey] = ()) -> tuple[Said, Checkpoint, VerifierKey]:
    """What the leaf says, and which checkpoint signed by which key has it. Without `keys` the proof's own is taken:
    whoever reads it compares that key with the one that they know.

    Raises:
        Invalid: it proves nothing, and why.

    """
    if proof.get("format") != FORMAT:
        raise Invalid(f"this is no proof: expected a JSON object with format {FORMAT}.")
    try:
        data = str(proof["leaf"]).encode()
        path = [base64.b64decode(node, validate=True) for node in proof["path"]]
        said, note, named = read_leaf(data), str(proof["checkpoint"]), VerifierKey.read(str(proof["key"]))
        body, salt = str(proof.get("body", "")).encode(), bytes.fromhex(str(proof.get("salt", "")))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise Invalid(f"this proof cannot be read: {error}.") from None
    checkpoint = opened(note, keys or [named])
    key = next((k for k in keys if k == named), named)
    if not is_included(leaf_hash(data), said.seq - 1, checkpoint.size, path, checkpoint.root):
        raise Invalid(f"the path does not lead from the leaf of record {said.seq} to the checkpoint's root.")
    if said.seq != proof.get("seq"):
        raise Invalid(f"the proof is of record {proof.get('seq')}, its leaf of record {said.seq}.")
    if "body" in proof and (len(body) != said.len or commitment(salt, body) != said.commit):
        raise Invalid(f"the body is not the one that record {said.seq} committed to.")
    return said, checkpoint, key


def prove_growth(log: RecordReader, old: int, new: int) -> list[bytes]:
    """That the log of `old` records is the beginning of the log of `new`.

    Raises:
        Invalid: not that many records, or `old` is the larger one.

    """
    head = log.tree().size
    if not 0 <= old <= new <= head:
        raise Conflict(f"expected sizes in order, at most {head}; got {old} and {new}.")
    return consistency(old, new, roots_of(log, new))


def grew(old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> bool:
    return old.origin == new.origin and is_consistent(old.size, old.root, new.size, new.root, path)

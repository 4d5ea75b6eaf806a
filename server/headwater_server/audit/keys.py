"""The key that signs: made at the first start, kept in the data folder, changed by a record that both keys sign."""

import base64
import binascii
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headwater_server.audit.note import SignerKey, VerifierKey, sign, signed_by
from headwater_server.errors import Invalid, NotFound, Unavailable
from headwater_server.log.port import Record, RecordReader, Which

logger = logging.getLogger("headwater.audit")

FILE = "signing.key"
NEXT = "signing.next.key"
ROTATION = "audit.key"
"""The kind of the record that says which key follows which."""
_PRIVATE = "PRIVATE+KEY+"
_PAGE = 100


def origin_of(instance: str) -> str:
    """A log's name in checkpoints; its keys have the same."""
    return f"headwater/{instance}"


def load(path: Path, name: str) -> SignerKey:
    """From a file in the form that Go's note package writes: `PRIVATE+KEY+name+id+seed`.

    Raises:
        NotFound: there is none.
        Invalid: the file holds no key of this log.
        Unavailable: it cannot be read.

    """
    try:
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise NotFound(f"There is no signing key at {path}.") from None
    except OSError as error:
        raise Unavailable(
            f"the signing key {path} cannot be read ({error.strerror}); check its permissions."
        ) from error
    except UnicodeDecodeError:
        text = ""
    _, found, rest = text.strip().partition(f"{_PRIVATE}{name}+")
    given, _, encoded = rest.partition("+")
    try:
        raw = base64.b64decode(encoded, validate=True)
        key = SignerKey(name, Ed25519PrivateKey.from_private_bytes(raw[1:])) if raw[:1] == b"\x01" else None
    except (binascii.Error, ValueError):
        key = None
    if not found or key is None or key.verifier.id.hex() != given:
        raise Invalid(f"{path} holds no signing key of {name}. Put the right one back (a backup has it).")
    return key


def make(path: Path, name: str) -> SignerKey:
    """A new key, durable and readable by its owner alone."""
    key = SignerKey(name, Ed25519PrivateKey.generate())
    seed = base64.b64encode(b"\x01" + key.private.private_bytes_raw()).decode()
    draft = path.with_name(path.name + ".draft")
    with suppress(FileNotFoundError):
        draft.unlink()
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(f"{_PRIVATE}{name}+{key.verifier.id.hex()}+{seed}\n")
        file.flush()
        os.fsync(file.fileno())
    put_in_place(draft, path)
    return key


def put_in_place(draft: Path, path: Path) -> None:
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def signer(data: Path, log: RecordReader) -> SignerKey:
    """The key that signs now; made when there is none, exchanged when a rotation was cut short after its record."""
    name = origin_of(log.instance)
    path, following = data / FILE, data / NEXT
    if following.exists():
        chain = rotations(log)
        if chain and load(following, name).verifier == chain[-1][1]:
            put_in_place(following, path)
        else:
            following.unlink()
    if not path.exists():
        if log.head():
            logger.warning("there was no signing key at %s; a new one is made", path)
        return make(path, name)
    if path.stat().st_mode & 0o077:
        logger.warning("%s can be read by others; do: chmod 600 %s", path, path)
    return load(path, name)


def rotation_text(old: VerifierKey, new: VerifierKey) -> str:
    return f"headwater key rotation\n{old}\n{new}\n"


def rotation_note(old: SignerKey, new: SignerKey) -> str:
    return sign(rotation_text(old.verifier, new.verifier), old, new)


def read_rotation(body: bytes) -> tuple[VerifierKey, VerifierKey]:
    """(old, new) of a rotation's record.

    Raises:
        Invalid: it is not signed by both.

    """
    try:
        note = str(orjson.loads(body)["note"])
        _, old, new, *_ = note.split("\n")
    except (ValueError, KeyError, TypeError):
        raise Invalid("this is no rotation of keys.") from None
    keys = VerifierKey.read(old), VerifierKey.read(new)
    text, signers = signed_by(note, keys)
    if set(signers) != set(keys) or text != rotation_text(*keys):
        raise Invalid("a rotation of keys must be signed by the old key and by the new one.")
    return keys


def rotations(log: RecordReader) -> list[tuple[VerifierKey, VerifierKey]]:
    """All of them, the oldest first. Raises as `read_rotation`."""
    found: list[Record] = []
    which = Which(kind=ROTATION)
    while page := log.recent(which, limit=_PAGE):
        found += page
        which = replace(which, before=page[-1].seq)
    return [read_rotation(record.body) for record in reversed(found) if record.erased is None]


def chain(current: VerifierKey, log: RecordReader) -> list[VerifierKey]:
    """Every key that this log was signed with, the one that signs now last.

    Raises:
        Invalid: they do not follow from each other.

    """
    steps = rotations(log)
    keys: list[VerifierKey] = []
    for old, new in steps:
        if keys and keys[-1] != old:
            raise Invalid(
                f"key {old.id.hex()} is no successor of {keys[-1].id.hex()}: a rotation is missing."
            )
        keys += [new] if keys else [old, new]
    if keys and keys[-1] != current:
        raise Invalid(
            f"the signing key in the data folder is {current.id.hex()}, but the log names {keys[-1].id.hex()} last."
        )
    return keys or [current]


def published(keys: Sequence[VerifierKey]) -> dict[str, object]:
    """As `/.well-known/headwater-keys.json` says it."""
    return {
        "origin": keys[-1].name,
        "keys": [
            {"id": key.id.hex(), "key": str(key), "algorithm": "Ed25519", "current": key is keys[-1]}
            for key in keys
        ],
    }

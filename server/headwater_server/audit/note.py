"""Signed notes and the checkpoints that are written in them (C2SP signed-note and tlog-checkpoint). Pure.

headwater/5f0c1d2e3a4b5c6d
1042
dYw4…=

— headwater/5f0c1d2e3a4b5c6d aBcD…=
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from headwater_server.errors import Invalid

_ED25519 = b"\x01"
_LINE = "\n— "


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name, written `name+id+key` as C2SP does."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises Invalid: no key of this kind."""
        name, _, rest = text.strip().partition("+")
        given, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        key = cls(name, raw[1:])
        if not name or len(raw) != 33 or raw[:1] != _ED25519 or key.id.hex() != given.lower():
            raise Invalid(
                f"{text[:200]!r} is no verifier key. Expected name+id+key, as `headwater audit keys` prints it."
            )
        return key

    def accepts(self, signature: bytes, text: str) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignerKey:
    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def line(self, text: str) -> str:
        signature = self.verifier.id + self.private.sign(text.encode())
        return f"— {self.name} {base64.b64encode(signature).decode()}\n"


def sign(text: str, *keys: SignerKey) -> str:
    """The note: the text (lines that end), a blank line, a line for each signature."""
    return text + "\n" + "".join(key.line(text) for key in keys)


def signed_by(note: str, keys: Iterable[VerifierKey]) -> tuple[str, list[VerifierKey]]:
    """A note's text, and who of these signed it; signatures of others are no matter.

    Raises:
        Invalid: no note, or a signature of one of these keys is wrong.

    """
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.startswith("— ") or not note.endswith("\n"):
        raise Invalid("this is no signed note: expected text, a blank line and lines that begin with —.")
    text += "\n"
    known = {(key.name, key.id): key for key in keys}
    signers = []
    for line in ("\n" + lines).split(_LINE)[1:]:
        name, _, encoded = line.rstrip("\n").partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise Invalid(f"a signature of {name[:200]!r} is no base64.") from None
        key = known.get((name, raw[:4]))
        if key is None:
            continue
        if not key.accepts(raw[4:], text):
            raise Invalid(
                f"the signature of {name} ({key.id.hex()}) is wrong: this text is not what was signed."
            )
        signers.append(key)
    return text, signers


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a log's tree was, and its root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, note: str) -> Self:
        """Without a look at who signed it.

        Raises:
            Invalid: no checkpoint.

        """
        lines = note.split("\n")
        try:
            origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
        except (IndexError, binascii.Error, ValueError):
            origin, size, root = "", "", b""
        if not origin or not (size.isascii() and size.isdecimal()) or len(root) != 32:
            raise Invalid("this is no checkpoint: expected lines with the log's name, its size and its root.")
        return cls(origin, int(size), root)


def opened(note: str, keys: Sequence[VerifierKey], *, origin: str | None = None) -> Checkpoint:
    """A checkpoint (of this log) that one of these keys signed.

    Raises:
        Invalid: no checkpoint, a wrong signature, none of these, or another log.

    """
    text, signers = signed_by(note, keys)
    if not signers:
        names = ", ".join(f"{key.name} ({key.id.hex()})" for key in keys) or "no key at all"
        raise Invalid(f"this checkpoint is not signed by a key of this log; expected {names}.")
    checkpoint = Checkpoint.read(text)
    if origin not in (None, checkpoint.origin):
        raise Invalid(f"this checkpoint is of {checkpoint.origin}, expected one of {origin}.")
    return checkpoint

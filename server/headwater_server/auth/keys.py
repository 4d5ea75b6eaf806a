"""API keys: `hw_<id>_<43 characters>`, 256 bits of chance, kept as their hash alone. Pure."""

import hashlib
import re
import secrets

# Nobody can guess 256 bits, so a slow hash would cost the server and buy nothing.
_KEY = re.compile(r"hw_([0-9a-f]{12})_[0-9A-Za-z_-]{43}")
PREFIX = "hw_"


def make_key() -> tuple[str, str]:
    """(its id, the key itself): the only moment at which it is known."""
    id_ = secrets.token_hex(6)
    return id_, f"{PREFIX}{id_}_{secrets.token_urlsafe(32)}"


def key_id(key: str) -> str | None:
    """Which key it says it is; None: it is no key at all."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def matches(key: str, known: bytes) -> bool:
    """In a time that does not depend on where they differ."""
    return secrets.compare_digest(digest(key), known)

"""From the Authorization header to the principal who sent it."""

import base64
import binascii
import time
from typing import Protocol

from headwater_server.auth.keys import PREFIX
from headwater_server.auth.policy import Principal
from headwater_server.auth.tokens import Tokens
from headwater_server.errors import Unauthenticated

_HOW = "Send `Authorization: Bearer <token>`; `headwater token create` makes one."


class Proves(Protocol):
    """What verifies tokens that are no keys of ours."""

    def principal(self, token: str) -> Principal:
        """Raises Unauthenticated, Unavailable."""
        ...


class Login:
    """Safe in threads."""

    def __init__(self, tokens: Tokens, jwts: Proves | None) -> None:
        self._tokens = tokens
        self._jwts = jwts

    def slow(self, header: str | None) -> bool:
        """Whether looking at it may take long: a signature to verify, keys to fetch."""
        return bool(self._jwts and header and not _secret(header).startswith(PREFIX))

    def principal(self, header: str | None) -> Principal:
        """Who asks. `Basic` carries the same token as its password; the user's name is not looked at.

        Raises:
            Unauthenticated: no token, or one that is not good (any more).
            Unavailable: it cannot be checked now.

        """
        if not header:
            raise Unauthenticated(f"This needs a token. {_HOW}")
        secret = _secret(header)
        if secret.startswith(PREFIX):
            found = self._tokens.principal(secret, at=time.time_ns() // 1_000)
            if found is None:
                raise Unauthenticated("This key is unknown, expired or revoked.")
            return found
        if self._jwts is None or not secret:
            raise Unauthenticated(f"This is no token that is taken here. {_HOW}")
        return self._jwts.principal(secret)


def _secret(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (ValueError, binascii.Error):
            return ""
    return ""

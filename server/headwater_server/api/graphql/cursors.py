"""Cursors: where a page ended, opaque and checked, good for the list that gave them alone."""

import base64
import binascii
import hashlib
import json

from headwater_server.api.graphql import limits
from headwater_server.errors import Invalid

_CHECK = 6


class Scope:
    """One list with its filters; its cursors fit no other."""

    def __init__(self, name: str, *filters: object) -> None:
        self._key = hashlib.blake2b(repr((name, filters)).encode()).digest()

    def cursor(self, *position: str | int) -> str:
        body = json.dumps(position, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(self._check(body) + body).decode().rstrip("=")

    def position(self, cursor: str | None) -> list[str | int] | None:
        """What `cursor` was given.

        Raises:
            Invalid: it is not one of this list's.

        """
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        check, body = raw[:_CHECK], raw[_CHECK:]
        if not body or check != self._check(body):
            raise Invalid(
                "This is no cursor of this list with these arguments. Take `pageInfo.endCursor` of the page before,"
                " and leave the other arguments as they were.",
                cursor=cursor[:100],
            )
        found: list[str | int] = json.loads(body)
        return found

    def key(self, cursor: str | None) -> tuple[str, str] | None:
        """The (sort, key) of a keyset cursor."""
        position = self.position(cursor)
        return None if position is None else (str(position[0]), str(position[1]))

    def offset(self, cursor: str | None) -> int:
        """The place after the one that an offset cursor names; 0 without one."""
        position = self.position(cursor)
        return 0 if position is None else int(position[0]) + 1

    def _check(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, digest_size=_CHECK, key=self._key).digest()


def page_size(first: int | None, default: int) -> int:
    """A page's size.

    Raises:
        Invalid: below 1 or above the limit.

    """
    size = default if first is None else first
    if not 1 <= size <= limits.MAX_PAGE:
        raise Invalid(f"`first` is {size}, but must be from 1 to {limits.MAX_PAGE}. Page on with `after`.")
    return size

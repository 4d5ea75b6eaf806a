"""Where the bytes of artifacts lie: under keys that the server makes, never under a client's path."""

from collections.abc import Iterator
from typing import Protocol

CHUNK = 1 << 20
"""Bytes read at a time."""


class Writer(Protocol):
    """Bytes on their way to a key."""

    def write(self, chunk: bytes) -> None: ...

    def close(self) -> None:
        """Durable, under its key."""
        ...

    def drop(self) -> None:
        """Nothing of it stays. Harmless after `close` and when repeated."""
        ...


class Blobs(Protocol):
    """Every method may be called from any thread. Raises from every method: `Unavailable`."""

    where: str
    """For messages."""

    def write(self, key: str) -> Writer: ...

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, in chunks; shorter only when the blob is damaged."""
        ...

    def delete(self, key: str) -> None:
        """Nothing happens when there is none."""
        ...

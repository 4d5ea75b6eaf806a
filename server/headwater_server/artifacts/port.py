"""What a store of artifacts must do: streamed, whole or not at all, inside its own root."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is there."""

    size: int
    """Bytes."""
    sha256: str
    """Of the content, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Listed:
    path: str
    """From the store's root, with `/` between."""
    is_dir: bool
    size: int
    """Bytes; 0 for a folder."""
    sha256: str = ""
    """Of a file's content, hexadecimal."""


class Upload(Protocol):
    """A file on its way in: nobody sees it before `done`."""

    def feed(self, chunk: bytes) -> None: ...

    def done(self) -> Stored:
        """Durable, in place of what was there before."""
        ...

    def drop(self) -> None:
        """Forget it. Idempotent, and harmless after `done`."""
        ...


class ArtifactStore(Protocol):
    """Files by path (`<experiment>/<run>/artifacts/model/MLmodel`). Every method may be called from any thread.

    Raises from every method: `Invalid` for a path that is absolute, empty where a file is meant, or has `..`,
    a backslash or a control character; `Unavailable` when the store does not answer now.
    """

    def begin(self, path: str) -> Upload: ...

    def stat(self, path: str) -> Stored:
        """Raises NotFound."""
        ...

    def read(self, path: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, in chunks. Raises NotFound before the first."""
        ...

    def list(self, path: str) -> list[Listed]:
        """What is in a folder, by name; a file lists itself; empty when there is nothing."""
        ...

    def delete(self, path: str) -> None:
        """A file, or a folder with all in it. Nothing happens when there is none."""
        ...

    def close(self) -> None: ...

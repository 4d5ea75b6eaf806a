"""Blobs in a folder: each written aside, synchronised, then moved into place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headwater_server.artifacts.blobs import CHUNK
from headwater_server.errors import Unavailable


class FolderBlobs:
    """`Blobs` over a folder, 256 folders wide. `incoming` in it holds what is on its way."""

    def __init__(self, root: Path) -> None:
        self.where = str(root)
        self._root = root

    def write(self, key: str) -> "FolderWriter":
        return FolderWriter(self._root / "incoming" / key, self._at(key))

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        with _answering(self._root), self._at(key).open("rb") as file:
            file.seek(start)
            while start < end and (chunk := file.read(min(CHUNK, end - start))):
                start += len(chunk)
                yield chunk

    def delete(self, key: str) -> None:
        with _answering(self._root):
            self._at(key).unlink(missing_ok=True)

    def _at(self, key: str) -> Path:
        return self._root / key[:2] / key


class FolderWriter:
    """`Writer` into a folder."""

    def __init__(self, aside: Path, target: Path) -> None:
        self._aside, self._target = aside, target
        with _answering(target):
            aside.parent.mkdir(parents=True, exist_ok=True)
            self._file = aside.open("xb")

    def write(self, chunk: bytes) -> None:
        with _answering(self._target):
            self._file.write(chunk)

    def close(self) -> None:
        with _answering(self._target):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._aside.replace(self._target)
            _sync(self._target.parent)

    def drop(self) -> None:
        self._file.close()
        self._aside.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """A file that was moved is durable when its folder is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _answering(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"the artifacts at {where} do not answer ({error.strerror}). Check the disk (space, permissions), "
            "then try again."
        ) from error

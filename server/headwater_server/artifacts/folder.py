"""Artifacts in a folder: each file written aside, then moved into place."""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headwater_server.artifacts.port import Listed, Stored
from headwater_server.errors import Invalid, NotFound, Unavailable

CHUNK = 1 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class FolderArtifacts:
    """`ArtifactStore` over a folder. `.incoming` in it holds uploads on their way."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"

    def begin(self, path: str) -> "FolderUpload":
        target = self._at(path)
        if target == self._root:
            raise Invalid("an artifact needs a path: where shall the file be?", field="path")
        return FolderUpload(self._incoming, target)

    def stat(self, path: str) -> Stored:
        digest, size = hashlib.sha256(), 0
        for chunk in self.read(path):
            digest.update(chunk)
            size += len(chunk)
        return Stored(size, digest.hexdigest())

    def read(self, path: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        target = self._at(path)
        if not target.is_file():
            raise NotFound(f"there is no artifact {path!r}.", ref=path, didYouMean=[])
        return _chunks(target, start, end)

    def list(self, path: str) -> list[Listed]:
        target = self._at(path)
        with _answering(self._root):
            if target.is_file():
                return [Listed(path.strip("/"), is_dir=False, size=target.stat().st_size)]
            if not target.is_dir():
                return []
            found = sorted(target.iterdir())
            return [
                Listed(
                    one.relative_to(self._root).as_posix(),
                    is_dir=one.is_dir(),
                    size=0 if one.is_dir() else one.stat().st_size,
                )
                for one in found
                if one != self._incoming
            ]

    def delete(self, path: str) -> None:
        target = self._at(path)
        if target == self._root:
            raise Invalid("give the path of an artifact: the whole store is not deleted.", field="path")
        with _answering(self._root):
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

    def _at(self, path: str) -> Path:
        parts = path.strip("/").split("/") if path.strip("/") else []
        if (
            path.startswith("/")
            or "\\" in path
            or _CONTROL.search(path)
            or any(p in ("", ".", "..") for p in parts)
        ):
            raise Invalid(
                f"{path!r} is no path of an artifact: names with / between, without `..`, backslashes or "
                "control characters.",
                field="path",
            )
        if parts and parts[0] == self._incoming.name:
            raise Invalid(f"an artifact's path does not begin with {self._incoming.name}.", field="path")
        return self._root.joinpath(*parts)


class FolderUpload:
    """`Upload` into a folder."""

    def __init__(self, incoming: Path, target: Path) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self._size = 0
        with _answering(target):
            incoming.mkdir(parents=True, exist_ok=True)
            self._aside = incoming / secrets.token_hex(16)
            self._file = self._aside.open("xb")

    def feed(self, chunk: bytes) -> None:
        with _answering(self._target):
            self._file.write(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)

    def done(self) -> Stored:
        with _answering(self._target):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._aside.replace(self._target)
        return Stored(self._size, self._digest.hexdigest())

    def drop(self) -> None:
        self._file.close()
        self._aside.unlink(missing_ok=True)


def _chunks(target: Path, start: int, end: int | None) -> Iterator[bytes]:
    with _answering(target), target.open("rb") as file:
        file.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            chunk = file.read(CHUNK if left is None else min(CHUNK, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk


@contextmanager
def _answering(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"the artifacts at {where} do not answer ({error.strerror}). Check the disk (space, permissions), "
            "then try again."
        ) from error

"""Which artifact lies where: paths in a table, bytes under keys of ours. A client's path never meets a file system."""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from headwater_server.artifacts.blobs import Blobs, Writer
from headwater_server.artifacts.port import Listed, Stored
from headwater_server.errors import Invalid, NotFound
from headwater_server.versioned import VersionedFile

MAX_PATH = 4_096
SCHEMA = """
CREATE TABLE file(path TEXT PRIMARY KEY, key TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
"""
FIND = "SELECT key, size, sha256 FROM file WHERE path = ?"
PUT = "INSERT INTO file VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET key = ?2, size = ?3, sha256 = ?4"
NEXT = "SELECT path, size, sha256 FROM file WHERE path >= ?1 AND path < ?2 ORDER BY path LIMIT 1"
WITHIN = "SELECT key FROM file WHERE path = ?1 OR (path >= ?2 AND path < ?3)"
DROP = "DELETE FROM file WHERE path = ?1 OR (path >= ?2 AND path < ?3)"

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class Catalogue:
    """`ArtifactStore` over a table in one SQLite file and blobs beside it.

    Bytes are durable before the table names them, and the table forgets them before they go: what is listed is
    there. A crash between the two leaves a blob that nobody names.
    """

    def __init__(self, path: Path, blobs: Blobs) -> None:
        self._blobs = blobs
        self._file = VersionedFile(path, [SCHEMA], what="names of artifacts")
        self._connection = self._file.connection
        self._guard = self._file.guard

    def begin(self, path: str) -> "CatalogueUpload":
        path = _checked(path)
        key = secrets.token_hex(16)

        def named(stored: Stored) -> None:
            self._named(path, key, stored)

        return CatalogueUpload(self._blobs.write(key), named)

    def _named(self, path: str, key: str, stored: Stored) -> None:
        def work() -> list[Any]:
            before = self._connection.execute(FIND, (path,)).fetchall()
            self._connection.execute(PUT, (path, key, stored.size, stored.sha256))
            return before

        for old, _, _ in self._guard(work):
            self._blobs.delete(old)

    def stat(self, path: str) -> Stored:
        _, stored = self._find(path)
        return stored

    def read(self, path: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        key, stored = self._find(path)
        return self._blobs.read(key, start, stored.size if end is None else min(end, stored.size))

    def _find(self, path: str) -> tuple[str, Stored]:
        path = _checked(path)
        row: Any = self._guard(lambda: self._connection.execute(FIND, (path,)).fetchone())
        if row is None:
            raise NotFound(f"No such artifact: {path!r}", ref=path, didYouMean=[])
        return row[0], Stored(row[1], row[2])

    def list(self, path: str) -> list[Listed]:
        folder = _checked(path) if path else ""

        def work() -> list[Listed]:
            found: list[Listed] = []
            row: Any = self._connection.execute(FIND, (folder,)).fetchone() if folder else None
            if row is not None:
                found.append(Listed(folder, is_dir=False, size=row[1], sha256=row[2]))
            prefix = f"{folder}/" if folder else ""
            at, end = prefix, _behind(prefix)
            while row := self._connection.execute(NEXT, (at, end)).fetchone():
                name, slash, _ = row[0][len(prefix) :].partition("/")
                one = prefix + name
                found.append(
                    Listed(one, is_dir=True, size=0)
                    if slash
                    else Listed(one, is_dir=False, size=row[1], sha256=row[2])
                )
                at = _behind(one + "/") if slash else one + "\x00"
            return found

        return sorted(self._guard(work), key=lambda one: one.path)

    def delete(self, path: str) -> None:
        path = _checked(path)
        bounds = (path, path + "/", _behind(path + "/"))

        def work() -> list[Any]:
            with self._connection:
                keys = self._connection.execute(WITHIN, bounds).fetchall()
                self._connection.execute(DROP, bounds)
            return keys

        for (key,) in self._guard(work):
            self._blobs.delete(key)

    def close(self) -> None:
        self._file.close()


class CatalogueUpload:
    """`Upload` into the blobs, hashed on the way."""

    def __init__(self, writer: Writer, named: Callable[[Stored], None]) -> None:
        self._writer, self._named = writer, named
        self._digest, self._size = hashlib.sha256(), 0

    def feed(self, chunk: bytes) -> None:
        self._writer.write(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)

    def done(self) -> Stored:
        self._writer.close()
        stored = Stored(self._size, self._digest.hexdigest())
        self._named(stored)
        return stored

    def drop(self) -> None:
        self._writer.drop()


def _checked(path: str) -> str:
    """A path by names, none of which means something to a file system or a URL: it is only ever compared."""
    parts = path.split("/")
    if len(path) > MAX_PATH or _FORBIDDEN.search(path) or any(part in ("", ".", "..") for part in parts):
        raise Invalid(
            f"{path[:200]!r} is no path of an artifact: names with / between, without `..`, backslashes or control "
            f"characters, {MAX_PATH} characters at most.",
            field="path",
        )
    return path


def _behind(prefix: str) -> str:
    """The least text behind all that begin with the prefix, which ends in `/` or is empty."""
    return prefix[:-1] + "0" if prefix else "\U0010ffff"

"""Where the files of runs, logged models and versions lie in the artifact store. Pure."""

import re
from pathlib import Path
from urllib.parse import unquote, urlparse, urlsplit

from headwater_server.errors import Invalid

SCHEME = "mlflow-artifacts"
_ODD = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_ROUNDS = 5
"""Of taking `%` escapes away: what still changes after them hides something."""


def checked_path(given: str) -> str:
    """A path as a client gives it; empty is the root.

    The store never makes a file's name of it. What would lead elsewhere by any reading is refused all the same, so
    that nobody else who reads it (a client that downloads, a script) is led there.

    Raises:
        Invalid: absolute, a URI, with a backslash or `..`, however often it is escaped. Its text is MLflow's, to the
            letter: nothing of the path is repeated.

    """
    seen = given
    for _ in range(_ROUNDS):
        if _leads_elsewhere(seen):
            break
        before, seen = seen, unquote(seen)
        if seen == before:
            return "/".join(part for part in given.split("/") if part not in ("", "."))
    raise Invalid("Invalid path")


def checked_root(uri: str) -> str:
    """Where an experiment is to keep its files. A relative path begins where the server was started, as with MLflow.

    Raises:
        Invalid: with a fragment or parameters: what is below it could not be named.

    """
    parts = urlparse(uri)
    if parts.fragment or parts.params:
        raise Invalid("'artifact_location' URL can't include fragments or params.")
    return uri if parts.scheme or uri.startswith("/") else str(Path.cwd() / uri)


def place_of(uri: str, path: str = "") -> str:
    """The path in the store of what lies at `path` below an artifact URI of this server.

    Raises:
        Invalid: the files lie elsewhere.

    """
    parts = urlsplit(uri)
    if parts.scheme != SCHEME:
        raise Invalid(f"The files at {uri[:200]!r} are not kept by this server. Ask where they lie.")
    return "/".join(part for part in (parts.path.strip("/"), path.strip("/")) if part)


def _leads_elsewhere(path: str) -> bool:
    return path.startswith("/") or "\\" in path or ".." in path.split("/") or _ODD.match(path) is not None

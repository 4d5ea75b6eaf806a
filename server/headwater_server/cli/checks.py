"""What `headwater doctor` looks at, each a finding with a way out."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from headwater_server import __version__
from headwater_server.cli import queries
from headwater_server.cli.http import Remote
from headwater_server.cli.output import Failed, counted
from headwater_server.cli.target import DEFAULT_URL, Local, ask, local_settings
from headwater_server.errors import HeadwaterError
from headwater_server.settings import Settings

_SERVER = ("fastapi", "uvicorn", "strawberry-graphql", "orjson", "apsw", "prometheus-client", "sqlglot")
_LOW_DISK = 2**30


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    outcome: Literal["ok", "warn", "fail"]
    said: str
    hint: str = ""


def all_of(*, url: str | None, data: str | None, neo4j: str | None) -> list[Check]:
    """Every check that can be made; a later one is left out when an earlier one makes it pointless."""
    found = [*_installed()]
    try:
        settings = local_settings(data, neo4j)
    except HeadwaterError as error:
        return [*found, Check("settings", "fail", str(error), "Correct or unset the variable.")]
    found.append(Check("settings", "ok", "readable"))
    found += _folder(settings)
    if all(c.outcome != "fail" for c in found):
        found.append(_graph(settings))
    found.append(_server(url))
    return found


def _installed() -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Check("python", "ok" if good else "fail", python, "" if good else "Use Python 3.11 or newer.")
    missing = [name for name in _SERVER if not _version(name)]
    if missing:
        yield Check("packages", "fail", f"missing: {', '.join(missing)}", "pip install 'headwater[server]'")
        return
    yield Check("packages", "ok", f"headwater {__version__}, all of [server]")
    import apsw

    search = "fts5" in str(apsw.compile_options).lower()
    yield Check(
        "sqlite",
        "ok" if search else "warn",
        f"{apsw.sqlite_lib_version()}, {'with' if search else 'without'} FTS5",
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _folder(settings: Settings) -> Iterator[Check]:
    folder = settings.data
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        yield Check(
            "data folder",
            "fail",
            f"{folder}: {error.strerror}",
            "Choose another with --data or HEADWATER_DATA.",
        )
        return
    yield Check("data folder", "ok", f"{folder}{'' if folder.exists() else ' (not made yet)'}")
    free = shutil.disk_usage(there).free
    low = free < _LOW_DISK
    yield Check("disk", "warn" if low else "ok", f"{free / 2**30:,.1f} GiB free", "Make room." if low else "")


def _graph(settings: Settings) -> Check:
    where = settings.neo4j_uri or str(settings.data)
    if not settings.neo4j_uri and not settings.data.exists():
        return Check("log and graph", "ok", "empty: nothing was ingested here yet")
    try:
        local = Local(settings)
        try:
            held = ask(local, queries.SERVER)["server"]
        finally:
            local.close()
    except (Failed, HeadwaterError) as error:
        hint = "Is Neo4j up, and are NEO4J_USERNAME and NEO4J_PASSWORD right?" if settings.neo4j_uri else ""
        return Check("log and graph", "fail", f"{where}: {error}", hint)
    size = f"{counted(held['eventsIngested'], 'record')}, {counted(held['nodeCount'], 'node')}"
    return Check("log and graph", "ok", f"{size} on {held['backend']}")


def _server(url: str | None) -> Check:
    where = url or os.environ.get("HEADWATER_URL") or DEFAULT_URL
    try:
        ready = Remote(where, timeout=5.0).fetch("/readyz")
    except Failed as error:
        asked = url is not None or "HEADWATER_URL" in os.environ
        return Check("server", "fail" if asked else "ok", f"none at {where}", str(error) if asked else "")
    good = isinstance(ready, dict) and bool(ready.get("ready"))
    return Check("server", "ok" if good else "warn", f"{where} is {'ready' if good else 'not ready'}")

"""Whom a command asks: a server at a URL, or the data itself, opened in this process."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import click

from headwater_server.cli.http import Remote
from headwater_server.cli.output import Exit, Failed
from headwater_server.settings import Settings

DEFAULT_URL = "http://127.0.0.1:4747"
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Server(Protocol):
    """What a command needs of whoever answers."""

    @property
    def where(self) -> str:
        """A URL or a folder, for people to read."""
        ...

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The whole answer: `data`, `errors`."""
        ...

    def ingest(self, body: bytes) -> dict[str, Any]:
        """Events as NDJSON; the summary of OpenLineage's batch endpoint."""
        ...

    def export(self, ref: str) -> Iterator[bytes]:
        """The events behind a thing, one line each."""
        ...

    def close(self) -> None: ...


class Local:
    """The data opened in this process, without a server."""

    def __init__(self, settings: Settings) -> None:
        from headwater_server.app import open_local

        self.where = settings.neo4j_uri or str(settings.data)
        self.opened = open_local(settings)

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        return self.opened.graphql(query, variables)

    def ingest(self, body: bytes) -> dict[str, Any]:
        return self.opened.ingest(body)

    def export(self, ref: str) -> Iterator[bytes]:
        return self.opened.export(ref)

    def close(self) -> None:
        self.opened.close()


def place(function: _Function) -> _Function:
    """Options that name the data itself."""
    function = click.option("--neo4j", metavar="URI", help="Work on the graph in this Neo4j.")(function)
    return click.option("--data", metavar="DIR", help="Work on this data folder.")(function)


def as_json(function: _Function) -> _Function:
    return click.option("--json", "json_", is_flag=True, help="Print JSON.")(function)


def asks(function: _Function) -> _Function:
    """Options of a command that reads or writes through a server: --url, --data, --neo4j, --json."""
    function = click.option(
        "--url", metavar="URL", help=f"Ask the server here (HEADWATER_URL; default {DEFAULT_URL})."
    )(function)
    return as_json(place(function))


def local_settings(data: str | None, neo4j: str | None) -> Settings:
    """From the environment, and these over it.

    `--data` without `--neo4j` means the embedded graph in that folder, whatever NEO4J_URI says.
    """
    uri = neo4j if neo4j is not None else ("" if data is not None else None)
    return Settings.from_env(data=data, neo4j_uri=uri, demo=False)


@contextmanager
def answering(
    url: str | None, data: str | None, neo4j: str | None, *, fallback: str = ""
) -> Iterator[Server]:
    """Whoever the options name, closed at the end."""
    if url is not None and (data is not None or neo4j is not None):
        raise click.UsageError("--url asks a server, --data and --neo4j work without one: give one of them.")
    server: Server
    if data is not None or neo4j is not None:
        server = Local(local_settings(data, neo4j))
    else:
        server = Remote(url or os.environ.get("HEADWATER_URL") or fallback or DEFAULT_URL)
    try:
        yield server
    finally:
        server.close()


def ask(server: Server, query: str, /, **variables: Any) -> dict[str, Any]:
    """The data of an answer without errors.

    Raises:
        Failed: the first error, with what was meant perhaps.

    """
    answer = server.graphql(query, variables)
    errors = answer.get("errors")
    if errors:
        raise refused(errors[0]["message"], errors[0].get("extensions") or {})
    data = answer.get("data")
    if not isinstance(data, dict):
        raise Failed(f"{server.where} answered without data.")
    return data


def refused(message: str, details: dict[str, Any]) -> Failed:
    code = str(details.get("code") or "FAILED")
    meant = details.get("didYouMean") or []
    if meant and "id you mean" not in message:
        message = f"{message.rstrip('.')}. Did you mean {', '.join(meant)}?"
    return Failed(message, code=code, exit_code=Exit.CONFLICT if code == "CONFLICT" else Exit.FAILED)


def outcome(result: dict[str, Any]) -> dict[str, Any]:
    """A mutation's payload; any of the union's other members becomes `Failed`."""
    if "message" in result:
        raise refused(result["message"], result)
    return result

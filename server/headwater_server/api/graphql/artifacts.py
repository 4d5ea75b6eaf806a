"""The files that a run left behind, where this server keeps them."""

import mimetypes
from typing import Any

import strawberry

from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.info import Info, later, loader_of
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.pages import Connection, page_of_list
from headwater_server.api.graphql.scalars import Long
from headwater_server.api.graphql.values import Node
from headwater_server.artifacts.port import Listed
from headwater_server.errors import Invalid
from headwater_server.graph import changes
from headwater_server.lineage.urns import encode_id
from headwater_server.tracking.places import checked_path, place_of


@strawberry.type(description="A file or a folder of a run's artifacts")
class Artifact(Node):
    path: str = strawberry.field(description="Below the run's artifacts, with / between")
    uri: str
    is_directory: bool
    bytes: Long | None = strawberry.field(description="Null: of a folder")
    sha256: str | None = strawberry.field(description="Of the content, hexadecimal; null: of a folder")
    media_type: str | None = strawberry.field(description="By the ending of its name")
    run_key: strawberry.Private[str]

    @strawberry.field(graphql_type=later("Run", "runs") | None)
    def run(self, info: Info) -> Any:
        return loader_of(info).meet(self.run_key)


def artifacts_page(
    loader: Loader, run: changes.Node, path: str | None, *, first: int | None, after: str | None
) -> Connection[Artifact]:
    """What lies in one folder, by name; a file is alone. Empty where the files are not kept by this server.

    Raises:
        Invalid: the path leads elsewhere.
        Unavailable: the files cannot be listed now.

    """
    below = checked_path(path or "")
    home = _home(run)
    found = (
        []
        if home is None
        else loader.context.artifacts.list("/".join(part for part in (home, below) if part))
    )
    return page_of_list(
        found,
        Scope("artifacts", run.key, below),
        first=first,
        after=after,
        default=100,
        show=lambda listed: [_artifact(run, home or "", one) for one in listed],
    )


def artifact_of(loader: Loader, path: str, run_key: str) -> Artifact | None:
    """None when it, or its run, is gone or not seen."""
    run = loader.store.get([run_key]).get(run_key)
    home = None if run is None else _home(run)
    if run is None or home is None:
        return None
    try:
        where = f"{home}/{checked_path(path)}"
        folder, _, _ = where.rpartition("/")
        found = next((one for one in loader.context.artifacts.list(folder) if one.path == where), None)
    except Invalid:
        return None
    return None if found is None else _artifact(run, home, found)


def _home(run: changes.Node) -> str | None:
    uri = run.props.get("artifacts")
    try:
        return place_of(uri) if isinstance(uri, str) else None
    except Invalid:
        return None


def _artifact(run: changes.Node, home: str, listed: Listed) -> Artifact:
    path = listed.path[len(home) :].lstrip("/")
    return Artifact(
        id=strawberry.ID(encode_id(f"artifact\x1f{path}\x1f{run.key}")),
        path=path,
        uri=f"{run.props['artifacts']}/{path}",
        is_directory=listed.is_dir,
        bytes=None if listed.is_dir else Long(listed.size),
        sha256=listed.sha256 or None,
        media_type=None if listed.is_dir else mimetypes.guess_type(path)[0],
        run_key=run.key,
    )

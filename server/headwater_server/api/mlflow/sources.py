"""Where a version of a model may come from: a client names no files that are not its run's or its model's own."""

import posixpath
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.seen import absent, check_model
from headwater_server.errors import Invalid
from headwater_server.tracking.records import NAMESPACE

_ROUNDS = 10
_RELATIVE = (
    "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute "
    "path must be provided without relative path references present. Please provide an absolute path."
)


class Origin(NamedTuple):
    """What a version is made of. Ids are empty where none is known."""

    source: str
    run_id: str
    run: str | None
    """The run's key, when it is one of this server."""
    model_id: str


def checked_origin(ask: Ask, source: str) -> Origin:
    """The origin that a call says.

    Raises:
        Invalid: the source leads elsewhere by any reading, is of another run or model than is said, or names files of
            this server or this machine that are not theirs. What an import says of elsewhere is taken as it is.
        NotFound: the logged model or the version that it is a copy of; what they do not see.

    """
    parts = urlsplit(source)
    run_id, model_id = ask.text("run_id"), ask.text("model_id")
    if parts.scheme == "models":
        if parts.netloc:
            raise refused(source, "Registered model sources must use the active model registry.")
        source, run_id, model_id = _of_models(ask, source, parts.path.strip("/"), run_id, model_id)
    if parts.scheme == "runs":
        said = parts.path.strip("/").partition("/")[0]
        if parts.netloc or (run_id and said != run_id):
            raise _not_of(source, "run_id")
        run_id = said
    _check_seen(ask, run_id, model_id)
    model = ask.tracking.models.get(model_id) if model_id else None
    run_id = run_id or (model.run if model else "")
    run = ask.tracking.runs.find(run_id) if run_id else None
    roots = [model.artifacts] if model else [ask.tracking.runs.get(run_id).artifacts] if run else []
    _check(source, parts, roots, "model_id" if model else "run_id", imported=ask.at is not None)
    return Origin(source, run_id, run, model_id)


def _check_seen(ask: Ask, run_id: str, model_id: str) -> None:
    """Raises NotFound, for a run of elsewhere too: who does not see runs cannot be told which are here."""
    if not ask.sight.namespace(NAMESPACE) and (run_id or model_id):
        raise absent("model_id", model_id) if model_id else absent("run_id", run_id)


def refused(source: str, why: str) -> Invalid:
    return Invalid(f"Invalid model version source: '{source}'. {why}")


def _of_models(ask: Ask, source: str, path: str, run_id: str, model_id: str) -> tuple[str, str, str]:
    """A logged model, or another version: by its number, even when an alias names it; it tells its own origin."""
    if path.startswith("m-") and "/" not in path:
        if model_id and path != model_id:
            raise _not_of(source, "model_id")
        return source, run_id, path
    name, _, number = path.rpartition("/")
    check_model(name or path.rpartition("@")[0], ask.sight, version=number if name else "")
    if name:
        copied = ask.registry.model_version(name, number)
    else:
        name, _, alias = path.rpartition("@")
        if not name:
            raise _not_of(source, "model_id")
        copied = ask.registry.at_alias(name, alias)
    return f"models:/{name}/{copied.number}", run_id or copied.run_id, model_id or copied.logged_model


def _check(source: str, parts: SplitResult, roots: list[str], what: str, *, imported: bool) -> None:
    path = _plain(parts.path)
    if parts.scheme in ("", "file"):
        if not any(_holds(root, ("", "file"), posixpath.normpath(path)) for root in roots):
            raise refused(
                source,
                f"To use a local path as a model version source, the {what} request parameter has to be specified and "
                f"the local path has to be contained within the artifact directory of the run specified by the {what}.",
            )
        return
    if "\0" in path or {"..", "."} & set(path.replace("\\", "/").split("/")):
        raise refused(source, _RELATIVE)
    ours = parts.scheme == "mlflow-artifacts" and not imported
    if ours and (parts.netloc or not any(_holds(root, (parts.scheme,), path) for root in roots)):
        raise _not_of(source, what)


def _holds(root: str, schemes: tuple[str, ...], path: str) -> bool:
    parts = urlsplit(root)
    home = [part for part in _plain(parts.path).split("/") if part]
    inside = [part for part in path.split("/") if part]
    return parts.scheme in schemes and bool(home) and inside[: len(home)] == home


def _plain(path: str) -> str:
    """Without escapes, however often it was escaped."""
    for _ in range(_ROUNDS):
        before, path = path, unquote(path)
        if path == before:
            return path
    return ".."  # what still changes hides something


def _not_of(source: str, what: str) -> Invalid:
    return refused(
        source, f"The {what} request parameter must identify the resource that contains the source."
    )

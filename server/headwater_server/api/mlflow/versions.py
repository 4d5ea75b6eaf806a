"""MLflow's calls about model versions: the same registry that GraphQL changes."""

import posixpath
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from headwater_server.api.mlflow import registered
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.registry import checked_tags, tag_of
from headwater_server.api.mlflow.shapes import filled
from headwater_server.errors import Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.registry.catalogue import VersionView
from headwater_server.registry.prompts import IS_PROMPT
from headwater_server.tracking.language import And, Comparison, Tree, parse_filter
from headwater_server.tracking.matching import LISTED, NULLABLE, NUMERIC, TEXT, Field, Language
from headwater_server.tracking.paging import Clause
from headwater_server.tracking.search import plain
from headwater_server.tracking.search import search as find

MAX_VERSIONS, PAGE = 200_000, 10_000

_TAG: Field[VersionView] = Field("text", NULLABLE, lambda key: lambda one: tag_of(one.tags, key))
_LANGUAGE: Language[VersionView] = Language(
    attributes={
        "name": plain("text", LISTED, lambda one: one.model),
        "version_number": plain("number", NUMERIC, lambda one: int(one.number)),
        "run_id": plain("text", LISTED, lambda one: one.run_id or None),
        "source_path": plain("text", TEXT, lambda one: one.source),
        "model_id": plain("text", LISTED, lambda one: one.logged_model or None),
        "stage": plain("text", LISTED, lambda one: one.stage),
        "creation_timestamp": plain("number", NUMERIC, lambda one: one.created // 1_000),
        "last_updated_timestamp": plain("number", NUMERIC, lambda one: one.updated // 1_000),
    },
    entities={"tag": _TAG, "tags": _TAG},
    spelled={"version": "version_number", "creation_time": "creation_timestamp", "current_stage": "stage"},
)


def create(ask: Ask) -> dict[str, Any]:
    name, source = ask.text("name"), ask.text("source")
    ask.registry.model(name)
    tags = checked_tags(ask.pairs("tags"))
    run_id, model_id = _origin(ask, source)
    run = ask.tracking.runs.find(run_id) if run_id else None
    if IS_PROMPT not in tags or "/" in source:  # a prompt's text is in its tags: its source is a plain word
        _check_source(ask, source, run_id if run else "")
    if run_id and run is None and _is_ours(source):
        raise NotFound(f"Run with id={run_id} not found", ref=run_id, didYouMean=[])
    more = {
        "runId": run_id if run is None else None,
        "runLink": ask.maybe("run_link"),
        "loggedModel": keys.logged_model(model_id) if model_id else None,
    }
    key = ask.registry.create_version(
        name,
        run_key=run,
        source_uri=source,
        description=ask.maybe("description"),
        tags=tags,
        more={field: value for field, value in more.items() if value},
        number=None if ask.at is None else ask.maybe("version"),
        actor=ask.actor,
        at=ask.at,
    )
    return _shown(ask, name, keys.parts_of(key)[1])


def get(ask: Ask) -> dict[str, Any]:
    return _shown(ask, ask.text("name"), ask.text("version"))


def update(ask: Ask) -> dict[str, Any]:
    name, version = ask.text("name"), ask.text("version")
    if ask.maybe("description") is not None:
        ask.registry.edit(name, version, description=ask.text("description"), actor=ask.actor, at=ask.at)
    return _shown(ask, name, version)


def transition(ask: Ask) -> dict[str, Any]:
    """Any stage that the model takes: names that MLflow does not know pass its clients too."""
    name, version = ask.text("name"), ask.text("version")
    ask.registry.model_version(name, version)
    archive = ask.said["archive_existing_versions"]
    ask.registry.transition(
        model=name,
        version=version,
        to_stage=ask.text("stage"),
        comment=ask.text("comment") or None,
        archive_existing=archive or None,
        actor=ask.actor,
        at=ask.at,
    )
    return _shown(ask, name, version)


def delete(ask: Ask) -> dict[str, Any]:
    ask.registry.delete_version(ask.text("name"), ask.text("version"), actor=ask.actor)
    return {}


def search(ask: Ask) -> dict[str, Any]:
    asked = ask.asked(PAGE).checked(MAX_VERSIONS)
    name = _only_model(parse_filter(asked.filter))
    every: Iterable[VersionView] = ask.registry.versions_of(name) if name else ask.registry.all_versions()
    versions = [one for one in every if IS_PROMPT in asked.filter or IS_PROMPT not in one.tags]
    default = [
        Clause[VersionView](lambda one: one.model, ascending=True),
        Clause[VersionView](lambda one: int(one.number), ascending=False),
    ]
    page = find(
        versions, _LANGUAGE, asked, lambda one: f"{one.model}/{one.number:0>9}", default, always=default
    )
    return filled(
        {"model_versions": [registered.version(one) for one in page.rows], "next_page_token": page.token}
    )


def download_uri(ask: Ask) -> dict[str, Any]:
    one = ask.registry.model_version(ask.text("name"), ask.text("version"))
    return {"artifact_uri": _location(ask, one)}


def root(ask: Ask, name: str, version: str) -> str:
    """The artifact URI of its files."""
    found = _location(ask, ask.registry.model_version(name, version))
    parts = urlsplit(found)
    if parts.scheme != "runs":
        return found
    run_id, _, path = parts.path.strip("/").partition("/")
    return f"{ask.tracking.runs.get(run_id).artifacts}/{path}"


def _shown(ask: Ask, name: str, version: str) -> dict[str, Any]:
    return {"model_version": registered.version(ask.registry.model_version(name, version))}


def _origin(ask: Ask, source: str) -> tuple[str, str]:
    """Ids of the run and of the logged model that a version comes from, as far as they are said."""
    run_id, model_id = ask.text("run_id"), ask.text("model_id")
    parts = urlsplit(source)
    path = parts.path.strip("/")
    if parts.scheme == "runs":
        said = path.partition("/")[0]
        if run_id and said != run_id:
            raise _refused(source, "it is of another run than run_id")
        run_id = said
    if parts.scheme == "models" and path.startswith("m-") and "/" not in path:
        if model_id and path != model_id:
            raise _refused(source, "it is another model than model_id")
        model_id = path
    if model_id:
        run_id = run_id or ask.tracking.models.get(model_id).run
    return run_id, model_id


def _check_source(ask: Ask, source: str, run_id: str) -> None:
    """A path on this machine is refused unless it lies where the run keeps its files; `..` always."""
    parts = urlsplit(source)
    path = unquote(unquote(parts.path))
    if ".." in path.replace("\\", "/").split("/"):
        raise _refused(source, "a path with `..` leads anywhere")
    if parts.scheme not in ("", "file"):
        return
    if run_id:
        root = urlsplit(ask.tracking.runs.get(run_id).artifacts)
        if root.scheme in ("", "file") and root.path:
            inside = posixpath.normpath(path)
            home = posixpath.normpath(root.path)
            if inside == home or inside.startswith(home + "/"):
                return
    raise _refused(
        source, "a local path has to be within the artifact directory of the run that run_id names"
    )


def _is_ours(source: str) -> bool:
    """Whether what the version is made of lies with this server, so that its run is known here."""
    return urlsplit(source).scheme in ("runs", "mlflow-artifacts", "models")


def _location(ask: Ask, one: VersionView) -> str:
    """Where its files are: what `models:/` names is followed."""
    parts = urlsplit(one.source)
    if parts.scheme != "models":
        return one.source
    path = parts.path.strip("/")
    if path.startswith("m-") and "/" not in path:
        return ask.tracking.models.get(path, deleted=True).artifacts
    model, _, number = path.rpartition("/")
    if not model or not number.isdecimal() or (model, number) == (one.model, one.number):
        return one.source
    return _location(ask, ask.registry.model_version(model, number))


def _only_model(tree: Tree | None) -> str | None:
    """The model that a filter confines itself to."""
    terms = tree.terms if isinstance(tree, And) else (tree,)
    for term in terms:
        if not isinstance(term, Comparison) or term.operator != "=" or term.key.lower() != "name":
            continue
        if term.entity in ("", "attribute", "attributes", "attr") and isinstance(term.value, str):
            return term.value
    return None


def _refused(source: str, why: str) -> Invalid:
    return Invalid(f"Invalid model version source: '{source}': {why}.")

"""MLflow's calls about model versions: the same registry that GraphQL changes."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from headwater_server.api.mlflow import registered
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.registry import checked_tags, tag_of
from headwater_server.api.mlflow.seen import check_model
from headwater_server.api.mlflow.shapes import filled
from headwater_server.api.mlflow.sources import Origin, checked_origin
from headwater_server.errors import Invalid
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
        "run_id": plain("text", LISTED, lambda one: one.run_id),
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
    if IS_PROMPT in tags and "/" not in source:  # a prompt's text is in its tags: its source is a plain word
        made_of = Origin(source, "", None, "")
    else:
        made_of = checked_origin(ask, source)
    more = {
        "runId": made_of.run_id if made_of.run is None else None,
        "runLink": ask.maybe("run_link"),
        "loggedModel": keys.logged_model(made_of.model_id) if made_of.model_id else None,
    }
    key = ask.registry.create_version(
        name,
        run_key=made_of.run,
        source_uri=made_of.source,
        description=ask.maybe("description"),
        tags=tags,
        more={field: value for field, value in more.items() if value},
        number=None if ask.at is None else ask.maybe("version"),
        actor=ask.actor,
        at=ask.at,
    )
    return _shown(ask, name, keys.parts_of(key)[1])


def get(ask: Ask) -> dict[str, Any]:
    return _shown(ask, ask.text("name"), ask.version)


def update(ask: Ask) -> dict[str, Any]:
    name, version = ask.text("name"), ask.version
    if ask.maybe("description") is not None:
        ask.registry.edit(name, version, description=ask.text("description"), actor=ask.actor, at=ask.at)
    return _shown(ask, name, version)


def transition(ask: Ask) -> dict[str, Any]:
    """Any stage that the model takes: names that MLflow does not know pass its clients too."""
    name, version = ask.text("name"), ask.version
    ask.registry.model_version(name, version)
    archive = ask.said["archive_existing_versions"]
    if archive and ask.text("stage").casefold() in ("none", "archived"):
        raise Invalid(
            "Model version transition cannot archive existing model versions because "
            f"'{ask.text('stage')}' is not an Active stage. Nobody leaves it for another."
        )
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
    ask.registry.delete_version(ask.text("name"), ask.version, actor=ask.actor)
    return {}


def search(ask: Ask) -> dict[str, Any]:
    asked = ask.asked(PAGE).checked(MAX_VERSIONS)
    name = _only_model(parse_filter(asked.filter))
    every: Iterable[VersionView] = ask.registry.versions_of(name) if name else ask.registry.all_versions()
    sight, prompts = ask.sight, IS_PROMPT in asked.filter
    versions = [one for one in every if sight.model(one.model) and (prompts or IS_PROMPT not in one.tags)]
    default = [
        Clause[VersionView](lambda one: one.updated // 1_000, ascending=False),
        Clause[VersionView](lambda one: one.model, ascending=True),
        Clause[VersionView](lambda one: int(one.number), ascending=False),
    ]
    page = find(
        versions, _LANGUAGE, asked, lambda one: f"{one.model}/{one.number:0>9}", default, always=default[1:]
    )
    return filled(
        {"model_versions": [registered.version(one) for one in page.rows], "next_page_token": page.token}
    )


def download_uri(ask: Ask) -> dict[str, Any]:
    one = ask.registry.model_version(ask.text("name"), ask.version)
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
    check_model(model, ask.sight, version=number)
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

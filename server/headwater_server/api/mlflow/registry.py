"""MLflow's calls about registered models: the same registry that GraphQL changes."""

import re
from collections.abc import Sequence
from typing import Any

from headwater_server.api.mlflow import registered
from headwater_server.api.mlflow.ask import Ask
from headwater_server.api.mlflow.shapes import filled
from headwater_server.errors import AlreadyExists, Invalid, NotFound
from headwater_server.registry.catalogue import ModelView
from headwater_server.registry.prompts import IS_PROMPT
from headwater_server.tracking import limits
from headwater_server.tracking.matching import LISTED, NULLABLE, NUMERIC, Field, Language
from headwater_server.tracking.paging import Clause
from headwater_server.tracking.search import plain
from headwater_server.tracking.search import search as find

MAX_MODELS = 1_000
MAX_TAG_VALUE = 100_000
MAX_ALIAS = 255
LATEST = "latest"

_TAG: Field[ModelView] = Field("text", NULLABLE, lambda key: lambda one: tag_of(one.tags, key))
_LANGUAGE: Language[ModelView] = Language(
    attributes={
        "name": plain("text", LISTED, lambda one: one.name),
        "creation_timestamp": plain("number", NUMERIC, lambda one: one.created // 1_000),
        "last_updated_timestamp": plain("number", NUMERIC, lambda one: one.updated // 1_000),
    },
    entities={"tag": _TAG, "tags": _TAG},
    spelled={"timestamp": "last_updated_timestamp", "creation_time": "creation_timestamp"},
)


def create(ask: Ask) -> dict[str, Any]:
    name = _name(ask, "name")
    tags = checked_tags(ask.pairs("tags"))
    try:
        ask.registry.register_model(
            name, description=ask.maybe("description"), tags=tags, actor=ask.actor, at=ask.at
        )
    except AlreadyExists as error:
        raise AlreadyExists(f"Registered Model (name={name}) already exists.", **error.details) from None
    return _shown(ask, name)


def get(ask: Ask) -> dict[str, Any]:
    return _shown(ask, ask.text("name"))


def rename(ask: Ask) -> dict[str, Any]:
    to = _name(ask, "new_name")
    if to != ask.text("name"):
        ask.registry.rename(ask.text("name"), to, actor=ask.actor)
    return _shown(ask, to)


def update(ask: Ask) -> dict[str, Any]:
    name = ask.text("name")
    if ask.maybe("description") is not None:
        ask.registry.edit(name, description=ask.text("description"), actor=ask.actor, at=ask.at)
    return _shown(ask, name)


def delete(ask: Ask) -> dict[str, Any]:
    ask.registry.delete_model(ask.text("name"), actor=ask.actor)
    return {}


def search(ask: Ask) -> dict[str, Any]:
    asked = ask.asked(100).checked(MAX_MODELS)
    default = [Clause[ModelView](lambda one: one.name, ascending=True)]
    sight = ask.sight
    every = (one for one in ask.registry.models() if sight.model(one.name))
    models = [one for one in every if IS_PROMPT in asked.filter or IS_PROMPT not in one.tags]
    page = find(models, _LANGUAGE, asked, lambda one: one.name, default)
    return filled(
        {
            "registered_models": [registered.model(ask.registry.whole(one.name)) for one in page.rows],
            "next_page_token": page.token,
        }
    )


def latest(ask: Ask) -> dict[str, Any]:
    name, stages = ask.text("name"), ask.maybe("stages") or ()
    ask.registry.model(name)
    return filled({"model_versions": [registered.version(v) for v in ask.registry.latest(name, stages)]})


def set_tag(ask: Ask) -> dict[str, Any]:
    """Of a model, or of one of its versions."""
    tags = checked_tags([(ask.text("key"), ask.text("value"))])
    ask.registry.edit(*_what(ask), tags=tags, actor=ask.actor, at=ask.at)
    return {}


def delete_tag(ask: Ask) -> dict[str, Any]:
    """Of a model, or of one of its versions."""
    ask.registry.edit(*_what(ask), removed=[ask.text("key")], actor=ask.actor)
    return {}


def _what(ask: Ask) -> tuple[str, str | None]:
    """A model, or a version of it: told apart by the call. Raises NotFound: there is no such version."""
    if ask.maybe("version") is None:
        return ask.text("name"), None
    one = ask.registry.model_version(ask.text("name"), ask.version)
    return one.model, one.number


def set_alias(ask: Ask) -> dict[str, Any]:
    name, version = ask.text("name"), ask.text("version")
    _check_alias(ask.text("alias"))
    ask.registry.model_version(name, version)
    ask.registry.set_alias(name, ask.text("alias"), version=version, actor=ask.actor, at=ask.at)
    return {}


def delete_alias(ask: Ask) -> dict[str, Any]:
    name, alias = ask.text("name"), ask.text("alias")
    ask.registry.model(name)
    if alias in dict(ask.registry.pointers(name)):
        ask.registry.set_alias(name, alias, version=None, actor=ask.actor)
    return {}


def by_alias(ask: Ask) -> dict[str, Any]:
    """The newest version answers to `latest`, which nobody can give away."""
    name, alias = ask.text("name"), ask.text("alias")
    ask.registry.model(name)
    if alias.lower() == LATEST and (newest := ask.registry.newest(name)):
        return {"model_version": registered.version(newest)}
    try:
        return {"model_version": registered.version(ask.registry.at_alias(name, alias))}
    except NotFound as error:
        raise Invalid(str(error)) from None  # so MLflow's clients tell it from a model that is not there


def _name(ask: Ask, field: str) -> str:
    """A new one. Raises Invalid, in MLflow's words, for what it has no names of."""
    name = ask.text(field)
    if not name.strip():
        raise Invalid(f"Missing value for required parameter '{field}'.")
    if "/" in name or ":" in name:
        raise Invalid(f"Invalid model name '{name[:300]}'. Names cannot contain '/' or ':'.")
    if name in (".", ".."):
        raise limits.wrong(name, field, f"This name would resolve to '{name}'")
    return name


def _check_alias(alias: str) -> None:
    """Raises Invalid, in MLflow's words, for what it has no aliases of."""
    if alias.lower() == LATEST:
        raise Invalid("'latest' alias name (case insensitive) is reserved.")
    if re.fullmatch(r"[vV]\d+", alias):
        raise Invalid(f"Version alias name '{alias}' is reserved.")
    limits.within(alias, MAX_ALIAS, "Registered model alias name")
    if not re.fullmatch(r"[\w\-]*", alias):
        raise Invalid(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )


def checked_tags(tags: Sequence[tuple[str, str]]) -> dict[str, str]:
    for key, value in tags:
        limits.checked_key(key, "key")
        limits.within(value, MAX_TAG_VALUE, "value")
    return dict(tags)


def tag_of(tags: dict[str, str], key: str) -> str | None:
    """Clients ask for models that are no prompts by `!= 'true'`."""
    return tags.get(key, "false" if key == IS_PROMPT else None)


def _shown(ask: Ask, name: str) -> dict[str, Any]:
    return {"registered_model": registered.model(ask.registry.whole(name))}

"""What of the graph a principal sees, by keys and names alone; what they do not see has a name that tells nothing.

A thing that is not seen is called by a keyed hash, which nobody can guess and compare: `dataset||4f1c…`. No real
namespace is empty, so such a key is nobody else's, and whoever makes one up names nothing.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from headwater_server.auth.policy import Permission, Principal
from headwater_server.graph import keys, names
from headwater_server.graph.words import Kind

SENSITIVE = frozenset({"sql", "sourceCode"})
"""Facets that `facet:read_sensitive` is needed for."""
RESTRICTED = "restricted"
_SALT = secrets.token_bytes(32)
"""Of this process: a thing keeps its hidden name until the next start."""
_NAMESPACE_AT = {
    Kind.NAMESPACE: 0, Kind.DATASET: 0, Kind.COLUMN: 0, Kind.DATASET_VERSION: 0, Kind.JOB: 0,
    Kind.JOB_VERSION: 0, Kind.RUN: 1,
}  # fmt: skip
_OF_MODELS = frozenset({Kind.MODEL, Kind.MODEL_VERSION, Kind.STAGE, Kind.ALIAS})
_TRACKED = frozenset({Kind.EXPERIMENT, Kind.PARAM_KEY, Kind.METRIC_KEY, Kind.LOGGED_MODEL, Kind.PACKAGE})
"""Seen by whoever sees the namespace that runs of experiments are in."""
_NAMELESS = frozenset({Kind.STEP, Kind.STATEMENT, Kind.ANNOTATION})
"""Named by hashes: what they belong to decides."""


class Sight:
    """One principal's. Kinds that it does not know are seen by those alone who see everything."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.all = principal.everywhere(Permission.READ)
        self.all_sensitive = self.all and principal.everywhere(Permission.READ_SENSITIVE)
        self._namespaces: dict[str, bool] = {}
        self._models: dict[str, bool] = {}

    def namespace(self, name: str) -> bool:
        found = self._namespaces.get(name)
        if found is None:
            found = self.all or self.principal.may_in(Permission.READ, namespace=name)
            self._namespaces[name] = found
        return found

    def model(self, name: str) -> bool:
        found = self._models.get(name)
        if found is None:
            found = self._models[name] = self.all or self.principal.may_on(Permission.READ, model=name)
        return found

    def key(self, key: str) -> bool:
        """Whether the thing of a key is seen."""
        if self.all:
            return True
        try:
            kind = keys.kind_of(key)
        except KeyError:
            return False
        if kind in _NAMELESS:
            return True
        parts = keys.parts_of(key)
        if kind in _OF_MODELS:
            return self.model(parts[0])
        if kind in _TRACKED:
            return self.namespace(keys.TRACKED)
        at = _NAMESPACE_AT.get(kind)
        return at is not None and len(parts) > at and self.namespace(parts[at])

    def group(self, kind: Kind, group: str) -> bool:
        """Whether the nodes of a group (see `graph.changes.Node`) are seen."""
        if kind in (Kind.DATASET, Kind.JOB):
            return self.namespace(group)
        return not group or self.key(group)

    def sensitive(self, key: str) -> bool:
        """Whether SQL and source code of a thing may be read."""
        if self.all_sensitive:
            return True
        if keys.kind_of(key) in _TRACKED:
            return self.principal.may_in(Permission.READ_SENSITIVE, namespace=keys.TRACKED)
        parts, at = keys.parts_of(key), _NAMESPACE_AT.get(keys.kind_of(key))
        if at is None:
            return self.principal.may_on(Permission.READ_SENSITIVE, model=parts[0])
        return self.principal.may_in(Permission.READ_SENSITIVE, namespace=parts[at])

    def json(self, value: Any, *, sensitive: bool) -> Any:
        """A body without the names of what is not seen and, unless `sensitive`, without SQL and source code."""
        if isinstance(value, dict):
            namespace, name = value.get("namespace"), value.get("name")
            if isinstance(namespace, str) and isinstance(name, str) and not self._named(namespace, name):
                return {"namespace": "", "name": _hash(namespace, name), RESTRICTED: True}
            return {
                key: {RESTRICTED: True}
                if key in SENSITIVE and not sensitive and isinstance(inner, dict)
                else self.json(inner, sensitive=sensitive)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self.json(inner, sensitive=sensitive) for inner in value]
        if isinstance(value, str) and keys.is_key(value) and not self.key(value):
            return hidden(value)
        return value

    def _named(self, namespace: str, name: str) -> bool:
        if namespace.rstrip("/") == "models:":
            return self.model(name.strip("/").partition("/")[0].rpartition("@")[0] or name.partition("/")[0])
        return self.namespace(names.normal(namespace, name)[0])


def hidden(key: str) -> str:
    """The name of a thing that is not seen: of its kind, and below what its own would be below."""
    kind, parts = keys.kind_of(key), keys.parts_of(key)
    match kind:
        case Kind.RUN:
            return keys.key(kind, _hash(parts[0]), "", _hash(*parts[1:3]))
        case Kind.MODEL | Kind.NAMESPACE:
            return keys.key(kind, _hash(parts[0]))
        case Kind.MODEL_VERSION:  # a number is no name
            return keys.key(kind, _hash(parts[0]), parts[1])
        case _ if kind in _OF_MODELS:
            return keys.key(kind, _hash(parts[0]), *(_hash(part) for part in parts[1:]))
        case _:
            return keys.key(kind, "", _hash(*parts[:2]), *(_hash(part) for part in parts[2:]))


def parents(key: str) -> list[str]:
    """Keys that are a part of this one: whoever has it has them."""
    parts = keys.parts_of(key)
    match keys.kind_of(key):
        case Kind.COLUMN | Kind.DATASET_VERSION:
            return [keys.dataset(parts[0], parts[1])]
        case Kind.JOB_VERSION:
            return [keys.job(parts[0], parts[1])]
        case Kind.RUN:
            return [keys.job_of(key)]
        case Kind.MODEL_VERSION | Kind.STAGE | Kind.ALIAS:
            return [keys.model(parts[0])]
    return []


def names_of(body: Mapping[str, Any]) -> list[str]:
    """Keys that a mutation's body names at its top: what it is about."""
    found = [v for n in ("key", "source", "target") if isinstance(v := body.get(n), str) and keys.is_key(v)]
    return found or [keys.model(m) for n in ("model", "name") if isinstance(m := body.get(n), str)][:1]


def _hash(*parts: str) -> str:
    text = "\0".join(parts).encode()
    return hashlib.blake2b(text, key=_SALT, digest_size=8).hexdigest()

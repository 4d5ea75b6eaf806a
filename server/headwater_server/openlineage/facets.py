"""Facets as facts: name, content hash, meaning, and where in the log the body stands. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from headwater_server.graph.facts import Facts
from headwater_server.openlineage import meaning
from headwater_server.openlineage.wire import Json


def keep_facets(
    one: Facts,
    facets: Mapping[str, Json],
    means: Mapping[str, meaning.Meaning],
    at: int,
    seq: int,
    pointer: str,
    role: str,
) -> None:
    """A facet replaces the one of the same name, whole, by event time; others stay."""
    for name, value in facets.items():
        digest, understood = _understood(name, value, means)
        entry: dict[str, Any] = {"h": digest, "s": seq, "p": f"{pointer}/{_escape(name)}"}
        if value.get("_deleted") is True:
            entry["d"] = True
        elif understood:
            entry["x"] = understood
        one.set(f"{role}|{name}", at, digest, entry)


def _understood(name: str, value: Json, means: Mapping[str, meaning.Meaning]) -> tuple[str, Any]:
    """A facet's digest and its meaning."""
    raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.blake2b(raw, digest_size=10).hexdigest()
    return digest, means[name](value) if name in means else None


def digest_of(value: Any) -> str:
    raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(raw, digest_size=10).hexdigest()


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name

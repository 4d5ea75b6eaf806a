"""What a run ran in, as far as it is told: packages and Python of the models that it logged, the engine of its events."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import orjson

from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind
from headwater_server.store.port import Direction, GraphStore

_DOWN = Direction.DOWNSTREAM
Told = Mapping[str, str]


def packages_of(store: GraphStore, models: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each of these logged models the packages that it needs, with what it says of their versions."""
    found: dict[str, dict[str, str]] = {}
    for edge in store.expand(models, _DOWN, [EdgeKind.NEEDS]):
        found.setdefault(edge.source, {})[keys.parts_of(edge.target)[-1]] = str(edge.props.get("spec") or "")
    return found


def together(told: Iterable[Told]) -> dict[str, str]:
    """One for several; where they differ all that they say, in order."""
    said: dict[str, dict[str, None]] = {}
    for one in told:
        for name, value in one.items():
            said.setdefault(name, {})[value] = None
    return {name: ", ".join(sorted(said[name])) for name in sorted(said)}


def engine_of(facet: object) -> dict[str, str]:
    """From the body of the facet `processing_engine`."""
    if not isinstance(facet, dict):
        return {}
    told = {
        str(facet.get("name") or "engine"): facet.get("version"),
        "openlineage adapter": facet.get("openlineageAdapterVersion"),
    }
    return {name: str(version) for name, version in told.items() if version not in (None, "")}


def environment_hash(*, engine: Told, pythons: Sequence[str], packages: Told) -> str | None:
    """SHA-256 of what is told, in one order: the same for the same environment, whenever it is read; None: nothing is."""
    if not (engine or pythons or packages):
        return None
    said = {"engine": dict(engine), "packages": dict(packages), "python": sorted(set(pythons))}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()

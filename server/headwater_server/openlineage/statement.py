"""What an event says about flow, apart from when and by which run: inputs, outputs, columns, explicit lineage.

A statement is named by its content. Runs of one job mostly say the same, so the graph holds it once.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict

import orjson

from headwater_server.graph import keys
from headwater_server.openlineage.memo import Memo
from headwater_server.openlineage.wire import DatasetSaid, Event, Json, node_key

_STRENGTH = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}


class ColumnClaim(TypedDict):
    """`source` is a column key; `target` a dotted column path, or `` for all rows of the output."""

    source: str
    target: str
    direct: bool
    subtype: str
    masking: bool
    description: str


class Explicit(TypedDict):
    """One target of the lineage facet with what flows into it. The event's own job is ``."""

    target: str
    sources: list[str]
    columns: list[ColumnClaim]


_CLAIMS: Memo[list[ColumnClaim]] = Memo(4_096)


class Statement(TypedDict):
    inputs: list[str]
    outputs: list[str]
    columns: dict[str, list[ColumnClaim]]
    """By output key: what its columnLineage facet says; absent: it has none."""
    explicit: list[Explicit]
    is_explicit: bool
    """A lineage facet was there, be it empty: nothing is to be guessed."""
    evidence: NotRequired[str]
    """Who says so, where it is not an OpenLineage producer: what is guessed from it bears this name."""


def statement(event: Event) -> Statement | None:
    """None: the event says nothing about flow (which is "nothing new", not "inputs removed")."""
    columns = {
        d.key: column_claims(d.facets["columnLineage"])
        for d in event.outputs
        if "columnLineage" in d.facets and not d.facets["columnLineage"].get("_deleted")
    }
    explicit: list[Explicit] = []
    is_explicit = False
    if "lineage" in event.job_facets:
        is_explicit = True
        explicit += _entries(event.job_facets["lineage"].get("entries"))
    for said in event.outputs:
        if "lineage" in said.facets:
            is_explicit = True
            explicit.append(_target(said.key, said.facets["lineage"]))
    inputs = sorted({d.key for d in event.inputs})
    outputs = sorted({d.key for d in event.outputs if not is_dropped(d)})
    columns = {k: c for k, c in columns.items() if c and k in outputs}
    if not (inputs or outputs or explicit):
        return None
    return {
        "inputs": inputs,
        "outputs": outputs,
        "columns": columns,
        "explicit": sorted(explicit, key=orjson.dumps),
        "is_explicit": is_explicit,
    }


def without(said: Statement, datasets: frozenset[str]) -> Statement:
    """The statement as if it had not named these as sources of columns."""
    columns = {
        target: [c for c in claims if keys.dataset_of(c["source"]) not in datasets]
        for target, claims in said["columns"].items()
    }
    return {**said, "columns": {target: claims for target, claims in columns.items() if claims}}


def is_dropped(said: DatasetSaid) -> bool:
    """An output that the event drops is not written."""
    change = said.facets.get("lifecycleStateChange", {}).get("lifecycleStateChange")
    return isinstance(change, str) and change.upper() == "DROP"


def column_claims(facet: Json) -> list[ColumnClaim]:
    """What a columnLineage facet claims, sorted. It is shared between events: nobody writes to it."""
    return _CLAIMS.of(orjson.dumps(facet), lambda: _claims_of(facet))


def _claims_of(facet: Json) -> list[ColumnClaim]:
    """Both generations of columnLineage: field-wide transformationType (1-0) and transformations (1-1 on)."""
    found: dict[tuple[str, str, bool], ColumnClaim] = {}
    for target, entry in _items(facet.get("fields")):
        whole = str(entry.get("transformationType") or "")
        description = str(entry.get("transformationDescription") or "")
        path = target.casefold()
        for source in _list(entry.get("inputFields")):
            _claim(found, path, source, whole, description)
    for source in _list(facet.get("dataset")):
        _claim(found, "", source, "", "")
    return sorted(found.values(), key=lambda c: (c["target"], c["source"], not c["direct"]))


def _claim(
    found: dict[tuple[str, str, bool], ColumnClaim],
    target: str,
    source: Json,
    whole: str,
    description: str,
) -> None:
    """`target` is folded already."""
    dataset = _identity(source)
    path = source.get("field")
    if dataset is None or not isinstance(path, str) or not path:
        return
    if not dataset.startswith("dataset|"):
        return
    column = keys.column(dataset, path)
    transformations = _list(source.get("transformations")) or [
        {
            "type": "INDIRECT" if not target else "DIRECT",
            "subtype": "IDENTITY" if whole == "IDENTITY" else "",
            "masking": whole == "MASKED",
            "description": description,
        }
    ]
    for how in transformations:
        direct = str(how.get("type") or "DIRECT").upper() != "INDIRECT"
        claim: ColumnClaim = {
            "source": column,
            "target": target,
            "direct": direct,
            "subtype": str(how.get("subtype") or "").upper(),
            "masking": how.get("masking") is True,
            "description": str(how.get("description") or ""),
        }
        at = (column, target, direct)
        found[at] = _both(found[at], claim) if at in found else claim


def _both(one: ColumnClaim, other: ColumnClaim) -> ColumnClaim:
    """Two ways from one column to another: the stronger direct one, all the indirect ones, masked if either."""
    if one["direct"]:
        subtype = max(one["subtype"], other["subtype"], key=lambda s: (_STRENGTH.get(s, -1), s))
    else:
        parts = {*one["subtype"].split(","), *other["subtype"].split(",")} - {""}
        subtype = ",".join(sorted(parts))
    return {
        **one,
        "subtype": subtype,
        "masking": one["masking"] or other["masking"],
        "description": max(one["description"], other["description"]),
    }


def _entries(entries: Any) -> Iterable[Explicit]:
    for entry in _list(entries):
        kind = str(entry.get("type") or "").upper()
        if kind == "JOB":
            target = _job(entry)
        else:
            identity = _identity(entry)
            if identity is None:
                continue
            target = identity
        yield _target(target, entry)


def _target(target: str, entry: Json) -> Explicit:
    sources: set[str] = set()
    columns: dict[tuple[str, str, bool], ColumnClaim] = {}
    for source in _list(entry.get("inputs")):
        _source(sources, columns, "", source)
    for path, field in _items(entry.get("fields")):
        for source in _list(field.get("inputs")):
            _source(sources, columns, path.casefold(), source)
    return {
        "target": target,
        "sources": sorted(sources),
        "columns": sorted(columns.values(), key=lambda c: (c["target"], c["source"], not c["direct"])),
    }


def _source(
    sources: set[str],
    columns: dict[tuple[str, str, bool], ColumnClaim],
    path: str,
    source: Json,
) -> None:
    if str(source.get("type") or "").upper() == "JOB":
        sources.add(_job(source))
        return
    identity = _identity(source)
    if identity is not None:
        sources.add(identity)
        if source.get("field"):
            _claim(columns, path, source, "", "")


def _job(entry: Mapping[str, Any]) -> str:
    """An identity-less JOB is the event's own."""
    namespace, name = entry.get("namespace"), entry.get("name")
    if isinstance(namespace, str) and isinstance(name, str) and name:
        return keys.job(namespace, name)
    return ""


def _identity(entry: Mapping[str, Any]) -> str | None:
    namespace, name = entry.get("namespace"), entry.get("name")
    if isinstance(namespace, str) and isinstance(name, str) and namespace and name:
        return node_key(namespace, name)
    return None


def _list(given: Any) -> list[Json]:
    return [x for x in given if isinstance(x, dict)] if isinstance(given, list) else []


def _items(given: Any) -> list[tuple[str, Json]]:
    if not isinstance(given, dict):
        return []
    return [(k, v) for k, v in given.items() if isinstance(v, dict)]

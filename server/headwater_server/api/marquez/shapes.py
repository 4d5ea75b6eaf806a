"""Nodes of the graph as Marquez' JSON: plain dicts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from headwater_server.api.graphql.context import Context
from headwater_server.graph import keys, times
from headwater_server.graph.changes import Node, Value
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.port import Direction, GraphStore

_RUN_STATES = {
    "START": "RUNNING",
    "RUNNING": "RUNNING",
    "COMPLETE": "COMPLETED",
    "FAIL": "FAILED",
    "ABORT": "ABORTED",
}
_JOB_TYPES = {"STREAMING": "STREAM", "STREAM": "STREAM", "SERVICE": "SERVICE"}
EVERY_RUN = ("C", "T", "R", "F")
_EPOCH = times.text(0)
_MOST_FIELDS = 10_000
"""Of one dataset."""

Field: TypeAlias = Mapping[str, Value]
"""A column as Marquez shows it."""


@lru_cache(maxsize=16_384)
def text(micros: int) -> str:
    """Many things of a graph were last told of by the same event."""
    return times.text(micros)


def when(value: Value) -> str | None:
    return text(value) if isinstance(value, int) else None


def name_id(key: str) -> dict[str, str]:
    """Of a dataset or a job."""
    namespace, name = keys.parts_of(key)[:2]
    return {"namespace": namespace, "name": name}


def node_id(key: str) -> str:
    """`dataset:<namespace>:<name>`, `job:…`, `datasetField:<namespace>:<name>:<field>`."""
    parts = keys.parts_of(key)
    kind = {"dataset": "dataset", "job": "job", "column": "datasetField"}[key.partition("|")[0]]
    return ":".join((kind, *parts))


def namespace(name: str, created: str = _EPOCH) -> dict[str, Any]:
    return {
        "name": name,
        "createdAt": created,
        "updatedAt": created,
        "ownerName": "anonymous",
        "description": None,
        "isHidden": False,
    }


def dataset(node: Node, fields: Sequence[Field], updated: str | None = None) -> dict[str, Any]:
    props = node.props
    spelled = name_id(node.key)
    created = when(props.get("created")) or _EPOCH
    return {
        "id": spelled,
        "type": "STREAM" if str(props.get("type")).upper() in {"STREAM", "TOPIC"} else "DB_TABLE",
        "name": spelled["name"],
        "physicalName": spelled["name"],
        "createdAt": created,
        "updatedAt": updated or created,
        "namespace": spelled["namespace"],
        "sourceName": props.get("source") or spelled["namespace"],
        "fields": fields,
        "tags": tag_names(props),
        "lastModifiedAt": None,
        "lastLifecycleState": props.get("lifecycle"),
        "description": props.get("description"),
    }


def whole_dataset(
    context: Context, node: Node, fields: Sequence[Field], newest: Node | None
) -> dict[str, Any]:
    """With its facets and its newest version, as lists and single reads show it."""
    return {
        **dataset(node, fields, text(context.updated(node.key))),
        "lastModifiedAt": when(newest.props.get("created")) if newest else None,
        "currentVersion": str(newest.props["version"]) if newest else None,
        "facets": facets(context, node.key),
        "deleted": node.props.get("lifecycle") == "DROP",
        "columnLineage": None,
    }


def dataset_version(context: Context, version: Node, node: Node, fields: Sequence[Field]) -> dict[str, Any]:
    run_key = version.props.get("run")
    run_node = context.store.get([str(run_key)]).get(str(run_key)) if run_key else None
    made = when(version.props.get("created")) or _EPOCH
    spelled = name_id(node.key)
    return {
        **dataset(node, fields, made),
        "id": {**spelled, "version": str(version.props.get("version"))},
        "version": str(version.props.get("version")),
        "createdAt": made,
        "lifecycleState": version.props.get("lifecycle"),
        "createdByRun": run(run_node) if run_node else None,
        "facets": facets(context, node.key),
    }


def job(
    node: Node,
    inputs: Sequence[Mapping[str, str]],
    outputs: Sequence[Mapping[str, str]],
    latest: Mapping[str, Any] | None,
    updated: str | None = None,
) -> dict[str, Any]:
    """`inputs` and `outputs` as `name_id` makes them."""
    props = node.props
    spelled = name_id(node.key)
    created = when(props.get("created")) or _EPOCH
    parent = props.get("parent")
    return {
        "id": spelled,
        "type": _JOB_TYPES.get(str(props.get("processingType")).upper(), "BATCH"),
        "name": spelled["name"],
        "simpleName": spelled["name"].rpartition(".")[2],
        "parentJobName": keys.parts_of(str(parent))[1] if parent else None,
        "createdAt": created,
        "updatedAt": updated or created,
        "namespace": spelled["namespace"],
        "inputs": inputs,
        "outputs": outputs,
        "location": props.get("sourceCodeUrl"),
        "description": props.get("description"),
        "latestRun": latest,
        "tags": tag_names(props),
    }


def whole_job(
    context: Context,
    node: Node,
    inputs: Iterable[str],
    outputs: Iterable[str],
    latest: Sequence[Node],
    version: Sequence[Node],
) -> dict[str, Any]:
    runs = [run(one) for one in latest]
    return {
        **job(
            node,
            [name_id(key) for key in inputs],
            [name_id(key) for key in outputs],
            runs[0] if runs else None,
            text(context.updated(node.key)),
        ),
        "latestRuns": runs,
        "currentVersion": str(version[0].props.get("version")) if version else None,
        "facets": facets(context, node.key),
        "labels": [],
    }


def run(node: Node) -> dict[str, Any]:
    props = node.props
    started, ended = props.get("started"), props.get("ended")
    took = ended - started if isinstance(started, int) and isinstance(ended, int) else None
    namespace_, name = keys.parts_of(node.key)[1:3]
    begun = when(started) or when(props.get("first")) or _EPOCH
    return {
        "id": props.get("runId"),
        "createdAt": begun,
        "updatedAt": when(ended) or begun,
        "nominalStartTime": when(props.get("nominalStart")),
        "nominalEndTime": when(props.get("nominalEnd")),
        "state": _RUN_STATES.get(str(props.get("state")), "NEW"),
        "startedAt": when(started),
        "endedAt": when(ended),
        "durationMs": None if took is None else took // 1000,
        "args": {},
        "context": {},
        "jobVersion": {"namespace": namespace_, "name": name, "version": None},
        "inputVersions": [],
        "outputVersions": [],
    }


def whole_runs(context: Context, nodes: Sequence[Node], *, with_facets: bool) -> list[dict[str, Any]]:
    """Runs with the versions that they read and wrote."""
    store = context.store
    versions: dict[tuple[str, EdgeKind], list[dict[str, str]]] = defaultdict(list)
    kinds = (EdgeKind.READ, EdgeKind.WROTE, EdgeKind.RUN_OF)
    of_job: dict[str, str] = {}
    edges = store.expand([n.key for n in nodes], Direction.DOWNSTREAM, kinds)
    ends = store.get(edge.target for edge in edges)
    for edge in edges:
        end = ends[edge.target]
        if end.kind is Kind.JOB_VERSION:
            of_job[edge.source] = str(end.props.get("version"))
        elif end.kind is Kind.DATASET_VERSION:
            versions[edge.source, edge.kind].append(
                {**name_id(end.key), "version": str(end.props.get("version"))}
            )
    found = []
    for node in nodes:
        shown = run(node)
        shown["jobVersion"]["version"] = of_job.get(node.key)
        for name, kind in (("input", EdgeKind.READ), ("output", EdgeKind.WROTE)):
            of_run = versions.get((node.key, kind), [])
            shown[f"{name}Versions"] = of_run
            shown[f"{name}DatasetVersions"] = [{"datasetVersionId": v, "facets": {}} for v in of_run]
        shown["facets"] = facets(context, node.key) if with_facets else {}
        found.append(shown)
    return found


def facets(context: Context, key: str) -> dict[str, Any]:
    return {
        f.name: {"restricted": True} if f.restricted else f.value
        for f in context.facets(key)
        if not f.deleted
    }


def fields_of(store: GraphStore, datasets: Iterable[str]) -> dict[str, list[Field]]:
    """The visible columns of each dataset, in their order; those within columns are not Marquez' fields."""
    columns = store.rows(
        Kind.COLUMN, datasets, ("name", "type", "tags", "description", "parent"), mark="", limit=_MOST_FIELDS
    )
    return {
        dataset: [
            {"name": name, "type": type_, "tags": _plain(tags) if tags else [], "description": description}
            for name, type_, tags, description, parent in rows
            if not parent
        ]
        for dataset, rows in columns.items()
    }


def tag_names(props: Mapping[str, Value]) -> list[str]:
    return _plain(props.get("tags"))


def _plain(tags: Value) -> list[str]:
    return [tag.partition("=")[0] for tag in tags] if isinstance(tags, list) else []

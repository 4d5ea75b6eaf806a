"""Marquez' lists and single reads: namespaces, datasets, jobs, runs, search, events."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.loading import Cohort, Loader
from headwater_server.api.graphql.neighbours import inputs, outputs
from headwater_server.api.marquez import shapes
from headwater_server.errors import NotFound
from headwater_server.graph import keys, names, times
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.log.port import Record, Which

_BATCH = 500
_MOST_EVENTS = 20_000
"""Records that one read of events looks at."""
EVENT = "openlineage"


def namespaces(context: Context, limit: int, offset: int) -> dict[str, Any]:
    found = sorted({*context.store.groups(Kind.DATASET), *context.store.groups(Kind.JOB)})
    return {"namespaces": [shapes.namespace(name) for name in found[offset : offset + limit]]}


def namespace(context: Context, name: str) -> dict[str, Any]:
    if any(name in context.store.groups(kind) for kind in (Kind.DATASET, Kind.JOB)):
        return shapes.namespace(name)
    raise NotFound(f"Namespace '{name}' not found.")


def datasets(context: Context, namespace_: str, limit: int, offset: int) -> dict[str, Any]:
    group, _ = names.normal(namespace_, "")
    nodes = _slice(context, Kind.DATASET, group, limit, offset)
    return {
        "datasets": _datasets(context, nodes),
        "totalCount": context.store.count(Kind.DATASET, marks=("",), group=group),
    }


def dataset(context: Context, namespace_: str, name: str) -> dict[str, Any]:
    return _datasets(context, [_dataset(context, namespace_, name)])[0]


def dataset_versions(context: Context, namespace_: str, name: str, limit: int, offset: int) -> dict[str, Any]:
    node = _dataset(context, namespace_, name)
    page = context.store.page(
        Kind.DATASET_VERSION, marks=("",), group=node.key, reverse=True, limit=offset + limit
    )
    fields = shapes.fields_of(context.store, [node.key]).get(node.key, [])
    return {
        "versions": [shapes.dataset_version(context, v, node, fields) for v in page[offset:]],
        "totalCount": context.store.count(Kind.DATASET_VERSION, marks=("",), group=node.key),
    }


def dataset_version(context: Context, namespace_: str, name: str, version: str) -> dict[str, Any]:
    node = _dataset(context, namespace_, name)
    key = keys.key(Kind.DATASET_VERSION, *keys.parts_of(node.key), version)
    # a version that its producer does not name is called by its run, and kept under the run and its job
    written = context.store.starting(key + ".", limit=1)
    nodes = context.store.get([key, *written])
    found = nodes.get(key) or next(iter(nodes.values()), None)
    if found is None:
        raise NotFound(f"Dataset version '{version}' not found.")
    return shapes.dataset_version(
        context, found, node, shapes.fields_of(context.store, [node.key]).get(node.key, [])
    )


def jobs(context: Context, namespace_: str | None, limit: int, offset: int) -> dict[str, Any]:
    nodes = _slice(context, Kind.JOB, namespace_, limit, offset)
    return {
        "jobs": _jobs(context, nodes),
        "totalCount": context.store.count(Kind.JOB, marks=("",), group=namespace_),
    }


def job(context: Context, namespace_: str, name: str) -> dict[str, Any]:
    return _jobs(context, [_job(context, namespace_, name)])[0]


def runs(context: Context, namespace_: str, name: str, limit: int, offset: int) -> dict[str, Any]:
    node = _job(context, namespace_, name)
    page = context.store.page(
        Kind.RUN, marks=shapes.EVERY_RUN, group=node.key, reverse=True, limit=offset + limit
    )
    return {
        "runs": shapes.whole_runs(context, page[offset:], with_facets=True),
        "totalCount": context.store.count(Kind.RUN, marks=shapes.EVERY_RUN, group=node.key),
    }


def run(context: Context, run_id: str) -> dict[str, Any]:
    found = context.store.starting(keys.key(Kind.RUN, run_id) + "|", limit=1)
    nodes = context.store.get(found)
    if not nodes:
        raise NotFound(f"Run '{run_id}' not found.")
    return shapes.whole_runs(context, list(nodes.values()), with_facets=True)[0]


def search(context: Context, text: str, only: str | None, sort: str | None, limit: int) -> dict[str, Any]:
    kinds = [k for k in (Kind.DATASET, Kind.JOB) if only is None or k.value.upper() == only.upper()]
    hits = context.store.search(text.replace("%", " "), kinds=kinds, limit=limit) if kinds else []
    results = [
        {
            "type": hit.node.kind.value.upper(),
            "name": keys.parts_of(hit.node.key)[1],
            "updatedAt": times.text(context.updated(hit.node.key)),
            "namespace": keys.parts_of(hit.node.key)[0],
            "nodeId": shapes.node_id(hit.node.key),
        }
        for hit in hits
    ]
    if sort == "name":
        results.sort(key=lambda result: str(result["name"]))
    elif sort == "updated_at":
        results.sort(key=lambda result: str(result["updatedAt"]), reverse=True)
    return {"totalCount": len(results), "results": results}


def events(
    context: Context, *, before: int | None, after: int | None, limit: int, offset: int, oldest_first: bool
) -> dict[str, Any]:
    """Events as they came, by the order of arrival; `before` and `after` bound their own times."""
    bounded = before is not None or after is not None
    found: list[Record] = []
    total = 0
    for record in _events(context, oldest_first=oldest_first):
        at = record.event_time if record.event_time is not None else record.received
        if (after is not None and at < after) or (before is not None and at >= before):
            continue
        total += 1
        if offset < total <= offset + limit:
            found.append(record)
        elif total > offset + limit and not bounded:
            break
    if not bounded:
        total = context.log.count(Which(kind=EVENT))
    return {"events": [_event(record) for record in found], "totalCount": total}


def _event(record: Record) -> Any:
    """As it was accepted; an erased one says so where readers look for the job."""
    if record.erased is None:
        return orjson.Fragment(record.body)
    return {
        "eventType": "OTHER",
        "eventTime": times.text(record.received),
        "producer": "",
        "schemaURL": "",
        "run": {"runId": "", "facets": {}},
        "job": {"namespace": "", "name": f"erased by record {record.erased}", "facets": {}},
        "inputs": [],
        "outputs": [],
    }


def _events(context: Context, *, oldest_first: bool) -> Iterator[Record]:
    at: int | None = None
    for _ in range(_MOST_EVENTS // _BATCH):
        if oldest_first:
            batch = context.log.read(at or 0, limit=_BATCH)
            yield from (record for record in batch if record.kind == EVENT)
        else:
            batch = context.log.recent(Which(kind=EVENT, before=at), limit=_BATCH)
            yield from batch
        if len(batch) < _BATCH:
            return
        at = batch[-1].seq


def _datasets(context: Context, nodes: Sequence[Node]) -> list[dict[str, Any]]:
    listed = [node.key for node in nodes]
    fields = shapes.fields_of(context.store, listed)
    newest = context.store.pages(Kind.DATASET_VERSION, listed, marks=("",), reverse=True, limit=1)
    return [
        shapes.whole_dataset(
            context, node, fields.get(node.key, []), next(iter(newest.get(node.key, ())), None)
        )
        for node in nodes
    ]


def _jobs(context: Context, nodes: Sequence[Node]) -> list[dict[str, Any]]:
    cohort = Cohort(Loader(context, {}), nodes)
    reads, writes = cohort.once(inputs), cohort.once(outputs)
    listed = [node.key for node in nodes]
    latest = context.store.pages(Kind.RUN, listed, marks=shapes.EVERY_RUN, reverse=True, limit=1)
    versions = context.store.pages(Kind.JOB_VERSION, listed, marks=("",), reverse=True, limit=1)
    return [
        shapes.whole_job(
            context,
            node,
            sorted(reads.get(node.key, ())),
            sorted(writes.get(node.key, ())),
            latest.get(node.key, ()),
            versions.get(node.key, ()),
        )
        for node in nodes
    ]


def _slice(context: Context, kind: Kind, group: str | None, limit: int, offset: int) -> list[Node]:
    return context.store.page(kind, marks=("",), group=group, limit=offset + limit)[offset:]


def _dataset(context: Context, namespace_: str, name: str) -> Node:
    candidates = [keys.dataset(*names.normal(namespace_, name)), keys.dataset(namespace_, name)]
    found = context.store.get(candidates)
    for key in candidates:
        if key in found:
            return found[key]
    raise NotFound(f"Dataset '{name}' not found.")


def _job(context: Context, namespace_: str, name: str) -> Node:
    key = keys.job(namespace_, name)
    found = context.store.get([key]).get(key)
    if found is None:
        raise NotFound(f"Job '{name}' not found.")
    return found

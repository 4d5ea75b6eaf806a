"""A walked graph as Marquez' JSON, some hundred nodes at a time: however large, little of it is in memory at once."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

import orjson

from headwater_server.api.marquez import shapes
from headwater_server.graph.words import Kind
from headwater_server.store.port import GraphStore

_AT_ONCE = 500
"""Nodes that are read and written together; a dataset with ten columns is 1.5 kB."""

Sides: TypeAlias = Mapping[str, Mapping[str, None]]
"""A job's key -> the datasets on one side of it, in order."""


def drawn(
    store: GraphStore, keys: set[str], reads: Sides, writes: Sides, changed: Mapping[str, int]
) -> Iterator[bytes]:
    """{"graph": [{id, type, data, inEdges, outEdges}]} of these datasets and jobs, by key."""
    ids = {key: shapes.node_id(key) for key in keys}
    names = {key: shapes.name_id(key) for key in keys if key.startswith("dataset|")}
    readers, writers = _turned(reads), _turned(writes)
    comma = b""
    ordered = sorted(keys)
    yield b'{"graph":['
    for at in range(0, len(ordered), _AT_ONCE):
        nodes = store.get(ordered[at : at + _AT_ONCE])
        fields = shapes.fields_of(store, [key for key, node in nodes.items() if node.kind is Kind.DATASET])
        jobs = [key for key, node in nodes.items() if node.kind is Kind.JOB]
        latest = store.pages(Kind.RUN, jobs, marks=shapes.EVERY_RUN, reverse=True, limit=1)
        some = []
        for key in sorted(nodes):
            node, id_ = nodes[key], ids[key]
            updated = shapes.text(changed[key]) if key in changed else None
            data: dict[str, Any]
            into: Collection[str]
            out: Collection[str]
            if node.kind is Kind.DATASET:
                kind, into, out = "DATASET", writers.get(key, ()), readers.get(key, ())
                data = shapes.dataset(node, fields.get(key, ()), updated)
            else:
                kind, into, out = "JOB", reads.get(key, ()), writes.get(key, ())
                runs = latest.get(key)
                data = shapes.job(
                    node,
                    [names[dataset] for dataset in into],
                    [names[dataset] for dataset in out],
                    shapes.run(runs[0]) if runs else None,
                    updated,
                )
            some.append(
                {
                    "id": id_,
                    "type": kind,
                    "data": data,
                    "inEdges": [{"origin": ids[near], "destination": id_} for near in into],
                    "outEdges": [{"origin": id_, "destination": ids[near]} for near in out],
                }
            )
        if some:
            yield comma + orjson.dumps(some)[1:-1]
            comma = b","
    yield b"]}"


def _turned(sides: Sides) -> dict[str, list[str]]:
    """By dataset instead of by job."""
    found: dict[str, list[str]] = defaultdict(list)
    for job, datasets in sides.items():
        for dataset in datasets:
            found[dataset].append(job)
    return found

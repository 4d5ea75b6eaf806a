"""Reading what the graph only points at: facet bodies in the log, when an entity last changed, which version a run read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from headwater_server.graph import keys, times
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.log.port import RecordLog
from headwater_server.store.port import GraphStore


@dataclass(frozen=True, slots=True)
class FacetView:
    name: str
    producer: str
    schema_url: str
    value: Any
    """None: its record's body is no longer there."""
    run_id: str | None
    observed_at: int
    deleted: bool
    restricted: bool = False
    """Its body is there, but not for who asks."""


def facts_of(key: str, store: GraphStore) -> Facts:
    """Empty when nothing is known."""
    raw = store.states([key]).get(key)
    return Facts.load(raw) if raw else Facts()


def facets(
    key: str, *, store: GraphStore, log: RecordLog, names: Sequence[str] | None = None
) -> list[FacetView]:
    """The newest facet of each name, the owner's before an observer's before anybody's, by name; deleted ones are told as such."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    facts = facts_of(key, store)
    for role in ("told|", "seen|", "facet|"):
        for name, entry in facts.named(role):
            found[name] = int(facts.values[f"{role}{name}"][0]), entry
    bodies: dict[int, tuple[str, Any]] = {}
    views = []
    for name, (at, entry) in sorted(found.items()):
        if names is not None and name not in names:
            continue
        seq = int(entry["s"])
        if seq not in bodies:
            record = log.get(seq)
            there = record is not None and record.erased is None
            bodies[seq] = (record.run_id, orjson.loads(record.body)) if record and there else ("", None)
        run_id, body = bodies[seq]
        value = _at(body, entry["p"])
        said = value if isinstance(value, dict) else {}
        views.append(
            FacetView(
                name,
                str(said.get("_producer", "")),
                str(said.get("_schemaURL", "")),
                value,
                run_id or None,
                at,
                bool(entry.get("d")),
            )
        )
    return views


def _at(body: Any, pointer: str) -> Any:
    """RFC 6901; None when there is nothing."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901
        if isinstance(body, list):
            body = body[int(part)] if part.isdigit() and int(part) < len(body) else None
        elif isinstance(body, dict):
            body = body.get(part)
        else:
            return None
    return body


def updated(key: str, store: GraphStore) -> int | None:
    """The newest event time that said anything of this entity (a column's is its dataset's)."""
    owner = keys.dataset_of(key) if keys.kind_of(key) is Kind.COLUMN else key
    facts = facts_of(owner, store)
    said = [int(entry[0]) for entry in facts.values.values()]
    said += [at for name, at in facts.last.items() if name not in ("seq", "revision")]
    return max(said, default=None)


def run_records(runs: Iterable[str], store: GraphStore) -> dict[str, tuple[int, int]]:
    """The first and last record number of each run."""
    found = {}
    for key, raw in store.states(runs).items():
        facts = Facts.load(raw)
        if "seq" in facts.first:
            found[key] = facts.first["seq"], facts.last["seq"]
    return found


def pinned(dataset: str, at: int, store: GraphStore) -> str | None:
    """The version of a dataset that was there at a moment: the last one written before, never the newest.

    It is looked up, not stored: a write that is told of late is found all the same.
    """
    page = store.page(
        Kind.DATASET_VERSION,
        marks=[""],
        group=dataset,
        before=(times.sortable(at), "\U0010ffff"),
        reverse=True,
        limit=1,
    )
    return page[0].key if page else None


def script_of(run: str, store: GraphStore) -> str | None:
    """The script that was read for a run's lineage."""
    said = facts_of(run, store).get("sql")
    if said is None:
        return None
    content = facts_of(keys.key(Kind.STATEMENT, said["script"]), store).get("content")
    return str(content["sql"]) if content else None


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a data quality assertion. `column` None: of the whole dataset."""

    assertion: str
    success: bool
    column: str | None


def checks_between(dataset: str, since: int, until: int | None, store: GraphStore) -> list[Check]:
    """The newest result of each assertion on a dataset, of those made in a span of time: `since <= at < until`."""
    facts = facts_of(dataset, store)
    found = []
    for name, result in facts.named("check|"):
        at = int(facts.values[f"check|{name}"][0])
        if since <= at and (until is None or at < until):
            found.append(Check(*result))
    return found

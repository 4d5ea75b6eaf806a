"""Events in few words: who ran, when, what it read and wrote, and what else it said."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from headwater_server.graph import keys, times

Json: TypeAlias = dict[str, Any]

NS = "postgres://db"
JOBS = "airflow"
PRODUCER = "https://example.com/producer"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
START = times.parse("2026-03-02T00:00:00Z")
MINUTE = 60_000_000


def moment(minute: float) -> int:
    """Microseconds of a minute of the tests' day."""
    return START + round(minute * MINUTE)


def uuid_of(word: str) -> str:
    """A runId that stays the same for the same word."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, word))


def facet(**said: Any) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": "https://example.com/facet.json", **said}


def table(name: str, *, ns: str = NS, use: Mapping[str, Json] | None = None, **facets: Json) -> Json:
    """A dataset; `use` is its inputFacets or outputFacets, whichever side it stands on."""
    said: Json = {"namespace": ns, "name": name}
    if facets:
        said["facets"] = facets
    if use:
        said["inputFacets"] = said["outputFacets"] = dict(use)
    return said


def _tables(given: Iterable[str | Json], unused: str) -> list[Json]:
    made = [table(g) if isinstance(g, str) else g for g in given]
    return [{k: v for k, v in one.items() if k != unused} for one in made]


def run(
    kind: str | None,
    job: str,
    word: str,
    minute: float,
    *,
    reads: Iterable[str | Json] = (),
    writes: Iterable[str | Json] = (),
    run_facets: Mapping[str, Json] | None = None,
    job_facets: Mapping[str, Json] | None = None,
    ns: str = JOBS,
    **more: Any,
) -> Json:
    """A RunEvent. `kind` None: it names no eventType."""
    event: Json = {
        "eventTime": times.text(moment(minute)),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}/RunEvent",
        "run": {"runId": uuid_of(word), "facets": dict(run_facets or {})},
        "job": {"namespace": ns, "name": job, "facets": dict(job_facets or {})},
        "inputs": _tables(reads, "outputFacets"),
        "outputs": _tables(writes, "inputFacets"),
        **more,
    }
    if kind is not None:
        event["eventType"] = kind
    return event


def job_event(
    job: str,
    minute: float,
    *,
    reads: Iterable[str | Json] = (),
    writes: Iterable[str | Json] = (),
    job_facets: Mapping[str, Json] | None = None,
    ns: str = JOBS,
) -> Json:
    return {
        "eventTime": times.text(moment(minute)),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}/JobEvent",
        "job": {"namespace": ns, "name": job, "facets": dict(job_facets or {})},
        "inputs": _tables(reads, "outputFacets"),
        "outputs": _tables(writes, "inputFacets"),
    }


def dataset_event(name: str, minute: float, *, ns: str = NS, **facets: Json) -> Json:
    return {
        "eventTime": times.text(moment(minute)),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}/DatasetEvent",
        "dataset": table(name, ns=ns, **facets),
    }


def columns(*fields: str | Json) -> Json:
    """A schema facet."""
    return facet(fields=[{"name": f, "type": "TEXT"} if isinstance(f, str) else f for f in fields])


def from_columns(**fields: Iterable[str | Json]) -> Json:
    """A columnLineage facet: `total=["orders.amount"]`; a dict for what has transformations."""
    return facet(fields={name: {"inputFields": [source(s) for s in given]} for name, given in fields.items()})


def source(said: str | Json, *, ns: str = NS, **how: Any) -> Json:
    """`orders.amount` as an input field: the last dot parts table and column."""
    if isinstance(said, dict):
        return said
    name, _, field = said.rpartition(".")
    made: Json = {"namespace": ns, "name": name, "field": field}
    if how:
        made["transformations"] = [how]
    return made


def parent(job: str, word: str, *, ns: str = JOBS, root: tuple[str, str] | None = None, **more: Any) -> Json:
    said = facet(run={"runId": uuid_of(word)}, job={"namespace": ns, "name": job}, **more)
    if root:
        said["root"] = {"run": {"runId": uuid_of(root[1])}, "job": {"namespace": ns, "name": root[0]}}
    return said


def dataset_key(name: str, ns: str = NS) -> str:
    return keys.dataset(ns, name)


def job_key(name: str, ns: str = JOBS) -> str:
    return keys.job(ns, name)


def run_key(job: str, word: str, ns: str = JOBS) -> str:
    return keys.run(uuid_of(word), keys.job(ns, job))


def column_key(said: str, ns: str = NS) -> str:
    """`orders.amount`."""
    name, _, path = said.rpartition(".")
    return keys.column(keys.dataset(ns, name), path)

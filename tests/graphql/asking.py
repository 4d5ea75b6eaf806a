"""A Headwater in process, its events, and the questions that tests ask of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.execution import Engine
from headwater_server.api.graphql.operation import Query
from headwater_server.api.graphql.schema import schema
from headwater_server.auth.policy import everybody
from headwater_server.ingest.receive import receive_many
from headwater_server.parts import Parts
from headwater_server.settings import Settings

PRODUCER = "https://example.com/tests"


class Api:
    """Asks as a client would, without a socket."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.engine = Engine(schema)
        self.context = Context(
            store=parts.store,
            log=parts.log,
            registry=parts.registry,
            curation=parts.curation,
            office=parts.office,
            tracking=parts.tracking,
            series=parts.series,
            artifacts=parts.artifacts,
            news=parts.news,
            facets=parts.facets,
            updated=parts.updated,
            now=lambda: 1_800_000_000_000_000,
            actor="ada",
            principal=everybody("ada"),
            settings=parts.settings,
            audit=parts.audit,
            run_records=parts.run_records,
            script_of=parts.script_of,
        )

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        body: dict[str, Any] = orjson.loads(
            orjson.dumps(self.engine.run(Query(query, variables), self.context).body)
        )
        return body

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The only error of an answer."""
        (error,) = self.answer(query, **variables)["errors"]
        found: dict[str, Any] = error
        return found

    def tell(self, *events: dict[str, Any]) -> None:
        """Ingest, and wait for the graph to show it."""
        submission, _, failed = receive_many([orjson.dumps(e) for e in events], self.parts.committer)
        assert not failed
        if submission is not None:
            submission.projected.result(timeout=30)

    def with_context(self, **changes: Any) -> "Api":
        other = Api(self.parts)
        other.context = replace(self.context, **changes)
        return other


@contextmanager
def opened(folder: Path) -> Iterator[Api]:
    parts = Parts(Settings(data=folder))
    parts.start()
    try:
        yield Api(parts)
    finally:
        parts.close()


def dataset(name: str, *columns: str, namespace: str = "pg://db", **facets: Any) -> dict[str, Any]:
    if columns:
        facets["schema"] = {"_producer": PRODUCER, "fields": [{"name": c, "type": "int"} for c in columns]}
    return {"namespace": namespace, "name": name, "facets": facets}


def run_event(
    kind: str,
    at: str,
    run: str,
    job: str,
    *,
    inputs: Iterable[dict[str, Any]] = (),
    outputs: Iterable[dict[str, Any]] = (),
    run_facets: dict[str, Any] | None = None,
    job_facets: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": at,
        "run": {"runId": run, "facets": run_facets or {}},
        "job": {"namespace": "etl", "name": job, "facets": job_facets or {}},
        "inputs": list(inputs),
        "outputs": list(outputs),
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/definitions/RunEvent",
    }


def counting(store: Any) -> tuple[Any, Callable[[], int]]:
    """The same store, and how often it was asked."""
    calls = [0]

    class Counting:
        def __getattr__(self, name: str) -> Any:
            found = getattr(store, name)
            if not callable(found):
                return found

            def counted(*args: Any, **kwargs: Any) -> Any:
                calls[0] += 1
                return found(*args, **kwargs)

            return counted

    return Counting(), lambda: calls[0]

"""The official Python clients against a real server on a socket that dies in the middle: nothing lost, nothing doubled."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from openlineage.client.event_v2 import (
    DatasetEvent,
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    StaticDataset,
)
from openlineage.client.facet_v2 import documentation_dataset, schema_dataset
from openlineage.client.serde import Serde
from openlineage.client.transport.async_http import AsyncHttpConfig, AsyncHttpTransport
from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport

from headwater_server.graph import times
from headwater_server.log.sqlite import SqliteRecordLog
from headwater_server.store.sqlite import SqliteStore
from tests.app import Graph
from tests.ingest.server import Served
from tests.openlineage.said import PRODUCER, dataset_key, job_key, moment, run_key, uuid_of

Emit: TypeAlias = Callable[[Any], object]
RUNS = 40


def at(minute: int) -> str:
    return times.text(moment(minute))


def events() -> list[RunEvent | JobEvent | DatasetEvent]:
    """Runs of two jobs from start to end, a declared job and a described dataset, in the clients' own classes."""
    made: list[RunEvent | JobEvent | DatasetEvent] = [
        JobEvent(
            eventTime=at(0),
            producer=PRODUCER,
            job=Job("airflow", "declared"),
            inputs=[InputDataset("postgres://db", "a")],
            outputs=[OutputDataset("postgres://db", "c")],
        ),
        DatasetEvent(
            eventTime=at(0),
            producer=PRODUCER,
            dataset=StaticDataset(
                "postgres://db",
                "a",
                facets={"documentation": documentation_dataset.DocumentationDatasetFacet("the source")},
            ),
        ),
    ]
    schema = schema_dataset.SchemaDatasetFacet([schema_dataset.SchemaDatasetFacetFields("id", "BIGINT")])
    for number in range(RUNS):
        for state, minute in ((RunState.START, 1), (RunState.COMPLETE, 2)):
            made.append(
                RunEvent(
                    eventTime=at(minute + 5 * number),
                    producer=PRODUCER,
                    eventType=state,
                    run=Run(uuid_of(f"run {number}")),
                    job=Job("airflow", f"job {number % 2}"),
                    inputs=[InputDataset("postgres://db", "a")],
                    outputs=[OutputDataset("postgres://db", f"b{number % 2}", facets={"schema": schema})],
                )
            )
    return made


def told(event: Any) -> str:
    return json.dumps(json.loads(Serde.to_json(event)), sort_keys=True)


def logged(data: Path) -> Counter[str]:
    log = SqliteRecordLog(data / "log.db")
    found = Counter(json.dumps(json.loads(r.body), sort_keys=True) for r in log.read(0, limit=10_000))
    log.close()
    return found


def all_there(data: Path) -> None:
    """Each event once in the log; the graph shows them all."""
    assert logged(data) == Counter(told(event) for event in events())
    store = SqliteStore(data / "graph.db")
    graph = Graph(store)
    for number in range(RUNS):
        assert graph.props(run_key(f"job {number % 2}", f"run {number}"))["state"] == "COMPLETE"
    flows = {(dataset_key("a"), dataset_key(name)) for name in ("b0", "b1", "c")}
    assert graph.flows() == flows
    assert graph.props(dataset_key("a"))["description"] == "the source"
    assert graph.has(job_key("declared"))
    store.close()


@pytest.mark.parametrize("compression", [None, HttpCompression.GZIP], ids=["plain", "gzip"])
def test_the_sync_client_loses_and_doubles_nothing_when_the_server_is_killed(
    tmp_path: Path, compression: HttpCompression | None
) -> None:
    with Served(tmp_path) as server:
        transport = HttpTransport(HttpConfig(url=server.url, compression=compression))
        half = threading.Event()

        def produce() -> None:
            for number, event in enumerate(events()):
                transport.emit(event)
                if number == RUNS:
                    half.set()

        producer = threading.Thread(target=produce)
        producer.start()
        half.wait()
        server.kill()
        server.start()
        producer.join()
        transport.close()
        server.stop()
    all_there(tmp_path)


@pytest.mark.parametrize("compression", [None, HttpCompression.GZIP], ids=["plain", "gzip"])
def test_the_async_client_does_neither(tmp_path: Path, compression: HttpCompression | None) -> None:
    with Served(tmp_path) as server:
        transport = AsyncHttpTransport(
            AsyncHttpConfig(url=server.url, compression=compression, max_concurrent_requests=10)
        )
        for event in events():
            transport.emit(event)
        server.kill()
        server.start()
        assert transport.wait_for_completion(timeout=60)
        assert transport.get_stats()["failed"] == 0
        transport.close(timeout=10)
        server.stop()
    all_there(tmp_path)

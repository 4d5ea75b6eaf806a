"""OpenLineage events as an orchestrator sends them: a START and a COMPLETE a run, ten columns, column lineage."""

import json
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any

PRODUCER = "https://example.org/pipeline/1.0"
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
BEGIN = 1_760_000_000
LAYERS = 20
COLUMNS = tuple(f"c{number}" for number in range(10))


def facet(name: str, version: str, **said: Any) -> dict[str, Any]:
    url = f"https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **said}


def written(event: dict[str, Any]) -> bytes:
    """As OpenLineage's Python client writes it, spaces too."""
    return json.dumps(event).encode()


def moment(second: float) -> str:
    whole, part = divmod(second, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BEGIN + whole)) + f".{int(part * 1000):03d}Z"


def run_id(*what: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, what))))


def dataset(namespace: str, name: str, **facets: Any) -> dict[str, Any]:
    fields = [{"name": column, "type": "VARCHAR"} for column in COLUMNS]
    schema = facet("SchemaDatasetFacet", "1-1-1", fields=fields)
    return {"namespace": namespace, "name": name, "facets": {"schema": schema, **facets}}


def column_lineage(namespace: str, parents: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    """`parents`: column -> (table, column) that it is made of."""
    how = [{"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "", "masking": False}]
    fields = {
        column: {
            "inputFields": [
                {"namespace": namespace, "name": table, "field": field, "transformations": how}
                for table, field in sources
            ],
            "transformationDescription": "",
            "transformationType": "DIRECT",
        }
        for column, sources in parents.items()
    }
    return facet("ColumnLineageDatasetFacet", "1-2-0", fields=fields)


class Job:
    """Reads two tables, writes one, column by column."""

    def __init__(self, namespace: str, name: str, inputs: list[str], output: str) -> None:
        self.name = name
        self.namespace = namespace
        lineage = {c: [(table, c) for table in inputs] for c in COLUMNS}
        chosen = ", ".join(f"a.{c}" for c in COLUMNS)
        sql = f"insert into {output} select {chosen} from {inputs[0]} a join {inputs[-1]} b on a.c0 = b.c0"
        self._job = {
            "namespace": namespace,
            "name": name,
            "facets": {
                "sql": facet("SQLJobFacet", "1-0-1", query=sql),
                "jobType": facet(
                    "JobTypeJobFacet", "2-0-3", processingType="BATCH", integration="BENCH", jobType="TASK"
                ),
            },
        }
        self._inputs = [dataset(namespace, table) for table in inputs]
        self._output = dataset(namespace, output, columnLineage=column_lineage(namespace, lineage))

    def events(self, second: float, *, turn: int = 0) -> Iterator[bytes]:
        """One run, begun then: its START and its COMPLETE."""
        run = run_id(self.namespace, self.name, turn)
        start = facet("NominalTimeRunFacet", "1-0-1", nominalStartTime=moment(second))
        yield self._event("START", second, run, [], {"nominalTime": start})
        rows = facet("OutputStatisticsOutputDatasetFacet", "1-0-2", rowCount=1000 + turn, size=100_000)
        done = {**self._output, "outputFacets": {"outputStatistics": rows}}
        yield self._event("COMPLETE", second + 5, run, [done], {})

    def _event(
        self, kind: str, second: float, run: str, outputs: list[dict[str, Any]], facets: dict[str, Any]
    ) -> bytes:
        return written(
            {
                "eventType": kind,
                "eventTime": moment(second),
                "producer": PRODUCER,
                "schemaURL": SCHEMA,
                "run": {"runId": run, "facets": facets},
                "job": self._job,
                "inputs": self._inputs,
                "outputs": outputs,
            }
        )


def pipeline(jobs: int, *, namespace: str, layers: int = LAYERS, seed: int = 1) -> list[Job]:
    """Jobs in layers: each reads two tables of the layer above and writes one."""
    chance = random.Random(seed)
    width = max(1, jobs // layers)
    above = [f"src{at}" for at in range(width)]
    found: list[Job] = []
    for layer in range(layers):
        written = [f"t{layer:02d}_{at}" for at in range(width)]
        for at, output in enumerate(written):
            other = (at + chance.randrange(1, width)) % width if width > 1 else at
            inputs = sorted({above[at], above[other]})
            found.append(Job(namespace, f"job{layer:02d}_{at}", inputs, output))
        above = written
    return found


def turns(jobs: list[Job], *, count: int, first: int = 0) -> list[bytes]:
    """So many runs of these jobs, one after the other, each a START and a COMPLETE."""
    found: list[bytes] = []
    for at in range(count):
        turn, which = divmod(at, len(jobs))
        number = first + turn
        found.extend(jobs[which].events(float(number * 100_000 + which), turn=number))
    return found


def chain(tables: int, *, parents: int, namespace: str) -> list[bytes]:
    """t0 → t1 → …, each column made of `parents` columns of the table before."""
    found = []
    for at in range(1, tables):
        lineage = {
            column: [(f"t{at - 1}", COLUMNS[(place + more) % len(COLUMNS)]) for more in range(parents)]
            for place, column in enumerate(COLUMNS)
        }
        event = {
            "eventType": "COMPLETE",
            "eventTime": moment(float(at)),
            "producer": PRODUCER,
            "schemaURL": SCHEMA,
            "run": {"runId": run_id(namespace, at)},
            "job": {"namespace": namespace, "name": f"j{at}"},
            "inputs": [dataset(namespace, f"t{at - 1}")],
            "outputs": [dataset(namespace, f"t{at}", columnLineage=column_lineage(namespace, lineage))],
        }
        found.append(written(event))
    return found

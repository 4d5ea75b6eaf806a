"""A chain of tables whose middle is in a namespace that not everybody sees."""

from typing import Any

import orjson

from headwater_server.ingest.receive import receive_many
from headwater_server.lineage.urns import encode_id

SECRET = ("secret-ns", "merger", "hush", "whisper")
"""Words that nobody may read who does not see the middle of the chain."""


def facet(**said: Any) -> dict[str, Any]:
    return {"_producer": "https://it", "_schemaURL": "https://it", **said}


def step(
    namespace: str, job: str, at: int, reads: tuple[str, str], writes: tuple[str, str]
) -> dict[str, Any]:
    """A run that makes column `c` of one table from column `c` of another, by SQL that names both."""
    columns = {"c": {"inputFields": [{"namespace": reads[0], "name": reads[1], "field": "c"}]}}
    fields = facet(fields=[{"name": "c", "type": "int"}])
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-01-01T00:00:{at:02}Z",
        "producer": "https://it",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": f"00000000-0000-0000-0000-0000000000{at:02}"},
        "job": {"namespace": namespace, "name": job, "facets": {"sql": facet(query=f"select c from {reads[1]}")}},
        "inputs": [{"namespace": reads[0], "name": reads[1], "facets": {"schema": fields}}],
        "outputs": [{"namespace": writes[0], "name": writes[1],
                     "facets": {"schema": fields, "columnLineage": facet(fields=columns)}}],
    }  # fmt: skip


EVENTS = [
    step("jobs", "load", 1, ("open", "raw"), ("open", "first")),
    step("secret-ns", "hush", 2, ("open", "first"), ("secret-ns", "merger")),
    step("secret-ns", "whisper", 3, ("secret-ns", "merger"), ("open", "last")),
    step("jobs", "after", 4, ("open", "last"), ("open", "end")),
]
READER = "reader?namespace=open&namespace=jobs"


def tell(parts: Any) -> None:
    submission, _, failed = receive_many([orjson.dumps(e) for e in EVENTS], parts.committer, eager=True)
    assert submission is not None
    assert not failed
    submission.projected.result()


def tells_nothing(text: str) -> None:
    assert not [word for word in SECRET if word in text], text
    for kind in ("dataset", "job"):
        for name in ("merger", "hush", "whisper"):
            assert encode_id(f"{kind}|secret-ns|{name}") not in text


LINEAGE = """query Q($ref: String!, $g: Granularity, $d: LineageDirection) {
  lineage(ref: $ref, depth: 20, granularity: $g, direction: $d) { totalNodes
    nodes { id urn name namespace kind restricted depth upstreamCount downstreamCount parentId groupId
            entity { id name urn namespace { name } owners { name } facets { name } } }
    edges { source target kind via } groups { label } frontier } }"""

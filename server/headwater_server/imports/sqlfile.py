"""A SQL file as a JobEvent: what the script is meant to read and write, told before any run. Pure."""

from datetime import UTC, datetime
from pathlib import PurePath

from headwater_parsers import ScriptLineage
from headwater_parsers.openlineage import datasets
from headwater_server.imports.events import PRODUCER, Json, facet, job_event, named


def sql_event(
    sql: str, lineage: ScriptLineage, *, job: str, jobs: str, tables: str, dialect: str | None, at: str
) -> Json:
    """`jobs` and `tables` are namespaces. The parser's own inputs, outputs and columnLineage stand in the event beside the script itself."""
    found = datasets(lineage, tables, producer=PRODUCER)
    spoken = dialect or lineage.dialect
    facets = {
        "jobType": facet("JobTypeJobFacet", processingType="BATCH", integration="SQL", jobType="QUERY"),
        "sql": facet("SQLJobFacet", query=sql, **({"dialect": spoken} if spoken else {})),
    }
    return job_event(at, named(jobs, job, facets), inputs=found["inputs"], outputs=found["outputs"])


def job_of(file: str) -> str:
    """A file's path without its suffix."""
    return PurePath(file).with_suffix("").as_posix()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

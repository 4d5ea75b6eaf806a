"""The demo shop's tables and jobs as OpenLineage says them: datasets, facets, events. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from headwater_server.demo.jobs import Work
from headwater_server.demo.tables import TABLES, Table

Json: TypeAlias = dict[str, Any]

_SPEC = "https://openlineage.io/spec"
PRODUCERS = {
    "airflow": "https://github.com/apache/airflow/tree/providers-openlineage/2.0.0",
    "dbt": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt",
    "ml": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/client/python",
    "bi": "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/client/python",
}
_INTEGRATION = {"airflow": "AIRFLOW", "dbt": "DBT", "ml": "PYTHON", "bi": "DASHBOARD"}
_DIRECT = {"IDENTITY", "TRANSFORMATION", "AGGREGATION"}
_ORIGIN = re.compile(r"(?:([A-Z_]+) )?([a-z]+\.[a-z]+)\.(\w+)")
REPOSITORY = "https://git.shop.example/data"


def when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def run_id(*names: object) -> str:
    """The same names give the same run, whenever and wherever the events are made."""
    return str(uuid5(NAMESPACE_URL, "/".join(("headwater-demo", *map(str, names)))))


def facet(name: str, version: str, producer: str, /, **content: Any) -> Json:
    url = f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}"
    return {"_producer": producer, "_schemaURL": url, **content}


def event(kind: str, at: datetime, producer: str, **content: Any) -> Json:
    """`kind` is START, COMPLETE …; `JobEvent` and `DatasetEvent` have no run and no type."""
    schema = kind if kind.endswith("Event") else "RunEvent"
    head = {} if kind.endswith("Event") else {"eventType": kind}
    url = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/{schema}"
    return {**head, "eventTime": when(at), "producer": producer, "schemaURL": url, **content}


def dataset(table: Table, producer: str, *, full: bool) -> Json:
    """With its facets when `full`; the name alone says enough in a START."""
    named: Json = {"namespace": table.namespace, "name": table.name}
    if not full or table.namespace == "models:":
        return named
    facets: Json = {
        "dataSource": facet(
            "DatasourceDatasetFacet", "1-0-1", producer, name=table.namespace, uri=table.namespace
        ),
        "documentation": facet("DocumentationDatasetFacet", "1-1-0", producer, description=table.about),
        "ownership": facet(
            "OwnershipDatasetFacet",
            "1-0-1",
            producer,
            owners=[{"name": f"team:{table.owner}", "type": "OWNER"}],
        ),
    }
    if table.type != "TABLE":
        facets["datasetType"] = facet("DatasetTypeDatasetFacet", "1-0-1", producer, datasetType=table.type)
    if table.columns:
        fields = [
            {
                "name": c.name,
                "type": c.type,
                **({"description": c.about} if c.about else {}),
                "ordinal_position": at,
            }
            for at, c in enumerate(table.columns, 1)
        ]
        facets["schema"] = facet("SchemaDatasetFacet", "1-2-0", producer, fields=fields)
    tags = [
        *({"key": tag, "value": "true", "source": "dbt"} for tag in table.tags),
        *(
            {"key": tag, "value": "true", "source": "dbt", "field": c.name}
            for c in table.columns
            for tag in c.tags
        ),
    ]
    if tags:
        facets["tags"] = facet("TagsDatasetFacet", "1-0-0", producer, tags=tags)
    return {**named, "facets": facets}


def output(table: Table, work: Work, producer: str, *, night: int) -> Json:
    """What a finished run wrote: facets, column lineage, statistics."""
    said = dataset(table, producer, full=True)
    if work.columns:
        said["facets"]["columnLineage"] = _column_lineage(work, producer)
    if table.rows:
        rows = table.rows + night * table.growth
        said["outputFacets"] = {
            "outputStatistics": facet(
                "OutputStatisticsOutputDatasetFacet", "1-0-2", producer, rowCount=rows, size=rows * 48
            )
        }
    return said


def job(work: Work) -> Json:
    producer = PRODUCERS[work.namespace]
    facets: Json = {
        "jobType": facet(
            "JobTypeJobFacet", "2-0-4", producer, processingType="BATCH",
            integration=_INTEGRATION[work.namespace], jobType="MODEL" if work.namespace == "dbt" else "TASK",
        ),
        "documentation": facet("DocumentationJobFacet", "1-1-0", producer, description=work.about),
        "ownership": facet("OwnershipJobFacet", "1-0-1", producer, owners=[{"name": f"team:{work.owner}", "type": "OWNER"}]),
    }  # fmt: skip
    if work.sql:
        facets["sql"] = facet("SQLJobFacet", "1-1-0", producer, query=work.sql, dialect="postgres")
    if work.code:
        facets["sourceCodeLocation"] = facet(
            "SourceCodeLocationJobFacet", "1-1-0", producer, type="git", url=f"{REPOSITORY}/blob/main/{work.code}",
            repoUrl=f"{REPOSITORY}.git", path=work.code, branch="main",
        )  # fmt: skip
    return {"namespace": work.namespace, "name": work.name, "facets": facets}


def parent(producer: str, up: tuple[str, str, str], root: tuple[str, str, str]) -> Json:
    """`up` and `root` are (run id, job namespace, job name)."""
    (run, namespace, name), (root_run, root_namespace, root_name) = up, root
    return facet(
        "ParentRunFacet", "1-2-0", producer,
        run={"runId": run}, job={"namespace": namespace, "name": name},
        root={"run": {"runId": root_run}, "job": {"namespace": root_namespace, "name": root_name}},
    )  # fmt: skip


def _column_lineage(work: Work, producer: str) -> Json:
    fields = {column: {"inputFields": _origins(text)} for column, text in work.columns.items()}
    whole: Mapping[str, Any] = {"dataset": _origins(work.rows)} if work.rows else {}
    return facet("ColumnLineageDatasetFacet", "1-2-0", producer, fields=fields, **whole)


def _origins(text: str) -> list[Json]:
    found = []
    for piece in text.split(" + "):
        match = _ORIGIN.fullmatch(piece)
        if match is None:
            raise ValueError(f"not an origin: {piece!r}")
        word, table_name, column = match.groups()
        masked = word == "MASK"
        subtype = "TRANSFORMATION" if masked else word or "IDENTITY"
        table = TABLES[table_name]
        found.append(
            {
                "namespace": table.namespace, "name": table.name, "field": column,
                "transformations": [
                    {
                        "type": "DIRECT" if subtype in _DIRECT else "INDIRECT", "subtype": subtype,
                        "description": "", "masking": masked,
                    }
                ],
            }
        )  # fmt: skip
    return found

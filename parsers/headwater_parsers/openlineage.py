"""Renders lineage as OpenLineage datasets with columnLineage 1-2-0. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

from headwater_parsers.model import (
    ColumnRef,
    DatasetEdge,
    Edge,
    ScriptLineage,
    StatementLineage,
    Subtype,
    TableRef,
    Type,
)

PRODUCER = "https://github.com/headwater/headwater/parsers"
SCHEMA_URL = (
    "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
)

Name = Callable[[TableRef], tuple[str, str]]  # -> namespace, name
Json = dict[str, Any]


def datasets(script: ScriptLineage, namespace: str = "", *, producer: str = PRODUCER) -> Json:
    """Return `{"inputs": [...], "outputs": [...]}` for a run or job event.

    Tables are named in `namespace`; files keep the scheme and bucket of their own path. Whole-row
    conditions (JOIN, FILTER, GROUP_BY, SORT) stand once in `dataset`, not on every field.
    """

    def name(table: TableRef) -> tuple[str, str]:
        return dataset_name(table, namespace)

    inputs = [dict(zip(("namespace", "name"), name(t), strict=True)) for t in script.inputs]
    outputs = []
    for table in script.outputs:
        dataset_namespace, dataset = name(table)
        made: Json = {"namespace": dataset_namespace, "name": dataset}
        facet = column_lineage(
            (e for e in script.edges if e.output.table == table),
            (e for e in script.dataset_edges if e.output == table),
            name,
            producer=producer,
        )
        if facet is not None:
            made["facets"] = {"columnLineage": facet}
        outputs.append(made)
    return {"inputs": inputs, "outputs": outputs}


def column_lineage(
    edges: Iterable[Edge],
    conditions: Iterable[DatasetEdge],
    name: Name,
    *,
    producer: str = PRODUCER,
) -> Json | None:
    """Return the columnLineage facet of one output; None when nothing is known of its columns.

    An input whose table is not certain is left out: a facet cannot say "one of these". So is
    `*`, which names no column.
    """
    fields: dict[str, dict[tuple[str, str, str], list[Json]]] = {}
    for edge in edges:
        source = _field(edge.input, name)
        if source is None or edge.output.name == "*":
            continue
        entry = fields.setdefault(edge.output.name, {}).setdefault(source, [])
        entry.append(_transformation(edge.type, edge.subtype, edge.description, edge.masking))
    whole: dict[tuple[str, str, str], list[Json]] = {}
    for condition in conditions:
        source = _field(condition.input, name)
        if source is not None:
            entry = whole.setdefault(source, [])
            entry.append(_transformation(Type.INDIRECT, condition.subtype, None, masking=False))
    if not fields and not whole:
        return None
    made: Json = {
        "_producer": producer,
        "_schemaURL": SCHEMA_URL,
        "fields": {column: {"inputFields": _inputs(given)} for column, given in fields.items()},
    }
    if whole:
        made["dataset"] = _inputs(whole)
    return made


def dataset_name(table: TableRef, namespace: str) -> tuple[str, str]:
    """Return the OpenLineage namespace and name of a dataset.

    `s3://bucket/key` becomes (`s3://bucket`, `key`), a local path (`file`, path).
    """
    path = table.parts[0] if table.parts else ""
    if table.kind == "file":
        scheme, found, rest = path.partition("://")
        if not found:
            return "file", path
        host, _, key = rest.partition("/")
        scheme = {"gcs": "gs", "s3a": "s3", "s3n": "s3", "azure": "wasbs"}.get(scheme, scheme)
        return f"{scheme}://{host}", key.strip("/") or "/"
    return namespace, table.name


def statement_datasets(statement: StatementLineage, namespace: str = "", *, producer: str = PRODUCER) -> Json:
    """Return the datasets of one statement."""
    return datasets(ScriptLineage((statement,)), namespace, producer=producer)


def _field(column: ColumnRef, name: Name) -> tuple[str, str, str] | None:
    if column.table is None or column.path == ("*",):
        return None
    return (*name(column.table), column.name)


def _transformation(kind: Type, subtype: Subtype, description: str | None, masking: bool) -> Json:  # noqa: FBT001
    return {
        "type": kind.value,
        "subtype": subtype.value,
        "description": description or "",
        "masking": masking,
    }


def _inputs(given: dict[tuple[str, str, str], list[Json]]) -> list[Json]:
    return [
        {"namespace": namespace, "name": name, "field": field, "transformations": how}
        for (namespace, name, field), how in given.items()
    ]
